//! Series without an end that a roster leaves out while people are still going: they end where they stand, and go on
//! once a roster names them again.

use serde_json::{Value, json};

use crate::editing::change;
use crate::recurrence::{Row, entry, go_on, local_starts, rows, start, weeks};
use crate::rosters::with;
use crate::support::{App, Client, id, member_row, partner_row};

/// A weekly series of a roster, from 5 January 2027 on, which the rosters after it leave out or name again.
struct Weekly {
    app: App,
    admin: Client,
    rosters: String,
    series: String,
}

impl Weekly {
    fn start() -> Self {
        let (app, admin, _) = start();
        let rosters = format!("/v1/partners/{}/rosters?missing=cancel&confirm=cancel", partner_row(&app, "the-reader"));
        let made = admin.post(&rosters, &json!({ "entries": [entry(json!({})), other()] })).expect(201);
        let series = made["entries"][0]["resource_id"].as_str().unwrap().to_owned();
        assert_eq!(made["sessions"]["created"], 48);
        Self { app, admin, rosters, series }
    }

    /// Somebody books the session of this number; its id.
    fn book(&self, at: usize) -> String {
        let session = rows(&self.app, &self.series)[at].id.to_string();
        let body = json!({ "member_id": member_row(&self.app, "Ann", "A") });
        self.app.advisor().post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201);
        session
    }

    fn left_out(&self) -> Value {
        self.admin.post(&self.rosters, &json!({ "entries": [other()] })).expect(201)
    }

    /// Posts a roster that names it so; what became of it, and of sessions.
    fn named(&self, changes: Value) -> Value {
        self.admin.post(&self.rosters, &json!({ "entries": [entry(changes), other()] })).expect(201)
    }

    fn path(&self) -> String {
        format!("/v1/session-series/{}", self.series)
    }

    fn read(&self) -> Value {
        self.admin.get(&self.path()).expect(200)
    }

    fn rows(&self) -> Vec<Row> {
        rows(&self.app, &self.series)
    }

    /// Which of its sessions take place.
    fn on(&self) -> Vec<String> {
        let rows = self.rows();
        rows.iter().filter(|row| row.status == "scheduled").map(|row| row.local_start.clone()).collect()
    }
}

fn other() -> Value {
    let mut other = entry(json!({ "external_id": "other" }));
    other.as_object_mut().unwrap().remove("recurrence");
    other
}

fn did(answer: &Value) -> [u64; 5] {
    let number = |of: &str, name: &str| answer[of][name].as_u64().unwrap();
    let [created, updated, cancelled] = ["created", "updated", "cancelled"].map(|name| number("sessions", name));
    [number("counts", "updated"), number("counts", "cancelled"), created, updated, cancelled]
}

fn skip(day: &str, reason: &str) -> Value {
    json!({ "external_id": "reader-tue", "local_start": format!("{day}T13:00:00"), "reason": reason })
}

