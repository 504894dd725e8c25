//! Records that were merged into another, and records that were erased: where their ids lead.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, members};
use serde_json::{Value, json};

use crate::support::{App, SessionSeed, id, member, partner_row, session_row};

/// Makes a record the pointer to another, as merging does.
fn point(app: &App, old: &str, into: &str) {
    let row = members::table.find(old.parse::<Id>().unwrap());
    let into = members::merged_into.eq(into.parse::<Id>().unwrap());
    assert_eq!(diesel::update(row).set(into).execute(&mut app.conn()).unwrap(), 1);
}

/// Marks a record as erased.
fn erase(app: &App, member: &str) {
    let row = members::table.find(member.parse::<Id>().unwrap());
    assert_eq!(diesel::update(row).set(members::erased_at.eq(app.clock.now())).execute(&mut app.conn()).unwrap(), 1);
}

fn events(app: &App) -> i64 {
    audit_events::table.count().get_result(&mut app.conn()).unwrap()
}

/// The parts of a record that can be read.
const PARTS: [&str; 11] = [
    "",
    "/consents",
    "/consents/0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41",
    "/access-log?own=false&limit=3",
    "/access-needs",
    "/relationships",
    "/equality-monitoring",
    "/prescriptions",
    "/bookings",
    "/messages",
    "/calendar-links",
];

