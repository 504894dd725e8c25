//! Series without an end that are edited, split and posted again: what each of these does, beside the others.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::Conn;
use life_rooms::error::Error;
use life_rooms::sessions::series::{store, top_up};
use serde_json::{Value, json};

use crate::editing::{change, with};
use crate::recurrence::{entry, go_on, local_starts, post, rows, series_body, start, weeks};
use crate::support::{App, Client, id, member_row, partner_row};

fn split(client: &Client, series: &str, from: &str, changes: Value) -> Value {
    let body = json!({ "from": from, "changes": changes });
    client.post(&format!("/v1/session-series/{series}/split"), &body).expect(201)
}

#[test]
fn a_series_without_an_end_follows_a_change_of_its_time_and_goes_on_at_the_new_one() {
    let (app, admin, place) = start();
    let made = admin.post("/v1/session-series", &series_body(&place, json!({}))).expect(201);
    let (series, path) = (id(&made).to_owned(), format!("/v1/session-series/{}", id(&made)));
    let before = rows(&app, &series);
    app.at("2027-02-15T09:00:00Z");
    let later = json!({ "local_start": "2027-01-05T14:30:00" });
    let changed = admin.patch(&path, admin.get(&path).etag(), &later).expect(200);
    // The past stays at its time; what is still to come, up to the horizon of that day, is at the new one.
    let after = rows(&app, &series);
    assert_eq!(after[..6], before[..6]);
    assert_eq!(local_starts(&after[6..]), weeks("2027-02-16", "14:30:00", 53));
    assert!(after.iter().zip(&before).all(|(after, before)| after.id == before.id));
    assert_eq!((&changed["sessions"]["created"], &changed["sessions"]["updated"]), (&json!(12), &json!(41)));
    assert_eq!(changed["expanded_until"], "2028-02-15");
    assert!(!go_on(&app));
    app.at("2027-03-15T09:00:00Z");
    assert!(go_on(&app));
    assert_eq!(rows(&app, &series)[..59], after);
    assert_eq!(local_starts(&rows(&app, &series)[59..]), weeks("2028-02-22", "14:30:00", 4));
}

#[test]
fn of_a_split_series_without_an_end_only_the_rest_goes_on_and_a_roster_that_states_it_makes_nothing() {
    let (app, admin, _) = start();
    let partner = partner_row(&app, "the-reader");
    let (client, path) = (app.partner_user(&partner), format!("/v1/partners/{partner}/rosters"));
    let (_, _, series) = post(&client, &path, entry(json!({})));
    let before = rows(&app, &series);
    let own = app.partner_client(&partner, &[Scope::SessionsWrite]);
    let rest = split(&own, &series, "2027-03-02T13:00:00", json!({ "title": "Poems" }));
    let rest_id = id(&rest).to_owned();
    assert_eq!(rest["recurrence"], "FREQ=WEEKLY");
    assert_eq!(local_starts(&rows(&app, &series)), weeks("2027-01-05", "13:00:00", 8));
    let ids = |rows: &[crate::recurrence::Row]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&rows(&app, &rest_id)), ids(&before[8..]));
    assert!(rows(&app, &rest_id).iter().all(|row| row.title == "Poems"));

    app.at("2027-02-15T09:00:00Z");
    assert!(go_on(&app));
    let (first, second) = (rows(&app, &series), rows(&app, &rest_id));
    assert_eq!(first.len(), 8);
    assert_eq!(local_starts(&second), weeks("2027-03-02", "13:00:00", 51));
    assert!(second.iter().all(|row| row.title == "Poems"));
    let (outcome, counts, _) = post(&client, &path, entry(json!({})));
    assert_eq!((outcome.as_str(), counts), ("unchanged", [0, 0, 0]));
    assert_eq!((rows(&app, &series), rows(&app, &rest_id)), (first, second));
    assert_eq!(admin.get(&format!("/v1/session-series/{series}")).expect(200)["ends_before"], "2027-03-02");
}

#[test]
fn a_split_before_and_one_after_a_top_up_come_to_the_same() {
    let after = |split_first: bool| {
        let (app, admin, place) = start();
        let made = admin.post("/v1/session-series", &series_body(&place, json!({}))).expect(201);
        let before = rows(&app, id(&made));
        app.at("2027-02-15T09:00:00Z");
        // A date within what is made already, and one that is only just made.
        if !split_first {
            assert!(go_on(&app));
        }
        let rest = split(&admin, id(&made), "2027-03-02T13:00:00", json!({}));
        if split_first {
            assert_eq!(rest["sessions"]["created"], 12, "the new half is made up to the horizon of the day");
            go_on(&app);
        }
        let (first, second) = (rows(&app, id(&made)), rows(&app, id(&rest)));
        let ids = |rows: &[crate::recurrence::Row]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!([ids(&first), ids(&second)].concat()[..47], ids(&before));
        let starts = |rows| local_starts(rows).into_iter().map(str::to_owned).collect::<Vec<_>>();
        (starts(&first), starts(&second))
    };
    let expected = (weeks("2027-01-05", "13:00:00", 8), weeks("2027-03-02", "13:00:00", 51));
    assert_eq!((after(true), after(false)), (expected.clone(), expected));
}

