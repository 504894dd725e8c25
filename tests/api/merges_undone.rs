//! Merges that are taken back: what goes back, what stays, and when it is too late.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, member_merges};
use serde_json::{Value, json};

use crate::housekeeping::keep_house;
use crate::merges::{merge, path, person, two, undo};
use crate::support::{App, SessionSeed, id, session_row};

fn undo_is_kept(app: &App) -> bool {
    let kept = member_merges::table.filter(member_merges::undo.is_not_null()).count();
    kept.get_result::<i64>(&mut app.conn()).unwrap() > 0
}

#[test]
fn what_was_filled_in_is_emptied_and_what_was_edited_since_stays() {
    let app = App::start();
    let advisor = app.advisor();
    let into = person(&advisor, "Margaret", json!({ "roles": ["carer"] }));
    let from = person(
        &advisor,
        "Peg",
        json!({ "email": "peg@example.org", "phone": "0151 496 0123", "date_of_birth": "1961-04-02" }),
    );
    let old = advisor.get(&path(&from)).expect(200);
    let merged = merge(&advisor, &into, &from).expect(200);
    let change = json!({ "email": "margaret@example.org", "pronouns": "she/her" });
    advisor.patch(&path(&into), "\"2\"", &change).expect(200);
    app.at("2026-11-24T09:00:00Z");
    let undone = undo(&advisor, &merged);
    assert_eq!(undone.header("cache-control"), "no-store");
    let undone = undone.expect(200);
    assert_eq!((&undone["id"], &undone["undone_at"]), (&merged["merge_id"], &json!("2026-11-24T09:00:00Z")));
    assert_eq!(undone["undone_by"], advisor.id.unwrap().to_string());
    let record = advisor.get(&path(&into)).expect(200);
    assert_eq!((&record["email"], &record["pronouns"]), (&json!("margaret@example.org"), &json!("she/her")));
    assert_eq!((&record["phone"], &record["date_of_birth"]), (&Value::Null, &Value::Null));
    assert_eq!((&record["roles"], &record["version"]), (&json!(["carer"]), &json!(4)));
    let mut back = advisor.get(&path(&from)).expect(200);
    assert_eq!((&back["version"], &back["updated_at"]), (&json!(3), &json!("2026-11-24T09:00:00Z")));
    for name in ["version", "updated_at"] {
        back[name] = old[name].clone();
    }
    assert_eq!(back, old);
    let found = advisor.post("/v1/members/search", &json!({ "name": "peg" })).expect(200);
    assert_eq!(found["items"][0]["id"], from["id"], "it is found again");
    assert!(!undo_is_kept(&app), "nothing of it is kept any longer");
    let actions: Vec<String> = audit_events::table
        .filter(audit_events::action.eq("undo_merge"))
        .select(audit_events::action)
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(actions.len(), 2, "an event for each");
}

#[test]
fn rows_made_since_stay_and_rows_that_moved_go_back_as_they_are_now() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let (one, other) = (session_row(&app, SessionSeed::default()), session_row(&app, SessionSeed::default()));
    let book = |session: &str, member: &Value| {
        let url = format!("/v1/sessions/{session}/bookings");
        advisor.post(&url, &json!({ "member_id": member["id"] })).expect(201)
    };
    let hers = book(&one, &from);
    let merged = merge(&advisor, &into, &from).expect(200);
    let since = book(&other, &into);
    advisor.delete(&format!("/v1/bookings/{}", id(&hers))).expect(200);
    undo(&advisor, &merged).expect(200);
    let booking = |booking: &Value| advisor.get(&format!("/v1/bookings/{}", id(booking))).expect(200);
    assert_eq!(booking(&since)["member_id"], into["id"]);
    let hers = booking(&hers);
    assert_eq!((&hers["member_id"], &hers["status"]), (&from["id"], &json!("cancelled_by_member")));
}

