//! `missing=cancel`: what a partner's roster no longer names.

use diesel::prelude::*;
use life_rooms::db::schema::{session_series, sessions};
use life_rooms::db::{Id, LocalTime};
use serde_json::{Value, json};

use crate::rosters::{counts, partner, post_csv, reader, roster, rows, series, single, take_seats, with};
use crate::support::{App, Client, id};

fn cancelling(client: &Client, path: &str, entries: &[Value]) -> Value {
    client.post(&format!("{path}?missing=cancel"), &roster(entries)).expect(201)
}

fn cancelled(cancelled: u32, unchanged: u32) -> Value {
    json!({ "created": 0, "updated": 0, "unchanged": unchanged, "cancelled": cancelled, "rejected": 0 })
}

/// The ids of an entry's sessions, by their starts.
fn sessions_of(app: &App, external_id: &str) -> Vec<Id> {
    use sessions::dsl as s;
    let of_series = s::sessions
        .left_join(session_series::table)
        .filter(session_series::external_id.eq(external_id).or(s::external_id.eq(external_id)))
        .order(s::starts_at)
        .select(s::id);
    of_series.load(&mut app.conn()).unwrap()
}

fn state(app: &App, id: Id) -> (String, Option<String>) {
    let columns = (sessions::status, sessions::cancellation_reason);
    sessions::table.find(id).select(columns).first(&mut app.conn()).unwrap()
}

fn status_of_series(app: &App, external_id: &str) -> String {
    let named = session_series::table.filter(session_series::external_id.eq(external_id));
    named.select(session_series::status).first(&mut app.conn()).unwrap()
}

