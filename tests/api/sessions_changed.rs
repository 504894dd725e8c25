//! Changes of sessions and series, and what is called off.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, bookings};
use serde_json::{Value, json};

use crate::sessions::{booking_row, items, make, path, series_body, session_body, with};
use crate::support::{App, id, member_row, venue};

fn booking_state(app: &App, booking: Id) -> (String, Option<String>) {
    let columns = (bookings::status, bookings::cancellation_reason);
    bookings::table.find(booking).select(columns).first(&mut app.conn()).unwrap()
}

#[test]
fn a_session_is_changed_in_its_words_and_seats() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = make(&admin, &with(session_body(id(&place)), json!({ "capacity": 3, "description": "Old." })));
    let at = path(&session);
    let etag = admin.get(&at).etag().to_owned();
    let change = json!({ "title": "New", "description": null, "capacity": 2, "publication": "unlisted" });
    let changed = admin.patch(&at, &etag, &change);
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.tag_version(), "2");
    assert_eq!((&changed.json["title"], &changed.json["seats_left"]), (&json!("New"), &json!(2)));
    assert!(changed.json["description"].is_null());
    for member in ["local_start", "venue_id", "partner_id", "delivery", "recurrence", "external_id", "starts_at"] {
        admin.patch(&at, "\"2\"", &json!({ member: "x" })).invalid(&[&format!("/{member}")]);
    }
    admin.patch(&at, "\"2\"", &json!({ "title": null })).invalid(&["/title"]);
    admin.patch(&at, "\"2\"", &json!({ "online_capacity": 4 })).invalid(&["/online_capacity"]);
    admin.patch(&at, "\"2\"", &json!({ "cancellation_reason": "x" })).invalid(&["/cancellation_reason"]);
    admin.patch(&at, "\"2\"", &json!({ "status": "cancelled" })).invalid(&["/cancellation_reason"]);
    admin.patch(&at, "\"2\"", &json!({ "status": "completed" })).invalid(&["/status"]);
    for (given, family) in [("Ann", "A"), ("Bob", "B")] {
        booking_row(&app, id(&session), &member_row(&app, given, family), "booked");
    }
    assert_eq!(admin.get(&at).json["seats_left"], 0);
    assert_ne!(admin.get(&at).etag(), etag);
    admin.patch(&at, "\"2\"", &json!({ "capacity": 1 })).problem(409, "capacity-below-seats");
    let raised = admin.patch(&at, "\"2\"", &json!({ "capacity": null })).expect(200);
    assert_eq!((&raised["seats_taken"], &raised["seats_left"]), (&json!(2), &json!(null)));
}

#[test]
fn cancelling_a_session_cancels_its_bookings_and_tells_whose_they_were() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = make(&admin, &with(session_body(id(&place)), json!({ "capacity": 5 })));
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let booking = booking_row(&app, id(&session), &ann, "booked");
    let left = booking_row(&app, id(&session), &bob, "cancelled_by_member");
    let at = format!("{}/cancel", path(&session));
    admin.post(&at, &json!({})).invalid(&["/reason"]);
    let reason = json!({ "reason": "The library is closed." });
    admin.post_with(&at, &[("if-match", "\"7\"")], &reason).problem(412, "precondition-failed");
    let cancelled = admin.post(&at, &reason);
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    assert_eq!(cancelled.tag_version(), "2");
    let shown = |name: &str| cancelled.json[name].clone();
    assert_eq!((shown("status"), shown("cancellation_reason")), (json!("cancelled"), reason["reason"].clone()));
    assert_eq!((shown("seats_taken"), shown("seats_left")), (json!(0), json!(5)));
    let because = Some("The library is closed.".to_owned());
    assert_eq!(booking_state(&app, booking), ("cancelled_by_provider".into(), because));
    assert_eq!(booking_state(&app, left), ("cancelled_by_member".into(), None));
    let told: Vec<(String, Option<Id>)> = audit_events::table
        .filter(audit_events::member_id.is_not_null())
        .select((audit_events::action, audit_events::member_id))
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(told, [("cancel".to_owned(), Some(ann.parse().unwrap()))]);

    let problem = admin.post(&at, &reason).problem(409, "invalid-state");
    assert!(problem["detail"].as_str().unwrap().contains("cancelled"));
    let again = json!({ "status": "scheduled" });
    admin.patch(&path(&session), "\"2\"", &again).problem(409, "invalid-state");
    assert_eq!(items(&app.anonymous().get("/v1/sessions"))[0]["status"], "cancelled");
}

#[test]
fn a_session_that_has_ended_or_been_attended_is_not_cancelled() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = with(session_body(id(&place)), json!({ "local_start": "2026-11-23T08:00:00" }));
    let (running, attended) = (make(&admin, &body), make(&admin, &body));
    booking_row(&app, id(&attended), &member_row(&app, "Ann", "A"), "attended");
    let cancel = |session: &Value| admin.post(&format!("{}/cancel", path(session)), &json!({ "reason": "x" }));
    cancel(&attended).problem(409, "invalid-state");
    assert_eq!(admin.get(&path(&attended)).json["seats_taken"], 1);
    app.at("2026-11-23T09:30:00Z");
    let problem = cancel(&running).problem(409, "invalid-state");
    assert!(problem["detail"].as_str().unwrap().contains("completed"));
    assert_eq!(admin.get(&path(&running)).json["status"], "completed");
}

