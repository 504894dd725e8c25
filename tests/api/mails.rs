//! Who is told what becomes of their booking: by e-mail, and in the list of their messages.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::{members, messages};
use life_rooms::db::{Id, Json};
use life_rooms::members::types::ContactPreferences;
use serde_json::{Value, json};

use crate::support::mailbox::Mailbox;
use crate::support::{App, Client, SessionSeed, consent_row, member_row, partner_row, session_row, venue};

/// A member who may be written to.
pub fn reachable(app: &App, given: &str) -> String {
    let member = member_row(app, given, "Reid");
    let email = format!("{}@example.org", given.to_lowercase());
    let preferences = ContactPreferences { email: true, ..ContactPreferences::default() };
    diesel::update(members::table.find(member.parse::<Id>().unwrap()))
        .set((members::email.eq(email), members::contact_preferences.eq(Json(preferences))))
        .execute(&mut app.conn())
        .unwrap();
    member
}

pub fn book(client: &Client, session: &str, member: &str) -> Value {
    let body = json!({ "member_id": member, "if_full": "wait" });
    client.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201)
}

fn cancel(client: &Client, booking: &Value) {
    client.delete(&format!("/v1/bookings/{}", booking["id"].as_str().unwrap())).expect(200);
}

/// The messages of a member, newest first: what they tell, what became of them, and why.
pub fn told(client: &Client, member: &str) -> Vec<(String, String, Value)> {
    let page = client.get(&format!("/v1/members/{member}/messages")).expect(200);
    let row = |message: &Value| {
        let text = |name: &str| message[name].as_str().unwrap().to_owned();
        (text("kind"), text("status"), message["why"].clone())
    };
    page["items"].as_array().unwrap().iter().map(row).collect()
}

pub fn row(kind: &str, status: &str, why: Value) -> (String, String, Value) {
    (kind.into(), status.into(), why)
}

/// The session in a library, and the mailbox.
pub fn library(capacity: Option<i32>) -> (App, Mailbox, Client, String) {
    let (app, mails) = App::with_mail();
    let library = venue(&app.admin(), "central", "Liverpool");
    let library = library["id"].as_str().unwrap().to_owned();
    let seed = SessionSeed { venue_id: Some(&library), capacity, ..SessionSeed::default() };
    let session = session_row(&app, seed);
    let advisor = app.advisor();
    (app, mails, advisor, session)
}

#[test]
fn whoever_is_booked_gets_a_mail_that_says_day_time_and_place_and_nothing_of_the_session() {
    let (app, mails, advisor, session) = library(None);
    let peg = reachable(&app, "Peg");
    book(&advisor, &session, &peg);
    assert!(mails.take(&app).is_empty(), "it waits for what may follow");
    app.at("2026-11-23T09:02:00Z");
    let mail = mails.take_one(&app);
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("peg@example.org", "Your booking on Monday 30 November 2026")
    );
    assert!(mail.text.contains("You have a place: Monday 30 November 2026, 1pm, at Venue central"), "{}", mail.text);
    assert!(!mail.whole.contains("Shared Reading") && !mail.whole.contains("Reid"), "{}", mail.whole);
    assert!(mails.take(&app).is_empty(), "once");
    let list = app.member(&peg).get(&format!("/v1/members/{peg}/messages")).expect(200);
    let message = &list["items"][0];
    assert_eq!((&message["kind"], &message["status"]), (&json!("booked"), &json!("sent")));
    assert_eq!(message["sent_at"], "2026-11-23T09:02:00Z");
    assert!(message["text"].as_str().unwrap().starts_with("You have a place: Monday 30 November 2026, 1pm"));
    assert_eq!(message["session_id"], json!(session));
}

#[test]
fn the_mail_says_how_it_stands_when_it_is_sent() {
    let (app, mails, advisor, session) = library(None);
    let (peg, sam) = (reachable(&app, "Peg"), reachable(&app, "Sam"));
    // Booked and cancelled within two minutes; booked, cancelled and booked again.
    let held = [book(&advisor, &session, &peg), book(&advisor, &session, &sam)];
    app.at("2026-11-23T09:00:01Z");
    held.iter().for_each(|booking| cancel(&advisor, booking));
    app.at("2026-11-23T09:00:02Z");
    book(&advisor, &session, &sam);
    app.at("2026-11-23T09:02:02Z");
    let mut mails = mails.take(&app);
    mails.sort_by(|one, other| one.to.cmp(&other.to));
    let texts: Vec<&str> = mails.iter().map(|mail| mail.text.as_str()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].contains("Your booking is cancelled") && !texts[0].contains("You have a place"), "{}", texts[0]);
    assert!(texts[1].contains("You have a place"), "{}", texts[1]);
}

