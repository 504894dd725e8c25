//! What is kept has an end: the one task that takes it away, without anybody sending anything.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use futures_util::FutureExt;
use life_rooms::background;
use life_rooms::db::schema::{audit_events, idempotency_records, jobs, roster_entries, sessions, throttles, wordings};
use life_rooms::housekeeping;
use life_rooms::line::Owner;
use life_rooms::tasks;
use serde_json::json;

use crate::rosters::{reader, roster, series, single, with};
use crate::support::log::{Listener, listen};
use crate::support::{Answer, App, Client};

/// Whether there was anything to take away.
pub fn keep_house(app: &App) -> bool {
    let task = tasks::all().into_iter().find(|task| task.name == "housekeeping").expect("the server has the task");
    let run = background::run_if_due(&app.state, task, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).expect("it runs")
}

fn ended(client: &Client, job: &Answer) {
    for _ in 0..100_000 {
        let status = client.get(job.header("location")).expect(200)["status"].clone();
        if status == "succeeded" || status == "failed" {
            return;
        }
        std::thread::yield_now();
    }
    panic!("the job does not end");
}

#[test]
fn the_record_of_an_idempotency_key_is_gone_after_a_day_though_nobody_sends_another() {
    let app = App::start();
    let admin = app.admin();
    let kept = || idempotency_records::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    for number in 0..3 {
        let body = json!({ "slug": format!("site-{number}"), "name": "Example" });
        admin.post_with("/v1/sites", &[("idempotency-key", &format!("key-{number}"))], &body).expect(201);
    }
    app.at("2026-11-24T08:59:59Z");
    assert!(!keep_house(&app));
    assert_eq!(kept(), 3);
    app.at("2026-11-24T09:00:00Z");
    assert!(keep_house(&app));
    assert_eq!(kept(), 0);
    assert!(!keep_house(&app), "nothing is left to do");
}

