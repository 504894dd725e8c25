//! A series whose rule has ended says so.

use serde_json::{Value, json};

use crate::editing::{change, path, series_path, session_body, sessions_of, with};
use crate::support::{App, Client, id, venue};

fn series(admin: &Client, place: &Value, start: &str, rule: &str) -> Value {
    let rule = json!({ "local_start": start, "recurrence": rule });
    admin.post("/v1/session-series", &with(session_body(id(place)), rule)).expect(201)
}

/// Whether it has ended, as it reads by itself and in the list.
#[track_caller]
fn ended(client: &Client, series: &Value) -> bool {
    let read = client.get(&series_path(series)).expect(200);
    let list = client.get("/v1/session-series").expect(200);
    let listed = list["items"].as_array().unwrap().iter().find(|other| other["id"] == series["id"]).unwrap();
    assert_eq!(read["ended"], listed["ended"]);
    read["ended"].as_bool().unwrap()
}

#[test]
fn a_series_has_ended_once_its_rule_gives_no_more_and_its_last_session_is_over() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let place = venue(&admin, "walton", "Liverpool");
    let past = series(&admin, &place, "2023-01-03T10:00:00", "FREQ=WEEKLY;UNTIL=20230328");
    assert_eq!((&past["status"], &past["ended"]), (&json!("active"), &json!(true)));
    let short = series(&admin, &place, "2026-11-24T10:00:00", "FREQ=WEEKLY;COUNT=2");
    let endless = series(&admin, &place, "2023-01-04T10:00:00", "FREQ=WEEKLY");
    assert_eq!([&past, &short, &endless].map(|one| ended(&anyone, one)), [true, false, false]);
    for (now, over) in
        [("2026-12-01T10:00:00Z", false), ("2026-12-01T11:29:59Z", false), ("2026-12-01T11:30:00Z", true)]
    {
        app.at(now);
        assert_eq!(ended(&anyone, &short), over, "{now}");
        assert!(!ended(&anyone, &endless));
    }
    // It goes on where its rule does, and what is called off is over.
    change(&admin, &series_path(&short), &json!({ "recurrence": "FREQ=WEEKLY;COUNT=4" })).expect(200);
    assert!(!ended(&anyone, &short));
    for session in sessions_of(&admin, &short).iter().filter(|session| session["status"] == "scheduled") {
        admin.post(&format!("{}/cancel", path(session)), &json!({ "reason": "Ill" })).expect(200);
    }
    assert!(ended(&anyone, &short));
    admin.post(&format!("{}/cancel", series_path(&endless)), &json!({ "reason": "Over" })).expect(200);
    assert!(ended(&anyone, &endless));
    // Nobody writes it.
    admin.patch(&series_path(&past), "\"1\"", &json!({ "ended": false })).invalid(&["/ended"]);
}

#[test]
fn the_first_half_of_an_endless_series_that_was_split_ends() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let endless = series(&admin, &place, "2026-11-24T10:00:00", "FREQ=WEEKLY");
    let split = json!({ "from": "2026-12-08T10:00:00", "changes": { "title": "Poems" } });
    let second = admin.post(&format!("{}/split", series_path(&endless)), &split).expect(201);
    assert!(!ended(&admin, &endless));
    app.at("2026-12-01T11:30:00Z");
    assert_eq!([&endless, &second].map(|one| ended(&admin, one)), [true, false]);
}

#[test]
fn a_series_whose_last_session_was_put_off_has_not_ended_before_that_is_over() {
    let app = App::start();
    let admin = app.admin();
    let short = series(&admin, &venue(&admin, "walton", "Liverpool"), "2026-11-24T10:00:00", "FREQ=WEEKLY;COUNT=2");
    let last = sessions_of(&admin, &short)[1].clone();
    change(&admin, &path(&last), &json!({ "local_start": "2027-03-02T10:00:00" })).expect(200);
    for (now, over) in
        [("2026-12-20T10:00:00Z", false), ("2027-03-02T11:29:59Z", false), ("2027-03-02T11:30:00Z", true)]
    {
        app.at(now);
        assert_eq!(ended(&admin, &short), over, "{now}");
    }
}
