//! Quotas: how much one partner may have, at every way by which it gets more.

use std::time::{Duration, Instant};

use life_rooms::auth::caller::Scope;
use life_rooms::config::{Config, Quotas};
use life_rooms::sessions::series::top_up::{self, Extended};
use serde_json::{Value, json};

use crate::editing::{change, path, series_path, session_body, with};
use crate::housekeeping::keep_house;
use crate::rosters::{roster, series, single};
use crate::support::{Answer, App, Client, id, partner_row, venue};

const NONE: Quotas = Quotas { series: None, sessions: None, text: None, clients: None };

/// A server with these quotas; a partner's client, the partner and a venue.
fn start(quotas: Quotas) -> (App, Client, String, Value) {
    let app = App::start_with(Config { quotas, ..Config::default() });
    let reader = partner_row(&app, "reader");
    let client = app.partner_client(&reader, &[Scope::SessionsWrite, Scope::RostersWrite, Scope::RostersRead]);
    let place = venue(&app.admin(), "walton", "Liverpool");
    (app, client, reader, place)
}

fn series_body(place: &Value, rule: &str) -> Value {
    with(session_body(id(place)), json!({ "recurrence": rule }))
}

/// Checks that a request was refused for one quota, and what the partner is told of it.
#[track_caller]
fn refused(answer: Answer, code: &str, figures: &str) {
    let problem = answer.problem(409, "quota-exceeded");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem:#}");
    assert_eq!(problem["errors"][0]["code"], code);
    assert_eq!(problem["errors"][0]["detail"], figures);
    assert!(problem["detail"].as_str().unwrap().starts_with(figures), "{problem:#}");
}

fn sessions_told(is: u32, adds: u32, most: u32) -> String {
    format!("The partner has {is} sessions to come, this would add {adds}, and the most is {most}.")
}

fn count_of(client: &Client, list: &str) -> usize {
    client.get(&format!("{list}?limit=100")).expect(200)["items"].as_array().unwrap().len()
}

#[test]
fn a_partner_has_so_many_sessions_to_come_whoever_makes_them_and_however() {
    let (app, client, reader, place) = start(Quotas { sessions: Some(5), ..NONE });
    let body = session_body(id(&place));
    client.post("/v1/session-series", &series_body(&place, "FREQ=WEEKLY;COUNT=4")).expect(201);
    refused(
        client.post("/v1/session-series", &series_body(&place, "FREQ=DAILY;COUNT=2")),
        "too_many_sessions",
        &sessions_told(4, 2, 5),
    );
    assert_eq!(count_of(&client, "/v1/session-series"), 1, "nothing is written of it");
    // What has passed doesn't count, and neither does what is the service's own.
    let past = client.post("/v1/sessions", &with(body.clone(), json!({ "local_start": "2026-01-05T13:00:00" })));
    let past = past.expect(201);
    let last = client.post("/v1/sessions", &body).expect(201);
    let staff = with(body.clone(), json!({ "partner_id": reader }));
    for (caller, body) in [(&client, &body), (&app.admin(), &staff), (&app.advisor(), &staff)] {
        refused(caller.post("/v1/sessions", body), "too_many_sessions", &sessions_told(5, 1, 5));
    }
    app.admin().post("/v1/sessions", &body).expect(201);
    let other = app.partner_client(&partner_row(&app, "phil"), &[Scope::SessionsWrite]);
    other.post("/v1/sessions", &body).expect(201);
    // A past one that is moved is one more to come. Who changes something else adds nothing.
    let told = change(&client, &path(&past), &json!({ "title": "Poems" }));
    assert_eq!(told.expect(200)["title"], "Poems");
    // A cancelled one is kept and shown until its day.
    client.post(&format!("{}/cancel", path(&last)), &json!({ "reason": "Ill" })).expect(200);
    refused(client.post("/v1/sessions", &body), "too_many_sessions", &sessions_told(5, 1, 5));
    app.at("2027-01-12T14:00:00Z");
    let later = with(body, json!({ "local_start": "2027-03-01T13:00:00" }));
    for _ in 0..3 {
        client.post("/v1/sessions", &later).expect(201);
    }
    refused(client.post("/v1/sessions", &later), "too_many_sessions", &sessions_told(5, 1, 5));
}

