//! What a statement calls off it brings back; what people call off stays off, wherever the statement moves.

use serde_json::{Value, json};

use crate::editing::{book, change, path, series_path, sessions_of, with};
use crate::occurrences::{at, choir, shown};
use crate::rosters::{reader, roster, series as entry, single};
use crate::support::{App, Client, id, member_row, venue};

const OFF: &str = "cancelled";
const ON: &str = "scheduled";

fn off(client: &Client, session: &Value) {
    client.post(&format!("{}/cancel", path(session)), &json!({ "reason": "Holiday" })).expect(200);
}

fn skip(start: &str, reason: &str) -> Value {
    json!({ "local_start": format!("2027-02-{start}"), "reason": reason })
}

fn did(answer: &Value) -> [u64; 3] {
    ["created", "updated", "cancelled"].map(|name| answer["sessions"][name].as_u64().unwrap())
}

/// Changes a series; what became of its sessions, and what was skipped.
#[track_caller]
fn state(client: &Client, series: &Value, patch: Value) -> ([u64; 3], Value) {
    let answer = change(client, &series_path(series), &patch).expect(200);
    (did(&answer), answer["skipped"].clone())
}

#[test]
fn what_was_called_off_stays_off_where_its_time_is_added_after_its_rule_has_moved() {
    // The rule moves before the session is called off, or afterwards.
    for first in ["off", "move"] {
        let app = App::start();
        let admin = app.admin();
        let series = choir(&admin, json!({}));
        let second = sessions_of(&admin, &series)[1].clone();
        let moved = json!({ "local_start": "2027-02-02T15:00:00" });
        if first == "off" {
            off(&admin, &second);
            assert_eq!(state(&admin, &series, moved), ([0, 1, 0], json!([skip("09T13:00:00", OFF)])));
        } else {
            state(&admin, &series, moved);
            off(&admin, &second);
        }
        let added = json!({ "recurrence": "FREQ=WEEKLY;COUNT=1", "additional": ["2027-02-09T15:00:00"] });
        let (sessions, skipped) = state(&admin, &series, added);
        assert_eq!((sessions, skipped[0]["reason"].as_str()), ([0, 0, 0], Some(OFF)), "{first}");
        assert_eq!(sessions_of(&admin, &series).len(), 2);
        assert_eq!(admin.get(&path(&second)).expect(200)["status"], OFF);
    }
}

#[test]
fn an_edited_session_whose_date_left_before_the_rule_moved_is_found_by_the_time_that_it_had() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({}));
    let second = sessions_of(&admin, &series)[1].clone();
    change(&admin, &path(&second), &json!({ "local_start": "2027-02-10T20:00:00" })).expect(200);
    let edited = json!([skip("10T20:00:00", "edited")]);
    assert_eq!(state(&admin, &series, json!({ "recurrence": "FREQ=WEEKLY;COUNT=1" })), ([0, 0, 0], edited.clone()));
    state(&admin, &series, json!({ "local_start": "2027-02-02T15:00:00" }));
    let added = json!({ "additional": ["2027-02-09T13:00:00"] });
    assert_eq!(state(&admin, &series, added), ([0, 0, 0], edited));
    assert_eq!(sessions_of(&admin, &series).len(), 2);
}

#[test]
fn where_the_rule_moves_onto_an_additional_time_who_is_booked_there_stays_and_the_empty_one_leaves() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({ "additional": ["2027-02-09T10:00:00"] }));
    let before = sessions_of(&admin, &series);
    book(&app, &before[1], &member_row(&app, "Ann", "A"), json!({}));
    let booked = sessions_of(&admin, &series)[1].clone();
    assert_eq!(state(&admin, &series, json!({ "local_start": "2027-02-02T10:00:00" })), ([0, 1, 1], json!([])));
    let expected = [at("02T10:00:00", ON, 0), at("09T10:00:00", ON, 1), at("09T13:00:00", OFF, 0)];
    assert_eq!(shown(&admin, &series), expected);
    assert_eq!(admin.get(&path(&booked)).expect(200), booked);
    // It is the rule's from now on: it moves with the rule once its time isn't additional any more.
    let moved = json!({ "local_start": "2027-02-02T11:00:00", "additional": [] });
    assert_eq!(state(&admin, &series, moved), ([0, 2, 0], json!([])));
    assert_eq!(admin.get(&path(&booked)).expect(200)["local_start"], "2027-02-09T11:00:00");
    assert_eq!(sessions_of(&admin, &series).len(), 3);
}

