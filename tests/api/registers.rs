//! Registers: marks, walk-ins, headcounts, and what a partner sees of whom.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::auth::reach::Reach;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, sessions, walk_ins};
use life_rooms::error::Kind;
use life_rooms::sessions::registers::headcounts::HeadcountChange;
use life_rooms::sessions::registers::store::Access;
use life_rooms::sessions::registers::types::Headcount;
use life_rooms::sessions::registers::{headcounts, store};
use serde_json::{Value, json};

use crate::support::{App, Client, SessionSeed, consent_row, member_row, partner_row, session_row};

pub const STARTED: &str = "2026-11-30T13:00:00Z";

fn key(text: &str) -> Id {
    text.parse().unwrap()
}

fn book(client: &Client, session: &str, member: &str) -> Value {
    client.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member })).expect(201)
}

pub fn path(session: &str) -> String {
    format!("/v1/sessions/{session}/register")
}

/// A register as it is taken: marks, walk-ins and beneficiaries.
pub fn taken(bookings: Value, walk_ins: &[&String], beneficiaries: i32) -> Value {
    let walk_ins: Vec<Value> = walk_ins.iter().map(|member| json!({ "member_id": member })).collect();
    let headcount = json!({ "beneficiaries": beneficiaries, "family": 0, "carers": 0 });
    json!({ "bookings": bookings, "walk_ins": walk_ins, "headcount": headcount })
}

fn mark(booking: &Value, attended: Value) -> Value {
    json!({ "booking_id": booking["id"], "attended": attended })
}

pub fn person(id: &str, name: &str) -> Value {
    json!({ "id": id, "display_name": name, "has_access_needs": false, "access_needs_review_due": false, "access_needs": [] })
}

/// How often the audit tells of this of a member.
pub fn told(app: &App, member: &str, action: &str, kind: &str) -> i64 {
    audit_events::table
        .filter(audit_events::member_id.eq(key(member)))
        .filter(audit_events::action.eq(action))
        .filter(audit_events::resource_kind.eq(kind))
        .count()
        .get_result(&mut app.conn())
        .unwrap()
}

fn walked_in(app: &App, session: &str) -> Vec<String> {
    let rows: Vec<Id> = walk_ins::table
        .filter(walk_ins::session_id.eq(key(session)))
        .order(walk_ins::member_id)
        .select(walk_ins::member_id)
        .load(&mut app.conn())
        .unwrap();
    rows.into_iter().map(|id| id.to_string()).collect()
}

