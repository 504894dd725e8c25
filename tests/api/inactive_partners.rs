//! A partner that is paused or has ended: gone from what the public sees, while what people have booked stays theirs.

use serde_json::{Value, json};

use crate::editing::{path, series_path, session_body, with};
use crate::support::{App, Client, id, member_row, partner, programme, venue};
use crate::waiting::pass_on;

fn set_status(admin: &Client, partner: &Value, status: &str) {
    let path = format!("/v1/partners/{}", id(partner));
    let etag = admin.get(&path).etag().to_owned();
    admin.patch(&path, &etag, &json!({ "status": status })).expect(200);
}

fn ids(list: Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| id(item).to_owned()).collect()
}

/// A partner with a programme, a series of two and a single session at a venue, and a session of the service's own.
struct World {
    app: App,
    partner: Value,
    place: Value,
    series: Value,
    session: Value,
    own: Value,
}

impl World {
    fn new() -> Self {
        let app = App::start();
        let admin = app.admin();
        let (place, partner) = (venue(&admin, "walton", "Liverpool"), partner(&admin, "reader"));
        let reading = programme(&admin, id(&partner), "reading");
        let theirs = json!({ "partner_id": id(&partner), "programme_id": id(&reading), "booking_policy": "bookable" });
        let body = with(session_body(id(&place)), json!({ "local_start": "2026-11-30T13:00:00", "capacity": 5 }));
        let session = admin.post("/v1/sessions", &with(body.clone(), theirs.clone())).expect(201);
        let own = admin.post("/v1/sessions", &body).expect(201);
        let weekly = json!({ "local_start": "2026-12-01T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=2" });
        let series = admin.post("/v1/session-series", &with(with(body, theirs), weekly)).expect(201);
        Self { app, partner, place, series, session, own }
    }
}

#[test]
fn what_an_inactive_partner_offers_is_gone_for_the_public_and_back_when_it_is_active_again() {
    let world = World::new();
    let (app, admin) = (&world.app, world.app.admin());
    let other = partner(&admin, "other");
    let stranger = member_row(app, "Sam", "A");
    let direct = [
        path(&world.session),
        series_path(&world.series),
        format!("{}/calendar.ics", path(&world.session)),
        format!("{}/calendar.ics", series_path(&world.series)),
        format!("/v1/partners/{}/calendar.ics", id(&world.partner)),
        format!("/v1/partners/{}/programmes", id(&world.partner)),
    ];
    let of_venue = format!("/v1/venues/{}/calendar.ics", id(&world.place));
    let searches = ["", "?q=reading", "?local_authority=Liverpool", "?has_space=true"];
    let outside = [app.anonymous(), app.analyst(), app.member(&stranger), app.partner_user(id(&other))];
    let counts =
        |client: &Client| searches.map(|query| ids(client.get(&format!("/v1/sessions{query}")).expect(200)).len());
    let before = counts(&app.anonymous());
    assert_eq!(before[0], 4);
    for status in ["paused", "ended"] {
        set_status(&admin, &world.partner, status);
        for client in &outside {
            for path in &direct {
                client.get(path).problem(404, "not-found");
            }
            assert_eq!(counts(client), before.map(|count| count - 3), "{status}");
            assert_eq!(ids(client.get("/v1/sessions").expect(200)), [id(&world.own)]);
            let by_partner = format!("/v1/sessions?partner_id={}", id(&world.partner));
            assert_eq!(ids(client.get(&by_partner).expect(200)), Vec::<String>::new());
            assert_eq!(ids(client.get("/v1/session-series").expect(200)), Vec::<String>::new());
            assert_eq!(client.get(&of_venue).text.matches("BEGIN:VEVENT").count(), 1);
        }
        for client in [&admin, &app.advisor()] {
            direct.iter().for_each(|path| assert_eq!(client.get(path).status, 200, "{path}"));
            assert_eq!(counts(client), before);
            assert_eq!(client.get(&of_venue).text.matches("BEGIN:VEVENT").count(), 4);
        }
    }
    set_status(&admin, &world.partner, "active");
    for client in &outside {
        direct.iter().for_each(|path| assert_eq!(client.get(path).status, 200, "{path}"));
        assert_eq!(counts(client), before);
    }
}

