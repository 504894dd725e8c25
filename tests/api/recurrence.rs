//! Series across clock changes, and series without an end: how far they have sessions, and how they go on.

use std::process::Command;
use std::thread;

use chrono::NaiveDate;
use diesel::prelude::*;
use life_rooms::background::{self, Task};
use life_rooms::config::{Config, Horizon};
use life_rooms::db::schema::{session_series, sessions, wordings};
use life_rooms::db::{Id, Location, Timestamp};
use life_rooms::sessions::series::top_up::{self, Extended};
use serde_json::{Value, json};

use crate::support::{App, Client, id, partner_row, venue};

pub fn series_body(venue_id: &str, changes: Value) -> Value {
    let mut body = json!({
        "title": "Shared Reading", "pillar": "community", "delivery": "in_person", "venue_id": venue_id,
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90,
        "recurrence": "FREQ=WEEKLY", "capacity": 12
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// A server with a venue, an admin, and the venue's id.
pub fn start() -> (App, Client, String) {
    let app = App::start();
    let admin = app.admin();
    let place = id(&venue(&admin, "walton", "Liverpool")).to_owned();
    (app, admin, place)
}

/// A session as the database has it.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct Row {
    pub id: Id,
    pub local_start: String,
    starts_at: Timestamp,
    pub title: String,
    capacity: Option<i32>,
    pub status: String,
    version: i32,
    updated_at: Timestamp,
}

pub fn rows(app: &App, series: &str) -> Vec<Row> {
    use sessions::dsl as s;
    let title = wordings::title;
    let columns = (s::id, s::local_start, s::starts_at, title, s::capacity, s::status, s::version, s::updated_at);
    let of_it = s::sessions.inner_join(wordings::table).filter(s::series_id.eq(series.parse::<Id>().unwrap()));
    of_it.order(s::occurrence).select(columns).load(&mut app.conn()).unwrap()
}

pub fn local_starts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.local_start.as_str()).collect()
}

/// Every seventh day from a first one, at one time.
pub fn weeks(first: &str, time: &str, how_many: usize) -> Vec<String> {
    let first: NaiveDate = first.parse().unwrap();
    first.iter_weeks().take(how_many).map(|day| format!("{day}T{time}")).collect()
}

fn task() -> Task {
    life_rooms::tasks::all().into_iter().find(|task| task.name == "extend_series").expect("the server has the task")
}

/// Looks whether the task is due and runs it, as the server does by itself. Whether it ran.
pub fn go_on(app: &App) -> bool {
    actix_web::rt::System::new().block_on(background::run_if_due(&app.state, task(), app.clock.new_id())).unwrap()
}

#[test]
fn ten_o_clock_in_liverpool_is_ten_o_clock_before_and_after_both_clock_changes() {
    let (app, admin, place) = start();
    let sundays = series_body(&place, json!({ "local_start": "2027-01-03T10:00:00" }));
    let created = admin.post("/v1/session-series", &sundays).expect(201);
    for (day, starts, ends) in [
        ("2027-03-21", "10:00", "11:30"),
        ("2027-03-28", "09:00", "10:30"),
        ("2027-10-24", "09:00", "10:30"),
        ("2027-10-31", "10:00", "11:30"),
    ] {
        let found = app.anonymous().get(&format!("/v1/sessions?from={day}&to={day}")).expect(200);
        let session = &found["items"][0];
        assert_eq!(session["series_id"], created["id"]);
        assert_eq!(session["local_start"], format!("{day}T10:00:00"));
        assert_eq!(session["starts_at"], format!("{day}T{starts}:00Z"));
        assert_eq!(session["ends_at"], format!("{day}T{ends}:00Z"));
    }
}

