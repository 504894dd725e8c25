//! Reminders: of the sessions of the next day, of offers that end soon; how many mails there are a day, and in which form.

use chrono::TimeDelta;
use diesel::prelude::*;
use life_rooms::background;
use life_rooms::config::{Config, Mail, Sender, Sink};
use life_rooms::db::schema::{bookings, members, messages, sessions};
use life_rooms::db::{Db, Id};
use life_rooms::http::state::State;
use life_rooms::tasks;
use serde_json::{Value, json};

use crate::mails::{reachable, row, told};
use crate::support::mailbox::{Mailbox, Received};
use crate::support::{App, Client, SessionSeed, id, member_row, session_row};

/// Puts reminders into the queue if it is time. Whether anything was done.
pub fn remind(app: &App) -> bool {
    let task = tasks::all().into_iter().find(|task| task.name == "reminders").expect("the server has the task");
    let run = background::run_if_due(&app.state, task, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).expect("it runs")
}

fn at(app: &App, starts_at: &str) -> String {
    session_row(app, SessionSeed { starts_at, ..SessionSeed::default() })
}

fn book(client: &Client, session: &str, member: &str) -> Value {
    let body = json!({ "member_id": member, "if_full": "wait" });
    client.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201)
}

/// A server with mail, an advisor, and Peg, who may be written to. It is 10:00 of the day before the sessions.
fn start() -> (App, Mailbox, Client, String) {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    app.at("2026-11-23T10:00:00Z");
    (app, mails, advisor, peg)
}

/// Sends the mails about what was booked, so that only what comes later is left.
fn sent_so_far(app: &App, mails: &Mailbox) {
    app.clock.set((app.clock.now().0) + TimeDelta::minutes(10));
    mails.take(app);
}

#[test]
fn everybody_booked_is_reminded_once_in_one_mail_from_four_in_the_afternoon_before() {
    let (app, mails, advisor, peg) = start();
    let sam = reachable(&app, "Sam");
    let (morning, evening) = (at(&app, "2026-11-24T10:00:00Z"), at(&app, "2026-11-24T19:30:00Z"));
    let later = at(&app, "2026-11-25T10:00:00Z");
    for session in [&evening, &morning, &later] {
        book(&advisor, session, &peg);
    }
    let gone = book(&advisor, &morning, &sam);
    advisor.delete(&format!("/v1/bookings/{}", id(&gone))).expect(200);
    sent_so_far(&app, &mails);
    app.at("2026-11-23T15:59:59Z");
    assert!(!remind(&app), "not before four");
    app.at("2026-11-23T16:00:00Z");
    assert!(remind(&app));
    assert!(mails.take(&app).is_empty(), "what is written some sessions at a time is one mail");
    app.at("2026-11-23T16:02:00Z");
    let mail = mails.take_one(&app);
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("peg@example.org", "Reminder: Tuesday 24 November 2026"));
    let said: Vec<&str> = mail.text.lines().filter(|line| line.starts_with("- ")).map(str::trim_end).collect();
    assert_eq!(
        said,
        [
            "- Please remember your place: Tuesday 24 November 2026, 10am, online.",
            "- Please remember your place: Tuesday 24 November 2026, 7:30pm, online."
        ]
    );
    // The clock is put back, and the task runs again.
    for now in ["2026-11-23T16:01:00Z", "2026-11-22T16:30:00Z", "2026-11-23T16:00:00Z", "2026-11-23T23:59:00Z"] {
        app.at(now);
        remind(&app);
        assert!(mails.take(&app).is_empty(), "{now}");
    }
    app.at("2026-11-24T16:00:00Z");
    assert!(remind(&app));
    app.at("2026-11-24T16:02:00Z");
    assert_eq!(mails.take_one(&app).subject, "Reminder: Wednesday 25 November 2026");
    let reminders: i64 =
        messages::table.filter(messages::kind.eq("reminder")).count().get_result(&mut app.conn()).unwrap();
    assert_eq!(reminders, 3);
}

