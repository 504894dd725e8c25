//! Moving and changing what is offered: one session, or all of a series that is still to come. Who is told what.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::audit_events;
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, consent_row, id, member_row, partner_row, venue};

/// A body with members changed; null takes one out.
pub fn with(mut body: Value, change: Value) -> Value {
    for (name, value) in change.as_object().expect("an object") {
        match value {
            Value::Null => drop(body.as_object_mut().expect("an object").remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body
}

/// A session of ninety minutes on a Tuesday.
pub fn session_body(venue_id: &str) -> Value {
    json!({
        "title": "Reading", "pillar": "community", "delivery": "in_person", "venue_id": venue_id,
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90
    })
}

pub fn path(session: &Value) -> String {
    format!("/v1/sessions/{}", id(session))
}

pub fn series_path(series: &Value) -> String {
    format!("/v1/session-series/{}", id(series))
}

/// The sessions of a series, by start, from the day of the tests' clock on.
pub fn sessions_of(client: &Client, series: &Value) -> Vec<Value> {
    let all = client.get("/v1/sessions?from=2026-11-01&limit=100").expect(200);
    let all = all["items"].as_array().expect("items").iter();
    all.filter(|session| session["series_id"] == series["id"]).cloned().collect()
}

pub fn starts(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["local_start"].as_str().expect("a start")).collect()
}

pub fn book(app: &App, session: &Value, member: &str, wish: Value) -> Value {
    let body = with(json!({ "member_id": member }), wish);
    app.advisor().post(&format!("{}/bookings", path(session)), &body).expect(201)
}

fn booking(app: &App, booking: &Value) -> Value {
    app.advisor().get(&format!("/v1/bookings/{}", id(booking))).expect(200)
}

/// What a member was told of their bookings: the action, and which members of the session.
pub fn told(app: &App, member: &str) -> Vec<(String, Vec<String>)> {
    let of_member = audit_events::table
        .filter(audit_events::member_id.eq(member.parse::<Id>().expect("an id")))
        .filter(audit_events::resource_kind.eq("booking"))
        .filter(audit_events::action.eq_any(["move", "cancel"]));
    let rows: Vec<(String, Json<Vec<String>>)> = of_member
        .order(audit_events::id)
        .select((audit_events::action, audit_events::fields))
        .load(&mut app.conn())
        .expect("events");
    rows.into_iter().map(|(action, fields)| (action, fields.0)).collect()
}

/// Of the bookings that an answer tells of: booking, outcome, reason, member.
pub fn news(answer: &Value) -> Vec<(&str, &str, Option<&str>, Option<&str>)> {
    let bookings = answer["bookings"].as_array().expect("bookings");
    let line = |news: &'_ Value, name: &str| news[name].as_str().map(str::to_owned);
    assert!(bookings.iter().all(|news| line(news, "reference").is_some_and(|text| text.len() == 5)), "{answer}");
    let lines = bookings.iter().map(|news| {
        let text = |name: &str| news[name].as_str();
        (text("booking_id").expect("an id"), text("outcome").expect("an outcome"), text("reason"), text("member_id"))
    });
    // Ids that were made in one instant of the tests' clock have no order among themselves.
    let mut lines: Vec<_> = lines.collect();
    lines.sort_by_key(|line| (line.1, line.0));
    lines
}

fn skipped(answer: &Value) -> Vec<(&str, &str)> {
    let skipped = answer["skipped"].as_array().expect("skipped").iter();
    skipped.map(|skip| (skip["local_start"].as_str().unwrap(), skip["reason"].as_str().unwrap())).collect()
}

/// Changes what was read just now.
pub fn change(client: &Client, path: &str, patch: &Value) -> Answer {
    let etag = client.get(path).etag().to_owned();
    client.patch(path, &etag, patch)
}

#[test]
fn a_session_moves_with_its_id_and_its_bookings_and_the_booked_are_told() {
    let app = App::start();
    let admin = app.admin();
    let (place, other) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let partner = partner_row(&app, "reader");
    let client = app.partner_client(&partner, &[Scope::SessionsWrite, Scope::BookingsRead]);
    let session = client.post("/v1/sessions", &with(session_body(id(&place)), json!({ "capacity": 5 }))).expect(201);
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let bookings = [&ann, &bob].map(|member| book(&app, &session, member, json!({})));
    let (of_ann, of_bob) = (id(&bookings[0]), id(&bookings[1]));
    consent_row(&app, &bob, &partner, "given");

    let renamed = change(&client, &path(&session), &json!({ "title": "Poems" })).expect(200);
    assert_eq!((&renamed["title"], &renamed["bookings"]), (&json!("Poems"), &json!([])));
    let moved = json!({ "local_start": "2027-07-06T10:30:00", "venue_id": id(&other), "duration_minutes": 60 });
    let answer = change(&client, &path(&session), &moved);
    assert_eq!((answer.status, answer.tag_version()), (200, "3"), "{}", answer.text);
    let answer = answer.json;
    assert_eq!((&answer["id"], &answer["venue"]["slug"]), (&session["id"], &json!("bootle")));
    assert_eq!(
        (&answer["starts_at"], &answer["ends_at"]),
        (&json!("2027-07-06T09:30:00Z"), &json!("2027-07-06T10:30:00Z"))
    );
    assert_eq!((&answer["seats_taken"], &answer["seats_left"]), (&json!(2), &json!(3)));
    let expect = |answer: &Value, whose: [Option<&str>; 2]| {
        let mut lines = [(of_ann, "kept", None, whose[0]), (of_bob, "kept", None, whose[1])];
        lines.sort_unstable();
        assert_eq!(news(answer), lines);
    };
    expect(&answer, [None, Some(&bob)]);
    let fields = ["local_start", "duration_minutes", "venue_id"].map(str::to_owned).to_vec();
    for member in [&ann, &bob] {
        assert_eq!(told(&app, member), [("move".to_owned(), fields.clone())]);
    }
    assert!(bookings.iter().all(|made| booking(&app, made)["status"] == "booked"));

    let back = json!({ "local_start": "2027-01-05T13:00:00" });
    let by_admin = change(&admin, &path(&session), &back).expect(200);
    expect(&by_admin, [None, None]);
    let without = app.partner_client(&partner, &[Scope::SessionsWrite]);
    let by_other = change(&without, &path(&session), &json!({ "duration_minutes": 45 })).expect(200);
    expect(&by_other, [None, None]);
    let by_advisor = change(&app.advisor(), &path(&session), &json!({ "duration_minutes": 50 })).expect(200);
    expect(&by_advisor, [Some(&ann), Some(&bob)]);
    assert!(by_advisor.to_string().contains("Ann"), "whoever calls them needs a name");
    assert!(![&by_admin, &by_other].iter().any(|answer| answer.to_string().contains("Ann")), "no names");
}

#[test]
fn bookings_of_a_kind_of_seat_that_is_gone_are_cancelled_and_no_others() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let hybrid = json!({ "delivery": "hybrid", "capacity": 4, "online_capacity": 20 });
    let session = admin.post("/v1/sessions", &with(session_body(id(&place)), hybrid)).expect(201);
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let there = book(&app, &session, &ann, json!({ "delivery": "in_person", "party": { "family": 1, "carers": 0 } }));
    let online = book(&app, &session, &bob, json!({ "delivery": "online", "party": { "family": 2, "carers": 0 } }));
    let at = path(&session);
    change(&admin, &at, &json!({ "delivery": "online" })).invalid(&["/online_capacity"]);
    change(&admin, &at, &json!({ "venue_id": null })).invalid(&["/venue_id"]);
    let few = json!({ "delivery": "online", "online_capacity": null, "capacity": 2 });
    change(&admin, &at, &few).problem(409, "capacity-below-seats");
    assert_eq!(booking(&app, &there)["status"], "booked", "nothing was changed");

    let to_zoom = json!({ "delivery": "online", "online_capacity": null, "reason": "We meet on Zoom." });
    let moved = change(&advisor, &at, &to_zoom).expect(200);
    assert_eq!(
        (&moved["seats_taken"], &moved["seats_left"], &moved["online_seats_taken"]),
        (&json!(3), &json!(1), &json!(null))
    );
    assert_eq!(
        news(&moved),
        [
            (id(&there), "cancelled", Some("We meet on Zoom."), Some(ann.as_str())),
            (id(&online), "kept", None, Some(bob.as_str()))
        ]
    );
    assert_eq!(booking(&app, &there)["status"], "cancelled_by_provider");
    assert_eq!(told(&app, &ann), [("cancel".to_owned(), vec!["status".to_owned()])]);
    assert_eq!(told(&app, &bob), [("move".to_owned(), vec!["delivery".to_owned()])]);
    assert!(moved.get("reason").is_none());

    let both = change(&admin, &at, &json!({ "delivery": "hybrid", "online_capacity": 3, "capacity": 1 })).expect(200);
    assert_eq!((&both["seats_taken"], &both["online_seats_taken"]), (&json!(0), &json!(3)));
    let room = change(&admin, &at, &json!({ "delivery": "in_person", "online_capacity": null })).expect(200);
    assert_eq!((&room["seats_taken"], &room["seats_left"]), (&json!(0), &json!(1)));
    assert_eq!(news(&room), [(id(&online), "cancelled", Some("The session takes place face to face only now."), None)]);
    assert!(booking(&app, &online)["status"] == "cancelled_by_provider");
    let drop_in = change(&admin, &at, &json!({ "booking_policy": "drop_in" })).expect(200);
    assert_eq!((&drop_in["booking_policy"], &drop_in["bookings"]), (&json!("drop_in"), &json!([])));
}

#[test]
fn what_has_started_or_is_off_is_not_moved_but_its_words_can_change() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = with(session_body(id(&place)), json!({ "local_start": "2026-11-23T10:00:00" }));
    let (session, off) = (admin.post("/v1/sessions", &body).expect(201), admin.post("/v1/sessions", &body).expect(201));
    admin.post(&format!("{}/cancel", path(&off)), &json!({ "reason": "Snow" })).expect(200);
    app.at("2026-11-23T10:00:00Z");
    let moves = [
        json!({ "local_start": "2026-12-01T10:00:00" }),
        json!({ "duration_minutes": 60 }),
        json!({ "time_zone": "Europe/Paris" }),
        json!({ "delivery": "online" }),
        json!({ "booking_policy": "drop_in" }),
    ];
    for patch in &moves {
        let problem = change(&admin, &path(&session), patch).problem(409, "session-started");
        assert!(problem["detail"].as_str().unwrap().contains("started"), "{problem}");
        let problem = change(&admin, &path(&off), patch).problem(409, "invalid-state");
        assert!(problem["detail"].as_str().unwrap().contains("cancelled"), "{problem}");
    }
    app.at("2026-11-23T12:00:00Z");
    for patch in &moves {
        let problem = change(&admin, &path(&session), patch).problem(409, "invalid-state");
        assert!(problem["detail"].as_str().unwrap().contains("completed"), "{problem}");
    }
    let words = json!({ "title": "Poems", "local_start": "2026-11-23T10:00:00" });
    assert_eq!(change(&admin, &path(&session), &words).expect(200)["title"], "Poems");
    assert_eq!(change(&admin, &path(&off), &words).expect(200)["title"], "Poems");
}