#[test]
fn a_roster_that_moves_its_rule_onto_an_additional_time_does_the_same() {
    let (app, client, rosters) = reader();
    let rule = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let stated = with(with(entry("choir"), rule), json!({ "additional": ["2027-02-09T10:00:00"] }));
    let posted = client.post(&rosters, &roster(std::slice::from_ref(&stated))).expect(201);
    let series = json!({ "id": posted["entries"][0]["resource_id"] });
    book(&app, &sessions_of(&client, &series)[1], &member_row(&app, "Ann", "A"), json!({}));
    let booked = sessions_of(&client, &series)[1].clone();
    let moved = with(stated.clone(), json!({ "local_start": "2027-02-02T10:00:00" }));
    for (entry, expected) in [(&moved, [0, 1, 1]), (&moved, [0, 0, 0]), (&stated, [0, 2, 0]), (&stated, [0, 0, 0])] {
        let answer = client.post(&rosters, &roster(std::slice::from_ref(entry))).expect(201);
        assert_eq!((did(&answer), &answer["skipped"]), (expected, &json!([])));
        assert_eq!(client.get(&path(&booked)).expect(200), booked);
    }
    let expected = [at("02T13:00:00", ON, 0), at("09T10:00:00", ON, 1), at("09T13:00:00", ON, 0)];
    assert_eq!(shown(&client, &series), expected);
}

#[test]
fn an_additional_time_that_the_rule_had_for_a_while_is_on_once_the_rule_goes_away() {
    for rules_is_booked in [false, true] {
        let app = App::start();
        let admin = app.admin();
        let series = choir(&admin, json!({ "additional": ["2027-02-09T10:00:00"] }));
        if rules_is_booked {
            book(&app, &sessions_of(&admin, &series)[2], &member_row(&app, "Ann", "A"), json!({}));
        }
        let before = sessions_of(&admin, &series);
        assert_eq!(state(&admin, &series, json!({ "local_start": "2027-02-02T10:00:00" })), ([0, 2, 1], json!([])));
        assert_eq!(state(&admin, &series, json!({ "local_start": "2027-02-02T13:00:00" })), ([0, 3, 0], json!([])));
        let names = ["id", "local_start", "starts_at", "status", "cancellation_reason", "seats_taken"];
        for (was, is) in before.iter().zip(sessions_of(&admin, &series)) {
            assert_eq!(is["version"], 3);
            names.iter().for_each(|name| assert_eq!(was[name], is[name], "{name}"));
        }
    }
}