#[test]
fn a_session_that_is_moved_is_reminded_of_again_and_the_old_reminder_is_not_sent() {
    let (app, mails, advisor, peg) = start();
    let admin = app.admin();
    let session = json!({ "title": "Reading", "pillar": "community", "delivery": "online", "local_start": "2026-11-24T10:00:00",
        "time_zone": "Europe/London", "duration_minutes": 60 });
    let session = admin.post("/v1/sessions", &session).expect(201);
    let path = format!("/v1/sessions/{}", id(&session));
    book(&advisor, id(&session), &peg);
    sent_so_far(&app, &mails);
    app.at("2026-11-23T16:00:00Z");
    assert!(remind(&app));
    // Moved before the mail has gone.
    let tag = admin.get(&path).etag().to_owned();
    admin.patch(&path, &tag, &json!({ "local_start": "2026-11-24T14:00:00" })).expect(200);
    let moved = mails.take_one(&app);
    assert!(moved.subject.starts_with("A change to"), "{}", moved.subject);
    app.at("2026-11-23T16:01:00Z");
    assert!(remind(&app));
    app.at("2026-11-23T16:03:00Z");
    let again = mails.take_one(&app);
    assert!(again.text.contains("Please remember your place: Tuesday 24 November 2026, 2pm"), "{}", again.text);
    let of_reminders: Vec<_> = told(&advisor, &peg).into_iter().filter(|(kind, ..)| kind == "reminder").collect();
    assert_eq!(
        of_reminders,
        [row("reminder", "sent", Value::Null), row("reminder", "skipped", json!("no_longer_true"))]
    );
    // To another day: that day's afternoon.
    let tag = admin.get(&path).etag().to_owned();
    admin.patch(&path, &tag, &json!({ "local_start": "2026-11-26T14:00:00" })).expect(200);
    app.at("2026-11-23T16:20:00Z");
    assert!(!remind(&app));
    mails.take(&app);
    app.at("2026-11-25T16:00:00Z");
    assert!(remind(&app));
    app.at("2026-11-25T16:02:00Z");
    assert_eq!(mails.take_one(&app).subject, "Reminder: Thursday 26 November 2026");
}

#[test]
fn nobody_is_reminded_who_has_just_booked_who_waits_or_who_does_not_want_it() {
    let (app, mails, advisor, peg) = start();
    let [sam, ali, kim, lee] = ["Sam", "Ali", "Kim", "Lee"].map(|name| reachable(&app, name));
    let session = session_row(
        &app,
        SessionSeed { starts_at: "2026-11-24T10:00:00Z", capacity: Some(4), ..SessionSeed::default() },
    );
    for member in [&peg, &sam, &ali] {
        book(&advisor, &session, member);
    }
    let off = session_row(&app, SessionSeed { starts_at: "2026-11-24T12:00:00Z", ..SessionSeed::default() });
    book(&advisor, &off, &peg);
    advisor.post(&format!("/v1/sessions/{off}/cancel"), &json!({ "reason": "Snow" })).expect(200);
    let record = format!("/v1/members/{sam}");
    let tag = advisor.get(&record).etag().to_owned();
    let changed = app.member(&sam).patch(&record, &tag, &json!({ "reminders": false })).expect(200);
    assert_eq!(changed["reminders"], false);
    let withdrawn = json!({ "purpose": "contact_email", "decision": "withdrawn", "evidence": "x" });
    advisor.post(&format!("/v1/members/{ali}/consents"), &withdrawn).expect(201);
    sent_so_far(&app, &mails);
    app.at("2026-11-23T16:00:00Z");
    book(&advisor, &session, &kim);
    assert_eq!(book(&advisor, &session, &lee)["status"], "waitlisted");
    assert!(remind(&app));
    app.at("2026-11-23T16:02:00Z");
    assert_eq!(mails.take(&app).iter().filter(|mail| mail.text.contains("Please remember")).count(), 1);
    let kinds =
        |member: &str| told(&advisor, member).into_iter().filter(|(kind, ..)| kind == "reminder").collect::<Vec<_>>();
    assert_eq!(kinds(&sam), [], "not even in the list");
    assert_eq!(kinds(&ali), [row("reminder", "skipped", json!("not_allowed"))]);
    assert_eq!((kinds(&kim), kinds(&lee)), (Vec::new(), Vec::new()));
}