#[test]
fn the_missing_hour_moves_forward_and_of_the_doubled_hour_it_is_the_first() {
    let (app, admin, place) = start();
    for (first, expected) in [
        ("2027-03-27T01:30:00", ["2027-03-27T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]),
        ("2027-10-30T01:30:00", ["2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]),
    ] {
        let nights = json!({ "local_start": first, "recurrence": "FREQ=DAILY;COUNT=3" });
        let series = admin.post("/v1/session-series", &series_body(&place, nights)).expect(201);
        let found = rows(&app, id(&series));
        let starts: Vec<String> = found.iter().map(|row| row.starts_at.to_string()).collect();
        assert_eq!(starts, expected);
        // On the wall each is what the rule says, also where the clock skipped it, and it takes its exact minutes.
        assert!(found.iter().all(|row| row.local_start.ends_with("T01:30:00")), "{found:?}");
        let changed = admin.get(&format!("/v1/sessions/{}", found[1].id)).expect(200);
        let ends = if first.starts_with("2027-03") { "2027-03-28T03:00:00Z" } else { "2027-10-31T02:00:00Z" };
        assert_eq!(changed["ends_at"], ends);
    }
}

#[test]
fn a_series_without_an_end_has_a_year_of_sessions_and_goes_on_as_time_does() {
    let (app, admin, place) = start();
    let created = admin.post("/v1/session-series", &series_body(&place, json!({}))).expect(201);
    let path = format!("/v1/session-series/{}", id(&created));
    // Tuesdays to 23 November 2027, a year from today.
    assert_eq!(created["sessions"], json!({ "created": 47 }));
    assert_eq!((&created["expanded_until"], &created["version"]), (&json!("2027-11-23"), &json!(1)));
    let first = rows(&app, id(&created));
    assert_eq!(local_starts(&first), weeks("2027-01-05", "13:00:00", 47));
    assert!(!go_on(&app), "nothing is due on the same day");

    // What becomes of sessions in the meantime stays: one is edited, one is off; the series has another title.
    let (edited, off) = (&first[45], &first[46]);
    admin.patch(&format!("/v1/sessions/{}", edited.id), "\"1\"", &json!({ "title": "By hand" })).expect(200);
    admin.post(&format!("/v1/sessions/{}/cancel", off.id), &json!({ "reason": "No room" })).expect(200);
    admin.patch(&path, "\"1\"", &json!({ "title": "Poems", "capacity": 8 })).expect(200);
    let before = rows(&app, id(&created));
    app.at("2026-12-31T23:30:00Z");
    assert!(go_on(&app));
    let after = rows(&app, id(&created));
    assert_eq!(after[..47], before, "nothing else changed");
    assert_eq!(local_starts(&after[47..]), weeks("2027-11-30", "13:00:00", 5));
    assert!(after[47..].iter().all(|row| row.title == "Poems" && row.capacity == Some(8) && row.version == 1));
    let read = admin.get(&path).expect(200);
    assert_eq!((&read["expanded_until"], &read["version"]), (&json!("2027-12-31"), &json!(2)));
    assert_eq!(read["updated_at"], "2026-11-23T09:00:00Z");

    assert!(!go_on(&app));
    app.at("2027-01-01T00:00:00Z");
    assert!(go_on(&app));
    assert_eq!(rows(&app, id(&created)), after, "the new day has no Tuesday");
}

#[test]
fn a_cancelled_series_and_one_that_ends_get_no_more_sessions() {
    let (app, admin, place) = start();
    let make = |change: Value| admin.post("/v1/session-series", &series_body(&place, change)).expect(201);
    let (off, ends) = (make(json!({})), make(json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" })));
    let until = make(json!({ "recurrence": "FREQ=WEEKLY;UNTIL=20290101" }));
    assert_eq!(until["sessions"], json!({ "created": 104 }));
    assert_eq!((&ends["expanded_until"], &until["expanded_until"]), (&Value::Null, &Value::Null));
    admin.post(&format!("/v1/session-series/{}/cancel", id(&off)), &json!({ "reason": "Over" })).expect(200);
    let before = [&off, &ends, &until].map(|series| rows(&app, id(series)));
    app.at("2028-12-01T09:00:00Z");
    assert!(!go_on(&app));
    assert_eq!([&off, &ends, &until].map(|series| rows(&app, id(series))), before);
}

#[test]
fn the_horizon_is_a_setting_and_a_late_start_has_its_first_session() {
    let app = App::start_with(Config { horizon: Horizon { months: 2 }, ..Config::default() });
    let admin = app.admin();
    let place = id(&venue(&admin, "walton", "Liverpool")).to_owned();
    let mut made = Vec::new();
    for (change, until, sessions) in [
        (json!({}), "2027-01-23", 3),
        (json!({ "local_start": "2030-01-01T13:00:00" }), "2030-01-01", 1),
        (json!({ "local_start": "2024-06-04T13:00:00", "recurrence": "FREQ=DAILY" }), "2027-01-23", 964),
        // What is additional is there at once.
        (json!({ "additional": ["2027-01-19T09:00:00", "2027-02-02T09:00:00"] }), "2027-01-23", 5),
    ] {
        let created = admin.post("/v1/session-series", &series_body(&place, change)).expect(201);
        assert_eq!((&created["expanded_until"], &created["sessions"]["created"]), (&json!(until), &json!(sessions)));
        made.push(id(&created).to_owned());
    }
    app.at("2026-12-23T09:00:00Z");
    assert!(go_on(&app));
    let more: Vec<usize> = made.iter().map(|series| rows(&app, series).len()).collect();
    assert_eq!(more, [3 + 5, 1, 964 + 31, 5 + 5]);
    let additional = rows(&app, &made[3]);
    assert_eq!(local_starts(&additional[5..7]), ["2027-02-02T09:00:00", "2027-02-02T13:00:00"]);
    // Years without a server are made up for.
    app.at("2039-01-01T09:00:00Z");
    assert!(go_on(&app));
    assert_eq!(rows(&app, &made[0]).last().unwrap().local_start, "2039-03-01T13:00:00");
    assert!(!go_on(&app));

    let daily = json!({ "local_start": "2030-01-01T13:00:00", "recurrence": "FREQ=DAILY" });
    let problem = admin.post("/v1/session-series", &series_body(&place, daily)).invalid(&["/recurrence"]);
    assert_eq!(problem["errors"][0]["code"], "too_many_occurrences");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("more than 2000 occurrences from its start to 2039-03-01"), "{detail}");
}

pub fn entry(changes: Value) -> Value {
    let mut entry = json!({
        "external_id": "reader-tue", "title": "Shared Reading", "pillar": "community", "delivery": "in_person",
        "venue": "walton", "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90,
        "recurrence": "FREQ=WEEKLY", "capacity": 12
    });
    for (name, value) in changes.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

/// Posts one entry; its outcome, and how many sessions were created, updated and cancelled.
pub fn post(client: &Client, path: &str, entry: Value) -> (String, [u64; 3], String) {
    let answer = client.post(path, &json!({ "entries": [entry] })).expect(201);
    let [created, updated, cancelled] =
        ["created", "updated", "cancelled"].map(|name| answer["sessions"][name].as_u64().unwrap());
    let entry = &answer["entries"][0];
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    (text("outcome"), [created, updated, cancelled], text("resource_id"))
}

#[test]
fn a_roster_with_a_rule_without_an_end_says_unchanged_however_far_the_server_has_come() {
    let (app, _, _) = start();
    let partner = partner_row(&app, "the-reader");
    let (client, path) = (app.partner_user(&partner), format!("/v1/partners/{partner}/rosters"));
    let (outcome, counts, series) = post(&client, &path, entry(json!({})));
    assert_eq!((outcome.as_str(), counts), ("created", [47, 0, 0]));
    let unchanged = |when: &str| {
        let before = rows(&app, &series);
        let (outcome, counts, _) = post(&client, &path, entry(json!({})));
        assert_eq!((outcome.as_str(), counts), ("unchanged", [0, 0, 0]), "{when}");
        assert_eq!(rows(&app, &series), before, "{when}");
    };
    unchanged("at once");
    app.at("2027-02-15T09:00:00Z");
    unchanged("later, before the server has gone on");
    assert!(go_on(&app));
    assert_eq!(rows(&app, &series).len(), 47 + 12);
    unchanged("after it");

    // A change of the texts goes to all that is still to come, and keeps the ids.
    let before = rows(&app, &series);
    let (outcome, counts, _) = post(&client, &path, entry(json!({ "title": "Poems" })));
    assert_eq!((outcome.as_str(), counts), ("updated", [0, 59 - 6, 0]));
    let after = rows(&app, &series);
    assert!(after.iter().zip(&before).all(|(after, before)| after.id == before.id));
    assert!(after[..6].iter().all(|row| row.title == "Shared Reading"));
    assert!(after[6..].iter().all(|row| row.title == "Poems"));

    // So does one of the rule, which reaches as far as there are sessions: a date that it leaves is off.
    app.at("2027-03-01T09:00:00Z");
    let change = json!({ "title": "Poems", "excluded": ["2027-03-09T13:00:00"], "local_start": "2027-01-05T13:00:00" });
    let (outcome, counts, _) = post(&client, &path, entry(change.clone()));
    assert_eq!((outcome.as_str(), counts), ("updated", [2, 0, 1]));
    let moved = rows(&app, &series);
    assert_eq!((moved[9].status.as_str(), moved[9].id), ("cancelled", after[9].id));
    assert_eq!((moved.len(), moved[60].local_start.as_str()), (61, "2028-02-29T13:00:00"));
    app.at("2027-03-31T09:00:00Z");
    assert!(go_on(&app));
    assert_eq!(rows(&app, &series)[..61], moved);
    assert_eq!(rows(&app, &series).len(), 61 + 4);
    let (outcome, counts, _) = post(&client, &path, entry(change));
    assert_eq!((outcome.as_str(), counts), ("unchanged", [0, 0, 0]));
}

#[test]
fn a_roster_may_give_a_series_an_end_and_take_it_away() {
    let (app, _, _) = start();
    let partner = partner_row(&app, "the-reader");
    let (client, path) = (app.partner_user(&partner), format!("/v1/partners/{partner}/rosters"));
    let (_, counts, series) = post(&client, &path, entry(json!({ "recurrence": "FREQ=WEEKLY;COUNT=60" })));
    assert_eq!(counts, [60, 0, 0]);
    // Sixty weeks are more than a year: none of them is lost.
    let (outcome, counts, same) = post(&client, &path, entry(json!({})));
    assert_eq!((outcome.as_str(), counts, &same), ("updated", [0, 0, 0], &series));
    let until = |series: &str| -> Option<NaiveDate> {
        let of_it = session_series::table.find(series.parse::<Id>().unwrap());
        of_it.select(session_series::expanded_until).first(&mut app.conn()).unwrap()
    };
    assert_eq!(until(&series).map(|date| date.to_string()).as_deref(), Some("2028-02-22"));
    app.at("2027-02-21T09:00:00Z");
    assert!(!go_on(&app));
    app.at("2027-02-28T09:00:00Z");
    assert!(go_on(&app));
    assert_eq!(rows(&app, &series).len(), 60);
    app.at("2027-03-06T09:00:00Z");
    assert!(go_on(&app));
    assert_eq!(rows(&app, &series).len(), 61);
    // Ended again: what is still to come after it is off, and nothing more is made.
    let (_, counts, _) = post(&client, &path, entry(json!({ "recurrence": "FREQ=WEEKLY;COUNT=10" })));
    assert_eq!(counts, [0, 0, 51]);
    assert_eq!(until(&series), None);
    app.at("2029-03-07T09:00:00Z");
    assert!(!go_on(&app));
}

#[test]
fn a_daily_group_of_many_years_is_still_unchanged() {
    let (app, _, _) = start();
    let partner = partner_row(&app, "the-reader");
    let (client, path) = (app.partner_user(&partner), format!("/v1/partners/{partner}/rosters"));
    let daily = |title: &str| entry(json!({ "recurrence": "FREQ=DAILY", "title": title }));
    let (_, _, series) = post(&client, &path, daily("Tea"));
    app.at("2033-01-01T09:00:00Z");
    assert!(go_on(&app));
    assert_eq!(rows(&app, &series).len(), 2554);
    assert_eq!(post(&client, &path, daily("Tea")).1, [0, 0, 0]);
    // Its past, which is more than may be made at once, is left alone.
    let (outcome, counts, _) = post(&client, &path, daily("Coffee"));
    assert_eq!((outcome.as_str(), counts), ("updated", [0, 366, 0]));
}

#[test]
fn several_top_ups_and_a_roster_at_once_make_each_date_once() {
    let (app, admin, place) = start();
    let partner = partner_row(&app, "the-reader");
    let (client, path) = (app.partner_user(&partner), format!("/v1/partners/{partner}/rosters"));
    let entries = |title: &str| -> Value {
        let one = |n: usize| entry(json!({ "external_id": format!("group-{n}"), "title": title }));
        json!({ "entries": (0..8).map(one).collect::<Vec<_>>() })
    };
    let roster = client.post(&path, &entries("Reading")).expect(201);
    let mut series: Vec<String> = roster["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["resource_id"].as_str().unwrap().to_owned())
        .collect();
    for _ in 0..4 {
        let own = admin.post("/v1/session-series", &series_body(&place, json!({ "title": "Reading" }))).expect(201);
        series.push(id(&own).to_owned());
    }
    app.at("2027-05-18T09:00:00Z");
    let horizon = app.state.config.horizon.day(app.clock.now());
    let top_up = || {
        actix_web::rt::System::new()
            .block_on(top_up::run(&app.state.db, &app.clock, horizon, app.state.config.quotas))
            .unwrap()
    };
    let (made, posted) = thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(top_up)).collect();
        let posted = scope.spawn(|| client.post(&path, &entries("Poems")));
        let made: Vec<Extended> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        (made, posted.join().unwrap())
    });
    posted.expect(201);
    // Where the roster was quicker three times, a series is left for the next look.
    let last = top_up();
    assert_eq!(made.iter().chain([&last]).map(|run| run.failed).sum::<usize>(), 0);
    // 25 Tuesdays from 30 November 2027 to 16 May 2028.
    assert_eq!(made.iter().chain([&last]).map(|run| run.sessions).sum::<usize>(), 12 * 25);
    for (at, series) in series.iter().enumerate() {
        let found = rows(&app, series);
        assert_eq!(local_starts(&found), weeks("2027-01-05", "13:00:00", 72));
        // Whoever came first, what is still to come has the roster's words.
        let title = if at < 8 { "Poems" } else { "Reading" };
        assert!(found[20..].iter().all(|row| row.title == title), "{found:#?}");
    }
    assert_eq!(top_up(), Extended::default());
}

#[test]
fn the_command_goes_on_beside_a_server_and_says_what_it_did() {
    let (app, admin, place) = start();
    let run = |arguments: &[&str]| {
        let url = match &app.location {
            Location::Sqlite(path) => format!("sqlite://{path}"),
            Location::Postgres(url) => url.clone(),
        };
        let output = Command::new(env!("CARGO_BIN_EXE_life-rooms"))
            .args(arguments)
            .env("DATABASE_URL", url)
            .env("LIFE_ROOMS_KEY_DIR", app.key_dir())
            .env_remove("LIFE_ROOMS_HORIZON_MONTHS")
            .output()
            .expect("the binary runs");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), said(&output.stdout), said(&output.stderr))
    };
    let series = admin.post("/v1/session-series", &series_body(&place, json!({}))).expect(201);
    // The command goes by the system's clock.
    let (code, said, trouble) = run(&["sessions", "extend", "--horizon-months", "60"]);
    assert_eq!(code, Some(0), "{trouble}");
    let until = admin.get(&format!("/v1/session-series/{}", id(&series))).expect(200)["expanded_until"].clone();
    let found = rows(&app, id(&series));
    assert_eq!(local_starts(&found), weeks("2027-01-05", "13:00:00", found.len()));
    let expected = format!("Extended 1 series to {}; new sessions: {}.\n", until.as_str().unwrap(), found.len() - 47);
    assert_eq!(said, expected);
    assert!(found.len() > 100, "{}", found.len());
    let (code, said, _) = run(&["sessions", "extend"]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("No series without an end lacked sessions up to "), "{said}");
    let (code, said, _) = run(&["sessions", "extend", "--help"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("Example:\n  life-rooms sessions extend --horizon-months 18"), "{said}");
    for wrong in ["0", "61", "-1", "twelve"] {
        for command in [&["serve"][..], &["sessions", "extend"]] {
            let value = format!("--horizon-months={wrong}");
            let (code, _, trouble) = run(&[command, &[value.as_str()]].concat());
            assert_eq!(code, Some(2), "{trouble}");
            let sentence = "LIFE_ROOMS_HORIZON_MONTHS must be a whole number of months from 1 to 60";
            assert!(trouble.contains(sentence), "{trouble}");
        }
    }
}