#[test]
fn a_session_is_moved_only_to_what_there_is_and_to_a_time_to_come() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = admin.post("/v1/sessions", &session_body(id(&place))).expect(201);
    let nobody = "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41";
    for (patch, pointer) in [
        (json!({ "venue_id": nobody }), "/venue_id"),
        (json!({ "space_id": nobody }), "/space_id"),
        (json!({ "programme_id": nobody }), "/programme_id"),
        (json!({ "local_start": "2150-01-01T10:00:00" }), "/local_start"),
        (json!({ "duration_minutes": 10081 }), "/duration_minutes"),
        (json!({ "time_zone": "Europe/Liverpool" }), "/time_zone"),
        (json!({ "partner_id": nobody }), "/partner_id"),
        (json!({ "reason": "" }), "/reason"),
    ] {
        change(&admin, &path(&session), &patch).invalid(&[pointer]);
    }
    admin.patch(&path(&session), "", &json!({ "duration_minutes": 60 })).problem(428, "precondition-required");
    admin.patch(&path(&session), "\"9\"", &json!({ "duration_minutes": 60 })).problem(412, "precondition-failed");
    let other = app.partner_client(&partner_row(&app, "phil"), &[Scope::SessionsWrite]);
    other.patch(&path(&session), "\"1\"", &json!({ "duration_minutes": 60 })).problem(404, "not-found");
    let made = book(&app, &session, &member_row(&app, "Ann", "A"), json!({}));
    let past = json!({ "local_start": "2026-11-20T13:00:00" });
    let problem = change(&admin, &path(&session), &past).invalid(&["/local_start"]);
    assert_eq!(problem["errors"][0]["code"], "has_passed");
    app.advisor().delete(&format!("/v1/bookings/{}", id(&made))).expect(200);
    assert_eq!(change(&admin, &path(&session), &past).expect(200)["status"], "completed", "the past may be recorded");
}

