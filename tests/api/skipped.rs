//! What a series doesn't do as it was stated, and where whoever writes it reads that.

use serde_json::{Value, json};

use crate::closings::{closed_for_a_week, patch_venue};
use crate::editing::{book, change, path, series_path, session_body, sessions_of, starts, with};
use crate::recurrence::{go_on, series_body, start};
use crate::rosters::{reader, roster, series as entry};
use crate::support::{App, Client, id, member_row, partner_row, venue};

fn post(client: &Client, place: &Value, changes: Value) -> Value {
    let body = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=3" });
    client.post("/v1/session-series", &with(with(session_body(id(place)), body), changes)).expect(201)
}

fn skip(start: &str, reason: &str) -> Value {
    json!({ "local_start": start, "reason": reason })
}

#[test]
fn a_series_that_would_never_take_place_is_refused_however_it_is_written() {
    let (app, client, rosters) = reader();
    let admin = app.admin();
    let place = venue(&admin, "bootle", "Sefton");
    let nothing = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=1",
        "excluded": ["2027-02-02T13:00:00"] });
    let posted = admin.post("/v1/session-series", &with(session_body(id(&place)), nothing.clone()));
    let problem = posted.invalid(&["/recurrence"]);
    assert_eq!(problem["errors"][0]["code"], "no_occurrences");
    let stated = with(entry("never"), nothing.clone());
    let refused = client.post(&rosters, &roster(&[stated])).problem(422, "roster-refused");
    let fault = &refused["errors"][0];
    assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/entries/0/recurrence"), &json!("no_occurrences")));
    let series = post(&admin, &place, json!({}));
    let problem = change(&admin, &series_path(&series), &nothing).invalid(&["/recurrence"]);
    assert_eq!(problem["errors"][0]["code"], "no_occurrences");
}

#[test]
fn an_exclusion_that_excludes_nothing_is_reported_when_it_is_stated() {
    let (app, client, rosters) = reader();
    let admin = app.admin();
    let place = venue(&admin, "bootle", "Sefton");
    // A wrong hour, a day that isn't the rule's, one behind its end; one that is right, and one of an additional time.
    let excluded = json!([
        "2027-02-23T13:00:00",
        "2027-02-09T14:00:00",
        "2027-02-10T13:00:00",
        "2027-02-16T13:00:00",
        "2027-02-11T09:00:00"
    ]);
    let times = json!({ "excluded": excluded, "additional": ["2027-02-11T09:00:00"] });
    let idle = ["2027-02-09T14:00:00", "2027-02-10T13:00:00", "2027-02-23T13:00:00"];
    let skipped = Value::from(idle.map(|start| skip(start, "not_an_occurrence")).to_vec());
    let posted = post(&admin, &place, times.clone());
    assert_eq!((&posted["skipped"], &posted["sessions"]["created"]), (&skipped, &json!(2)));

    let series = post(&admin, &place, json!({}));
    let changed = change(&admin, &series_path(&series), &times).expect(200);
    assert_eq!((&changed["skipped"], &changed["sessions"]["cancelled"]), (&skipped, &json!(1)));
    let renamed = change(&admin, &series_path(&series), &json!({ "duration_minutes": 45 })).expect(200);
    let cancelled = json!([skip("2027-02-16T13:00:00", "cancelled")]);
    assert_ne!(renamed["skipped"], cancelled, "what isn't stated any more isn't reported");
    assert_eq!(renamed["skipped"], json!([]));

    let stated = |changes: Value| {
        let rule = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=3" });
        roster(&[with(with(entry("tue"), rule), changes)])
    };
    let read = |answer: &Value| -> Vec<Value> {
        let skipped = answer["skipped"].as_array().unwrap().iter();
        skipped.map(|one| skip(one["local_start"].as_str().unwrap(), one["reason"].as_str().unwrap())).collect()
    };
    let made = client.post(&rosters, &stated(times.clone())).expect(201);
    assert_eq!(Value::from(read(&made)), skipped);
    let again = client.post(&rosters, &stated(times)).expect(201);
    assert_eq!((&again["counts"]["unchanged"], read(&again)), (&json!(1), vec![]));
    let other = client.post(&rosters, &stated(json!({ "excluded": ["2027-02-09T13:30:00"] }))).expect(201);
    assert!(read(&other).contains(&skip("2027-02-09T13:30:00", "not_an_occurrence")), "{other}");
}

