//! Registers that are still to be taken, headcounts by themselves, and a register that is sent again.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::support::{App, SessionSeed, id, member_row, partner_row, session_row, venue};

fn heads(beneficiaries: u32, family: u32, carers: u32) -> Value {
    json!({ "beneficiaries": beneficiaries, "family": family, "carers": carers })
}

#[test]
fn registers_to_take_are_listed_for_whoever_runs_the_session() {
    let app = App::start();
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "other"));
    let seed = |partner, starts_at| {
        session_row(&app, SessionSeed { partner_id: partner, starts_at, ..SessionSeed::default() })
    };
    let (theirs, own) = (Some(reader.as_str()), None);
    let late = seed(theirs, "2026-11-20T10:00:00Z");
    let early = seed(theirs, "2026-11-19T10:00:00Z");
    let taken = seed(theirs, "2026-11-18T10:00:00Z");
    seed(theirs, "2026-10-01T10:00:00Z");
    seed(theirs, "2026-11-24T10:00:00Z");
    seed(Some(&other), "2026-11-20T10:00:00Z");
    let services = seed(own, "2026-11-20T10:00:00Z");
    session_row(
        &app,
        SessionSeed {
            partner_id: theirs,
            starts_at: "2026-11-17T10:00:00Z",
            status: "cancelled",
            ..SessionSeed::default()
        },
    );
    let client = app.partner_client(&reader, &[Scope::RegistersRead, Scope::RegistersWrite]);
    let path = format!("/v1/sessions/{taken}/register");
    client.patch(&path, client.get(&path).etag(), &json!({ "headcount": heads(1, 0, 0) })).expect(200);

    let listed = |path: &str| -> Vec<String> {
        let page = client.get(path).expect(200);
        page["items"].as_array().unwrap().iter().map(|session| id(session).to_owned()).collect()
    };
    assert_eq!(listed("/v1/sessions?register=missing"), [early.clone(), late.clone()]);
    assert_eq!(listed("/v1/sessions?register=missing&from=2026-09-01").len(), 3);
    assert_eq!(listed("/v1/sessions?register=missing&to=2026-11-19"), std::slice::from_ref(&early));
    let first = client.get("/v1/sessions?register=missing&limit=1").expect(200);
    assert_eq!(listed(first["next"].as_str().unwrap()), [late]);
    let of_service = app.advisor().get("/v1/sessions?register=missing").expect(200);
    assert_eq!((of_service["items"].as_array().unwrap().len(), id(&of_service["items"][0])), (1, services.as_str()));

    app.anonymous().get("/v1/sessions?register=missing").problem(401, "unauthenticated");
    app.admin().get("/v1/sessions?register=missing").problem(403, "forbidden");
    let lacking = app.partner_client(&reader, &[Scope::RostersRead]);
    lacking.get("/v1/sessions?register=missing").problem(403, "insufficient-scope");
    client.get("/v1/sessions?register=missing&q=tea").wrong_parameter("q");
    client.get("/v1/sessions?register=taken").wrong_parameter("register");
}

#[test]
fn a_headcount_is_changed_by_itself_and_leaves_who_came() {
    let app = App::start();
    let advisor = app.advisor();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let seed = SessionSeed { venue_id: Some(id(&place)), starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() };
    let session = session_row(&app, seed);
    let path = format!("/v1/sessions/{session}/register");
    let ann = member_row(&app, "Ann", "A");
    let came = json!({ "bookings": [], "walk_ins": [{ "member_id": ann }], "headcount": heads(0, 0, 0) });
    let unread = advisor.get(&path).etag().to_owned();
    let taken = advisor.put(&path, &unread, &came);
    assert_eq!((taken.status, taken.json["version"].clone()), (200, json!(1)));

    let counted = advisor.patch(&path, taken.etag(), &json!({ "headcount": { "beneficiaries": 7, "carers": 2 } }));
    let register = counted.expect(200);
    assert_eq!((&register["headcount"], &register["version"]), (&heads(7, 0, 2), &json!(2)));
    assert_eq!(register["walk_ins"][0]["member"]["id"], ann.as_str());
    advisor.patch(&path, taken.etag(), &json!({ "headcount": { "family": 1 } })).problem(412, "precondition-failed");
    let etag = advisor.get(&path).etag().to_owned();
    advisor.patch(&path, &etag, &json!({ "headcount": { "family": -1 } })).invalid(&["/headcount/family"]);
    advisor.patch(&path, &etag, &json!({ "headcount": { "family": null } })).invalid(&["/headcount/family"]);
    advisor.patch(&path, &etag, &json!({ "bookings": [] })).invalid(&["/bookings"]);

    // The same again is no change, whatever ETag it has: its answer may have been lost.
    let whole = json!({ "bookings": [], "walk_ins": [{ "member_id": ann }], "headcount": heads(7, 1, 2) });
    let second = advisor.put(&path, &etag, &whole);
    assert_eq!((second.status, second.json["version"].clone()), (200, json!(3)));
    let again = advisor.put(&path, &etag, &whole);
    assert_eq!((again.status, again.etag(), &again.json), (200, second.etag(), &second.json));
    advisor.put(&path, &etag, &came).problem(412, "precondition-failed");
}

