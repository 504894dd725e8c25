//! Mails that the mail server doesn't take at once, and several servers that send from one database.

use std::thread;

use diesel::prelude::*;
use life_rooms::config::Config;
use life_rooms::db::schema::messages;
use life_rooms::db::{Db, Timestamp};
use life_rooms::http::state::State;
use life_rooms::tasks;
use serde_json::{Value, json};

use crate::mails::{book, reachable, row, told};
use crate::relay::{Seen, settings};
use crate::support::{App, SessionSeed, instant, session_row};

/// A server that sends its mails to a mail server which fails for some addresses.
fn with_relay() -> (App, Seen) {
    let seen = Seen::default();
    let app = App::start_with(Config { mail: Some(settings(&seen)), ..Config::default() });
    (app, seen)
}

#[test]
fn a_mail_that_is_put_off_is_tried_at_its_times_with_one_message_id_and_then_given_up() {
    let (app, seen) = with_relay();
    let advisor = app.advisor();
    let (full, ann) = (reachable(&app, "Full"), reachable(&app, "Ann"));
    let session = session_row(&app, SessionSeed::default());
    book(&advisor, &session, &full);
    book(&advisor, &session, &ann);
    let tries = || seen.read.lock().unwrap().len();
    let mut at = Timestamp(instant("2026-11-23T09:02:00Z"));
    // Ann's is taken, beside the one that isn't.
    let mut expected = 1;
    for (number, minutes) in [0, 1, 5, 15, 60, 240, 720].into_iter().enumerate() {
        let due = at.plus_seconds(minutes * 60);
        app.clock.set(due.plus_seconds(-1).0);
        assert!(!app.send_messages(), "try {number} comes too early");
        app.clock.set(due.0);
        assert!(app.send_messages(), "try {number} doesn't come");
        expected += 1;
        assert_eq!(tries(), expected, "try {number}");
        let is_last = number == 6;
        let status = if is_last { "failed" } else { "queued" };
        assert_eq!(told(&advisor, &full), [row("booked", status, json!("452"))], "try {number}");
        at = due;
    }
    app.clock.set(at.plus_seconds(24 * 3_600).0);
    assert!(!app.send_messages());
    assert_eq!(*seen.taken.lock().unwrap(), ["ann@example.org"]);
    assert_eq!(told(&advisor, &ann), [row("booked", "sent", Value::Null)]);
    let mut ids = seen.read.lock().unwrap().clone();
    assert_eq!(ids.len(), 8);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2, "one of each mail: {ids:?}");
}

#[test]
fn what_is_refused_for_good_is_tried_once_and_says_the_code() {
    let (app, seen) = with_relay();
    let (advisor, refused) = (app.advisor(), reachable(&app, "Refused"));
    book(&advisor, &session_row(&app, SessionSeed::default()), &refused);
    app.at("2026-11-23T09:02:00Z");
    assert!(app.send_messages());
    assert_eq!(told(&advisor, &refused), [row("booked", "failed", json!("550"))]);
    app.at("2026-11-24T09:02:00Z");
    assert!(!app.send_messages());
    assert!(seen.read.lock().unwrap().is_empty());
}

#[test]
fn what_is_queued_later_waits_for_no_mail_that_was_tried_and_changes_none() {
    let (app, seen) = with_relay();
    let (advisor, full) = (app.advisor(), reachable(&app, "Full"));
    let session = session_row(&app, SessionSeed::default());
    let held = book(&advisor, &session, &full);
    app.at("2026-11-23T09:02:00Z");
    app.send_messages();
    // The same key: a cancellation of the same booking. The first mail is still tried a minute later.
    app.at("2026-11-23T09:02:30Z");
    advisor.delete(&format!("/v1/bookings/{}", held["id"].as_str().unwrap())).expect(200);
    let due: Vec<Timestamp> =
        messages::table.order(messages::created_at).select(messages::due_at).load(&mut app.conn()).unwrap();
    let at = |text: &str| Timestamp(instant(text));
    assert_eq!(due, [at("2026-11-23T09:03:00Z"), at("2026-11-23T09:04:30Z")]);
    app.at("2026-11-23T09:04:30Z");
    app.send_messages();
    let told = told(&advisor, &full);
    assert_eq!(told[1], row("booked", "skipped", json!("no_longer_true")));
    assert_eq!(told[0], row("booking_cancelled", "queued", json!("452")));
    let ids = seen.read.lock().unwrap().clone();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1], "the cancellation is a mail of its own");
}

#[test]
fn two_servers_that_send_at_the_same_time_send_each_mail_once() {
    let (app, seen) = with_relay();
    let (advisor, session) = (app.advisor(), session_row(&app, SessionSeed::default()));
    let names: Vec<String> = (0..60).map(|number| format!("m{number}")).collect();
    for name in &names {
        book(&advisor, &session, &reachable(&app, name));
    }
    app.at("2026-11-23T09:02:00Z");
    // Both run the task itself, as if the lease of the task had run out while the first was still sending.
    let send = |state: State| {
        let task = tasks::all().into_iter().find(|task| task.name == "messages").unwrap();
        actix_web::rt::System::new().block_on((task.run)(state)).unwrap();
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            let state = State { db: Db::open(&app.location).unwrap(), ..app.state.clone() };
            scope.spawn(move || send(state));
        }
    });
    let mut taken = seen.taken.lock().unwrap().clone();
    taken.sort();
    let mut expected: Vec<String> = names.iter().map(|name| format!("{name}@example.org")).collect();
    expected.sort();
    assert_eq!(taken, expected, "each once");
    let sent: i64 = messages::table.filter(messages::status.eq("sent")).count().get_result(&mut app.conn()).unwrap();
    assert_eq!(sent, 60);
    assert!(!app.send_messages());
}