/// Six days from this morning on: the first is past, the second edited, the third off, the fourth excluded, the fifth
/// booked.
fn mixed(app: &App) -> (Value, Vec<Value>, String, Value) {
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({
        "local_start": "2026-11-23T08:00:00", "recurrence": "FREQ=DAILY;COUNT=6", "excluded": ["2026-11-26T08:00:00"],
        "capacity": 5
    });
    let series = admin.post("/v1/session-series", &with(session_body(id(&place)), body)).expect(201);
    let sessions = sessions_of(&admin, &series);
    change(&admin, &path(&sessions[1]), &json!({ "local_start": "2026-11-24T20:00:00" })).expect(200);
    admin.post(&format!("{}/cancel", path(&sessions[2])), &json!({ "reason": "Holiday" })).expect(200);
    let ann = member_row(app, "Ann", "A");
    let made = book(app, &sessions[3], &ann, json!({}));
    let sessions = sessions_of(&admin, &series);
    (series, sessions, ann, made)
}

#[test]
fn a_series_that_moves_takes_its_future_unedited_sessions_with_it() {
    let app = App::start();
    let (series, before, ann, made) = mixed(&app);
    let (admin, advisor) = (app.admin(), app.advisor());
    let other = venue(&admin, "bootle", "Sefton");
    let patch =
        json!({ "local_start": "2026-11-23T10:00:00", "venue_id": id(&other), "title": "Poems", "pillar": "learning" });
    let answer = change(&advisor, &series_path(&series), &patch);
    assert_eq!((answer.status, answer.tag_version()), (200, "2"), "{}", answer.text);
    let answer = answer.json;
    assert_eq!(answer["excluded"], json!(["2026-11-26T10:00:00"]), "what is excluded follows the time of day");
    assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }));
    assert_eq!(skipped(&answer), [("2026-11-24T20:00:00", "edited"), ("2026-11-25T08:00:00", "cancelled")]);
    assert_eq!(news(&answer), [(id(&made), "kept", None, Some(ann.as_str()))]);
    assert_eq!(told(&app, &ann), [("move".to_owned(), vec!["local_start".to_owned(), "venue_id".to_owned()])]);
    let after = sessions_of(&admin, &series);
    assert_eq!(after[..3], before[..3], "past, edited and cancelled ones stay as they are");
    assert_eq!(starts(&after[3..]), ["2026-11-27T10:00:00", "2026-11-28T10:00:00"]);
    for (old, new) in before.iter().zip(&after).skip(3) {
        assert_eq!((&old["id"], &new["title"], &new["venue"]["slug"]), (&new["id"], &json!("Poems"), &json!("bootle")));
    }
    assert_eq!((&after[3]["seats_taken"], &after[3]["version"]), (&json!(1), &json!(2)));
    assert_eq!(booking(&app, &made)["status"], "booked");

    let words = change(&advisor, &series_path(&series), &json!({ "title": "Stories" })).expect(200);
    assert_eq!((&words["sessions"]["updated"], &words["bookings"]), (&json!(2), &json!([])));
    assert_eq!(skipped(&words), [("2026-11-24T20:00:00", "edited"), ("2026-11-25T08:00:00", "cancelled")]);
}

