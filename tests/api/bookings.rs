//! Bookings: seats, states, who sees them, and what happens when everybody comes at once.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, bookings, sessions};
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, SessionSeed, item_row, member_row, series_row, session_row};

fn key(text: &str) -> Id {
    text.parse().unwrap()
}

/// A session of so many seats.
pub fn session(app: &App, capacity: i32) -> String {
    session_row(app, SessionSeed { capacity: Some(capacity), ..SessionSeed::default() })
}

pub fn book(client: &Client, session: &str, member: &str) -> Answer {
    client.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member }))
}

/// Seats taken in person (or of a session that isn't hybrid) and online.
fn seats(app: &App, session: &str) -> (i32, i32) {
    let columns = (sessions::seats_taken, sessions::online_seats_taken);
    sessions::table.find(key(session)).select(columns).first(&mut app.conn()).unwrap()
}

pub fn rows(app: &App, session: &str) -> i64 {
    let of_session = bookings::table.filter(bookings::session_id.eq(key(session)));
    of_session.count().get_result(&mut app.conn()).unwrap()
}

/// What the audit says of a member: actions and kinds, sorted.
pub fn told(app: &App, member: &str) -> Vec<(String, String)> {
    audit_events::table
        .filter(audit_events::member_id.eq(key(member)))
        .order((audit_events::action, audit_events::resource_kind))
        .select((audit_events::action, audit_events::resource_kind))
        .load(&mut app.conn())
        .unwrap()
}

pub fn event(action: &str, kind: &str) -> (String, String) {
    (action.to_owned(), kind.to_owned())
}

#[test]
fn a_member_books_for_themself_reads_and_cancels() {
    let app = App::start();
    let (session, sam) = (session(&app, 3), member_row(&app, "Sam", "Riley"));
    let member = app.member(&sam);
    let made =
        member.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "party": { "family": 1, "carers": 1 } }));
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/bookings/{}", made.id()));
    assert_eq!((made.tag_version(), made.header("cache-control")), ("1", "no-store"));
    let reference = made.json["reference"].as_str().unwrap().to_owned();
    assert_eq!(reference.len(), 5);
    assert_eq!(
        made.json,
        json!({
            "id": made.id(), "session_id": session, "member_id": sam,
            "session": { "title": "Shared Reading", "starts_at": "2026-11-30T13:00:00Z", "ends_at": "2026-11-30T14:30:00Z",
                "time_zone": "Europe/London", "place": null, "series": null },
            "member": { "id": sam, "display_name": "Sam Riley" }, "status": "booked", "delivery": "in_person",
            "party": { "family": 1, "carers": 1 }, "seats": 3, "reference": reference, "prescription_item_id": null,
            "waitlist_position": null, "offer_expires_at": null, "cancellation_reason": null,
            "version": 1, "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:00:00Z"
        })
    );
    assert_eq!(seats(&app, &session), (3, 0));
    let read = member.get(&path);
    assert_eq!(read.json, made.json);
    assert_eq!(read.header("cache-control"), "no-store");
    assert_eq!(member.send("GET", &path, &[("if-none-match", read.etag())], b"").status, 304);

    app.at("2026-11-24T09:00:00Z");
    let cancelled = member.delete(&path);
    assert_eq!((cancelled.status, cancelled.tag_version()), (200, "2"));
    assert_eq!(cancelled.json["status"], "cancelled_by_member");
    assert_eq!(cancelled.json["updated_at"], "2026-11-24T09:00:00Z");
    assert_eq!(seats(&app, &session), (0, 0));
    assert_eq!(member.get(&path).json, cancelled.json);
    member.delete(&path).problem(409, "invalid-state");
    assert_eq!(seats(&app, &session), (0, 0));
    let again = member.post(&format!("/v1/sessions/{session}/bookings"), &json!({})).expect(201);
    assert_ne!(again["reference"], reference);
    assert_eq!(told(&app, &sam), [event("cancel", "booking"), event("create", "booking"), event("create", "booking")]);
}