#[test]
fn who_may_not_be_written_to_is_not_and_whoever_cancels_learns_whom_to_call() {
    let (app, mails, advisor, session) = library(None);
    let (peg, sam, ali) = (reachable(&app, "Peg"), reachable(&app, "Sam"), member_row(&app, "Ali", "Khan"));
    for member in [&peg, &sam, &ali] {
        book(&advisor, &session, member);
    }
    app.at("2026-11-23T09:00:01Z");
    let withdrawn = json!({ "purpose": "contact_email", "decision": "withdrawn", "evidence": "said so" });
    advisor.post(&format!("/v1/members/{sam}/consents"), &withdrawn).expect(201);
    let tag = advisor.get(&format!("/v1/members/{sam}")).etag().to_owned();
    advisor.patch(&format!("/v1/members/{sam}"), &tag, &json!({ "phone": "07700 900123" })).expect(200);
    let path = format!("/v1/sessions/{session}/cancel");
    let answer = advisor.post(&path, &json!({ "reason": "The boiler is broken." })).expect(200);
    let way = |member: &str| {
        let notices = answer["bookings"].as_array().unwrap();
        notices.iter().find(|one| one["member_id"] == json!(member)).unwrap()["told"].clone()
    };
    assert_eq!([way(&peg), way(&sam), way(&ali)], [json!("email"), json!("not_reached"), json!("not_reached")]);
    let of = |member: &str| answer["bookings"].as_array().unwrap().iter().find(|one| one["member_id"] == json!(member));
    let call = |member: &str| {
        let notice = of(member).unwrap();
        ["member", "not_reached_because", "phone", "safe_contact"].map(|name| notice[name].clone())
    };
    let named = |member: &str, name: &str| json!({ "id": member, "display_name": name });
    let anything = json!({ "voicemail": true, "letters": true, "say_who": true });
    assert_eq!(call(&peg), [named(&peg, "Peg Reid"), Value::Null, Value::Null, Value::Null]);
    assert_eq!(call(&sam), [named(&sam, "Sam Reid"), json!("not_allowed"), json!("+447700900123"), anything.clone()]);
    assert_eq!(call(&ali), [named(&ali, "Ali Khan"), json!("not_allowed"), Value::Null, anything]);
    app.at("2026-11-23T09:10:01Z");
    let mail = mails.take_one(&app);
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("peg@example.org", "A change to Monday 30 November 2026"));
    assert!(mail.text.contains("This is called off"), "{}", mail.text);
    let not_allowed = json!("not_allowed");
    assert_eq!(
        told(&advisor, &peg),
        [row("cancelled", "sent", Value::Null), row("booked", "skipped", json!("no_longer_true"))]
    );
    // Withdrawn between the booking and its mail.
    let skipped = |kind: &str| row(kind, "skipped", not_allowed.clone());
    assert_eq!(told(&advisor, &sam), [skipped("cancelled"), skipped("booked")]);
    assert_eq!(told(&advisor, &ali), [skipped("cancelled"), skipped("booked")]);
}

#[test]
fn without_a_mail_server_everybody_has_their_messages_and_nobody_counts_as_told() {
    let app = App::start();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let session = session_row(&app, SessionSeed::default());
    book(&advisor, &session, &peg);
    app.at("2026-11-23T09:00:01Z");
    let path = format!("/v1/sessions/{session}/cancel");
    let answer = advisor.post(&path, &json!({ "reason": "The boiler is broken." })).expect(200);
    assert_eq!(answer["bookings"][0]["told"], "not_reached");
    assert_eq!(answer["bookings"][0]["not_reached_because"], "no_mail");
    app.at("2026-11-23T09:10:01Z");
    app.send_messages();
    assert_eq!(
        told(&advisor, &peg),
        [row("cancelled", "skipped", json!("no_mail")), row("booked", "skipped", json!("no_longer_true"))]
    );
}