#[test]
fn an_advisor_takes_a_register_reads_it_and_corrects_it() {
    let app = App::start();
    let session = session_row(&app, SessionSeed { capacity: Some(2), ..SessionSeed::default() });
    let (sam, alex, kim) =
        (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"), member_row(&app, "Kim", "Ashe"));
    let advisor = app.advisor();
    let of_sam = book(&advisor, &session, &sam);
    app.at("2026-11-23T09:00:01Z");
    let of_alex = book(&advisor, &session, &alex);
    let empty = advisor.get(&path(&session));
    assert_eq!(empty.header("cache-control"), "no-store");
    let entry = |booking: &Value, status: &str, attended: Value, member: Value| json!({ "booking_id": booking["id"], "reference": booking["reference"], "status": status, "attended": attended, "member": member });
    let (riley, moss) = (person(&sam, "Sam Riley"), person(&alex, "Alex Moss"));
    let unmarked =
        [entry(&of_sam, "booked", Value::Null, riley.clone()), entry(&of_alex, "booked", Value::Null, moss.clone())];
    assert_eq!(
        empty.json,
        json!({ "session_id": session, "bookings": unmarked, "walk_ins": [], "version": 0, "created_at": null,
            "updated_at": null, "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } })
    );

    app.at(STARTED);
    let body = json!({
        "bookings": [mark(&of_sam, json!(true)), mark(&of_alex, json!(false))], "walk_ins": [{ "member_id": kim }],
        "headcount": { "beneficiaries": 14, "family": 3, "carers": 2 }
    });
    let first = advisor.put(&path(&session), empty.etag(), &body);
    assert_eq!((first.status, first.tag_version()), (200, "1"), "{}", first.text);
    assert_eq!(first.json["headcount"], json!({ "beneficiaries": 14, "family": 3, "carers": 2 }));
    assert_eq!(first.json["walk_ins"], json!([{ "member": person(&kim, "Kim Ashe") }]));
    let marked = [entry(&of_sam, "attended", json!(true), riley), entry(&of_alex, "absent", json!(false), moss)];
    assert_eq!(first.json["bookings"], json!(marked));
    assert_eq!(first.json["created_at"], STARTED);
    assert_eq!(advisor.get(&path(&session)).json, first.json);
    for (member, status) in [(&of_sam, "attended"), (&of_alex, "absent")] {
        let booking = advisor.get(&format!("/v1/bookings/{}", member["id"].as_str().unwrap())).expect(200);
        assert_eq!((&booking["status"], &booking["version"]), (&json!(status), &json!(2)));
    }
    // The walk-in takes no seat, and the absent keep theirs.
    let seats: i32 = sessions::table.find(key(&session)).select(sessions::seats_taken).first(&mut app.conn()).unwrap();
    assert_eq!(seats, 2);
    assert_eq!(told(&app, &sam, "change", "booking"), 1);
    assert_eq!(told(&app, &kim, "create", "walk_in"), 1);
    assert_eq!(told(&app, &kim, "read", "register"), 2);

    let body = taken(json!([mark(&of_alex, json!(null))]), &[], 1);
    let second = advisor.put(&path(&session), "\"1\"", &body).expect(200);
    assert_eq!((&second["version"], &second["walk_ins"]), (&json!(2), &json!([])));
    assert_eq!(
        (&second["bookings"][0]["attended"], &second["bookings"][1]["status"]),
        (&json!(true), &json!("booked"))
    );
    assert_eq!(told(&app, &sam, "change", "booking"), 1);
    assert_eq!(told(&app, &alex, "change", "booking"), 2);
    assert_eq!(told(&app, &kim, "delete", "walk_in"), 1);
}

#[test]
fn a_register_is_taken_with_the_version_that_was_read() {
    let app = App::start();
    let session = session_row(&app, SessionSeed { booking_policy: "drop_in", ..SessionSeed::default() });
    let (advisor, body) = (app.advisor(), taken(json!([]), &[], 7));
    app.at(STARTED);
    advisor.put(&path(&session), "", &body).problem(428, "precondition-required");
    advisor.put(&path(&session), "\"1\"", &body).problem(412, "precondition-failed");
    assert_eq!(advisor.put(&path(&session), "\"0\"", &body).expect(200)["headcount"]["beneficiaries"], 7);
    // The same again is no change: its answer may have been lost.
    assert_eq!(advisor.put(&path(&session), "\"0\"", &body).expect(200)["version"], 1);
    let other = taken(json!([]), &[], 9);
    advisor.put(&path(&session), "\"0\"", &other).problem(412, "precondition-failed");
    let read = advisor.get(&path(&session));
    let more = taken(json!([]), &[], 8);
    assert_eq!(advisor.put(&path(&session), read.etag(), &more).expect(200)["version"], 2);
}

#[test]
fn of_many_who_take_a_register_at_once_one_wins() {
    let app = App::start();
    let session = session_row(&app, SessionSeed::default());
    let advisor = app.advisor();
    app.at(STARTED);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let put = |n: i32| {
            let (advisor, session) = (&advisor, &session);
            scope.spawn(move || advisor.put(&path(session), "\"0\"", &taken(json!([]), &[], n)).status)
        };
        let threads: Vec<_> = (0..10).map(put).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 9, "{statuses:?}");
}

#[test]
fn a_register_that_a_roster_takes_meanwhile_is_not_overwritten() {
    let app = App::start();
    let session = session_row(&app, SessionSeed::default());
    let advisor = app.advisor();
    app.at(STARTED);
    let (mut conn, now) = (app.conn(), app.clock.now());
    let account = advisor.id.unwrap();
    let access = Access { reach: Reach::Everyone, sees_people: true };
    let input = || serde_json::from_value(taken(json!([]), &[], 1)).unwrap();
    for (beneficiaries, before) in [(7, None), (8, Some(1))] {
        let (held, version) = store::hold(&mut conn, key(&session), Reach::Everyone).unwrap();
        assert_eq!(version, before.unwrap_or_default());
        let headcount = Headcount { beneficiaries, ..Headcount::default() };
        let change = HeadcountChange { session_id: key(&session), headcount, before };
        headcounts::write(&mut conn, &[change], account, now).unwrap();
        let refused = store::take(&mut conn, (&held, version), &input(), (access, account), now);
        assert_eq!(refused.err().map(|error| error.kind()), Some(Kind::PreconditionFailed));
        let kept = advisor.get(&path(&session)).expect(200);
        assert_eq!(
            (&kept["headcount"]["beneficiaries"], &kept["version"]),
            (&json!(beneficiaries), &json!(version + 1))
        );
    }
}

#[test]
fn a_register_waits_for_the_start_and_a_cancelled_session_has_none() {
    let app = App::start();
    let session = session_row(&app, SessionSeed::default());
    let cancelled = session_row(&app, SessionSeed { status: "cancelled", ..SessionSeed::default() });
    let (advisor, body) = (app.advisor(), taken(json!([]), &[], 7));
    advisor.put(&path(&session), "\"0\"", &body).problem(409, "session-not-started");
    app.at(STARTED);
    advisor.put(&path(&cancelled), "\"0\"", &body).problem(409, "invalid-state");
    assert_eq!(advisor.get(&path(&session)).expect(200)["version"], 0);
    advisor.put(&path(&session), "\"0\"", &body).expect(200);
    let nowhere = app.clock.new_id().to_string();
    advisor.get(&path(&nowhere)).problem(404, "not-found");
    advisor.put(&path(&nowhere), "\"0\"", &body).problem(404, "not-found");
}

#[test]
fn every_fault_of_a_register_is_named_and_nothing_is_written() {
    let app = App::start();
    let (session, other) = (session_row(&app, SessionSeed::default()), session_row(&app, SessionSeed::default()));
    let (sam, alex) = (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let advisor = app.advisor();
    let (of_sam, elsewhere) = (book(&advisor, &session, &sam), book(&advisor, &other, &alex));
    let cancelled = book(&advisor, &session, &alex);
    advisor.delete(&format!("/v1/bookings/{}", cancelled["id"].as_str().unwrap())).expect(200);
    app.at(STARTED);
    let shapeless = json!({ "bookings": [{ "booking_id": of_sam["id"] }, { "booking_id": "x", "attended": "yes" }],
        "walk_ins": [{ "member": sam }], "headcount": { "beneficiaries": 10001, "family": -1 }, "seats": 1 });
    let pointers = [
        "/bookings/0/attended",
        "/bookings/1/booking_id",
        "/bookings/1/attended",
        "/walk_ins/0/member",
        "/headcount/beneficiaries",
        "/headcount/family",
        "/headcount/carers",
        "/seats",
    ];
    advisor.put(&path(&session), "\"0\"", &shapeless).invalid(&pointers);
    advisor.put(&path(&session), "\"0\"", &json!({})).invalid(&["/bookings", "/walk_ins", "/headcount"]);
    let yes = json!(true);
    let marks = json!([
        mark(&of_sam, yes.clone()),
        mark(&of_sam, yes.clone()),
        mark(&elsewhere, yes.clone()),
        mark(&cancelled, yes)
    ]);
    let nobody = app.clock.new_id().to_string();
    let body = taken(marks, &[&alex, &alex, &nobody, &sam], 1);
    let problem = advisor.put(&path(&session), "\"0\"", &body).problem(422, "invalid-body");
    let told: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| (&e["pointer"], &e["code"])).collect();
    let expected = [
        ("/bookings/1/booking_id", "repeated"),
        ("/bookings/2/booking_id", "unknown_booking"),
        ("/bookings/3/booking_id", "unknown_booking"),
        ("/walk_ins/1/member_id", "repeated"),
        ("/walk_ins/2/member_id", "unknown_member"),
        ("/walk_ins/3/member_id", "already_booked"),
    ];
    assert_eq!(
        told,
        expected.map(|(pointer, code)| (json!(pointer), json!(code))).iter().map(|(p, c)| (p, c)).collect::<Vec<_>>()
    );
    let register = advisor.get(&path(&session)).expect(200);
    assert_eq!((&register["version"], &register["walk_ins"]), (&json!(0), &json!([])));
    assert_eq!(register["bookings"][0]["attended"], Value::Null);
}

#[test]
fn a_register_holds_so_many_heads_and_no_more() {
    let app = App::start();
    let (session, advisor) = (session_row(&app, SessionSeed::default()), app.advisor());
    app.at(STARTED);
    let put = |version: i32, heads: [Value; 3]| {
        let [beneficiaries, family, carers] = heads;
        let headcount = json!({ "beneficiaries": beneficiaries, "family": family, "carers": carers });
        let body = json!({ "bookings": [], "walk_ins": [], "headcount": headcount });
        advisor.put(&path(&session), &format!("\"{version}\""), &body)
    };
    let all = ["/headcount/beneficiaries", "/headcount/family", "/headcount/carers"];
    put(0, [10_001, 10_001, 10_001].map(Value::from)).invalid(&all);
    put(0, [-1, -1, -1].map(Value::from)).invalid(&all);
    put(0, [json!(1.5), json!("1"), Value::Null]).invalid(&all);
    let most = put(0, [10_000, 10_000, 10_000].map(Value::from)).expect(200);
    assert_eq!(most["headcount"], json!({ "beneficiaries": 10_000, "family": 10_000, "carers": 10_000 }));
    let none = put(1, [0, 0, 0].map(Value::from)).expect(200);
    assert_eq!((&none["headcount"]["family"], &none["version"]), (&json!(0), &json!(2)));
}

#[test]
fn a_booking_that_waited_and_one_of_another_partner_are_no_bookings_of_the_register() {
    let app = App::start();
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "philharmonic"));
    let of = |partner: &str| {
        session_row(&app, SessionSeed { partner_id: Some(partner), capacity: Some(1), ..SessionSeed::default() })
    };
    let (session, foreign) = (of(&reader), of(&other));
    let (advisor, people) = (app.advisor(), ["Sam", "Alex", "Kim"].map(|name| member_row(&app, name, "Riley")));
    let held = book(&advisor, &session, &people[0]);
    let wish = json!({ "member_id": people[1], "if_full": "wait" });
    let waited = advisor.post(&format!("/v1/sessions/{session}/bookings"), &wish).expect(201);
    let elsewhere = book(&advisor, &foreign, &people[2]);
    app.at(STARTED);
    let client = app.partner_client(&reader, &[Scope::RegistersRead, Scope::RegistersWrite]);
    let yes = || json!(true);
    let marks = json!([mark(&held, yes()), mark(&waited, yes()), mark(&elsewhere, yes())]);
    let problem = client
        .put(&path(&session), "\"0\"", &taken(marks, &[], 0))
        .invalid(&["/bookings/1/booking_id", "/bookings/2/booking_id"]);
    assert!(problem["errors"].as_array().unwrap().iter().all(|fault| fault["code"] == "unknown_booking"), "{problem}");
    let register = client.get(&path(&session)).expect(200);
    assert_eq!((&register["version"], register["bookings"].as_array().unwrap().len()), (&json!(0), 1));
    // Without consent, whoever waited can't be named by the partner either; an advisor can.
    client.put(&path(&session), "\"0\"", &taken(json!([]), &[&people[1]], 0)).invalid(&["/walk_ins/0/member_id"]);
    let by_advisor = advisor.put(&path(&session), "\"0\"", &taken(json!([]), &[&people[1]], 0)).expect(200);
    assert_eq!(by_advisor["walk_ins"], json!([{ "member": person(&people[1], "Alex Riley") }]));
    client.put(&path(&foreign), "\"0\"", &taken(json!([]), &[], 1)).problem(404, "not-found");
}