#[test]
fn exclusions_follow_the_rule_to_another_time_and_those_of_additional_times_stay() {
    let app = App::start();
    let admin = app.admin();
    let times =
        json!({ "excluded": ["2027-02-09T13:00:00", "2027-02-11T13:00:00"], "additional": ["2027-02-11T13:00:00"] });
    let series = post(&admin, &venue(&admin, "walton", "Liverpool"), times);
    let later = json!({ "local_start": "2027-02-02T15:00:00" });
    let changed = change(&admin, &series_path(&series), &later).expect(200);
    assert_eq!(changed["excluded"], json!(["2027-02-09T15:00:00", "2027-02-11T13:00:00"]));
    assert_eq!((&changed["skipped"], &changed["sessions"]["created"]), (&json!([]), &json!(0)));
    assert_eq!(starts(&sessions_of(&admin, &series)), ["2027-02-02T15:00:00", "2027-02-16T15:00:00"]);
}

#[test]
fn a_time_that_is_added_in_the_past_of_a_series_is_reported() {
    let (app, client, rosters) = reader();
    let admin = app.admin();
    let series = post(&admin, &venue(&admin, "bootle", "Sefton"), json!({}));
    let rule = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=3" });
    let stated = with(entry("tue"), rule);
    client.post(&rosters, &roster(std::slice::from_ref(&stated))).expect(201);
    app.at("2027-02-10T09:00:00Z");
    let added = json!({ "additional": ["2027-02-03T10:00:00", "2027-02-12T10:00:00"] });
    let past = json!([skip("2027-02-03T10:00:00", "past")]);
    let changed = change(&admin, &series_path(&series), &added).expect(200);
    assert_eq!((&changed["skipped"], &changed["sessions"]["created"]), (&past, &json!(1)));
    let answer = client.post(&rosters, &roster(&[with(stated.clone(), added.clone())])).expect(201);
    assert_eq!(answer["skipped"], json!([with(past[0].clone(), json!({ "external_id": "tue" }))]));
    let again = client.post(&rosters, &roster(&[with(stated, added)])).expect(201);
    assert_eq!((&again["counts"]["unchanged"], &again["skipped"]), (&json!(1), &json!([])));
    // A rule that begins earlier states days that are over too.
    let earlier = json!({ "local_start": "2027-01-26T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=4" });
    let changed = change(&admin, &series_path(&series), &earlier).expect(200);
    assert_eq!(changed["skipped"], json!([skip("2027-01-26T13:00:00", "past")]));
}

#[test]
fn a_recurrence_in_words_is_answered_with_a_rule_that_would_do() {
    let app = App::start();
    let admin = app.admin();
    let body = session_body(id(&venue(&admin, "walton", "Liverpool")));
    for (said, example) in
        [("weekly", "FREQ=WEEKLY;COUNT=10"), ("every month", "FREQ=WEEKLY;COUNT=10"), ("Daily", "FREQ=DAILY;COUNT=10")]
    {
        let with_rule =
            |rule: &str| admin.post("/v1/session-series", &with(body.clone(), json!({ "recurrence": rule })));
        let problem = with_rule(said).invalid(&["/recurrence"]);
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.ends_with(&format!("Write it like {example}.")), "{detail}");
        with_rule(example).expect(201);
    }
}