#[test]
fn a_series_without_an_end_that_is_left_out_ends_with_what_is_booked_and_nothing_more_is_made() {
    let weekly = Weekly::start();
    weekly.book(2);
    let edited = format!("/v1/sessions/{}", weekly.rows()[4].id);
    change(&weekly.admin, &edited, &json!({ "title": "By hand" })).expect(200);
    let rehearsal = format!("{}&dry_run=true", weekly.rosters);
    let rehearsed = weekly.admin.post(&rehearsal, &json!({ "entries": [other()] })).expect(200);
    assert_eq!(weekly.read()["ends_before"], json!(null));

    let answer = weekly.left_out();
    let stays = json!([skip("2027-01-19", "booked"), skip("2027-02-02", "edited")]);
    assert_eq!((did(&answer), &answer["skipped"]), ([0, 1, 0, 0, 45], &stays));
    assert_eq!((did(&rehearsed), &rehearsed["skipped"]), (did(&answer), &answer["skipped"]));
    let ended = weekly.read();
    assert_eq!(
        (&ended["status"], &ended["ends_before"], &ended["version"]),
        (&json!("active"), &json!("2027-02-03"), &json!(2))
    );
    let calendar = weekly.admin.get(&format!("{}/calendar.ics", weekly.path())).text;
    assert!(calendar.contains("RRULE:FREQ=WEEKLY;UNTIL=20270202T130000Z"), "{calendar}");

    // Night after night, while time goes on.
    let before = weekly.rows();
    for day in ["2026-11-24", "2026-12-24", "2027-01-18"] {
        weekly.app.at(&format!("{day}T02:00:00Z"));
        go_on(&weekly.app);
        let again = weekly.left_out();
        assert_eq!((did(&again), &again["skipped"]), ([0; 5], &stays), "{day}");
        assert_eq!(again["counts"]["unchanged"], 1);
        assert_eq!((weekly.rows(), weekly.read()["version"].clone()), (before.clone(), json!(2)), "{day}");
    }

    // Whoever moves what is left of it moves that alone.
    let moved = change(&weekly.admin, &weekly.path(), &json!({ "local_start": "2027-01-05T14:00:00" })).expect(200);
    assert_eq!(moved["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    assert_eq!(weekly.on(), ["2027-01-19T14:00:00", "2027-02-02T13:00:00"]);
}

#[test]
fn a_series_whose_last_booked_session_is_over_still_goes_on_once_it_is_named_again() {
    // While sessions that were called off lie ahead, and where none do.
    for (last, days, created, back) in
        [(2, ["2027-02-10", "2027-02-11"], 11, 41), (46, ["2027-12-20", "2027-12-21"], 53, 0)]
    {
        let weekly = Weekly::start();
        weekly.book(last);
        weekly.left_out();
        let ended = weekly.read();
        for day in days {
            weekly.app.at(&format!("{day}T02:00:00Z"));
            assert!(!go_on(&weekly.app), "There is nothing to make on {day}.");
            assert_eq!(did(&weekly.left_out()), [0; 5], "{day}");
        }
        // Whether it has ended is worked out at each reading: nothing was written.
        let still = with(weekly.read(), json!({ "ended": ended["ended"] }));
        assert_eq!((still, weekly.rows().len()), (ended, 47));
        let again = weekly.named(json!({}));
        assert_eq!((did(&again), weekly.read()["ends_before"].clone()), ([1, 0, created, back, 0], json!(null)));
        assert_eq!(weekly.on().len() as u64, 1 + created + back);
    }
}

#[test]
fn a_series_can_be_left_out_and_named_again_as_often_as_a_partner_likes() {
    let weekly = Weekly::start();
    weekly.book(21);
    weekly.left_out();
    weekly.app.at("2027-02-15T09:00:00Z");
    weekly.named(json!({}));
    // The forty that came on again then are called off now, and the twelve that were made.
    let again = weekly.left_out();
    assert_eq!((did(&again), &again["skipped"]), ([0, 1, 0, 0, 52], &json!([skip("2027-06-01", "booked")])));
    let ended = weekly.read();
    assert_eq!((&ended["ends_before"], &ended["version"]), (&json!("2027-06-02"), &json!(4)));
    assert_eq!(did(&weekly.left_out()), [0; 5]);
    weekly.app.at("2027-03-15T09:00:00Z");
    assert_eq!(did(&weekly.named(json!({}))), [1, 0, 4, 48, 0]);
    assert_eq!(weekly.on(), weeks("2027-03-16", "13:00:00", 53));
}

#[test]
fn a_series_of_which_every_session_is_booked_is_called_off_beyond_them() {
    let weekly = Weekly::start();
    (0..47).for_each(|at| drop(weekly.book(at)));
    let answer = weekly.left_out();
    assert_eq!(did(&answer), [0, 1, 0, 0, 0]);
    let entry = &answer["entries"][1];
    assert_eq!((&entry["external_id"], &entry["outcome"]), (&json!("reader-tue"), &json!("cancelled")));
    assert_eq!(weekly.read()["ends_before"], "2027-11-24");
    assert_eq!(did(&weekly.left_out()), [0; 5]);
    weekly.app.at("2027-01-18T02:00:00Z");
    go_on(&weekly.app);
    assert_eq!(weekly.rows().len(), 47);
}

#[test]
fn a_series_that_is_named_again_goes_on_with_what_was_called_off() {
    let weekly = Weekly::start();
    let booked = weekly.book(21);
    weekly.left_out();
    weekly.app.at("2027-02-15T09:00:00Z");
    go_on(&weekly.app);
    assert_eq!(weekly.on(), ["2027-06-01T13:00:00"]);

    let rehearsal = format!("{}&dry_run=true", weekly.rosters);
    let rehearsed = weekly.admin.post(&rehearsal, &json!({ "entries": [entry(json!({})), other()] })).expect(200);
    let answer = weekly.named(json!({}));
    assert_eq!((did(&answer), did(&rehearsed)), ([1, 0, 12, 40, 0], did(&answer)));
    assert_eq!((weekly.on(), &answer["skipped"]), (weeks("2027-02-16", "13:00:00", 53), &json!([])));
    let read = weekly.read();
    assert_eq!((&read["ends_before"], &read["version"]), (&json!(null), &json!(3)));
    assert_eq!(weekly.admin.get(&format!("/v1/sessions/{booked}")).expect(200)["seats_taken"], 1);

    // The same again is no news, and it goes on.
    let before = weekly.rows();
    let again = weekly.named(json!({}));
    assert_eq!((did(&again), &again["counts"]["unchanged"], &again["skipped"]), ([0; 5], &json!(2), &json!([])));
    assert_eq!((weekly.rows(), weekly.read()), (before, read));
    weekly.app.at("2027-03-15T09:00:00Z");
    assert!(go_on(&weekly.app));
    assert_eq!(local_starts(&weekly.rows()[59..]), weeks("2028-02-22", "13:00:00", 4));
    assert_eq!(did(&weekly.named(json!({}))), [0; 5]);
}

#[test]
fn a_series_that_is_named_again_late_makes_only_what_is_still_to_come() {
    // Whether at the same time or at another: that what is over was called off is no news.
    for (changes, off) in [(json!({}), 0), (json!({ "local_start": "2027-01-05T14:00:00" }), 0)] {
        let weekly = Weekly::start();
        weekly.book(46);
        weekly.left_out();
        // The last one was on 23 November: three Tuesdays more have gone by, of which none was made.
        weekly.app.at("2027-12-20T09:00:00Z");
        go_on(&weekly.app);
        let answer = weekly.named(changes);
        assert_eq!((did(&answer), answer["skipped"].as_array().unwrap().len()), ([1, 0, 53, 0, 0], off));
        assert_eq!(weekly.rows()[47].local_start[..10], *"2027-12-21");
        assert_eq!(weekly.rows().len(), 47 + 53);
    }
}

#[test]
fn what_a_series_missed_while_it_was_left_out_is_never_made_whatever_is_stated_later() {
    // Its rule has an end since, it is named again on the day of one it missed, and it moves weeks later.
    for (at, again, later, next) in [
        ("2027-12-20T09:00:00Z", json!({ "recurrence": "FREQ=WEEKLY;COUNT=80" }), "2027-12-20T10:00:00Z", "2027-12-21"),
        ("2027-12-21T18:00:00Z", json!({}), "2027-12-22T02:00:00Z", "2027-12-28"),
    ] {
        let weekly = Weekly::start();
        weekly.book(46);
        weekly.left_out();
        weekly.app.at(at);
        go_on(&weekly.app);
        assert_eq!(did(&weekly.named(again.clone()))[0], 1, "{at}");
        let (before, read) = (weekly.rows(), weekly.read());
        assert_eq!(before[47].local_start, format!("{next}T13:00:00"));
        weekly.app.at(later);
        let same = weekly.named(again.clone());
        assert_eq!((did(&same), &same["counts"]["unchanged"], &same["skipped"]), ([0; 5], &json!(2), &json!([])));
        assert_eq!((weekly.rows(), weekly.read()), (before.clone(), read), "{at}");

        weekly.app.at("2028-01-10T09:00:00Z");
        let mut moved = again;
        moved["local_start"] = json!("2027-01-05T14:00:00");
        let moved = weekly.named(moved);
        let ahead = before.iter().filter(|row| row.local_start.as_str() > "2028-01-10").count();
        let (created, updated) = (weekly.rows().len() - before.len(), &moved["sessions"]["updated"]);
        assert_eq!((updated, &moved["sessions"]["created"]), (&json!(ahead), &json!(created)), "{at}");
        let new = weekly.rows().split_off(before.len());
        assert!(new.iter().all(|row| row.local_start.as_str() > "2028-01-10"), "{new:?}");
    }
}

#[test]
fn a_series_whose_kept_session_is_an_early_one_that_was_put_off_ends_no_earlier_than_today() {
    let weekly = Weekly::start();
    let first = format!("/v1/sessions/{}", weekly.rows()[0].id);
    let later = json!({ "local_start": "2027-03-01T13:00:00" });
    change(&weekly.admin, &first, &later).expect(200);
    weekly.app.at("2027-02-01T09:00:00Z");
    let answer = weekly.left_out();
    let stays = json!([{ "external_id": "reader-tue", "local_start": "2027-03-01T13:00:00", "reason": "edited" }]);
    assert_eq!((did(&answer), &answer["skipped"]), ([0, 1, 0, 0, 43], &stays));
    assert_eq!(weekly.read()["ends_before"], "2027-02-02");
    let calendar = weekly.admin.get(&format!("{}/calendar.ics", weekly.path())).text;
    assert!(calendar.contains("RRULE:FREQ=WEEKLY;UNTIL=20270126T130000Z"), "{calendar}");
}

#[test]
fn a_series_that_was_left_out_is_split_only_once_it_is_named_again() {
    let weekly = Weekly::start();
    weekly.book(21);
    weekly.left_out();
    let before = (weekly.rows(), weekly.read());
    let at = format!("{}/split", weekly.path());
    let from = json!({ "from": "2027-06-01T13:00:00" });
    let refused = weekly.admin.post(&at, &from).problem(409, "invalid-state");
    let detail = "Its partner's roster no longer names it. A roster must name it again before it can be split.";
    assert_eq!(refused["detail"], detail);
    assert_eq!((weekly.rows(), weekly.read()), before);

    weekly.app.at("2027-01-04T09:00:00Z");
    assert_eq!(did(&weekly.named(json!({}))), [1, 0, 6, 46, 0]);
    let rest = weekly.admin.post(&at, &from).expect(201);
    let both = || (weekly.rows(), rows(&weekly.app, id(&rest)));
    let before = both();
    assert_eq!((before.0.len(), before.1.len()), (21, 32));
    assert_eq!((did(&weekly.named(json!({}))), both()), ([0; 5], before));
    assert_eq!(weekly.read()["ends_before"], "2027-06-01");
}

#[test]
fn a_series_with_an_end_that_is_left_out_keeps_what_is_booked_and_no_change_by_hand_brings_back_the_rest() {
    for whole in [true, false] {
        let weekly = Weekly::start();
        let six = json!({ "recurrence": "FREQ=WEEKLY;COUNT=6" });
        weekly.named(six.clone());
        if !whole {
            let half = json!({ "from": "2027-02-02T13:00:00" });
            weekly.admin.post(&format!("{}/split", weekly.path()), &half).expect(201);
        }
        let (all, free) = if whole { (6, 5) } else { (4, 3) };
        let booked = weekly.book(2);
        assert_eq!(did(&weekly.left_out()), [0, 1, 0, 0, free]);
        assert_eq!(
            (weekly.read()["ends_before"].clone(), weekly.on()),
            (json!("2027-01-20"), weeks("2027-01-19", "13:00:00", 1))
        );
        for patch in [json!({ "title": "Poems" }), json!({ "duration_minutes": 45 }), json!({})] {
            let changed = change(&weekly.admin, &weekly.path(), &patch).expect(200);
            assert_eq!((weekly.on(), &changed["skipped"]), (weeks("2027-01-19", "13:00:00", 1), &json!([])), "{patch}");
        }
        let added =
            change(&weekly.admin, &weekly.path(), &json!({ "additional": ["2027-01-28T10:00:00"] })).expect(200);
        let ended = json!({ "local_start": "2027-01-28T10:00:00", "reason": "series_ended" });
        assert!(added["skipped"].as_array().unwrap().contains(&ended), "{added}");
        assert_eq!(weekly.on().len(), 1);
        weekly
            .admin
            .post(&format!("{}/split", weekly.path()), &json!({ "from": "2027-01-19T13:00:00" }))
            .problem(409, "invalid-state");
        let version = weekly.read()["version"].clone();
        assert_eq!((did(&weekly.left_out()), &weekly.read()["version"]), ([0; 5], &version));

        assert_eq!(did(&weekly.named(six)), [1, 0, 0, free + 1, 0]);
        assert_eq!(weekly.on(), weeks("2027-01-05", "13:00:00", all));
        let end = if whole { json!(null) } else { json!("2027-02-02") };
        assert_eq!((&weekly.read()["ends_before"], &weekly.read()["title"]), (&end, &json!("Shared Reading")));
        assert_eq!(weekly.admin.get(&format!("/v1/sessions/{booked}")).expect(200)["seats_taken"], 1);
    }
}

#[test]
fn a_series_is_called_off_once_nobody_is_booked_any_more_and_comes_back_once_it_is_named() {
    for rule in ["FREQ=WEEKLY;COUNT=6", "FREQ=WEEKLY"] {
        let weekly = Weekly::start();
        let stated = json!({ "recurrence": rule });
        weekly.named(stated.clone());
        let session = weekly.book(2);
        weekly.left_out();
        let booking = weekly.app.advisor().get(&format!("/v1/sessions/{session}/bookings")).expect(200);
        let booking = booking["items"][0]["id"].as_str().unwrap().to_owned();
        weekly.app.advisor().delete(&format!("/v1/bookings/{booking}")).expect(200);
        assert_eq!((did(&weekly.left_out()), weekly.read()["status"].clone()), ([0, 1, 0, 0, 1], json!("cancelled")));
        assert_eq!((did(&weekly.left_out()), weekly.on()), ([0; 5], vec![]));
        let back = weekly.named(stated);
        assert_eq!((did(&back)[0], weekly.read()["status"].clone()), (1, json!("active")));
        assert_eq!(weekly.on().len(), if rule == "FREQ=WEEKLY" { 47 } else { 6 });
    }
}
