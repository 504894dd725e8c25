//! Any sequence of changes of a series, rosters, splits, cancellations and edits by hand moves nobody who isn't meant,
//! doubles nothing and reports what it skips. What takes place is what is stated, but for what people called off or moved
//! by hand, and for booked sessions that stay: the code against a plain reading of what is stated.
//!
//! `OCCURRENCE_CASES=2000` runs as many sequences; 12 without it.

use std::collections::{BTreeSet, HashMap};

use life_rooms::db::{LocalTime, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::editing::{session_body, with};
use crate::occurrence_steps::{FIRST, NOW, TAKEN, local, step};
use crate::occurrence_world::World;
use crate::support::{App, id, instant, member_row, partner_row, venue};

#[test]
fn any_sequence_moves_nobody_doubles_nothing_brings_nothing_back_and_reports_what_it_skips() {
    let app = App::start();
    let client = app.admin();
    let walton = venue(&client, "walton", "Liverpool");
    let members: Vec<String> = (0..8).map(|_| member_row(&app, "Sam", "Riley")).collect();
    let cases = std::env::var("OCCURRENCE_CASES").map_or(12, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let number = std::cell::Cell::new(0);
    let steps = prop::collection::vec(step(), 1..16);
    let outcome = runner.run(&steps, |steps| {
        number.set(number.get() + 1);
        app.at(NOW);
        let rosters = format!("/v1/partners/{}/rosters", partner_row(&app, &format!("partner-{}", number.get())));
        let entry = json!({
            "external_id": format!("case-{}", number.get()), "title": "Reading", "pillar": "community",
            "delivery": "in_person", "venue": "walton", "local_start": format!("{FIRST}T10:00:00"),
            "time_zone": "Europe/London", "duration_minutes": 60, "recurrence": "FREQ=WEEKLY;COUNT=3"
        });
        let spaces = format!("/v1/venues/{}/spaces", id(&walton));
        let space = client.post(&spaces, &json!({ "name": format!("Room {}", number.get()) })).expect(201);
        let foreign = json!({ "space_id": id(&space), "local_start": LocalTime(local(TAKEN.0, TAKEN.1)).to_string() });
        let foreign = client.post("/v1/sessions", &with(session_body(id(&walton)), foreign)).expect(201);
        let taken = (Timestamp(instant(foreign["starts_at"].as_str().unwrap())), 90);
        let made = client.post(&rosters, &json!({ "entries": [entry] })).expect(201);
        let series = vec![made["entries"][0]["resource_id"].as_str().unwrap().to_owned()];
        let now = Timestamp(instant(NOW));
        let (client, rosters, members) = (&client, rosters.as_str(), members.as_slice());
        let (bookings, called_off) = (HashMap::new(), BTreeSet::new());
        let left_out = false;
        let (app, space) = (&app, id(&space));
        let mut world =
            World { app, client, rosters, members, space, taken, series, entry, bookings, called_off, now, left_out };
        steps.iter().for_each(|step| world.take(step));
        // Nothing more is to be made of them.
        for series in &world.series {
            let off = client.post(&format!("/v1/session-series/{series}/cancel"), &json!({ "reason": "Done." }));
            assert!([200, 409].contains(&off.status), "{}", off.text);
        }
        Ok(())
    });
    outcome.unwrap();
}