#[test]
fn whoever_ends_their_reminders_before_the_mail_goes_gets_none() {
    let (app, mails, advisor, peg) = start();
    let session = at(&app, "2026-11-24T10:00:00Z");
    book(&advisor, &session, &peg);
    sent_so_far(&app, &mails);
    app.at("2026-11-23T16:00:00Z");
    assert!(remind(&app));
    let of_peg = members::table.find(peg.parse::<Id>().unwrap());
    diesel::update(of_peg).set(members::reminders.eq(false)).execute(&mut app.conn()).unwrap();
    app.at("2026-11-23T16:02:00Z");
    assert!(mails.take(&app).is_empty());
    assert_eq!(told(&advisor, &peg)[0], row("reminder", "skipped", json!("not_allowed")));
}

/// A full session, and Peg at the head of its list.
fn waiting(app: &App, advisor: &Client, starts_at: &str, peg: &str) -> (Value, Value) {
    let session = session_row(app, SessionSeed { starts_at, capacity: Some(1), ..SessionSeed::default() });
    let held = book(advisor, &session, &member_row(app, "Hal", "Held"));
    (held, book(advisor, &session, peg))
}

#[test]
fn an_offer_is_told_of_again_after_three_quarters_of_its_time_if_that_is_four_hours_or_more() {
    let (app, mails, advisor, peg) = start();
    let (held, waits) = waiting(&app, &advisor, "2026-11-30T13:00:00Z", &peg);
    sent_so_far(&app, &mails);
    app.at("2026-11-23T11:00:00Z");
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    assert_eq!(mails.take_one(&app).subject, "A place is free");
    assert_eq!(told(&advisor, &peg)[0].0, "offered", "what comes later isn't told yet");
    // It is kept for a day.
    app.at("2026-11-24T04:59:59Z");
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-24T05:00:00Z");
    let mail = mails.take_one(&app);
    assert_eq!(mail.subject, "A place is kept for you");
    assert!(mail.text.contains("in your bookings before Tuesday 24 November 2026, 11am."), "{}", mail.text);
    assert!(!mail.whole.contains("List-Unsubscribe"), "it is no reminder of a session");
    assert!(mails.take(&app).is_empty());
    assert!(told(&advisor, &peg).contains(&row("offer_expiring", "sent", Value::Null)));
    advisor.send("POST", &format!("/v1/bookings/{}/accept", id(&waits)), &[], b"").expect(200);

    // Accepted before: nothing to tell. On the day before, it is kept too shortly to tell twice.
    let (held, waits) = waiting(&app, &advisor, "2026-12-01T13:00:00Z", &peg);
    let (short, _) = waiting(&app, &advisor, "2026-11-24T20:00:00Z", &peg);
    sent_so_far(&app, &mails);
    app.at("2026-11-24T06:00:00Z");
    for booking in [&held, &short] {
        advisor.delete(&format!("/v1/bookings/{}", id(booking))).expect(200);
    }
    let (_, expires): (Id, Option<life_rooms::db::Timestamp>) = bookings::table
        .inner_join(sessions::table)
        .filter(
            bookings::status
                .eq("offered")
                .and(sessions::starts_at.lt(life_rooms::db::Timestamp("2026-11-25T00:00:00Z".parse().unwrap()))),
        )
        .select((bookings::id, bookings::offer_expires_at))
        .first(&mut app.conn())
        .unwrap();
    assert!(expires.unwrap() < app.clock.now().plus_seconds(4 * 3600), "{expires:?}");
    advisor.send("POST", &format!("/v1/bookings/{}/accept", id(&waits)), &[], b"").expect(200);
    let last: Vec<String> = messages::table
        .filter(messages::kind.eq("offer_expiring").and(messages::status.eq("queued")))
        .select(messages::dedup_key.assume_not_null())
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(last.len(), 1, "{last:?}");
    assert!(last[0].starts_with(&format!("offer_expiring:{}:", id(&waits))), "{last:?}");
    app.at("2026-11-25T00:00:00Z");
    assert!(mails.take(&app).iter().all(|mail| mail.subject != "A place is kept for you"));
    let of_expiring = told(&advisor, &peg).into_iter().find(|(kind, ..)| kind == "offer_expiring").unwrap();
    assert_eq!(of_expiring, row("offer_expiring", "skipped", json!("no_longer_true")));
}

