//! Members: registering, finding, reading, changing, and their consents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, partners};
use life_rooms::db::{Id, Json};
use life_rooms::members::names;
use life_rooms::members::sharing::shared_with;
use serde_json::{Value, json};

use crate::support::{App, id, member};

fn peg() -> Value {
    json!({
        "preferred_name": " Peg ", "given_name": " Margaret", "family_name": "Wyn-Jones", "pronouns": "she/her",
        "date_of_birth": "1961-04-02", "email": "Peg@example.org", "phone": "0151 496 0123", "postcode": "l91aa",
        "local_authority": "Liverpool", "nhs_number": "943 476 5919", "gp_practice_code": "n82001",
        "roles": ["service_user", "carer"], "contact_preferences": { "sms": true },
        "emergency_contact": { "name": "Sam", "phone": "07700 900456", "relationship": "brother" }
    })
}

fn with(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// A partner, straight into the database.
fn partner(app: &App, slug: &str) -> Id {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    diesel::insert_into(partners::table)
        .values((
            partners::id.eq(id),
            partners::slug.eq(slug),
            partners::name.eq(slug),
            partners::kind.eq("charity"),
            partners::status.eq("active"),
            partners::roster_version.eq(0),
            partners::version.eq(1),
            partners::created_at.eq(now),
            partners::updated_at.eq(now),
        ))
        .execute(&mut app.conn())
        .unwrap();
    id
}

/// What the audit holds of a member: action, kind and fields of each event.
fn events(app: &App, member: &Value) -> Vec<(String, String, Vec<String>)> {
    let member: Id = id(member).parse().unwrap();
    let rows: Vec<(String, String, Json<Vec<String>>)> = audit_events::table
        .filter(audit_events::member_id.eq(member))
        .order(audit_events::id)
        .select((audit_events::action, audit_events::resource_kind, audit_events::fields))
        .load(&mut app.conn())
        .unwrap();
    rows.into_iter().map(|(action, kind, fields)| (action, kind, fields.0)).collect()
}

fn actions(app: &App, member: &Value) -> Vec<String> {
    let mut actions: Vec<String> = events(app, member).into_iter().map(|(action, ..)| action).collect();
    actions.sort();
    actions
}

#[test]
fn a_member_is_registered_with_everything_put_in_one_form() {
    let app = App::start();
    let created = app.advisor().post("/v1/members", &peg());
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.header("location"), format!("/v1/members/{}", created.id()));
    assert_eq!((created.tag_version(), created.header("cache-control")), ("1", "no-store"));
    let expected = with(
        peg(),
        json!({
            "preferred_name": "Peg", "given_name": "Margaret", "phone": "+441514960123", "postcode": "L9 1AA",
            "nhs_number": "9434765919", "gp_practice_code": "N82001", "local_authority_code": "E08000012",
            "contact_preferences": { "email": false, "sms": true, "phone": false, "post": false },
            "emergency_contact": { "name": "Sam", "phone": "+447700900456", "relationship": "brother" },
            "former_names": [], "line_1": null, "line_2": null, "town": null, "message_details": "neutral",
            "reminders": true,
            "safe_contact": { "voicemail": true, "letters": true, "say_who": true },
            "local_authority_mismatch": false, "has_access_needs": false, "access_needs_review_due": false,
            "id": created.id(), "version": 1, "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:00:00Z"
        }),
    );
    assert_eq!(created.json, expected);
    assert_eq!(actions(&app, &created.json), ["create"]);
}