#[test]
fn series_that_are_split_while_they_are_topped_up_have_each_date_once() {
    let (app, admin, place) = start();
    let series: Vec<String> = (0..8)
        .map(|_| id(&admin.post("/v1/session-series", &series_body(&place, json!({}))).expect(201)).to_owned())
        .collect();
    app.at("2027-05-18T09:00:00Z");
    let horizon = app.state.config.horizon.day(app.clock.now());
    let top_up = || {
        actix_web::rt::System::new()
            .block_on(top_up::run(&app.state.db, &app.clock, horizon, app.state.config.quotas))
            .unwrap()
    };
    let cut = |series: &String| {
        let (at, body) = (format!("/v1/session-series/{series}/split"), json!({ "from": "2027-06-01T13:00:00" }));
        // Who is told that the series has changed meanwhile reads it again and repeats.
        loop {
            let answer = admin.post(&at, &body);
            if answer.status != 412 {
                return id(&answer.expect(201)).to_owned();
            }
        }
    };
    let (made, rests) = thread::scope(|scope| {
        let runs: Vec<_> = (0..2).map(|_| scope.spawn(top_up)).collect();
        let cuts: Vec<_> = series.iter().rev().map(|one| scope.spawn(move || cut(one))).collect();
        let rests: Vec<String> = cuts.into_iter().map(|cut| cut.join().unwrap()).rev().collect();
        (runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>(), rests)
    });
    let last = top_up();
    assert_eq!(made.iter().chain([&last]).map(|run| run.failed).sum::<usize>(), 0);
    let mut all = BTreeSet::new();
    for (old, rest) in series.iter().zip(&rests) {
        let (first, second) = (rows(&app, old), rows(&app, rest));
        assert_eq!(local_starts(&first), weeks("2027-01-05", "13:00:00", 21), "{old}");
        assert_eq!(local_starts(&second), weeks("2027-06-01", "13:00:00", 51), "{rest}");
        all.extend(first.iter().chain(&second).map(|row| row.id));
    }
    assert_eq!(all.len(), 8 * 72);
}

/// SQLite has one writer: there a split comes before the top-up or after it, and never meets one.
#[test]
fn a_split_that_meets_a_top_up_is_refused_and_can_be_repeated() {
    #[derive(QueryableByName)]
    struct Waiting {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        connections: i64,
    }
    let (app, admin, place) = start();
    let made = admin.post("/v1/session-series", &series_body(&place, json!({}))).expect(201);
    let at = format!("/v1/session-series/{}/split", id(&made));
    let (cut, mut conn) = (json!({ "from": "2027-03-02T13:00:00" }), app.conn());
    let series = store::get(&mut conn, id(&made).parse().unwrap()).unwrap();
    if matches!(conn, Conn::Postgres(_)) {
        let met = thread::scope(|scope| {
            conn.transaction::<_, Error, _>(|conn| {
                assert!(store::extend(conn, series.extension("2027-12-31".parse().ok()))?);
                let met = scope.spawn(|| admin.post(&at, &cut));
                // Until it waits for the series.
                let others = "SELECT count(*) AS connections FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                              AND application_name = current_setting('application_name')";
                let started = Instant::now();
                while diesel::sql_query(others).get_result::<Waiting>(conn)?.connections == 0 {
                    assert!(started.elapsed() < Duration::from_secs(30), "it does not wait");
                    thread::yield_now();
                }
                Ok(met)
            })
            .map(|met| met.join().unwrap())
        });
        met.unwrap().problem(412, "precondition-failed");
        let read = admin.get(&format!("/v1/session-series/{}", id(&made))).expect(200);
        assert_eq!((&read["expanded_until"], &read["ends_before"]), (&json!("2027-12-31"), &json!(null)));
    }
    admin.post(&at, &cut).expect(201);
    assert_eq!(rows(&app, id(&made)).len(), 8);
}

#[test]
fn a_top_up_leaves_out_what_would_clash() {
    let (app, admin, place) = start();
    let room = admin.post(&format!("/v1/venues/{place}/spaces"), &json!({ "name": "Garden room" })).expect(201);
    let made = admin.post("/v1/session-series", &series_body(&place, json!({ "space_id": room["id"] }))).expect(201);
    // Somebody else has the room on one of the dates that are still to be made.
    let concert = json!({
        "title": "Concert", "pillar": "community", "delivery": "in_person", "venue_id": place, "space_id": room["id"],
        "local_start": "2027-12-07T12:00:00", "time_zone": "Europe/London", "duration_minutes": 120
    });
    admin.post("/v1/sessions", &concert).expect(201);
    app.at("2026-12-20T09:00:00Z");
    assert!(go_on(&app));
    let made = rows(&app, id(&made));
    let expected = weeks("2027-01-05", "13:00:00", 50);
    let without: Vec<&String> = expected.iter().filter(|start| !start.starts_with("2027-12-07")).collect();
    assert_eq!(local_starts(&made), without);
}

