//! Series and sessions: writing, reading, listing, changing, cancelling; who sees what.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::{bookings, prescription_items, prescriptions, programmes, sessions, spaces};
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, id, member_row, partner_row, venue};

pub fn with(mut body: Value, change: Value) -> Value {
    for (name, value) in change.as_object().expect("an object") {
        match value {
            Value::Null => drop(body.as_object_mut().expect("an object").remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body
}

pub fn session_body(venue_id: &str) -> Value {
    json!({
        "title": "Reading in the park", "pillar": "community", "delivery": "in_person", "venue_id": venue_id,
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90
    })
}

pub fn series_body(venue_id: &str) -> Value {
    with(session_body(venue_id), json!({ "title": "Shared Reading", "recurrence": "FREQ=WEEKLY;COUNT=4" }))
}

pub fn make(client: &Client, body: &Value) -> Value {
    client.post("/v1/sessions", body).expect(201)
}

pub fn path(session: &Value) -> String {
    format!("/v1/sessions/{}", id(session))
}

pub fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().unwrap_or_else(|| panic!("{}", answer.text))
}

fn titles(answer: &Answer) -> Vec<&str> {
    items(answer).iter().filter_map(|item| item["title"].as_str()).collect()
}

fn programme_row(app: &App, partner: &str, slug: &str) -> String {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let values = (
        programmes::id.eq(id),
        programmes::partner_id.eq(partner.parse::<Id>().unwrap()),
        programmes::slug.eq(slug),
        programmes::name.eq(format!("Programme {slug}")),
        programmes::version.eq(1),
        programmes::created_at.eq(now),
        programmes::updated_at.eq(now),
    );
    diesel::insert_into(programmes::table).values(values).execute(&mut app.conn()).unwrap();
    id.to_string()
}

fn space_row(app: &App, venue: &str) -> String {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let values = (
        spaces::id.eq(id),
        spaces::venue_id.eq(venue.parse::<Id>().unwrap()),
        spaces::name.eq("Room 1"),
        spaces::kept_for.eq(Json(Vec::<Id>::new())),
        spaces::version.eq(1),
        spaces::created_at.eq(now),
        spaces::updated_at.eq(now),
    );
    diesel::insert_into(spaces::table).values(values).execute(&mut app.conn()).unwrap();
    id.to_string()
}

/// A booking of one seat that counts in its session.
pub fn booking_row(app: &App, session: &str, member: &str, status: &str) -> Id {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let session: Id = session.parse().unwrap();
    let values = (
        bookings::id.eq(id),
        bookings::session_id.eq(session),
        bookings::member_id.eq(member.parse::<Id>().unwrap()),
        bookings::status.eq(status),
        bookings::delivery.eq("in_person"),
        bookings::family.eq(0),
        bookings::carers.eq(0),
        bookings::seats.eq(1),
        bookings::reference.eq(id.to_string()),
        bookings::booked_by.eq(id),
        bookings::version.eq(1),
        bookings::created_at.eq(now),
        bookings::updated_at.eq(now),
    );
    diesel::insert_into(bookings::table).values(values).execute(&mut app.conn()).unwrap();
    diesel::update(sessions::table.find(session))
        .set(sessions::seats_taken.eq(sessions::seats_taken + 1))
        .execute(&mut app.conn())
        .unwrap();
    id
}

/// An item of a member's prescription for a series.
fn item_row(app: &App, member: &str, series: &str) {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let prescription = (
        prescriptions::id.eq(id),
        prescriptions::member_id.eq(member.parse::<Id>().unwrap()),
        prescriptions::origin.eq("self"),
        prescriptions::status.eq("draft"),
        prescriptions::version.eq(1),
        prescriptions::created_at.eq(now),
        prescriptions::updated_at.eq(now),
    );
    diesel::insert_into(prescriptions::table).values(prescription).execute(&mut app.conn()).unwrap();
    let item = (
        prescription_items::id.eq(app.clock.new_id()),
        prescription_items::prescription_id.eq(id),
        prescription_items::position.eq(0),
        prescription_items::kind.eq("series"),
        prescription_items::series_id.eq(series.parse::<Id>().unwrap()),
        prescription_items::status.eq("proposed"),
        prescription_items::version.eq(1),
        prescription_items::created_at.eq(now),
        prescription_items::updated_at.eq(now),
    );
    diesel::insert_into(prescription_items::table).values(item).execute(&mut app.conn()).unwrap();
}

#[test]
fn a_session_is_created_read_and_shown_with_its_venue_and_never_with_its_join_link() {
    let app = App::start();
    let (admin, anonymous) = (app.admin(), app.anonymous());
    let (place, partner) = (venue(&admin, "walton", "Liverpool"), partner_row(&app, "the-reader"));
    let programme = programme_row(&app, &partner, "shared-reading");
    let space = space_row(&app, id(&place));
    let body = with(
        session_body(id(&place)),
        json!({
            "partner_id": partner, "programme_id": programme, "space_id": space, "capacity": 12, "topics": ["reading"],
            "facilitator": "The Reader", "accessibility": ["bsl_interpreter"], "external_id": "park-1",
            "description": "Bring a blanket.", "join_link": "https://meet.example.org/secret-1"
        }),
    );
    let created = admin.post("/v1/sessions", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.tag_version(), "1");
    assert_eq!(created.header("location"), path(&created.json));
    let mut expected = with(body.clone(), json!({ "join_link": null }));
    for name in ["series_id", "online_capacity", "online_seats_taken", "online_seats_left", "cancellation_reason"] {
        expected[name] = json!(null);
    }
    for name in ["image", "price_pence", "price_note", "min_age", "max_age", "what_to_bring", "public_contact"] {
        expected[name] = json!(null);
    }
    for (name, value) in [
        ("is_free", json!(true)),
        ("languages", json!([])),
        ("id", created.json["id"].clone()),
        ("starts_at", json!("2027-01-05T13:00:00Z")),
        ("ends_at", json!("2027-01-05T14:30:00Z")),
        ("seats_taken", json!(0)),
        ("seats_left", json!(12)),
        ("waitlist_length", json!(0)),
        ("booking_policy", json!("bookable")),
        ("publication", json!("published")),
        ("status", json!("scheduled")),
        (
            "venue",
            json!({
                "id": id(&place), "slug": "walton", "name": "Venue walton", "local_authority": "Liverpool",
                "town": null, "postcode": null, "latitude": null, "longitude": null
            }),
        ),
        ("partner", json!({ "id": partner, "slug": "the-reader", "name": "Partner the-reader" })),
        ("programme", json!({ "id": programme, "slug": "shared-reading", "name": "Programme shared-reading" })),
        ("version", json!(1)),
        ("created_at", json!("2026-11-23T09:00:00Z")),
        ("updated_at", json!("2026-11-23T09:00:00Z")),
    ] {
        expected[name] = value;
    }
    assert_eq!(created.json, expected);

    let read = anonymous.get(&path(&created.json));
    assert_eq!(read.json, expected);
    assert_eq!(read.header("cache-control"), "public, no-cache");
    assert!(read.etag().starts_with("\"1-"), "{}", read.etag());
    let known = anonymous.send("GET", &path(&created.json), &[("if-none-match", read.etag())], b"");
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    let list = anonymous.get("/v1/sessions");
    assert_eq!(list.json["items"], json!([expected]));
    for text in [&created.text, &read.text, &list.text, &admin.get(&path(&created.json)).text] {
        assert!(!text.contains("secret-1") && !text.contains("join_link"), "{text}");
    }
    admin.post("/v1/sessions", &body).problem(409, "already-exists");
    anonymous.get("/v1/sessions/0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41").problem(404, "not-found");
}

#[test]
fn a_weekly_ten_o_clock_stays_ten_o_clock_across_every_clock_change() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let change = json!({ "local_start": "2027-01-04T10:00:00", "recurrence": "FREQ=WEEKLY;COUNT=52", "capacity": 10 });
    let created = admin.post("/v1/session-series", &with(series_body(id(&place)), change));
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.json["sessions"], json!({ "created": 52 }));
    assert_eq!(created.json["skipped"], json!([]));
    assert_eq!(created.header("location"), format!("/v1/session-series/{}", created.id()));
    let all = app.anonymous().get("/v1/sessions?limit=100");
    assert_eq!(items(&all).len(), 52);
    for session in items(&all) {
        let local = session["local_start"].as_str().unwrap();
        let summer = ("2027-03-28".."2027-10-31").contains(&&local[..10]);
        assert_eq!(&local[10..], "T10:00:00");
        let starts = format!("{}T{}:00:00Z", &local[..10], if summer { "09" } else { "10" });
        let ends = format!("{}T{}:30:00Z", &local[..10], if summer { "10" } else { "11" });
        assert_eq!((&session["starts_at"], &session["ends_at"]), (&json!(starts), &json!(ends)));
        assert_eq!(session["series_id"], created.json["id"]);
    }
    let read = app.anonymous().get(created.header("location"));
    // The version, and a digest of what can change without one: the names of its venue and partner.
    assert!(read.etag().starts_with("\"1-"), "{}", read.etag());
    assert_eq!(read.json["venue"]["slug"], "walton");
    assert_eq!((&read.json["status"], &read.json["recurrence"]), (&json!("active"), &json!("FREQ=WEEKLY;COUNT=52")));
}

