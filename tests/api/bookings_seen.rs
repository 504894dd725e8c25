//! Who sees which bookings.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::bookings::{book, event, rows, session, told};
use crate::support::{App, SessionSeed, consent_row, member_row, partner_row, session_row};

#[test]
fn a_partner_sees_its_sessions_bookings_and_the_members_who_consent() {
    let app = App::start();
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "philharmonic"));
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let (sam, alex) = (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let advisor = app.advisor();
    let of_sam = book(&advisor, &session, &sam).expect(201);
    app.at("2026-11-23T09:00:01Z");
    let of_alex = book(&advisor, &session, &alex).expect(201);
    consent_row(&app, &sam, &reader, "given");
    consent_row(&app, &alex, &other, "given");
    let path = format!("/v1/sessions/{session}/bookings");
    let client = app.partner_client(&reader, &[Scope::BookingsRead]);
    let seen = client.get(&path).expect(200)["items"].clone();
    assert_eq!(seen[0], of_sam);
    assert_eq!(seen[1]["reference"], of_alex["reference"]);
    for name in ["member", "member_id", "prescription_item_id"] {
        assert_eq!(seen[1][name], Value::Null);
    }
    assert!(!seen[1].to_string().contains("Alex") && !seen[1].to_string().contains(&alex));
    assert_eq!(told(&app, &sam), [event("create", "booking"), event("list", "booking")]);
    assert_eq!(told(&app, &alex), [event("create", "booking")]);

    app.at("2026-11-23T09:00:02Z");
    consent_row(&app, &sam, &reader, "withdrawn");
    assert_eq!(client.get(&path).expect(200)["items"][0]["member"], Value::Null);
    app.at("2026-11-23T09:00:03Z");
    consent_row(&app, &sam, &reader, "given");
    assert_eq!(app.partner_user(&reader).get(&path).expect(200)["items"][0], of_sam);
    app.partner_user(&other).get(&path).problem(404, "not-found");
    app.partner_client(&reader, &[Scope::RegistersRead]).get(&path).problem(403, "insufficient-scope");
}