#[test]
fn every_fault_of_a_registration_is_named_at_once_and_nothing_is_written() {
    let app = App::start();
    let advisor = app.advisor();
    let shape = json!({
        "given_name": "", "family_name": "  ", "preferred_name": "Wyn\u{202e}Jones", "roles": ["king"], "date_of_birth": "1899-12-31", "email": "nobody", "colour": 1,
        "contact_preferences": { "fax": true }
    });
    advisor.post("/v1/members", &shape).invalid(&[
        "/given_name",
        "/family_name",
        "/preferred_name",
        "/roles/0",
        "/date_of_birth",
        "/email",
        "/colour",
        "/contact_preferences/fax",
    ]);
    let rules = with(
        peg(),
        json!({
            "phone": "12345678x", "postcode": "XXXXX", "nhs_number": "9434765918",
            "gp_practice_code": "NN2001",
            "emergency_contact": { "name": "Sam", "phone": "call me" }
        }),
    );
    let problem = advisor.post("/v1/members", &rules).invalid(&[
        "/phone",
        "/postcode",
        "/nhs_number",
        "/gp_practice_code",
        "/emergency_contact/phone",
    ]);
    let nhs = problem["errors"].as_array().unwrap().iter().find(|fault| fault["pointer"] == "/nhs_number").unwrap();
    assert_eq!(nhs["code"], "wrong_nhs_number");
    advisor.post("/v1/members", &with(peg(), json!({ "roles": [] }))).invalid(&["/roles"]);
    let twice = with(peg(), json!({ "roles": ["carer", "carer"] }));
    advisor.post("/v1/members", &twice).invalid(&["/roles/1"]);
    advisor.post("/v1/members", &with(peg(), json!({ "date_of_birth": "2026-11-24" }))).invalid(&["/date_of_birth"]);
    advisor.post("/v1/members?sure=true", &peg()).wrong_parameter("sure");
    advisor.post("/v1/members?confirm_not_duplicate=yes", &peg()).wrong_parameter("confirm_not_duplicate");
    let found = advisor.post("/v1/members/search", &json!({ "postcode": "L9 1AA" })).expect(200);
    assert_eq!(found, json!({ "items": [], "more": false }));
    advisor.post("/v1/members", &with(peg(), json!({ "date_of_birth": "2026-11-23" }))).expect(201);
}

#[test]
fn somebody_alike_is_shown_as_a_candidate_and_the_sight_is_audited() {
    let app = App::start();
    let advisor = app.advisor();
    let known = advisor.post("/v1/members", &peg()).expect(201);
    let bare = json!({ "given_name": "margaret", "family_name": "WYN JONES", "roles": ["public"] });
    let alike = [
        with(bare.clone(), json!({ "date_of_birth": "1961-04-02" })),
        with(bare.clone(), json!({ "postcode": "L9 1AA" })),
        json!({ "given_name": "Maggie", "family_name": "Jones", "roles": ["carer"], "phone": "+44 151 496 0123", "date_of_birth": "1961-04-02" }),
    ];
    let candidate = json!({
        "id": known["id"], "display_name": "Peg Wyn-Jones", "given_name": "Margaret", "family_name": "Wyn-Jones",
        "date_of_birth": "1961-04-02", "postcode": "L9 1AA", "phone_ends": "…123", "email_hint": "P…@example.org"
    });
    let points = [
        json!({ "score": 28, "because": ["family_name", "given_name", "birthday"] }),
        json!({ "score": 20, "because": ["family_name", "given_name", "postcode"] }),
        json!({ "score": 30, "because": ["family_name_part", "given_name_near", "birthday", "phone"] }),
    ];
    for (body, points) in alike.iter().zip(points) {
        let problem = advisor.post("/v1/members", body).problem(409, "possible-duplicate");
        assert_eq!(problem["candidates"], json!([with(candidate.clone(), points)]));
    }
    assert_eq!(actions(&app, &known), ["create", "search", "search", "search"]);
    let fields = &events(&app, &known).into_iter().find(|(action, ..)| action == "search").unwrap().2;
    assert_eq!(fields, &["given_name", "family_name", "date_of_birth", "postcode", "phone", "email"]);
    advisor.post("/v1/members", &bare).expect(201);
    advisor.post("/v1/members?confirm_not_duplicate=true", &alike[0]).expect(201);
}

#[test]
fn swapped_names_with_the_same_birthday_are_a_possible_duplicate() {
    let app = App::start();
    let advisor = app.advisor();
    let known = advisor.post("/v1/members", &peg()).expect(201);
    let swapped = json!({ "given_name": "WYN JONES", "family_name": "margaret", "roles": ["public"] });
    let born = with(swapped.clone(), json!({ "date_of_birth": "1961-04-02" }));
    let problem = advisor.post("/v1/members", &born).problem(409, "possible-duplicate");
    assert_eq!(problem["candidates"][0]["id"], known["id"]);
    // Without the birthday, or on another one, they are somebody else.
    advisor.post("/v1/members", &with(swapped.clone(), json!({ "date_of_birth": "1961-02-04" }))).expect(201);
    advisor.post("/v1/members", &with(swapped, json!({ "postcode": "L9 1AA" }))).expect(201);
}

