//! The ids of people in queries, in bodies and in paths of other things: as under the record's own path (people_matrix.rs),
//! what may be done is done, and everything else tells nothing of who exists and of what they agreed to.

use std::collections::BTreeSet;

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::Id;
use life_rooms::db::schema::audit_events;
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::access::roles;
use crate::openapi::{document, operations};
use crate::people_matrix::{CONSENTS, NOBODY, Records};
use crate::support::{Answer, App, Client, SessionSeed, member_row, partner_row, session_row};

/// Whose id is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Other,
    /// Merged into one's own.
    OwnBefore,
    /// Merged into the other's.
    OtherBefore,
    Erased,
}

use Whose::{Erased, Other, OtherBefore, Own, OwnBefore};

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is done: the status.
    Done(u16),
    /// Refused whoever it is: 401 or 403, as for an id that nobody has.
    Refused,
    /// As for an id that nobody has.
    Hidden,
    /// 409 with the id that the old one leads to.
    Merged,
    /// 307 to the same with the new id.
    Leads,
    /// 410.
    Gone,
    /// 409 of this type.
    Conflict(&'static str),
}

use Outcome::{Conflict, Done, Gone, Hidden, Leads, Merged, Refused};

struct World {
    app: App,
    advisor: Client,
    partner: String,
}

/// Sends the id of a person with an operation, as somebody with this role.
type Call = fn(&World, (char, &Client), &str) -> Answer;

/// Every operation that takes the id of a person, apart from the ones under the person's own path; where it takes it.
const CALLS: [(&str, &str, Call); 10] = [
    ("create_booking", "/member_id", |world, (_, client), member| {
        let session = session_row(&world.app, SessionSeed::default());
        client.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member }))
    }),
    ("create_prescription", "/member_id", |_, (role, client), member| {
        let origin = if role == 'm' { "self" } else { "advisor" };
        let body = json!({ "member_id": member, "origin": origin, "needs": [], "items": [] });
        client.post("/v1/prescriptions", &body)
    }),
    ("list_prescriptions", "?member_id", |_, (_, client), member| {
        client.get(&format!("/v1/prescriptions?member_id={member}"))
    }),
    ("list_merges", "?member_id", |_, (_, client), member| client.get(&format!("/v1/merges?member_id={member}"))),
    ("create_relationship", "/from_member", |world, (_, client), member| {
        let third = member_row(&world.app, "Third", "Riley");
        let body = json!({ "from_member": member, "to_member": third, "kind": "carer_of" });
        client.post(&format!("/v1/members/{third}/relationships"), &body)
    }),
    ("create_relationship", "/to_member", |world, (_, client), member| {
        let third = member_row(&world.app, "Third", "Riley");
        let body = json!({ "from_member": third, "to_member": member, "kind": "family_of" });
        client.post(&format!("/v1/members/{third}/relationships"), &body)
    }),
    ("merge_members", "/from", |world, (_, client), member| {
        let third = member_row(&world.app, "Third", "Riley");
        let version = world.advisor.get(&format!("/v1/members/{member}")).json["version"].as_i64().unwrap_or(1);
        let body = json!({ "from": member, "into_version": 1, "from_version": version, "dry_run": true });
        client.post(&format!("/v1/members/{third}/merge"), &body)
    }),
    ("take_register", "/walk_ins/0/member_id", |world, (_, client), member| {
        let (partner, starts_at) = (Some(world.partner.as_str()), "2026-11-23T08:00:00Z");
        let session = session_row(&world.app, SessionSeed { partner_id: partner, starts_at, ..SessionSeed::default() });
        let register = format!("/v1/sessions/{session}/register");
        let body = json!({ "bookings": [], "walk_ins": [{ "member_id": member }],
            "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
        client.put(&register, world.advisor.get(&register).etag(), &body)
    }),
    ("decide_retention_review", "{member_id}", |_, (_, client), member| {
        client.post(&format!("/v1/retention-reviews/{member}"), &json!({ "decision": "erase" }))
    }),
    ("get_possible_duplicate", "{id}", |_, (_, client), member| {
        client.get(&format!("/v1/possible-duplicates/{member}/{NOBODY}"))
    }),
];

/// Operations that take it as another one in this table does.
const ALIKE: [(&str, &str); 3] = [
    ("get_possible_duplicate", "{other_id}"),
    ("change_possible_duplicate", "{id}"),
    ("change_possible_duplicate", "{other_id}"),
];

/// What comes of an operation by somebody on somebody.
fn expected(operation: &str, role: char, whose: Whose, decision: Option<&str>) -> Outcome {
    if !roles(operation).contains(role) {
        return Refused;
    }
    let is_there = matches!(whose, Own | Other);
    let within_reach = role != 'm' || matches!(whose, Own | OwnBefore);
    match (operation, whose) {
        ("create_booking" | "create_prescription" | "list_prescriptions", _) if !within_reach => Hidden,
        ("create_booking" | "create_prescription", Own | Other) => match decision {
            Some("withdrawn") => Conflict("no-consent"),
            _ => Done(201),
        },
        ("create_booking" | "create_prescription" | "create_relationship", OwnBefore | OtherBefore) => Merged,
        ("list_prescriptions", OwnBefore | OtherBefore) => Leads,
        ("list_prescriptions" | "list_merges", Erased) => Gone,
        ("list_prescriptions" | "list_merges", _) => Done(200),
        ("create_relationship", Own | Other) => Done(201),
        // Two records with an open request or a place in one session are another matter.
        ("merge_members", _) if is_there => Done(200),
        ("merge_members", _) => Conflict("merge-conflict"),
        // A partner names only whom it may see.
        ("take_register", _) if is_there && (role == 'd' || decision == Some("given")) => Done(200),
        // They were active today, so there is nothing to decide. An admin learns no more of who was merged or erased.
        ("decide_retention_review", _) if is_there => Conflict("invalid-state"),
        _ => Hidden,
    }
}

fn events(app: &App, member: &str) -> i64 {
    let of_it = audit_events::table.filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()));
    of_it.count().get_result(&mut app.conn()).unwrap()
}