#[test]
fn the_eleventh_mail_of_a_day_waits_for_the_evening_unless_it_cannot_wait() {
    let (app, mails, advisor, peg) = start();
    let day = |day: u32| at(&app, &format!("2026-12-{day:02}T13:00:00Z"));
    let far: Vec<String> = (1..=14).map(day).collect();
    let near = at(&app, "2026-11-24T09:00:00Z");
    let (held, _) = waiting(&app, &advisor, "2026-12-20T13:00:00Z", &peg);
    let booked: Vec<Value> = far[..9].iter().map(|session| book(&advisor, session, &peg)).collect();
    book(&advisor, &near, &peg);
    app.at("2026-11-23T10:10:00Z");
    // Nine, the one for tomorrow, and the list: eleven.
    let mut sent = mails.take(&app);
    assert_eq!(sent.len(), 10, "{sent:?}");
    assert!(mails.take(&app).is_empty());
    for session in &far[9..] {
        book(&advisor, session, &peg);
    }
    app.at("2026-11-23T10:20:00Z");
    assert!(mails.take(&app).is_empty(), "six wait");
    // What can't wait: an offer, and what is called off for tomorrow.
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    assert_eq!(mails.take_one(&app).subject, "A place is free");
    advisor.post(&format!("/v1/sessions/{near}/cancel"), &json!({ "reason": "Snow" })).expect(200);
    assert!(mails.take_one(&app).text.contains("This is called off"));
    // What can: one that is called off for next month, one that is cancelled.
    advisor.post(&format!("/v1/sessions/{}/cancel", far[0]), &json!({ "reason": "Snow" })).expect(200);
    advisor.delete(&format!("/v1/bookings/{}", id(&booked[1]))).expect(200);
    app.at("2026-11-23T17:59:59Z");
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-23T18:00:00Z");
    sent = mails.take(&app);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let lines = sent[0].text.lines().filter(|line| line.starts_with("- ")).count();
    // The five that were booked later, what is called off and what is cancelled. The list, which was the latest of the eleven, is
    // an offer by now.
    assert_eq!(lines, 7, "{}", sent[0].text);
    assert!(sent[0].text.contains("This is called off") && sent[0].text.contains("Your booking is cancelled"));
    assert!(unfolded(&sent[0]).contains("List-Unsubscribe: <https://"), "{}", sent[0].whole);
    // After that, the next morning; another day has ten of its own.
    let more = at(&app, "2026-12-21T13:00:00Z");
    book(&advisor, &more, &peg);
    app.at("2026-11-23T19:00:00Z");
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-24T08:00:00Z");
    let morning = mails.take(&app);
    assert!(morning.iter().any(|mail| mail.text.contains("Monday 21 December 2026")), "{morning:?}");
    // Somebody else has a count of their own.
    let sam = reachable(&app, "Sam");
    book(&advisor, &more, &sam);
    app.at("2026-11-24T08:10:00Z");
    assert_eq!(mails.take_one(&app).to, "sam@example.org");
}

fn unfolded(mail: &Received) -> String {
    mail.whole.replace("\r\n ", " ").replace("\r\n\t", " ")
}

