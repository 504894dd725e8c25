//! What an edit of a series leaves alone, and what it frees.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::sessions;
use serde_json::{Value, json};

use crate::editing::{book, change, path, series_path, session_body, sessions_of, starts, with};
use crate::support::{App, Client, id, member_row, partner_row, venue};

fn weekly(client: &Client, place: &Value, changes: Value) -> Value {
    let body = with(session_body(id(place)), json!({ "recurrence": "FREQ=WEEKLY;COUNT=4", "capacity": 5 }));
    client.post("/v1/session-series", &with(body, changes)).expect(201)
}

fn split(client: &Client, series: &Value, from: &str, changes: Value) -> Value {
    client.post(&format!("{}/split", series_path(series)), &json!({ "from": from, "changes": changes })).expect(201)
}

/// Capacity, online capacity and seats taken of each session of a series.
fn seats(client: &Client, series: &Value) -> Vec<Value> {
    let of_one = |s: &Value| json!([s["capacity"], s["online_capacity"], s["seats_taken"]]);
    sessions_of(client, series).iter().map(of_one).collect()
}

#[test]
fn words_of_a_series_leave_capacities_as_they_are() {
    let app = App::start();
    let (admin, partner) = (app.admin(), partner_row(&app, "the-reader"));
    venue(&admin, "walton", "Liverpool");
    let entry = |capacity: i32| {
        json!({ "entries": [{
            "external_id": "a", "title": "Reading", "pillar": "community", "delivery": "in_person", "venue": "walton",
            "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90,
            "recurrence": "FREQ=WEEKLY;COUNT=4", "capacity": capacity
        }] })
    };
    let rosters = format!("/v1/partners/{partner}/rosters");
    let posted = admin.post(&rosters, &entry(12)).expect(201);
    let series = json!({ "id": posted["entries"][0]["resource_id"] });
    let all = sessions_of(&admin, &series);
    // One keeps what it has for the people who are booked, another is edited by hand.
    let party = json!({ "party": { "family": 3, "carers": 1 } });
    let held = book(&app, &all[1], &member_row(&app, "Ann", "A"), party);
    admin.post(&rosters, &entry(3)).expect(201);
    change(&admin, &path(&all[2]), &json!({ "capacity": 30 })).expect(200);
    let before = seats(&admin, &series);
    assert_eq!(before, [json!([3, null, 0]), json!([12, null, 5]), json!([30, null, 0]), json!([3, null, 0])]);

    for patch in [json!({ "title": "Poems" }), json!({ "title": "Stories", "capacity": 3 })] {
        let changed = change(&admin, &series_path(&series), &patch).expect(200);
        assert_eq!((&changed["capacity"], &changed["sessions"]["updated"]), (&json!(3), &json!(3)));
        assert_eq!(seats(&admin, &series), before);
    }
    let titles: Vec<Value> = sessions_of(&admin, &series).iter().map(|session| session["title"].clone()).collect();
    assert_eq!(titles, ["Stories", "Stories", "Reading", "Stories"]);
    // A capacity that does change is held against every seat that is taken.
    change(&admin, &series_path(&series), &json!({ "capacity": 4 })).problem(409, "capacity-below-seats");
    assert_eq!(seats(&admin, &series), before);
    app.advisor().delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    change(&admin, &series_path(&series), &json!({ "capacity": 4 })).expect(200);
    let after = seats(&admin, &series);
    assert_eq!(after, [json!([4, null, 0]), json!([4, null, 0]), json!([30, null, 0]), json!([4, null, 0])]);
}