#[test]
fn a_partner_sees_members_while_they_consent_and_references_always() {
    let app = App::start();
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "philharmonic"));
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let (sam, alex) = (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let advisor = app.advisor();
    let of_sam = book(&advisor, &session, &sam);
    app.at(STARTED);
    advisor.put(&path(&session), "\"0\"", &taken(json!([]), &[&alex], 0)).expect(200);
    let client = app.partner_client(&reader, &[Scope::RegistersRead]);
    let members = || {
        let register = client.get(&path(&session)).expect(200);
        assert_eq!(register["bookings"][0]["reference"], of_sam["reference"]);
        assert_eq!(register["walk_ins"].as_array().unwrap().len(), 1);
        (register["bookings"][0]["member"].clone(), register["walk_ins"][0]["member"].clone())
    };
    let reads = || (told(&app, &sam, "read", "register"), told(&app, &alex, "read", "register"));
    let before = reads();
    assert_eq!(members(), (Value::Null, Value::Null));
    assert_eq!(reads(), before);
    consent_row(&app, &sam, &other, "given");
    assert_eq!(members(), (Value::Null, Value::Null));
    consent_row(&app, &sam, &reader, "given");
    consent_row(&app, &alex, &reader, "given");
    assert_eq!(members(), (person(&sam, "Sam Riley"), person(&alex, "Alex Moss")));
    assert_eq!(reads(), (before.0 + 1, before.1 + 1));
    let etag = client.get(&path(&session)).etag().to_owned();
    app.at("2026-11-30T13:00:01Z");
    consent_row(&app, &sam, &reader, "withdrawn");
    // What the client holds is no longer what it may see, though the register has the same version.
    assert_eq!(client.send("GET", &path(&session), &[("if-none-match", &etag)], b"").status, 200);
    assert_eq!(members(), (Value::Null, person(&alex, "Alex Moss")));
    app.at("2026-11-30T13:00:02Z");
    consent_row(&app, &sam, &reader, "given");
    consent_row(&app, &alex, &reader, "withdrawn");
    assert_eq!(members(), (person(&sam, "Sam Riley"), Value::Null));
}