#[test]
fn an_offer_is_told_at_once_and_an_old_one_never() {
    let (app, mails, advisor, session) = library(Some(1));
    let (peg, sam) = (reachable(&app, "Peg"), reachable(&app, "Sam"));
    let held = book(&advisor, &session, &peg);
    book(&advisor, &session, &sam);
    app.at("2026-11-23T09:02:00Z");
    let waits = mails.take(&app).into_iter().find(|mail| mail.to == "sam@example.org").unwrap();
    assert!(waits.text.contains("You are on the waiting list"), "{}", waits.text);
    cancel(&advisor, &held);
    let offered = mails.take_one(&app);
    assert_eq!((offered.to.as_str(), offered.subject.as_str()), ("sam@example.org", "A place is free"));
    assert!(offered.text.contains("until Tuesday 24 November 2026, 9:02am"), "{}", offered.text);
    // A server that was down for days has nothing to tell that is still of use.
    let late = reachable(&app, "Late");
    book(&advisor, &session, &late);
    app.at("2026-12-01T09:00:00Z");
    assert!(mails.take(&app).is_empty());
    assert_eq!(told(&advisor, &late), [row("waitlisted", "skipped", json!("too_late"))]);
}

#[test]
fn a_moved_session_is_told_once_a_move_and_with_everything_of_its_series_in_one_mail() {
    let (app, mails) = App::with_mail();
    let (admin, advisor, peg) = (app.admin(), app.advisor(), reachable(&app, "Peg"));
    let series = json!({ "title": "Reading", "pillar": "community", "delivery": "online", "booking_policy": "bookable",
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60,
        "recurrence": "FREQ=WEEKLY;COUNT=4", "publication": "published" });
    let series = admin.post("/v1/session-series", &series).expect(201);
    let at = format!("/v1/session-series/{}", series["id"].as_str().unwrap());
    let sessions = admin.get("/v1/sessions?from=2027-01-01&to=2027-02-28").expect(200);
    for session in sessions["items"].as_array().unwrap() {
        book(&advisor, session["id"].as_str().unwrap(), &peg);
    }
    app.at("2026-11-23T09:02:00Z");
    let booked = mails.take_one(&app);
    assert_eq!((booked.subject.as_str(), booked.text.matches("You have a place").count()), ("Your bookings", 4));
    for hour in ["14", "15"] {
        let tag = admin.get(&at).etag().to_owned();
        admin.patch(&at, &tag, &json!({ "local_start": format!("2027-01-05T{hour}:00:00") })).expect(200);
    }
    app.at("2026-11-23T09:12:00Z");
    let moved = mails.take_one(&app);
    assert_eq!(moved.subject, "Changes to your bookings");
    assert_eq!((moved.text.matches("3pm").count(), moved.text.matches("2pm").count()), (4, 0), "{}", moved.text);
    assert!(mails.take(&app).is_empty());
}

#[test]
fn what_a_server_was_sending_when_it_died_is_sent_again_with_the_same_message_id() {
    let (app, mails, advisor, session) = library(None);
    let peg = reachable(&app, "Peg");
    book(&advisor, &session, &peg);
    app.at("2026-11-23T09:02:00Z");
    let id = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
    let first = id(&mails.take_one(&app).whole);
    // As if it had died between the mail server's answer and the note of it.
    let lost = (messages::status.eq("sending"), messages::sent_at.eq(None::<life_rooms::db::Timestamp>));
    diesel::update(messages::table).set(lost).execute(&mut app.conn()).unwrap();
    app.at("2026-11-23T09:03:00Z");
    assert_eq!(id(&mails.take_one(&app).whole), first);
}

#[test]
fn a_request_that_fails_tells_nobody() {
    let (app, mails, advisor, session) = library(Some(1));
    let (peg, sam) = (reachable(&app, "Peg"), reachable(&app, "Sam"));
    book(&advisor, &session, &peg);
    let path = format!("/v1/sessions/{session}/bookings");
    advisor.post(&path, &json!({ "member_id": sam })).problem(409, "session-full");
    advisor.post(&path, &json!({ "member_id": peg })).problem(409, "already-booked");
    app.at("2026-11-23T09:02:00Z");
    assert_eq!(mails.take_one(&app).to, "peg@example.org");
    assert!(told(&advisor, &sam).is_empty());
}

