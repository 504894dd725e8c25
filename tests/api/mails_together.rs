//! What goes into one mail, and how long the first message waits for the last.

use diesel::prelude::*;
use life_rooms::db::schema::messages;
use life_rooms::db::{Id, Timestamp};
use life_rooms::mail::store::{give_back, name_mail, take};
use serde_json::{Value, json};

use crate::mails::{book, reachable, told};
use crate::support::mailbox::Mailbox;
use crate::support::{App, Client, id, instant, member_row};

/// A series of so many weekly sessions, and the ids of the sessions.
fn weekly(app: &App, count: usize, capacity: Option<i32>) -> (String, Vec<String>) {
    let admin = app.admin();
    let series = json!({ "title": "Reading", "pillar": "community", "delivery": "online", "booking_policy": "bookable",
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60, "capacity": capacity,
        "recurrence": format!("FREQ=WEEKLY;COUNT={count}"), "publication": "published" });
    let series = admin.post("/v1/session-series", &series).expect(201);
    let sessions = admin.get("/v1/sessions?from=2027-01-01&to=2027-12-31&limit=100").expect(200);
    let ids = sessions["items"].as_array().unwrap().iter().map(|session| id(session).to_owned()).collect();
    (id(&series).to_owned(), ids)
}

fn with_peg() -> (App, Mailbox, Client, String) {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    (app, mails, advisor, peg)
}

#[test]
fn a_mail_waits_for_what_is_booked_next_in_the_same_series() {
    let (app, mails, advisor, peg) = with_peg();
    let (_, sessions) = weekly(&app, 3, None);
    book(&advisor, &sessions[0], &peg);
    app.at("2026-11-23T09:01:30Z");
    book(&advisor, &sessions[1], &peg);
    app.at("2026-11-23T09:02:00Z");
    assert!(mails.take(&app).is_empty(), "it waits for the second");
    app.at("2026-11-23T09:03:29Z");
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-23T09:03:30Z");
    assert_eq!(mails.take_one(&app).text.matches("You have a place").count(), 2);
    // The next one begins a new mail.
    book(&advisor, &sessions[2], &peg);
    app.at("2026-11-23T09:05:30Z");
    assert_eq!(mails.take_one(&app).text.matches("You have a place").count(), 1);
}

#[test]
fn a_mail_waits_for_half_an_hour_at_most_from_its_first_message_on() {
    let (app, mails, advisor, peg) = with_peg();
    let (_, sessions) = weekly(&app, 22, None);
    let begun = Timestamp(instant("2026-11-23T09:00:00Z"));
    // Every 100 seconds another one, so that each comes before the one before it would be told.
    for (number, session) in sessions.iter().take(18).enumerate() {
        app.clock.set(begun.plus_seconds(100 * i64::try_from(number).unwrap()).0);
        assert!(mails.take(&app).is_empty(), "{number}");
        book(&advisor, session, &peg);
    }
    app.at("2026-11-23T09:29:59Z");
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-23T09:30:00Z");
    assert_eq!(mails.take_one(&app).text.matches("You have a place").count(), 18);
    assert!(mails.take(&app).is_empty());
}

#[test]
fn what_can_not_wait_is_not_put_off_by_what_comes_later() {
    let (app, mails, advisor, peg) = with_peg();
    let (series, sessions) = weekly(&app, 2, Some(1));
    let ned = member_row(&app, "Ned", "Riley");
    let held = book(&advisor, &sessions[0], &ned);
    app.at("2026-11-23T09:00:01Z");
    book(&advisor, &sessions[0], &peg);
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    // The place is offered at once; that the whole series moves would be told ten minutes later.
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    let at = format!("/v1/session-series/{series}");
    let tag = advisor.get(&at).etag().to_owned();
    advisor.patch(&at, &tag, &json!({ "local_start": "2027-01-05T14:00:00" })).expect(200);
    let mail = mails.take_one(&app);
    assert!(mail.text.contains("A place is free: Tuesday 5 January 2027, 2pm"), "{}", mail.text);
}

#[test]
fn another_reader_and_another_series_wait_for_nothing() {
    let (app, mails, advisor, peg) = with_peg();
    let sam = reachable(&app, "Sam");
    let (_, sessions) = weekly(&app, 2, None);
    book(&advisor, &sessions[0], &peg);
    app.at("2026-11-23T09:01:00Z");
    book(&advisor, &sessions[1], &sam);
    app.at("2026-11-23T09:02:00Z");
    assert_eq!(mails.take_one(&app).to, "peg@example.org");
    app.at("2026-11-23T09:03:00Z");
    assert_eq!(mails.take_one(&app).to, "sam@example.org");
}

/// Takes what is due, names its mail, and gives it back as a server does that has no time to send it.
fn taken_and_given_back(app: &App, name: &str) {
    let (holder, now): (Id, Timestamp) = (app.clock.new_id(), app.clock.now());
    let mut conn = app.conn();
    let rows = take(&mut conn, holder, now).unwrap();
    assert!(!rows.is_empty());
    name_mail(&mut conn, &rows, name).unwrap();
    give_back(&mut conn, holder, &rows).unwrap();
}

fn names(app: &App) -> Vec<Option<String>> {
    messages::table.order(messages::created_at).select(messages::message_id).load(&mut app.conn()).unwrap()
}

#[test]
fn what_was_given_back_before_it_was_tried_is_joined_by_what_comes_later() {
    let (app, mails, advisor, peg) = with_peg();
    let (_, sessions) = weekly(&app, 2, None);
    book(&advisor, &sessions[0], &peg);
    app.at("2026-11-23T09:02:00Z");
    taken_and_given_back(&app, "never-sent@example.org");
    assert_eq!(names(&app), [None], "no mail of this name was ever sent");
    book(&advisor, &sessions[1], &peg);
    let mail = mails.take_one(&app);
    assert_eq!(mail.text.matches("You have a place").count(), 2, "{}", mail.text);
    assert!(!mail.whole.contains("never-sent"), "{}", mail.whole);
}

#[test]
fn what_may_have_been_sent_keeps_its_message_id_when_it_is_given_back() {
    let (app, mails, advisor, peg) = with_peg();
    let (_, sessions) = weekly(&app, 2, None);
    book(&advisor, &sessions[0], &peg);
    app.at("2026-11-23T09:02:00Z");
    // As if a server had died while it sent the mail: another one takes it, and has no time either.
    let lost = (messages::status.eq("sending"), messages::message_id.eq("first@example.org"));
    diesel::update(messages::table).set(lost).execute(&mut app.conn()).unwrap();
    taken_and_given_back(&app, "first@example.org");
    assert_eq!(names(&app), [Some("first@example.org".to_owned())]);
    book(&advisor, &sessions[1], &peg);
    let mail = mails.take_one(&app);
    assert_eq!(mail.text.matches("You have a place").count(), 1, "nothing joins it: {}", mail.text);
    assert!(mail.whole.contains("Message-ID: <first@example.org>"), "{}", mail.whole);
    app.at("2026-11-23T09:04:00Z");
    assert_eq!(mails.take_one(&app).text.matches("You have a place").count(), 1);
    assert!(told(&advisor, &peg).iter().all(|one| (one.1.as_str(), &one.2) == ("sent", &Value::Null)));
}