#[test]
fn a_date_that_leaves_the_rule_is_off_unless_somebody_is_booked_and_new_dates_are_made() {
    let app = App::start();
    let (series, before, _, _) = mixed(&app);
    let (admin, at) = (app.admin(), series_path(&series));
    let shorter = json!({ "recurrence": "FREQ=DAILY;COUNT=2", "excluded": [], "reason": "Only twice." });
    let answer = change(&admin, &at, &shorter).expect(200);
    assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 1 }));
    assert_eq!(skipped(&answer), [("2026-11-24T20:00:00", "edited"), ("2026-11-27T08:00:00", "booked")]);
    let after = sessions_of(&admin, &series);
    assert_eq!(after[..4], before[..4]);
    assert_eq!((&after[4]["status"], &after[4]["cancellation_reason"]), (&json!("cancelled"), &json!("Only twice.")));

    let longer =
        json!({ "recurrence": "FREQ=DAILY;COUNT=7", "additional": ["2026-11-20T08:00:00", "2026-11-27T18:00:00"] });
    let answer = change(&admin, &at, &longer).expect(200);
    assert_eq!(answer["sessions"], json!({ "created": 3, "updated": 1, "cancelled": 0 }));
    let all = sessions_of(&admin, &series);
    let live: Vec<Value> = all.iter().filter(|session| session["status"] != "cancelled").cloned().collect();
    let expected = [
        "2026-11-23T08:00:00",
        "2026-11-24T20:00:00",
        "2026-11-26T08:00:00",
        "2026-11-27T08:00:00",
        "2026-11-27T18:00:00",
        "2026-11-28T08:00:00",
        "2026-11-29T08:00:00",
    ];
    assert_eq!(starts(&live), expected, "nothing is made of the past, and what people called off stays off");
}

