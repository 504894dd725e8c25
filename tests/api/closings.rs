//! A venue is closed: which sessions that concerns, who can still be booked, and calling them off.

use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use life_rooms::db::schema::audit_events;
use life_rooms::db::{Conn, Id};
use life_rooms::error::Error;
use life_rooms::sessions::clashes;
use serde_json::{Value, json};

use crate::editing::{change, path, session_body, with};
use crate::support::{Answer, App, Client, SessionSeed, id, insert_session, member_row, partner_row, venue};

/// A bookable session at a venue.
fn session(admin: &Client, place: &Value, start: &str, other: Value) -> Value {
    let bookable = json!({ "local_start": start, "booking_policy": "bookable", "capacity": 5 });
    admin.post("/v1/sessions", &with(with(session_body(id(place)), bookable), other)).expect(201)
}

fn book(client: &Client, session: &Value, body: &Value) -> Answer {
    client.post(&format!("{}/bookings", path(session)), body)
}

pub fn patch_venue(admin: &Client, place: &Value, query: &str, patch: &Value) -> Answer {
    let path = format!("/v1/venues/{}", id(place));
    let etag = admin.get(&path).etag().to_owned();
    admin.patch(&format!("{path}{query}"), &etag, patch)
}

/// The ids of the sessions that an answer lists, and how many places are booked in each.
fn affected(answer: &Value) -> Vec<(&str, i64)> {
    let listed = answer["affected_sessions"].as_array().unwrap().iter();
    listed.map(|session| (session["session_id"].as_str().unwrap(), session["booked"].as_i64().unwrap())).collect()
}

/// How often the audit tells of this of a member.
fn told(app: &App, member: &str, action: &str) -> i64 {
    audit_events::table
        .filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()))
        .filter(audit_events::action.eq(action))
        .filter(audit_events::resource_kind.eq("booking"))
        .count()
        .get_result(&mut app.conn())
        .unwrap()
}

const WEEK: &str = "2027-01-11";

/// Closed from Monday to Sunday.
pub fn closed_for_a_week() -> Value {
    json!({ "status": "temporarily_closed", "status_from": WEEK, "status_until": "2027-01-17" })
}

#[test]
fn closing_a_venue_lists_what_is_on_there_and_refuses_new_bookings() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let (place, other) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let [ann, bob] = ["Ann", "Bob"].map(|name| member_row(&app, name, "A"));
    let before = session(&admin, &place, "2027-01-10T13:00:00", json!({}));
    let first = session(&admin, &place, "2027-01-11T13:00:00", json!({}));
    let last = session(&admin, &place, "2027-01-17T13:00:00", json!({ "capacity": 3 }));
    let hybrid = session(&admin, &place, "2027-01-12T13:00:00", json!({ "delivery": "hybrid" }));
    let online = session(&admin, &place, "2027-01-13T13:00:00", json!({ "delivery": "online" }));
    session(&admin, &place, "2027-01-18T13:00:00", json!({}));
    session(&admin, &other, "2027-01-12T13:00:00", json!({}));
    let off = session(&admin, &place, "2027-01-14T13:00:00", json!({}));
    admin.post(&format!("{}/cancel", path(&off)), &json!({ "reason": "Ill" })).expect(200);
    let booked =
        book(&advisor, &first, &json!({ "member_id": ann, "party": { "family": 1, "carers": 1 } })).expect(201);
    book(&advisor, &last, &json!({ "member_id": ann, "party": { "family": 2, "carers": 0 } })).expect(201);
    book(&advisor, &last, &json!({ "member_id": bob, "if_full": "wait" })).expect(201);

    let open = patch_venue(&admin, &place, "", &json!({ "capacity": 40 })).expect(200);
    assert_eq!((affected(&open), &open["affected"]), (vec![], &json!({ "sessions": 0, "booked": 0 })));
    let closed = patch_venue(&admin, &place, "", &closed_for_a_week()).expect(200);
    assert_eq!(affected(&closed), [(id(&first), 3), (id(&hybrid), 0), (id(&last), 3)]);
    assert_eq!(closed["affected"], json!({ "sessions": 3, "booked": 6 }));
    assert_eq!(closed["bookings"], json!([]));
    let waited = &closed["affected_sessions"][2];
    assert_eq!((&waited["waiting"], &waited["outcome"]), (&json!(1), &json!("kept")));
    assert_eq!(waited["local_start"], "2027-01-17T13:00:00");

    // What is booked stays.
    for session in [&before, &first, &hybrid, &online, &last] {
        assert_eq!(admin.get(&path(session)).json["status"], "scheduled");
    }
    assert_eq!(app.member(&ann).get(&format!("/v1/bookings/{}", id(&booked))).json["status"], "booked");
}

