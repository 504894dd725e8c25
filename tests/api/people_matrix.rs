//! Every operation on a person, by everybody, on everybody: oneself, another, one whose record was merged into another's,
//! one who was forgotten, and nobody; whether those who are there gave their consents, withdrew them or never decided. What
//! isn't allowed tells nothing of who exists, nor of what they agreed to. See people_elsewhere.rs for the ids of people in
//! queries and bodies.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::access::{body_of, roles};
use crate::openapi::{document, operations};
use crate::support::{Answer, App, Client, member_row, partner_row};

pub const NOBODY: &str = "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41";
const INNER: &str = "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b42";

/// Whose record an operation is called on.
pub struct Records {
    pub own: String,
    pub other: String,
    /// Merged into one's own, and into the other's.
    pub merged: [String; 2],
    pub erased: String,
}

/// What everybody said about each of these purposes: nothing, yes, or no.
pub const CONSENTS: [Option<&str>; 3] = [None, Some("given"), Some("withdrawn")];

impl Records {
    pub fn new(app: &App) -> Self {
        let advisor = app.advisor();
        let [own, other, one, two, erased] =
            ["Peg", "Sam", "Una", "Ned", "Ida"].map(|name| member_row(app, name, "Reid"));
        for (into, from) in [(&own, &one), (&other, &two)] {
            let body = json!({ "from": from, "into_version": 1, "from_version": 1, "account_checked": true });
            advisor.post(&format!("/v1/members/{into}/merge"), &body).expect(200);
        }
        let asked = advisor.post(&format!("/v1/members/{erased}/erasure"), &json!({ "received_on": "2026-11-20" }));
        let erasure = asked.expect(202)["id"].as_str().unwrap().to_owned();
        app.admin().post(&format!("/v1/erasures/{erasure}/execute"), &json!({ "force": true })).expect(200);
        Self { own, other, merged: [one, two], erased }
    }

    /// Records for both who are there what they say about support, and about sharing with this partner, a second after what
    /// was before.
    pub fn decide(&self, app: &App, partner: &str, decision: Option<&str>) {
        let Some(decision) = decision else { return };
        app.clock.set(app.clock.now().plus_seconds(1).0);
        let advisor = app.advisor();
        for member in [&self.own, &self.other] {
            for purpose in ["service_delivery", "share_with_partner"] {
                let partner = (purpose == "share_with_partner").then_some(partner);
                let body =
                    json!({ "purpose": purpose, "partner_id": partner, "decision": decision, "evidence": "said so" });
                advisor.post(&format!("/v1/members/{member}/consents"), &body).expect(201);
            }
        }
    }
}

/// The operations on one person: method, path and operation.
fn of_people(document: &Value) -> Vec<(String, String, Value)> {
    operations(document).into_iter().filter(|(_, path, _)| path.starts_with("/v1/members/{id}")).collect()
}

fn at(path: &str, member: &str) -> String {
    let whole = path.replace("{id}", member);
    let parts = whole.split('/').map(|part| if part.starts_with('{') { INNER } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What an answer says, without what names the request and the record.
fn said(answer: &Answer, member: &str) -> (u16, String, String) {
    let mut json = answer.json.clone();
    if let Some(map) = json.as_object_mut() {
        map.remove("request_id");
    }
    let text = json.to_string().replace(member, "MEMBER");
    (answer.status, text, answer.header("content-type").to_owned())
}

#[test]
fn what_may_be_done_to_a_person_is_done_and_nothing_else_tells_who_exists() {
    let app = App::start();
    let records = Records::new(&app);
    let partner = partner_row(&app, "somebodys-partner");
    let scopes: Vec<Scope> = Scope::iter().collect();
    let people: Vec<(char, Client)> = vec![
        ('-', app.anonymous()),
        ('a', app.admin()),
        ('n', app.analyst()),
        ('p', app.partner_client(&partner, &scopes)),
        ('m', app.member(&records.own)),
        ('d', app.advisor()),
    ];
    let document = document();
    let found = of_people(&document);
    assert!(found.len() > 30, "{} operations", found.len());
    for decision in CONSENTS {
        records.decide(&app, &partner, decision);
        hold_to_the_table(&found, &people, &records, decision);
    }
}

/// Calls every operation as everybody on everybody.
fn hold_to_the_table(
    found: &[(String, String, Value)],
    people: &[(char, Client)],
    records: &Records,
    decision: Option<&str>,
) {
    for (method, path, operation) in found {
        let name = operation["operationId"].as_str().unwrap();
        // What ends the record of a test is tested by itself.
        if matches!(name, "merge_members" | "request_erasure" | "request_export") {
            continue;
        }
        let may = roles(name);
        let body = right_body(name).to_string();
        for (role, client) in people {
            let call = |member: &str| {
                let has_body = operation.get("requestBody").is_some();
                let body = if has_body { body.as_bytes() } else { b"" };
                client.send(method, &at(path, member), &[("content-type", "application/json")], body)
            };
            let unknown = said(&call(NOBODY), NOBODY);
            let hides = |member: &str, what: &str| {
                assert_eq!(said(&call(member), member), unknown, "{name} by {role} on {what}, {decision:?}");
            };
            let old_id = |member: &str, new: &str| {
                let answer = call(member);
                if method == "GET" {
                    assert_eq!(answer.status, 307, "{name} by {role}: {}", answer.text);
                    assert_eq!(answer.header("location"), at(path, new), "{name} by {role}");
                } else {
                    assert_eq!(answer.problem(409, "merged")["merged_into"], json!(new), "{name} by {role}");
                }
            };
            let works = |member: &str| {
                let answer = call(member);
                let inner = path.matches('{').count() > 1;
                let bad = [401, 403].contains(&answer.status) || (answer.status == 404 && !inner && !may_lack(name));
                // Nothing under a record's own path is a new booking or prescription.
                let refused = answer.json["type"].as_str().is_some_and(|kind| kind.ends_with("no-consent"));
                assert!(
                    !bad && !refused && answer.status < 500,
                    "{name} by {role}, {decision:?}: {} {}",
                    answer.status,
                    answer.text
                );
            };
            let [own_before, other_before] = &records.merged;
            match role {
                'd' if may.contains('d') => {
                    works(&records.own);
                    works(&records.other);
                    old_id(own_before, &records.own);
                    old_id(other_before, &records.other);
                    call(&records.erased).problem(410, "erased");
                }
                'm' if may.contains('m') => {
                    works(&records.own);
                    old_id(own_before, &records.own);
                    hides(&records.other, "another");
                    hides(other_before, "what was merged into another");
                    hides(&records.erased, "the forgotten one");
                }
                _ => {
                    assert!([401, 403].contains(&unknown.0), "{name} by {role}: {}", unknown.1);
                    for member in [&records.own, &records.other, own_before, other_before, &records.erased] {
                        hides(member, "anybody");
                    }
                }
            }
        }
    }
}

/// A body that is right in form, so that the record is looked at.
fn right_body(operation: &str) -> Value {
    match operation {
        "invite_member" => json!({ "deliver": "show", "email": "somebody@example.org" }),
        "create_relationship" => json!({ "from_member": INNER, "to_member": NOBODY, "kind": "carer_of" }),
        "raise_safeguarding_flag" => {
            json!({ "category": "neglect", "summary": "Seen at the desk", "review_on": "2027-01-04" })
        }
        _ => body_of(operation),
    }
}

/// Whether a member can lack what this operation reads.
fn may_lack(operation: &str) -> bool {
    matches!(
        operation,
        "get_member_account" | "change_member_account" | "get_erasure_request" | "withdraw_erasure_request"
    )
}
