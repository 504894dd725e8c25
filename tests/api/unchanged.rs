//! No change is no change: what a PATCH or PUT leaves as it is isn't written, and nobody is told.

use diesel::prelude::*;
use life_rooms::db::schema::audit_events;
use serde_json::{Value, json};

use crate::editing::{path, series_path, session_body, with};
use crate::openapi::{document, operations};
use crate::support::{App, Client, SessionSeed, id, member_row, partner, prescription, programme, session_row};

/// How often anything was changed, as the audit has it.
fn changes(app: &App) -> i64 {
    audit_events::table.filter(audit_events::action.eq("change")).count().get_result(&mut app.conn()).unwrap()
}

/// What can be changed: the operation that changes it, who may, where it is, and a body that says what stands.
struct Stands {
    operation: &'static str,
    client: Client,
    path: String,
    body: Value,
}

/// One of each resource with a PATCH or PUT.
fn one_of_each(app: &App) -> Vec<Stands> {
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = admin
        .post(
            "/v1/venues",
            &json!({ "slug": "walton", "name": "Walton", "kind": "library", "local_authority": "Liverpool",
                "address": { "town": "Liverpool", "postcode": "L9 1AA" } }),
        )
        .expect(201);
    let venues = format!("/v1/venues/{}", id(&place));
    let space = admin.post(&format!("{venues}/spaces"), &json!({ "name": "Hall" })).expect(201);
    let site = admin.post("/v1/sites", &json!({ "slug": "walton", "name": "Walton" })).expect(201);
    let sites = format!("/v1/sites/{}", id(&site));
    let hosting = json!({ "venue_id": place["id"], "starts_on": "2026-01-01" });
    let hosting = admin.post(&format!("{sites}/hostings"), &hosting).expect(201);
    let host = partner(&admin, "the-reader");
    let partners = format!("/v1/partners/{}", id(&host));
    let reading = programme(&admin, id(&host), "reading");
    let user = admin
        .post("/v1/users", &json!({ "email": "ann@example.org", "role": "advisor", "display_name": "Dana P." }))
        .expect(201);
    let ann = advisor.post(
        "/v1/members",
        &json!({ "given_name": "Ann", "family_name": "A", "roles": ["service_user"], "postcode": "L9 1AA" }),
    );
    let ann = ann.expect(201);
    let plan = prescription(&advisor, id(&ann));
    let item = id(&plan["items"][0]).to_owned();
    let plans = format!("/v1/prescriptions/{}", id(&plan));
    let area = json!({ "name": "The north", "local_authorities": ["Sefton", "St. Helens"] });
    admin.put("/v1/report-areas/north", "\"0\"", &area).expect(201);
    let topic = json!({ "label": "Knitting", "needs": ["arts_and_culture"] });
    admin.put("/v1/topics/knitting", "\"0\"", &topic).expect(201);
    let group = with(session_body(id(&place)), json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }));
    let group = admin.post("/v1/session-series", &group).expect(201);
    let single = admin.post("/v1/sessions", &session_body(id(&place))).expect(201);
    let begun = session_row(app, SessionSeed { starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() });
    let register = format!("/v1/sessions/{begun}/register");
    let came = json!({ "bookings": [], "walk_ins": [{ "member_id": ann["id"] }], "headcount": { "beneficiaries": 3, "family": 1, "carers": 0 } });
    advisor.put(&register, advisor.get(&register).etag(), &came).expect(200);
    let (own, lead) = (app.member(id(&ann)), app.advisor_who_may("safeguarding"));
    let record = format!("/v1/members/{}", id(&ann));
    let needs =
        json!({ "needs": [{ "category": "other", "code": "a_lift", "share": true }], "asked_on": "2026-11-20" });
    own.put(&format!("{record}/access-needs"), "\"0\"", &needs).expect(200);
    own.patch(&format!("{record}/equality-monitoring"), "\"0\"", &json!({ "sex": "female" })).expect(200);
    let flag = json!({ "category": "neglect", "summary": "Alone.", "review_on": "2027-01-05" });
    let flag = lead.post(&format!("{record}/safeguarding"), &flag).expect(201);
    let clerk = app.advisor_who_may("subject_access");
    let asked = json!({ "received_on": "2026-11-20", "how": "By letter" });
    let export = clerk.post(&format!("{record}/export"), &asked).expect(202);
    let export = format!("/v1/exports/{}", id(&export));
    let carer = member_row(app, "Cara", "Carr");
    let cares = json!({ "from_member": carer, "to_member": ann["id"], "kind": "carer_of" });
    let cares = advisor.post(&format!("{record}/relationships"), &cares).expect(201);
    let again = json!({ "given_name": "Ann", "family_name": "A", "roles": ["public"] });
    let again = advisor.post("/v1/members?confirm_not_duplicate=true", &again).expect(201);
    let pair = format!("/v1/possible-duplicates/{}/{}", id(&ann), id(&again));
    let stands = |operation, client: &Client, path, body| Stands { operation, client: client.clone(), path, body };
    vec![
        stands("change_venue", &admin, venues.clone(), json!({ "name": "Walton", "address": { "postcode": "l91aa" } })),
        stands(
            "change_space",
            &admin,
            format!("{venues}/spaces/{}", id(&space)),
            json!({ "name": "Hall", "capacity": null }),
        ),
        stands("change_site", &admin, sites.clone(), json!({ "slug": "walton" })),
        stands(
            "change_hosting",
            &admin,
            format!("{sites}/hostings/{}", id(&hosting)),
            json!({ "starts_on": "2026-01-01", "ends_on": null }),
        ),
        stands("change_partner", &admin, partners.clone(), json!({ "name": host["name"] })),
        stands(
            "change_programme",
            &admin,
            format!("{partners}/programmes/{}", id(&reading)),
            json!({ "slug": "reading" }),
        ),
        stands(
            "change_user",
            &admin,
            format!("/v1/users/{}", id(&user)),
            json!({ "email": "ANN@example.org", "disabled": false }),
        ),
        stands(
            "change_member",
            &advisor,
            format!("/v1/members/{}", id(&ann)),
            json!({ "given_name": " Ann ", "postcode": "l9 1aa" }),
        ),
        stands(
            "change_member_account",
            &advisor,
            format!("/v1/members/{}/account", id(&ann)),
            json!({ "disabled": false }),
        ),
        stands("put_access_needs", &advisor, format!("{record}/access-needs"), needs),
        stands("change_equality_answers", &own, format!("{record}/equality-monitoring"), json!({ "sex": "female" })),
        stands(
            "change_relationship",
            &advisor,
            format!("{record}/relationships/{}", id(&cares)),
            json!({ "status": "proposed", "ends_on": null }),
        ),
        stands(
            "change_safeguarding_flag",
            &lead,
            format!("{record}/safeguarding/{}", id(&flag)),
            json!({ "summary": " Alone. ", "closed_reason": null }),
        ),
        stands("change_possible_duplicate", &advisor, pair, json!({ "status": "open" })),
        stands("change_export", &clerk, export, json!({ "extended": false, "reason": null })),
        stands("change_prescription", &advisor, plans.clone(), json!({ "needs": plan["needs"], "what_matters": null })),
        stands("change_prescription_item", &advisor, format!("{plans}/items/{item}"), json!({ "status": "proposed" })),
        stands("put_report_area", &admin, "/v1/report-areas/north".into(), area),
        stands("put_topic", &admin, "/v1/topics/knitting".into(), topic),
        stands("change_series", &admin, series_path(&group), json!({ "title": group["title"], "reason": "Because." })),
        stands("change_session", &admin, path(&single), json!({ "title": single["title"], "reason": "Because." })),
        stands("change_register", &advisor, register.clone(), json!({ "headcount": { "beneficiaries": 3 } })),
        stands("take_register", &advisor, register, came),
    ]
}