#[test]
fn at_a_closed_venue_nobody_is_booked_to_come() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let ann = member_row(&app, "Ann", "A");
    let [before, within, hybrid, online] = [
        ("2027-01-10T13:00:00", json!({})),
        ("2027-01-11T13:00:00", json!({})),
        ("2027-01-12T13:00:00", json!({ "delivery": "hybrid" })),
        ("2027-01-13T13:00:00", json!({ "delivery": "online" })),
    ]
    .map(|(start, other)| session(&admin, &place, start, other));
    patch_venue(&admin, &place, "", &closed_for_a_week()).expect(200);
    for client in [&advisor, &app.member(&ann)] {
        let problem = book(client, &within, &json!({ "member_id": ann })).problem(409, "venue-closed");
        assert_eq!(problem["code"], "venue_closed");
        let waiting = json!({ "member_id": ann, "if_full": "wait" });
        book(client, &within, &waiting).problem(409, "venue-closed");
        let comes = json!({ "member_id": ann, "delivery": "in_person" });
        book(client, &hybrid, &comes).problem(409, "venue-closed");
    }
    book(&advisor, &hybrid, &json!({ "member_id": ann, "delivery": "online" })).expect(201);
    for open in [&before, &online] {
        book(&advisor, open, &json!({ "member_id": ann })).expect(201);
    }
    // Moved elsewhere, or with the venue open again, it can be booked.
    patch_venue(&admin, &place, "", &json!({ "status": "open" })).expect(200);
    book(&advisor, &within, &json!({ "member_id": ann })).expect(201);
}

#[test]
fn closing_may_call_off_what_is_on_and_lists_the_bookings_without_the_members() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let [ann, bob] = ["Ann", "Bob"].map(|name| member_row(&app, name, "A"));
    let within = session(&admin, &place, "2027-01-11T13:00:00", json!({ "capacity": 1 }));
    let after = session(&admin, &place, "2027-01-18T13:00:00", json!({}));
    let booked = book(&advisor, &within, &json!({ "member_id": ann })).expect(201);
    let waits = book(&advisor, &within, &json!({ "member_id": bob, "if_full": "wait" })).expect(201);
    book(&advisor, &after, &json!({ "member_id": ann })).expect(201);

    patch_venue(&admin, &place, "?sessions=close", &closed_for_a_week()).wrong_parameter("sessions");
    // First looked at, then called off: the second request changes nothing of the venue itself.
    let first = patch_venue(&admin, &place, "", &closed_for_a_week()).expect(200);
    let second = patch_venue(&admin, &place, "?sessions=cancel", &json!({})).expect(200);
    assert_eq!((&second["version"], affected(&second)), (&first["version"], vec![(id(&within), 1)]));
    assert_eq!(second["affected_sessions"][0]["outcome"], "cancelled");
    assert_eq!(second["bookings"].as_array().unwrap().len(), 2);
    for booking in [&booked, &waits] {
        let named = |told: &&Value| told["booking_id"] == booking["id"] && told["reference"] == booking["reference"];
        assert!(second["bookings"].as_array().unwrap().iter().any(|told| named(&told)), "{booking}");
    }
    for booking in second["bookings"].as_array().unwrap() {
        assert_eq!(booking["outcome"], "cancelled");
        assert!(booking["reason"].as_str().unwrap().contains("closed"), "{booking}");
        // An admin reads no person's record.
        assert!(booking.get("member_id").is_none_or(Value::is_null), "{booking}");
    }
    let cancelled = admin.get(&path(&within)).expect(200);
    assert_eq!((&cancelled["status"], &cancelled["seats_taken"]), (&json!("cancelled"), &json!(0)));
    assert_eq!(cancelled["waitlist_length"], 0);
    assert_eq!(admin.get(&path(&after)).json["status"], "scheduled");
    for (member, booking) in [(&ann, &booked), (&bob, &waits)] {
        let read = app.member(member).get(&format!("/v1/bookings/{}", id(booking))).expect(200);
        assert_eq!(read["status"], "cancelled_by_provider");
        assert_eq!(told(&app, member, "cancel"), 1);
    }
    let third = patch_venue(&admin, &place, "?sessions=cancel", &json!({})).expect(200);
    assert_eq!((affected(&third), &third["bookings"]), (vec![], &json!([])));
}

