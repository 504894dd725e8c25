//! Sessions with a free seat (`has_space=true`), and sessions at a venue.

use serde_json::{Value, json};

use crate::support::{App, id, member_row};
use crate::whats_on::{place, session, titles};

#[test]
fn only_what_has_a_seat_left() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let venue = place(&admin, "a", json!({}));
    let at = |hour: usize| format!("2027-01-05T{hour}:00:00");
    session(&admin, Some(&venue), "No limit", json!({ "local_start": at(10) }));
    let full = session(&admin, Some(&venue), "Full", json!({ "capacity": 2, "local_start": at(11) }));
    let half = session(&admin, Some(&venue), "Half", json!({ "capacity": 2, "local_start": at(12) }));
    let hybrid = |title: &str, hour: usize, capacity: i32, online: i32| {
        let body = json!({
            "capacity": capacity, "online_capacity": online, "delivery": "hybrid", "local_start": at(hour)
        });
        session(&admin, Some(&venue), title, body)
    };
    let left = hybrid("Online left", 13, 2, 5);
    let off = session(&admin, Some(&venue), "Off", json!({ "local_start": at(14) }));
    admin.post(&format!("/v1/sessions/{}/cancel", id(&off)), &json!({ "reason": "Rain" })).expect(200);
    let awaited = hybrid("Online full, in person awaited", 15, 2, 1);
    let behind = hybrid("Online awaited, in person left", 16, 2, 2);
    let waiting = session(&admin, Some(&venue), "Awaited", json!({ "capacity": 2, "local_start": at(17) }));
    let book = |session: &Value, delivery: &str, seats: i32| {
        let member = member_row(&app, "Ann", "A");
        let body = json!({
            "member_id": member, "delivery": delivery, "if_full": "wait", "party": { "family": seats - 1, "carers": 0 }
        });
        app.advisor().post(&format!("/v1/sessions/{}/bookings", id(session)), &body).expect(201)
    };
    for (session, delivery, seats, status) in [
        (&full, "in_person", 2, "booked"),
        (&half, "in_person", 1, "booked"),
        (&left, "in_person", 2, "booked"),
        (&awaited, "online", 1, "booked"),
        (&awaited, "in_person", 1, "booked"),
        (&awaited, "in_person", 2, "waitlisted"),
        (&behind, "online", 1, "booked"),
        (&behind, "online", 2, "waitlisted"),
        (&waiting, "in_person", 1, "booked"),
        (&waiting, "in_person", 2, "waitlisted"),
    ] {
        assert_eq!(book(session, delivery, seats)["status"], status);
    }
    let listed = ["No limit", "Half", "Online left", "Online awaited, in person left"];
    assert_eq!(titles(&anyone, "has_space=true"), listed);
    assert_eq!(titles(&anyone, "has_space=false").len(), 8);
    // Somebody who books one seat gets it exactly where the list says so.
    let items = anyone.get("/v1/sessions?has_space=false").expect(200)["items"].clone();
    for session in items.as_array().unwrap() {
        let kinds: &[&str] = if session["delivery"] == "hybrid" { &["in_person", "online"] } else { &["in_person"] };
        let gets = kinds.iter().any(|kind| {
            let body = json!({ "member_id": member_row(&app, "Bob", "B"), "delivery": kind });
            app.advisor().post(&format!("/v1/sessions/{}/bookings", id(session)), &body).status == 201
        });
        assert_eq!(gets, listed.contains(&session["title"].as_str().unwrap()), "{session}");
    }
    app.at("2027-01-05T13:00:00Z");
    assert_eq!(titles(&anyone, "has_space=true&from=2027-01-01"), ["Online awaited, in person left"]);
}

#[test]
fn at_a_closed_venue_only_an_online_seat_that_nobody_waits_for_counts() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let venue = place(&admin, "a", json!({}));
    let body = json!({ "capacity": 5, "online_capacity": 2, "delivery": "hybrid" });
    let hybrid = session(&admin, Some(&venue), "Hybrid", body);
    let closed = json!({ "status": "closed" });
    admin.patch(&format!("/v1/venues/{}", id(&venue)), "\"1\"", &closed).expect(200);
    assert_eq!(titles(&anyone, "has_space=true"), ["Hybrid"]);
    for (seats, status) in [(1, "booked"), (2, "waitlisted")] {
        let body = json!({
            "member_id": member_row(&app, "Ann", "A"), "delivery": "online", "if_full": "wait",
            "party": { "family": seats - 1, "carers": 0 }
        });
        let made = app.advisor().post(&format!("/v1/sessions/{}/bookings", id(&hybrid)), &body).expect(201);
        assert_eq!(made["status"], status);
    }
    assert_eq!(titles(&anyone, "has_space=true"), Vec::<String>::new());
}

#[test]
fn an_online_session_is_not_at_the_venue_that_it_names() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let venue = place(&admin, "a", json!({ "latitude": 53.41, "longitude": -2.98 }));
    for (hour, delivery) in (10..).zip(["in_person", "online", "hybrid"]) {
        let start = format!("2027-01-05T{hour}:00:00");
        session(&admin, Some(&venue), delivery, json!({ "delivery": delivery, "local_start": start }));
    }
    let by_venue = format!("venue_id={}", id(&venue));
    for query in [&by_venue, "local_authority=Liverpool", "near=53.41,-2.98", &format!("{by_venue}&has_space=true")] {
        assert_eq!(titles(&anyone, query), ["in_person", "hybrid"], "{query}");
    }
    let calendar = anyone.get(&format!("/v1/venues/{}/calendar.ics", id(&venue)));
    let titles: Vec<String> =
        crate::calendars::events(&calendar).iter().map(|event| event.value("SUMMARY").to_owned()).collect();
    assert_eq!(titles, ["in_person", "hybrid"]);
}