#[test]
fn what_the_statement_called_off_comes_on_again_once_it_is_stated_and_can_be_booked() {
    for (gone, back) in [
        (json!({ "recurrence": "FREQ=WEEKLY;COUNT=1" }), json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" })),
        (json!({ "excluded": ["2027-02-09T13:00:00"] }), json!({ "excluded": [] })),
    ] {
        let app = App::start();
        let admin = app.admin();
        let series = choir(&admin, json!({}));
        let second = sessions_of(&admin, &series)[1].clone();
        assert_eq!(state(&admin, &series, gone.clone()), ([0, 0, 1], json!([])));
        assert_eq!(state(&admin, &series, json!({ "title": "Poems" })), ([0, 1, 0], json!([])));
        assert_eq!(state(&admin, &series, back.clone()), ([0, 1, 0], json!([])));
        let again = admin.get(&path(&second)).expect(200);
        assert_eq!((&again["version"], &again["cancellation_reason"]), (&json!(3), &json!(null)));
        assert_eq!(again["title"], "Poems");
        book(&app, &second, &member_row(&app, "Ann", "A"), json!({}));
        assert_eq!(shown(&admin, &series), [at("02T13:00:00", ON, 0), at("09T13:00:00", ON, 1)]);
    }
}

#[test]
fn what_people_called_off_stays_off_though_its_date_leaves_and_comes_back() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({}));
    let second = sessions_of(&admin, &series)[1].clone();
    off(&admin, &second);
    let called_off = admin.get(&path(&second)).expect(200);
    for (count, skipped) in [(1, json!([])), (2, json!([skip("09T13:00:00", OFF)]))] {
        let rule = json!({ "recurrence": format!("FREQ=WEEKLY;COUNT={count}") });
        assert_eq!(state(&admin, &series, rule), ([0, 0, 0], skipped));
        assert_eq!(admin.get(&path(&second)).expect(200), called_off);
    }
    // Nor does it come on where the statement had called it off and somebody has laid hands on it since.
    let first = sessions_of(&admin, &series)[0].clone();
    let later = json!({ "local_start": "2027-02-09T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=1" });
    state(&admin, &series, with(later, json!({ "additional": ["2027-02-16T13:00:00"] })));
    change(&admin, &path(&first), &json!({ "title": "No choir" })).expect(200);
    let again = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=2", "additional": [] });
    let (_, skipped) = state(&admin, &series, again);
    assert_eq!(skipped, json!([skip("02T13:00:00", OFF), skip("09T13:00:00", OFF)]));
}

#[test]
fn what_was_called_off_with_its_venue_stays_off_too() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({}));
    let place = format!("/v1/venues/{}", series["venue_id"].as_str().unwrap());
    let closed = json!({ "status": "temporarily_closed", "status_from": "2027-02-08", "status_until": "2027-02-10" });
    let closing = admin.patch(&format!("{place}?sessions=cancel"), "\"1\"", &closed).expect(200);
    assert_eq!(closing["affected"]["sessions"], 1);
    let open = json!({ "status": "open", "status_from": null, "status_until": null });
    admin.patch(&place, "\"2\"", &open).expect(200);
    state(&admin, &series, json!({ "recurrence": "FREQ=WEEKLY;COUNT=1" }));
    let back = state(&admin, &series, json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }));
    assert_eq!(back, ([0, 0, 0], json!([skip("09T13:00:00", OFF)])));
}

#[test]
fn what_comes_on_again_takes_its_space_only_where_that_is_free() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "bootle", "Sefton");
    let room = admin.post(&format!("/v1/venues/{}/spaces", id(&place)), &json!({ "name": "Garden room" })).expect(201);
    let there = json!({ "venue_id": id(&place), "space_id": id(&room) });
    let series = choir(&admin, there.clone());
    let shorter = json!({ "recurrence": "FREQ=WEEKLY;COUNT=1" });
    state(&admin, &series, shorter);
    let concert = json!({ "local_start": "2027-02-09T12:00:00", "duration_minutes": 120 });
    let concert = with(with(crate::editing::session_body(id(&place)), there), concert);
    let concert = admin.post("/v1/sessions", &concert).expect(201);
    let taken = json!([skip("09T13:00:00", "space_taken")]);
    let both = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" });
    assert_eq!(state(&admin, &series, both), ([0, 0, 0], taken.clone()));
    assert_eq!(admin.get(&series_path(&series)).expect(200)["left_out"], taken);
    off(&admin, &concert);
    assert_eq!(state(&admin, &series, json!({ "duration_minutes": 30 })), ([0, 2, 0], json!([])));
    assert_eq!(admin.get(&series_path(&series)).expect(200)["left_out"], json!([]));
}