#[test]
fn excluded_and_additional_times_make_their_difference_and_the_past_may_be_recorded() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let change = json!({
        "local_start": "2022-02-14T09:30:00", "recurrence": "FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20220301T235959Z",
        "excluded": ["2022-02-15T09:30:00"], "additional": ["2022-02-14T14:00:00"]
    });
    let created = admin.post("/v1/session-series", &with(series_body(id(&place)), change)).expect(201);
    assert_eq!(created["sessions"], json!({ "created": 6 }));
    assert_eq!(created["excluded"], json!(["2022-02-15T09:30:00"]));
    assert_eq!(created["additional"], json!(["2022-02-14T14:00:00"]));
    assert_eq!(app.anonymous().get("/v1/sessions").json["items"], json!([]));
    let past = app.anonymous().get("/v1/sessions?from=2022-02-14&to=2022-02-15");
    let starts: Vec<&Value> = items(&past).iter().map(|session| &session["local_start"]).collect();
    assert_eq!(starts, [&json!("2022-02-14T09:30:00"), &json!("2022-02-14T14:00:00")]);
    assert_eq!(items(&past)[0]["status"], "completed");
}

#[test]
fn a_wrong_series_is_refused_at_the_member_at_fault_and_nothing_is_written() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let cases = [
        (json!({ "recurrence": "FREQ=DAILY;COUNT=2001" }), "/recurrence", "too_many_occurrences"),
        (json!({ "recurrence": "EVERY WEEK" }), "/recurrence", "malformed_rule"),
        (json!({ "recurrence": "FREQ=HOURLY;COUNT=3" }), "/recurrence", "unsupported_rule_part"),
        (json!({ "recurrence": "FREQ=WEEKLY;BYDAY=MO;COUNT=3" }), "/local_start", "start_not_in_rule"),
        (json!({ "time_zone": "Europe/Liverpool" }), "/time_zone", "wrong_format"),
        (json!({ "additional": ["2150-01-01T10:00:00"] }), "/additional", "date_out_of_range"),
        (json!({ "additional": ["2027-02-30T10:00:00"] }), "/additional/0", "wrong_format"),
        (json!({ "duration_minutes": 0 }), "/duration_minutes", "too_small"),
        (json!({ "venue_id": null }), "/venue_id", "required"),
        (json!({ "online_capacity": 5 }), "/online_capacity", "not_hybrid"),
        (json!({ "topics": ["Not A Name"] }), "/topics/0", "wrong_format"),
        (json!({ "join_link": "javascript:alert(1)" }), "/join_link", "wrong_format"),
    ];
    for (change, pointer, code) in cases {
        let body = with(series_body(id(&place)), change);
        let problem = admin.post("/v1/session-series", &body).invalid(&[pointer]);
        assert_eq!(problem["errors"][0]["code"], code, "{body}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(code != "not_hybrid" || detail.contains("send null"), "{detail}");
    }
    assert_eq!(app.anonymous().get("/v1/session-series").json["items"], json!([]));
    assert_eq!(app.anonymous().get("/v1/sessions").json["items"], json!([]));
}