#[test]
fn a_series_that_gets_more_sessions_by_a_change_or_a_split_is_held_to_the_quota() {
    let (_app, client, _, place) = start(Quotas { sessions: Some(6), series: Some(2), ..NONE });
    let weekly = client.post("/v1/session-series", &series_body(&place, "FREQ=WEEKLY;COUNT=4")).expect(201);
    let at = series_path(&weekly);
    refused(
        change(&client, &at, &json!({ "recurrence": "FREQ=WEEKLY" })),
        "too_many_sessions",
        // Four of the forty-seven Tuesdays from 5 January to the horizon, 23 November 2027, are there.
        &sessions_told(4, 43, 6),
    );
    assert_eq!(client.get(&at).expect(200)["recurrence"], "FREQ=WEEKLY;COUNT=4");
    change(&client, &at, &json!({ "recurrence": "FREQ=WEEKLY;COUNT=6" })).expect(200);
    let longer = json!({ "from": "2027-01-19T13:00:00", "changes": { "recurrence": "FREQ=WEEKLY;COUNT=5" } });
    refused(client.post(&format!("{at}/split"), &longer), "too_many_sessions", &sessions_told(6, 1, 6));
    client.post(&format!("{at}/split"), &json!({ "from": "2027-01-19T13:00:00", "changes": {} })).expect(201);
    let third = client.post(&format!("{at}/split"), &json!({ "from": "2027-01-12T13:00:00", "changes": {} }));
    let told = "The partner has 2 series, this would add 1, and the most is 2.";
    refused(third, "too_many_series", told);
    let past = with(series_body(&place, "FREQ=WEEKLY;COUNT=1"), json!({ "local_start": "2026-01-05T13:00:00" }));
    refused(client.post("/v1/session-series", &past), "too_many_series", told);
    let both =
        client.post("/v1/session-series", &series_body(&place, "FREQ=WEEKLY;COUNT=1")).problem(409, "quota-exceeded");
    let codes: Vec<&Value> = both["errors"].as_array().unwrap().iter().map(|fault| &fault["code"]).collect();
    assert_eq!(codes, ["too_many_series", "too_many_sessions"]);
    assert_eq!(count_of(&client, "/v1/session-series"), 2);
}

#[test]
fn a_roster_is_held_to_the_quotas_at_once_as_a_rehearsal_and_as_a_job() {
    let (app, client, reader, _) = start(Quotas { series: Some(2), sessions: Some(9), ..NONE });
    let at = format!("/v1/partners/{reader}/rosters");
    client.post(&at, &roster(&[series("a"), single("b")])).expect(201);
    let more = roster(&[series("a"), single("b"), series("c"), single("d")]);
    let both = client.post(&at, &roster(&[series("c"), series("d")])).problem(409, "quota-exceeded");
    let told: Vec<&Value> = both["errors"].as_array().unwrap().iter().map(|fault| &fault["detail"]).collect();
    let of_series = "The partner has 1 series, this would add 2, and the most is 2.";
    assert_eq!(told, [of_series, sessions_told(5, 8, 9).as_str()]);
    let told = sessions_told(5, 5, 9);
    for mode in ["", "?dry_run=true", "?mode=partial"] {
        refused(client.post(&format!("{at}{mode}"), &more), "too_many_sessions", &told);
    }
    let job = client.post_with(&at, &[("prefer", "respond-async")], &more);
    let started = Instant::now();
    let problem = loop {
        let job = client.get(job.header("location")).expect(200);
        if job["status"] == "failed" {
            break job["problem"].clone();
        }
        assert!(job["status"] != "succeeded" && started.elapsed() < Duration::from_secs(60), "{job:#}");
        std::thread::yield_now();
    };
    assert_eq!((&problem["type"], &problem["errors"][0]["detail"]), (&json!("/problems/quota-exceeded"), &json!(told)));
    assert_eq!(count_of(&client, "/v1/session-series"), 1);
    assert_eq!(count_of(&client, &at), 1, "no roster was applied or kept but the first");
    // The same again adds nothing, and neither does what only changes.
    client.post(&at, &roster(&[series("a"), single("b")])).expect(201);
    client.post(&at, &roster(&[with(series("a"), json!({ "title": "Poems" })), single("b"), series("c")])).expect(201);
    assert_eq!(app.anonymous().get("/v1/sessions?limit=100").expect(200)["items"].as_array().unwrap().len(), 9);
}

#[test]
fn series_without_an_end_stop_at_the_quota_and_those_of_others_go_on() {
    let (app, client, _, place) = start(Quotas { sessions: Some(60), ..NONE });
    let endless = series_body(&place, "FREQ=WEEKLY");
    client.post("/v1/session-series", &endless).expect(201);
    let phil = app.partner_client(&partner_row(&app, "phil"), &[Scope::SessionsWrite]);
    phil.post("/v1/session-series", &endless).expect(201);
    // With thirteen others, the 47 Tuesdays up to the horizon leave room for none of the nine that follow.
    let filler = with(session_body(id(&place)), json!({ "local_start": "2028-03-01T13:00:00" }));
    for _ in 0..13 {
        client.post("/v1/sessions", &filler).expect(201);
    }
    app.at("2026-12-23T09:00:00Z");
    let top_up = |day: &str, sessions| {
        let quotas = Quotas { sessions, ..NONE };
        let run = top_up::run(&app.state.db, &app.clock, day.parse().unwrap(), quotas);
        actix_web::rt::System::new().block_on(run).unwrap()
    };
    let some = |sessions, held_back| Extended { series: 1, sessions, failed: 0, held_back };
    assert_eq!(top_up("2028-01-31", Some(60)), some(9, 1));
    assert_eq!(top_up("2028-01-31", Some(60)), Extended { held_back: 1, ..Extended::default() });
    assert_eq!(top_up("2028-01-31", None), some(9, 0), "once there is room, they are made");
}

