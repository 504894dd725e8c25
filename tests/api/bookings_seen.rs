//! Who sees which bookings.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::bookings::{book, event, rows, session, told};
use crate::support::{App, SessionSeed, consent_row, member_row, partner_row, session_row};

#[test]
fn a_partner_sees_its_sessions_bookings_and_the_members_who_consent() {
    let app = App::start();
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "philharmonic"));
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let (sam, alex) = (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let advisor = app.advisor();
    let of_sam = book(&advisor, &session, &sam).expect(201);
    app.at("2026-11-23T09:00:01Z");
    let of_alex = book(&advisor, &session, &alex).expect(201);
    consent_row(&app, &sam, &reader, "given");
    consent_row(&app, &alex, &other, "given");
    let path = format!("/v1/sessions/{session}/bookings");
    let client = app.partner_client(&reader, &[Scope::BookingsRead]);
    let seen = client.get(&path).expect(200)["items"].clone();
    assert_eq!(seen[0], of_sam);
    assert_eq!(seen[1]["reference"], of_alex["reference"]);
    for name in ["member", "member_id", "prescription_item_id"] {
        assert_eq!(seen[1][name], Value::Null);
    }
    assert!(!seen[1].to_string().contains("Alex") && !seen[1].to_string().contains(&alex));
    assert_eq!(told(&app, &sam), [event("create", "booking"), event("list", "booking")]);
    assert_eq!(told(&app, &alex), [event("create", "booking")]);

    app.at("2026-11-23T09:00:02Z");
    consent_row(&app, &sam, &reader, "withdrawn");
    assert_eq!(client.get(&path).expect(200)["items"][0]["member"], Value::Null);
    app.at("2026-11-23T09:00:03Z");
    consent_row(&app, &sam, &reader, "given");
    assert_eq!(app.partner_user(&reader).get(&path).expect(200)["items"][0], of_sam);
    app.partner_user(&other).get(&path).problem(404, "not-found");
    app.partner_client(&reader, &[Scope::RegistersRead]).get(&path).problem(403, "insufficient-scope");
}

#[test]
fn lists_of_bookings_come_in_pages_and_show_what_is_ones_own() {
    let app = App::start();
    let (sam, alex) = (member_row(&app, "Sam", "Riley"), member_row(&app, "Alex", "Moss"));
    let advisor = app.advisor();
    let days = ["2026-11-28", "2026-11-26", "2026-11-27"];
    let starts = days.map(|day| format!("{day}T10:00:00Z"));
    let sessions: Vec<String> =
        starts.iter().map(|at| session_row(&app, SessionSeed { starts_at: at, ..SessionSeed::default() })).collect();
    for session in &sessions {
        app.at("2026-11-23T09:00:01Z");
        book(&advisor, session, &sam).expect(201);
        app.at("2026-11-23T09:00:02Z");
        book(&advisor, session, &alex).expect(201);
    }
    let member = app.member(&sam);
    let path = format!("/v1/members/{sam}/bookings");
    let (mut next, mut seen) = (Some(format!("{path}?limit=1")), Vec::new());
    while let Some(path) = next {
        let page = member.get(&path).expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|b| b["session_id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, [sessions[0].clone(), sessions[2].clone(), sessions[1].clone()]);
    assert_eq!(told(&app, &sam).len(), 3);
    assert_eq!(advisor.get(&path).expect(200)["items"].as_array().unwrap().len(), 3);
    assert_eq!(told(&app, &sam).len(), 4);
    member.get(&format!("/v1/members/{alex}/bookings")).problem(404, "not-found");
    advisor.get(&format!("/v1/members/{}/bookings", app.clock.new_id())).problem(404, "not-found");

    let path = format!("/v1/sessions/{}/bookings", sessions[0]);
    let own = member.get(&path).expect(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["member_id"], sam);
    let first = advisor.get(&format!("{path}?limit=1")).expect(200);
    assert_eq!(first["items"][0]["member_id"], sam);
    let second = advisor.get(first["next"].as_str().unwrap()).expect(200);
    assert_eq!((&second["items"][0]["member_id"], &second["next"]), (&json!(alex), &Value::Null));
    // The one row that was read ahead wasn't shown, and isn't told of.
    assert_eq!(told(&app, &alex).len(), 4);
}

#[test]
fn bookings_are_the_members_and_the_advisors_alone() {
    let app = App::start();
    let (session, sam) = (session(&app, 5), member_row(&app, "Sam", "Riley"));
    let alex = app.member(&member_row(&app, "Alex", "Moss"));
    let made = book(&app.advisor(), &session, &sam).expect(201);
    let (one, list) =
        (format!("/v1/bookings/{}", made["id"].as_str().unwrap()), format!("/v1/sessions/{session}/bookings"));
    let of_member = format!("/v1/members/{sam}/bookings");
    alex.get(&one).problem(404, "not-found");
    alex.delete(&one).problem(404, "not-found");
    assert_eq!(alex.get(&list).expect(200)["items"], json!([]));
    let partner = app.partner_user(&partner_row(&app, "the-reader"));
    for (client, status, slug) in
        [(app.anonymous(), 401, "unauthenticated"), (app.admin(), 403, "forbidden"), (app.analyst(), 403, "forbidden")]
    {
        for path in [&one, &list, &of_member] {
            client.get(path).problem(status, slug);
        }
        client.delete(&one).problem(status, slug);
        book(&client, &session, &sam).problem(status, slug);
    }
    partner.get(&one).problem(403, "forbidden");
    partner.get(&of_member).problem(403, "forbidden");
    partner.get(&list).problem(404, "not-found");
    book(&partner, &session, &sam).problem(403, "forbidden");
    assert_eq!(rows(&app, &session), 1);
}
