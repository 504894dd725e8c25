//! Requests that are sent again with their `Idempotency-Key` after the person they were about was erased.

use diesel::prelude::*;
use life_rooms::db::schema::{consents, members, prescriptions};
use serde_json::json;

use crate::erasures::{asked, execute};
use crate::support::{Answer, App, SessionSeed, id, member_row, session_row};

#[test]
fn a_repeated_request_makes_nobody_again_who_was_erased_since() {
    let app = App::start();
    let (advisor, admin) = (app.advisor(), app.admin());
    let key = [("idempotency-key", "once")];
    let body = json!({ "given_name": "Quillon", "family_name": "Reid", "roles": ["service_user"] });
    let register = || advisor.post_with("/v1/members", &key, &body);
    let peg = register().expect(201);
    let at = format!("/v1/members/{}", id(&peg));
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "She said so" });
    let consented = || advisor.post_with(&format!("{at}/consents"), &key, &consent);
    consented().expect(201);
    let draft = json!({ "member_id": peg["id"], "origin": "advisor", "needs": [{ "domain": "debt" }], "items": [] });
    let prescribed = || advisor.post_with("/v1/prescriptions", &key, &draft);
    prescribed().expect(201);
    assert_eq!(register().header("idempotent-replay"), "true");
    execute(&admin, &asked(&advisor, id(&peg)), true).expect(200);
    let counts = || {
        let mut conn = app.conn();
        let people: i64 = members::table.count().get_result(&mut conn).unwrap();
        let given: i64 = consents::table.count().get_result(&mut conn).unwrap();
        let written: i64 = prescriptions::table.count().get_result(&mut conn).unwrap();
        (people, given, written)
    };
    let before = counts();
    for send in [&register as &dyn Fn() -> Answer, &consented, &prescribed] {
        let again = send();
        assert_eq!(again.header("idempotent-replay"), "");
        again.problem(410, "erased");
    }
    assert_eq!(counts(), before);
    // With another body too, of which no digest is left; and with another key the request is a new one.
    let other = json!({ "given_name": "Quillon", "family_name": "Wyn", "roles": ["service_user"] });
    advisor.post_with("/v1/members", &key, &other).problem(410, "erased");
    advisor.post_with("/v1/members", &[("idempotency-key", "twice")], &body).expect(201);
    // After a day the key is forgotten too.
    app.at("2026-11-24T09:00:01Z");
    register().expect(201);
}

#[test]
fn a_carer_whose_request_is_repeated_is_not_told_of_an_erasure() {
    let app = App::start();
    let advisor = app.advisor();
    let (ann, cara) = (member_row(&app, "Ann", "A"), member_row(&app, "Cara", "C"));
    let carer = app.member(&cara);
    let cares = json!({ "from_member": cara, "to_member": ann, "kind": "carer_of", "may_book": true,
        "authority": "member_agreed", "evidence": "Both said so", "status": "active" });
    advisor.post(&format!("/v1/members/{ann}/relationships"), &cares).expect(201);
    let session = session_row(&app, SessionSeed { capacity: Some(9), ..SessionSeed::default() });
    let path = format!("/v1/sessions/{session}/bookings");
    let book = || carer.post_with(&path, &[("idempotency-key", "once")], &json!({ "member_id": ann }));
    book().expect(201);
    execute(&app.admin(), &asked(&advisor, &ann), true).expect(200);
    book().problem(409, "answer-withheld");
}