/// It is other seats that a session counts which had to keep its delivery.
#[test]
fn capacities_of_a_series_are_not_given_to_a_session_that_had_to_keep_another_delivery() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let hybrid =
        json!({ "delivery": "hybrid", "capacity": 4, "online_capacity": 20, "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let series = weekly(&admin, &place, hybrid);
    let all = sessions_of(&admin, &series);
    book(&app, &all[0], &member_row(&app, "Ann", "A"), json!({ "delivery": "online" }));
    let online = json!({ "delivery": "online", "online_capacity": null, "capacity": 6 });
    let changed = change(&admin, &series_path(&series), &online).expect(200);
    assert_eq!(changed["skipped"][0]["reason"], "booked");
    let kept = json!([{ "local_start": all[0]["local_start"], "reason": "booked" }]);
    for (patch, updated, skipped, version) in [
        (json!({ "title": "Poems" }), 2, &json!([]), 2),
        (json!({ "capacity": 8 }), 1, &kept, 2),
        (json!({ "capacity": 9, "title": "Stories" }), 2, &kept, 3),
        (json!({ "capacity": 9 }), 0, &json!([]), 3),
    ] {
        let changed = change(&admin, &series_path(&series), &patch).expect(200);
        assert_eq!((&changed["sessions"]["updated"], &changed["skipped"]), (&json!(updated), skipped), "{patch}");
        assert_eq!(seats(&admin, &series)[0], json!([4, 20, 0]), "{patch}");
        assert_eq!(sessions_of(&admin, &series)[0]["version"], version, "{patch}");
    }
    let after = sessions_of(&admin, &series);
    assert_eq!((&after[0]["title"], &after[0]["delivery"]), (&json!("Stories"), &json!("hybrid")));
    assert_eq!((&after[1]["capacity"], &after[1]["online_capacity"]), (&json!(9), &json!(null)));
}

#[test]
fn a_session_that_has_to_keep_another_delivery_is_not_held_against_a_capacity_that_it_does_not_get() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let hybrid =
        json!({ "delivery": "hybrid", "capacity": 10, "online_capacity": 20, "recurrence": "FREQ=WEEKLY;COUNT=3" });
    let series = weekly(&admin, &place, hybrid);
    let room = json!({ "delivery": "in_person", "party": { "family": 4, "carers": 0 } });
    book(&app, &sessions_of(&admin, &series)[0], &member_row(&app, "Ann", "A"), room);
    for patch in [
        json!({ "delivery": "online", "online_capacity": null, "capacity": 4 }),
        json!({ "capacity": 3, "duration_minutes": 60 }),
        json!({ "capacity": 2 }),
    ] {
        change(&admin, &series_path(&series), &patch).expect(200);
        let capacity = &patch["capacity"];
        let after = seats(&admin, &series);
        assert_eq!(after, [json!([10, 20, 5]), json!([capacity, null, 0]), json!([capacity, null, 0])], "{patch}");
    }
    // Where it can follow, its seats count.
    book(&app, &sessions_of(&admin, &series)[1], &member_row(&app, "Bob", "B"), json!({ "party": { "family": 1 } }));
    let fewer = json!({ "capacity": 1, "duration_minutes": 45 });
    change(&admin, &series_path(&series), &fewer).problem(409, "capacity-below-seats");
}

#[test]
fn an_edited_session_whose_date_leaves_the_rule_stays_and_is_reported() {
    let app = App::start();
    let admin = app.admin();
    let series = weekly(&admin, &venue(&admin, "walton", "Liverpool"), json!({}));
    let edited = json!({ "local_start": "2027-01-27T10:00:00" });
    change(&admin, &path(&sessions_of(&admin, &series)[3]), &edited).expect(200);
    let before = sessions_of(&admin, &series);
    let shorter = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let answer = change(&admin, &series_path(&series), &shorter).expect(200);
    assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 1 }));
    assert_eq!(answer["skipped"], json!([{ "local_start": "2027-01-27T10:00:00", "reason": "edited" }]));
    assert_eq!(sessions_of(&admin, &series)[3], before[3]);
}