#[test]
fn everything_that_is_referred_to_must_exist_and_belong_together() {
    let app = App::start();
    let admin = app.admin();
    let (place, other) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let (reader, phil) = (partner_row(&app, "the-reader"), partner_row(&app, "phil"));
    let programme = programme_row(&app, &phil, "music");
    let space = space_row(&app, id(&other));
    let nobody = "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41";
    let unknown = json!({ "partner_id": nobody, "programme_id": nobody, "venue_id": nobody, "space_id": nobody });
    for (at, body) in [("/v1/sessions", session_body(id(&place))), ("/v1/session-series", series_body(id(&place)))] {
        let all = ["/partner_id", "/programme_id", "/venue_id", "/space_id"];
        admin.post(at, &with(body.clone(), unknown.clone())).invalid(&all);
        let foreign = json!({ "partner_id": reader, "programme_id": programme });
        let problem = admin.post(at, &with(body.clone(), foreign)).invalid(&["/programme_id"]);
        assert_eq!(problem["errors"][0]["code"], "foreign_programme");
        admin.post(at, &with(body.clone(), json!({ "programme_id": programme }))).invalid(&["/programme_id"]);
        admin.post(at, &with(body.clone(), json!({ "space_id": space }))).invalid(&["/space_id"]);
        let client = app.partner_client(&reader, &[Scope::SessionsWrite]);
        client.post(at, &with(body.clone(), json!({ "programme_id": programme }))).invalid(&["/programme_id"]);
        let problem = client.post(at, &with(body, json!({ "partner_id": phil }))).invalid(&["/partner_id"]);
        assert_eq!(problem["errors"][0]["code"], "foreign_partner");
    }
    assert_eq!(app.anonymous().get("/v1/sessions").json["items"], json!([]));
}

