//! A space holds one session at a time, and a closed venue none.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::editing::{book, change, path, series_path, session_body, sessions_of, starts, with};
use crate::support::{App, Client, id, member_row, partner_row, venue};

fn space(admin: &Client, venue: &Value, name: &str) -> Value {
    admin.post(&format!("/v1/venues/{}/spaces", id(venue)), &json!({ "name": name })).expect(201)
}

/// A session of an hour in a space.
fn in_space(venue: &Value, space: &Value, start: &str) -> Value {
    let there = json!({ "space_id": id(space), "local_start": start, "duration_minutes": 60 });
    with(session_body(id(venue)), there)
}

fn skips(answer: &Value) -> Vec<(&str, &str)> {
    let skipped = answer["skipped"].as_array().expect("skipped").iter();
    skipped.map(|skip| (skip["local_start"].as_str().unwrap(), skip["reason"].as_str().unwrap())).collect()
}

#[test]
fn a_space_holds_one_session_at_a_time() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let (room, other) = (space(&admin, &place, "Room 1"), space(&admin, &place, "Room 2"));
    let there = admin.post("/v1/sessions", &in_space(&place, &room, "2027-01-05T13:00:00")).expect(201);
    for (start, minutes) in [("12:30", 31), ("13:00", 60), ("13:59", 10), ("13:20", 10), ("11:00", 600)] {
        let body =
            with(in_space(&place, &room, &format!("2027-01-05T{start}:00")), json!({ "duration_minutes": minutes }));
        let problem = admin.post("/v1/sessions", &body).problem(409, "space-taken");
        assert_eq!(problem["errors"][0]["pointer"], "/space_id");
        assert_eq!(problem["errors"][0]["code"], "space_taken");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("Reading") && detail.contains("2027-01-05T13:00:00") && detail.contains(id(&there)),
            "{detail}"
        );
    }
    for start in ["2027-01-05T12:00:00", "2027-01-05T14:00:00", "2027-01-06T13:00:00"] {
        admin.post("/v1/sessions", &in_space(&place, &room, start)).expect(201);
    }
    admin.post("/v1/sessions", &in_space(&place, &other, "2027-01-05T13:00:00")).expect(201);
    admin.post("/v1/sessions", &session_body(id(&place))).expect(201);

    let late = admin.post("/v1/sessions", &in_space(&place, &room, "2027-01-05T18:00:00")).expect(201);
    change(&admin, &path(&late), &json!({ "local_start": "2027-01-05T13:30:00" })).problem(409, "space-taken");
    change(&admin, &path(&late), &json!({ "local_start": "2027-01-05T18:30:00" })).expect(200);
    change(&admin, &path(&late), &json!({ "space_id": id(&other), "local_start": "2027-01-05T13:30:00" }))
        .problem(409, "space-taken");
    // What is off takes no space.
    admin.post(&format!("{}/cancel", path(&there)), &json!({ "reason": "Ill" })).expect(200);
    change(&admin, &path(&late), &json!({ "local_start": "2027-01-05T13:00:00" })).expect(200);
    // And off while moving, it needs none.
    let moved_off = json!({ "local_start": "2027-01-05T14:00:00", "status": "cancelled", "cancellation_reason": "x" });
    change(&admin, &path(&late), &moved_off).expect(200);
}

#[test]
fn what_is_in_the_way_is_named_only_to_who_may_see_it() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let room = space(&admin, &place, "Room 1");
    let (reader, phil) = (partner_row(&app, "reader"), partner_row(&app, "phil"));
    let (own, other) =
        (app.partner_client(&reader, &[Scope::SessionsWrite]), app.partner_client(&phil, &[Scope::SessionsWrite]));
    let body = in_space(&place, &room, "2027-01-05T13:00:00");
    let hidden = own
        .post("/v1/sessions", &with(body.clone(), json!({ "title": "Secret", "publication": "unlisted" })))
        .expect(201);
    let detail = |client: &Client| client.post("/v1/sessions", &body).problem(409, "space-taken").to_string();
    for client in [&own, &admin, &app.advisor()] {
        assert!(detail(client).contains("“Secret” of Partner reader (") && detail(client).contains(id(&hidden)));
    }
    let told = detail(&other);
    assert!(!told.contains("Secret") && !told.contains(id(&hidden)) && !told.contains("13:00"), "{told}");
    assert!(!told.contains("Partner reader"), "{told}");
    change(&own, &path(&hidden), &json!({ "publication": "published" })).expect(200);
    assert!(detail(&other).contains("“Secret” of Partner reader ("));
}