#[test]
fn words_of_a_session_leave_its_capacities_and_who_waits_as_they_are() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({ "delivery": "hybrid", "capacity": 1, "online_capacity": 2 });
    let session = admin.post("/v1/sessions", &with(session_body(id(&place)), body)).expect(201);
    let wish = |delivery: &str| json!({ "delivery": delivery, "if_full": "wait" });
    let made: Vec<Value> = ["in_person", "in_person", "online"]
        .iter()
        .map(|delivery| book(&app, &session, &member_row(&app, delivery, "A"), wish(delivery)))
        .collect();
    assert_eq!(made.iter().map(|b| b["status"].clone()).collect::<Vec<_>>(), ["booked", "waitlisted", "booked"]);
    let counts = |session: &Value| {
        ["capacity", "online_capacity", "seats_taken", "online_seats_taken", "waitlist_length"]
            .map(|name| session[name].clone())
    };
    let changed = change(&admin, &path(&session), &json!({ "title": "Poems", "description": "By heart" })).expect(200);
    assert_eq!(counts(&changed), [1, 2, 1, 1, 1].map(Value::from));
    let booking = app.advisor().get(&format!("/v1/bookings/{}", id(&made[1]))).expect(200);
    assert_eq!((&booking["status"], &booking["version"]), (&json!("waitlisted"), &json!(1)));
}

/// A series of one seat; in each session somebody was offered it and didn't answer, and somebody waits behind. The
/// bookings of each, the first and the second.
fn lapsed(app: &App, place: &Value) -> (Value, Vec<[String; 2]>) {
    let (admin, advisor) = (app.admin(), app.advisor());
    let series = weekly(&admin, place, json!({ "capacity": 1 }));
    let wait = |session: &Value| {
        id(&book(app, session, &member_row(app, "Sam", "R"), json!({ "if_full": "wait" }))).to_owned()
    };
    let listed = |session: &Value| {
        let [held, first, second] = [wait(session), wait(session), wait(session)];
        advisor.delete(&format!("/v1/bookings/{held}")).expect(200);
        [first, second]
    };
    let bookings: Vec<_> = sessions_of(&admin, &series).iter().map(listed).collect();
    app.at("2026-11-24T09:00:00Z");
    assert!(statuses(app, &bookings, 0).iter().all(|status| status == "offered"), "nobody has looked at the clock");
    (series, bookings)
}

fn statuses(app: &App, bookings: &[[String; 2]], which: usize) -> Vec<Value> {
    let advisor = app.advisor();
    let show = |pair: &[String; 2]| advisor.get(&format!("/v1/bookings/{}", pair[which])).expect(200)["status"].clone();
    bookings.iter().map(show).collect()
}

/// Seats taken, how many wait, and how many offers are open in each session of a series, by start.
fn counted(app: &App, series: &Value) -> Vec<(i32, i32, i32)> {
    let of_it = sessions::table.filter(sessions::series_id.eq(id(series).parse::<Id>().unwrap()));
    let columns = (sessions::seats_taken, sessions::waitlist_length, sessions::offers_open);
    of_it.order(sessions::starts_at).select(columns).load(&mut app.conn()).unwrap()
}

#[test]
fn a_seat_whose_offer_ran_out_is_offered_to_the_next_whatever_is_edited_of_a_series() {
    for patch in [
        // A move, a rule that leaves its sessions as they are, words, and fewer seats than the lapsed offers held.
        json!({ "duration_minutes": 60 }),
        json!({ "recurrence": "FREQ=WEEKLY;COUNT=5" }),
        json!({ "title": "Poems" }),
        json!({ "title": "Poems", "capacity": 2 }),
    ] {
        let app = App::start();
        let place = venue(&app.admin(), "walton", "Liverpool");
        let (series, bookings) = lapsed(&app, &place);
        change(&app.admin(), &series_path(&series), &patch).expect(200);
        assert_eq!(statuses(&app, &bookings, 0), ["cancelled_by_provider"; 4], "{patch}");
        assert_eq!(statuses(&app, &bookings, 1), ["offered"; 4], "{patch}");
        assert_eq!(counted(&app, &series)[..4], [(1, 0, 1); 4], "{patch}");
    }
}

#[test]
fn a_seat_whose_offer_ran_out_is_offered_to_the_next_in_both_halves_of_a_split() {
    let app = App::start();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let (series, bookings) = lapsed(&app, &place);
    let rest = split(&app.admin(), &series, "2027-01-19T13:00:00", json!({}));
    assert_eq!(statuses(&app, &bookings, 0), ["cancelled_by_provider"; 4]);
    assert_eq!(statuses(&app, &bookings, 1), ["offered"; 4]);
    assert_eq!((counted(&app, &series), counted(&app, &rest)), (vec![(1, 0, 1); 2], vec![(1, 0, 1); 2]));
}

