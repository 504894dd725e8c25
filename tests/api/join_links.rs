//! Join links: for whom, when, and nowhere else.

use diesel::prelude::*;
use diesel::sql_types::Text;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, sessions};
use serde_json::{Value, json};

use crate::editing::change;
use crate::mails_of_changes::carer;
use crate::support::log::listen;
use crate::support::{App, Client, SessionSeed, member_row, partner, partner_row, session_row, venue};

const LINK: &str = "https://meet.example.org/j/s3cr3t-m33t1ng";
const SECRET: &str = "s3cr3t-m33t1ng";

fn key(text: &str) -> Id {
    text.parse().unwrap()
}

/// A session on the Monday at 13:00, for 90 minutes, with a link.
fn linked(app: &App, seed: SessionSeed) -> String {
    let session = session_row(app, seed);
    let row = sessions::table.find(key(&session));
    diesel::update(row).set(sessions::join_link.eq(LINK)).execute(&mut app.conn()).unwrap();
    session
}

fn path(session: &str) -> String {
    format!("/v1/sessions/{session}/join-link")
}

fn book(client: &Client, session: &str, member: &str, delivery: &str) -> Value {
    let body = json!({ "member_id": member, "delivery": delivery, "if_full": "wait" });
    client.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201)
}

#[test]
fn a_member_with_an_online_seat_sees_the_link_from_an_hour_before_until_the_end() {
    let app = App::start();
    let session = linked(&app, SessionSeed { delivery: "online", ..SessionSeed::default() });
    let sam = member_row(&app, "Sam", "Riley");
    let (member, other) = (app.member(&sam), app.member(&member_row(&app, "Alex", "Moss")));
    member.get(&path(&session)).problem(404, "not-found");
    let booking = book(&member, &session, &sam, "online");
    let problem = member.get(&path(&session)).problem(409, "join-link-closed");
    assert_eq!(problem["detail"], "The link is shown from 2026-11-30T12:00:00Z until 2026-11-30T14:30:00Z.");
    app.at("2026-11-30T11:59:59Z");
    member.get(&path(&session)).problem(409, "join-link-closed");
    app.at("2026-11-30T12:00:00Z");
    let shown = member.get(&path(&session));
    assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"), "{}", shown.text);
    let body = json!({ "join_link": LINK, "opens_at": "2026-11-30T12:00:00Z", "closes_at": "2026-11-30T14:30:00Z" });
    assert_eq!(shown.json, body);
    other.get(&path(&session)).problem(404, "not-found");
    app.at("2026-11-30T14:29:59Z");
    let mark = json!({ "bookings": [{ "booking_id": booking["id"], "attended": true }], "walk_ins": [],
        "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    app.advisor().put(&format!("/v1/sessions/{session}/register"), "\"0\"", &mark).expect(200);
    member.get(&path(&session)).expect(200);
    app.at("2026-11-30T14:30:00Z");
    let problem = member.get(&path(&session)).problem(409, "join-link-closed");
    assert_eq!(problem["detail"], "The session ended at 2026-11-30T14:30:00Z.");
    // Each look is told to the audit: whose it was, and not what was seen.
    let looks = audit_events::table.filter(audit_events::resource_kind.eq("join_link"));
    type Look = (String, Option<Id>, Option<Id>, String);
    let columns = (audit_events::action, audit_events::member_id, audit_events::resource_id, audit_events::actor_kind);
    let looks: Vec<Look> = looks.select(columns).load(&mut app.conn()).unwrap();
    assert_eq!(looks, vec![("read".to_owned(), Some(key(&sam)), Some(key(&session)), "user".to_owned()); 2]);
}

#[test]
fn a_carer_opens_the_link_for_somebody_who_has_no_account_while_they_may_book_for_them() {
    let app = App::start();
    let advisor = app.advisor();
    let (cara, sid, relationship, tag) = carer(&app, &advisor);
    let client = app.member(&cara);
    let session = linked(&app, SessionSeed { delivery: "online", ..SessionSeed::default() });
    client.get(&path(&session)).problem(404, "not-found");
    book(&client, &session, &sid, "online");
    client.get(&path(&session)).problem(409, "join-link-closed");
    app.at("2026-11-30T12:00:00Z");
    assert_eq!(client.get(&path(&session)).expect(200)["join_link"], LINK);
    app.member(&member_row(&app, "Una", "Reid")).get(&path(&session)).problem(404, "not-found");
    advisor.patch(&relationship, &tag, &json!({ "status": "ended" })).expect(200);
    client.get(&path(&session)).problem(404, "not-found");
}

#[test]
fn a_seat_in_the_room_or_only_hoped_for_opens_no_link() {
    let app = App::start();
    let seed = SessionSeed { delivery: "hybrid", online_capacity: Some(1), ..SessionSeed::default() };
    let (session, advisor) = (linked(&app, seed), app.advisor());
    let [sam, alex, kim] = ["Sam", "Alex", "Kim"].map(|name| member_row(&app, name, "Riley"));
    let (room, call, waiting) = (app.member(&sam), app.member(&alex), app.member(&kim));
    book(&advisor, &session, &sam, "in_person");
    let held = book(&advisor, &session, &alex, "online");
    let hoped = book(&advisor, &session, &kim, "online");
    assert_eq!(hoped["status"], "waitlisted");
    app.at("2026-11-30T12:30:00Z");
    room.get(&path(&session)).problem(404, "not-found");
    call.get(&path(&session)).expect(200);
    waiting.get(&path(&session)).problem(404, "not-found");
    call.delete(&format!("/v1/bookings/{}", held["id"].as_str().unwrap())).expect(200);
    call.get(&path(&session)).problem(404, "not-found");
    // Offered is not yet held.
    let hoped = format!("/v1/bookings/{}", hoped["id"].as_str().unwrap());
    assert_eq!(waiting.get(&hoped).expect(200)["status"], "offered");
    waiting.get(&path(&session)).problem(404, "not-found");
    waiting.post(&format!("{hoped}/accept"), &Value::Null).expect(200);
    waiting.get(&path(&session)).expect(200);
    // Whose session is off has nothing to join.
    let cancel = json!({ "reason": "The facilitator is ill." });
    app.admin().post(&format!("/v1/sessions/{session}/cancel"), &cancel).expect(200);
    waiting.get(&path(&session)).problem(404, "not-found");
}

#[test]
fn a_link_follows_what_becomes_of_its_session() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let seed = SessionSeed { delivery: "hybrid", venue_id: place["id"].as_str(), ..SessionSeed::default() };
    let (session, sam) = (linked(&app, seed), member_row(&app, "Sam", "Riley"));
    let (member, at) = (app.member(&sam), format!("/v1/sessions/{session}"));
    book(&member, &session, &sam, "online");
    app.at("2026-11-30T12:30:00Z");
    member.get(&path(&session)).expect(200);
    change(&admin, &at, &json!({ "local_start": "2026-11-30T14:00:00" })).expect(200);
    let problem = member.get(&path(&session)).problem(409, "join-link-closed");
    assert_eq!(problem["detail"], "The link is shown from 2026-11-30T13:00:00Z until 2026-11-30T15:30:00Z.");
    app.at("2026-11-30T13:00:00Z");
    let shown = || member.get(&path(&session));
    assert_eq!(shown().expect(200)["join_link"], LINK);
    change(&admin, &at, &json!({ "join_link": "https://meet.example.org/j/other" })).expect(200);
    assert_eq!(shown().expect(200)["join_link"], "https://meet.example.org/j/other");
    change(&admin, &at, &json!({ "join_link": null })).expect(200);
    shown().problem(404, "not-found");
    admin.get(&path(&session)).problem(404, "not-found");
    change(&admin, &at, &json!({ "join_link": LINK, "delivery": "in_person" })).expect(200);
    shown().problem(404, "not-found");
    assert_eq!(admin.get(&path(&session)).expect(200)["join_link"], LINK);
}

