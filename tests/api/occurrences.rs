//! Which occurrence of its series a session is: the rule's by its date, an additional one by its start.

use serde_json::{Value, json};

use crate::editing::{book, change, path, series_path, session_body, sessions_of, starts, with};
use crate::rosters::{reader, roster, series as entry};
use crate::support::{App, Client, id, member_row, venue};

/// Tuesdays at 13:00, 2 and 9 February 2027.
pub fn choir(client: &Client, changes: Value) -> Value {
    let place = venue(client, "walton", "Liverpool");
    let body = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=2", "capacity": 5 });
    client.post("/v1/session-series", &with(with(session_body(id(&place)), body), changes)).expect(201)
}

/// Start, whether it takes place, and seats taken of each session of a series, by start.
pub fn shown(client: &Client, series: &Value) -> Vec<(String, String, i64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |s: &Value| (text(&s["local_start"]), text(&s["status"]), s["seats_taken"].as_i64().unwrap());
    sessions_of(client, series).iter().map(one).collect()
}

pub fn at(start: &str, status: &str, seats: i64) -> (String, String, i64) {
    (format!("2027-02-{start}"), status.to_owned(), seats)
}

#[test]
fn a_time_that_is_added_earlier_on_a_day_is_new_and_moves_nobody() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({}));
    let before = sessions_of(&admin, &series);
    book(&app, &before[1], &member_row(&app, "Ann", "A"), json!({}));
    let changed = change(&admin, &series_path(&series), &json!({ "additional": ["2027-02-09T10:00:00"] })).expect(200);
    assert_eq!(changed["sessions"], json!({ "created": 1, "updated": 0, "cancelled": 0 }));
    assert_eq!((&changed["bookings"], &changed["skipped"]), (&json!([]), &json!([])));
    let after = sessions_of(&admin, &series);
    assert_eq!(starts(&after), ["2027-02-02T13:00:00", "2027-02-09T10:00:00", "2027-02-09T13:00:00"]);
    assert_eq!((id(&after[2]), &after[2]["seats_taken"]), (id(&before[1]), &json!(1)));
}

#[test]
fn a_roster_that_adds_an_earlier_time_moves_nobody_either() {
    let (app, client, rosters) = reader();
    let tuesdays = json!({ "local_start": "2027-02-02T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let stated = with(entry("choir"), tuesdays);
    let posted = client.post(&rosters, &roster(std::slice::from_ref(&stated))).expect(201);
    let series = json!({ "id": posted["entries"][0]["resource_id"] });
    let before = sessions_of(&client, &series);
    book(&app, &before[1], &member_row(&app, "Ann", "A"), json!({}));
    let more = with(stated.clone(), json!({ "additional": ["2027-02-09T10:00:00"] }));
    for (entry, did) in [(&more, [1, 0, 0]), (&more, [0, 0, 0]), (&stated, [0, 0, 1]), (&stated, [0, 0, 0])] {
        let answer = client.post(&rosters, &roster(std::slice::from_ref(entry))).expect(201);
        let sessions = json!({ "created": did[0], "updated": did[1], "cancelled": did[2] });
        assert_eq!((&answer["sessions"], &answer["skipped"]), (&sessions, &json!([])));
        assert_eq!(answer["counts"]["unchanged"], u32::from(did == [0, 0, 0]));
        let booked: Vec<Value> = sessions_of(&client, &series).into_iter().filter(|s| s["seats_taken"] == 1).collect();
        assert_eq!((booked.len(), id(&booked[0])), (1, id(&before[1])));
        assert_eq!(booked[0]["local_start"], "2027-02-09T13:00:00");
    }
}

#[test]
fn an_additional_time_that_is_taken_out_again_leaves_the_rules_session_alone() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({ "additional": ["2027-02-09T10:00:00"], "capacity": 1 }));
    let before = sessions_of(&admin, &series);
    book(&app, &before[2], &member_row(&app, "Ann", "A"), json!({}));
    change(&admin, &series_path(&series), &json!({ "additional": [] })).expect(200);
    let expected =
        [at("02T13:00:00", "scheduled", 0), at("09T10:00:00", "cancelled", 0), at("09T13:00:00", "scheduled", 1)];
    assert_eq!(shown(&admin, &series), expected);
    assert_eq!(sessions_of(&admin, &series)[2]["version"], before[2]["version"]);

    // The statement called it off, and names it again.
    let again = change(&admin, &series_path(&series), &json!({ "additional": ["2027-02-09T10:00:00"] })).expect(200);
    assert_eq!(again["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    assert_eq!((&again["skipped"], id(&sessions_of(&admin, &series)[1])), (&json!([]), id(&before[1])));
    let expected =
        [at("02T13:00:00", "scheduled", 0), at("09T10:00:00", "scheduled", 0), at("09T13:00:00", "scheduled", 1)];
    assert_eq!(shown(&admin, &series), expected);
}

#[test]
fn an_additional_time_that_is_taken_out_while_somebody_is_booked_is_kept_and_reported() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({ "additional": ["2027-02-09T10:00:00"] }));
    let before = sessions_of(&admin, &series);
    book(&app, &before[1], &member_row(&app, "Ann", "A"), json!({}));
    let changed = change(&admin, &series_path(&series), &json!({ "additional": [] })).expect(200);
    assert_eq!(changed["skipped"], json!([{ "local_start": "2027-02-09T10:00:00", "reason": "booked" }]));
    assert_eq!(starts(&sessions_of(&admin, &series)), starts(&before));
}