/// What an answer says, without what names the request, the person and the session or record that the call was made on.
fn said(answer: &Answer, member: &str) -> (u16, String) {
    let mut json = answer.json.clone();
    if let Some(map) = json.as_object_mut() {
        map.remove("request_id");
        map.remove("instance");
    }
    (answer.status, json.to_string().replace(member, "MEMBER"))
}

fn hold(outcome: Outcome, answer: Answer, nobody: &Answer, (member, into): (&str, &str), case: &str) {
    match outcome {
        Done(status) => assert_eq!(answer.status, status, "{case}: {}", answer.text),
        Refused | Hidden => {
            assert_eq!(said(&answer, member), said(nobody, NOBODY), "{case}");
            let refused = [401, 403].contains(&answer.status);
            assert_eq!(refused, outcome == Refused, "{case}: {}", answer.text);
        }
        Merged => {
            assert_eq!((answer.status, &answer.json["merged_into"]), (409, &json!(into)), "{case}: {}", answer.text);
        }
        Leads => {
            assert_eq!((answer.status, answer.text.as_str()), (307, ""), "{case}");
            assert!(answer.header("location").ends_with(into), "{case}: {}", answer.header("location"));
        }
        Gone => {
            assert_eq!(answer.status, 410, "{case}: {}", answer.text);
            answer.problem(410, "erased");
        }
        Conflict(kind) => {
            assert_eq!(answer.status, 409, "{case}: {}", answer.text);
            answer.problem(409, kind);
        }
    }
}