#[test]
fn a_headcount_takes_a_register_once_the_session_has_started() {
    let app = App::start();
    let advisor = app.advisor();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let at = |starts_at| {
        let seed = SessionSeed { venue_id: Some(id(&place)), starts_at, ..SessionSeed::default() };
        format!("/v1/sessions/{}/register", session_row(&app, seed))
    };
    let (begun, to_come) = (at("2026-11-23T08:00:00Z"), at("2026-11-24T08:00:00Z"));
    let heads = json!({ "headcount": { "beneficiaries": 4 } });
    advisor.patch(&to_come, "\"0\"", &heads).problem(409, "session-not-started");
    let nothing = advisor.patch(&begun, "\"0\"", &json!({})).expect(200);
    assert_eq!(nothing["version"], 0);
    let taken = advisor.patch(&begun, "\"0\"", &heads).expect(200);
    assert_eq!((&taken["version"], &taken["headcount"]["beneficiaries"]), (&json!(1), &json!(4)));
}

#[test]
fn a_register_is_a_page_to_print_and_a_table_and_who_looked_is_recorded() {
    let app = App::start();
    let advisor = app.advisor();
    let reader = partner_row(&app, "the-reader");
    let seed = SessionSeed { partner_id: Some(&reader), starts_at: "2026-11-24T10:00:00Z", ..SessionSeed::default() };
    let session = session_row(&app, seed);
    let (ann, bob) = (member_row(&app, "=Ann", "<b>"), member_row(&app, "Bob", "B"));
    let book = |member: &str| {
        let body = json!({ "member_id": member });
        advisor.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201)
    };
    let first = book(&ann);
    book(&bob);
    crate::support::consent_row(&app, &bob, &reader, "given");
    let path = format!("/v1/sessions/{session}/register");

    let page = advisor.send("GET", &format!("{path}.html"), &[("accept", "text/html")], b"");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(
        page.text.contains("=Ann &#60;b&#62;") && page.text.contains("Tuesday 24 November 2026, 10:00"),
        "{}",
        page.text
    );
    let sheet = advisor.get(&format!("{path}.csv"));
    let mut lines = sheet.text.lines();
    assert_eq!(lines.next(), Some("reference,display_name,status,attended,access_needs"));
    let of_ann = format!("{},'=Ann <b>,booked,,", first["reference"].as_str().unwrap());
    assert!(lines.any(|line| line == of_ann), "{}", sheet.text);

    // A partner sees the name of whoever agrees, and of the others the reference.
    let client = app.partner_client(&reader, &[Scope::RegistersRead]);
    let sheet = client.get(&format!("{path}.csv")).text;
    assert!(sheet.contains("Bob B") && !sheet.contains("Ann"), "{sheet}");
    assert!(sheet.contains(first["reference"].as_str().unwrap()), "{sheet}");
    assert!(!client.get(&format!("{path}.html")).text.contains("Ann"));

    let read = |member: &str| {
        use diesel::prelude::*;
        use life_rooms::db::schema::audit_events;
        let events = audit_events::table
            .filter(audit_events::member_id.eq(member.parse::<life_rooms::db::Id>().unwrap()))
            .filter(audit_events::resource_kind.eq("register"))
            .filter(audit_events::action.eq("read"));
        events.count().get_result::<i64>(&mut app.conn()).unwrap()
    };
    assert_eq!((read(&ann), read(&bob)), (2, 4));
}
