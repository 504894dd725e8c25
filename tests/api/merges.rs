//! Merging two records of one person: what moves, what is set aside, what stands in the way.

use std::collections::BTreeSet;

use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, bookings, sessions, walk_ins};
use life_rooms::db::{Conn, Id};
use life_rooms::members::merges::columns::COLUMNS;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, SessionSeed, consent_row, id, item_row, partner_row, session_row};

/// Registers somebody, whoever else is registered.
pub fn person(advisor: &Client, given: &str, more: Value) -> Value {
    let mut body = json!({ "given_name": given, "family_name": "Reid", "roles": ["service_user"] });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    advisor.post("/v1/members?confirm_not_duplicate=true", &body).expect(201)
}

pub fn path(member: &Value) -> String {
    format!("/v1/members/{}", id(member))
}

fn version(advisor: &Client, member: &Value) -> Value {
    advisor.get(&path(member)).expect(200)["version"].clone()
}

/// The body that merges these two as they are now.
pub fn body(advisor: &Client, into: &Value, from: &Value) -> Value {
    json!({ "from": from["id"], "into_version": version(advisor, into), "from_version": version(advisor, from), "account_checked": true })
}

/// Asks to merge one record into another.
pub fn merge(advisor: &Client, into: &Value, from: &Value) -> Answer {
    advisor.post(&format!("{}/merge", path(into)), &body(advisor, into, from))
}

/// Asks to undo a merge.
pub fn undo(advisor: &Client, merge: &Value) -> Answer {
    advisor.post(&format!("/v1/merges/{}/undo", merge["merge_id"].as_str().unwrap()), &json!({}))
}

/// Two records of one person.
pub fn two(advisor: &Client) -> (Value, Value) {
    (person(advisor, "Margaret", json!({})), person(advisor, "Peg", json!({})))
}

fn book(advisor: &Client, session: &str, member: &Value) -> Value {
    advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member["id"] })).expect(201)
}