#[test]
fn an_id_in_a_query_or_a_body_does_and_tells_what_it_would_under_its_own_path() {
    let app = App::start();
    let records = Records::new(&app);
    let partner = partner_row(&app, "somebodys-partner");
    let scopes: Vec<Scope> = Scope::iter().collect();
    let people: [(char, Client); 6] = [
        ('-', app.anonymous()),
        ('a', app.admin()),
        ('n', app.analyst()),
        ('p', app.partner_client(&partner, &scopes)),
        ('m', app.member(&records.own)),
        ('d', app.advisor()),
    ];
    let ids = [
        (Own, &records.own, &records.own),
        (Other, &records.other, &records.other),
        (OwnBefore, &records.merged[0], &records.own),
        (OtherBefore, &records.merged[1], &records.other),
        (Erased, &records.erased, &records.erased),
    ];
    let world = World { advisor: app.advisor(), app, partner };
    for decision in CONSENTS {
        records.decide(&world.app, &world.partner, decision);
        for (operation, place, call) in CALLS {
            for (role, client) in &people {
                let nobody = call(&world, (*role, client), NOBODY);
                for (whose, member, into) in ids {
                    let case = format!("{operation} {place} by {role} on {whose:?}, {decision:?}");
                    let outcome = expected(operation, *role, whose, decision);
                    // The call for merging reads the record as an advisor.
                    let before = events(&world.app, member) + i64::from(operation == "merge_members" && into == member);
                    let answer = call(&world, (*role, client), member);
                    hold(outcome, answer, &nobody, (member, into), &case);
                    if matches!(outcome, Refused | Hidden) && whose != Erased {
                        assert_eq!(events(&world.app, member), before, "{case} leaves a trace");
                    }
                }
            }
        }
    }
}

/// The places in which an operation takes the id of a person.
fn places(document: &Value, path: &str, operation: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolve(document, parameter);
        let name = parameter["name"].as_str().unwrap_or_default();
        match parameter["in"].as_str() {
            Some("query") if parameter["schema"]["format"] == "uuid" && names_a_person(name) => {
                found.push(format!("?{name}"))
            }
            // Of two people.
            Some("path") if path.starts_with("/v1/possible-duplicates/") => found.push(format!("{{{name}}}")),
            Some("path") if names_a_person(name) && !path.starts_with("/v1/members/{id}") => {
                found.push(format!("{{{name}}}"));
            }
            _ => {}
        }
    }
    for content in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        in_schema(document, &content.1["schema"], "", &mut found);
    }
    found
}

fn names_a_person(name: &str) -> bool {
    ["member", "from", "into"].contains(&name) || name.ends_with("member_id") || name.ends_with("_member")
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(path) => resolve(document, document.pointer(path.trim_start_matches('#')).expect("it leads somewhere")),
        None => value,
    }
}

fn in_schema(document: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    let schema = resolve(document, schema);
    // No body that is sent is this deep.
    if at.matches('/').count() > 6 {
        return;
    }
    let name = at.rsplit('/').next().unwrap_or_default();
    if schema["format"] == "uuid" && names_a_person(name) && !found.contains(&at.to_owned()) {
        found.push(at.to_owned());
    }
    for choice in ["oneOf", "anyOf", "allOf"].iter().filter_map(|word| schema[*word].as_array()).flatten() {
        in_schema(document, choice, at, found);
    }
    if schema.get("items").is_some() {
        in_schema(document, &schema["items"], &format!("{at}/0"), found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        in_schema(document, property, &format!("{at}/{name}"), found);
    }
}

#[test]
fn every_operation_that_takes_the_id_of_a_person_is_in_this_table() {
    let document = document();
    let mut found = BTreeSet::new();
    for (_, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        found.extend(places(&document, &path, &operation).into_iter().map(|place| (name.to_owned(), place)));
    }
    let known = CALLS.iter().map(|(name, place, _)| (*name, *place)).chain(ALIKE);
    let known: BTreeSet<(String, String)> = known.map(|(name, place)| (name.to_owned(), place.to_owned())).collect();
    assert_eq!(found, known);
}