#[test]
fn with_an_inactive_partner_nothing_new_is_booked_and_what_is_booked_stays() {
    let world = World::new();
    let (app, admin, advisor) = (&world.app, world.app.admin(), world.app.advisor());
    let [ann, bob] = ["Ann", "Bob"].map(|name| member_row(app, name, "A"));
    let (ann_client, bob_client) = (app.member(&ann), app.member(&bob));
    let bookings = format!("{}/bookings", path(&world.session));
    let booked = ann_client.post(&bookings, &json!({})).expect(201);
    let link = ann_client.post(&format!("/v1/members/{ann}/calendar-links"), &json!({})).expect(201);
    set_status(&admin, &world.partner, "ended");

    let problem = advisor.post(&bookings, &json!({ "member_id": bob })).problem(409, "partner-not-active");
    assert_eq!(problem["code"], "partner_not_active");
    // To a member who has nothing to do with it, there is no such session.
    bob_client.get(&path(&world.session)).problem(404, "not-found");
    bob_client.get(&bookings).problem(404, "not-found");
    bob_client.post(&bookings, &json!({})).problem(404, "not-found");
    assert_eq!(ids(ann_client.get(&bookings).expect(200)), [id(&booked)]);
    ann_client.get(&path(&world.session)).expect(200);
    assert_eq!(ann_client.get(&format!("{}/calendar.ics", path(&world.session))).status, 200);
    let read = ann_client.get(&format!("/v1/bookings/{}", id(&booked))).expect(200);
    assert_eq!((&read["status"], &read["session"]["title"]), (&json!("booked"), &world.session["title"]));
    assert_eq!(ids(ann_client.get(&format!("/v1/members/{ann}/bookings")).expect(200)), [id(&booked)]);
    let own = link["url"].as_str().unwrap().strip_prefix("https://life-rooms.invalid").unwrap();
    assert!(app.anonymous().get(own).text.contains("BEGIN:VEVENT"));
    // Not in the list of what's on, though: that is for finding something new.
    assert_eq!(ids(ann_client.get("/v1/sessions").expect(200)), [id(&world.own)]);

    // The partner's own access has ended; an advisor takes the register.
    app.at("2026-11-30T13:30:00Z");
    let register = format!("{}/register", path(&world.session));
    let body = json!({ "bookings": [{ "booking_id": id(&booked), "attended": true }], "walk_ins": [],
        "headcount": { "beneficiaries": 1, "family": 0, "carers": 0 } });
    app.partner_user(id(&world.partner)).put(&register, "\"0\"", &body).problem(403, "forbidden");
    let taken = advisor.put(&register, "\"0\"", &body).expect(200);
    assert_eq!(taken["bookings"][0]["status"], "attended");

    set_status(&admin, &world.partner, "active");
    let next = admin.get(&format!("/v1/sessions?partner_id={}&limit=1", id(&world.partner))).expect(200);
    bob_client.post(&format!("{}/bookings", path(&next["items"][0])), &json!({})).expect(201);
}

#[test]
fn a_draft_of_an_inactive_partner_stays_hidden_and_an_unlisted_one_stays_with_whom_it_is_for() {
    let world = World::new();
    let (app, admin) = (&world.app, world.app.admin());
    let ann = member_row(app, "Ann", "A");
    let booked = app.advisor().post(&format!("{}/bookings", path(&world.session)), &json!({ "member_id": ann }));
    booked.expect(201);
    let ann = app.member(&ann);
    for (publication, status) in [("unlisted", 200), ("draft", 404)] {
        let etag = admin.get(&path(&world.session)).etag().to_owned();
        admin.patch(&path(&world.session), &etag, &json!({ "publication": publication })).expect(200);
        set_status(&admin, &world.partner, "paused");
        assert_eq!(ann.get(&path(&world.session)).status, status, "{publication}");
        app.anonymous().get(&path(&world.session)).problem(404, "not-found");
        set_status(&admin, &world.partner, "active");
    }
}