/// Takes a register: marks bookings, and puts walk-ins in.
pub fn take(advisor: &Client, session: &str, marks: &[(&Value, bool)], came: &[&Value]) {
    let path = format!("/v1/sessions/{session}/register");
    let marks: Vec<Value> =
        marks.iter().map(|(booking, there)| json!({ "booking_id": booking["id"], "attended": there })).collect();
    let came: Vec<Value> = came.iter().map(|member| json!({ "member_id": member["id"] })).collect();
    let body =
        json!({ "bookings": marks, "walk_ins": came, "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    advisor.put(&path, advisor.get(&path).etag(), &body).expect(200);
}

fn parsed(value: &Value) -> Id {
    value["id"].as_str().unwrap().parse().unwrap()
}

fn seats(app: &App, session: &str) -> i32 {
    let row = sessions::table.find(session.parse::<Id>().unwrap());
    row.select(sessions::seats_taken).first(&mut app.conn()).unwrap()
}

/// How many people and how many attendances the report counts.
fn attendance(app: &App) -> (Value, Value) {
    let report = app.admin().get("/v1/reports/attendance?from=2026-11-01&to=2026-12-31").expect(200);
    (report["totals"]["distinct_members"].clone(), report["totals"]["attendances"].clone())
}

#[test]
fn everything_moves_and_the_answer_counts_it() {
    let app = App::start();
    let (advisor, lead) = (app.advisor(), app.advisor_who_may("safeguarding"));
    let (into, from) = two(&advisor);
    let sam = person(&advisor, "Sam", json!({}));
    let old = path(&from);
    let partner = partner_row(&app, "the-reader");
    consent_row(&app, id(&from), &partner, "given");
    advisor.post(&format!("{old}/calendar-links"), &json!({ "name": "Phone" })).expect(201);
    let cares = json!({ "from_member": sam["id"], "to_member": from["id"], "kind": "carer_of" });
    advisor.post(&format!("{old}/relationships"), &cares).expect(201);
    let family = json!({ "from_member": from["id"], "to_member": sam["id"], "kind": "family_of" });
    advisor.post(&format!("{old}/relationships"), &family).expect(201);
    advisor.put(&format!("{old}/access-needs"), "\"0\"", &json!({ "none": true, "needs": [] })).expect(200);
    let own = app.member(id(&from));
    own.patch(&format!("{old}/equality-monitoring"), "\"0\"", &json!({ "sex": "female" })).expect(200);
    let flag = json!({ "category": "neglect", "summary": "Alone.", "review_on": "2027-01-05" });
    lead.post(&format!("{old}/safeguarding"), &flag).expect(201);
    let (soon, later) = (session_row(&app, SessionSeed::default()), session_row(&app, SessionSeed::default()));
    item_row(&app, id(&from), "active", Some(&soon), None);
    let booked = book(&advisor, &soon, &from);
    book(&advisor, &later, &into);
    let answer = merge(&advisor, &into, &from);
    assert_eq!(answer.header("cache-control"), "no-store");
    let merged = answer.expect(200);
    assert_eq!((&merged["into"], &merged["from"], &merged["dry_run"]), (&into["id"], &from["id"], &json!(false)));
    assert_eq!(merged["undo_until"], "2026-12-23T09:00:00Z");
    assert_eq!((&merged["set_aside"], &merged["consents_differ"]), (&json!([]), &json!([])));
    let moved = json!({ "consents": 1, "prescriptions": 1, "bookings": 1, "walk_ins": 0, "calendar_links": 1, "users": 1,
        "relationships": 2, "access_needs": 1, "equality_answers": 1, "messages": 1, "one_time_links": 0, "merged_records": 0 });
    assert_eq!(merged["moved"], moved);
    let new = path(&into);
    for (part, count) in [
        ("consents", 1),
        ("calendar-links", 1),
        ("relationships", 2),
        ("prescriptions", 1),
        ("bookings", 2),
        ("messages", 3),
    ] {
        let page = advisor.get(&format!("{new}/{part}")).expect(200);
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{part}");
    }
    assert_eq!(advisor.get(&format!("{new}/access-needs")).expect(200)["version"], 2);
    assert_eq!(lead.get(&format!("{new}/safeguarding")).expect(200)["items"][0]["summary"], "Alone.");
    // Whoever logs in with the account has the one record now, and the old id leads them there.
    assert_eq!(own.get("/v1/me").expect(200)["member_id"], into["id"]);
    assert_eq!(own.get(&format!("{new}/equality-monitoring")).expect(200)["sex"], "female");
    assert_eq!(own.get(&format!("{old}/bookings")).header("location"), format!("{new}/bookings"));
    assert_eq!(own.get(&format!("/v1/bookings/{}", id(&booked))).expect(200)["version"], 2);
    assert!(
        !advisor.get(&format!("/v1/bookings/{}", id(&booked))).text.contains(id(&from)),
        "nothing names the old id"
    );
}

#[test]
fn two_places_in_a_session_to_come_are_refused_until_one_is_cancelled() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let waits = person(&advisor, "Sam", json!({}));
    let session = session_row(&app, SessionSeed { capacity: Some(2), ..SessionSeed::default() });
    let (one, two) = (book(&advisor, &session, &into), book(&advisor, &session, &from));
    let wish = json!({ "member_id": waits["id"], "if_full": "wait" });
    let third = advisor.post(&format!("/v1/sessions/{session}/bookings"), &wish).expect(201);
    let problem = merge(&advisor, &into, &from).problem(409, "merge-conflict");
    assert_eq!(problem["conflicts"], json!([{ "kind": "session_to_come", "ids": [one["id"], two["id"]] }]));
    advisor.delete(&format!("/v1/bookings/{}", id(&two))).expect(200);
    let offered = advisor.get(&format!("/v1/bookings/{}", id(&third))).expect(200);
    assert_eq!(offered["status"], "offered", "the freed seat is offered in the ordinary way");
    let merged = merge(&advisor, &into, &from).expect(200);
    assert_eq!(merged["moved"]["bookings"], 1, "the cancelled one is still hers");
}

#[test]
fn two_rows_in_a_session_that_is_over_are_one_person_who_was_there_once() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let at = |starts_at| session_row(&app, SessionSeed { capacity: Some(5), starts_at, ..SessionSeed::default() });
    let (both, other, walked) = (at("2026-11-24T13:00:00Z"), at("2026-11-25T13:00:00Z"), at("2026-11-26T13:00:00Z"));
    let (one, two) = (book(&advisor, &both, &into), book(&advisor, &both, &from));
    let (missed, there) = (book(&advisor, &other, &into), book(&advisor, &other, &from));
    app.at("2026-11-27T09:00:00Z");
    take(&advisor, &both, &[(&one, true), (&two, true)], &[]);
    take(&advisor, &other, &[(&missed, false), (&there, true)], &[]);
    take(&advisor, &walked, &[], &[&into, &from]);
    assert_eq!((attendance(&app), seats(&app, &both)), ((json!(2), json!(5)), 2));
    let merged = merge(&advisor, &into, &from).expect(200);
    let aside = merged["set_aside"].as_array().unwrap();
    for expected in [
        json!({ "kind": "booking", "id": two["id"] }),
        // Hers says that she wasn't there, the other that she was.
        json!({ "kind": "booking", "id": missed["id"] }),
        json!({ "kind": "walk_in", "id": walked }),
    ] {
        assert!(aside.contains(&expected), "{expected}: {aside:?}");
    }
    assert_eq!(aside.len(), 3);
    assert_eq!(attendance(&app), (json!(1), json!(3)), "one person, in three sessions");
    assert_eq!((seats(&app, &both), seats(&app, &other)), (1, 1), "seats are given back");
    undo(&advisor, &merged).expect(200);
    assert_eq!(attendance(&app), (json!(2), json!(5)));
    assert_eq!((seats(&app, &both), seats(&app, &other)), (2, 2));
    let back: i64 =
        bookings::table.filter(bookings::member_id.eq(parsed(&from))).count().get_result(&mut app.conn()).unwrap();
    let came: i64 =
        walk_ins::table.filter(walk_ins::member_id.eq(parsed(&from))).count().get_result(&mut app.conn()).unwrap();
    assert_eq!((back, came), (2, 1));
}

