//! How much a member may make with their own login, for themself and for somebody they care for.

use life_rooms::config::{Config, MemberQuotas};
use serde_json::{Value, json};

use crate::erasures::{PASSWORD, account};
use crate::support::{Answer, App, SessionSeed, id, member_row, session_row};

fn start(member_quotas: MemberQuotas) -> App {
    App::start_with(Config { member_quotas, ..Config::default() })
}

/// Checks that a request was refused for one quota, and what the member is told of it.
#[track_caller]
fn refused(answer: Answer, code: &str, told: &str) {
    let problem = answer.problem(409, "quota-exceeded");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem:#}");
    assert_eq!((&problem["errors"][0]["code"], &problem["errors"][0]["detail"]), (&json!(code), &json!(told)));
    assert!(problem["detail"].as_str().unwrap().starts_with(told), "{problem:#}");
}

#[test]
fn a_member_writes_so_many_drafts_and_so_many_prescriptions_and_an_advisor_as_many_as_needed() {
    let app = start(MemberQuotas { drafts: 2, prescriptions: 3, ..MemberQuotas::default() });
    let ann = member_row(&app, "Ann", "A");
    let (own, advisor) = (app.member(&ann), app.advisor());
    let body =
        |origin: &str| json!({ "member_id": ann, "origin": origin, "needs": [{ "domain": "debt" }], "items": [] });
    for _ in 0..3 {
        advisor.post("/v1/prescriptions", &body("advisor")).expect(201);
    }
    let write = || own.post("/v1/prescriptions", &body("self"));
    let first = write().expect(201);
    write().expect(201);
    let many = "You have 2 drafts of prescriptions, this would add 1, and the most is 2.";
    refused(write(), "too_many_drafts", many);
    let list = || own.get("/v1/prescriptions?limit=100").expect(200)["items"].as_array().unwrap().len();
    assert_eq!(list(), 5, "nothing is written of it");
    // One that is active isn't a draft any more, and one that is deleted is none.
    let at = |draft: &Value| format!("/v1/prescriptions/{}", id(draft));
    own.send("POST", &format!("{}/activate", at(&first)), &[], b"").expect(200);
    let third = write().expect(201);
    assert_eq!(own.delete(&at(&third)).status, 204);
    let third = write().expect(201);
    own.send("POST", &format!("{}/activate", at(&third)), &[], b"").expect(200);
    let all = "You have 3 prescriptions that you wrote, this would add 1, and the most is 3.";
    refused(write(), "too_many_prescriptions", all);
    advisor.post("/v1/prescriptions", &body("self")).expect(201);
}

#[test]
fn a_member_books_and_cancels_so_often_and_so_does_a_carer() {
    let app = start(MemberQuotas { bookings: 2, ..MemberQuotas::default() });
    let (ann, cara) = (member_row(&app, "Ann", "A"), member_row(&app, "Cara", "C"));
    let (own, carer, advisor) = (app.member(&ann), app.member(&cara), app.advisor());
    let cares = json!({ "from_member": cara, "to_member": ann, "kind": "carer_of", "may_book": true,
        "authority": "member_agreed", "evidence": "Both said so", "status": "active" });
    advisor.post(&format!("/v1/members/{ann}/relationships"), &cares).expect(201);
    let session = session_row(&app, SessionSeed { capacity: Some(9), ..SessionSeed::default() });
    let other = session_row(&app, SessionSeed { capacity: Some(9), ..SessionSeed::default() });
    let told = "You have 2 bookings of sessions to come, cancelled ones too, this would add 1, and the most is 2.";
    for client in [&own, &carer] {
        let book =
            |session: &str| client.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": ann }));
        for _ in 0..2 {
            let booked = book(&session).expect(201);
            client.delete(&format!("/v1/bookings/{}", id(&booked))).expect(200);
        }
        refused(book(&other), "too_many_bookings", told);
    }
    // For herself the carer has none yet, and whoever is refused asks an advisor.
    carer.post(&format!("/v1/sessions/{other}/bookings"), &json!({ "member_id": cara })).expect(201);
    advisor.post(&format!("/v1/sessions/{other}/bookings"), &json!({ "member_id": ann })).expect(201);
    let seats = advisor.get(&format!("/v1/sessions/{other}/bookings")).expect(200);
    assert_eq!(seats["items"].as_array().unwrap().len(), 2, "a refused booking takes no seat");
}

#[test]
fn a_member_gives_a_consent_so_often_and_can_always_withdraw_it() {
    let app = start(MemberQuotas { consents: 3, ..MemberQuotas::default() });
    let ann = member_row(&app, "Ann", "A");
    let (own, advisor) = (app.member(&ann), app.advisor());
    let path = format!("/v1/members/{ann}/consents");
    let say = |decision: &str| own.post(&path, &json!({ "purpose": "research", "decision": decision }));
    for decision in ["given", "withdrawn", "given"] {
        say(decision).expect(201);
    }
    let told = "You have 3 decisions that you recorded, this would add 1, and the most is 3.";
    refused(say("given"), "too_many_consents", told);
    say("withdrawn").expect(201);
    refused(
        say("given"),
        "too_many_consents",
        "You have 4 decisions that you recorded, this would add 1, and the most is 3.",
    );
    let evidence = json!({ "purpose": "research", "decision": "given", "evidence": "She said so" });
    advisor.post(&path, &evidence).expect(201);
}

#[test]
fn addresses_of_a_calendar_and_requests_to_be_erased_that_are_taken_back_have_an_end_too() {
    let app = start(MemberQuotas { calendar_links: 2, erasures: 1, ..MemberQuotas::default() });
    let ann = member_row(&app, "Ann", "A");
    let own = account(&app, &ann, "ann@example.org");
    let links = format!("/v1/members/{ann}/calendar-links");
    for _ in 0..2 {
        let link = own.post(&links, &json!({})).expect(201);
        assert_eq!(own.delete(&format!("{links}/{}", id(&link))).status, 204);
    }
    let told = "You have 2 addresses of your calendar, revoked ones too, this would add 1, and the most is 2.";
    refused(own.post(&links, &json!({})), "too_many_calendar_links", told);
    app.advisor().post(&links, &json!({})).expect(201);
    let erasure = format!("/v1/members/{ann}/erasure");
    let ask = || own.post(&erasure, &json!({ "current_password": PASSWORD }));
    ask().expect(202);
    assert_eq!(own.delete(&erasure).status, 204);
    let told = "You have 1 requests to be erased, those taken back too, this would add 1, and the most is 1.";
    refused(ask(), "too_many_erasures", told);
    app.advisor().post(&erasure, &json!({ "received_on": "2026-11-23" })).expect(202);
}