#[test]
fn a_partner_writes_its_own_and_finds_nobody_elses() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let (reader, phil) = (partner_row(&app, "the-reader"), partner_row(&app, "phil"));
    let own = app.partner_client(&reader, &[Scope::SessionsWrite]);
    let other = app.partner_client(&phil, &[Scope::SessionsWrite]);
    let session = make(&own, &session_body(id(&place)));
    assert_eq!(session["partner_id"], json!(reader));
    let series = own.post("/v1/session-series", &series_body(id(&place))).expect(201);
    assert_eq!(series["partner_id"], json!(reader));
    for path in [path(&session), format!("/v1/session-series/{}", id(&series))] {
        other.get(&path).expect(200);
        other.patch(&path, "\"1\"", &json!({ "title": "Mine" })).problem(404, "not-found");
        other.post(&format!("{path}/cancel"), &json!({ "reason": "x" })).problem(404, "not-found");
        let title = json!({ "title": "Renamed" });
        app.partner_client(&reader, &[]).patch(&path, "\"1\"", &title).problem(403, "insufficient-scope");
        app.anonymous().patch(&path, "\"1\"", &title).problem(401, "unauthenticated");
        app.analyst().patch(&path, "\"1\"", &title).problem(403, "forbidden");
        own.patch(&path, "", &title).problem(428, "precondition-required");
        own.patch(&path, "\"9\"", &title).problem(412, "precondition-failed");
        assert_eq!(own.patch(&path, "\"1\"", &title).expect(200)["title"], "Renamed");
    }
}

