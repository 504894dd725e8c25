//! In which order mails go, how many go in a minute, and what doesn't wait for the digest.

use diesel::prelude::*;
use life_rooms::config::Config;
use life_rooms::db::Timestamp;
use life_rooms::db::schema::messages;
use serde_json::json;

use crate::mails::{book, library, reachable, told};
use crate::mails_of_changes::change;
use crate::support::mailbox::Mailbox;
use crate::support::{App, Client, SessionSeed, id, instant, session_row};

const NAMES: [&str; 6] = ["Peg", "Sam", "Ali", "Una", "Kim", "Lee"];

/// A server that sends three mails a minute, where six people have just booked.
fn busy() -> (App, Mailbox) {
    let (app, mails) = App::with_mail_at(3, Config::default());
    let (advisor, session) = (app.advisor(), session_row(&app, SessionSeed::default()));
    for name in NAMES {
        book(&advisor, &session, &reachable(&app, name));
    }
    (app, mails)
}

#[test]
fn a_link_that_somebody_waits_for_goes_before_the_news_of_many_bookings() {
    let (app, mails) = busy();
    let body = json!({ "email": "ann@example.org", "role": "analyst", "password": "paper boat under the lamp" });
    app.admin().post("/v1/users", &body).expect(201);
    app.at("2026-11-23T09:05:00Z");
    app.anonymous().post("/v1/auth/password-resets", &json!({ "email": "ann@example.org" })).expect(202);
    let sent = mails.take(&app);
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(sent.iter().any(|mail| mail.subject == "Choose a new password"), "{sent:?}");
    // What was taken and not tried keeps its turn.
    let left: Vec<Timestamp> =
        messages::table.filter(messages::status.eq("queued")).select(messages::due_at).load(&mut app.conn()).unwrap();
    assert_eq!(left, [Timestamp(instant("2026-11-23T09:02:00Z")); 4]);
}

#[test]
fn an_offer_goes_before_the_news_of_many_bookings() {
    let (app, mails) = App::with_mail_at(3, Config::default());
    let advisor = app.advisor();
    let full = session_row(&app, SessionSeed { capacity: Some(1), ..SessionSeed::default() });
    let held = book(&advisor, &full, &reachable(&app, "Hal"));
    book(&advisor, &full, &reachable(&app, "Wim"));
    let session = session_row(&app, SessionSeed::default());
    for name in NAMES {
        book(&advisor, &session, &reachable(&app, name));
    }
    app.at("2026-11-23T09:05:00Z");
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    let sent = mails.take(&app);
    assert!(sent.iter().any(|mail| mail.to == "wim@example.org"), "{sent:?}");
}

#[test]
fn no_more_mails_go_in_a_minute_than_the_settings_say_however_often_the_task_runs() {
    let (app, mails) = busy();
    let at = |now: &str| {
        app.at(now);
        mails.take(&app).len()
    };
    assert_eq!(at("2026-11-23T09:02:00Z"), 3);
    assert_eq!(at("2026-11-23T09:02:02Z"), 0);
    assert_eq!(at("2026-11-23T09:02:59Z"), 0);
    assert_eq!(at("2026-11-23T09:03:00Z"), 3);
    // Two, then one more: the minute counts, and not the run.
    let (advisor, session) = (app.advisor(), session_row(&app, SessionSeed::default()));
    for (name, minute) in [("Ann", 5), ("Bea", 5), ("Cy", 6), ("Di", 6)] {
        app.at(&format!("2026-11-23T09:0{minute}:00Z"));
        book(&advisor, &session, &reachable(&app, name));
    }
    assert_eq!(at("2026-11-23T09:07:30Z"), 2);
    assert_eq!(at("2026-11-23T09:08:00Z"), 1);
    assert_eq!(at("2026-11-23T09:08:29Z"), 0);
    assert_eq!(at("2026-11-23T09:08:30Z"), 1);
}

