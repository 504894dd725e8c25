//! Who looked: the purpose of each event, and the access log that members read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use life_rooms::audit::{self, Event, Subject};
use life_rooms::auth::caller::{Role, Scope};
use life_rooms::db::schema::{audit_events, audit_unsealed, users};
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::openapi::{document, operations};
use crate::support::{
    App, Client, SessionSeed, consent_row, id, member, member_row, partner_row, prescription, session_row,
};

fn key(id: &str) -> Id {
    id.parse().unwrap()
}

/// Role, partner and purpose of the events of a member, in their order.
fn purposes(app: &App, member: &str) -> Vec<(String, Option<String>, Option<Id>, Option<String>)> {
    let columns = (audit_events::action, audit_events::actor_role, audit_events::partner_id, audit_events::purpose);
    let of_member = audit_events::table.filter(audit_events::member_id.eq(key(member)));
    of_member.order(audit_events::id).select(columns).load(&mut app.conn()).unwrap()
}

fn entries(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200)["items"].as_array().unwrap().clone()
}

fn named(app: &App, client: &Client, name: &str) {
    let row = users::table.find(client.id.unwrap());
    diesel::update(row).set(users::display_name.eq(name)).execute(&mut app.conn()).unwrap();
}

/// An advisor with the permission to see safeguarding.
fn guardian(app: &App) -> Client {
    let client = app.advisor();
    let row = users::table.find(client.id.unwrap());
    diesel::update(row).set(users::permissions.eq(Json(vec!["safeguarding"]))).execute(&mut app.conn()).unwrap();
    client
}

/// What happened: the action, the thing, and who did it.
fn told(entry: &Value) -> (&str, &str, Value, Value, Value) {
    let text = |name: &str| entry[name].as_str().unwrap();
    let who = &entry["who"];
    (text("action"), text("what"), who["name"].clone(), who["role"].clone(), who["organisation"].clone())
}

#[test]
fn every_event_of_a_member_says_who_and_what_for_and_the_request_can_say_another_purpose() {
    let app = App::start();
    let advisor = app.advisor();
    let ann = member(&advisor, "Ann", "Other");
    let (ann, path) = (id(&ann).to_owned(), format!("/v1/members/{}", id(&ann)));
    app.at("2026-11-23T09:00:01Z");
    advisor.get(&path).expect(200);
    app.at("2026-11-23T09:00:02Z");
    advisor.send("GET", &path, &[("x-purpose", "complaint")], b"").expect(200);
    app.at("2026-11-23T09:00:03Z");
    advisor.post("/v1/members/search", &json!({ "name": "ann" })).expect(200);
    app.at("2026-11-23T09:00:04Z");
    let session = session_row(&app, SessionSeed::default());
    let booking = format!("/v1/sessions/{session}/bookings");
    advisor.post(&booking, &json!({ "member_id": ann })).expect(201);
    app.at("2026-11-23T09:00:05Z");
    app.member(&ann).patch(&path, "\"1\"", &json!({ "pronouns": "she/her" })).expect(200);
    let of = |action: &str, role: &str, purpose: Option<&str>| {
        (action.to_owned(), Some(role.to_owned()), None, purpose.map(str::to_owned))
    };
    let expected = [
        of("create", "advisor", Some("registration")),
        of("read", "advisor", Some("support")),
        of("read", "advisor", Some("complaint")),
        of("search", "advisor", Some("registration")),
        of("create", "advisor", Some("attendance")),
        of("change", "member", None),
    ];
    assert_eq!(purposes(&app, &ann), expected);
}

#[test]
fn a_partners_event_names_the_partner_and_a_list_of_people_is_one_write_with_an_event_for_each() {
    let app = App::start();
    let reader = partner_row(&app, "reader");
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let advisor = app.advisor();
    let people: Vec<String> = (0..3).map(|number| member_row(&app, "Ann", &format!("N{number}"))).collect();
    for person in &people {
        consent_row(&app, person, &reader, "given");
        advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": person })).expect(201);
    }
    let writes = || audit_unsealed::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    let before = writes();
    app.at("2026-11-23T09:00:01Z");
    let client = app.partner_client(&reader, &[Scope::BookingsRead]);
    client.get(&format!("/v1/sessions/{session}/bookings")).expect(200);
    assert_eq!(writes(), before + 1);
    for person in &people {
        let last = purposes(&app, person).pop().unwrap();
        let expected = ("list".into(), Some("partner".into()), Some(key(&reader)), Some("attendance".into()));
        assert_eq!(last, expected);
    }
}