#[test]
fn drafts_and_unlisted_ones_are_seen_only_by_whom_they_are_for() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let (reader, phil) = (partner_row(&app, "the-reader"), partner_row(&app, "phil"));
    let (own, other) = (app.partner_client(&reader, &[]), app.partner_client(&phil, &[]));
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let (ann_client, bob_client) = (app.member(&ann), app.member(&bob));
    let one = json!({ "partner_id": reader, "recurrence": "FREQ=WEEKLY;COUNT=1" });
    let hidden = |publication: &str| {
        let body = with(series_body(id(&place)), with(one.clone(), json!({ "publication": publication })));
        let series = admin.post("/v1/session-series", &body).expect(201);
        let all = admin.get("/v1/sessions");
        let session = items(&all).iter().find(|session| session["series_id"] == series["id"]).unwrap().clone();
        (format!("/v1/session-series/{}", id(&series)), path(&session), id(&series).to_owned(), session)
    };
    let (draft_series, draft, ..) = hidden("draft");
    let (unlisted_series, unlisted, series_id, session) = hidden("unlisted");
    for path in [&draft_series, &draft, &unlisted_series, &unlisted] {
        for client in [&admin, &app.advisor(), &own] {
            client.get(path).expect(200);
        }
        for client in [&other, &app.anonymous(), &app.analyst(), &ann_client, &bob_client] {
            client.get(path).problem(404, "not-found");
        }
    }
    for (client, count) in [(&admin, 2), (&own, 2), (&other, 0), (&ann_client, 0), (&app.anonymous(), 0)] {
        assert_eq!(items(&client.get("/v1/sessions")).len(), count);
        assert_eq!(items(&client.get("/v1/session-series")).len(), count);
    }
    item_row(&app, &ann, &series_id);
    booking_row(&app, id(&session), &bob, "booked");
    for client in [&ann_client, &bob_client] {
        client.get(&unlisted).expect(200);
        client.get(&unlisted_series).expect(200);
        client.get(&draft).problem(404, "not-found");
        assert_eq!(client.get("/v1/sessions").json["items"], json!([]));
    }
}

#[test]
fn sessions_are_filtered_by_day_place_and_kind() {
    let app = App::start();
    let (admin, anonymous) = (app.admin(), app.anonymous());
    let (walton, bootle) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let partner = partner_row(&app, "the-reader");
    let programme = programme_row(&app, &partner, "shared-reading");
    let at = |title: &str, start: &str, change: Value| {
        let when = json!({ "title": title, "local_start": start });
        make(&admin, &with(with(session_body(id(&walton)), when), change))
    };
    at("gone", "2026-11-23T08:59:00", json!({}));
    at("late", "2027-07-01T23:30:00", json!({ "pillar": "learning" }));
    at("early", "2027-07-02T00:00:00", json!({ "partner_id": partner, "programme_id": programme }));
    at("sefton", "2027-07-02T10:00:00", json!({ "venue_id": id(&bootle) }));
    at("online", "2027-07-03T10:00:00", json!({ "venue_id": null, "delivery": "online" }));
    for (query, expected) in [
        ("", "late early sefton online"),
        ("from=2026-11-23", "gone late early sefton online"),
        ("from=2026-11-23&to=2026-11-23", "gone"),
        ("to=2027-07-01", "late"),
        ("from=2027-07-02&to=2027-07-02", "early sefton"),
        ("from=2027-07-03", "online"),
        ("pillar=learning", "late"),
        ("delivery=online", "online"),
        (&format!("venue_id={}", id(&bootle)), "sefton"),
        (&format!("partner_id={partner}"), "early"),
        (&format!("programme_id={programme}"), "early"),
        ("local_authority=Liverpool", "late early"),
        ("local_authority=Sefton&from=2027-01-01", "sefton"),
        ("local_authority=Halton", ""),
    ] {
        let answer = anonymous.get(&format!("/v1/sessions?{query}"));
        assert_eq!(titles(&answer).join(" "), expected, "{query}");
    }
    anonymous.get("/v1/sessions?from=2027-02-01&to=2027-01-31").wrong_parameter("to");
    for name in ["from", "to", "pillar", "delivery", "venue_id", "partner_id", "programme_id", "limit", "cursor"] {
        anonymous.get(&format!("/v1/sessions?{name}=wrong")).wrong_parameter(name);
    }
    anonymous.get("/v1/sessions?colour=red").wrong_parameter("colour");
}