#[test]
fn what_a_roster_withdraws_makes_room_for_what_it_names() {
    let (app, admin, place) = start();
    let partner = partner_row(&app, "the-reader");
    admin.post(&format!("/v1/venues/{place}/spaces"), &json!({ "name": "Garden room" })).expect(201);
    let client = app.partner_user(&partner);
    let path = format!("/v1/partners/{partner}/rosters?missing=cancel&confirm=cancel");
    let weekly = json!({ "space": "Garden room", "recurrence": "FREQ=WEEKLY;COUNT=4" });
    let (_, _, old) = post(&client, &path, entry(weekly.clone()));
    let mut instead = entry(weekly);
    instead["external_id"] = json!("poems-tue");
    let answer = client.post(&path, &json!({ "entries": [instead] })).expect(201);
    assert_eq!((&answer["sessions"]["created"], &answer["sessions"]["cancelled"]), (&json!(4), &json!(4)));
    assert_eq!(answer["skipped"], json!([]));
    assert!(rows(&app, &old).iter().all(|row| row.status == "cancelled"));
}

/// Two years of Tuesdays, which is more than is made of a series without an end.
fn two_years(client: &Client, place: &str) -> String {
    let made = client.post("/v1/session-series", &series_body(place, json!({ "recurrence": "FREQ=WEEKLY;COUNT=104" })));
    id(&made.expect(201)).to_owned()
}

/// Which sessions of a series take place, by their starts.
fn on(app: &App, series: &str) -> Vec<String> {
    let on = rows(app, series).into_iter().filter(|row| row.status == "scheduled");
    let mut starts: Vec<String> = on.map(|row| row.local_start).collect();
    starts.sort_unstable();
    starts
}

#[test]
fn of_a_series_that_loses_its_end_every_session_follows_and_none_is_doubled_later() {
    let without_end = json!({ "recurrence": "FREQ=WEEKLY", "local_start": "2027-01-06T14:00:00" });
    for edit in ["time", "day", "split"] {
        let (app, admin, place) = start();
        let series = two_years(&admin, &place);
        let before = rows(&app, &series);
        let booked = before[99].local_start.clone();
        assert_eq!(booked, "2028-11-28T13:00:00");
        let body = json!({ "member_id": member_row(&app, "Ann", "A") });
        app.advisor().post(&format!("/v1/sessions/{}/bookings", before[99].id), &body).expect(201);
        let path = format!("/v1/session-series/{series}");
        let (answer, first) = match edit {
            "time" => {
                let later = with(without_end.clone(), json!({ "local_start": "2027-01-05T14:00:00" }));
                (change(&admin, &path, &later).expect(200), "2027-01-05")
            }
            "day" => (change(&admin, &path, &without_end).expect(200), "2027-01-06"),
            _ => {
                let changes = with(without_end.clone(), json!({ "local_start": "2027-03-03T14:00:00" }));
                (split(&admin, &series, "2027-03-02T13:00:00", changes), "2027-03-03")
            }
        };
        assert_eq!(answer["expanded_until"], "2028-12-26", "{edit}");
        let (new, how_many) = (id(&answer).to_owned(), if edit == "split" { 95 } else { 103 });
        let mut expected = weeks(first, "14:00:00", how_many + usize::from(edit == "time"));
        if edit != "time" {
            assert_eq!(answer["skipped"], json!([{ "local_start": booked, "reason": "booked" }]), "{edit}");
            expected.push(booked);
            expected.sort_unstable();
        }
        assert_eq!(on(&app, &new), expected, "{edit}");
        if edit == "time" {
            let ids = |rows: Vec<crate::recurrence::Row>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
            assert_eq!(ids(rows(&app, &new)), ids(before));
        }
        // Then it goes on from there.
        app.at("2028-01-10T09:00:00Z");
        assert!(go_on(&app), "{edit}");
        let made = if edit == "time" { weeks("2029-01-02", "14:00:00", 2) } else { weeks("2028-12-27", "14:00:00", 3) };
        assert_eq!(on(&app, &new), [expected, made].concat(), "{edit}");
    }
}

#[test]
fn a_series_that_loses_its_end_is_not_made_for_more_than_two_thousand_sessions_ahead() {
    let (app, admin, place) = start();
    let series = two_years(&admin, &place);
    let path = format!("/v1/session-series/{series}");
    let daily = json!({ "recurrence": "FREQ=DAILY" });
    change(&admin, &path, &json!({ "recurrence": "FREQ=WEEKLY;COUNT=400" })).expect(200);
    let before = rows(&app, &series);
    let problem = change(&admin, &path, &daily).invalid(&["/recurrence"]);
    assert_eq!(problem["errors"][0]["code"], "too_many_occurrences");
    assert_eq!(rows(&app, &series), before);
}