#[test]
fn what_a_top_up_leaves_out_is_read_where_the_series_and_the_roster_are() {
    let (app, admin, place) = start();
    let partner = partner_row(&app, "the-reader");
    let room = admin.post(&format!("/v1/venues/{place}/spaces"), &json!({ "name": "Garden room" })).expect(201);
    let (client, rosters) = (app.partner_user(&partner), format!("/v1/partners/{partner}/rosters"));
    let mut weekly = crate::recurrence::entry(json!({ "space": "Garden room" }));
    let posted = client.post(&rosters, &json!({ "entries": [weekly] })).expect(201);
    let series = format!("/v1/session-series/{}", posted["entries"][0]["resource_id"].as_str().unwrap());
    assert_eq!(client.get(&series).expect(200)["left_out"], json!([]));
    // Somebody else has the room on one of the dates that are still to be made.
    let concert = json!({ "space_id": room["id"], "local_start": "2027-12-07T12:00:00", "duration_minutes": 120 });
    let concert = admin.post("/v1/sessions", &with(session_body(&place), concert)).expect(201);
    app.at("2026-12-20T09:00:00Z");
    assert!(go_on(&app));
    let left_out = json!([skip("2027-12-07T13:00:00", "space_taken")]);
    for reader in [&client, &admin] {
        let read = reader.get(&series).expect(200);
        assert_eq!((&read["left_out"], &read["version"]), (&left_out, &json!(1)));
    }
    let other = app.partner_user(&partner_row(&app, "phil"));
    for reader in [&app.anonymous(), &other] {
        assert_eq!(reader.get(&series).expect(200)["left_out"], json!(null));
    }
    let again = client.post(&rosters, &json!({ "entries": [weekly] })).expect(201);
    assert_eq!((&again["counts"]["unchanged"], &again["skipped"][0]["reason"]), (&json!(1), &json!("space_taken")));

    // The room is free again: the next roster makes it, and nothing is left out.
    admin.post(&format!("{}/cancel", path(&concert)), &json!({ "reason": "Off." })).expect(200);
    let again = client.post(&rosters, &json!({ "entries": [weekly] })).expect(201);
    assert_eq!((&again["sessions"]["created"], &again["skipped"]), (&json!(1), &json!([])));
    assert_eq!(client.get(&series).expect(200)["left_out"], json!([]));
    weekly["title"] = json!("Poems");
    client.post(&rosters, &json!({ "entries": [weekly] })).expect(201);
    assert_eq!(client.get(&series).expect(200)["left_out"], json!([]));
}

#[test]
fn what_could_not_be_made_of_a_new_series_is_read_there_until_it_is_over() {
    let (app, admin, place) = start();
    let room = admin.post(&format!("/v1/venues/{place}/spaces"), &json!({ "name": "Garden room" })).expect(201);
    let concert = json!({ "space_id": room["id"], "local_start": "2027-01-12T12:00:00", "duration_minutes": 120 });
    admin.post("/v1/sessions", &with(session_body(&place), concert)).expect(201);
    let weekly = series_body(&place, json!({ "space_id": room["id"], "recurrence": "FREQ=WEEKLY;COUNT=3" }));
    let made = admin.post("/v1/session-series", &weekly).expect(201);
    let left_out = json!([skip("2027-01-12T13:00:00", "space_taken")]);
    assert_eq!(
        (&made["skipped"], admin.get(&series_path(&made)).expect(200)["left_out"].clone()),
        (&left_out, left_out.clone())
    );
    app.at("2027-01-12T13:00:00Z");
    assert_eq!(admin.get(&series_path(&made)).expect(200)["left_out"], json!([]));
}

#[test]
fn a_single_session_that_has_begun_stays_as_it_was_and_the_roster_is_told() {
    let (app, client, rosters) = reader();
    let stated = |title: &str| roster(&[with(crate::rosters::single("one"), json!({ "title": title }))]);
    client.post(&rosters, &stated("Reading")).expect(201);
    app.at("2027-01-05T12:59:59Z");
    let before = client.post(&rosters, &stated("Poems")).expect(201);
    assert_eq!((&before["sessions"]["updated"], &before["skipped"]), (&json!(1), &json!([])));
    app.at("2027-01-05T13:00:00Z");
    let skipped = json!([{ "external_id": "one", "local_start": "2027-01-05T13:00:00", "reason": "past" }]);
    for (title, skipped) in [("Stories", skipped), ("Poems", json!([]))] {
        let answer = client.post(&rosters, &stated(title)).expect(201);
        assert_eq!((&answer["counts"]["unchanged"], &answer["skipped"]), (&json!(1), &skipped), "{title}");
    }
}

/// A series of Tuesdays from 5 January 2027.
fn tuesdays(admin: &Client, place: &Value, changes: Value) -> Value {
    post(admin, place, with(json!({ "local_start": "2027-01-05T13:00:00" }), changes))
}

fn did(answer: &Value) -> [u64; 3] {
    ["created", "updated", "cancelled"].map(|name| answer["sessions"][name].as_u64().unwrap())
}