#[test]
fn a_closed_venue_takes_none_and_a_closed_day_neither() {
    let app = App::start();
    let admin = app.admin();
    let hours = json!({ "tuesday": [{ "opens": "09:00", "closes": "17:00" }] });
    let closed = json!({
        "slug": "refit", "name": "Refit", "kind": "library", "local_authority": "Liverpool", "opening_hours": hours,
        "status": "temporarily_closed", "status_from": "2027-01-12", "status_until": "2027-01-19"
    });
    let place = admin.post("/v1/venues", &closed).expect(201);
    let on = |day: &str| with(session_body(id(&place)), json!({ "local_start": format!("{day}T13:00:00") }));
    for (day, status) in [
        ("2027-01-05", 201),
        ("2027-01-06", 409), // a Wednesday
        ("2027-01-12", 409),
        ("2027-01-19", 409),
        ("2027-01-26", 201),
        ("2026-11-18", 201), // a Wednesday that has passed
    ] {
        let answer = admin.post("/v1/sessions", &on(day));
        if status == 201 {
            answer.expect(201);
            continue;
        }
        let problem = answer.problem(409, "venue-closed");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/venue_id"), &json!("venue_closed"))
        );
    }
    let weekly = with(on("2027-01-05"), json!({ "recurrence": "FREQ=DAILY;COUNT=22" }));
    let series = admin.post("/v1/session-series", &weekly).expect(201);
    assert_eq!((&series["sessions"], skips(&series).len()), (&json!({ "created": 2 }), 20));
    assert!(skips(&series).iter().all(|(_, reason)| *reason == "venue_closed"));
    assert_eq!(starts(&sessions_of(&admin, &series)), ["2027-01-05T13:00:00", "2027-01-26T13:00:00"]);

    // Closing it doesn't call off what is there, which can still be renamed but not be moved about in it.
    let gone = json!({ "status": "closed", "status_from": null, "status_until": null });
    change(&admin, &format!("/v1/venues/{}", id(&place)), &gone).expect(200);
    let session = &sessions_of(&admin, &series)[1];
    assert_eq!((&session["status"], &session["venue"]["slug"]), (&json!("scheduled"), &json!("refit")));
    change(&admin, &path(session), &json!({ "title": "Poems" })).expect(200);
    change(&admin, &path(session), &json!({ "local_start": "2027-01-26T14:00:00" })).problem(409, "venue-closed");
    let other = venue(&admin, "walton", "Liverpool");
    change(&admin, &path(session), &json!({ "local_start": "2027-01-26T14:00:00", "venue_id": id(&other) }))
        .expect(200);
    admin.post("/v1/sessions", &on("2026-11-17")).expect(201);
}

