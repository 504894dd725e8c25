//! Splitting a series: this session and all that follow.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::calendars::events;
use crate::editing::{book, change, news, path, series_path, session_body, sessions_of, starts, told, with};
use crate::rosters::{counts, reader, roster, series};
use crate::support::{App, Client, id, item_row, member_row, partner_row, venue};

/// A weekly series on Tuesdays from 5 January 2027 on.
fn weekly(client: &Client, place: &Value, changes: Value) -> Value {
    let body = with(session_body(id(place)), json!({ "recurrence": "FREQ=WEEKLY;COUNT=6", "capacity": 5 }));
    client.post("/v1/session-series", &with(body, changes)).expect(201)
}

fn split(client: &Client, series: &Value, from: &str, changes: Value) -> Value {
    let body = json!({ "from": from, "changes": changes });
    client.post(&format!("{}/split", series_path(series)), &body).expect(201)
}

fn ids(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(id).collect()
}

#[test]
fn a_series_is_split_and_its_sessions_go_along_with_their_ids_and_bookings() {
    let app = App::start();
    let advisor = app.advisor();
    let (place, other) = (venue(&app.admin(), "walton", "Liverpool"), venue(&app.admin(), "bootle", "Sefton"));
    let old = weekly(&advisor, &place, json!({ "excluded": ["2027-01-12T13:00:00", "2027-02-09T13:00:00"] }));
    let before = sessions_of(&advisor, &old);
    assert_eq!(before.len(), 4);
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    book(&app, &before[0], &ann, json!({}));
    let of_bob = book(&app, &before[2], &bob, json!({}));
    let before = sessions_of(&advisor, &old);

    let at = format!("{}/split", series_path(&old));
    let changes = json!({ "local_start": "2027-01-26T14:30:00", "venue_id": id(&other), "title": "Poems" });
    let body = json!({ "from": "2027-01-26T13:00:00", "changes": changes });
    advisor.post_with(&at, &[("if-match", "\"7\"")], &body).problem(412, "precondition-failed");
    let sent = [("if-match", "\"1\""), ("idempotency-key", "one")];
    let answer = advisor.post_with(&at, &sent, &body);
    assert_eq!((answer.status, answer.tag_version()), (201, "1"), "{}", answer.text);
    assert_eq!(answer.header("location"), series_path(&answer.json));
    let new = answer.json.clone();
    assert_ne!(new["id"], old["id"]);
    assert_eq!((&new["recurrence"], &new["split_from"]), (&json!("FREQ=WEEKLY;COUNT=3"), &old["id"]));
    assert_eq!((&new["excluded"], &new["title"]), (&json!(["2027-02-09T14:30:00"]), &json!("Poems")));
    assert_eq!(new["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }));
    assert_eq!(new["skipped"], json!([]));
    assert_eq!(news(&new), [(id(&of_bob), "kept", None, Some(bob.as_str()))]);
    assert_eq!((told(&app, &ann).len(), told(&app, &bob).len()), (0, 1));

    let again = advisor.post_with(&at, &sent, &body);
    assert_eq!((again.status, again.header("idempotent-replay")), (201, "true"));
    assert_eq!(again.json, answer.json);

    let ended = advisor.get(&series_path(&old)).expect(200);
    assert_eq!((&ended["recurrence"], &ended["version"]), (&json!("FREQ=WEEKLY;COUNT=6"), &json!(2)));
    assert_eq!(ended["ends_before"], "2027-01-26");
    assert_eq!(ended["excluded"], old["excluded"], "what was stated stays as it was stated");
    let (stay, went) = (sessions_of(&advisor, &old), sessions_of(&advisor, &new));
    assert_eq!(stay[..], before[..2]);
    assert_eq!(ids(&went), ids(&before[2..]));
    assert_eq!(starts(&went), ["2027-01-26T14:30:00", "2027-02-02T14:30:00"]);
    assert!(went.iter().all(|session| session["venue"]["slug"] == "bootle"));
    assert_eq!(went[0]["seats_taken"], 1);

    // Each is a series like any other from now on.
    let renamed = change(&advisor, &series_path(&old), &json!({ "recurrence": "FREQ=WEEKLY;COUNT=9" })).expect(200);
    assert_eq!(
        renamed["sessions"],
        json!({ "created": 0, "updated": 0, "cancelled": 0 }),
        "it ends where it was split"
    );
    let longer = change(&advisor, &series_path(&new), &json!({ "recurrence": "FREQ=WEEKLY;COUNT=4" })).expect(200);
    assert_eq!(longer["sessions"]["created"], 1);
}

#[test]
fn a_split_without_changes_changes_nothing_of_the_sessions() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let additional = json!(["2027-01-19T09:00:00", "2027-01-19T17:00:00", "2027-03-01T10:00:00"]);
    let rule = json!({ "recurrence": "FREQ=WEEKLY;UNTIL=20270202", "additional": additional });
    let old = weekly(&admin, &place, rule);
    let before = sessions_of(&admin, &old);
    let answer = split(&admin, &old, "2027-01-19T13:00:00", json!({}));
    assert_eq!(answer["recurrence"], "FREQ=WEEKLY;UNTIL=20270202");
    assert_eq!(answer["additional"], additional, "all of the day of the cut is the second half's");
    assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }));
    let both: Vec<Value> = [sessions_of(&admin, &old), sessions_of(&admin, &answer)].concat();
    assert_eq!((ids(&both), starts(&both)), (ids(&before), starts(&before)));
    let of_the_day = json!({ "from": "2027-01-19T17:00:00" });
    let problem = admin.post(&format!("{}/split", series_path(&answer)), &of_the_day).invalid(&["/from"]);
    assert_eq!(problem["errors"][0]["code"], "first_occurrence", "a day isn't split");

    // Once more, and then where only times beside the rule are left.
    let second = split(&admin, &answer, "2027-01-26T13:00:00", json!({}));
    assert_eq!(
        starts(&sessions_of(&admin, &second)),
        ["2027-01-26T13:00:00", "2027-02-02T13:00:00", "2027-03-01T10:00:00"]
    );
    let third = split(&admin, &second, "2027-03-01T10:00:00", json!({}));
    assert_eq!(
        (&third["recurrence"], &third["local_start"]),
        (&json!("FREQ=DAILY;COUNT=1"), &json!("2027-03-01T10:00:00"))
    );
    assert_eq!(ids(&sessions_of(&admin, &third)), ids(&before[before.len() - 1..]));
    let second = admin.get(&series_path(&second)).expect(200);
    assert_eq!(second["ends_before"], "2027-03-01");
}