#[test]
fn an_nhs_number_is_one_persons_whatever_is_confirmed() {
    let app = App::start();
    let advisor = app.advisor();
    advisor.post("/v1/members", &peg()).expect(201);
    for path in ["/v1/members", "/v1/members?confirm_not_duplicate=true"] {
        let problem = advisor.post(path, &peg()).problem(409, "already-exists");
        assert_eq!(problem["errors"][0]["pointer"], "/nhs_number");
    }
    let other = member(&advisor, "Ann", "Other");
    let path = format!("/v1/members/{}", id(&other));
    advisor.patch(&path, "\"1\"", &json!({ "nhs_number": "9434765919" })).problem(409, "already-exists");
}

#[test]
fn a_registration_sent_again_is_done_once() {
    let app = App::start();
    let advisor = app.advisor();
    let key = [("idempotency-key", "k1")];
    let first = advisor.post_with("/v1/members", &key, &peg());
    let again = advisor.post_with("/v1/members", &key, &peg());
    assert_eq!((first.status, again.status), (201, 201), "{}", again.text);
    assert_eq!(first.json, again.json);
    assert_eq!(again.header("idempotent-replay"), "true");
    // The second answer carried her data too.
    assert_eq!(actions(&app, &first.json), ["create", "read"]);
}

#[test]
fn of_two_registrations_at_once_one_is_a_possible_duplicate() {
    let app = App::start();
    let advisor = app.advisor();
    let body = with(peg(), json!({ "nhs_number": null }));
    let send = || {
        let (advisor, body) = (advisor.clone(), body.clone());
        std::thread::spawn(move || advisor.post("/v1/members", &body).status)
    };
    let threads: Vec<_> = (0..6).map(|_| send()).collect();
    let mut statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

#[test]
fn members_are_found_by_what_is_known_of_them() {
    let app = App::start();
    let advisor = app.advisor();
    let known = advisor.post("/v1/members", &peg()).expect(201);
    let other = member(&advisor, "Siân", "O’Brien");
    let search = |body: Value| {
        let found = advisor.post("/v1/members/search", &body).expect(200);
        let ids = found["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let (known_id, other_id) = (id(&known).to_owned(), id(&other).to_owned());
    for name in ["marg", "MARGARET WYN", "wyn-jones", "jones marg", "peg"] {
        assert_eq!(search(json!({ "name": name })), std::slice::from_ref(&known_id), "{name}");
    }
    assert_eq!(search(json!({ "name": "sian obr" })), [other_id]);
    assert_eq!(search(json!({ "name": "garet" })), Vec::<String>::new());
    assert_eq!(search(json!({ "name": "marg smith" })), Vec::<String>::new());
    assert_eq!(search(json!({ "nhs_number": "943-476-5919" })), std::slice::from_ref(&known_id));
    assert_eq!(search(json!({ "postcode": "l9 1aa", "date_of_birth": "1961-04-02" })), std::slice::from_ref(&known_id));
    assert_eq!(search(json!({ "postcode": "l9 1aa", "date_of_birth": "1961-04-03" })), Vec::<String>::new());
    assert_eq!(search(json!({ "phone": "(0151) 4960123" })), [known_id]);
    assert_eq!(actions(&app, &other), ["create", "search"]);
}

#[test]
fn a_search_names_something_and_shows_twenty_at_most() {
    let app = App::start();
    let advisor = app.advisor();
    for _ in 0..21 {
        member(&advisor, "Ann", "Smith");
    }
    let count = |body: Value| advisor.post("/v1/members/search", &body).expect(200)["items"].as_array().unwrap().len();
    assert_eq!(count(json!({ "name": "smith" })), 20);
    assert_eq!(count(json!({ "name": "ann s", "limit": 3 })), 3);
    let more = |body: Value| advisor.post("/v1/members/search", &body).expect(200)["more"].clone();
    member(&advisor, "Bea", "Smith");
    assert_eq!(more(json!({ "name": "smith" })), true);
    assert_eq!(more(json!({ "name": "ann s", "limit": 20 })), true);
    assert_eq!(more(json!({ "name": "bea", "limit": 1 })), false);
    advisor.post("/v1/members/search", &json!({})).invalid(&[""]);
    advisor.post("/v1/members/search", &json!({ "limit": 5 })).invalid(&[""]);
    advisor.post("/v1/members/search", &json!({ "name": "'", "limit": 20 })).invalid(&["/name"]);
    advisor.post("/v1/members/search", &json!({ "name": "a", "limit": 21 })).invalid(&["/limit"]);
    advisor.post("/v1/members/search", &json!({ "nhs_number": "9434765918" })).invalid(&["/nhs_number"]);
    let answer = advisor.post("/v1/members/search", &json!({ "name": "nobody" }));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[test]
fn advisors_read_anybody_and_members_themselves() {
    let app = App::start();
    let advisor = app.advisor();
    let (mine, other) = (member(&advisor, "Ann", "Own"), member(&advisor, "Bob", "Other"));
    let path = format!("/v1/members/{}", id(&mine));
    let own = app.member(id(&mine));
    let read = own.get(&path);
    assert_eq!(read.json, mine);
    assert_eq!((read.tag_version(), read.header("cache-control")), ("1", "no-store"));
    assert_eq!(actions(&app, &mine), ["create"]);
    assert_eq!(advisor.get(&path).expect(200), mine);
    assert_eq!(actions(&app, &mine), ["create", "read"]);
    for tail in ["", "/consents", "/prescriptions"] {
        own.get(&format!("/v1/members/{}{tail}", id(&other))).problem(404, "not-found");
        advisor.get(&format!("/v1/members/{}{tail}", app.clock.new_id())).problem(404, "not-found");
        let path = format!("{path}{tail}");
        app.anonymous().get(&path).problem(401, "unauthenticated");
        app.admin().get(&path).problem(403, "forbidden");
        app.analyst().get(&path).problem(403, "forbidden");
    }
    assert_eq!(actions(&app, &other), ["create"]);
    own.post("/v1/members", &peg()).problem(403, "forbidden");
    own.post("/v1/members/search", &json!({ "name": "a" })).problem(403, "forbidden");
    app.admin().post("/v1/members/search", &json!({ "name": "a" })).problem(403, "forbidden");
    let partner = partner(&app, "the-reader");
    app.partner_user(&partner.to_string()).get(&path).problem(403, "forbidden");
    advisor.get("/v1/members/abc").wrong_parameter("id");
}

#[test]
fn a_member_changes_their_record_but_not_what_advisors_write() {
    let app = App::start();
    let advisor = app.advisor();
    let known = advisor.post("/v1/members", &peg()).expect(201);
    let path = format!("/v1/members/{}", id(&known));
    let own = app.member(id(&known));
    own.patch(&path, "", &json!({ "phone": null })).problem(428, "precondition-required");
    own.patch(&path, "\"2\"", &json!({ "phone": null })).problem(412, "precondition-failed");
    let change = json!({ "roles": ["family"], "nhs_number": null, "gp_practice_code": "N82002", "phone": null });
    let refused = own.patch(&path, "\"1\"", &change).invalid(&["/roles", "/nhs_number", "/gp_practice_code"]);
    assert_eq!(refused["errors"][0]["code"], "not_yours");
    own.patch(&path, "\"1\"", &json!({ "given_name": null })).invalid(&["/given_name"]);
    own.patch(&path, "\"1\"", &json!({ "date_of_birth": "2027-01-01" })).invalid(&["/date_of_birth"]);
    let change = json!({ "phone": null, "family_name": "Reid", "contact_preferences": { "email": true } });
    let changed = own.patch(&path, "\"1\"", &change).expect(200);
    assert_eq!((&changed["phone"], &changed["family_name"]), (&Value::Null, &json!("Reid")));
    assert_eq!(changed["contact_preferences"], json!({ "email": true, "sms": true, "phone": false, "post": false }));
    assert_eq!((&changed["version"], &changed["nhs_number"]), (&json!(2), &json!("9434765919")));
    let found = advisor.post("/v1/members/search", &json!({ "name": "reid" })).expect(200);
    assert_eq!(found["items"][0]["id"], known["id"]);
    let changed = advisor.patch(&path, "\"2\"", &json!({ "nhs_number": null, "roles": ["family"] })).expect(200);
    assert_eq!((&changed["nhs_number"], &changed["roles"]), (&Value::Null, &json!(["family"])));
    let changes: Vec<_> = events(&app, &known).into_iter().filter(|(action, ..)| action == "change").collect();
    assert_eq!(changes.len(), 2);
    let other = member(&advisor, "Bob", "Other");
    own.patch(&format!("/v1/members/{}", id(&other)), "\"1\"", &json!({ "phone": null })).problem(404, "not-found");
}

#[test]
fn the_last_consent_recorded_decides_even_within_one_microsecond() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let (reader, other) = (partner(&app, "the-reader"), partner(&app, "other"));
    let own = app.member(id(&known));
    let path = format!("/v1/members/{}/consents", id(&known));
    let shared = |partner: Id| {
        let members: [Id; 1] = [id(&known).parse().unwrap()];
        !shared_with(&mut app.conn(), partner, &members).unwrap().is_empty()
    };
    assert!(!shared(reader));
    let record = |decision: &str| {
        let body = json!({ "purpose": "share_with_partner", "partner_id": reader, "decision": decision, "evidence": "Said so" });
        own.post(&path, &body).expect(201)
    };
    for (decision, shares) in [("given", true), ("withdrawn", false), ("given", true)] {
        let consent = record(decision);
        assert_eq!(consent["recorded_at"], "2026-11-23T09:00:00Z");
        assert_eq!(consent["recorded_by"], own.id.unwrap().to_string());
        assert_eq!((shared(reader), shared(other)), (shares, false));
    }
    app.at("2026-11-22T09:00:00Z");
    record("withdrawn");
    assert!(!shared(reader));
    let first = advisor.get(&format!("{path}?limit=3")).expect(200);
    let rest = advisor.get(first["next"].as_str().unwrap()).expect(200);
    let items = first["items"].as_array().unwrap().iter().chain(rest["items"].as_array().unwrap());
    let decisions: Vec<&str> = items.map(|item| item["decision"].as_str().unwrap()).collect();
    assert_eq!(decisions, ["given", "withdrawn", "given", "withdrawn"]);
    assert_eq!(rest["next"], Value::Null);
    assert_eq!(actions(&app, &known), ["create", "create", "create", "create", "create", "read", "read"]);
}

#[test]
fn a_consent_names_a_partner_where_it_has_to_and_only_there() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let path = format!("/v1/members/{}/consents", id(&known));
    let good = json!({ "purpose": "research", "decision": "given", "evidence": "Form" });
    advisor.post(&path, &good).expect(201);
    let sharing = with(good.clone(), json!({ "purpose": "share_with_partner" }));
    advisor.post(&path, &sharing).invalid(&["/partner_id"]);
    let unknown = advisor.post(&path, &with(sharing, json!({ "partner_id": app.clock.new_id() })));
    assert_eq!(unknown.invalid(&["/partner_id"])["errors"][0]["code"], "unknown_partner");
    let reader = partner(&app, "the-reader");
    advisor.post(&path, &with(good.clone(), json!({ "partner_id": reader }))).invalid(&["/partner_id"]);
    advisor.post(&path, &with(good.clone(), json!({ "evidence": " " }))).invalid(&["/evidence"]);
    advisor.post(&path, &json!({ "purpose": "x", "decision": "y" })).invalid(&["/purpose", "/decision"]);
    advisor.post(&format!("/v1/members/{}/consents", app.clock.new_id()), &good).problem(404, "not-found");
    let other = member(&advisor, "Bob", "Other");
    app.member(id(&other)).post(&path, &good).problem(404, "not-found");
    app.admin().post(&path, &good).problem(403, "forbidden");
    assert_eq!(advisor.get(&path).expect(200)["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_search_counts_each_beginning_once_and_takes_ten_words() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann Barbara Cleo", "Dawn Eve");
    let search = |name: &str| advisor.post("/v1/members/search", &json!({ "name": name }));
    assert_eq!(search("e d c b a").expect(200)["items"][0]["id"], known["id"]);
    assert_eq!(search("a b c d e a b c d e").expect(200)["items"][0]["id"], known["id"]);
    let refused = search("a b c d e a b c d e a").invalid(&["/name"]);
    assert_eq!(refused["errors"][0]["code"], "too_many");
    // Five words are five beginnings and ten runs of neighbours, in eleven readings with 25 words.
    let counts = Arc::new(AtomicUsize::new(0));
    let (seen, mut conn) = (Arc::clone(&counts), app.conn());
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && query.to_string().contains("count(*)")
        {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    let wanted = serde_json::from_value(json!({ "name": "a b c d e" })).unwrap();
    let found = names::search(&mut conn, &wanted, 20).unwrap();
    assert_eq!((found.len(), counts.load(Ordering::Relaxed)), (1, 15));
}