#[test]
fn a_series_skips_what_clashes_and_makes_the_rest() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let room = space(&admin, &place, "Room 1");
    let blocker = admin.post("/v1/sessions", &in_space(&place, &room, "2027-01-12T13:30:00")).expect(201);
    let body = with(in_space(&place, &room, "2027-01-05T13:00:00"), json!({ "recurrence": "FREQ=WEEKLY;COUNT=4" }));
    let series = admin.post("/v1/session-series", &body).expect(201);
    assert_eq!(
        (&series["sessions"], skips(&series)),
        (&json!({ "created": 3 }), vec![("2027-01-12T13:00:00", "space_taken")])
    );
    // Two days long every day: every second one is in the way of the next.
    let long =
        json!({ "local_start": "2027-03-01T09:00:00", "recurrence": "FREQ=DAILY;COUNT=4", "duration_minutes": 2880 });
    let long = admin.post("/v1/session-series", &with(body.clone(), long)).expect(201);
    assert_eq!(skips(&long), [("2027-03-02T09:00:00", "space_taken"), ("2027-03-04T09:00:00", "space_taken")]);

    // The series moves an hour on: what was skipped is still missing, and one more is in the way.
    let second = admin.post("/v1/sessions", &in_space(&place, &room, "2027-01-26T14:30:00")).expect(201);
    let moved = change(&admin, &series_path(&series), &json!({ "local_start": "2027-01-05T14:00:00" })).expect(200);
    assert_eq!(moved["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }));
    assert_eq!(skips(&moved), [("2027-01-12T14:00:00", "space_taken"), ("2027-01-26T13:00:00", "space_taken")]);
    let now = sessions_of(&admin, &series);
    assert_eq!(starts(&now), ["2027-01-05T14:00:00", "2027-01-19T14:00:00", "2027-01-26T13:00:00"]);
    for session in [&blocker, &second] {
        admin.post(&format!("{}/cancel", path(session)), &json!({ "reason": "Free" })).expect(200);
    }
    let again = change(&admin, &series_path(&series), &json!({ "duration_minutes": 50 })).expect(200);
    assert_eq!((&again["sessions"], skips(&again)), (&json!({ "created": 1, "updated": 3, "cancelled": 0 }), vec![]));

    // Of what is split off, one can't come into another room.
    let other = space(&admin, &place, "Room 2");
    admin.post("/v1/sessions", &in_space(&place, &other, "2027-01-26T14:00:00")).expect(201);
    let body = json!({ "from": "2027-01-19T14:00:00", "changes": { "space_id": id(&other) } });
    let split = admin.post(&format!("{}/split", series_path(&series)), &body).expect(201);
    assert_eq!(split["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    assert_eq!(skips(&split), [("2027-01-26T14:00:00", "space_taken")]);
    let rooms: Vec<Value> = sessions_of(&admin, &split).iter().map(|session| session["space_id"].clone()).collect();
    assert_eq!(rooms, [other["id"].clone(), room["id"].clone()]);
}

/// What is on in a series on 9 February: start, seats taken and space.
fn on_the_ninth(client: &Client, series: &Value) -> Vec<(String, i64, Value)> {
    let all = sessions_of(client, series);
    let on = all.iter().filter(|session| session["status"] == "scheduled").map(|session| {
        let start = session["local_start"].as_str().unwrap().to_owned();
        (start, session["seats_taken"].as_i64().unwrap(), session["space_id"].clone())
    });
    on.filter(|(start, ..)| start.starts_with("2027-02-09")).collect()
}

#[test]
fn a_session_that_takes_the_rules_place_and_clashes_leaves_its_old_place_to_another() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let room = space(&admin, &place, "Room 1");
    let body = json!({
        "local_start": "2027-02-02T09:00:00", "recurrence": "FREQ=WEEKLY;COUNT=2", "additional": ["2027-02-09T13:00:00"]
    });
    let series = admin.post("/v1/session-series", &with(session_body(id(&place)), body)).expect(201);
    let change_to = |patch: Value| change(&admin, &series_path(&series), &patch).expect(200);
    change_to(json!({ "local_start": "2027-02-02T13:00:00", "additional": [] }));
    change_to(json!({ "additional": ["2027-02-09T10:00:00"] }));
    let sessions = sessions_of(&admin, &series);
    let booked = sessions.iter().find(|session| session["local_start"] == "2027-02-09T10:00:00").unwrap();
    book(&app, booked, &member_row(&app, "Ann", "A"), json!({}));
    let blocker = admin.post("/v1/sessions", &in_space(&place, &room, "2027-02-09T10:00:00")).expect(201);
    let moved = json!({ "local_start": "2027-02-02T10:00:00", "space_id": id(&room) });
    for _ in 0..2 {
        assert_eq!(skips(&change_to(moved.clone())), [("2027-02-09T10:00:00", "space_taken")]);
    }
    assert_eq!(on_the_ninth(&admin, &series), [("2027-02-09T10:00:00".into(), 1, json!(null))]);
    // It is the rule's session of that date now: it goes into the room once that is free, and moves with the rule.
    admin.post(&format!("{}/cancel", path(&blocker)), &json!({ "reason": "Free" })).expect(200);
    change_to(json!({ "local_start": "2027-02-02T11:00:00", "additional": [] }));
    assert_eq!(on_the_ninth(&admin, &series), [("2027-02-09T11:00:00".into(), 1, room["id"].clone())]);
}

#[test]
fn a_session_that_clashes_is_known_by_the_rules_new_time() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let room = space(&admin, &place, "Room 1");
    admin.post("/v1/sessions", &in_space(&place, &room, "2027-02-09T10:00:00")).expect(201);
    let partner = partner_row(&app, "reader");
    let client = app.partner_client(&partner, &[Scope::RostersWrite]);
    let tuesdays = json!({ "local_start": "2027-02-02T09:00:00", "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let series = admin.post("/v1/session-series", &with(session_body(id(&place)), tuesdays.clone())).expect(201);
    let entry = with(session_body("walton"), json!({ "external_id": "choir", "venue_id": null, "venue": "walton" }));
    let post = |change: Value| {
        let entries = json!({ "entries": [with(with(entry.clone(), tuesdays.clone()), change)] });
        client.post(&format!("/v1/partners/{partner}/rosters"), &entries).expect(201)
    };
    let posted = post(json!({}));
    let rosters = json!({ "id": posted["entries"][0]["resource_id"] });
    for series in [&series, &rosters] {
        book(&app, &sessions_of(&admin, series)[1], &member_row(&app, "Ann", "A"), json!({}));
    }
    let moved = json!({ "local_start": "2027-02-02T10:00:00" });
    // The rule comes to an end before that day, and the time that it had there becomes an additional one.
    let additional = json!({ "recurrence": "FREQ=WEEKLY;COUNT=1", "additional": ["2027-02-09T10:00:00"] });
    let change_to = |patch: Value| change(&admin, &series_path(&series), &patch).expect(200);
    let answers = [
        change_to(with(moved.clone(), json!({ "space_id": id(&room) }))),
        post(with(moved.clone(), json!({ "space": "Room 1" }))),
    ];
    for answer in &answers {
        assert!(skips(answer).contains(&("2027-02-09T09:00:00", "space_taken")), "{answer}");
    }
    let mut patch = additional.clone();
    patch["space_id"] = Value::Null;
    change_to(patch);
    post(with(moved, additional));
    for series in [&series, &rosters] {
        let on = on_the_ninth(&admin, series);
        assert_eq!(
            on.iter().map(|(start, seats, _)| (start.as_str(), *seats)).collect::<Vec<_>>(),
            [("2027-02-09T10:00:00", 1)]
        );
    }
}

#[test]
fn a_roster_reports_what_clashes_each_time_and_makes_it_once_it_can() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let room = space(&admin, &place, "Room 1");
    let partner = partner_row(&app, "reader");
    let client = app.partner_client(&partner, &[Scope::RostersWrite]);
    let rosters = format!("/v1/partners/{partner}/rosters");
    let blocker = admin.post("/v1/sessions", &in_space(&place, &room, "2027-01-12T13:30:00")).expect(201);
    let entry = |name: &str, change: Value| {
        let entry = json!({
            "external_id": name, "title": "Reading", "pillar": "community", "delivery": "in_person", "venue": "walton",
            "space": "Room 1", "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60
        });
        with(entry, change)
    };
    let weekly = json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" });
    let roster = json!({ "entries": [entry("a", weekly.clone()), entry("b", weekly), entry("c", json!({})),
        entry("d", json!({ "local_start": "2027-01-05T14:00:00" }))] });
    let skip = |name: &str, day: &str| json!({ "external_id": name, "local_start": format!("{day}T13:00:00"), "reason": "space_taken" });
    let skipped = json!([
        skip("a", "2027-01-12"),
        skip("b", "2027-01-05"),
        skip("b", "2027-01-12"),
        skip("b", "2027-01-19"),
        skip("c", "2027-01-05")
    ]);
    let rehearsed = client.post(&format!("{rosters}?dry_run=true"), &roster).expect(200);
    let first = client.post(&rosters, &roster).expect(201);
    for body in [&rehearsed, &first] {
        assert_eq!(
            body["counts"],
            json!({ "created": 3, "updated": 0, "unchanged": 1, "cancelled": 0, "rejected": 0 })
        );
        assert_eq!(body["sessions"], json!({ "created": 3, "updated": 0, "cancelled": 0 }));
        assert_eq!(body["skipped"], skipped);
        assert_eq!(
            (&body["entries"][2]["outcome"], &body["entries"][2]["resource_id"]),
            (&json!("unchanged"), &json!(null))
        );
    }
    let again = client.post(&rosters, &roster).expect(201);
    assert_eq!(again["counts"], json!({ "created": 0, "updated": 0, "unchanged": 4, "cancelled": 0, "rejected": 0 }));
    assert_eq!(again["skipped"], skipped);
    let kept = app.admin().get(&format!("{rosters}/{}", id(&again))).expect(200);
    assert_eq!(kept["skipped"], skipped);

    admin.post(&format!("{}/cancel", path(&blocker)), &json!({ "reason": "Free" })).expect(200);
    let free = client.post(&rosters, &roster).expect(201);
    assert_eq!(free["sessions"], json!({ "created": 1, "updated": 0, "cancelled": 0 }));
    assert_eq!(free["counts"]["updated"], 1);
    assert_eq!(free["skipped"].as_array().unwrap().len(), 4, "the others are in each other's way");
    let settled = client.post(&rosters, &roster).expect(201);
    assert_eq!((&settled["counts"]["unchanged"], &settled["skipped"]), (&json!(4), &free["skipped"]));
}

#[test]
fn of_forty_that_want_one_space_at_one_time_one_has_it() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let room = space(&admin, &place, "Room 1");
    let partner = partner_row(&app, "reader");
    let body = with(in_space(&place, &room, "2027-01-05T13:00:00"), json!({ "partner_id": partner }));
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..40).map(|_| scope.spawn(|| admin.post("/v1/sessions", &body))).collect();
        threads
            .into_iter()
            .map(|thread| {
                let answer = thread.join().unwrap();
                let status = answer.status;
                if status != 201 {
                    answer.problem(409, "space-taken");
                }
                status
            })
            .collect()
    });
    let count = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((count(201), count(409)), (1, 39));
    assert_eq!(admin.get("/v1/sessions").json["items"].as_array().unwrap().len(), 1);
}

