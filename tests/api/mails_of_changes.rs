//! What people are told of a change: what it means for them, in time, and also whoever booked for somebody else.

use diesel::prelude::*;
use life_rooms::db::schema::{members, messages};
use serde_json::{Value, json};

use crate::mails::{book, library, reachable, told};
use crate::support::{App, Client, member_row};

pub fn change(app: &App, session: &str, patch: &Value) -> Value {
    let advisor = app.advisor();
    let path = format!("/v1/sessions/{session}");
    let tag = advisor.get(&path).etag().to_owned();
    advisor.patch(&path, &tag, patch).expect(200)
}

/// The London hour at which somebody is told to come to a session with these values.
fn told_hour(values: &Value) -> String {
    let (app, mails, advisor, session) = library(Some(1));
    let reader = reachable(&app, "Ned");
    change(&app, &session, values);
    book(&advisor, &session, &reader);
    app.at("2026-11-23T09:05:00Z");
    let mail = mails.take_one(&app);
    let line = mail.text.lines().find(|line| line.contains("You have a place")).unwrap().to_owned();
    let listed = texts(&advisor, &reader).remove(0);
    let hour = listed.split(", ").nth(1).unwrap().trim_end_matches('.').to_owned();
    assert!(line.contains(&hour), "{line}: {listed}");
    hour
}

#[test]
fn a_mail_tells_the_time_by_the_clock_of_its_reader() {
    let at = |start: &str, zone: &str| {
        told_hour(&json!({ "local_start": start, "time_zone": zone, "reason": "A better time" }))
    };
    assert_eq!(at("2027-07-07T10:00:00", "UTC"), "11am");
    assert_eq!(at("2027-07-07T10:00:00", "America/New_York"), "3pm");
    assert_eq!(at("2027-07-07T10:00:00", "Europe/London"), "10am");
    // This hour is skipped when summer time begins.
    assert_eq!(at("2027-03-28T01:30:00", "Europe/London"), "2:30am");
}