#[test]
fn a_place_in_a_waiting_list_that_the_start_ended_is_no_hindrance() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let session = session_row(
        &app,
        SessionSeed { capacity: Some(1), starts_at: "2026-11-24T13:00:00Z", ..SessionSeed::default() },
    );
    book(&advisor, &session, &into);
    let wish = json!({ "member_id": from["id"], "if_full": "wait" });
    let waits = advisor.post(&format!("/v1/sessions/{session}/bookings"), &wish).expect(201);
    app.at("2026-11-24T13:00:00Z");
    // The task that ends waiting lists hasn't come by yet.
    let merged = merge(&advisor, &into, &from).expect(200);
    assert_eq!(merged["set_aside"], json!([]));
    let waited = advisor.get(&format!("/v1/bookings/{}", id(&waits))).expect(200);
    assert_eq!((&waited["status"], &waited["member_id"]), (&json!("cancelled_by_provider"), &into["id"]));
}

#[test]
fn everything_that_stands_in_the_way_is_told_at_once_and_nothing_is_changed() {
    let app = App::start();
    let advisor = app.advisor();
    let into = person(&advisor, "Margaret", json!({ "nhs_number": "943 476 5919" }));
    let from = person(&advisor, "Peg", json!({ "nhs_number": "943 476 5870" }));
    let session = session_row(&app, SessionSeed::default());
    let (one, two) = (book(&advisor, &session, &into), book(&advisor, &session, &from));
    let cares = json!({ "from_member": into["id"], "to_member": from["id"], "kind": "carer_of" });
    let cares = advisor.post(&format!("{}/relationships", path(&into)), &cares).expect(201);
    let problem = merge(&advisor, &into, &from).problem(409, "merge-conflict");
    let expected = json!([
        { "kind": "session_to_come", "ids": [one["id"], two["id"]] },
        { "kind": "nhs_numbers", "ids": [into["id"], from["id"]] },
        { "kind": "relationship", "ids": [cares["id"]] },
    ]);
    assert_eq!(problem["conflicts"], expected);
    assert_eq!(advisor.get(&path(&from)).expect(200)["given_name"], "Peg");
    // Ended, it still says that they are two people.
    let ended = format!("{}/relationships/{}", path(&into), id(&cares));
    advisor.patch(&ended, advisor.get(&ended).etag(), &json!({ "status": "ended" })).expect(200);
    let problem = merge(&advisor, &into, &from).problem(409, "merge-conflict");
    assert_eq!(problem["conflicts"].as_array().unwrap().len(), 3);
}