#[test]
fn series_rosters_and_moves_that_cross_each_other_all_come_to_an_end() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let rooms = ["Room 1", "Room 2"].map(|name| space(&admin, &place, name));
    let partner = partner_row(&app, "reader");
    let rosters = format!("/v1/partners/{partner}/rosters");
    let series = |room: &Value| {
        let weekly = json!({ "recurrence": "FREQ=DAILY;COUNT=10", "partner_id": partner });
        with(in_space(&place, room, "2027-01-05T13:00:00"), weekly)
    };
    let made = [0, 1].map(|n| admin.post("/v1/session-series", &series(&rooms[n])).expect(201));
    let entry = |name: &str, room: &str| {
        json!({
            "external_id": name, "title": "Reading", "pillar": "community", "delivery": "in_person", "venue": "walton",
            "space": room, "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60,
            "recurrence": "FREQ=DAILY;COUNT=10"
        })
    };
    std::thread::scope(|scope| {
        for n in 0..2 {
            let (made, rooms, admin, rosters, entry, series) = (&made, &rooms, &admin, &rosters, &entry, &series);
            scope.spawn(move || {
                for round in 0..4 {
                    // Each goes where the other is, and back.
                    let patch = json!({ "space_id": id(&rooms[(n + round + 1) % 2]) });
                    change(admin, &series_path(&made[n]), &patch).expect(200);
                }
            });
            scope.spawn(move || {
                for _ in 0..4 {
                    let names = if n == 0 { ["Room 1", "Room 2"] } else { ["Room 2", "Room 1"] };
                    let entries = [entry("x", names[0]), entry("y", names[1])];
                    admin.post(rosters, &json!({ "entries": entries })).expect(201);
                    admin.post("/v1/session-series", &series(&rooms[n])).expect(201);
                }
            });
        }
    });
    let all = admin.get("/v1/sessions?limit=100").json["items"].as_array().unwrap().clone();
    let mut taken: Vec<(String, String)> = all
        .iter()
        .filter(|session| session["status"] == "scheduled")
        .map(|session| (session["space_id"].to_string(), session["starts_at"].to_string()))
        .collect();
    let count = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), count, "no space was given twice");
    assert_eq!(count, 20, "and what there was is still there");
}