#[test]
fn past_cancelled_and_edited_sessions_go_along_and_keep_what_they_have() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let daily = json!({ "local_start": "2026-11-20T08:00:00", "recurrence": "FREQ=DAILY;COUNT=7" });
    let old = weekly(&admin, &place, daily);
    let sessions = sessions_of(&admin, &old);
    // 20 to 23 November are past; the 24th is edited, the 25th off.
    change(&admin, &path(&sessions[4]), &json!({ "local_start": "2026-11-24T20:00:00", "title": "Special" }))
        .expect(200);
    admin.post(&format!("{}/cancel", path(&sessions[5])), &json!({ "reason": "Holiday" })).expect(200);
    let before = sessions_of(&admin, &old);
    let new = split(&admin, &old, "2026-11-22T08:00:00", json!({ "title": "Poems", "duration_minutes": 60 }));
    assert_eq!(new["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    let skipped = json!([
        { "local_start": "2026-11-24T20:00:00", "reason": "edited" },
        { "local_start": "2026-11-25T08:00:00", "reason": "cancelled" }
    ]);
    assert_eq!(new["skipped"], skipped);
    let after = sessions_of(&admin, &new);
    assert_eq!(ids(&after), ids(&before[2..]));
    for (was, is) in before[2..].iter().zip(&after).take(4) {
        let expected = with(was.clone(), json!({ "series_id": new["id"], "version": 2 }));
        for name in ["title", "local_start", "duration_minutes", "status", "series_id", "starts_at", "ends_at"] {
            assert_eq!(expected[name], is[name], "{name}");
        }
    }
    assert_eq!((&after[4]["title"], &after[4]["duration_minutes"]), (&json!("Poems"), &json!(60)));
    let moved_by_hand = change(&admin, &series_path(&new), &json!({ "duration_minutes": 45 })).expect(200);
    assert_eq!(moved_by_hand["skipped"], skipped);
}