#[test]
fn who_is_marked_absent_has_no_link_until_the_mark_is_taken_back() {
    let app = App::start();
    let session = linked(&app, SessionSeed { delivery: "online", ..SessionSeed::default() });
    let (sam, advisor) = (member_row(&app, "Sam", "Riley"), app.advisor());
    let (member, booking) = (app.member(&sam), book(&advisor, &session, &sam, "online"));
    app.at("2026-11-30T13:10:00Z");
    for (version, attended, status) in [(0, json!(false), 404), (1, Value::Null, 200), (2, json!(true), 200)] {
        let marks = json!({ "bookings": [{ "booking_id": booking["id"], "attended": attended }], "walk_ins": [],
            "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
        let register = format!("/v1/sessions/{session}/register");
        advisor.put(&register, &format!("\"{version}\""), &marks).expect(200);
        let shown = member.get(&path(&session));
        assert_eq!(shown.status, status, "marked {attended}: {}", shown.text);
        assert_eq!(shown.text.contains(SECRET), status == 200);
    }
}

#[test]
fn staff_see_a_link_at_any_time_and_nobody_sees_one_that_is_not_there() {
    let app = App::start();
    let reader = partner_row(&app, "the-reader");
    let seed = SessionSeed { delivery: "online", partner_id: Some(&reader), ..SessionSeed::default() };
    let session = linked(&app, seed);
    for staff in [app.admin(), app.advisor()] {
        assert_eq!(staff.get(&path(&session)).expect(200)["join_link"], LINK);
    }
    app.anonymous().get(&path(&session)).problem(401, "unauthenticated");
    for other in [app.analyst(), app.partner_user(&reader)] {
        other.get(&path(&session)).problem(403, "forbidden");
    }
    let without = session_row(&app, SessionSeed { delivery: "online", ..SessionSeed::default() });
    app.advisor().get(&path(&without)).problem(404, "not-found");
    app.advisor().get(&path(&app.clock.new_id().to_string())).problem(404, "not-found");
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    text: String,
}

#[test]
fn a_link_is_in_no_list_answer_problem_log_line_audit_event_or_kept_answer() {
    let (listener, app) = (listen(), App::start());
    let (admin, advisor) = (app.admin(), app.advisor());
    let reader = partner(&admin, "the-reader")["id"].as_str().unwrap().to_owned();
    let keyed = [("idempotency-key", "once")];
    let single = json!({ "title": "Poems", "pillar": "community", "delivery": "online", "join_link": LINK, "capacity": 1,
        "partner_id": reader, "local_start": "2026-11-30T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90 });
    let mut weekly = single.clone();
    weekly["recurrence"] = json!("FREQ=WEEKLY;COUNT=2");
    let mut wrong = single.clone();
    wrong["join_link"] = json!(format!("not a link {SECRET}"));
    let roster = json!({ "entries": [{ "external_id": "a", "title": "Poems", "pillar": "community", "delivery": "online",
        "join_link": LINK, "local_start": "2026-12-07T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60 }] });
    let mut wrong_roster = roster.clone();
    wrong_roster["entries"][0]["join_link"] = json!(format!("not a link {SECRET}"));
    let rosters = format!("/v1/partners/{reader}/rosters");

    let mut said = Vec::new();
    let made = admin.post_with("/v1/sessions", &keyed, &single);
    let series = admin.post_with("/v1/session-series", &keyed, &weekly);
    let (session, series_path) = (format!("/v1/sessions/{}", made.id()), format!("/v1/session-series/{}", series.id()));
    said.extend([made.clone(), series, admin.post_with("/v1/sessions", &keyed, &single)]);
    said.extend([admin.post("/v1/sessions", &wrong), admin.post_with(&rosters, &keyed, &roster)]);
    said.extend([admin.post(&rosters, &wrong_roster), admin.patch(&session, "\"1\"", &json!({ "join_link": LINK }))]);
    said.push(admin.patch(&session, "\"2\"", &json!({ "join_link": format!("not a link {SECRET}") })));
    said.push(admin.patch(&series_path, "\"1\"", &json!({ "join_link": LINK })));
    let sam = member_row(&app, "Sam", "Riley");
    let member = app.member(&sam);
    let bookings = format!("{session}/bookings");
    said.push(member.post_with(&bookings, &keyed, &json!({})));
    let partner = app.partner_user(&reader);
    for client in [&app.anonymous(), &admin, &advisor, &member, &partner] {
        for path in [&session, &series_path, "/v1/sessions", "/v1/session-series", &bookings, &rosters] {
            said.push(client.get(path));
        }
        said.push(client.get(&format!("/v1/members/{sam}/bookings")));
        said.push(client.get(&format!("{session}/register")));
    }
    // Too early, and with a query that is not taken.
    said.extend([member.get(&format!("{session}/join-link")), advisor.get(&format!("{session}/join-link?x={SECRET}"))]);
    said.push(advisor.post(&format!("{session}/cancel"), &json!({ "reason": "Ill" })));
    for answer in &said {
        // What was sent in the query is the client's own; everything else must not say it.
        assert!(!answer.text.contains(SECRET), "{}", answer.text);
        assert!(!format!("{:?}", answer.headers).contains(SECRET));
    }
    assert!(said.iter().filter(|answer| answer.status < 300).count() > 20);

    // It is there for whoever may see it.
    assert_eq!(advisor.get(&format!("{session}/join-link")).expect(200)["join_link"], LINK);
    for (table, column) in [("audit_events", "fields"), ("idempotency_records", "body"), ("roster_entries", "errors")] {
        let every = format!("SELECT CAST({column} AS TEXT) AS text FROM {table}");
        let kept: Vec<Kept> = diesel::sql_query(every).load(&mut app.conn()).unwrap();
        assert!(!kept.is_empty() || table == "roster_entries");
        assert!(kept.iter().all(|kept| !kept.text.contains(SECRET)), "{table}");
    }
    assert_eq!(listener.lines_with(SECRET), Vec::<String>::new());
}
