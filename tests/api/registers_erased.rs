//! Registers in which somebody stands who was erased since.

use serde_json::{Value, json};

use crate::erasures::{asked, execute};
use crate::support::{App, SessionSeed, id, member_row, session_row};

#[test]
fn a_register_with_somebody_who_was_erased_is_sent_back_as_it_was_read() {
    let app = App::start();
    let advisor = app.advisor();
    let (ann, bob, una) =
        (member_row(&app, "Ann", "Own"), member_row(&app, "Bob", "Own"), member_row(&app, "Una", "O"));
    let session = session_row(&app, SessionSeed { starts_at: "2026-11-24T13:00:00Z", ..SessionSeed::default() });
    let body = json!({ "member_id": bob });
    let booking = advisor.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201);
    app.at("2026-11-24T14:00:00Z");
    let at = format!("/v1/sessions/{session}/register");
    let taken = |attended: bool, came: &[&str]| {
        let came: Vec<Value> = came.iter().map(|member| json!({ "member_id": member })).collect();
        json!({ "bookings": [{ "booking_id": booking["id"], "attended": attended }], "walk_ins": came,
            "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } })
    };
    advisor.put(&at, advisor.get(&at).etag(), &taken(false, &[&ann])).expect(200);
    execute(&app.admin(), &asked(&advisor, &ann), true).expect(200);
    let read = advisor.get(&at);
    let there = read.json["walk_ins"][0]["member"].clone();
    assert_eq!((id(&there), &there["display_name"]), (ann.as_str(), &json!("Erased")));
    let put = advisor.put(&at, read.etag(), &taken(true, &[&ann])).expect(200);
    assert_eq!((&put["bookings"][0]["attended"], put["walk_ins"].as_array().unwrap().len()), (&json!(true), 1));
    // They stay also if they aren't named: what was counted stays counted.
    let tag = advisor.get(&at).etag().to_owned();
    let put = advisor.put(&at, &tag, &taken(true, &[&una])).expect(200);
    assert_eq!(put["walk_ins"].as_array().unwrap().len(), 2, "{put:#}");
    // Nobody who was erased comes in anew.
    let gone = member_row(&app, "Gus", "Gone");
    execute(&app.admin(), &asked(&advisor, &gone), true).expect(200);
    let tag = advisor.get(&at).etag().to_owned();
    advisor.put(&at, &tag, &taken(true, &[&ann, &gone])).invalid(&["/walk_ins/1/member_id"]);
}