#[test]
fn what_is_not_named_any_more_is_cancelled_and_posting_it_again_finds_nothing_to_do() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("keep"), series("drop"), single("alone")])).expect(201);
    let (dropped, alone) = (sessions_of(&app, "drop"), sessions_of(&app, "alone"));
    app.at("2027-01-05T13:00:00Z");

    let rehearsed = client.post(&format!("{path}?missing=cancel&dry_run=true"), &roster(&[series("keep")])).expect(200);
    assert_eq!(rehearsed["counts"], cancelled(1, 1));
    assert_eq!(status_of_series(&app, "drop"), "active");

    let body = cancelling(&client, &path, &[series("keep")]);
    assert_eq!(body["counts"], cancelled(1, 1));
    assert_eq!(body["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 3 }));
    assert_eq!(body["skipped"], json!([]));
    let gone = &body["entries"][1];
    assert_eq!((&gone["external_id"], &gone["outcome"]), (&json!("drop"), &json!("cancelled")));
    assert!(gone["resource_id"].is_string() && gone["pointer"].is_null() && gone["line"].is_null(), "{gone}");
    let states: Vec<String> = dropped.iter().map(|id| state(&app, *id).0).collect();
    assert_eq!(states, ["scheduled", "cancelled", "cancelled", "cancelled"], "the first has begun");
    assert_eq!(state(&app, dropped[1]).1.as_deref(), Some("It is no longer in the partner's roster."));
    assert_eq!(state(&app, alone[0]).0, "scheduled", "it has begun");
    assert_eq!(status_of_series(&app, "drop"), "cancelled");
    assert_eq!(status_of_series(&app, "keep"), "active");
    let kept = client.get(&format!("{path}/{}", body["id"].as_str().unwrap())).expect(200);
    assert_eq!((&kept["entries"], &kept["counts"]), (&body["entries"], &body["counts"]));

    let before = rows(&app);
    let again = cancelling(&client, &path, &[series("keep")]);
    assert_eq!((&again["counts"], &again["skipped"]), (&counts(0, 0, 1, 0), &json!([])));
    assert_eq!(again["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }));
    assert_eq!(rows(&app), before);
}

#[test]
fn booked_and_edited_sessions_stay_and_are_reported_and_past_and_cancelled_ones_are_left_alone() {
    let (app, client, path) = reader();
    let entries =
        [with(series("drop"), json!({ "recurrence": "FREQ=WEEKLY;COUNT=6" })), single("booked"), single("free")];
    client.post(&path, &roster(&entries)).expect(201);
    let of = sessions_of(&app, "drop");
    take_seats(&app, of[1], 2);
    let edit = diesel::update(sessions::table.find(of[2])).set(sessions::edited.eq(true));
    edit.execute(&mut app.conn()).unwrap();
    let off = (sessions::status.eq("cancelled"), sessions::cancellation_reason.eq("Snow"), sessions::edited.eq(true));
    diesel::update(sessions::table.find(of[3])).set(off).execute(&mut app.conn()).unwrap();
    let waiting = diesel::update(sessions::table.find(of[4])).set(sessions::waitlist_length.eq(1));
    waiting.execute(&mut app.conn()).unwrap();
    let booked = sessions_of(&app, "booked")[0];
    take_seats(&app, booked, 1);
    // The series' first has begun; the single ones start a minute later.
    let later = (sessions::starts_at.eq(app.clock.now().plus_seconds(60 * 86_400)),);
    for id in [booked, sessions_of(&app, "free")[0]] {
        let late = sessions::ends_at.eq(app.clock.now().plus_seconds(61 * 86_400));
        diesel::update(sessions::table.find(id)).set((later, late)).execute(&mut app.conn()).unwrap();
    }
    app.at("2027-01-05T13:00:00Z");

    let body = cancelling(&client, &path, &[series("other")]);
    assert_eq!(body["sessions"], json!({ "created": 4, "updated": 0, "cancelled": 2 }));
    let skip = |external_id: &str, day: &str, reason: &str| json!({ "external_id": external_id, "local_start": format!("2027-{day}T13:00:00"), "reason": reason });
    let skipped = json!([
        skip("drop", "01-12", "booked"),
        skip("drop", "01-19", "edited"),
        skip("drop", "02-02", "booked"),
        skip("booked", "01-05", "booked"),
    ]);
    assert_eq!(body["skipped"], skipped);
    let outcomes: Vec<_> =
        body["entries"].as_array().unwrap().iter().map(|e| (&e["external_id"], &e["outcome"])).collect();
    let (drop, free, off) = (json!("drop"), json!("free"), json!("cancelled"));
    assert_eq!(outcomes[1..], [(&drop, &off), (&free, &off)]);
    let states: Vec<String> = of.iter().map(|id| state(&app, *id).0).collect();
    assert_eq!(states, ["scheduled", "scheduled", "scheduled", "cancelled", "scheduled", "cancelled"]);
    assert_eq!(state(&app, of[3]).1.as_deref(), Some("Snow"));
    assert_eq!(status_of_series(&app, "drop"), "active", "people are still going");

    let again = cancelling(&client, &path, &[series("other")]);
    assert_eq!((&again["counts"], &again["skipped"]), (&counts(0, 0, 1, 0), &skipped));
    take_seats(&app, of[1], 0);
    let clear = (sessions::waitlist_length.eq(0), sessions::edited.eq(false));
    diesel::update(sessions::table.filter(sessions::id.eq_any([of[2], of[4]])))
        .set(clear)
        .execute(&mut app.conn())
        .unwrap();
    let last = cancelling(&client, &path, &[series("other")]);
    assert_eq!((&last["counts"], &last["sessions"]["cancelled"]), (&cancelled(1, 1), &json!(3)));
    assert_eq!(status_of_series(&app, "drop"), "cancelled", "it ends with the last of its future");
}

/// Splits a series from a start on; the id of the new one.
fn split(app: &App, series: &str, from: &str) -> String {
    let body = json!({ "from": from, "changes": { "title": "Poems" } });
    let new = app.admin().post(&format!("/v1/session-series/{series}/split"), &body).expect(201);
    id(&new).to_owned()
}

fn series_id(answer: &Value, at: usize) -> String {
    answer["entries"][at]["resource_id"].as_str().expect("it was created").to_owned()
}

#[test]
fn what_was_split_off_by_hand_stays_and_is_reported_as_often_as_its_series_is_missing() {
    let (app, client, path) = reader();
    let six = json!({ "recurrence": "FREQ=WEEKLY;COUNT=6" });
    let entries = [with(series("drop"), six.clone()), with(series("keep"), six.clone())];
    let made = client.post(&path, &roster(&entries)).expect(201);
    let of = sessions_of(&app, "drop");
    let half = split(&app, &series_id(&made, 0), "2027-01-19T13:00:00");
    let quarter = split(&app, &half, "2027-02-02T13:00:00");
    split(&app, &series_id(&made, 1), "2027-01-26T13:00:00");
    app.admin().post(&format!("/v1/sessions/{}/cancel", of[3]), &json!({ "reason": "Snow" })).expect(200);
    take_seats(&app, of[5], 1);

    let skip = |name: &str, day: &str, reason: &str| json!({ "external_id": name, "local_start": format!("2027-{day}T13:00:00"), "reason": reason });
    let left = json!([
        skip("drop-2", "01-19", "edited"),
        skip("drop-3", "02-02", "edited"),
        skip("drop-3", "02-09", "booked"),
    ]);
    let body = cancelling(&client, &path, &[with(series("keep"), six.clone())]);
    assert_eq!((&body["counts"], &body["skipped"]), (&cancelled(1, 1), &left));
    assert_eq!(body["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 2 }));
    let states = || -> Vec<String> { of.iter().map(|id| state(&app, *id).0).collect() };
    let after = ["cancelled", "cancelled", "scheduled", "cancelled", "scheduled", "scheduled"];
    assert_eq!((states(), status_of_series(&app, "drop").as_str()), (after.map(str::to_owned).to_vec(), "cancelled"));
    for id in [&half, &quarter] {
        assert_eq!(app.admin().get(&format!("/v1/session-series/{id}")).expect(200)["status"], "active");
    }

    let before = rows(&app);
    let again = cancelling(&client, &path, &[with(series("keep"), six)]);
    assert_eq!((&again["counts"], &again["skipped"]), (&counts(0, 0, 1, 0), &left));
    assert_eq!(rows(&app), before);
    app.at("2027-02-02T13:00:00Z");
    let later = cancelling(&client, &path, &[single("other")]);
    assert_eq!(later["skipped"][0], skip("drop-3", "02-09", "booked"), "what has begun is no news: {later}");
}

#[test]
fn the_first_half_of_a_series_without_an_end_is_over_once_its_last_session_was_and_is_not_called_off() {
    let (app, client, path) = reader();
    let weekly = with(series("drop"), json!({ "recurrence": "FREQ=WEEKLY" }));
    let made = client.post(&path, &roster(&[weekly, series("keep")])).expect(201);
    split(&app, &series_id(&made, 0), "2027-01-19T13:00:00");
    app.at("2027-01-12T13:00:00Z");
    for _ in 0..2 {
        let body = cancelling(&client, &path, &[series("keep")]);
        assert_eq!(body["counts"], counts(0, 0, 1, 0));
        assert_eq!(body["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }));
        let first = json!({ "external_id": "drop-2", "local_start": "2027-01-19T13:00:00", "reason": "edited" });
        assert_eq!(body["skipped"][0], first);
        assert!(body["skipped"].as_array().unwrap().iter().all(|skip| skip["external_id"] == "drop-2"), "{body}");
        assert_eq!(status_of_series(&app, "drop"), "active");
    }
}

#[test]
fn only_what_a_roster_could_name_can_be_missing() {
    let (app, client, path) = reader();
    let id = path.split('/').nth(3).unwrap();
    let other = partner(&app, "philharmonic");
    app.admin().post(&format!("/v1/partners/{other}/rosters"), &roster(&[series("theirs")])).expect(201);
    let venue = app.admin().get("/v1/venues").expect(200)["items"][0]["id"].clone();
    let by_hand = with(single("x"), json!({ "external_id": null, "venue": null, "venue_id": venue, "partner_id": id }));
    app.admin().post("/v1/sessions", &by_hand).expect(201);
    let weekly = with(by_hand, json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }));
    app.admin().post("/v1/session-series", &weekly).expect(201);
    client.post(&path, &roster(&[series("over")])).expect(201);
    app.at("2027-06-01T09:00:00Z");
    let past = cancelling(&client, &path, &[single("one")]);
    assert_eq!(past["sessions"]["cancelled"], 0, "a series without a future is left alone: {past}");
    assert_eq!(status_of_series(&app, "over"), "active");
    app.at("2026-11-24T09:00:00Z");
    let body = cancelling(&client, &path, &[single("one")]);
    assert_eq!(body["sessions"]["cancelled"], 4, "its own series alone: {body}");
    assert_eq!(rows(&app).iter().filter(|row| row.status == "cancelled").count(), 4);
}

#[test]
fn a_refused_roster_cancels_nothing_and_a_rejected_row_still_names_its_entry() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a"), series("b"), single("c")])).expect(201);
    let before = rows(&app);
    let wrong = with(series("a"), json!({ "title": "" }));
    let (cancelling, partial) =
        (format!("{path}?missing=cancel"), format!("{path}?missing=cancel&confirm=cancel&mode=partial"));
    client.post(&cancelling, &roster(&[wrong.clone(), series("b")])).problem(422, "roster-refused");
    assert_eq!(rows(&app), before);
    let body = client.post(&partial, &roster(&[wrong, series("d")])).expect(201);
    let wanted = json!({ "created": 1, "updated": 0, "unchanged": 0, "cancelled": 2, "rejected": 1 });
    assert_eq!(body["counts"], wanted);
    let named: Vec<_> = body["entries"].as_array().unwrap().iter().map(|entry| &entry["external_id"]).collect();
    assert_eq!(named, ["a", "d", "b", "c"]);
    assert_eq!(status_of_series(&app, "a"), "active");
    assert_eq!(body["sessions"]["cancelled"], 5);
}

#[test]
fn a_roster_without_a_good_entry_says_nothing_of_what_is_missing() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a"), series("b"), single("c")])).expect(201);
    let before = rows(&app);
    let wrong = roster(&["a", "new"].map(|name| with(series(name), json!({ "time_zone": "Europe/Atlantis" }))));
    let partial = format!("{path}?missing=cancel&mode=partial");
    let rehearsed = client.post(&format!("{partial}&dry_run=true"), &wrong).expect(200);
    assert_eq!((&rehearsed["counts"], &rehearsed["sessions"]["cancelled"]), (&counts(0, 0, 0, 2), &json!(0)));
    let refused = client.post(&partial, &wrong).problem(422, "roster-refused");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.starts_with("2 of 2 entries are wrong, and nothing was changed; see errors."), "{detail}");
    assert_eq!(refused["errors"][1]["pointer"], "/entries/1/time_zone");
    assert_eq!(rows(&app), before);
    let kept = client.get(&path).expect(200);
    let kept = kept["items"].as_array().unwrap().iter().find(|roster| roster["status"] == "refused");
    assert_eq!(kept.expect("it is kept")["counts"], counts(0, 0, 0, 2));
    // Where nothing is called off, a wrong entry is reported like any other.
    let keeping = client.post(&format!("{path}?mode=partial"), &wrong).expect(201);
    assert_eq!((&keeping["counts"], rows(&app)), (&counts(0, 0, 0, 2), before));
}

/// The entry that can't be named may be the very one that seems to be missing, and there is no way back.
#[test]
fn where_an_entry_does_not_say_what_it_is_nothing_is_missing() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a"), series("b")])).expect(201);
    let before = rows(&app);
    for nameless in [with(series("b"), json!({ "external_id": 7 })), with(series("b"), json!({ "external_id": "" }))] {
        let entries = [series("a"), nameless];
        let body = client.post(&format!("{path}?missing=cancel&mode=partial"), &roster(&entries)).expect(201);
        let wanted = json!({ "created": 0, "updated": 0, "unchanged": 1, "cancelled": 0, "rejected": 1 });
        assert_eq!(body["counts"], wanted);
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_spreadsheet_that_lost_rows_cancels_them_and_keeps_by_default() {
    let (app, client, path) = reader();
    let header = "external_id,title,pillar,delivery,venue,local_start,time_zone,duration_minutes\n";
    let row = |id: &str| format!("{id},Reading,community,in_person,walton,05/01/2027 13:00,Europe/London,90\n");
    let two = format!("{header}{}{}", row("a"), row("b"));
    post_csv(&client, &path, &two).expect(201);
    let one = format!("{header}{}", row("a"));
    assert_eq!(post_csv(&client, &path, &one).expect(201)["counts"], counts(0, 0, 1, 0));
    let kept = post_csv(&client, &format!("{path}?missing=keep"), &one).expect(201);
    assert_eq!(kept["counts"], counts(0, 0, 1, 0));
    let body = post_csv(&client, &format!("{path}?missing=cancel"), &one).expect(201);
    assert_eq!(body["counts"], cancelled(1, 1));
    let starts: Vec<(String, LocalTime)> = sessions::table
        .filter(sessions::status.eq("cancelled"))
        .select((sessions::status, sessions::local_start))
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(starts.len(), 1);
}