#[test]
fn what_was_merged_or_erased_is_not_merged_again() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let other = person(&advisor, "Ann", json!({}));
    let asked = body(&advisor, &other, &from);
    let onto = json!({ "from": other["id"], "into_version": 1, "from_version": 1, "account_checked": true });
    merge(&advisor, &into, &from).expect(200);
    let problem = advisor.post(&format!("{}/merge", path(&other)), &asked).problem(409, "merge-conflict");
    assert_eq!(problem["conflicts"], json!([{ "kind": "merged", "ids": [into["id"]] }]));
    let problem = advisor.post(&format!("{}/merge", path(&from)), &onto).problem(409, "merged");
    assert_eq!(problem["merged_into"], into["id"]);
    use life_rooms::db::schema::members;
    let gone = members::table.find(parsed(&other));
    diesel::update(gone).set(members::erased_at.eq(app.clock.now())).execute(&mut app.conn()).unwrap();
    let asked = json!({ "from": other["id"], "into_version": 2, "from_version": 1, "account_checked": true });
    let problem = advisor.post(&format!("{}/merge", path(&into)), &asked).problem(409, "merge-conflict");
    assert_eq!(problem["conflicts"], json!([{ "kind": "erased", "ids": [other["id"]] }]));
    advisor.post(&format!("{}/merge", path(&other)), &asked).problem(410, "erased");
}

#[test]
fn whoever_merges_has_seen_both_records_as_they_are() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let url = format!("{}/merge", path(&into));
    let asked = body(&advisor, &into, &from);
    advisor.patch(&path(&from), "\"1\"", &json!({ "pronouns": "she/her" })).expect(200);
    advisor.post(&url, &asked).problem(412, "precondition-failed");
    advisor
        .post_with(&url, &[("if-match", "\"7\"")], &body(&advisor, &into, &from))
        .problem(412, "precondition-failed");
    let wrong = |from: Value| json!({ "from": from, "into_version": 1, "from_version": 1, "account_checked": true });
    assert_eq!(advisor.post(&url, &wrong(into["id"].clone())).invalid(&["/from"])["errors"][0]["code"], "same");
    let stranger = json!(app.clock.new_id());
    assert_eq!(advisor.post(&url, &wrong(stranger.clone())).invalid(&["/from"])["errors"][0]["code"], "unknown_member");
    let nowhere = format!("/v1/members/{}/merge", stranger.as_str().unwrap());
    advisor.post(&nowhere, &wrong(from["id"].clone())).problem(404, "not-found");
    app.member(id(&into)).post(&url, &asked).problem(403, "forbidden");
    let answer = advisor.post_with(&url, &[("if-match", "\"1\"")], &body(&advisor, &into, &from));
    assert_eq!(answer.expect(200)["moved"]["bookings"], 0);
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let app = App::start();
    let advisor = app.advisor();
    let into = person(&advisor, "Margaret", json!({}));
    let from = person(&advisor, "Peg", json!({ "email": "peg@example.org" }));
    book(&advisor, &session_row(&app, SessionSeed::default()), &from);
    let mut asked = body(&advisor, &into, &from);
    asked["dry_run"] = json!(true);
    let url = format!("{}/merge", path(&into));
    let mut tried = advisor.post(&url, &asked).expect(200);
    assert_eq!(
        (&tried["merge_id"], &tried["undo_until"], &tried["dry_run"]),
        (&Value::Null, &Value::Null, &json!(true))
    );
    assert_eq!(advisor.get(&path(&from)).expect(200)["email"], "peg@example.org");
    assert_eq!(version(&advisor, &into), 1);
    let done = merge(&advisor, &into, &from).expect(200);
    for name in ["merge_id", "undo_until", "dry_run"] {
        tried[name] = done[name].clone();
    }
    assert_eq!(tried, done);
}