/// What the list of messages says, newest first.
pub fn texts(client: &Client, member: &str) -> Vec<String> {
    let page = client.get(&format!("/v1/members/{member}/messages")).expect(200);
    page["items"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_free_place_is_told_also_where_the_session_was_moved_in_the_same_change() {
    // Which of two messages of one moment comes first is chance, so several people wait.
    for name in ["Peg", "Sam", "Ali", "Una"] {
        let (app, mails, advisor, session) = library(Some(1));
        let (first, waits) = (member_row(&app, "Ned", "Riley"), reachable(&app, name));
        book(&advisor, &session, &first);
        app.at("2026-11-23T09:00:01Z");
        book(&advisor, &session, &waits);
        app.at("2026-11-23T09:05:00Z");
        mails.take(&app);
        change(
            &app,
            &session,
            &json!({ "capacity": 2, "local_start": "2026-11-30T15:00:00", "reason": "A larger room" }),
        );
        let mail = mails.take_one(&app);
        assert!(mail.text.contains("A place is free: Monday 30 November 2026, 3pm"), "{name}: {}", mail.text);
        assert_eq!(mail.subject, "A place is free", "{name}");
    }
}

#[test]
fn whoever_loses_a_place_in_a_session_that_takes_place_isnt_told_that_it_is_called_off() {
    let (app, mails, advisor, session) = library(Some(1));
    let peg = reachable(&app, "Peg");
    let ned = member_row(&app, "Ned", "Riley");
    book(&advisor, &session, &ned);
    app.at("2026-11-23T09:00:01Z");
    book(&advisor, &session, &peg);
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    let held = advisor.get(&format!("/v1/members/{ned}/bookings")).expect(200);
    let held = held["items"][0]["id"].as_str().unwrap().to_owned();
    // Nobody holds a seat any more, so that the session can become a drop-in: Peg, who has the offer, needs none.
    advisor.delete(&format!("/v1/bookings/{held}")).expect(200);
    mails.take(&app);
    app.at("2026-11-23T09:06:00Z");
    change(&app, &session, &json!({ "booking_policy": "drop_in", "capacity": null, "reason": "Just come" }));
    app.at("2026-11-23T09:17:00Z");
    let mail = mails.take_one(&app);
    assert!(mail.text.contains("You don't need a booking any more. Just come: Monday 30 November"), "{}", mail.text);
    assert!(!mail.text.contains("called off") && !mail.text.contains("cancelled"), "{}", mail.text);
    assert!(texts(&advisor, &peg)[0].starts_with("You don't need a booking any more."));
}

#[test]
fn a_session_that_is_moved_away_from_today_is_told_today() {
    let (app, mails, advisor, session) = library(None);
    let peg = reachable(&app, "Peg");
    book(&advisor, &session, &peg);
    app.at("2026-11-30T12:50:00Z");
    mails.take(&app);
    change(&app, &session, &json!({ "local_start": "2026-12-07T13:00:00", "reason": "The facilitator is ill" }));
    let mail = mails.take_one(&app);
    assert!(mail.text.contains("It is now Monday 7 December 2026, 1pm"), "{}", mail.text);
}

/// Cara, who may book for Sid, with her relationship's path and tag.
pub fn carer(app: &App, advisor: &Client) -> (String, String, String, String) {
    let (cara, sid) = (reachable(app, "Cara"), member_row(app, "Sid", "Reid"));
    let relationship = json!({ "from_member": cara, "to_member": sid, "kind": "carer_of", "may_book": true,
        "authority": "member_agreed", "status": "active", "evidence": "Both said so" });
    let path = format!("/v1/members/{sid}/relationships");
    let made = advisor.post(&path, &relationship).expect(201);
    let path = format!("{path}/{}", made["id"].as_str().unwrap());
    (cara, sid, path, "\"1\"".into())
}

#[test]
fn whoever_booked_for_somebody_is_told_too_while_they_may_book() {
    let (app, mails, advisor, session) = library(None);
    let (cara, sid, relationship, tag) = carer(&app, &advisor);
    let client = app.member(&cara);
    book(&client, &session, &sid);
    app.at("2026-11-23T09:02:00Z");
    let mail = mails.take_one(&app);
    assert_eq!(mail.to, "cara@example.org");
    assert!(mail.text.contains("For somebody you booked for: You have a place"), "{}", mail.text);
    assert!(!mail.whole.contains("Reid") && !mail.subject.contains("Sid"), "{}", mail.whole);
    // Sid has no address. Cara isn't told of what ends after she may no longer book for him.
    assert_eq!(told(&advisor, &sid)[0].2, json!("not_allowed"));
    change(&app, &session, &json!({ "local_start": "2026-11-30T15:00:00", "reason": "Later" }));
    advisor.patch(&relationship, &tag, &json!({ "status": "ended" })).expect(200);
    app.at("2026-11-23T09:20:00Z");
    assert!(mails.take(&app).is_empty());
    assert!(told(&client, &cara).is_empty());
}

#[test]
fn whoever_registers_again_is_told_once_a_day_that_they_have_an_account() {
    let (app, mails) = App::with_mail();
    let member = app.member(&member_row(&app, "Peg", "Reid"));
    let email = member.get("/v1/me").expect(200)["name"].as_str().unwrap().to_owned();
    let register = || {
        let form = json!({ "email": email, "given_name": "Margaret" });
        app.anonymous().post("/v1/members/self-registration", &form).expect(202);
        mails.take(&app).into_iter().map(|mail| mail.subject).collect::<Vec<_>>()
    };
    let known = "You have an account already";
    assert_eq!(register(), [known]);
    app.at("2026-11-23T14:00:00Z");
    assert!(register().is_empty());
    app.at("2026-11-24T00:10:00Z");
    assert_eq!(register(), [known]);
    let kinds: Vec<(String, String)> = messages::table
        .order(messages::created_at)
        .select((messages::kind, messages::status))
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(kinds.iter().filter(|(_, status)| status == "sent").count(), 2);
    let named: i64 =
        members::table.filter(members::given_name.eq("Margaret")).count().get_result(&mut app.conn()).unwrap();
    assert_eq!(named, 0);
    assert!(kinds.iter().all(|(kind, _)| kind == "already_registered" || kind == "registration"));
}