#[test]
fn pages_of_sessions_meet_while_others_are_inserted() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = with(series_body(id(&place)), json!({ "recurrence": "FREQ=DAILY;COUNT=6" }));
    for _ in 0..3 {
        admin.post("/v1/session-series", &body).expect(201);
    }
    let early = with(session_body(id(&place)), json!({ "local_start": "2027-01-01T09:00:00" }));
    let (mut at, mut seen, mut pages) = ("/v1/sessions?limit=4".to_owned(), Vec::new(), 0);
    loop {
        let page = app.anonymous().get(&at);
        seen.extend(items(&page).iter().map(|s| (s["starts_at"].to_string(), s["id"].to_string())));
        make(&admin, &early);
        pages += 1;
        match page.json["next"].as_str() {
            Some(next) => at = next.to_owned(),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((pages, seen.len()), (5, 18));
    assert_eq!(seen, sorted);
    let cursor = at.split("cursor=").nth(1).unwrap().to_owned();
    app.anonymous().get(&format!("/v1/sessions?pillar=learning&cursor={cursor}")).wrong_parameter("cursor");
    app.anonymous().get(&format!("/v1/session-series?cursor={cursor}")).wrong_parameter("cursor");
    let page = app.anonymous().get("/v1/session-series?limit=2");
    let next = app.anonymous().get(page.json["next"].as_str().unwrap());
    assert_eq!((items(&page).len(), items(&next).len(), &next.json["next"]), (2, 1, &Value::Null));
    assert_eq!(items(&app.anonymous().get(&format!("/v1/session-series?venue_id={}", id(&place)))).len(), 3);
    assert_eq!(items(&app.anonymous().get("/v1/session-series?pillar=learning")).len(), 0);
}

#[test]
fn a_hybrid_session_counts_its_seats_by_delivery() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let hybrid = json!({ "delivery": "hybrid", "capacity": 4, "online_capacity": 20 });
    let session = make(&admin, &with(session_body(id(&place)), hybrid.clone()));
    assert_eq!((&session["seats_left"], &session["online_seats_left"]), (&json!(4), &json!(20)));
    assert_eq!(session["online_seats_taken"], 0);
    let without = with(session_body(id(&place)), json!({ "delivery": "hybrid", "venue_id": null }));
    admin.post("/v1/sessions", &without).invalid(&["/venue_id"]);
    let online = make(&admin, &with(without, json!({ "delivery": "online" })));
    assert!(online["venue"].is_null() && online["online_seats_taken"].is_null());
}

#[test]
fn a_series_posted_twice_with_one_key_is_made_once() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let key = [("idempotency-key", "one")];
    let first = admin.post_with("/v1/session-series", &key, &series_body(id(&place)));
    let second = admin.post_with("/v1/session-series", &key, &series_body(id(&place)));
    assert_eq!((first.status, second.status, &first.json), (201, 201, &second.json));
    assert_eq!(second.header("idempotent-replay"), "true");
    assert_eq!(items(&app.anonymous().get("/v1/sessions")).len(), 4);
}

#[test]
fn a_partner_has_one_series_or_session_by_an_external_id() {
    let app = App::start();
    let partner = partner_row(&app, "reader");
    let client = app.partner_client(&partner, &[Scope::SessionsWrite]);
    let single = json!({
        "title": "Reading", "pillar": "community", "delivery": "online", "local_start": "2027-01-05T13:00:00",
        "time_zone": "Europe/London", "duration_minutes": 60, "external_id": "tuesdays"
    });
    client.post("/v1/sessions", &single).expect(201);
    let mut series = single.clone();
    series["recurrence"] = json!("FREQ=WEEKLY;COUNT=2");
    let problem = client.post("/v1/session-series", &series).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/external_id");
    series["external_id"] = json!("wednesdays");
    client.post("/v1/session-series", &series).expect(201);
}