#[test]
fn a_change_to_what_stands_leaves_version_audit_and_tag_as_they_are() {
    let app = App::start();
    let all = one_of_each(&app);
    let before = changes(&app);
    app.at("2026-11-23T10:00:00Z");
    let mut tried: Vec<&str> = Vec::new();
    for (method, _, operation) in operations(&document()) {
        // The operations whose answer has a tag; a password has none.
        if !["PATCH", "PUT"].contains(&method.as_str()) || operation["responses"].get("200").is_none() {
            continue;
        }
        let name = operation["operationId"].as_str().unwrap();
        let found = all.iter().find(|one| one.operation == name);
        let Stands { operation, client, path, body } = found.unwrap_or_else(|| panic!("{name} is not tried"));
        tried.push(operation);
        let bodies = if method == "PATCH" { vec![json!({}), body.clone()] } else { vec![body.clone()] };
        let send = |etag: &str, body: &Value| match method.as_str() {
            "PATCH" => client.patch(path, etag, body),
            _ => client.put(path, etag, body),
        };
        let read = client.get(path);
        for body in bodies {
            let answer = send(read.etag(), &body);
            assert_eq!((answer.status, answer.etag()), (200, read.etag()), "{name}: {}", answer.text);
            // What a change says beside the resource, such as the sessions that closing a venue concerns, isn't
            // compared.
            for (member, value) in read.json.as_object().unwrap() {
                assert_eq!(&answer.json[member], value, "{name} {body} {member}");
            }
            // Whoever hasn't read it doesn't change it, even to what it is.
            send("", &body).problem(428, "precondition-required");
            // A register that is sent again as it stands is taken: its answer may have been lost.
            if name != "take_register" {
                send("\"77\"", &body).problem(412, "precondition-failed");
            }
        }
        let again = client.get(path);
        assert_eq!((again.etag(), &again.json), (read.etag(), &read.json), "{name}");
    }
    assert_eq!(tried.len(), all.len());
    assert_eq!(changes(&app), before, "nothing was changed, so nothing was recorded");
    let venue = &all[0];
    let renamed = venue.client.patch(&venue.path, "\"1\"", &json!({ "name": "Another" })).expect(200);
    assert_eq!((&renamed["version"], changes(&app)), (&json!(2), before + 1));
}