#[test]
fn members_read_their_own_messages_and_a_clock_that_is_put_back_sends_nothing_twice() {
    let (app, mails, advisor, session) = library(None);
    let (peg, sam) = (reachable(&app, "Peg"), reachable(&app, "Sam"));
    book(&advisor, &session, &peg);
    app.member(&sam).get(&format!("/v1/members/{peg}/messages")).problem(404, "not-found");
    app.admin().get(&format!("/v1/members/{peg}/messages")).problem(403, "forbidden");
    app.at("2026-11-23T09:02:00Z");
    mails.take_one(&app);
    app.at("2026-11-22T09:02:00Z");
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-23T09:30:00Z");
    assert!(mails.take(&app).is_empty());
}

#[test]
fn whoever_may_not_read_the_record_learns_neither_the_number_nor_why_somebody_isnt_told() {
    let (app, _mails) = App::with_mail();
    let (advisor, reader) = (app.advisor(), partner_row(&app, "the-reader"));
    let (shares, keeps) = (member_row(&app, "Ali", "Khan"), member_row(&app, "Una", "Reid"));
    consent_row(&app, &shares, &reader, "given");
    for member in [&shares, &keeps] {
        let path = format!("/v1/members/{member}");
        let tag = advisor.get(&path).etag().to_owned();
        advisor.patch(&path, &tag, &json!({ "phone": "07700 900123" })).expect(200);
    }
    let called_off = |client: &Client| {
        let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
        let held = [&shares, &keeps].map(|member| book(&advisor, &session, member)["id"].clone());
        let answer = client.post(&format!("/v1/sessions/{session}/cancel"), &json!({ "reason": "Snow" })).expect(200);
        assert!(!answer.to_string().contains("900123"), "{answer}");
        held.map(|booking| {
            let notices = answer["bookings"].as_array().unwrap();
            let notice = notices.iter().find(|one| one["booking_id"] == booking).unwrap();
            assert_eq!(notice["told"], "not_reached");
            for name in ["not_reached_because", "phone", "safe_contact"] {
                assert_eq!(notice[name], Value::Null, "{notice}");
            }
            notice["member"]["display_name"].clone()
        })
    };
    let partner = app.partner_client(&reader, &[Scope::SessionsWrite, Scope::BookingsRead]);
    assert_eq!(called_off(&partner), [json!("Ali Khan"), Value::Null]);
    assert_eq!(called_off(&app.admin()), [Value::Null, Value::Null]);
}

#[test]
fn whoever_is_booked_learns_why_a_session_is_called_off() {
    let (app, mails, advisor, session) = library(None);
    let (peg, sam) = (reachable(&app, "Peg"), reachable(&app, "Sam"));
    let path = format!("/v1/members/{peg}");
    let tag = advisor.get(&path).etag().to_owned();
    advisor.patch(&path, &tag, &json!({ "message_details": "full" })).expect(200);
    for member in [&peg, &sam] {
        book(&advisor, &session, member);
    }
    // A member who cancels gives no reason, and is told of none.
    let una = reachable(&app, "Una");
    let given_up = book(&advisor, &session, &una);
    app.at("2026-11-23T09:00:01Z");
    cancel(&advisor, &given_up);
    app.at("2026-11-23T09:02:00Z");
    mails.take(&app);
    let reason = "The boiler is broken & it's <cold>.";
    advisor.post(&format!("/v1/sessions/{session}/cancel"), &json!({ "reason": reason })).expect(200);
    app.at("2026-11-23T09:13:00Z");
    let mut sent = mails.take(&app);
    sent.sort_by(|one, other| one.to.cmp(&other.to));
    let [full, neutral] = sent.as_slice() else { panic!("two mails, not {}", sent.len()) };
    assert!(full.text.contains("We are sorry. The reason: The boiler is broken & it's <cold>."), "{}", full.text);
    assert!(!full.whole.contains("<cold>.</"), "{}", full.whole);
    // Whoever wants nothing but day and place in their mails reads the reason where they log in.
    assert!(neutral.text.contains("We are sorry. Your bookings say why."), "{}", neutral.text);
    assert!(!neutral.whole.contains("boiler"), "{}", neutral.whole);
    let newest = |member: &str| {
        let page = app.member(member).get(&format!("/v1/members/{member}/messages")).expect(200);
        (page["items"][0]["kind"].clone(), page["items"][0]["reason"].clone())
    };
    for member in [&peg, &sam] {
        assert_eq!(newest(member), (json!("cancelled"), json!(reason)));
    }
    assert_eq!(newest(&una), (json!("booking_cancelled"), Value::Null));
}