#[test]
fn lists_of_bookings_come_in_pages_and_show_what_is_ones_own() {
    let app = App::start();
    let (sam, alex) = (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let advisor = app.advisor();
    let days = ["2026-11-28", "2026-11-26", "2026-11-27"];
    let starts = days.map(|day| format!("{day}T10:00:00Z"));
    let sessions: Vec<String> =
        starts.iter().map(|at| session_row(&app, SessionSeed { starts_at: at, ..SessionSeed::default() })).collect();
    for session in &sessions {
        app.at("2026-11-23T09:00:01Z");
        book(&advisor, session, &sam).expect(201);
        app.at("2026-11-23T09:00:02Z");
        book(&advisor, session, &alex).expect(201);
    }
    let member = app.member(&sam);
    let path = format!("/v1/members/{sam}/bookings");
    let (mut next, mut seen) = (Some(format!("{path}?limit=1")), Vec::new());
    while let Some(path) = next {
        let page = member.get(&path).expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|b| b["session_id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, [sessions[0].clone(), sessions[2].clone(), sessions[1].clone()]);
    assert_eq!(told(&app, &sam).len(), 3);
    assert_eq!(advisor.get(&path).expect(200)["items"].as_array().unwrap().len(), 3);
    assert_eq!(told(&app, &sam).len(), 4);
    member.get(&format!("/v1/members/{alex}/bookings")).problem(404, "not-found");
    advisor.get(&format!("/v1/members/{}/bookings", app.clock.new_id())).problem(404, "not-found");

    let path = format!("/v1/sessions/{}/bookings", sessions[0]);
    let own = member.get(&path).expect(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["member_id"], sam);
    let first = advisor.get(&format!("{path}?limit=1")).expect(200);
    assert_eq!(first["items"][0]["member_id"], sam);
    let second = advisor.get(first["next"].as_str().unwrap()).expect(200);
    assert_eq!((&second["items"][0]["member_id"], &second["next"]), (&json!(alex), &Value::Null));
    // The one row that was read ahead wasn't shown, and isn't told of.
    assert_eq!(told(&app, &alex).len(), 4);
}

#[test]
fn bookings_are_the_members_and_the_advisors_alone() {
    let app = App::start();
    let (session, sam) = (session(&app, 5), member_row(&app, "Sam", "Riley"));
    let alex = app.member(&member_row(&app, "Alex", "Moss"));
    let made = book(&app.advisor(), &session, &sam).expect(201);
    let (one, list) =
        (format!("/v1/bookings/{}", made["id"].as_str().unwrap()), format!("/v1/sessions/{session}/bookings"));
    let of_member = format!("/v1/members/{sam}/bookings");
    alex.get(&one).problem(404, "not-found");
    alex.delete(&one).problem(404, "not-found");
    assert_eq!(alex.get(&list).expect(200)["items"], json!([]));
    let partner = app.partner_user(&partner_row(&app, "the-reader"));
    for (client, status, slug) in
        [(app.anonymous(), 401, "unauthenticated"), (app.admin(), 403, "forbidden"), (app.analyst(), 403, "forbidden")]
    {
        for path in [&one, &list, &of_member] {
            client.get(path).problem(status, slug);
        }
        client.delete(&one).problem(status, slug);
        book(&client, &session, &sam).problem(status, slug);
    }
    partner.get(&one).problem(403, "forbidden");
    partner.get(&of_member).problem(403, "forbidden");
    partner.get(&list).problem(404, "not-found");
    book(&partner, &session, &sam).problem(403, "forbidden");
    assert_eq!(rows(&app, &session), 1);
}

#[test]
fn a_member_sees_where_their_bookings_are_and_of_which_series() {
    let app = App::start();
    let (admin, sam) = (app.admin(), member_row(&app, "Sam", "Riley"));
    let venue = json!({ "slug": "central", "name": "Central Library", "kind": "library", "local_authority": "Liverpool",
        "address": { "line_1": "William Brown Street", "town": "Liverpool", "postcode": "l38ew" } });
    let venue = admin.post("/v1/venues", &venue).expect(201);
    let offered = |more: serde_json::Value| {
        let mut body = json!({ "title": "Reading", "pillar": "community", "local_start": "2026-12-01T13:00:00",
            "time_zone": "Europe/London", "duration_minutes": 60, "venue_id": venue["id"], "delivery": "in_person" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let weekly = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let series = admin.post("/v1/session-series", &offered(weekly)).expect(201);
    let query = format!("/v1/sessions?series_id={}", series["id"].as_str().unwrap());
    let of_series = admin.get(&query).expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    let online = json!({ "delivery": "online", "time_zone": "Europe/Dublin", "local_start": "2026-12-02T13:00:00" });
    let online = admin.post("/v1/sessions", &offered(online)).expect(201);
    let (member, path) = (app.member(&sam), format!("/v1/members/{sam}/bookings"));
    let made = book(&member, &of_series, &sam).expect(201);
    book(&member, online["id"].as_str().unwrap(), &sam).expect(201);
    let items = member.get(&path).expect(200)["items"].clone();
    let (alone, weekly) = (&items[0]["session"], &items[1]["session"]);
    assert_eq!(
        (&alone["time_zone"], &alone["place"], &alone["series"]),
        (&json!("Europe/Dublin"), &Value::Null, &Value::Null)
    );
    assert_eq!(
        weekly,
        &json!({
            "title": "Reading", "starts_at": "2026-12-01T13:00:00Z", "ends_at": "2026-12-01T14:00:00Z",
            "time_zone": "Europe/London", "series": { "id": series["id"], "title": "Reading" },
            "place": { "venue_id": venue["id"], "name": "Central Library", "line_1": "William Brown Street", "line_2": null,
                "town": "Liverpool", "postcode": "L3 8EW" }
        })
    );
    let one = member.get(&format!("/v1/bookings/{}", made["id"].as_str().unwrap())).expect(200);
    assert_eq!((&one, &made), (&items[1], &items[1]));
}

#[test]
fn bookings_to_come_are_listed_the_soonest_first_and_past_ones_the_latest_first() {
    let app = App::start();
    let sam = member_row(&app, "Sam", "Riley");
    let advisor = app.advisor();
    // Two at once: they are told apart by their ids.
    let starts = ["2026-11-24T10:00:00Z", "2026-11-26T10:00:00Z", "2026-11-25T10:00:00Z", "2026-11-26T10:00:00Z"];
    let sessions: Vec<String> =
        starts.iter().map(|at| session_row(&app, SessionSeed { starts_at: at, ..SessionSeed::default() })).collect();
    for (second, session) in sessions.iter().enumerate() {
        app.at(&format!("2026-11-23T09:00:0{second}Z"));
        book(&advisor, session, &sam).expect(201);
    }
    let path = format!("/v1/members/{sam}/bookings");
    let listed = |when: &str| {
        let (client, mut next, mut seen) = (app.advisor(), Some(format!("{path}?when={when}&limit=1")), Vec::new());
        while let Some(path) = next {
            let page = client.get(&path).expect(200);
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["session_id"].as_str().unwrap().to_owned()));
            next = page["next"].as_str().map(str::to_owned);
        }
        seen
    };
    let these = |numbers: &[usize]| numbers.iter().map(|n| sessions[*n].clone()).collect::<Vec<_>>();
    assert_eq!((listed("upcoming"), listed("past")), (these(&[0, 2, 1, 3]), these(&[])));
    // One that has begun is still to come until it has ended.
    let first = advisor.get(&format!("/v1/sessions/{}", sessions[0])).expect(200);
    app.at("2026-11-24T10:00:01Z");
    assert_eq!((listed("upcoming"), listed("past")), (these(&[0, 2, 1, 3]), these(&[])));
    app.at(first["ends_at"].as_str().unwrap());
    assert_eq!((listed("upcoming"), listed("past")), (these(&[2, 1, 3]), these(&[0])));
    app.at("2026-11-27T10:00:00Z");
    assert_eq!((listed("upcoming"), listed("past")), (these(&[]), these(&[3, 1, 2, 0])));
    // The cursor of one order is none of the other.
    let member = app.member(&sam);
    let next = member.get(&format!("{path}?when=past&limit=1")).json["next"].as_str().unwrap().to_owned();
    member.get(&next.replace("past", "upcoming")).wrong_parameter("cursor");
    member.get(&format!("{path}?when=soon")).wrong_parameter("when");
}