#[test]
fn a_partner_changes_only_what_it_can_see() {
    let app = App::start();
    let reader = partner_row(&app, "the-reader");
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let [sam, alex, kim, lee] = ["Sam", "Alex", "Kim", "Lee"].map(|name| member_row(&app, name, "Riley"));
    let advisor = app.advisor();
    let of_sam = book(&advisor, &session, &sam);
    app.at(STARTED);
    advisor.put(&path(&session), "\"0\"", &taken(json!([]), &[&alex, &kim], 3)).expect(200);
    consent_row(&app, &kim, &reader, "given");
    consent_row(&app, &lee, &reader, "given");
    let client = app.partner_client(&reader, &[Scope::RegistersRead, Scope::RegistersWrite]);
    // Sam doesn't consent, but shows the reference: the booking is marked. Kim goes, Lee comes, Alex can't be seen.
    let answer =
        client.put(&path(&session), "\"1\"", &taken(json!([mark(&of_sam, json!(true))]), &[&lee], 5)).expect(200);
    assert_eq!((&answer["bookings"][0]["attended"], &answer["bookings"][0]["member"]), (&json!(true), &Value::Null));
    assert_eq!(answer["walk_ins"].as_array().unwrap().len(), 2);
    assert!(answer["walk_ins"].as_array().unwrap().contains(&json!({ "member": person(&lee, "Lee Riley") })));
    let mut expected = vec![alex.clone(), lee.clone()];
    expected.sort();
    assert_eq!(walked_in(&app, &session), expected);
    assert_eq!(told(&app, &sam, "change", "booking"), 1);
    assert_eq!(told(&app, &sam, "read", "register"), 1);

    let nobody = app.clock.new_id().to_string();
    let refused = |member: &String| {
        let problem =
            client.put(&path(&session), "\"2\"", &taken(json!([]), &[member], 0)).invalid(&["/walk_ins/0/member_id"]);
        problem["errors"].clone()
    };
    // Somebody who is there unseen, somebody who is booked, somebody else, and nobody: all the same to the partner.
    let stranger = member_row(&app, "Jo", "Riley");
    for member in [&alex, &sam, &stranger] {
        assert_eq!(refused(member), refused(&nobody));
    }
    assert_eq!(refused(&nobody)[0]["code"], "unknown_member");
    assert_eq!(walked_in(&app, &session), expected);
}