#[test]
fn the_record_fills_in_what_it_lacks_and_keeps_what_it_says() {
    let app = App::start();
    let advisor = app.advisor();
    let into = person(
        &advisor,
        "Margaret",
        json!({ "phone": "0151 496 0123", "roles": ["carer"], "safe_contact": { "letters": false } }),
    );
    let from = person(
        &advisor,
        "Peg",
        json!({ "phone": "0151 496 0456", "email": "peg@example.org", "nhs_number": "943 476 5919", "date_of_birth": "1961-04-02",
            "former_names": ["Margaret Wyn"], "safe_contact": { "voicemail": false }, "postcode": "L9 1AA" }),
    );
    let merged = merge(&advisor, &into, &from).expect(200);
    let filled = json!(["date_of_birth", "email", "former_names", "nhs_number", "postcode", "roles", "safe_contact"]);
    assert_eq!(merged["filled"], filled);
    let record = advisor.get(&path(&into)).expect(200);
    assert_eq!((&record["phone"], &record["email"]), (&json!("+441514960123"), &json!("peg@example.org")));
    assert_eq!((&record["roles"], &record["nhs_number"]), (&json!(["carer", "service_user"]), &json!("9434765919")));
    assert_eq!(record["safe_contact"], json!({ "voicemail": false, "letters": false, "say_who": true }));
    assert_eq!((&record["version"], &record["given_name"]), (&json!(2), &json!("Margaret")));
    // Found by what it has now, and the old record by nothing.
    for wanted in
        [json!({ "name": "wyn" }), json!({ "nhs_number": "9434765919" }), json!({ "email": "PEG@example.org" })]
    {
        let found = advisor.post("/v1/members/search", &wanted).expect(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{wanted}");
        assert_eq!(found["items"][0]["id"], into["id"], "{wanted}");
    }
    let found = advisor.post("/v1/members/search", &json!({ "name": "peg" })).expect(200);
    assert_eq!(found["items"][0]["id"], into["id"], "who looks for the old name finds the person");
    assert_eq!(record["former_names"], json!(["Peg Reid", "Margaret Wyn"]));
}

#[test]
fn events_stay_and_the_access_log_reads_those_of_every_old_record() {
    let app = App::start();
    let advisor = app.advisor();
    let (first, second) = two(&advisor);
    let third = person(&advisor, "Maggie", json!({}));
    let own = app.member(id(&third));
    let log = || {
        let page = own.get(&format!("{}/access-log?own=false", path(&third))).expect(200);
        let actions =
            page["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap().to_owned());
        actions.collect::<Vec<_>>()
    };
    let count = |member: &Value| -> i64 {
        audit_events::table
            .filter(audit_events::member_id.eq(parsed(member)))
            .count()
            .get_result(&mut app.conn())
            .unwrap()
    };
    app.at("2026-11-23T10:00:00Z");
    let inner = merge(&advisor, &second, &first).expect(200);
    app.at("2026-11-23T11:00:00Z");
    let before = (count(&first), count(&second));
    merge(&advisor, &third, &second).expect(200);
    assert_eq!((count(&first), count(&second)), (before.0, before.1 + 2), "a read of the version and the merge");
    let actions = log();
    assert_eq!(actions.iter().filter(|action| *action == "create").count(), 3);
    assert_eq!(actions.iter().filter(|action| *action == "merge").count(), 4);
    // The first record leads to the third now, in one step.
    assert_eq!(advisor.get(&path(&first)).header("location"), path(&third));
    let blocked = undo(&advisor, &inner).problem(409, "undo-blocked");
    assert!(blocked["detail"].as_str().unwrap().contains("later merge"), "{blocked:#}");
}

#[test]
fn merges_of_a_record_are_listed_by_its_old_and_new_id() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let merged = merge(&advisor, &into, &from).expect(200);
    for member in [&into, &from] {
        let answer = advisor.get(&format!("/v1/merges?member_id={}", id(member)));
        assert_eq!(answer.header("cache-control"), "no-store");
        let page = answer.expect(200);
        let expected = json!([{ "id": merged["merge_id"], "into": into["id"], "from": from["id"],
            "done_by": advisor.id.unwrap().to_string(), "undo_until": "2026-12-23T09:00:00Z", "undone_at": null,
            "undone_by": null, "created_at": "2026-11-23T09:00:00Z" }]);
        assert_eq!(page["items"], expected);
    }
    advisor.get("/v1/merges").wrong_parameter("member_id");
    advisor.get(&format!("/v1/merges?member_id={}", app.clock.new_id())).problem(404, "not-found");
    app.member(id(&into)).get(&format!("/v1/merges?member_id={}", id(&into))).problem(403, "forbidden");
}

#[test]
fn of_many_who_merge_the_same_two_at_once_one_does() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let (there, back) = (body(&advisor, &into, &from), body(&advisor, &from, &into));
    let send = |(url, body): (String, Value)| {
        let advisor = advisor.clone();
        std::thread::spawn(move || advisor.post(&format!("{url}/merge"), &body).status)
    };
    let ways = [(path(&into), there), (path(&from), back)];
    let threads: Vec<_> = (0..8).map(|n| send(ways[n % 2].clone())).collect();
    let mut statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| [409, 412].contains(status)), "{statuses:?}");
}