#[test]
fn a_party_that_held_more_in_a_lapsed_offer_than_a_new_capacity_is_in_nobodys_way() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    for edit in ["in place", "split"] {
        app.at("2026-11-23T09:00:00Z");
        let series = weekly(&admin, &place, json!({ "capacity": 3 }));
        let session = sessions_of(&admin, &series)[2].clone();
        let party = json!({ "party": { "family": 2, "carers": 0 }, "if_full": "wait" });
        let held = book(&app, &session, &member_row(&app, "Ann", "A"), party.clone());
        let waits = book(&app, &session, &member_row(&app, "Bob", "B"), party);
        advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
        app.at("2026-11-24T09:00:00Z");
        let fewer = json!({ "capacity": 1, "duration_minutes": 60 });
        let after = match edit {
            "split" => split(&admin, &series, "2027-01-19T13:00:00", fewer),
            _ => change(&admin, &series_path(&series), &fewer).expect(200),
        };
        assert_eq!((&after["capacity"], &after["skipped"]), (&json!(1), &json!([])), "{edit}");
        let session = admin.get(&path(&session)).expect(200);
        assert_eq!((&session["capacity"], &session["seats_taken"]), (&json!(1), &json!(0)), "{edit}");
        let waited = advisor.get(&format!("/v1/bookings/{}", id(&waits))).expect(200);
        assert_eq!(waited["status"], "cancelled_by_provider", "{edit}");
    }
}