#[test]
fn an_advisor_books_for_any_member_and_cancels_for_the_provider() {
    let app = App::start();
    let (session, sam) = (session(&app, 1), member_row(&app, "Sam", "Riley"));
    let advisor = app.advisor();
    let made = book(&advisor, &session, &sam);
    let path = format!("/v1/bookings/{}", made.id());
    assert_eq!(advisor.get(&path).expect(200), made.json);
    advisor.send("DELETE", &path, &[("if-match", "\"7\"")], b"").problem(412, "precondition-failed");
    advisor.delete(&format!("{path}?by=nobody")).wrong_parameter("by");
    app.member(&sam).delete(&format!("{path}?by=provider")).problem(403, "forbidden");
    let cancelled = advisor.delete(&format!("{path}?by=provider")).expect(200);
    assert_eq!(cancelled["status"], "cancelled_by_provider");
    assert_eq!(told(&app, &sam), [event("cancel", "booking"), event("create", "booking"), event("read", "booking")]);
}

#[test]
fn who_a_booking_is_for_is_checked() {
    let app = App::start();
    let (session, sam) = (session(&app, 5), member_row(&app, "Sam", "Riley"));
    let (alex, advisor) = (member_row(&app, "Alex", "Moss"), app.advisor());
    let path = format!("/v1/sessions/{session}/bookings");
    let nobody = app.clock.new_id().to_string();
    let problem = advisor.post(&path, &json!({})).invalid(&["/member_id"]);
    assert_eq!(problem["errors"][0]["code"], "required");
    let problem = book(&advisor, &session, &nobody).invalid(&["/member_id"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_member");
    let member = app.member(&sam);
    let (another, unknown) = (book(&member, &session, &alex), book(&member, &session, &nobody));
    assert_eq!(another.invalid(&["/member_id"])["errors"], unknown.invalid(&["/member_id"])["errors"]);
    assert_eq!(rows(&app, &session), 0);
    book(&member, &session, &sam).expect(201);
}

#[test]
fn every_fault_of_a_booking_is_named_and_nothing_is_taken() {
    let app = App::start();
    let (session, sam) = (session(&app, 5), member_row(&app, "Sam", "Riley"));
    let (advisor, path) = (app.advisor(), format!("/v1/sessions/{session}/bookings"));
    let body = json!({ "member_id": "sam", "delivery": "by_post", "party": { "family": 11, "carers": -1, "pets": 1 },
        "prescription_item_id": 7, "if_full": "hope", "seats": 9 });
    let pointers = [
        "/member_id",
        "/delivery",
        "/party/family",
        "/party/carers",
        "/party/pets",
        "/prescription_item_id",
        "/if_full",
        "/seats",
    ];
    advisor.post(&path, &body).invalid(&pointers);
    let body = json!({ "member_id": sam, "delivery": "online", "prescription_item_id": app.clock.new_id() });
    let problem = advisor.post(&path, &body).invalid(&["/delivery", "/prescription_item_id"]);
    assert_eq!(problem["errors"][1]["code"], "unknown_item");
    assert_eq!((seats(&app, &session), rows(&app, &session)), ((0, 0), 0));
}

#[test]
fn a_session_that_takes_no_bookings_says_why() {
    let app = App::start();
    let (advisor, sam) = (app.advisor(), member_row(&app, "Sam", "Riley"));
    let with = |seed| session_row(&app, seed);
    let cancelled = with(SessionSeed { status: "cancelled", ..SessionSeed::default() });
    let drop_in = with(SessionSeed { booking_policy: "drop_in", ..SessionSeed::default() });
    let started = with(SessionSeed { starts_at: "2026-11-23T09:00:00Z", ..SessionSeed::default() });
    let referral = with(SessionSeed { booking_policy: "referral_only", ..SessionSeed::default() });
    let problem = book(&advisor, &cancelled, &sam).problem(409, "invalid-state");
    assert!(problem["detail"].as_str().unwrap().contains("cancelled"));
    book(&advisor, &drop_in, &sam).problem(409, "takes-no-bookings");
    book(&advisor, &started, &sam).problem(409, "session-started");
    book(&advisor, &referral, &sam).problem(409, "referral-only");
    book(&advisor, &app.clock.new_id().to_string(), &sam).problem(404, "not-found");
    app.at("2026-11-23T08:59:59Z");
    book(&advisor, &started, &sam).expect(201);
}

#[test]
fn a_referral_needs_an_item_of_an_active_prescription_that_points_there() {
    let app = App::start();
    let (advisor, sam, alex) = (app.advisor(), member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let series = series_row(&app, None);
    let seed = SessionSeed { booking_policy: "referral_only", series_id: Some(&series), ..SessionSeed::default() };
    let (referral, other) = (session_row(&app, seed), session(&app, 5));
    let path = format!("/v1/sessions/{referral}/bookings");
    let draft = item_row(&app, &sam, "draft", Some(&referral), None);
    let elsewhere = item_row(&app, &sam, "active", Some(&other), None);
    let of_alex = item_row(&app, &alex, "active", None, Some(&series));
    for item in [&draft, &elsewhere, &of_alex] {
        let body = json!({ "member_id": sam, "prescription_item_id": item });
        advisor.post(&path, &body).invalid(&["/prescription_item_id"]);
    }
    book(&advisor, &referral, &sam).problem(409, "referral-only");
    // What Sam adds themself is no referral, whoever's prescription it is in.
    let advised = json!({ "member_id": sam, "origin": "advisor", "items": [] });
    let advised = advisor.post("/v1/prescriptions", &advised).expect(201);
    let advised = format!("/v1/prescriptions/{}", advised["id"].as_str().unwrap());
    advisor.post(&format!("{advised}/activate"), &Value::Null).expect(200);
    let as_sam = app.member(&sam);
    as_sam.post(&format!("{advised}/items"), &json!({ "kind": "series", "target_id": series })).expect(201);
    book(&as_sam, &referral, &sam).problem(409, "referral-only");
    let draft = json!({ "member_id": sam, "origin": "self", "items": [{ "kind": "series", "target_id": series }] });
    let own = as_sam.post("/v1/prescriptions", &draft).expect(201);
    let activate = format!("/v1/prescriptions/{}/activate", own["id"].as_str().unwrap());
    advisor.post(&activate, &Value::Null).expect(200);
    book(&advisor, &referral, &sam).problem(409, "referral-only");
    let body = json!({ "member_id": sam, "prescription_item_id": own["items"][0]["id"] });
    advisor.post(&path, &body).invalid(&["/prescription_item_id"]);
    let good = item_row(&app, &sam, "active", None, Some(&series));
    let made = advisor.post(&path, &json!({ "member_id": sam, "prescription_item_id": good })).expect(201);
    assert_eq!(made["prescription_item_id"], good);
    // Without naming it, the item that matches is taken.
    assert_eq!(book(&app.member(&alex), &referral, &alex).expect(201)["prescription_item_id"], of_alex);
    let body = json!({ "member_id": sam, "prescription_item_id": elsewhere });
    advisor.post(&format!("/v1/sessions/{other}/bookings"), &body).expect(201);
}

#[test]
fn members_book_unlisted_sessions_only_where_a_prescription_points_there_and_never_drafts() {
    let app = App::start();
    let (sam, alex) = (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let (member, other, advisor) = (app.member(&sam), app.member(&alex), app.advisor());
    let unlisted = session_row(&app, SessionSeed { publication: "unlisted", ..SessionSeed::default() });
    let draft = session_row(&app, SessionSeed { publication: "draft", ..SessionSeed::default() });
    book(&member, &unlisted, &sam).problem(404, "not-found");
    item_row(&app, &sam, "active", Some(&unlisted), None);
    item_row(&app, &sam, "active", Some(&draft), None);
    book(&member, &draft, &sam).problem(404, "not-found");
    let made = book(&member, &unlisted, &sam).expect(201);
    let list = member.get(&format!("/v1/sessions/{unlisted}/bookings")).expect(200);
    assert_eq!(list["items"], json!([made]));
    other.get(&format!("/v1/sessions/{unlisted}/bookings")).problem(404, "not-found");
    book(&advisor, &unlisted, &alex).expect(201);
    book(&advisor, &draft, &alex).expect(201);
    // A booking opens the session to its member.
    assert_eq!(
        other.get(&format!("/v1/sessions/{unlisted}/bookings")).expect(200)["items"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_party_is_booked_whole_or_not_at_all() {
    let app = App::start();
    let (session, advisor) = (session(&app, 4), app.advisor());
    let path = format!("/v1/sessions/{session}/bookings");
    let party = |family: i32, carers: i32| {
        let member = member_row(&app, "Sam", "Riley");
        json!({ "member_id": member, "party": { "family": family, "carers": carers } })
    };
    assert_eq!(advisor.post(&path, &party(1, 0)).expect(201)["seats"], 2);
    let problem = advisor.post(&path, &party(1, 1)).problem(409, "session-full");
    assert_eq!(problem["detail"], "2 seats are left, and 3 are wanted.");
    advisor.post(&path, &party(0, 1)).expect(201);
    assert_eq!(seats(&app, &session), (4, 0));
    let problem = advisor.post(&path, &party(0, 0)).problem(409, "session-full");
    assert_eq!(problem["detail"], "No seats are left.");
    assert_eq!(rows(&app, &session), 2);
}

#[test]
fn a_hybrid_session_counts_its_room_and_its_call_apart() {
    let app = App::start();
    let seed =
        SessionSeed { delivery: "hybrid", capacity: Some(1), online_capacity: Some(2), ..SessionSeed::default() };
    let (session, advisor) = (session_row(&app, seed), app.advisor());
    let path = format!("/v1/sessions/{session}/bookings");
    let seat = |delivery: Value| {
        advisor.post(&path, &json!({ "member_id": member_row(&app, "Sam", "Riley"), "delivery": delivery }))
    };
    let problem = seat(Value::Null).invalid(&["/delivery"]);
    assert_eq!(problem["errors"][0]["code"], "required");
    seat(json!("in_person")).expect(201);
    seat(json!("in_person")).problem(409, "session-full");
    let online = seat(json!("online")).expect(201);
    assert_eq!(online["delivery"], "online");
    seat(json!("online")).expect(201);
    seat(json!("online")).problem(409, "session-full");
    assert_eq!(seats(&app, &session), (1, 2));
    advisor.delete(&format!("/v1/bookings/{}", online["id"].as_str().unwrap())).expect(200);
    assert_eq!(seats(&app, &session), (1, 1));

    let online = session_row(&app, SessionSeed { delivery: "online", capacity: Some(1), ..SessionSeed::default() });
    assert_eq!(book(&advisor, &online, &member_row(&app, "Sam", "Riley")).expect(201)["delivery"], "online");
    book(&advisor, &online, &member_row(&app, "Sam", "Riley")).problem(409, "session-full");
    assert_eq!(seats(&app, &online), (1, 0));
}

#[test]
fn a_member_has_one_live_booking_of_a_session_and_cancelling_ends_once_it_starts() {
    let app = App::start();
    let (session, sam) = (session(&app, 5), member_row(&app, "Sam", "Riley"));
    let advisor = app.advisor();
    let made = book(&advisor, &session, &sam).expect(201);
    let problem = book(&advisor, &session, &sam).problem(409, "already-booked");
    assert_eq!(problem["errors"][0]["pointer"], "/member_id");
    assert_eq!(seats(&app, &session), (1, 0));
    app.at("2026-11-30T13:00:00Z");
    advisor.delete(&format!("/v1/bookings/{}", made["id"].as_str().unwrap())).problem(409, "session-started");
    assert_eq!(seats(&app, &session), (1, 0));
}

#[test]
fn a_repeated_request_books_once_and_is_answered_the_same() {
    let app = App::start();
    let (session, sam) = (session(&app, 5), member_row(&app, "Sam", "Riley"));
    let (member, path) = (app.member(&sam), format!("/v1/sessions/{session}/bookings"));
    let send = |body: &Value| member.post_with(&path, &[("idempotency-key", "book-1")], body);
    let first = send(&json!({}));
    assert_eq!((first.status, first.header("idempotent-replay")), (201, ""));
    let second = send(&json!({}));
    assert_eq!((second.status, second.header("idempotent-replay")), (201, "true"));
    assert_eq!((&second.json, second.etag()), (&first.json, first.etag()));
    assert_eq!(second.header("location"), first.header("location"));
    send(&json!({ "party": { "family": 1 } })).problem(422, "idempotency-mismatch");
    assert_eq!((seats(&app, &session), rows(&app, &session)), ((1, 0), 1));
}

#[test]
fn parallel_requests_with_one_key_make_one_booking() {
    let app = App::start();
    let (session, sam) = (session(&app, 5), member_row(&app, "Sam", "Riley"));
    let (member, path) = (app.member(&sam), format!("/v1/sessions/{session}/bookings"));
    let answers = all_at_once((0..8).map(|_| {
        let (member, path) = (member.clone(), path.clone());
        move || member.post_with(&path, &[("idempotency-key", "book-1")], &json!({}))
    }));
    for answer in &answers {
        assert_eq!((answer.status, &answer.json), (201, &answers[0].json), "{}", answer.text);
    }
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replay") == "true").count(), 7);
    assert_eq!((seats(&app, &session), rows(&app, &session)), ((1, 0), 1));
}

/// Runs all of them in threads that start together.
pub fn all_at_once<F: FnOnce() -> Answer + Send>(requests: impl Iterator<Item = F>) -> Vec<Answer> {
    let requests: Vec<F> = requests.collect();
    let barrier = std::sync::Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let start = |request: F| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                request()
            })
        };
        let threads: Vec<_> = requests.into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn of_a_hundred_who_want_the_last_seat_one_gets_it() {
    let app = App::start();
    let (session, advisor) = (session(&app, 3), app.advisor());
    for _ in 0..2 {
        book(&advisor, &session, &member_row(&app, "Sam", "Riley")).expect(201);
    }
    let members: Vec<String> = (0..100).map(|_| member_row(&app, "Sam", "Riley")).collect();
    let answers = all_at_once(members.iter().map(|member| {
        let (advisor, session) = (&advisor, &session);
        move || book(advisor, session, member)
    }));
    let (booked, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((booked.len(), refused.len()), (1, 99));
    for answer in refused {
        assert_eq!(answer.problem(409, "session-full")["detail"], "No seats are left.");
    }
    assert_eq!((seats(&app, &session), rows(&app, &session)), ((3, 0), 3));
}

#[test]
fn two_servers_on_one_database_give_the_last_seat_once() {
    let app = App::start();
    let other = app.beside();
    let (session, advisor) = (session(&app, 1), app.advisor());
    let members: Vec<String> = (0..100).map(|_| member_row(&app, "Sam", "Riley")).collect();
    let servers = [advisor.clone(), advisor.at(&other.url)];
    let answers = all_at_once(members.iter().enumerate().map(|(turn, member)| {
        let (client, session) = (&servers[turn % 2], &session);
        move || book(client, session, member)
    }));
    let (booked, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((booked.len(), refused.len()), (1, 99));
    for answer in refused {
        answer.problem(409, "session-full");
    }
    assert_eq!((seats(&app, &session), rows(&app, &session)), ((1, 0), 1));
}

#[test]
fn a_member_who_books_twenty_times_at_once_has_one_place() {
    let app = App::start();
    let (session, sam) = (session(&app, 1), member_row(&app, "Sam", "Riley"));
    let member = app.member(&sam);
    let answers = all_at_once((0..20).map(|_| || book(&member, &session, &sam)));
    let (booked, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(booked.len(), 1);
    for answer in refused {
        answer.problem(409, "already-booked");
    }
    assert_eq!((seats(&app, &session), rows(&app, &session)), ((1, 0), 1));
}