#[test]
fn only_the_latest_merge_of_a_record_is_undone_and_only_once() {
    let app = App::start();
    let advisor = app.advisor();
    let (first, second) = two(&advisor);
    let third = person(&advisor, "Maggie", json!({}));
    let inner = merge(&advisor, &second, &first).expect(200);
    app.at("2026-11-23T10:00:00Z");
    let outer = merge(&advisor, &third, &second).expect(200);
    let problem = undo(&advisor, &inner).problem(409, "undo-blocked");
    assert!(problem["detail"].as_str().unwrap().contains(outer["merge_id"].as_str().unwrap()), "{problem:#}");
    undo(&advisor, &outer).expect(200);
    // The record that had been merged before leads to where it led then.
    assert_eq!(advisor.get(&path(&first)).header("location"), path(&second));
    undo(&advisor, &inner).expect(200);
    for member in [&first, &second, &third] {
        advisor.get(&path(member)).expect(200);
    }
    let problem = undo(&advisor, &inner).problem(409, "undo-blocked");
    assert!(problem["detail"].as_str().unwrap().contains("undone already"), "{problem:#}");
    let stranger = json!({ "merge_id": app.clock.new_id() });
    undo(&advisor, &stranger).problem(404, "not-found");
    undo(&app.member(id(&first)), &inner).problem(403, "forbidden");
}

#[test]
fn after_thirty_days_nothing_says_how_and_it_is_too_late() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let merged = merge(&advisor, &into, &from).expect(200);
    app.at("2026-12-23T08:59:59Z");
    keep_house(&app);
    assert!(undo_is_kept(&app));
    app.at("2026-12-23T09:00:00Z");
    let problem = undo(&advisor, &merged).problem(409, "undo-blocked");
    assert!(problem["detail"].as_str().unwrap().contains("30 days"), "{problem:#}");
    assert!(keep_house(&app));
    assert!(!undo_is_kept(&app));
    assert_eq!(advisor.get(&path(&from)).header("location"), path(&into), "the old id still leads to the record");
    undo(&advisor, &merged).problem(409, "undo-blocked");
}

#[test]
fn an_nhs_number_that_was_taken_meanwhile_blocks_the_way_back() {
    let app = App::start();
    let advisor = app.advisor();
    let into = person(&advisor, "Margaret", json!({}));
    let from = person(&advisor, "Peg", json!({ "nhs_number": "943 476 5919" }));
    let merged = merge(&advisor, &into, &from).expect(200);
    advisor.patch(&path(&into), "\"2\"", &json!({ "nhs_number": null })).expect(200);
    let sam = person(&advisor, "Sam", json!({ "nhs_number": "943 476 5919" }));
    undo(&advisor, &merged).problem(409, "undo-blocked");
    assert_eq!(advisor.get(&path(&from)).status, 307, "nothing was changed");
    advisor.patch(&path(&sam), "\"1\"", &json!({ "nhs_number": null })).expect(200);
    undo(&advisor, &merged).expect(200);
    assert_eq!(advisor.get(&path(&from)).expect(200)["nhs_number"], "9434765919");
    assert_eq!(advisor.get(&path(&into)).expect(200)["nhs_number"], Value::Null);
}

#[test]
fn a_seat_that_is_not_there_any_more_blocks_the_way_back() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let session = session_row(
        &app,
        SessionSeed { capacity: Some(2), starts_at: "2026-11-24T13:00:00Z", ..SessionSeed::default() },
    );
    for member in [&into, &from] {
        let url = format!("/v1/sessions/{session}/bookings");
        advisor.post(&url, &json!({ "member_id": member["id"] })).expect(201);
    }
    app.at("2026-11-24T14:00:00Z");
    let merged = merge(&advisor, &into, &from).expect(200);
    assert_eq!(merged["set_aside"].as_array().unwrap().len(), 1);
    use life_rooms::db::schema::sessions;
    let row = sessions::table.find(session.parse::<Id>().unwrap());
    diesel::update(row).set(sessions::capacity.eq(1)).execute(&mut app.conn()).unwrap();
    undo(&advisor, &merged).problem(409, "undo-blocked");
    diesel::update(row).set(sessions::capacity.eq(2)).execute(&mut app.conn()).unwrap();
    undo(&advisor, &merged).expect(200);
}

#[test]
fn an_undo_that_is_sent_again_is_done_once() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let merged = merge(&advisor, &into, &from).expect(200);
    let url = format!("/v1/merges/{}/undo", merged["merge_id"].as_str().unwrap());
    let key = [("idempotency-key", "k1")];
    let first = advisor.send("POST", &url, &key, b"");
    let again = advisor.send("POST", &url, &key, b"");
    assert_eq!((first.status, again.header("idempotent-replay")), (200, "true"), "{}", first.text);
    assert_eq!(first.json, again.json);
}