#[test]
fn a_series_that_was_split_makes_nothing_on_the_day_of_the_cut_wherever_it_moves() {
    for time in ["08:00:00", "12:59:00", "13:01:00", "18:00:00"] {
        let app = App::start();
        let admin = app.admin();
        let old = weekly(&admin, &venue(&admin, "walton", "Liverpool"), json!({}));
        let new = split(&admin, &old, "2027-01-19T13:00:00", json!({}));
        let moved = json!({ "local_start": format!("2027-01-05T{time}") });
        let changed = change(&admin, &series_path(&old), &moved).expect(200);
        assert_eq!(changed["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }), "{time}");
        assert_eq!(starts(&sessions_of(&admin, &old)), [format!("2027-01-05T{time}"), format!("2027-01-12T{time}")]);
        assert_eq!(starts(&sessions_of(&admin, &new)), ["2027-01-19T13:00:00", "2027-01-26T13:00:00"]);
        // And back again, and longer: it ends there all the same.
        let back = json!({ "local_start": "2027-01-05T13:00:00", "recurrence": "FREQ=WEEKLY;COUNT=9" });
        let changed = change(&admin, &series_path(&old), &back).expect(200);
        assert_eq!(changed["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }), "{time}");
    }
}

#[test]
fn all_of_the_day_of_the_cut_is_the_second_halfs_wherever_the_first_half_moves() {
    for second in ["09:00:00", "17:00:00"] {
        // Cut at either session of the day.
        for from in ["13:00:00", second] {
            for time in ["08:00:00", "09:00:00", "14:30:00", "17:00:00", "18:00:00"] {
                let app = App::start();
                let admin = app.admin();
                let additional = json!({ "additional": [format!("2027-01-19T{second}")] });
                let old = weekly(&admin, &venue(&admin, "walton", "Liverpool"), additional);
                let new = split(&admin, &old, &format!("2027-01-19T{from}"), json!({}));
                let went = sessions_of(&admin, &new);
                assert_eq!(went.len(), 3);
                for time in [time, "13:00:00"] {
                    let moved = json!({ "local_start": format!("2027-01-05T{time}") });
                    let changed = change(&admin, &series_path(&old), &moved).expect(200);
                    let expected = json!({ "created": 0, "updated": 2, "cancelled": 0 });
                    assert_eq!(changed["sessions"], expected, "{second} to {time}: {changed}");
                    let own = ["2027-01-05T", "2027-01-12T"].map(|day| format!("{day}{time}"));
                    assert_eq!(starts(&sessions_of(&admin, &old)), own);
                    assert_eq!(sessions_of(&admin, &new), went);
                }
            }
        }
    }
}

#[test]
fn a_session_on_a_day_that_the_rule_does_not_have_is_in_one_half_wherever_the_rule_moves() {
    // A Thursday, one after the COUNT has run out, and a Tuesday that the rule leaves.
    for (day, moved, updated) in [
        ("2027-01-21", json!({ "local_start": "2027-01-05T17:00:00" }), 3),
        ("2027-02-02", json!({ "local_start": "2027-01-05T17:00:00" }), 4),
        ("2027-01-21", json!({ "local_start": "2027-01-07T17:00:00" }), 0),
        ("2027-01-19", json!({ "local_start": "2027-01-07T17:00:00" }), 0),
    ] {
        let app = App::start();
        let admin = app.admin();
        let at = format!("{day}T17:00:00");
        let old = weekly(&admin, &venue(&admin, "walton", "Liverpool"), json!({ "additional": [at.as_str()] }));
        let new = split(&admin, &old, &at, json!({}));
        let went = sessions_of(&admin, &new);
        let changed = change(&admin, &series_path(&old), &moved).expect(200);
        assert_eq!(changed["sessions"]["updated"], updated, "{day} {moved}: {changed}");
        assert!(!starts(&sessions_of(&admin, &old)).contains(&at.as_str()), "{day} {moved}: {changed}");
        assert_eq!(sessions_of(&admin, &new), went);
        assert!(starts(&went).contains(&at.as_str()));
    }
}

#[test]
fn times_beside_a_rule_that_has_run_out_can_be_split_off_and_moved() {
    let app = App::start();
    let admin = app.admin();
    let additional = ["2027-03-04T13:00:00", "2027-03-04T17:00:00", "2027-03-11T17:00:00"];
    let old = weekly(&admin, &venue(&admin, "walton", "Liverpool"), json!({ "additional": additional }));
    let before = sessions_of(&admin, &old);
    let last = split(&admin, &old, additional[2], json!({}));
    let first = split(&admin, &old, additional[1], json!({ "local_start": "2027-03-04T11:00:00" }));
    assert_eq!(first["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    assert_eq!(starts(&sessions_of(&admin, &old)).len(), 4);
    assert_eq!(starts(&sessions_of(&admin, &first)), ["2027-03-04T11:00:00", "2027-03-04T17:00:00"]);
    assert_eq!(starts(&sessions_of(&admin, &last)), additional[2..]);
    let all: Vec<Value> = [&old, &first, &last].into_iter().flat_map(|series| sessions_of(&admin, series)).collect();
    let ids = |sessions: &[Value]| sessions.iter().map(|session| id(session).to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&all), ids(&before));
}

#[test]
fn what_is_the_other_halfs_is_not_this_ones_to_take() {
    let app = App::start();
    let admin = app.admin();
    let out = json!({ "excluded": ["2027-01-19T13:00:00"], "recurrence": "FREQ=WEEKLY;COUNT=5" });
    let old = weekly(&admin, &venue(&admin, "walton", "Liverpool"), out);
    let new = split(&admin, &old, "2027-01-26T13:00:00", json!({}));
    let went = sessions_of(&admin, &new);
    let lifted = change(&admin, &series_path(&old), &json!({ "excluded": [] })).expect(200);
    assert_eq!(lifted["sessions"], json!({ "created": 1, "updated": 0, "cancelled": 0 }));
    let all = ["2027-01-05T13:00:00", "2027-01-12T13:00:00", "2027-01-19T13:00:00"];
    assert_eq!(starts(&sessions_of(&admin, &old)), all);

    let later = json!({ "additional": ["2027-01-20T10:00:00", "2027-01-27T10:00:00"] });
    let added = change(&admin, &series_path(&old), &later).expect(200);
    assert_eq!(added["sessions"]["created"], 1);
    assert_eq!(added["skipped"], json!([{ "local_start": "2027-01-27T10:00:00", "reason": "series_ended" }]));
    assert_eq!(sessions_of(&admin, &new), went);
}

/// Calendar programs write the last start as UNTIL.
#[test]
fn a_series_keeps_its_last_date_when_it_moves_to_another_time_or_zone() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let dates = |series: &Value| -> Vec<String> {
        let on = sessions_of(&admin, series).into_iter().filter(|session| session["status"] == "scheduled");
        on.map(|session| session["local_start"].as_str().unwrap()[5..16].to_owned()).collect()
    };
    let at = |time: &str| ["03-09", "03-16", "03-23", "03-30"].map(|day| format!("{day}T{time}"));
    // Summer time begins on 28 March 2027: 10:00 is 09:00 UTC from then on.
    for until in ["20270330T090000Z", "20270330T100000", "20270331T010000Z", "20270330"] {
        let start = json!({ "local_start": "2027-03-09T10:00:00", "recurrence": format!("FREQ=WEEKLY;UNTIL={until}") });
        let series = weekly(&admin, &place, start);
        assert_eq!(dates(&series), at("10:00"), "{until}");
        for time in ["11:00", "23:30", "09:00", "10:00"] {
            let moves = json!({ "local_start": format!("2027-03-09T{time}:00") });
            let changed = change(&admin, &series_path(&series), &moves).expect(200);
            assert_eq!((dates(&series), &changed["skipped"]), (at(time).to_vec(), &json!([])), "{until} {time}");
        }
        change(&admin, &series_path(&series), &json!({ "time_zone": "America/New_York" })).expect(200);
        assert_eq!(dates(&series), at("10:00"), "{until} in New York");
        let second = split(&admin, &series, "2027-03-23T10:00:00", json!({ "local_start": "2027-03-23T18:00:00" }));
        assert_eq!(dates(&second), at("18:00")[2..], "{until} split");
    }
}

/// On 28 March 2027 the clock skips 01:30, so that session is at 02:30. On 31 October it shows 01:30 twice, and the
/// session is at the first.
#[test]
fn a_series_that_ends_where_the_clock_changes_keeps_its_last_date_when_it_moves() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    for (first, until, last) in [
        ("2027-03-14", "20270328T010000Z", "2027-03-21"),
        ("2027-03-14", "20270328T012959Z", "2027-03-21"),
        ("2027-03-14", "20270328T013000Z", "2027-03-28"),
        ("2027-03-14", "20270328T013000", "2027-03-28"),
        ("2027-10-17", "20271031T002959Z", "2027-10-24"),
        ("2027-10-17", "20271031T003000Z", "2027-10-31"),
        ("2027-10-17", "20271031T011500Z", "2027-10-31"),
    ] {
        let rule = format!("FREQ=WEEKLY;UNTIL={until}");
        let start = json!({ "local_start": format!("{first}T01:30:00"), "recurrence": rule });
        let series = weekly(&admin, &place, start);
        for time in ["01:30", "11:00", "01:30"] {
            let moves = json!({ "local_start": format!("{first}T{time}:00") });
            change(&admin, &series_path(&series), &moves).expect(200);
            let sessions = sessions_of(&admin, &series);
            let on = sessions.iter().filter(|session| session["status"] == "scheduled");
            let ends = on.map(|session| session["local_start"].as_str().unwrap()).max().unwrap();
            assert_eq!(ends, format!("{last}T{time}:00"), "{until}");
        }
    }
}

#[test]
fn an_excluded_date_stays_excluded_while_the_rule_is_shorter_and_moves() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let start = json!({ "local_start": "2027-03-01T10:00:00", "recurrence": "FREQ=WEEKLY;COUNT=6", "excluded": ["2027-03-29T10:00:00"] });
    let series = weekly(&admin, &place, start);
    for patch in [
        json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }),
        json!({ "local_start": "2027-03-01T11:00:00" }),
        json!({ "recurrence": "FREQ=WEEKLY;COUNT=6" }),
    ] {
        change(&admin, &series_path(&series), &patch).expect(200);
    }
    let on: Vec<Value> = sessions_of(&admin, &series)
        .into_iter()
        .filter(|session| session["status"] == "scheduled")
        .map(|session| session["local_start"].clone())
        .collect();
    let weeks = ["03-01", "03-08", "03-15", "03-22", "04-05"].map(|day| json!(format!("2027-{day}T11:00:00")));
    assert_eq!(on, weeks);
}