#[test]
fn a_booking_beside_a_merge_ends_up_with_the_one_record() {
    let app = App::start();
    let advisor = app.advisor();
    let pairs: Vec<(Value, Value)> = (0..8).map(|_| two(&advisor)).collect();
    let session = session_row(&app, SessionSeed::default());
    let threads = pairs.iter().map(|(into, from)| {
        let (client, wish) = (advisor.clone(), json!({ "member_id": from["id"] }));
        let url = format!("/v1/sessions/{session}/bookings");
        let booking = std::thread::spawn(move || client.post(&url, &wish).status);
        let (client, asked, url) = (advisor.clone(), body(&advisor, into, from), format!("{}/merge", path(into)));
        (booking, std::thread::spawn(move || client.post(&url, &asked).status))
    });
    for (booking, merging) in threads.collect::<Vec<_>>() {
        let (booked, merged) = (booking.join().unwrap(), merging.join().unwrap());
        assert!([201, 409].contains(&booked) && merged == 200, "{booked} {merged}");
    }
    let old: Vec<Id> = pairs.iter().map(|(_, from)| parsed(from)).collect();
    let left: i64 =
        bookings::table.filter(bookings::member_id.eq_any(old)).count().get_result(&mut app.conn()).unwrap();
    assert_eq!(left, 0, "nothing stays behind with an id that is no member any more");
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    tab: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    col: String,
}

/// Every column that refers to a member: by a foreign key, or by its name.
fn columns_with_members(conn: &mut Conn) -> BTreeSet<(String, String)> {
    let query = match conn {
        Conn::Sqlite(_) => {
            "SELECT m.name AS tab, k.\"from\" AS col FROM sqlite_master m, pragma_foreign_key_list(m.name) k \
             WHERE m.type = 'table' AND k.\"table\" = 'members' \
             UNION SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' \
             AND c.name IN ('member_id', 'on_behalf_of')"
        }
        Conn::Postgres(_) => {
            "SELECT CAST(r.relname AS text) AS tab, CAST(a.attname AS text) AS col FROM pg_constraint k \
             JOIN pg_class r ON r.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = ANY (k.conkey) \
             WHERE k.contype = 'f' AND k.confrelid = to_regclass('members') \
             UNION SELECT CAST(table_name AS text), CAST(column_name AS text) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND column_name IN ('member_id', 'on_behalf_of')"
        }
    };
    let found: Vec<Column> = diesel::sql_query(query).load(conn).unwrap();
    found.into_iter().map(|column| (column.tab, column.col)).collect()
}

#[test]
fn of_every_column_that_names_a_member_it_is_said_what_merging_does_with_it() {
    let app = App::start();
    let listed: BTreeSet<(String, String)> =
        COLUMNS.iter().map(|(table, column, _)| ((*table).to_owned(), (*column).to_owned())).collect();
    assert_eq!(listed.len(), COLUMNS.len(), "each once");
    assert_eq!(
        columns_with_members(&mut app.conn()),
        listed,
        "say in src/members/merges/columns.rs what becomes of it"
    );
}