#[test]
fn many_events_are_written_with_one_statement() {
    let app = App::start();
    let sent = Arc::new(AtomicUsize::new(0));
    let (count, mut conn) = (Arc::clone(&sent), app.conn());
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let event = |_| {
        let person = app.clock.new_id();
        Event::by_system(&app.clock, "list", Subject::of_member("booking", person, person), &[])
    };
    audit::record(&mut conn, &(0..50).map(event).collect::<Vec<_>>()).unwrap();
    assert_eq!(sent.load(Ordering::Relaxed), 2, "the events, and that they wait for their seal");
    assert_eq!(audit_events::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 50);
}

#[test]
fn an_unknown_purpose_is_400_and_safeguarding_needs_its_permission() {
    let app = App::start();
    let advisor = app.advisor();
    let ann = member_row(&app, "Ann", "Other");
    let path = format!("/v1/members/{ann}");
    let with = |client: &Client, purpose: &str| client.send("GET", &path, &[("x-purpose", purpose)], b"");
    for wrong in ["curiosity", "", "Support", "support,complaint"] {
        let problem = with(&advisor, wrong).wrong_parameter("X-Purpose");
        assert!(problem["detail"].as_str().unwrap().contains("Must be one of support, registration"), "{problem}");
    }
    with(&advisor, "safeguarding").problem(403, "forbidden");
    assert!(purposes(&app, &ann).is_empty());
    with(&guardian(&app), "safeguarding").expect(200);
    assert_eq!(purposes(&app, &ann)[0].3.as_deref(), Some("safeguarding"));
    // The permission counts only for advisors: an admin can't hide what they do to themself.
    let admin = app.admin();
    let row = users::table.find(admin.id.unwrap());
    diesel::update(row).set(users::permissions.eq(Json(vec!["safeguarding"]))).execute(&mut app.conn()).unwrap();
    let hiding = admin.send("GET", "/v1/users", &[("x-purpose", "safeguarding")], b"");
    hiding.problem(403, "forbidden");
    admin.get("/v1/users").expect(200);
    // Who may call comes first.
    with(&app.anonymous(), "curiosity").problem(401, "unauthenticated");
}

