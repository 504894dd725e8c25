//! Registers inside rosters: the headcount of single sessions that have begun.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::{audit_events, bookings, registers};
use serde_json::{Value, json};

use crate::rosters::{counts, pointers, post_csv, reader, roster, series, single, with};
use crate::support::App;

fn heads(beneficiaries: i32, family: i32, carers: i32) -> Value {
    json!({ "headcount": { "beneficiaries": beneficiaries, "family": family, "carers": carers } })
}

fn past(external_id: &str, register: Value) -> Value {
    with(single(external_id), json!({ "local_start": "2026-06-03T14:00:00", "register": register }))
}

/// Beneficiaries, family, carers and version of every register.
fn registers(app: &App) -> Vec<(i32, i32, i32, i32)> {
    let columns = (registers::beneficiaries, registers::family, registers::carers, registers::version);
    registers::table.order(registers::beneficiaries).select(columns).load(&mut app.conn()).unwrap()
}

fn changes(app: &App) -> i64 {
    let taken = audit_events::table.filter(audit_events::resource_kind.eq("register"));
    taken.filter(audit_events::action.eq("change")).count().get_result(&mut app.conn()).unwrap()
}

#[test]
fn a_headcount_is_taken_with_its_session_and_changed_only_where_it_differs() {
    let (app, client, path) = reader();
    let body = client.post(&path, &roster(&[past("a", heads(14, 3, 2)), past("b", Value::Null)])).expect(201);
    assert_eq!(body["counts"], counts(2, 0, 0, 0));
    assert_eq!((registers(&app), changes(&app)), (vec![(14, 3, 2, 1)], 1));

    let same = client.post(&path, &roster(&[past("a", heads(14, 3, 2))])).expect(201);
    assert_eq!((&same["counts"], changes(&app)), (&counts(0, 0, 1, 0), 1));
    let absent = client.post(&path, &roster(&[past("a", Value::Null)])).expect(201);
    assert_eq!((&absent["counts"], registers(&app)), (&counts(0, 0, 1, 0), vec![(14, 3, 2, 1)]));

    let other = client.post(&path, &roster(&[past("a", heads(15, 0, 2)), past("b", heads(0, 0, 0))])).expect(201);
    assert_eq!(other["counts"], counts(0, 2, 0, 0));
    assert_eq!(other["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }));
    assert_eq!((registers(&app), changes(&app)), (vec![(0, 0, 0, 1), (15, 0, 2, 2)], 3));

    let id = path.split('/').nth(3).unwrap();
    let session = other["entries"][0]["resource_id"].as_str().unwrap();
    let reader = app.partner_client(id, &[Scope::RegistersRead]);
    let shown = reader.get(&format!("/v1/sessions/{session}/register")).expect(200);
    assert_eq!((&shown["headcount"], &shown["version"]), (&heads(15, 0, 2)["headcount"], &json!(2)));
    let report = app.admin().get("/v1/reports/attendance?from=2026-06-01&to=2026-06-30").expect(200);
    assert_eq!((&report["totals"]["headcount"], &report["totals"]["distinct_members"]), (&json!(17), &json!(0)));
}

#[test]
fn a_register_belongs_to_a_single_session_that_has_begun() {
    let (app, client, path) = reader();
    let entries = [
        with(series("a"), json!({ "register": heads(1, 0, 0) })),
        with(single("b"), json!({ "register": heads(1, 0, 0) })),
        past("c", json!({ "headcount": { "beneficiaries": -1, "family": 10_001 } })),
        past("d", json!({})),
        past("e", heads(1, 0, 0)),
    ];
    let problem = client.post(&path, &roster(&entries)).problem(422, "roster-refused");
    let wanted = [
        "/entries/0/register",
        "/entries/1/register",
        "/entries/2/register/headcount/beneficiaries",
        "/entries/2/register/headcount/carers",
        "/entries/2/register/headcount/family",
        "/entries/3/register/headcount",
    ];
    assert_eq!(pointers(&problem), wanted);
    let codes: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| &fault["code"]).collect();
    assert_eq!(codes[..2], ["not_a_session", "not_started"]);
    assert!(registers(&app).is_empty());
    let partial = client.post(&format!("{path}?mode=partial"), &roster(&entries)).expect(201);
    assert_eq!((&partial["counts"], registers(&app).len()), (&counts(1, 0, 0, 4), 1));
    // What would come true by and by is good from then on.
    app.at("2027-01-05T13:00:00Z");
    assert_eq!(client.post(&path, &roster(&entries[1..2])).expect(201)["counts"], counts(1, 0, 0, 0));
}

#[test]
fn a_session_that_moved_or_was_cancelled_is_judged_as_it_stands() {
    let (app, client, path) = reader();
    let id = client.post(&path, &roster(&[single("a")])).expect(201)["entries"][0]["resource_id"].clone();
    let cancel = format!("/v1/sessions/{}/cancel", id.as_str().unwrap());
    app.admin().post(&cancel, &json!({ "reason": "Snow" })).expect(200);
    app.at("2027-01-06T09:00:00Z");
    let problem = client.post(&path, &roster(&[with(single("a"), json!({ "register": heads(1, 0, 0) }))]));
    let problem = problem.problem(422, "roster-refused");
    assert_eq!((pointers(&problem), &problem["errors"][0]["code"]), (vec!["/entries/0/register"], &json!("cancelled")));
    // A session that begins next week and is now said to have been last week.
    let later = with(single("b"), json!({ "local_start": "2027-01-12T13:00:00" }));
    client.post(&path, &roster(&[later])).expect(201);
    let moved = with(single("b"), json!({ "register": heads(4, 0, 0) }));
    assert_eq!(client.post(&path, &roster(&[moved])).expect(201)["counts"], counts(0, 1, 0, 0));
    assert_eq!(registers(&app), [(4, 0, 0, 1)]);
}

#[test]
fn a_spreadsheet_has_a_column_for_each_kind_of_head() {
    let (app, client, path) = reader();
    let header =
        "external_id,title,pillar,delivery,venue,local_start,time_zone,duration_minutes,Beneficiaries,Family,Carers\n";
    let row = |id: &str, heads: &str| {
        format!("{id},Park,community,in_person,walton,03/06/2026 14:00,Europe/London,60,{heads}\n")
    };
    let text = format!("{header}{}{}", row("a", "14,3,2"), row("b", ",,"));
    assert_eq!(post_csv(&client, &path, &text).expect(201)["counts"], counts(2, 0, 0, 0));
    assert_eq!(registers(&app), [(14, 3, 2, 1)]);
    let wrong = format!("{header}{}{}", row("a", "many,3,2"), row("b", "4,,-1"));
    let body = post_csv(&client, &format!("{path}?mode=partial"), &wrong).expect(201);
    assert_eq!(pointers(&body["entries"][0]), ["/beneficiaries"]);
    assert_eq!(pointers(&body["entries"][1]), ["/carers"]);
}

#[test]
fn the_marks_of_bookings_stay_and_a_register_taken_by_hand_is_changed_like_any_other() {
    let (app, client, path) = reader();
    let session = client.post(&path, &roster(&[single("a")])).expect(201)["entries"][0]["resource_id"].clone();
    let session = session.as_str().unwrap();
    let advisor = app.advisor();
    let member = crate::support::member_row(&app, "Ada", "Allerton");
    let booked = advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member })).expect(201);
    app.at("2027-01-05T14:00:00Z");
    let register = format!("/v1/sessions/{session}/register");
    let taken = json!({
        "bookings": [{ "booking_id": booked["id"], "attended": true }], "walk_ins": [],
        "headcount": { "beneficiaries": 1, "family": 0, "carers": 0 }
    });
    let etag = advisor.get(&register);
    advisor.put(&register, etag.etag(), &taken).expect(200);
    let body = client.post(&path, &roster(&[with(single("a"), json!({ "register": heads(2, 1, 0) }))])).expect(201);
    assert_eq!(body["counts"], counts(0, 1, 0, 0));
    assert_eq!(registers(&app), [(2, 1, 0, 2)]);
    let status: String = bookings::table.select(bookings::status).first(&mut app.conn()).unwrap();
    assert_eq!(status, "attended");
    advisor.put(&register, etag.etag(), &taken).problem(412, "precondition-failed");
}