#[test]
fn what_a_roster_called_off_comes_on_again_with_the_roster_that_names_it() {
    let (app, client, rosters) = reader();
    let later = json!({ "local_start": "2027-02-02T13:00:00" });
    let all = [with(single("one"), later.clone()), with(entry("choir"), later), single("other")];
    let made = client.post(&rosters, &roster(&all)).expect(201);
    let one = format!("/v1/sessions/{}", made["entries"][0]["resource_id"].as_str().unwrap());
    let series = json!({ "id": made["entries"][1]["resource_id"] });
    let before = (client.get(&one).expect(200), sessions_of(&client, &series));
    let cancelling = format!("{rosters}?missing=cancel&confirm=cancel");
    let gone = client.post(&cancelling, &roster(&all[2..])).expect(201);
    assert_eq!((did(&gone)[2], &gone["counts"]["cancelled"]), (1 + before.1.len() as u64, &json!(2)));
    assert_eq!(client.get(&series_path(&series)).expect(200)["status"], OFF);

    let rehearsed = client.post(&format!("{rosters}?dry_run=true"), &roster(&all)).expect(200);
    let back = client.post(&rosters, &roster(&all)).expect(201);
    assert_eq!((did(&back), &back["skipped"]), ([0, 1 + before.1.len() as u64, 0], &json!([])));
    assert_eq!((did(&back), &back["counts"]), (did(&rehearsed), &rehearsed["counts"]));
    let read = client.get(&series_path(&series)).expect(200);
    assert_eq!((&read["status"], &read["cancellation_reason"]), (&json!("active"), &json!(null)));
    let shown = |session: &Value| ["id", "status", "starts_at"].map(|name| session[name].clone());
    assert_eq!(shown(&client.get(&one).expect(200)), shown(&before.0));
    let all_of = |sessions: &[Value]| sessions.iter().map(shown).collect::<Vec<_>>();
    assert_eq!(all_of(&sessions_of(&client, &series)), all_of(&before.1));
    let again = client.post(&rosters, &roster(&all)).expect(201);
    assert_eq!((did(&again), &again["counts"]["unchanged"]), ([0, 0, 0], &json!(3)));

    // What a person calls off stays off, and each roster that names it is told.
    app.admin().post(&format!("{one}/cancel"), &json!({ "reason": "Ill" })).expect(200);
    app.admin().post(&format!("{}/cancel", series_path(&series)), &json!({ "reason": "Over" })).expect(200);
    for _ in 0..2 {
        let named = client.post(&rosters, &roster(&all)).expect(201);
        let skipped = ["one", "choir"].map(|name| with(skip("02T13:00:00", OFF), json!({ "external_id": name })));
        assert_eq!((&named["skipped"], &named["counts"]["unchanged"]), (&json!(skipped), &json!(3)));
        client.post(&cancelling, &roster(&all[2..])).expect(201);
    }
}

#[test]
fn what_stays_as_it_was_is_reported_when_the_statement_changes_and_not_at_each_repeat() {
    let (app, client, rosters) = reader();
    let rule = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=4" });
    let stated = with(entry("choir"), rule);
    let posted = client.post(&rosters, &roster(std::slice::from_ref(&stated))).expect(201);
    let series = json!({ "id": posted["entries"][0]["resource_id"] });
    let sessions = sessions_of(&client, &series);
    off(&app.admin(), &sessions[1]);
    change(&app.admin(), &path(&sessions[2]), &json!({ "title": "By hand" })).expect(200);
    book(&app, &sessions[3], &member_row(&app, "Ann", "A"), json!({}));
    let shorter = with(stated, json!({ "recurrence": "FREQ=WEEKLY;COUNT=2", "title": "Poems" }));
    let kept = json!([skip("09T13:00:00", OFF), skip("16T13:00:00", "edited"), skip("23T13:00:00", "booked")]);
    for expected in [kept, json!([])] {
        let answer = client.post(&rosters, &roster(std::slice::from_ref(&shorter))).expect(201);
        let skipped = answer["skipped"].as_array().unwrap().iter();
        let skipped: Vec<Value> =
            skipped.map(|one| json!({ "local_start": one["local_start"], "reason": one["reason"] })).collect();
        assert_eq!(Value::from(skipped), expected);
    }
}