#[test]
fn a_job_is_gone_thirty_days_after_it_ended_and_its_roster_stays() {
    let (app, client, path) = reader();
    let taken = client.post_with(&path, &[("prefer", "respond-async")], &roster(&[series("a")]));
    ended(&client, &taken);
    app.at("2026-12-23T08:59:59Z");
    assert!(!keep_house(&app));
    client.get(taken.header("location")).expect(200);
    app.at("2026-12-23T09:00:00Z");
    assert!(keep_house(&app));
    client.get(taken.header("location")).problem(404, "not-found");
    assert_eq!(jobs::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
    assert_eq!(client.get(&path).expect(200)["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_refused_roster_is_gone_after_thirty_days_and_an_applied_one_stays() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("good")])).expect(201);
    app.at("2026-11-23T09:00:01Z");
    client
        .post(&path, &roster(&[with(single("bad"), json!({ "duration_minutes": -1 }))]))
        .problem(422, "roster-refused");
    let list = || client.get(&path).expect(200)["items"].clone();
    let statuses = || list().as_array().unwrap().iter().map(|roster| roster["status"].clone()).collect::<Vec<_>>();
    let refused = list()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(statuses(), ["refused", "applied"]);
    app.at("2026-12-23T09:00:00Z");
    assert!(!keep_house(&app));
    app.at("2026-12-23T09:00:01Z");
    assert!(keep_house(&app));
    assert_eq!(statuses(), ["applied"]);
    client.get(&format!("{path}/{refused}")).problem(404, "not-found");
}

#[test]
fn the_outcome_of_each_row_of_a_roster_is_gone_after_thirteen_months_and_its_counts_and_events_stay() {
    let (app, client, path) = reader();
    let posted = client.post(&path, &roster(&[series("a"), single("b")]));
    let at = posted.header("location").to_owned();
    let tag = client.get(&at).etag().to_owned();
    let before = posted.expect(201);
    let events = || audit_events::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    let known = events();
    app.at("2027-12-23T08:59:59Z");
    assert!(!keep_house(&app));
    assert_eq!(client.get(&at).expect(200)["entries"].as_array().unwrap().len(), 2);
    app.at("2027-12-23T09:00:01Z");
    assert!(keep_house(&app));
    let after = client.get(&at);
    assert_ne!(after.etag(), tag);
    let after = after.expect(200);
    assert_eq!((&after["entries"], &after["skipped"]), (&json!([]), &json!([])));
    assert_eq!((&after["counts"], &after["sessions"]), (&before["counts"], &before["sessions"]));
    assert_eq!(roster_entries::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
    assert_eq!(events(), known);
    assert!(!keep_house(&app));
}

#[test]
fn what_is_written_ahead_for_a_roster_stays_while_the_roster_has_its_turn() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a")])).expect(201);
    // As it is between the pieces and the roster: nothing says this yet.
    diesel::delete(sessions::table).execute(&mut app.conn()).unwrap();
    let said = || wordings::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    // The roster gives its turn back just after it is answered.
    let started = Instant::now();
    let turn = loop {
        match app.state.plan_turns.for_job(Owner::Service).now_or_never() {
            Some(turn) => break turn.unwrap(),
            None => assert!(started.elapsed() < Duration::from_secs(60), "it isn't given back"),
        }
    };
    std::thread::scope(|scope| {
        let house = scope.spawn(|| keep_house(&app));
        let started = Instant::now();
        while app.state.plan_turns.waiting() == 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "it doesn't wait for its turn");
            std::thread::yield_now();
        }
        assert_eq!(said(), 1);
        drop(turn);
        assert!(house.join().unwrap());
    });
    assert_eq!(said(), 0);
}

/// What housekeeping says it deleted. Other tests keep house too.
fn said(listener: &Listener) -> Vec<String> {
    let lines = listener.lines_with("the housekeeping deleted ");
    lines.iter().filter_map(|line| Some(line.split_once("deleted ")?.1.to_owned())).collect()
}

#[test]
fn a_run_says_in_one_line_what_it_deleted_of_each_kind_and_nothing_if_it_deleted_nothing() {
    let listener = listen();
    let (app, client, path) = reader();
    let admin = app.admin();
    for number in 0..11 {
        let headers = [("idempotency-key", format!("key-{number}"))];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        admin.post_with("/v1/sites", &headers, &json!({ "slug": format!("s{number}"), "name": "x" })).expect(201);
    }
    ended(&client, &client.post_with(&path, &[("prefer", "respond-async")], &roster(&[series("a"), single("b")])));
    client
        .post(&path, &roster(&[with(single("bad"), json!({ "duration_minutes": -1 }))]))
        .problem(422, "roster-refused");
    let poems = [series("a"), single("b")].map(|entry| with(entry, json!({ "title": "Poems" })));
    client.post(&path, &roster(&poems)).expect(201);
    let body = json!({ "email": "ann@example.org", "role": "advisor", "display_name": "Dana P.", "password": "paper boat under the lamp" });
    admin.post("/v1/users", &body).expect(201);
    let log_in = |password: &str| {
        let body = json!({ "email": "ann@example.org", "password": password });
        app.anonymous().post("/v1/auth/login", &body)
    };
    log_in("paper boat under the lamp").expect(200);
    log_in("another boat under the lamp").problem(401, "unauthenticated");
    app.at("2028-01-01T09:00:00Z");
    assert!(keep_house(&app));
    // Two rosters with two rows each. What the first of them said, in one slot, nothing says any more.
    let expected = "11 idempotency records, 1 logins, 1 jobs, 1 refused rosters, 4 rows of rosters, 2 counts of wrong \
                    passwords, 2 unused wordings and listings";
    assert_eq!(said(&listener).iter().filter(|line| *line == expected).count(), 1, "{:#?}", said(&listener));
    let before = said(&listener).len();
    assert!(!keep_house(&app), "nothing is left to do");
    // Somebody else's server may have kept house meanwhile, and then said what.
    assert!(said(&listener)[before..].iter().all(|line| line != expected));
}

#[test]
fn a_run_deletes_so_many_of_a_kind_and_goes_on_with_the_next_kind() {
    let app = App::start();
    let many = housekeeping::MOST + 700;
    let at = app.clock.now().plus_seconds(-1);
    let sql = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many}) \
         INSERT INTO throttles (key, tat) SELECT 'key-' || n, $1 FROM n"
    );
    let insert = diesel::sql_query(&sql).bind::<life_rooms::db::types::DbTimestamp, _>(at);
    life_rooms::per_backend!(&mut app.conn(), |conn| insert.execute(conn)).unwrap();
    let left = || throttles::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    let admin = app.admin();
    let series = json!({ "title": "Reading", "pillar": "community", "delivery": "online", "time_zone": "Europe/London",
        "local_start": "2027-01-05T13:00:00", "duration_minutes": 60 });
    admin.post("/v1/sessions", &series).expect(201);
    diesel::delete(sessions::table).execute(&mut app.conn()).unwrap();
    assert!(keep_house(&app));
    assert_eq!(left(), 700);
    assert_eq!(wordings::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
    assert!(keep_house(&app));
    assert_eq!(left(), 0);
    assert!(!keep_house(&app));
}
