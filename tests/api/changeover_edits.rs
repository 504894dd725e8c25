//! Editing into the hour that the clock skips and into the one that it shows twice: on the wall what was said, by the
//! clock that moves forward by the gap, or the first of the two. In 2027 the clocks change on 28 March and 31 October.

use serde_json::{Value, json};

use crate::editing::{book, change, news, path, series_path, session_body, sessions_of, starts, told, with};
use crate::rosters::{counts, reader, roster, single};
use crate::support::{App, Client, id, member_row, venue};

const MISSING: &str = "2027-03-28T01:30:00";
const DOUBLED: &str = "2027-10-31T01:30:00";

/// Start and end, by the clock.
fn times(session: &Value) -> (&str, &str) {
    (session["starts_at"].as_str().expect("a start"), session["ends_at"].as_str().expect("an end"))
}

fn weekly(client: &Client, place: &Value, first: &str) -> Value {
    let body = json!({ "local_start": first, "recurrence": "FREQ=WEEKLY;COUNT=3", "capacity": 5 });
    client.post("/v1/session-series", &with(session_body(id(place)), body)).expect(201)
}

#[test]
fn a_session_that_moves_into_a_changed_hour_keeps_its_time_on_the_wall_and_takes_its_exact_minutes() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = admin.post("/v1/sessions", &session_body(id(&place))).expect(201);
    let ann = member_row(&app, "Ann", "A");
    let made = book(&app, &session, &ann, json!({}));
    for (start, expected) in [
        (MISSING, ("2027-03-28T01:30:00Z", "2027-03-28T03:00:00Z")),
        (DOUBLED, ("2027-10-31T00:30:00Z", "2027-10-31T02:00:00Z")),
        // It spans the change: ninety minutes are three hours on the wall, or half an hour.
        ("2027-03-28T00:30:00", ("2027-03-28T00:30:00Z", "2027-03-28T02:00:00Z")),
        ("2027-10-31T00:30:00", ("2027-10-30T23:30:00Z", "2027-10-31T01:00:00Z")),
    ] {
        let moved = change(&admin, &path(&session), &json!({ "local_start": start })).expect(200);
        assert_eq!((&moved["local_start"], times(&moved)), (&json!(start), expected));
        assert_eq!(news(&moved), [(id(&made), "kept", None, None)]);
    }
    assert_eq!(told(&app, &ann), vec![("move".to_owned(), vec!["local_start".to_owned()]); 4]);
    // The same time on another wall is another time.
    let elsewhere = change(&admin, &path(&session), &json!({ "local_start": DOUBLED, "time_zone": "UTC" })).expect(200);
    assert_eq!(times(&elsewhere), ("2027-10-31T01:30:00Z", "2027-10-31T03:00:00Z"));
}

#[test]
fn a_series_that_moves_into_a_changed_hour_or_is_split_there_keeps_its_sessions() {
    for (first, day, expected) in [
        ("2027-03-21T10:00:00", MISSING, ["2027-03-21T01:30:00Z", "2027-03-28T01:30:00Z", "2027-04-04T00:30:00Z"]),
        ("2027-10-24T10:00:00", DOUBLED, ["2027-10-24T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-07T01:30:00Z"]),
    ] {
        let app = App::start();
        let admin = app.admin();
        let series = weekly(&admin, &venue(&admin, "walton", "Liverpool"), first);
        let before = sessions_of(&admin, &series);
        let night = json!({ "local_start": format!("{}01:30:00", &first[..11]) });
        let moved = change(&admin, &series_path(&series), &night).expect(200);
        assert_eq!(moved["sessions"], json!({ "created": 0, "updated": 3, "cancelled": 0 }));
        let after = sessions_of(&admin, &series);
        let ids = |sessions: &[Value]| sessions.iter().map(|session| id(session).to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(&after), ids(&before));
        assert_eq!(after.iter().map(|session| times(session).0).collect::<Vec<_>>(), expected);
        assert!(starts(&after).iter().all(|start| start.ends_with("T01:30:00")), "{after:#?}");

        let body = json!({ "from": day, "changes": { "duration_minutes": 30 } });
        let rest = admin.post(&format!("{}/split", series_path(&series)), &body).expect(201);
        assert_eq!(rest["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }), "{day}");
        let rest = sessions_of(&admin, &rest);
        assert_eq!((ids(&rest), starts(&rest)[0]), (ids(&before[1..]), day));
        assert_eq!(rest.iter().map(|session| times(session).0).collect::<Vec<_>>(), expected[1..]);
        // And out of it again.
        let path = format!("/v1/session-series/{}", rest[0]["series_id"].as_str().unwrap());
        let day_time = json!({ "local_start": format!("{}10:00:00", &day[..11]) });
        assert_eq!(change(&admin, &path, &day_time).expect(200)["sessions"]["updated"], 2);
    }
}

#[test]
fn a_space_is_taken_by_the_clock_and_not_by_the_wall() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let room = admin.post(&format!("/v1/venues/{}/spaces", id(&place)), &json!({ "name": "Room" })).expect(201);
    let at = |start: &str, minutes: i32| {
        let body = json!({ "space_id": id(&room), "local_start": start, "duration_minutes": minutes });
        admin.post("/v1/sessions", &with(session_body(id(&place)), body))
    };
    // From 00:30 for an hour and a half: to 03:00 in March, to the second 01:00 in October.
    at("2027-03-28T00:30:00", 90).expect(201);
    at("2027-10-31T00:30:00", 90).expect(201);
    for start in [MISSING, "2027-03-28T02:30:00", "2027-03-28T02:59:00", "2027-10-31T01:00:00", DOUBLED] {
        at(start, 15).problem(409, "space-taken");
    }
    at("2027-03-28T03:00:00", 15).expect(201);
    at("2027-10-31T02:00:00", 15).expect(201);
    // What is said as half past one is at half past two, and in the way of what is said as that.
    let moves = at("2027-03-28T10:00:00", 30).expect(201);
    change(&admin, &path(&moves), &json!({ "local_start": MISSING })).problem(409, "space-taken");
    let clear = json!({ "local_start": "2027-03-28T03:15:00" });
    assert_eq!(times(&change(&admin, &path(&moves), &clear).expect(200)).0, "2027-03-28T02:15:00Z");
}

#[test]
fn a_roster_that_states_a_changed_hour_again_changes_nothing() {
    let (app, client, rosters) = reader();
    let entries: Vec<Value> = [("spring", MISSING), ("autumn", DOUBLED)]
        .map(|(name, start)| with(single(name), json!({ "local_start": start })))
        .into();
    let posted = client.post(&rosters, &roster(&entries)).expect(201);
    assert_eq!(posted["counts"], counts(2, 0, 0, 0));
    let show = |at: usize| {
        let session = posted["entries"][at]["resource_id"].as_str().unwrap().to_owned();
        app.anonymous().get(&format!("/v1/sessions/{session}")).expect(200)
    };
    assert_eq!(times(&show(0)), ("2027-03-28T01:30:00Z", "2027-03-28T03:00:00Z"));
    assert_eq!(times(&show(1)), ("2027-10-31T00:30:00Z", "2027-10-31T02:00:00Z"));
    let again = client.post(&rosters, &roster(&entries)).expect(201);
    assert_eq!((&again["counts"], &again["skipped"]), (&counts(0, 0, 2, 0), &json!([])));
}
