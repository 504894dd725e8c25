//! Records that nobody has used for years: which are listed, and what an admin decides.

use chrono::NaiveDate;
use diesel::prelude::*;
use life_rooms::config::{Config, RetentionYears};
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, members};
use serde_json::{Value, json};

use crate::support::{App, Client, SessionSeed, id, member_row, session_row};

/// A member who was born and last active on these days.
fn member(app: &App, born: Option<&str>, active: Option<&str>) -> String {
    let id = member_row(app, "Peg", "Reid");
    let day = |text: Option<&str>| text.map(|text| text.parse::<NaiveDate>().unwrap());
    let row = members::table.find(id.parse::<Id>().unwrap());
    let days = (members::date_of_birth.eq(day(born)), members::last_activity_on.eq(day(active)));
    diesel::update(row).set(days).execute(&mut app.conn()).unwrap();
    id
}

fn listed(admin: &Client, query: &str) -> Vec<Value> {
    admin.get(&format!("/v1/retention-reviews{query}")).expect(200)["items"].as_array().unwrap().clone()
}

fn ids(admin: &Client, query: &str) -> Vec<String> {
    listed(admin, query).iter().map(|one| one["member_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn records_are_listed_that_nobody_has_used_for_eight_years_and_those_of_children_after_their_25th_birthday() {
    let app = App::start();
    let admin = app.admin();
    let used = member(&app, None, Some("2026-12-02"));
    app.at("2026-11-23T09:00:01Z");
    let old = member(&app, Some("1961-04-02"), Some("2026-12-01"));
    app.at("2026-11-23T09:00:02Z");
    let never = member(&app, None, None);
    app.at("2026-11-23T09:00:03Z");
    let child = member(&app, Some("2009-12-03"), Some("2026-11-24"));
    app.at("2026-11-23T09:00:04Z");
    let gone = member(&app, None, Some("2026-11-24"));
    let row = members::table.find(gone.parse::<Id>().unwrap());
    diesel::update(row).set(members::erased_at.eq(app.clock.now())).execute(&mut app.conn()).unwrap();
    app.at("2034-12-01T09:00:00Z");
    assert_eq!(ids(&admin, ""), std::slice::from_ref(&never), "eight years ago was 1 December");
    app.at("2034-12-02T09:00:00Z");
    assert_eq!(ids(&admin, ""), [old.clone(), never.clone()]);
    assert_eq!(ids(&admin, "?before=2026-12-01"), std::slice::from_ref(&never));
    admin.get("/v1/retention-reviews?before=2026-12-03").wrong_parameter("before");
    // The child is 25 on 3 December, and the last one was used until eight years ago.
    app.at("2034-12-03T09:00:00Z");
    assert_eq!(ids(&admin, ""), [used, old.clone(), never.clone(), child.clone()]);
    let all = listed(&admin, "");
    let line = |member: &str| all.iter().find(|one| one["member_id"] == member).unwrap().clone();
    let expected =
        json!({ "member_id": old, "last_activity_on": "2026-12-01", "last_active_as_child": false, "blockers": [] });
    assert_eq!(line(&old), expected);
    assert_eq!(line(&never)["last_activity_on"], "2026-11-23");
    assert_eq!(line(&child)["last_active_as_child"], true);
    // Page by page, the same.
    let first = admin.get("/v1/retention-reviews?limit=3").expect(200);
    let second = admin.get(first["next"].as_str().unwrap()).expect(200);
    assert_eq!((&second["items"][0]["member_id"], &second["next"]), (&json!(child), &Value::Null));
}

#[test]
fn the_years_are_a_setting() {
    let app = App::start_with(Config { retention: RetentionYears { years: 10 }, ..Config::default() });
    let (admin, peg) = (app.admin(), member(&app, None, Some("2026-11-23")));
    app.at("2036-11-23T09:00:00Z");
    assert!(ids(&admin, "").is_empty());
    app.at("2036-11-24T09:00:00Z");
    assert_eq!(ids(&admin, ""), [peg]);
}

#[test]
fn an_admin_keeps_a_record_for_a_reason_until_a_day_or_asks_for_its_erasure() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let peg = member(&app, None, Some("2026-11-23"));
    app.at("2026-11-23T09:00:01Z");
    let sam = member(&app, None, Some("2026-11-23"));
    let decide = |member: &str, body: &Value| admin.post(&format!("/v1/retention-reviews/{member}"), body);
    let keep = json!({ "decision": "keep", "until": "2036-01-31", "reason": "A claim is open." });
    decide(&peg, &keep).problem(409, "invalid-state");
    app.at("2034-11-24T09:00:00Z");
    decide(&peg, &json!({ "decision": "keep" })).invalid(&["/until", "/reason"]);
    decide(&peg, &json!({ "decision": "keep", "until": "2034-11-24", "reason": "x" })).invalid(&["/until"]);
    let both = json!({ "decision": "erase", "until": "2036-01-31", "reason": "x" });
    decide(&peg, &both).invalid(&["/until", "/reason"]);
    decide(&app.clock.new_id().to_string(), &keep).problem(404, "not-found");
    let kept = decide(&peg, &keep).expect(200);
    assert_eq!(kept, json!({ "member_id": peg, "decision": "keep", "until": "2036-01-31", "erasure_id": null }));
    assert_eq!(ids(&admin, ""), std::slice::from_ref(&sam));
    decide(&peg, &keep).problem(409, "invalid-state");
    let decided = decide(&sam, &json!({ "decision": "erase" })).expect(200);
    assert!(ids(&admin, "").is_empty());
    let at = format!("/v1/erasures/{}", decided["erasure_id"].as_str().unwrap());
    let request = admin.get(&at).expect(200);
    assert_eq!((&request["status"], &request["origin"]), (&json!("requested"), &json!("retention")));
    assert_eq!(advisor.get(&format!("/v1/members/{sam}")).status, 200, "nothing goes by itself");
    admin.post(&format!("{at}/execute"), &json!({})).expect(200);
    advisor.get(&format!("/v1/members/{sam}")).problem(410, "erased");
    decide(&sam, &json!({ "decision": "erase" })).problem(404, "not-found");
    // After its last day a record that was kept is listed again, and can be kept again.
    app.at("2036-01-31T09:00:00Z");
    assert!(ids(&admin, "").is_empty());
    app.at("2036-02-01T09:00:00Z");
    assert_eq!(ids(&admin, ""), std::slice::from_ref(&peg));
    app.at("2036-02-01T09:00:01Z");
    let longer = json!({ "decision": "keep", "until": "2037-01-31", "reason": "A claim is open." });
    decide(&peg, &longer).expect(200);
    let events: Vec<(String, Option<String>)> = audit_events::table
        .filter(audit_events::member_id.eq(peg.parse::<Id>().unwrap()))
        .filter(audit_events::resource_kind.eq("retention_review"))
        .order(audit_events::id)
        .select((audit_events::action, audit_events::purpose))
        .load(&mut app.conn())
        .unwrap();
    let event = |action: &str| (action.to_owned(), Some("data_quality".to_owned()));
    assert_eq!(events, [event("keep"), event("list"), event("keep")]);
}

#[test]
fn what_would_stand_in_the_way_is_said_and_a_flag_holds_the_request() {
    let app = App::start();
    let (admin, advisor, lead) = (app.admin(), app.advisor(), app.advisor_who_may("safeguarding"));
    let peg = member(&app, None, None);
    let session = session_row(&app, SessionSeed { starts_at: "2035-01-08T13:00:00Z", ..SessionSeed::default() });
    advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": peg })).expect(201);
    let flag = json!({ "category": "neglect", "summary": "Alone.", "review_on": "2027-01-05" });
    lead.post(&format!("/v1/members/{peg}/safeguarding"), &flag).expect(201);
    app.at("2034-12-01T09:00:00Z");
    assert_eq!(listed(&admin, "")[0]["blockers"], json!(["future_booking", "held"]));
    let path = format!("/v1/retention-reviews/{peg}");
    let decided = admin.post(&path, &json!({ "decision": "erase" })).expect(200);
    let at = format!("/v1/erasures/{}", decided["erasure_id"].as_str().unwrap());
    assert_eq!(admin.get(&at).expect(200)["status"], "held");
    let refused = admin.post(&format!("{at}/execute"), &json!({ "force": true })).problem(409, "invalid-state");
    assert_eq!(refused["errors"][0]["code"], "held");
    assert_eq!(id(&admin.get(&at).expect(200)), decided["erasure_id"].as_str().unwrap());
}