#[test]
fn a_series_refuses_what_it_cannot_be() {
    let app = App::start();
    let (series, before, _, _) = mixed(&app);
    let (admin, at) = (app.admin(), series_path(&series));
    for (patch, pointer) in [
        (json!({ "venue_id": null }), "/venue_id"),
        (json!({ "venue_id": "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41" }), "/venue_id"),
        (json!({ "online_capacity": 3 }), "/online_capacity"),
        (json!({ "recurrence": "EVERY DAY" }), "/recurrence"),
        (json!({ "recurrence": "FREQ=WEEKLY;BYDAY=TU;COUNT=2" }), "/local_start"),
        (json!({ "local_start": "2150-01-01T08:00:00" }), "/local_start"),
        (json!({ "additional": ["2150-01-01T08:00:00"] }), "/additional"),
        (json!({ "recurrence": "FREQ=DAILY;COUNT=1", "excluded": ["2026-11-23T08:00:00"] }), "/recurrence"),
        (json!({ "external_id": "x" }), "/external_id"),
        (json!({ "duration_minutes": 0 }), "/duration_minutes"),
    ] {
        change(&admin, &at, &patch).invalid(&[pointer]);
    }
    let body = with(json!({}), json!({ "family": 3, "carers": 0 }));
    book(&app, &before[4], &member_row(&app, "Bob", "B"), json!({ "party": body }));
    let few = json!({ "capacity": 3, "local_start": "2026-11-23T10:00:00" });
    change(&admin, &at, &few).problem(409, "capacity-below-seats");
    admin.patch(&at, "", &few).problem(428, "precondition-required");
    admin.patch(&at, "\"9\"", &few).problem(412, "precondition-failed");
    let other = app.partner_client(&partner_row(&app, "phil"), &[Scope::SessionsWrite]);
    other.patch(&at, "\"1\"", &few).problem(404, "not-found");
    assert_eq!(admin.get(&at).json["version"], 1);
    let off = admin.post(&format!("{at}/cancel"), &json!({ "reason": "Closed." })).expect(200);
    assert_eq!(off["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 3 }));
    assert_eq!(news(&off).iter().map(|line| (line.1, line.2)).collect::<Vec<_>>(), [("cancelled", Some("Closed.")); 2]);
    let problem = change(&admin, &at, &json!({ "duration_minutes": 30 })).problem(409, "invalid-state");
    assert!(problem["detail"].as_str().unwrap().contains("cancelled"), "{problem}");
}

#[test]
fn a_delivery_stays_in_sessions_in_which_somebody_would_lose_a_seat() {
    let app = App::start();
    let (series, _, _, made) = mixed(&app);
    let answer = change(&app.admin(), &series_path(&series), &json!({ "delivery": "online" })).expect(200);
    assert_eq!(answer["sessions"]["updated"], 1);
    assert!(skipped(&answer).contains(&("2026-11-27T08:00:00", "booked")), "{answer}");
    assert_eq!(booking(&app, &made)["status"], "booked");
    let deliveries: Vec<Value> = sessions_of(&app.admin(), &series).iter().map(|s| s["delivery"].clone()).collect();
    assert_eq!(deliveries, ["in_person", "in_person", "in_person", "in_person", "online"]);
}

#[test]
fn a_cancellation_says_what_became_of_whose_booking() {
    let app = App::start();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let session = app.admin().post("/v1/sessions", &session_body(id(&place))).expect(201);
    let ann = member_row(&app, "Ann", "A");
    let made = book(&app, &session, &ann, json!({}));
    let key = [("idempotency-key", "off")];
    let at = format!("{}/cancel", path(&session));
    let (advisor, reason) = (app.advisor(), json!({ "reason": "Snow" }));
    let answer = advisor.post_with(&at, &key, &reason).expect(200);
    assert_eq!(news(&answer), [(id(&made), "cancelled", Some("Snow"), Some(ann.as_str()))]);
    let reads = || -> i64 {
        let of_ann = audit_events::table.filter(audit_events::member_id.eq(ann.parse::<Id>().unwrap()));
        of_ann.filter(audit_events::action.eq("read")).count().get_result(&mut app.conn()).unwrap()
    };
    let before = reads();
    assert_eq!(advisor.post_with(&at, &key, &reason).expect(200), answer);
    assert_eq!(reads(), before + 1, "giving it again is a read of whom it names");
}

#[test]
fn a_session_that_is_called_off_while_it_moves_is_off_for_everybody() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let hybrid = json!({ "delivery": "hybrid", "capacity": 4 });
    let session = admin.post("/v1/sessions", &with(session_body(id(&place)), hybrid)).expect(201);
    let people = ["in_person", "online"].map(|delivery| {
        let member = member_row(&app, delivery, "A");
        book(&app, &session, &member, json!({ "delivery": delivery }));
        member
    });
    let off = json!({ "delivery": "online", "status": "cancelled", "cancellation_reason": "Snow" });
    let answer = change(&admin, &path(&session), &off).expect(200);
    assert_eq!((&answer["status"], &answer["seats_taken"]), (&json!("cancelled"), &json!(0)));
    assert_eq!(news(&answer).iter().map(|line| (line.1, line.2)).collect::<Vec<_>>(), [("cancelled", Some("Snow")); 2]);
    assert!(people.iter().all(|member| told(&app, member).len() == 1));
}

#[test]
fn a_roster_that_moves_a_session_tells_the_people_booked() {
    let app = App::start();
    venue(&app.admin(), "walton", "Liverpool");
    let partner = partner_row(&app, "reader");
    let client = app.partner_client(&partner, &[Scope::RostersWrite]);
    let entry = |start: &str, title: &str| {
        json!({ "entries": [{
            "external_id": "a", "title": title, "pillar": "community", "delivery": "in_person", "venue": "walton",
            "local_start": start, "time_zone": "Europe/London", "duration_minutes": 90, "recurrence": "FREQ=WEEKLY;COUNT=2"
        }] })
    };
    let post = |roster: &Value| client.post(&format!("/v1/partners/{partner}/rosters"), roster).expect(201);
    let posted = post(&entry("2027-01-05T13:00:00", "Reading"));
    let series = json!({ "id": posted["entries"][0]["resource_id"] });
    let ann = member_row(&app, "Ann", "A");
    book(&app, &sessions_of(&client, &series)[1], &ann, json!({}));
    post(&entry("2027-01-05T13:00:00", "Poems"));
    assert_eq!(told(&app, &ann), []);
    post(&entry("2027-01-05T14:00:00", "Poems"));
    assert_eq!(told(&app, &ann), [("move".to_owned(), vec!["local_start".to_owned()])]);
}

#[test]
fn people_who_book_while_a_series_moves_are_told_or_book_the_new_time() {
    let app = App::start();
    let admin = app.admin();
    let (place, other) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let body = json!({ "recurrence": "FREQ=WEEKLY;COUNT=4", "capacity": 30 });
    let series = admin.post("/v1/session-series", &with(session_body(id(&place)), body)).expect(201);
    let session = sessions_of(&admin, &series)[0].clone();
    let members: Vec<String> = (0..12).map(|n| member_row(&app, &format!("M{n}"), "A")).collect();
    let moved = std::thread::scope(|scope| {
        let threads: Vec<_> = members
            .iter()
            .map(|member| {
                let (advisor, at) = (app.advisor(), format!("{}/bookings", path(&session)));
                scope.spawn(move || advisor.post(&at, &json!({ "member_id": member })).expect(201))
            })
            .collect();
        let moved = change(&admin, &series_path(&series), &json!({ "venue_id": id(&other) })).expect(200);
        for thread in threads {
            thread.join().unwrap();
        }
        moved
    });
    let told_of: Vec<&String> = members.iter().filter(|member| !told(&app, member).is_empty()).collect();
    assert_eq!(moved["bookings"].as_array().unwrap().len(), told_of.len());
    let after = sessions_of(&admin, &series);
    assert_eq!((&after[0]["seats_taken"], &after[0]["venue"]["slug"]), (&json!(12), &json!("bootle")));
}

#[test]
fn a_patch_that_cancels_ignores_everything_else() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = admin.post("/v1/sessions", &with(session_body(id(&place)), json!({ "capacity": 5 }))).expect(201);
    let members = ["Ann", "Bob", "Cat"].map(|name| member_row(&app, name, "A"));
    for member in &members {
        book(&app, &session, member, json!({}));
    }
    let off = json!({ "status": "cancelled", "cancellation_reason": "Ill", "capacity": 1, "title": "Poems",
        "local_start": "2027-01-06T13:00:00" });
    let answer = change(&admin, &path(&session), &off).expect(200);
    assert_eq!((&answer["status"], &answer["cancellation_reason"]), (&json!("cancelled"), &json!("Ill")));
    for member in ["capacity", "title", "local_start"] {
        assert_eq!(answer[member], session[member], "{member}");
    }
    assert_eq!((&answer["version"], news(&answer).len()), (&json!(2), 3));
    assert!(news(&answer).iter().all(|line| (line.1, line.2) == ("cancelled", Some("Ill"))), "{answer}");
    let events = audit_events::table
        .filter(audit_events::resource_kind.eq("session").and(audit_events::action.eq("change")))
        .select(audit_events::fields);
    let fields: Vec<Json<Vec<String>>> = events.load(&mut app.conn()).unwrap();
    assert_eq!(fields[0].0, ["cancellation_reason", "status"]);
    assert_eq!(told(&app, &members[0]), [("cancel".to_owned(), vec!["status".to_owned()])]);
}
