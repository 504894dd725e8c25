//! Rosters that are posted again with changes, and two at the same time.

use diesel::prelude::*;
use life_rooms::db::schema::sessions;
use serde_json::{Value, json};

use crate::rosters::{Row, counts, reader, roster, rows, series, series_count, single, take_seats, with};

#[test]
fn a_changed_entry_changes_its_sessions_in_place() {
    let (app, client, path) = reader();
    let first = with(series("a"), json!({ "join_link": "https://meet.example.org/1" }));
    client.post(&path, &roster(&[first, single("b")])).expect(201);
    let before = rows(&app);
    app.at("2026-11-24T09:00:00Z");
    let changed = json!({ "title": "Poems", "local_start": "2027-01-05T14:30:00" });
    let entries = [with(series("a"), changed.clone()), with(single("b"), changed)];
    let body = client.post(&path, &roster(&entries)).expect(201);
    assert_eq!(body["counts"], counts(0, 2, 0, 0));
    assert_eq!(body["sessions"], json!({ "created": 0, "updated": 5, "cancelled": 0 }));
    let after = rows(&app);
    let ids = |rows: &[Row]| rows.iter().map(|row| row.id).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids(&after), ids(&before));
    assert!(after.iter().all(|row| row.title == "Poems" && row.local_start.ends_with("T14:30:00") && row.version == 2));
    let links: Vec<Option<String>> = sessions::table
        .filter(sessions::series_id.is_not_null())
        .select(sessions::join_link)
        .load(&mut app.conn())
        .unwrap();
    assert!(links.iter().all(Option::is_some), "a join link that isn't stated stays");
    assert_eq!(client.post(&path, &roster(&entries)).expect(201)["counts"], counts(0, 0, 2, 0));
}

#[test]
fn past_cancelled_and_edited_sessions_stay_as_they_are() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a")])).expect(201);
    let before = rows(&app);
    app.at("2027-01-05T13:00:00Z");
    let mut conn = app.conn();
    let (admin, edited) = (app.admin(), format!("/v1/sessions/{}", before[1].id));
    admin.patch(&edited, admin.get(&edited).etag(), &json!({ "title": "By hand" })).expect(200);
    let off = (sessions::status.eq("cancelled"), sessions::cancellation_reason.eq("Snow"), sessions::edited.eq(true));
    diesel::update(sessions::table.find(before[2].id)).set(off).execute(&mut conn).unwrap();
    let changed = with(series("a"), json!({ "title": "Poems" }));
    let body = client.post(&path, &roster(&[changed])).expect(201);
    assert_eq!(body["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    assert_eq!(
        body["skipped"],
        json!([
            { "external_id": "a", "local_start": "2027-01-12T13:00:00", "reason": "edited" },
            { "external_id": "a", "local_start": "2027-01-19T13:00:00", "reason": "cancelled" }
        ])
    );
    let titles: Vec<String> = rows(&app).into_iter().map(|row| row.title).collect();
    assert_eq!(titles, ["Shared Reading", "By hand", "Shared Reading", "Poems"]);
}

#[test]
fn a_date_that_leaves_is_cancelled_unless_it_is_booked() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a")])).expect(201);
    let before = rows(&app);
    take_seats(&app, before[3].id, 2);
    let shorter = with(series("a"), json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }));
    let body = client.post(&path, &roster(std::slice::from_ref(&shorter))).expect(201);
    assert_eq!(body["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 1 }));
    let skipped = json!([{ "external_id": "a", "local_start": "2027-01-26T13:00:00", "reason": "booked" }]);
    assert_eq!(body["skipped"], skipped);
    let states: Vec<String> = rows(&app).into_iter().map(|row| row.status).collect();
    assert_eq!(states, ["scheduled", "scheduled", "cancelled", "scheduled"]);

    let again = client.post(&path, &roster(std::slice::from_ref(&shorter))).expect(201);
    assert_eq!((&again["counts"], &again["skipped"]), (&counts(0, 0, 1, 0), &json!([])), "it is no news");
    take_seats(&app, before[3].id, 0);
    let later = client.post(&path, &roster(&[shorter])).expect(201);
    assert_eq!(later["sessions"]["cancelled"], 1, "it follows once nobody holds a seat");
}

#[test]
fn a_capacity_stays_where_more_seats_are_taken() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a")])).expect(201);
    let before = rows(&app);
    take_seats(&app, before[0].id, 9);
    let smaller = with(series("a"), json!({ "capacity": 8, "title": "Poems" }));
    let body = client.post(&path, &roster(&[smaller])).expect(201);
    assert_eq!(
        body["skipped"],
        json!([{ "external_id": "a", "local_start": "2027-01-05T13:00:00", "reason": "booked" }])
    );
    let found: Vec<_> = rows(&app).into_iter().map(|row| (row.capacity, row.title)).collect();
    assert_eq!(found[0], (Some(12), "Poems".to_owned()));
    assert_eq!(found[1], (Some(8), "Poems".to_owned()));
}

#[test]
fn two_rosters_at_the_same_time_come_out_as_if_one_had_waited() {
    let (app, client, path) = reader();
    let body = |title: &str| {
        let entries: Vec<Value> = (0..10).map(|n| with(series(&format!("s{n}")), json!({ "title": title }))).collect();
        roster(&entries)
    };
    let bodies = ["One", "Two", "Three", "Four"].map(body);
    std::thread::scope(|scope| {
        for body in &bodies {
            scope.spawn(|| client.post(&path, body).expect(201));
        }
    });
    let rows = rows(&app);
    assert_eq!((rows.len(), series_count(&app)), (40, 10));
    let titles: std::collections::BTreeSet<_> = rows.iter().map(|row| row.title.clone()).collect();
    assert_eq!(titles.len(), 1, "the last one decides: {titles:?}");
    let list = client.get(&path).expect(200);
    let created: i64 = list["items"].as_array().unwrap().iter().map(|r| r["counts"]["created"].as_i64().unwrap()).sum();
    assert_eq!(created, 10);
}

#[test]
fn a_repeated_key_is_answered_with_the_first_answer() {
    let (app, client, path) = reader();
    let key = [("idempotency-key", "january")];
    let first = client.post_with(&path, &key, &roster(&[series("a")]));
    let again = client.post_with(&path, &key, &roster(&[series("a")]));
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(again.header("idempotent-replay"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(client.get(&path).expect(200)["items"].as_array().unwrap().len(), 1);
    client.post_with(&path, &key, &roster(&[series("b")])).problem(422, "idempotency-mismatch");
    assert_eq!(rows(&app).len(), 4);
}