#[test]
fn a_read_of_a_merged_record_leads_to_the_other_one() {
    let app = App::start();
    let advisor = app.advisor();
    let (old, into) = (member(&advisor, "Margaret", "Reid"), member(&advisor, "Peg", "Reid"));
    let (old, into) = (id(&old), id(&into));
    let own = app.member(into);
    point(&app, old, into);
    let before = events(&app);
    for part in PARTS {
        for client in [&advisor, &own] {
            for method in ["GET", "HEAD"] {
                let answer = client.send(method, &format!("/v1/members/{old}{part}"), &[], b"");
                assert_eq!((answer.status, answer.text.as_str()), (307, ""), "{method} {part}");
                assert_eq!(answer.header("location"), format!("/v1/members/{into}{part}"));
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
    }
    let filtered = advisor.get(&format!("/v1/prescriptions?member_id={old}&limit=2"));
    assert_eq!(filtered.header("location"), format!("/v1/prescriptions?member_id={into}&limit=2"));
    assert_eq!((filtered.status, events(&app)), (307, before), "nobody was shown anything");
    let location = advisor.get(&format!("/v1/members/{old}")).header("location").to_owned();
    assert_eq!(advisor.get(&location).expect(200)["given_name"], "Peg");
}

#[test]
fn to_whoever_may_not_see_the_new_record_the_old_one_does_not_exist() {
    let app = App::start();
    let advisor = app.advisor();
    let (old, into) = (member(&advisor, "Margaret", "Reid"), member(&advisor, "Peg", "Reid"));
    let other = app.member(id(&member(&advisor, "Sam", "Riley")));
    point(&app, id(&old), id(&into));
    for part in PARTS {
        let path = format!("/v1/members/{}{part}", id(&old));
        other.get(&path).problem(404, "not-found");
        app.anonymous().get(&path).problem(401, "unauthenticated");
        app.admin().get(&path).problem(403, "forbidden");
    }
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Said so" });
    other.post(&format!("/v1/members/{}/consents", id(&old)), &consent).problem(404, "not-found");
}

#[test]
fn other_requests_to_a_merged_record_are_refused_and_told_the_new_id() {
    let app = App::start();
    let advisor = app.advisor();
    let (old, into) = (member(&advisor, "Margaret", "Reid"), member(&advisor, "Peg", "Reid"));
    let sam = member(&advisor, "Sam", "Riley");
    point(&app, id(&old), id(&into));
    let before = events(&app);
    let told = |problem: Value| assert_eq!(problem["merged_into"], into["id"], "{problem:#}");
    let path = format!("/v1/members/{}", id(&old));
    let merged = |answer: crate::support::Answer| told(answer.problem(409, "merged"));
    merged(advisor.patch(&path, "\"1\"", &json!({ "pronouns": "she/her" })));
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Said so" });
    merged(advisor.post(&format!("{path}/consents"), &consent));
    merged(advisor.put(&format!("{path}/access-needs"), "\"0\"", &json!({ "none": true, "needs": [] })));
    merged(advisor.patch(&format!("{path}/equality-monitoring"), "\"0\"", &json!({ "sex": "female" })));
    merged(advisor.post(&format!("{path}/invitations"), &json!({ "deliver": "show" })));
    merged(advisor.post(&format!("{path}/calendar-links"), &json!({})));
    let cares = json!({ "from_member": sam["id"], "to_member": old["id"], "kind": "carer_of" });
    merged(advisor.post(&format!("{path}/relationships"), &cares));
    merged(advisor.post(&format!("/v1/members/{}/relationships", id(&sam)), &cares));
    let session = session_row(&app, SessionSeed::default());
    merged(advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": old["id"] })));
    let plan = json!({ "member_id": old["id"], "origin": "advisor", "needs": [], "items": [] });
    merged(advisor.post("/v1/prescriptions", &plan));
    assert_eq!(events(&app), before, "nothing was written");
}

#[test]
fn an_erased_record_is_gone_for_advisors_and_was_never_there_for_others() {
    let app = App::start();
    let advisor = app.advisor();
    let (gone, sam) = (member(&advisor, "Margaret", "Reid"), member(&advisor, "Sam", "Riley"));
    let (own, other) = (app.member(id(&gone)), app.member(id(&sam)));
    erase(&app, id(&gone));
    for part in PARTS {
        let path = format!("/v1/members/{}{part}", id(&gone));
        let problem = advisor.get(&path).problem(410, "erased");
        assert_eq!(problem["detail"], "The record was erased on 2026-11-23.");
        own.get(&path).problem(404, "not-found");
        other.get(&path).problem(404, "not-found");
    }
    let path = format!("/v1/members/{}", id(&gone));
    advisor.patch(&path, "\"1\"", &json!({ "pronouns": "she/her" })).problem(410, "erased");
    let plan = json!({ "member_id": gone["id"], "origin": "advisor", "needs": [], "items": [] });
    advisor.post("/v1/prescriptions", &plan).invalid(&["/member_id"]);
    let session = session_row(&app, SessionSeed::default());
    advisor
        .post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": gone["id"] }))
        .invalid(&["/member_id"]);
}

#[test]
fn neither_is_found_or_comes_to_a_register() {
    let app = App::start();
    let advisor = app.advisor();
    let born = |given: &str| {
        let body = json!({ "given_name": given, "family_name": "Reid", "date_of_birth": "1961-04-02", "phone": "0151 496 0123",
            "email": "reid@example.org", "postcode": "L9 1AA", "roles": ["service_user"] });
        advisor.post("/v1/members?confirm_not_duplicate=true", &body).expect(201)
    };
    let (kept, merged, erased) = (born("Margaret"), born("Margaret"), born("Margaret"));
    point(&app, id(&merged), id(&kept));
    erase(&app, id(&erased));
    for wanted in [
        json!({ "name": "mar reid" }),
        json!({ "date_of_birth": "1961-04-02" }),
        json!({ "phone": "0151 496 0123" }),
        json!({ "email": "reid@example.org" }),
        json!({ "postcode": "L9 1AA" }),
    ] {
        let found = advisor.post("/v1/members/search", &wanted).expect(200);
        let found: Vec<&Value> = found["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
        assert_eq!(found, [&kept["id"]], "{wanted}");
    }
    let again =
        json!({ "given_name": "Margaret", "family_name": "Reid", "date_of_birth": "1961-04-02", "roles": ["public"] });
    let problem = advisor.post("/v1/members", &again).problem(409, "possible-duplicate");
    let candidates: Vec<&Value> =
        problem["candidates"].as_array().unwrap().iter().map(|candidate| &candidate["id"]).collect();
    assert_eq!(candidates, [&kept["id"]]);
    let partner = partner_row(&app, "the-reader");
    let seed = SessionSeed { partner_id: Some(&partner), starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() };
    let register = format!("/v1/sessions/{}/register", session_row(&app, seed));
    for gone in [&merged, &erased] {
        let came = json!({ "bookings": [], "walk_ins": [{ "member_id": gone["id"] }],
            "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
        advisor.put(&register, advisor.get(&register).etag(), &came).invalid(&["/walk_ins/0/member_id"]);
    }
}