#[test]
fn a_change_that_changes_nothing_leaves_the_venue_as_it_is() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let events = |app: &App| -> i64 {
        let of_venue = audit_events::table.filter(audit_events::resource_kind.eq("venue"));
        of_venue.count().get_result(&mut app.conn()).unwrap()
    };
    let before = events(&app);
    let same = patch_venue(&admin, &place, "", &json!({ "name": place["name"], "status": "open" }));
    assert_eq!((same.etag(), &same.json["version"]), ("\"1\"", &json!(1)), "{}", same.text);
    assert_eq!(events(&app), before);
}

#[test]
fn a_session_becomes_one_that_people_come_to_only_where_its_venue_is_open() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    patch_venue(&admin, &place, "", &closed_for_a_week()).expect(200);
    let online = session(&admin, &place, "2027-01-12T13:00:00", json!({ "delivery": "online" }));
    change(&admin, &path(&online), &json!({ "delivery": "in_person" })).problem(409, "venue-closed");
    let after = session(&admin, &place, "2027-01-19T13:00:00", json!({ "delivery": "online" }));
    change(&admin, &path(&after), &json!({ "delivery": "in_person" })).expect(200);
}

#[test]
fn a_venue_takes_sessions_after_midnight_while_the_hours_of_the_day_before_go_on() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let friday = json!({ "opening_hours": { "friday": [{ "opens": "18:00", "closes": "01:00" }] } });
    patch_venue(&admin, &place, "", &friday).expect(200);
    let at = |start: &str| with(session_body(id(&place)), json!({ "local_start": start, "duration_minutes": 30 }));
    admin.post("/v1/sessions", &at("2027-01-15T23:45:00")).expect(201);
    let late = admin.post("/v1/sessions", &at("2027-01-16T00:15:00")).expect(201);
    admin.post("/v1/sessions", &at("2027-01-16T01:00:00")).problem(409, "venue-closed");
    admin.post("/v1/sessions", &at("2027-01-15T00:30:00")).expect(201);
    // Hours that leave a session outside say so.
    let earlier = json!({ "opening_hours": { "friday": [{ "opens": "18:00", "closes": "00:00" }] } });
    assert_eq!(affected(&patch_venue(&admin, &place, "", &earlier).expect(200)), [(id(&late), 0)]);
}

#[test]
fn no_seat_at_a_closed_venue_is_offered_or_accepted_until_it_opens() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let [ann, bob, cat] = ["Ann", "Bob", "Cat"].map(|name| member_row(&app, name, "A"));
    let session = session(&admin, &place, "2027-01-12T13:00:00", json!({ "capacity": 2 }));
    let two = json!({ "member_id": ann, "party": { "family": 1, "carers": 0 } });
    let held = book(&advisor, &session, &two).expect(201);
    let wait = |member: &str| book(&advisor, &session, &json!({ "member_id": member, "if_full": "wait" })).expect(201);
    let (bobs, cats) = (wait(&bob), wait(&cat));
    let at = |booking: &Value| format!("/v1/bookings/{}", id(booking));
    let status = |booking: &Value| advisor.get(&at(booking)).expect(200)["status"].clone();
    patch_venue(&admin, &place, "", &closed_for_a_week()).expect(200);
    advisor.delete(&at(&held)).expect(200);
    assert_eq!((status(&bobs), status(&cats)), (json!("waitlisted"), json!("waitlisted")));
    // Open again, those who waited are offered the seats; closed again, nobody takes one.
    patch_venue(&admin, &place, "", &json!({ "status": "open", "status_from": null, "status_until": null }))
        .expect(200);
    assert_eq!((status(&bobs), status(&cats)), (json!("offered"), json!("offered")));
    advisor.post(&format!("{}/accept", at(&bobs)), &Value::Null).expect(200);
    patch_venue(&admin, &place, "", &closed_for_a_week()).expect(200);
    advisor.post(&format!("{}/accept", at(&cats)), &Value::Null).problem(409, "venue-closed");
    assert_eq!((status(&bobs), status(&cats)), (json!("booked"), json!("waitlisted")));
    advisor.post(&format!("{}/decline", at(&cats)), &Value::Null).problem(409, "invalid-state");
    advisor.delete(&at(&cats)).expect(200);
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    connections: i64,
}