/// A daily series of five, of which the first is past, the second edited, the third cancelled.
fn mixed_series(app: &App) -> (String, Vec<Value>) {
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let change = json!({ "local_start": "2026-11-23T08:00:00", "recurrence": "FREQ=DAILY;COUNT=5", "capacity": 5 });
    let series = admin.post("/v1/session-series", &with(series_body(id(&place)), change)).expect(201);
    let all = admin.get("/v1/sessions?from=2026-11-23");
    let paths: Vec<String> = items(&all).iter().map(path).collect();
    admin.patch(&paths[1], "\"1\"", &json!({ "title": "Special" })).expect(200);
    admin.post(&format!("{}/cancel", paths[2]), &json!({ "reason": "Holiday" })).expect(200);
    let sessions = paths.iter().map(|path| admin.get(path).expect(200)).collect();
    (format!("/v1/session-series/{}", id(&series)), sessions)
}

#[test]
fn a_change_of_a_series_leaves_its_past_edited_and_cancelled_sessions_as_they_are() {
    let app = App::start();
    let admin = app.admin();
    let (at, before) = mixed_series(&app);
    let ann = member_row(&app, "Ann", "A");
    let booking = booking_row(&app, id(&before[3]), &ann, "booked");
    let change =
        json!({ "title": "Poetry", "capacity": 1, "topics": ["poetry"], "join_link": "https://example.org/x" });
    let changed = admin.patch(&at, "\"1\"", &change);
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert!(!changed.text.contains("example.org/x"));
    assert_eq!((changed.tag_version(), &changed.json["title"]), ("2", &json!("Poetry")));
    let after: Vec<Value> = before.iter().map(|session| admin.get(&path(session)).expect(200)).collect();
    assert_eq!(after[..3], before[..3]);
    for session in &after[3..] {
        assert_eq!((&session["title"], &session["capacity"]), (&json!("Poetry"), &json!(1)));
        assert_eq!((&session["topics"], &session["version"]), (&json!(["poetry"]), &json!(2)));
    }
    assert_eq!((&after[3]["seats_taken"], &after[3]["seats_left"]), (&json!(1), &json!(0)));
    assert_eq!(booking_state(&app, booking).0, "booked");
    booking_row_over(&app, &after[4]);
    let etag = admin.get(&at).etag().to_owned();
    for member in ["recurrence", "local_start", "venue_id"] {
        admin.patch(&at, &etag, &json!({ member: "x" })).invalid(&[&format!("/{member}")]);
    }
}

/// Two seats taken of a session without a limit; its series can't then be limited to one.
fn booking_row_over(app: &App, session: &Value) {
    let admin = app.admin();
    let at = format!("/v1/session-series/{}", session["series_id"].as_str().unwrap());
    admin.patch(&at, "\"2\"", &json!({ "capacity": null })).expect(200);
    for name in ["Cat", "Dan"] {
        booking_row(app, id(session), &member_row(app, name, "X"), "booked");
    }
    admin.patch(&at, "\"3\"", &json!({ "capacity": 1 })).problem(409, "capacity-below-seats");
    let kept = admin.get(&at);
    assert_eq!((&kept.json["version"], &kept.json["capacity"]), (&json!(3), &json!(null)));
    admin.patch(&at, kept.etag(), &json!({ "capacity": 2 })).expect(200);
    assert_eq!(admin.get(&path(session)).json["seats_left"], 0);
}

#[test]
fn cancelling_a_series_cancels_what_is_still_to_come() {
    let app = App::start();
    let admin = app.admin();
    let (at, before) = mixed_series(&app);
    let booking = booking_row(&app, id(&before[4]), &member_row(&app, "Ann", "A"), "booked");
    let reason = json!({ "reason": "The group has moved." });
    let cancelled = admin.post(&format!("{at}/cancel"), &reason).expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["cancellation_reason"], reason["reason"]);
    let after: Vec<Value> = before.iter().map(|session| admin.get(&path(session)).expect(200)).collect();
    let states: Vec<&str> = after.iter().filter_map(|session| session["status"].as_str()).collect();
    assert_eq!(states, ["scheduled", "cancelled", "cancelled", "cancelled", "cancelled"]);
    assert_eq!(after[2]["cancellation_reason"], "Holiday");
    assert_eq!(after[4]["cancellation_reason"], reason["reason"]);
    assert_eq!(after[4]["seats_taken"], 0);
    assert_eq!(booking_state(&app, booking).0, "cancelled_by_provider");
    admin.post(&format!("{at}/cancel"), &reason).problem(409, "invalid-state");
    admin.patch(&at, "\"2\"", &json!({ "status": "active" })).problem(409, "invalid-state");
}

#[test]
fn a_session_or_a_series_can_be_cancelled_by_a_patch_too() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = make(&admin, &session_body(id(&place)));
    let series = admin.post("/v1/session-series", &series_body(id(&place))).expect(201);
    let booking = booking_row(&app, id(&session), &member_row(&app, "Ann", "A"), "booked");
    let off = json!({ "status": "cancelled", "cancellation_reason": "Snow" });
    assert_eq!(admin.patch(&path(&session), "\"1\"", &off).expect(200)["status"], "cancelled");
    assert_eq!(booking_state(&app, booking), ("cancelled_by_provider".into(), Some("Snow".into())));
    let at = format!("/v1/session-series/{}", id(&series));
    assert_eq!(admin.patch(&at, "\"1\"", &off).expect(200)["status"], "cancelled");
    let all = app.anonymous().get("/v1/sessions");
    assert_eq!(items(&all).iter().filter(|session| session["status"] == "cancelled").count(), 5);
}