#[test]
fn where_the_rule_moves_its_sessions_move_and_the_additional_ones_stay() {
    let app = App::start();
    let admin = app.admin();
    let additional = ["2027-02-09T10:00:00", "2027-02-09T18:00:00"];
    let series = choir(&admin, json!({ "additional": additional }));
    let before = sessions_of(&admin, &series);
    for time in ["09:00:00", "11:00:00", "19:00:00", "13:00:00"] {
        let moved = json!({ "local_start": format!("2027-02-02T{time}") });
        let changed = change(&admin, &series_path(&series), &moved).expect(200);
        assert_eq!(changed["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }), "{time}");
        for was in &before {
            let is = admin.get(&path(was)).expect(200);
            let start = was["local_start"].as_str().unwrap();
            let expected =
                if start.ends_with("13:00:00") { format!("{}T{time}", &start[..10]) } else { start.to_owned() };
            assert_eq!(is["local_start"], expected);
        }
    }
}

#[test]
fn where_people_are_booked_at_the_time_that_the_rule_leaves_and_at_the_one_that_it_takes_both_stay() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({ "additional": ["2027-02-09T10:00:00"] }));
    let before = sessions_of(&admin, &series);
    book(&app, &before[1], &member_row(&app, "Ann", "A"), json!({}));
    let bob = book(&app, &before[2], &member_row(&app, "Bob", "B"), json!({}));
    let to_ten = json!({ "local_start": "2027-02-02T10:00:00" });
    let changed = change(&admin, &series_path(&series), &to_ten).expect(200);
    let skipped = json!([{ "local_start": "2027-02-09T13:00:00", "reason": "booked" }]);
    assert_eq!(changed["skipped"], skipped);
    let expected =
        [at("02T10:00:00", "scheduled", 0), at("09T10:00:00", "scheduled", 1), at("09T13:00:00", "scheduled", 1)];
    assert_eq!(shown(&admin, &series), expected);
    // The one at ten is the rule's now. Once nobody goes to the other any more, that leaves.
    let longer = json!({ "duration_minutes": 60 });
    assert_eq!(change(&admin, &series_path(&series), &longer).expect(200)["skipped"], skipped);
    app.advisor().delete(&format!("/v1/bookings/{}", id(&bob))).expect(200);
    change(&admin, &series_path(&series), &json!({ "duration_minutes": 45 })).expect(200);
    let expected =
        [at("02T10:00:00", "scheduled", 0), at("09T10:00:00", "scheduled", 1), at("09T13:00:00", "cancelled", 0)];
    assert_eq!(shown(&admin, &series), expected);
}

#[test]
fn a_time_that_the_rule_gives_now_or_no_longer_is_the_same_session() {
    let app = App::start();
    let admin = app.admin();
    let added = json!({ "additional": ["2027-02-16T13:00:00", "2027-02-09T13:00:00"] });
    let series = choir(&admin, added.clone());
    let before = sessions_of(&admin, &series);
    assert_eq!(before.len(), 3, "what the rule gives too is the rule's");
    book(&app, &before[2], &member_row(&app, "Ann", "A"), json!({}));
    let before = sessions_of(&admin, &series);
    for patch in [
        json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }),
        json!({ "additional": [] }),
        with(added, json!({ "recurrence": "FREQ=WEEKLY;COUNT=1" })),
        json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }),
    ] {
        let changed = change(&admin, &series_path(&series), &patch).expect(200);
        assert_eq!(changed["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }), "{patch}");
        assert_eq!((&changed["skipped"], sessions_of(&admin, &series)), (&json!([]), before.clone()), "{patch}");
    }
}

#[test]
fn a_session_that_was_moved_by_hand_stays_the_same_occurrence() {
    let app = App::start();
    let admin = app.admin();
    let series = choir(&admin, json!({ "additional": ["2027-02-09T10:00:00"] }));
    let before = sessions_of(&admin, &series);
    for (session, start) in [(&before[1], "2027-02-11T20:00:00"), (&before[2], "2027-02-09T10:00:00")] {
        change(&admin, &path(session), &json!({ "local_start": start })).expect(200);
    }
    let later = json!({ "local_start": "2027-02-02T15:00:00" });
    let changed = change(&admin, &series_path(&series), &later).expect(200);
    assert_eq!(changed["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    let skipped = json!([
        { "local_start": "2027-02-09T10:00:00", "reason": "edited" },
        { "local_start": "2027-02-11T20:00:00", "reason": "edited" }
    ]);
    assert_eq!(changed["skipped"], skipped);
    assert_eq!(
        starts(&sessions_of(&admin, &series)),
        ["2027-02-02T15:00:00", "2027-02-09T10:00:00", "2027-02-11T20:00:00"]
    );
}