/// Sends Peg eight mails more than the two she has, so that what can wait waits for 18:00.
fn eight_mails(app: &App, mails: &Mailbox, advisor: &Client, peg: &str) {
    for day in 1..=10 {
        let starts_at = format!("2026-12-{day:02}T13:00:00Z");
        book(advisor, &session_row(app, SessionSeed { starts_at: &starts_at, ..SessionSeed::default() }), peg);
    }
    app.at("2026-11-23T09:10:00Z");
    assert_eq!(mails.take(app).len(), 8);
}

#[test]
fn what_would_be_over_before_the_evening_does_not_wait_for_it() {
    let (app, mails, advisor, _) = library(None);
    let peg = reachable(&app, "Peg");
    let today = |starts_at| {
        let seed = SessionSeed { starts_at, capacity: Some(1), delivery: "online", ..SessionSeed::default() };
        session_row(&app, seed)
    };
    let (moved, smaller) = (today("2026-11-23T14:00:00Z"), today("2026-11-23T16:00:00Z"));
    book(&advisor, &moved, &peg);
    book(&advisor, &smaller, &reachable(&app, "Hal"));
    let party = json!({ "member_id": peg, "if_full": "wait", "party": { "family": 1 } });
    change(&app, &smaller, &json!({ "capacity": 2 }));
    advisor.post(&format!("/v1/sessions/{smaller}/bookings"), &party).expect(201);
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    eight_mails(&app, &mails, &advisor, &peg);
    app.at("2026-11-23T12:00:00Z");
    change(&app, &moved, &json!({ "local_start": "2026-11-23T15:00:00", "reason": "Later" }));
    assert!(mails.take_one(&app).text.contains("It is now Monday 23 November 2026, 3pm"));
    change(&app, &smaller, &json!({ "capacity": 1, "reason": "A smaller room" }));
    app.at("2026-11-23T12:10:00Z");
    assert!(mails.take_one(&app).text.contains("There is no longer a place for you"));
    // An offer that ends before the evening.
    let (full, waits) = (today("2026-11-23T17:45:00Z"), reachable(&app, "Una"));
    let held = book(&advisor, &full, &waits);
    book(&advisor, &full, &peg);
    app.at("2026-11-23T12:13:00Z");
    mails.take(&app);
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    let kinds: Vec<String> = mails.take(&app).into_iter().map(|mail| mail.subject).collect();
    assert!(kinds.contains(&"A place is free".to_owned()), "{kinds:?}");
    // What can wait does.
    change(&app, &moved, &json!({ "local_start": "2026-12-23T15:00:00" }));
    app.at("2026-11-23T12:30:00Z");
    mails.take(&app);
    let far = session_row(&app, SessionSeed { starts_at: "2026-12-24T13:00:00Z", ..SessionSeed::default() });
    book(&advisor, &far, &peg);
    app.at("2026-11-23T12:40:00Z");
    assert!(mails.take(&app).is_empty());
    assert_eq!(told(&advisor, &peg)[0].1, "queued");
}

#[test]
fn the_name_of_a_session_is_only_in_the_mails_of_who_wants_it() {
    let (app, mails, advisor, session) = library(None);
    let peg = reachable(&app, "Peg");
    let record = format!("/v1/members/{peg}");
    let tag = advisor.get(&record).etag().to_owned();
    app.member(&peg).patch(&record, &tag, &json!({ "message_details": "full" })).expect(200);
    book(&advisor, &session, &peg);
    book(&advisor, &session, &reachable(&app, "Sam"));
    app.at("2026-11-23T09:02:00Z");
    for mail in mails.take(&app) {
        let names_it = mail.text.contains("You have a place: Shared Reading, Monday 30 November 2026, 1pm");
        assert_eq!(names_it, mail.to == "peg@example.org", "{}", mail.text);
        assert!(!mail.subject.contains("Reading"), "others may see it: {}", mail.subject);
    }
    let list = advisor.get(&format!("/v1/members/{peg}/messages")).expect(200);
    assert!(!list["items"][0]["text"].as_str().unwrap().contains("Shared Reading"), "{list}");
}