#[test]
fn with_an_inactive_partner_nobody_who_waits_gets_a_seat_until_it_is_back() {
    let world = World::new();
    let (app, admin, advisor) = (&world.app, world.app.admin(), world.app.advisor());
    let [ann, bob] = ["Ann", "Bob"].map(|name| member_row(app, name, "A"));
    let session = path(&world.session);
    let etag = admin.get(&session).etag().to_owned();
    admin.patch(&session, &etag, &json!({ "capacity": 1 })).expect(200);
    let book = |member: &str| {
        advisor.post(&format!("{session}/bookings"), &json!({ "member_id": member, "if_full": "wait" })).expect(201)
    };
    let (held, waits, last) = (book(&ann), book(&bob), book(&member_row(app, "Cat", "A")));
    let at = format!("/v1/bookings/{}", id(&waits));
    set_status(&admin, &world.partner, "paused");
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    assert_eq!(advisor.get(&at).expect(200)["status"], "waitlisted");
    set_status(&admin, &world.partner, "active");
    assert_eq!(advisor.get(&at).expect(200)["status"], "offered");
    set_status(&admin, &world.partner, "ended");
    advisor.post(&format!("{at}/accept"), &Value::Null).problem(409, "partner-not-active");
    // The offer is taken back and not lost: it is made again, to the same person first.
    let waiting = advisor.get(&at).expect(200);
    assert_eq!((&waiting["status"], &waiting["waitlist_position"]), (&json!("waitlisted"), &json!(1)));
    app.at("2026-11-25T09:00:00Z");
    assert!(!pass_on(app));
    set_status(&admin, &world.partner, "active");
    assert_eq!(advisor.post(&format!("{at}/accept"), &Value::Null).expect(200)["status"], "booked");
    assert_eq!(advisor.get(&format!("/v1/bookings/{}", id(&last))).expect(200)["status"], "waitlisted");
}

#[test]
fn a_member_refers_to_nothing_of_an_inactive_partner() {
    let world = World::new();
    let (app, admin, advisor) = (&world.app, world.app.admin(), world.app.advisor());
    let ann = member_row(app, "Ann", "A");
    let client = app.member(&ann);
    let programme = world.session["programme_id"].clone();
    let targets = [
        ("partner", world.partner["id"].clone()),
        ("programme", programme),
        ("series", world.series["id"].clone()),
        ("session", world.session["id"].clone()),
    ];
    let prescribe = |client: &Client, (kind, target): &(&str, Value)| {
        let origin = if client.id == advisor.id { "advisor" } else { "self" };
        let item = json!({ "kind": kind, "target_id": target });
        client.post("/v1/prescriptions", &json!({ "member_id": ann, "origin": origin, "needs": [], "items": [item] }))
    };
    let consents = format!("/v1/members/{ann}/consents");
    let consent = |decision: &str| json!({ "purpose": "share_with_partner", "partner_id": world.partner["id"], "decision": decision, "evidence": "App" });
    client.post(&consents, &consent("given")).expect(201);
    for target in &targets {
        prescribe(&client, target).expect(201);
    }
    set_status(&admin, &world.partner, "paused");
    for target in &targets {
        let problem = prescribe(&client, target).invalid(&["/items/0/target_id"]);
        assert_eq!(problem["errors"][0]["code"], format!("unknown_{}", target.0));
        prescribe(&advisor, target).expect(201);
    }
    let problem = client.post(&consents, &consent("given")).invalid(&["/partner_id"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_partner");
    client.post(&consents, &consent("withdrawn")).expect(201);
}