#[test]
fn once_a_venue_is_open_again_a_patch_that_changes_nothing_makes_what_was_skipped() {
    let app = App::start();
    let admin = app.admin();
    let (place, other) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    patch_venue(&admin, &place, "", &closed_for_a_week()).expect(200);
    let closed = json!([skip("2027-01-12T13:00:00", "venue_closed")]);
    // One is new there, the other comes from another venue, and the third goes on without an end.
    let new = tuesdays(&admin, &place, json!({}));
    let moved = tuesdays(&admin, &other, json!({}));
    let endless = tuesdays(&admin, &place, json!({ "recurrence": "FREQ=WEEKLY" }));
    let there = json!({ "venue_id": place["id"] });
    let skipped = change(&admin, &series_path(&moved), &there).expect(200)["skipped"].clone();
    assert_eq!([&new["skipped"], &skipped, &endless["skipped"]], [&closed; 3]);
    let read = |series: &Value| admin.get(&series_path(series)).expect(200);
    let before = [&new, &moved, &endless].map(|series| (read(series), sessions_of(&admin, series)));
    for (series, before) in [&new, &moved, &endless].into_iter().zip(before) {
        let still = change(&admin, &series_path(series), &there).expect(200);
        assert_eq!((did(&still), &still["skipped"]), ([0; 3], &closed));
        assert_eq!((read(series), sessions_of(&admin, series)), before);
    }

    patch_venue(&admin, &place, "", &json!({ "status": "open", "status_from": null, "status_until": null }))
        .expect(200);
    let (first, rest) = ("2027-01-05T13:00:00", ["2027-01-12T13:00:00", "2027-01-19T13:00:00"]);
    for (series, healed, patch) in [
        (&new, [1, 0, 0], json!({})),
        (&moved, [0, 1, 0], there),
        (&endless, [1, 0, 0], json!({ "title": endless["title"] })),
    ] {
        let version = read(series)["version"].clone();
        let changed = change(&admin, &series_path(series), &patch).expect(200);
        assert_eq!((did(&changed), &changed["skipped"], &changed["left_out"]), (healed, &json!([]), &json!([])));
        assert_eq!(changed["version"], version, "the series itself is as it was");
        let sessions = sessions_of(&admin, series);
        assert_eq!(starts(&sessions)[..3], [first, rest[0], rest[1]]);
        assert!(sessions.iter().all(|session| session["venue"]["slug"] == "walton"));
        let again = change(&admin, &series_path(series), &patch).expect(200);
        assert_eq!((did(&again), sessions_of(&admin, series)), ([0; 3], sessions));
    }
}

#[test]
fn a_patch_that_changes_nothing_leaves_alone_what_people_called_off_or_edited_and_what_is_called_off_as_a_whole() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let series = tuesdays(&admin, &place, json!({}));
    let sessions = sessions_of(&admin, &series);
    admin.post(&format!("{}/cancel", path(&sessions[0])), &json!({ "reason": "Snow." })).expect(200);
    change(&admin, &path(&sessions[1]), &json!({ "local_start": "2027-01-13T10:00:00" })).expect(200);
    // Somebody is booked on a date that leaves; once nobody is, it goes.
    let booking = book(&app, &sessions[2], &member_row(&app, "Ann", "A"), json!({}));
    let shorter = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" });
    change(&admin, &series_path(&series), &shorter).expect(200);
    let before = sessions_of(&admin, &series);
    let nothing = |updated: [u64; 3]| {
        let answer = change(&admin, &series_path(&series), &shorter).expect(200);
        assert_eq!((did(&answer), &answer["skipped"], &answer["version"]), (updated, &json!([]), &json!(2)));
    };
    nothing([0; 3]);
    assert_eq!(sessions_of(&admin, &series), before);
    app.advisor().delete(&format!("/v1/bookings/{}", id(&booking))).expect(200);
    nothing([0, 0, 1]);
    let after = sessions_of(&admin, &series);
    assert_eq!((&after[..2], &after[2]["status"]), (&before[..2], &json!("cancelled")));
    let off = json!({ "reason": "No money." });
    admin.post(&format!("{}/cancel", series_path(&series)), &off).expect(200);
    let answer = change(&admin, &series_path(&series), &json!({})).expect(200);
    assert_eq!((did(&answer), &answer["skipped"]), ([0; 3], &json!([])));
}