/// A venue's space, taken in the afternoon of 3 June by a session of 90 minutes.
fn taken_room(app: &App) {
    let admin = app.admin();
    let place = admin.get("/v1/venues?q=walton").expect(200)["items"][0]["id"].clone();
    let spaces = format!("/v1/venues/{}/spaces", place.as_str().unwrap());
    let room = admin.post(&spaces, &json!({ "name": "Room 1" })).expect(201);
    let there = json!({
        "title": "Choir", "pillar": "community", "delivery": "in_person", "venue_id": place, "space_id": room["id"],
        "local_start": "2026-06-03T13:30:00", "time_zone": "Europe/London", "duration_minutes": 90
    });
    admin.post("/v1/sessions", &there).expect(201);
}

fn in_room(entry: Value) -> Value {
    with(entry, json!({ "space": "Room 1" }))
}

/// The parts of an answer that a dry run has too.
fn outcome(mut answer: Value) -> Value {
    for name in ["id", "dry_run"] {
        answer.as_object_mut().unwrap().remove(name);
    }
    for entry in answer["entries"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("resource_id");
    }
    answer
}

#[test]
fn a_past_session_that_clashes_is_left_out_with_its_register_and_the_rest_is_as_the_dry_run_says() {
    for mode in ["atomic", "partial"] {
        let (app, client, path) = reader();
        taken_room(&app);
        client.post(&path, &roster(&[past("known", Value::Null)])).expect(201);
        let entries = [in_room(past("a", heads(14, 3, 2))), past("b", heads(3, 0, 0)), past("known", heads(5, 0, 0))];
        let post = |options: &str| client.post(&format!("{path}?mode={mode}{options}"), &roster(&entries));
        let rehearsed = post("&dry_run=true").expect(200);
        let made = post("").expect(201);
        let skipped = json!([{ "external_id": "a", "local_start": "2026-06-03T14:00:00", "reason": "space_taken" }]);
        assert_eq!((&made["skipped"], &made["counts"]), (&skipped, &counts(1, 1, 1, 0)));
        assert_eq!(made["sessions"], json!({ "created": 1, "updated": 0, "cancelled": 0 }));
        let outcomes: Vec<&Value> = made["entries"].as_array().unwrap().iter().map(|entry| &entry["outcome"]).collect();
        assert_eq!(outcomes, ["unchanged", "created", "updated"]);
        assert_eq!(outcome(rehearsed), outcome(made));
        assert_eq!((registers(&app), changes(&app)), (vec![(3, 0, 0, 1), (5, 0, 0, 1)], 2));
    }
}