#[test]
fn the_text_of_a_partner_is_bounded_and_counts_once_however_many_sessions_say_it() {
    let (app, client, reader, place) = start(Quotas { text: Some(10_000), ..NONE });
    let text = |length: usize| json!({ "description": "x".repeat(length) });
    // `Reading`, and two empty lists: eleven bytes beside the description, for the series and for its sessions.
    let weekly = with(series_body(&place, "FREQ=WEEKLY;COUNT=30"), text(2_000));
    let weekly = client.post("/v1/session-series", &weekly).expect(201);
    let told = |is: u32, adds: u32| {
        format!("The partner has {is} bytes of text, this would add {adds}, and the most is 10000.")
    };
    let long = with(session_body(id(&place)), text(5_000));
    let one = client.post("/v1/sessions", &long).expect(201);
    client.post("/v1/sessions", &with(long.clone(), json!({ "local_start": "2027-02-02T10:00:00" }))).expect(201);
    let more = with(session_body(id(&place)), text(1_000));
    refused(client.post("/v1/sessions", &more), "too_much_text", &told(9_033, 1_011));
    refused(change(&client, &series_path(&weekly), &text(2_490)), "too_much_text", &told(9_033, 980));
    let at = format!("/v1/partners/{reader}/rosters");
    refused(client.post(&at, &roster(&[with(series("a"), text(480))])), "too_much_text", &told(9_033, 996));
    // What two sessions say is freed once the second says something else too.
    refused(change(&client, &path(&one), &text(1_000)), "too_much_text", &told(9_033, 1_011));
    change(&client, &series_path(&weekly), &text(2_480)).expect(200);
    // Shorter is always right, though the words of before are still stored.
    change(&client, &series_path(&weekly), &text(10)).expect(200);
    assert!(keep_house(&app));
    for length in [1_000, 3_000, 3_500] {
        change(&client, &path(&one), &text(length)).expect(200);
    }
    refused(change(&client, &path(&one), &text(5_000 - 1)), "too_much_text", &told(8_564, 1_499));
    assert_eq!(client.get(&path(&one)).expect(200)["description"], "x".repeat(3_500));
}

#[test]
fn a_roster_that_is_over_the_quota_leaves_no_text_behind_and_takes_none_of_it() {
    let (_app, client, reader, _) = start(Quotas { text: Some(20_000), ..NONE });
    let at = format!("/v1/partners/{reader}/rosters");
    let entry = |n: usize| with(single(&format!("e{n}")), json!({ "description": format!("{n}{}", "x".repeat(900)) }));
    let big: Vec<Value> = (0..30).map(entry).collect();
    for _ in 0..3 {
        client.post(&at, &roster(&big)).problem(409, "quota-exceeded");
    }
    let small: Vec<Value> = (0..20).map(entry).collect();
    client.post(&at, &roster(&small)).expect(201);
    client.post(&at, &roster(&small)).expect(201);
}

#[test]
fn a_partner_has_so_many_api_clients_that_are_not_revoked() {
    let (app, _, reader, _) = start(Quotas { clients: Some(3), ..NONE });
    let (admin, at) = (app.admin(), format!("/v1/partners/{reader}/clients"));
    let body = json!({ "name": "Scheduling", "scopes": [] });
    let first = admin.post(&at, &body).expect(201);
    admin.post(&at, &body).expect(201);
    let told = "The partner has 3 API clients, this would add 1, and the most is 3.";
    refused(admin.post(&at, &body), "too_many_clients", told);
    admin.post(&format!("{at}/{}/rotate", id(&first)), &json!({})).expect(200);
    assert_eq!(admin.delete(&format!("{at}/{}", id(&first))).status, 204);
    admin.post(&at, &body).expect(201);
    refused(admin.post(&at, &body), "too_many_clients", told);
}

#[test]
fn of_many_at_the_same_time_as_many_are_made_as_the_quota_leaves() {
    let (app, client, reader, place) = start(Quotas { sessions: Some(3), series: Some(1), ..NONE });
    let (admin, at) = (app.admin(), format!("/v1/partners/{reader}/rosters"));
    let (body, entries) = (session_body(id(&place)), roster(&[single("a")]));
    let staff = with(body.clone(), json!({ "partner_id": reader }));
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let one = |n: usize| match n % 3 {
            0 => client.post("/v1/sessions", &body),
            1 => admin.post("/v1/sessions", &staff),
            _ => client.post(&at, &entries),
        };
        let threads: Vec<_> = (0..12).map(|n| scope.spawn(move || one(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "quota-exceeded");
    }
    assert_eq!(app.anonymous().get("/v1/sessions").expect(200)["items"].as_array().unwrap().len(), 3);
}