#[test]
fn what_cannot_be_split_says_why() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let old = weekly(&admin, &place, json!({ "excluded": ["2027-01-12T13:00:00"] }));
    let at = format!("{}/split", series_path(&old));
    for (from, code) in [
        ("2027-01-05T13:00:00", "first_occurrence"),
        ("2027-01-12T13:00:00", "not_an_occurrence"),
        ("2027-01-19T12:00:00", "not_an_occurrence"),
        ("2027-12-28T13:00:00", "not_an_occurrence"),
    ] {
        let problem = admin.post(&at, &json!({ "from": from })).invalid(&["/from"]);
        assert_eq!(problem["errors"][0]["code"], code, "{from}");
    }
    let from = "2027-01-19T13:00:00";
    for (changes, pointer) in [
        (json!({ "title": null }), "/changes/title"),
        (json!({ "title": 7, "colour": 1 }), "/changes/colour"),
        (json!({ "venue_id": null }), "/changes/venue_id"),
        (json!({ "venue_id": "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41" }), "/changes/venue_id"),
        (json!({ "recurrence": "FREQ=WEEKLY;BYDAY=MO;COUNT=2" }), "/changes/local_start"),
        (json!({ "recurrence": "FREQ=DAILY;COUNT=1", "excluded": [from] }), "/changes/recurrence"),
        (json!({ "status": "cancelled", "cancellation_reason": "x" }), "/changes/status"),
    ] {
        let problem = admin.post(&at, &json!({ "from": from, "changes": changes })).problem(422, "invalid-body");
        let found = problem["errors"].as_array().unwrap().iter().any(|fault| fault["pointer"] == pointer);
        assert!(found, "{pointer}: {problem}");
    }
    admin.post(&at, &json!({})).invalid(&["/from"]);
    admin.post(&at, &json!({ "from": "19 January" })).invalid(&["/from"]);
    admin.post(&at, &json!({ "from": from, "changes": [] })).invalid(&["/changes"]);
    let other = app.partner_client(&partner_row(&app, "phil"), &[Scope::SessionsWrite]);
    other.post(&at, &json!({ "from": from })).problem(404, "not-found");
    app.anonymous().post(&at, &json!({ "from": from })).problem(401, "unauthenticated");
    assert_eq!(admin.get(&series_path(&old)).json["version"], 1);
    book(
        &app,
        &sessions_of(&admin, &old)[2],
        &member_row(&app, "Ann", "A"),
        json!({ "party": { "family": 2, "carers": 0 } }),
    );
    let few = json!({ "from": from, "changes": { "capacity": 2, "duration_minutes": 30 } });
    admin.post(&at, &few).problem(409, "capacity-below-seats");
    split(&admin, &old, from, json!({}));
    let problem = admin.post(&at, &json!({ "from": "2027-01-26T13:00:00" })).invalid(&["/from"]);
    assert_eq!(problem["errors"][0]["code"], "not_an_occurrence", "that is the other's now");
    admin.post(&format!("{}/cancel", series_path(&old)), &json!({ "reason": "Closed." })).expect(200);
    admin.post(&at, &json!({ "from": "2027-01-05T13:00:00" })).problem(409, "invalid-state");
}