#[test]
fn a_session_that_cannot_be_moved_into_a_taken_past_slot_stays_to_come_without_a_register() {
    for mode in ["atomic", "partial"] {
        let (app, client, path) = reader();
        taken_room(&app);
        let made = client.post(&path, &roster(&[in_room(single("a"))])).expect(201);
        let session = format!("/v1/sessions/{}", made["entries"][0]["resource_id"].as_str().unwrap());
        let moved = roster(&[in_room(past("a", heads(4, 0, 0))), past("b", heads(3, 0, 0))]);
        let rehearsed = client.post(&format!("{path}?mode={mode}&dry_run=true"), &moved).expect(200);
        let body = client.post(&format!("{path}?mode={mode}"), &moved).expect(201);
        let skipped = json!([{ "external_id": "a", "local_start": "2027-01-05T13:00:00", "reason": "space_taken" }]);
        assert_eq!((&body["skipped"], &body["counts"]), (&skipped, &counts(1, 0, 1, 0)));
        assert_eq!(body["sessions"], json!({ "created": 1, "updated": 0, "cancelled": 0 }));
        assert_eq!(outcome(rehearsed), outcome(body));
        assert_eq!(registers(&app), [(3, 0, 0, 1)]);
        let admin = app.admin();
        assert_eq!(admin.get(&session).expect(200)["local_start"], "2027-01-05T13:00:00");
        admin.post(&format!("{session}/cancel"), &json!({ "reason": "Ill" })).expect(200);
    }
}

#[test]
fn a_roster_that_states_a_register_needs_the_scope_to_take_registers() {
    let (app, _, path) = reader();
    let client = app.partner_client(path.split('/').nth(3).unwrap(), &[Scope::RostersWrite]);
    for query in ["", "?mode=partial", "?dry_run=true"] {
        let posted = client.post(&format!("{path}{query}"), &roster(&[single("b"), past("a", heads(14, 3, 2))]));
        let problem = posted.problem(403, "insufficient-scope");
        assert!(problem["detail"].as_str().unwrap().contains("registers:write"), "{problem}");
    }
    let later = [("prefer", "respond-async")];
    client.post_with(&path, &later, &roster(&[past("a", heads(1, 0, 0))])).problem(403, "insufficient-scope");
    assert!(registers(&app).is_empty());
    client.post(&path, &roster(&[past("a", Value::Null)])).expect(201);
}

#[test]
fn in_a_table_an_empty_cell_of_heads_beside_a_filled_one_is_zero() {
    let (app, client, path) = reader();
    let header = "external_id,title,pillar,delivery,venue,local_start,time_zone,duration_minutes";
    let row = |id: &str, heads: &str| {
        format!("{id},Reading,community,in_person,walton,2026-06-03T14:00:00,Europe/London,60,{heads}\n")
    };
    let rows = [row("a", "14,,"), row("b", ",,2"), row("c", ",,"), row("d", "0, ,")].concat();
    let posted = post_csv(&client, &path, &format!("{header},beneficiaries,family,carers\n{rows}")).expect(201);
    assert_eq!(posted["counts"], counts(4, 0, 0, 0));
    let mut taken = registers(&app);
    taken.sort_unstable();
    assert_eq!(taken, [(0, 0, 0, 1), (0, 0, 2, 1), (14, 0, 0, 1)]);
    // A table may count one kind of heads alone.
    let alone = post_csv(&client, &path, &format!("{header},family\n{}", row("e", "7"))).expect(201);
    assert_eq!((&alone["counts"], registers(&app).contains(&(0, 7, 0, 1))), (&counts(1, 0, 0, 0), true));
    // JSON has no empty cells: who leaves a number out has forgotten it.
    let headcount = json!({ "headcount": { "beneficiaries": 7 } });
    client.post(&path, &roster(&[past("f", headcount)])).problem(422, "roster-refused");
}