#[test]
fn registers_are_for_advisors_and_the_sessions_own_partner() {
    let app = App::start();
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "philharmonic"));
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let own = session_row(&app, SessionSeed::default());
    let sam = member_row(&app, "Sam", "Riley");
    app.at(STARTED);
    let body = taken(json!([]), &[], 0);
    for (client, status, slug) in [
        (app.anonymous(), 401, "unauthenticated"),
        (app.admin(), 403, "forbidden"),
        (app.analyst(), 403, "forbidden"),
        (app.member(&sam), 403, "forbidden"),
        (app.partner_client(&reader, &[Scope::BookingsRead]), 403, "insufficient-scope"),
        (app.partner_user(&other), 404, "not-found"),
    ] {
        client.get(&path(&session)).problem(status, slug);
        client.put(&path(&session), "\"0\"", &body).problem(status, slug);
    }
    let read_only = app.partner_client(&reader, &[Scope::RegistersRead]);
    read_only.get(&path(&session)).expect(200);
    read_only.put(&path(&session), "\"0\"", &body).problem(403, "insufficient-scope");
    // The service's own sessions are no partner's.
    read_only.get(&path(&own)).problem(404, "not-found");
    app.partner_user(&reader).put(&path(&session), "\"0\"", &body).expect(200);
}