#[test]
fn who_needs_easy_read_gets_one_fact_a_line_and_who_needs_large_print_large_letters() {
    let (app, mails, advisor, peg) = start();
    let need = |code: &str| json!({ "category": "information_format", "code": code, "share": false });
    let needs = json!({ "needs": [need("easy_read"), need("large_print")] });
    advisor.put(&format!("/v1/members/{peg}/access-needs"), "\"0\"", &needs).expect(200);
    book(&advisor, &at(&app, "2026-11-30T13:00:00Z"), &peg);
    app.at("2026-11-23T10:10:00Z");
    let mail = mails.take_one(&app);
    let said: Vec<&str> = mail.text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    assert_eq!(
        said,
        [
            "Hello,",
            "- You have a place.",
            "- When: Monday 30 November 2026, 1pm",
            "- Where: online",
            "Do you have a question? Answer this e-mail.",
            "Life Rooms. You can answer this e-mail: a person reads it."
        ]
    );
    assert!(mail.whole.contains("font-size:24px") || mail.whole.contains("font-size:=\r\n24px"), "{}", mail.whole);
}

#[test]
fn of_two_servers_with_one_message_that_is_due_one_sends_it() {
    let (app, mails, advisor, peg) = start();
    for (round, minute) in [(1, "10"), (2, "30"), (3, "50")] {
        book(&advisor, &at(&app, &format!("2026-12-0{round}T13:00:00Z")), &peg);
        app.at(&format!("2026-11-23T1{round}:{minute}:00Z"));
        // Both run, as if the lease of the first had ended while it still sends.
        let servers = (0..2).map(|_| {
            let state = State { db: Db::open(&app.location).expect("the database opens"), ..app.state.clone() };
            std::thread::spawn(move || {
                let task = tasks::all().into_iter().find(|task| task.name == "messages").expect("the task");
                actix_web::rt::System::new().block_on((task.run)(state)).expect("it runs");
            })
        });
        servers.collect::<Vec<_>>().into_iter().for_each(|server| server.join().unwrap());
        let tries: Vec<i32> = messages::table
            .filter(messages::kind.eq("booked"))
            .select(messages::attempts)
            .load(&mut app.conn())
            .unwrap();
        assert_eq!(tries, vec![1; round], "each was sent once");
        assert_eq!(mails.take(&app).len(), 1);
    }
}

#[test]
fn an_address_with_a_line_end_is_refused_at_the_record_and_a_name_is_quoted_in_the_mail() {
    let app = App::start();
    let advisor = app.advisor();
    for email in ["peg@example.org\r\nBcc: all@example.org", "peg@example.org\nX: y", "peg\r@example.org"] {
        let body = json!({ "given_name": "Peg", "email": email, "roles": ["public"] });
        advisor.post("/v1/members", &body).invalid(&["/email"]);
        let form = json!({ "given_name": "Peg", "email": email, "consents": [] });
        let answer = app.anonymous().post("/v1/members/self-registration", &form);
        assert!(matches!(answer.status, 422 | 503), "{}", answer.text);
    }
    let folder = std::env::temp_dir().join(format!("life-rooms-quoted-{}", uuid::Uuid::new_v4()));
    let sender = |name: &str| Sender { name: name.into(), address: "rooms@example.org".into() };
    let mail = Mail {
        sink: Sink::Folder(folder.clone()),
        from: sender("Life \"Rooms\" <Bootle>, Ltd"),
        reply_to: sender(""),
        per_minute: 100,
    };
    let app = App::start_with(Config { mail: Some(mail), ..Config::default() });
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    book(&advisor, &at(&app, "2026-11-30T13:00:00Z"), &peg);
    app.at("2026-11-23T09:10:00Z");
    app.send_messages();
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read_to_string(file).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let from = whole.lines().find(|line| line.starts_with("From: ")).unwrap();
    // As an encoded word, so that it is no address and no list: Life "Rooms" <Bootle>, Ltd.
    assert_eq!(from, "From: =?utf-8?b?TGlmZSAiUm9vbXMiIDxCb290bGU+LCBMdGQ=?= <rooms@example.org>");
}
