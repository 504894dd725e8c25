//! What a series doesn't do as it was stated, and where whoever writes it reads that.

use serde_json::{Value, json};

use crate::editing::{change, path, series_path, session_body, sessions_of, starts, with};
use crate::recurrence::{go_on, series_body, start};
use crate::rosters::{reader, roster, series as entry};
use crate::support::{App, Client, id, partner_row, venue};

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