#[test]
fn a_register_put_as_it_stands_is_not_taken_again() {
    let app = App::start();
    let advisor = app.advisor();
    let session = session_row(&app, SessionSeed { starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() });
    let ann = member_row(&app, "Ann", "A");
    let path = format!("/v1/sessions/{session}/register");
    let body = json!({ "bookings": [], "walk_ins": [{ "member_id": ann }], "headcount": { "beneficiaries": 3, "family": 1, "carers": 0 } });
    let taken = advisor.put(&path, advisor.get(&path).etag(), &body);
    assert_eq!((taken.status, &taken.json["version"]), (200, &json!(1)), "{}", taken.text);
    app.at("2026-11-23T10:00:00Z");
    let before = changes(&app);
    let again = advisor.put(&path, taken.etag(), &body);
    assert_eq!((again.etag(), &again.json), (taken.etag(), &taken.json));
    assert_eq!(changes(&app), before);
    let more = json!({ "bookings": [], "walk_ins": [{ "member_id": ann }], "headcount": { "beneficiaries": 4, "family": 1, "carers": 0 } });
    assert_eq!(advisor.put(&path, again.etag(), &more).expect(200)["version"], 2);
    // An empty register that nobody took yet says that nobody came.
    let empty = session_row(&app, SessionSeed { starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() });
    let path = format!("/v1/sessions/{empty}/register");
    let nobody =
        json!({ "bookings": [], "walk_ins": [], "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    assert_eq!(advisor.put(&path, advisor.get(&path).etag(), &nobody).expect(200)["version"], 1);
}