#[test]
fn new_words_name_only_sessions_that_do_not_follow_them() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let series = tuesdays(&admin, &place, json!({ "recurrence": "FREQ=WEEKLY;COUNT=5", "capacity": 5 }));
    let sessions = sessions_of(&admin, &series);
    for session in &sessions[..2] {
        admin.post(&format!("{}/cancel", path(session)), &json!({ "reason": "Snow." })).expect(200);
    }
    change(&admin, &path(&sessions[2]), &json!({ "title": "Poems" })).expect(200);
    // Edited, and as it was again.
    for capacity in [30, 5] {
        change(&admin, &path(&sessions[3]), &json!({ "capacity": capacity, "title": "Poems" })).expect(200);
    }
    let excluded = json!({ "excluded": [sessions[0]["local_start"]] });
    change(&admin, &series_path(&series), &excluded).expect(200);
    let (off, edited) =
        (skip("2027-01-12T13:00:00", "cancelled"), |day: &str| skip(&format!("2027-01-{day}T13:00:00"), "edited"));
    for (patch, skipped) in [
        (json!({ "title": "Poems" }), json!([off])),
        (json!({ "capacity": 6 }), json!([off, edited("19"), edited("26")])),
        (json!({ "title": "Stories" }), json!([off, edited("19"), edited("26")])),
    ] {
        let changed = change(&admin, &series_path(&series), &patch).expect(200);
        assert_eq!((did(&changed), &changed["skipped"]), ([0, 1, 0], &skipped), "{patch}");
    }
    // Of a series that is called off nothing is stated to take place.
    admin.post(&format!("{}/cancel", series_path(&series)), &json!({ "reason": "No money." })).expect(200);
    let changed = change(&admin, &series_path(&series), &json!({ "title": "Reading" })).expect(200);
    assert_eq!((did(&changed), &changed["skipped"]), ([0; 3], &json!([])));
}

#[test]
fn a_session_that_was_called_off_is_not_reported_while_another_takes_place_at_its_time() {
    let (app, client, rosters) = reader();
    let admin = app.admin();
    let rule = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=3", "additional": ["2027-02-09T10:00:00"] });
    let stated = with(entry("tue"), rule);
    let made = client.post(&rosters, &roster(std::slice::from_ref(&stated))).expect(201);
    let series = json!({ "id": made["entries"][0]["resource_id"] });
    let thirteen = sessions_of(&admin, &series)[2].clone();
    assert_eq!(thirteen["local_start"], "2027-02-09T13:00:00");
    admin.post(&format!("{}/cancel", path(&thirteen)), &json!({ "reason": "Snow." })).expect(200);
    // At ten there is the rule's session, which is off, and the additional one, which is on.
    let ten = json!({ "local_start": "2027-02-02T10:00:00" });
    let moved = client.post(&rosters, &roster(&[with(stated, ten.clone())])).expect(201);
    assert_eq!((did(&moved), &moved["skipped"]), ([0, 2, 0], &json!([])));
    let changed = change(&admin, &series_path(&series), &with(ten, json!({ "duration_minutes": 30 }))).expect(200);
    assert_eq!((did(&changed), &changed["skipped"]), ([0, 3, 0], &json!([])));
}

#[test]
fn an_exclusion_too_far_away_to_be_checked_is_refused_by_a_patch_too() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "bootle", "Sefton");
    let yearly = json!({ "local_start": "1985-01-01T13:00:00", "recurrence": "FREQ=YEARLY;BYDAY=1TU" });
    let far = json!({ "excluded": ["2099-01-06T13:00:00"] });
    let stated = with(with(session_body(id(&place)), yearly.clone()), far.clone());
    let posted = admin.post("/v1/session-series", &stated).invalid(&["/recurrence"]);
    assert_eq!(posted["errors"][0]["code"], "too_many_days");
    let series = post(&admin, &place, yearly);
    let patched = change(&admin, &series_path(&series), &far).invalid(&["/recurrence"]);
    assert_eq!(patched["errors"], posted["errors"]);
}