/// Until one of these waits for a lock, or all are done without waiting.
pub fn until_one_waits<T>(conn: &mut Conn, others: &[ScopedJoinHandle<'_, T>]) -> Result<(), Error> {
    let waiting = "SELECT count(*) AS connections FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND application_name = current_setting('application_name')";
    let started = Instant::now();
    // Within a transaction, PostgreSQL shows the same activity until this is forgotten.
    let forget = "SELECT pg_stat_clear_snapshot()";
    while diesel::sql_query(waiting).get_result::<Waiting>(conn)?.connections == 0
        && !others.iter().all(ScopedJoinHandle::is_finished)
    {
        diesel::sql_query(forget).execute(conn)?;
        assert!(started.elapsed() < Duration::from_secs(30), "they neither wait nor end");
        thread::yield_now();
    }
    Ok(())
}

/// SQLite has one writer: there one comes before the other.
#[test]
fn who_places_a_session_and_who_closes_its_venue_wait_for_each_other() {
    let app = App::start();
    let admin = app.admin();
    let (place, other) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let away = session(&admin, &other, "2027-01-12T13:00:00", json!({}));
    let weekly = with(session_body(id(&place)), json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }));
    let partner = partner_row(&app, "reader");
    let entry = json!({ "external_id": "a", "title": "Reading", "pillar": "community", "delivery": "in_person",
        "venue": "walton", "local_start": "2027-01-12T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60 });
    let rosters = format!("/v1/partners/{partner}/rosters");
    let single = session_body(id(&place));
    let tries: [(&str, Box<dyn Fn() -> Answer + Sync>); 4] = [
        ("session", Box::new(|| admin.post("/v1/sessions", &single))),
        ("move", Box::new(|| change(&admin, &path(&away), &json!({ "venue_id": id(&place) })))),
        ("series", Box::new(|| admin.post("/v1/session-series", &weekly))),
        ("roster", Box::new(|| admin.post(&rosters, &json!({ "entries": [entry] })))),
    ];
    let mut conn = app.conn();
    let close = "UPDATE venues SET status = 'closed'";
    let answers: Vec<Answer> = if matches!(conn, Conn::Postgres(_)) {
        thread::scope(|scope| {
            let meet = |conn: &mut Conn| {
                diesel::sql_query("SELECT 1 FROM venues FOR NO KEY UPDATE").execute(conn)?;
                let met: Vec<_> = tries.iter().map(|(_, place)| scope.spawn(place)).collect();
                until_one_waits(conn, &met)?;
                diesel::sql_query(close).execute(conn)?;
                Ok::<_, Error>(met)
            };
            let met = conn.transaction(meet).unwrap();
            met.into_iter().map(|met| met.join().unwrap()).collect()
        })
    } else {
        diesel::sql_query(close).execute(&mut conn).unwrap();
        tries.iter().map(|(_, place)| place()).collect()
    };
    for ((name, _), answer) in tries.iter().zip(answers) {
        match *name {
            "session" | "move" => drop(answer.problem(409, "venue-closed")),
            _ => assert_eq!(answer.expect(201)["skipped"][0]["reason"], "venue_closed", "{name}"),
        }
    }
    // The other way round: a session that is being placed is among those that the closing calls off.
    diesel::sql_query("UPDATE venues SET status = 'open'").execute(&mut conn).unwrap();
    let seed = || SessionSeed { venue_id: Some(id(&place)), ..SessionSeed::default() };
    let closing = || patch_venue(&admin, &place, "?sessions=cancel", &json!({ "status": "closed" }));
    let (placed, closed) = if matches!(conn, Conn::Postgres(_)) {
        thread::scope(|scope| {
            let meet = |conn: &mut Conn| {
                clashes::hold(conn, [id(&place).parse().unwrap()], [])?;
                let closing = [scope.spawn(closing)];
                until_one_waits(conn, &closing)?;
                Ok::<_, Error>((insert_session(&app, conn, seed()), closing))
            };
            let (placed, [closing]) = conn.transaction(meet).unwrap();
            (placed, closing.join().unwrap())
        })
    } else {
        (insert_session(&app, &mut conn, seed()), closing())
    };
    assert_eq!(affected(&closed.expect(200)), [(placed.as_str(), 0)]);
}