#[test]
fn an_additional_time_beyond_the_horizon_is_made_at_once() {
    let app = App::start();
    let admin = app.admin();
    let far = "2029-02-20T10:00:00";
    let series = choir(&admin, json!({ "recurrence": "FREQ=WEEKLY", "additional": [far] }));
    let last = |series: &Value| {
        let all = crate::recurrence::rows(&app, id(series)).into_iter().filter(|row| row.status == ON);
        all.map(|row| row.local_start).filter(|start| start.as_str() > "2029").collect::<Vec<_>>()
    };
    assert_eq!((last(&series), &series["skipped"]), (vec![far.to_owned()], &json!([])));
    let added = json!({ "additional": [far, "2029-02-21T10:00:00"] });
    assert_eq!(state(&admin, &series, added), ([1, 0, 0], json!([])));
    app.at("2026-12-24T09:00:00Z");
    assert!(crate::recurrence::go_on(&app));
    assert_eq!(last(&series).len(), 2);
    let (sessions, _) = state(&admin, &series, json!({ "additional": [] }));
    assert_eq!(sessions, [0, 0, 2]);
}

#[test]
fn another_spelling_of_the_same_times_is_no_change() {
    let app = App::start();
    let admin = app.admin();
    let times = json!({
        "recurrence": "count=4;freq=weekly", "excluded": ["2027-02-16T13:00:00", "2027-02-09T13:00:00"],
        "additional": ["2027-02-18T10:00:00", "2027-02-11T10:00:00"]
    });
    let series = choir(&admin, times);
    assert_eq!(series["recurrence"], "FREQ=WEEKLY;COUNT=4");
    assert_eq!(series["excluded"], json!(["2027-02-09T13:00:00", "2027-02-16T13:00:00"]));
    let twice = json!(["2027-02-18T10:00:00", "2027-02-11T10:00:00", "2027-02-18T10:00:00"]);
    for patch in [
        json!({ "recurrence": "Freq=Weekly;Count=4" }),
        json!({ "excluded": ["2027-02-16T13:00:00", "2027-02-09T13:00:00"] }),
        json!({ "additional": twice }),
    ] {
        let changed = change(&admin, &series_path(&series), &patch).expect(200);
        assert_eq!((&changed["version"], did(&changed)), (&json!(1), [0, 0, 0]), "{patch}");
    }
    let (_app, client, rosters) = reader();
    let (one, other) = (json!({ "recurrence": "FREQ=WEEKLY" }), json!({ "recurrence": "freq=weekly" }));
    let times = |times: Value, rule: Value| with(with(entry("choir"), json!({ "additional": times })), rule);
    let posted = times(json!(["2027-02-11T10:00:00", "2027-02-18T10:00:00"]), one);
    client.post(&rosters, &roster(&[posted])).expect(201);
    let again = client.post(&rosters, &roster(&[times(twice, other)])).expect(201);
    assert_eq!(again["counts"]["unchanged"], 1);
}

#[test]
fn an_endless_series_of_many_years_moves_by_roster_as_by_hand() {
    let (app, client, rosters) = reader();
    app.at("2021-06-01T09:00:00Z");
    let daily = with(entry("daily"), json!({ "local_start": "2021-06-01T13:00:00", "recurrence": "FREQ=DAILY" }));
    client.post(&rosters, &roster(std::slice::from_ref(&daily))).expect(201);
    app.at("2026-11-23T09:00:00Z");
    assert!(crate::recurrence::go_on(&app));
    let moved = with(daily, json!({ "local_start": "2021-06-01T14:00:00" }));
    let answer = client.post(&rosters, &roster(&[moved])).expect(201);
    let [created, updated, cancelled] = did(&answer);
    assert_eq!((created, updated > 300, cancelled, &answer["skipped"]), (0, true, 0, &json!([])));
}