#[test]
fn the_document_has_the_purpose_wherever_an_answer_holds_a_persons_data() {
    let mut with = Vec::new();
    for (_, path, operation) in operations(&document()) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let named = parameters.iter().find(|parameter| parameter["name"] == "X-Purpose");
        let is_of_people = path.starts_with("/v1/members") || path.starts_with("/v1/prescriptions");
        let is_of_people = is_of_people || path.starts_with("/v1/bookings") || path.ends_with("/register");
        let shows = ["200", "201"].iter().any(|status| operation["responses"].get(*status).is_some());
        assert!(named.is_some() || !(is_of_people && shows), "{path} {}", operation["operationId"]);
        if let Some(named) = named {
            assert_eq!(named["schema"]["$ref"], "#/components/schemas/Purpose");
            with.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    assert!(with.contains(&"list_session_bookings".into()) && with.contains(&"list_access_log".into()), "{with:?}");
    assert!(!with.contains(&"list_venues".into()) && !with.contains(&"create_user".into()), "{with:?}");
}

#[test]
fn members_see_who_looked_and_what_for_without_ids_and_addresses_of_staff() {
    let app = App::start();
    let (dana, nameless) = (app.advisor(), app.advisor());
    named(&app, &dana, "Dana P.");
    let reader = partner_row(&app, "reader");
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let ann = id(&member(&nameless, "Ann", "Other")).to_owned();
    let (own, path) = (app.member(&ann), format!("/v1/members/{ann}"));
    let log = format!("{path}/access-log");
    consent_row(&app, &ann, &reader, "given");
    app.at("2026-11-23T09:00:01Z");
    dana.get(&path).expect(200);
    app.at("2026-11-23T09:00:02Z");
    own.post(&format!("/v1/sessions/{session}/bookings"), &json!({})).expect(201);
    app.at("2026-11-23T09:00:03Z");
    app.partner_client(&reader, &[Scope::BookingsRead]).get(&format!("/v1/sessions/{session}/bookings")).expect(200);
    let at_reader = app.partner_user(&reader);
    named(&app, &at_reader, "Sam");
    app.at("2026-11-23T09:00:04Z");
    at_reader.get(&format!("/v1/sessions/{session}/register")).expect(200);
    app.at("2026-11-23T09:00:05Z");
    nameless.post("/v1/members/search", &json!({ "name": "ann" })).expect(200);
    app.at("2026-11-23T09:00:06Z");
    let event = Event::by_system(&app.clock, "change", Subject::of_member("member", key(&ann), key(&ann)), &["phone"]);
    audit::record(&mut app.conn(), &[event]).unwrap();
    let answer = own.get(&log);
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let items = answer.json["items"].as_array().unwrap();
    let expected = [
        ("change", "member", json!(null), json!("system"), json!("Life Rooms")),
        ("search", "member", json!(null), json!("advisor"), json!("Life Rooms")),
        ("read", "register", json!("Sam"), json!("partner"), json!("Partner reader")),
        ("list", "booking", json!("its system"), json!("partner"), json!("Partner reader")),
        ("create", "booking", json!(null), json!("member"), json!(null)),
        ("read", "member", json!("Dana P."), json!("advisor"), json!("Life Rooms")),
        ("create", "member", json!(null), json!("advisor"), json!("Life Rooms")),
    ];
    assert_eq!(items.iter().map(told).collect::<Vec<_>>(), expected);
    let own_ones: Vec<&Value> = items.iter().map(|item| &item["own"]).collect();
    assert_eq!(own_ones, [false, false, false, false, true, false, false]);
    assert_eq!(items[1]["fields"], json!(["given_name", "family_name", "date_of_birth", "postcode", "phone", "email"]));
    assert_eq!((&items[1]["purpose"], &items[5]["at"]), (&json!("registration"), &json!("2026-11-23T09:00:01Z")));
    for staff in [&dana, &nameless, &at_reader] {
        assert!(!answer.text.contains(&staff.id.unwrap().to_string()), "{}", answer.text);
    }
    assert!(!answer.text.contains("example.org"), "{}", answer.text);
    assert_eq!(entries(&own, &format!("{log}?own=false")).len(), 6);
    assert_eq!(entries(&own, &format!("{log}?own=true")).len(), 7);
}

#[test]
fn an_advisor_who_reads_the_log_is_in_it_and_nobody_else_may_read_it() {
    let app = App::start();
    let advisor = app.advisor();
    let (ann, bob) = (member_row(&app, "Ann", "Other"), member_row(&app, "Bob", "Other"));
    let log = format!("/v1/members/{ann}/access-log");
    assert_eq!(entries(&advisor, &log), Vec::<Value>::new());
    assert_eq!(entries(&advisor, &log), Vec::<Value>::new(), "an empty log was no look at anything");
    advisor.get(&format!("/v1/members/{ann}")).expect(200);
    app.at("2026-11-23T09:00:01Z");
    assert_eq!(entries(&advisor, &log).len(), 1);
    let seen = entries(&app.member(&ann), &log);
    assert_eq!((seen.len(), &seen[0]["fields"], &seen[0]["action"]), (2, &json!(["access_log"]), &json!("read")));
    app.member(&bob).get(&log).problem(404, "not-found");
    app.admin().get(&log).problem(403, "forbidden");
    app.analyst().get(&log).problem(403, "forbidden");
    advisor.get(&format!("/v1/members/{}/access-log", app.clock.new_id())).problem(404, "not-found");
}

#[test]
fn what_protects_somebody_is_not_in_the_log() {
    let app = App::start();
    let (ann, guardian) = (member_row(&app, "Ann", "Other"), guardian(&app));
    let path = format!("/v1/members/{ann}");
    guardian.send("GET", &path, &[("x-purpose", "safeguarding")], b"").expect(200);
    let flag = Subject::of_member("safeguarding_flag", app.clock.new_id(), key(&ann));
    audit::record(&mut app.conn(), &[Event::by_system(&app.clock, "create", flag, &[])]).unwrap();
    app.at("2026-11-23T09:00:01Z");
    guardian.get(&path).expect(200);
    let seen = entries(&app.member(&ann), &format!("{path}/access-log"));
    assert_eq!(seen.iter().map(|entry| entry["at"].clone()).collect::<Vec<_>>(), ["2026-11-23T09:00:01Z"]);
}

#[test]
fn the_log_comes_in_pages_and_by_days_in_london() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "Other");
    let (advisor, own) = (app.advisor(), app.member(&ann));
    let log = format!("/v1/members/{ann}/access-log");
    // The clock of London is an hour ahead in summer.
    let times = ["2027-06-01T22:59:59Z", "2027-06-01T23:00:00Z", "2027-06-02T22:59:59Z", "2027-06-02T23:00:00Z"];
    for time in times {
        app.at(time);
        advisor.get(&format!("/v1/members/{ann}")).expect(200);
    }
    let at = |items: &[Value]| items.iter().map(|item| item["at"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let newest_first: Vec<&str> = times.iter().rev().copied().collect();
    assert_eq!(at(&entries(&own, &log)), newest_first);
    let day = |query: &str| at(&entries(&own, &format!("{log}?{query}")));
    assert_eq!(day("from=2027-06-02&to=2027-06-02"), [times[2], times[1]]);
    assert_eq!(day("from=2027-06-03"), [times[3]]);
    assert_eq!(day("to=2027-06-01"), [times[0]]);
    own.get(&format!("{log}?from=2027-06-02&to=2027-06-01")).wrong_parameter("to");
    own.get(&format!("{log}?own=maybe")).wrong_parameter("own");
    let first = own.get(&format!("{log}?limit=3"));
    let next = first.json["next"].as_str().unwrap().to_owned();
    assert_eq!(at(first.json["items"].as_array().unwrap()), newest_first[..3]);
    let last = own.get(&next).expect(200);
    assert_eq!((at(last["items"].as_array().unwrap()), &last["next"]), (vec![times[0].to_owned()], &json!(null)));
}

#[test]
fn events_of_before_this_version_are_shown_with_the_present_role() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "Other");
    let advisor = app.user(Role::Advisor, None, None);
    named(&app, &advisor, "Dana P.");
    let (event, now) = (app.clock.new_id(), app.clock.now());
    let row = (
        (audit_events::id.eq(event), audit_events::at.eq(now), audit_events::actor_kind.eq("user")),
        (audit_events::actor_id.eq(advisor.id), audit_events::action.eq("read"), audit_events::member_id.eq(key(&ann))),
        (audit_events::resource_kind.eq("member"), audit_events::resource_id.eq(key(&ann))),
        (audit_events::fields.eq(Json(Vec::<String>::new())), audit_events::request_id.eq("old")),
    );
    diesel::insert_into(audit_events::table).values(row).execute(&mut app.conn()).unwrap();
    let seen = entries(&app.member(&ann), &format!("/v1/members/{ann}/access-log"));
    let expected = ("read", "member", json!("Dana P."), json!("advisor"), json!("Life Rooms"));
    assert_eq!((told(&seen[0]), &seen[0]["purpose"]), (expected, &json!(null)));
}

#[test]
fn a_list_of_several_people_is_recorded_as_a_list() {
    let app = App::start();
    let advisor = app.advisor();
    let people = [member_row(&app, "Ann", "Other"), member_row(&app, "Bob", "Other")];
    people.iter().for_each(|person| drop(prescription(&advisor, person)));
    app.at("2026-11-23T09:00:01Z");
    advisor.get("/v1/prescriptions").expect(200);
    for person in &people {
        let last = purposes(&app, person).pop().unwrap();
        assert_eq!((last.0.as_str(), last.3.as_deref()), ("list", Some("support")));
    }
}