#[test]
fn a_roster_that_still_states_the_old_rule_changes_nothing_and_makes_nothing() {
    let app = App::start();
    venue(&app.admin(), "walton", "Liverpool");
    let partner = partner_row(&app, "reader");
    let client = app.partner_client(&partner, &[Scope::RostersWrite, Scope::SessionsWrite]);
    let rosters = format!("/v1/partners/{partner}/rosters");
    let entry = json!({
        "external_id": "tue", "title": "Reading", "pillar": "community", "delivery": "in_person", "venue": "walton",
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90,
        "recurrence": "FREQ=WEEKLY;COUNT=6", "excluded": ["2027-01-12T13:00:00", "2027-02-09T13:00:00"]
    });
    let roster = |changes: Value| json!({ "entries": [with(entry.clone(), changes)] });
    let posted = client.post(&rosters, &roster(json!({}))).expect(201);
    let old = json!({ "id": posted["entries"][0]["resource_id"] });
    let new = split(&client, &old, "2027-01-26T13:00:00", json!({ "duration_minutes": 60 }));
    assert_eq!((&new["partner_id"], &new["external_id"]), (&json!(partner), &json!("tue-2")));
    let all = || [sessions_of(&client, &old), sessions_of(&client, &new)].concat();
    let before = all();
    assert_eq!(before.len(), 4);

    let again = client.post(&rosters, &roster(json!({}))).expect(201);
    assert_eq!(again["counts"]["unchanged"], 1);
    assert_eq!(again["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }));
    assert_eq!(all(), before);
    let renamed = client.post(&rosters, &roster(json!({ "title": "Poems" }))).expect(201);
    assert_eq!(renamed["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }));
    assert_eq!(sessions_of(&client, &new)[..], before[2..], "what was split off is its own");
    let cut = client.get(&series_path(&old)).expect(200);
    assert_eq!((&cut["external_id"], &cut["ends_before"]), (&json!("tue"), &json!("2027-01-26")));
}

#[test]
fn both_halves_have_a_name_in_the_partners_sheet_and_a_roster_leaves_them_alone() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("tue")])).expect(201);
    let admin = app.admin();
    let old = admin.get("/v1/session-series").expect(200)["items"][0].clone();
    let at = format!("{}/split", series_path(&old));
    for (from, code) in [("2027-01-05", "first_occurrence"), ("2027-02-01", "not_an_occurrence")] {
        let problem = admin.post(&at, &json!({ "from": from })).invalid(&["/from"]);
        assert_eq!(problem["errors"][0]["code"], code, "{from}");
    }
    // From a date on: the first session from then on is on the 19th.
    let second = admin.post(&at, &json!({ "from": "2027-01-13", "changes": { "title": "Poems" } })).expect(201);
    assert_eq!((&second["external_id"], &second["local_start"]), (&json!("tue-2"), &json!("2027-01-19T13:00:00")));
    let at = format!("{}/split", series_path(&second));
    let taken = json!({ "from": "2027-01-26T13:00:00", "external_id": "tue" });
    admin.post(&at, &taken).problem(409, "already-exists");
    let third = admin.post(&at, &json!({ "from": "2027-01-26" })).expect(201);
    assert_eq!(third["external_id"], "tue-3");

    let held = client.get(&path.replace("/rosters", "/roster.json")).expect(200);
    let names: Vec<&Value> = held["entries"].as_array().unwrap().iter().map(|entry| &entry["external_id"]).collect();
    assert_eq!(names, ["tue", "tue-2", "tue-3"]);
    assert_eq!(client.post(&path, &held).expect(201)["counts"], counts(0, 0, 3, 0));
    // The partner's own system knows only what it made.
    let missing = format!("{path}?missing=cancel");
    let again = client.post(&missing, &roster(&[series("tue")])).expect(201);
    assert_eq!((&again["counts"], &again["skipped"]), (&counts(0, 0, 1, 0), &json!([])));
    let other = client.post(&format!("{missing}&confirm=cancel"), &roster(&[series("other")])).expect(201);
    let skipped: Vec<&Value> = other["skipped"].as_array().unwrap().iter().map(|skip| &skip["external_id"]).collect();
    assert_eq!(skipped, ["tue-2", "tue-3"], "{other}");
}

#[test]
fn a_prescription_for_a_series_still_opens_what_was_split_off() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let hidden = json!({ "booking_policy": "referral_only", "publication": "unlisted" });
    let old = weekly(&admin, &place, hidden);
    let ann = member_row(&app, "Ann", "A");
    item_row(&app, &ann, "active", None, Some(id(&old)));
    let middle = split(&admin, &old, "2027-01-19T13:00:00", json!({}));
    let last = split(&admin, &middle, "2027-02-02T13:00:00", json!({}));
    let member = app.member(&ann);
    for series in [&old, &middle, &last] {
        let session = &sessions_of(&admin, series)[0];
        member.get(&series_path(series)).expect(200);
        member.get(&path(session)).expect(200);
        // Before anything of it is booked: what is prescribed is all that opens it.
        for calendar in [series_path(series), path(session)].map(|at| format!("{at}/calendar.ics")) {
            let (theirs, all) = (member.get(&calendar), admin.get(&calendar));
            assert_eq!((events(&theirs).len(), &theirs.text), (1, &all.text), "{calendar}");
        }
        member.post(&format!("{}/bookings", path(session)), &json!({})).expect(201);
    }
    let bob = app.member(&member_row(&app, "Bob", "B"));
    for at in [series_path(&last), format!("{}/calendar.ics", series_path(&last))] {
        bob.get(&at).problem(404, "not-found");
    }
}