#[test]
fn a_client_that_may_only_take_registers_sees_nobody_and_removes_nobody() {
    let app = App::start();
    let partner = partner_row(&app, "reader");
    let session = session_row(&app, SessionSeed { partner_id: Some(&partner), ..SessionSeed::default() });
    let (sam, kim, alex) =
        (member_row(&app, "Sam", "Riley"), member_row(&app, "Kim", "Ashe"), member_row(&app, "Alex", "Moss"));
    for member in [&sam, &kim, &alex] {
        consent_row(&app, member, &partner, "given");
    }
    let advisor = app.advisor();
    let of_sam = book(&advisor, &session, &sam);
    app.at(STARTED);
    advisor.put(&path(&session), "\"0\"", &taken(json!([]), &[&kim], 1)).expect(200);
    let writer = app.partner_client(&partner, &[Scope::RegistersWrite]);
    writer.get(&path(&session)).problem(403, "insufficient-scope");
    let body = taken(json!([mark(&of_sam, json!(true))]), &[&alex], 2);
    let first = writer.put(&path(&session), "\"1\"", &body);
    let second = writer.put(&path(&session), first.etag(), &body);
    for answer in [&first, &second] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json["bookings"][0]["attended"], true);
        assert_eq!(answer.json["bookings"][0]["member"], Value::Null);
        assert_eq!(answer.json["walk_ins"], json!([{ "member": null }, { "member": null }]));
    }
    assert_eq!(walked_in(&app, &session).len(), 2);
    assert_eq!((told(&app, &sam, "read", "register"), told(&app, &kim, "read", "register")), (1, 1));
    // With both scopes it sees them, and leaves out whom it doesn't name.
    let both = app.partner_client(&partner, &[Scope::RegistersWrite, Scope::RegistersRead]);
    let answer = both.put(&path(&session), "\"2\"", &body).expect(200);
    assert_eq!(answer["walk_ins"], json!([{ "member": person(&alex, "Alex Moss") }]));
}
