//! Calling off many sessions at once: a partner's half term, and a week in which a venue can't be used.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::idempotency_records;
use serde_json::{Value, json};

use crate::mails::{book, reachable, told};
use crate::support::{App, Client, SessionSeed, id, member_row, partner_row, session_row, session_rows, venue};

const KEYED: [(&str, &str); 2] = [("content-type", "application/json"), ("idempotency-key", "once")];

/// The ids of the sessions that an answer lists.
fn listed(answer: &Value) -> Vec<&str> {
    let sessions = answer["sessions"].as_array().unwrap().iter();
    sessions.map(|session| session["session_id"].as_str().unwrap()).collect()
}

fn status(client: &Client, session: &str) -> Value {
    client.get(&format!("/v1/sessions/{session}")).expect(200)["status"].clone()
}

fn half_term() -> Value {
    json!({ "from": "2027-02-15", "to": "2027-02-19", "reason": "It is half term." })
}

fn with(mut body: Value, other: Value) -> Value {
    body.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    body
}

#[test]
fn a_partner_calls_off_its_half_term_in_one_request() {
    let (app, mails) = App::with_mail();
    let advisor = app.advisor();
    let (reader, other) = (partner_row(&app, "reader"), partner_row(&app, "other"));
    let library = venue(&app.admin(), "central", "Liverpool");
    let at = |partner: &str, starts_at| {
        let seed = SessionSeed {
            partner_id: Some(partner),
            venue_id: Some(id(&library)),
            starts_at,
            ..SessionSeed::default()
        };
        session_row(&app, seed)
    };
    // Half past eleven in the evening of the last day is still that day, also where a day of UTC ends an hour earlier.
    let (first, last) = (at(&reader, "2027-02-15T00:00:00Z"), at(&reader, "2027-02-19T23:30:00Z"));
    let stay =
        [at(&reader, "2027-02-14T23:30:00Z"), at(&reader, "2027-02-20T00:00:00Z"), at(&other, "2027-02-16T13:00:00Z")];
    let (peg, ned) = (reachable(&app, "Peg"), member_row(&app, "Ned", "Riley"));
    for member in [&peg, &ned] {
        book(&advisor, &first, member);
    }
    book(&advisor, &last, &peg);
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    let client = app.partner_client(&reader, &[Scope::SessionsWrite]);
    let path = format!("/v1/partners/{reader}/cancellations");

    let dry = with(half_term(), json!({ "dry_run": true }));
    let tried = client.send("POST", &path, &KEYED, dry.to_string().as_bytes()).expect(200);
    assert_eq!(listed(&tried), [&first, &last]);
    // Its answer isn't kept for a repeated key: it says what there is then.
    let kept: i64 = idempotency_records::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!(kept, 0);
    assert_eq!((&tried["dry_run"], &tried["bookings"]), (&json!(true), &json!([])));
    assert_eq!(tried["affected"], json!({ "sessions": 2, "booked": 3 }));
    assert_eq!(tried["people"], json!({ "told": 1, "not_reached": 1 }));
    assert_eq!(status(&advisor, &first), "scheduled");

    let done = client.post(&path, &half_term()).expect(200);
    assert_eq!(listed(&done), [&first, &last]);
    assert_eq!((&done["people"], &done["affected"]), (&tried["people"], &tried["affected"]));
    let ways = done["bookings"].as_array().unwrap().iter().map(|booking| booking["told"].as_str().unwrap());
    let mut ways: Vec<&str> = ways.collect();
    ways.sort_unstable();
    assert_eq!(ways, ["email", "email", "not_reached"]);
    for session in [&first, &last] {
        let session = advisor.get(&format!("/v1/sessions/{session}")).expect(200);
        assert_eq!(
            (&session["status"], &session["cancellation_reason"]),
            (&json!("cancelled"), &json!("It is half term."))
        );
    }
    assert!(stay.iter().all(|session| status(&advisor, session) == "scheduled"));
    app.at("2026-11-23T09:20:00Z");
    // One for each group.
    let to: Vec<String> = mails.take(&app).into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["peg@example.org", "peg@example.org"]);
    assert_eq!(told(&advisor, &peg)[0].0, "cancelled");
    assert_eq!(told(&advisor, &ned)[0].1, "skipped");

    let again = client.post(&path, &half_term()).expect(200);
    assert_eq!((listed(&again), &again["bookings"]), (Vec::new(), &json!([])));
}

#[test]
fn a_cancellation_keeps_to_a_venue_or_series_and_the_series_goes_on() {
    let app = App::start();
    let advisor = app.advisor();
    let (here, there) = (venue(&app.admin(), "walton", "Liverpool"), venue(&app.admin(), "bootle", "Sefton"));
    let reader = partner_row(&app, "reader");
    let series = |place: &Value, time: &str| {
        let body = json!({ "title": "Shared Reading", "pillar": "community", "delivery": "in_person", "venue_id": id(place),
            "partner_id": reader, "local_start": format!("2027-02-09T{time}"), "time_zone": "Europe/London",
            "duration_minutes": 60, "recurrence": "FREQ=WEEKLY;COUNT=3", "publication": "published" });
        advisor.post("/v1/session-series", &body).expect(201)
    };
    let (early, late, elsewhere) = (series(&here, "10:00:00"), series(&here, "14:00:00"), series(&there, "10:00:00"));
    let path = format!("/v1/partners/{reader}/cancellations");
    let count = |more: Value| {
        let dry = with(with(half_term(), json!({ "dry_run": true })), more);
        advisor.post(&path, &dry).expect(200)["affected"]["sessions"].clone()
    };
    assert_eq!(count(json!({})), 3);
    assert_eq!(count(json!({ "venue_id": id(&there) })), 1);
    assert_eq!(count(json!({ "series_id": id(&late) })), 1);
    assert_eq!(count(json!({ "series_id": id(&late), "venue_id": id(&there) })), 0);
    advisor.post(&path, &with(half_term(), json!({ "series_id": id(&early) }))).expect(200);
    assert_eq!(count(json!({})), 2);
    // The series stays, and a change of it doesn't bring the session back.
    let own = format!("/v1/session-series/{}", id(&early));
    let read = advisor.get(&own);
    assert_eq!(read.expect(200)["status"], "active");
    let changed = advisor.patch(&own, advisor.get(&own).etag(), &json!({ "title": "Reading aloud" })).expect(200);
    assert_eq!(changed["skipped"], json!([{ "local_start": "2027-02-16T10:00:00", "reason": "cancelled" }]));
    assert_eq!(count(json!({})), 2);
    assert_eq!(advisor.get(&format!("/v1/session-series/{}", id(&elsewhere))).expect(200)["status"], "active");
}

#[test]
fn an_admin_calls_off_a_week_at_a_venue_whoever_runs_it() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let (here, there) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let reader = partner_row(&app, "reader");
    let at = |place: &Value, partner_id, delivery| {
        let starts_at = "2027-02-16T13:00:00Z";
        session_row(
            &app,
            SessionSeed { partner_id, venue_id: Some(id(place)), delivery, starts_at, ..SessionSeed::default() },
        )
    };
    let off = [at(&here, Some(reader.as_str()), "in_person"), at(&here, None, "hybrid")];
    let stay = [at(&here, None, "online"), at(&there, None, "in_person")];
    let ann = member_row(&app, "Ann", "A");
    book(&advisor, &off[0], &ann);
    let path = format!("/v1/venues/{}/cancellations", id(&here));
    let done = admin.post(&path, &half_term()).expect(200);
    let mut expected = off.clone();
    expected.sort_unstable();
    let mut found = listed(&done);
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(
        (&done["bookings"][0]["member_id"], &done["bookings"][0]["told"]),
        (&Value::Null, &json!("not_reached"))
    );
    assert!(off.iter().all(|session| status(&advisor, session) == "cancelled"));
    assert!(stay.iter().all(|session| status(&advisor, session) == "scheduled"));
}

#[test]
fn what_cannot_be_called_off_is_said_and_nothing_is_changed() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let (reader, other) = (partner_row(&app, "reader"), partner_row(&app, "other"));
    let client = app.partner_client(&reader, &[Scope::SessionsWrite]);
    let path = format!("/v1/partners/{reader}/cancellations");
    let problem = client.post(&path, &with(half_term(), json!({ "to": "2027-02-14" }))).problem(422, "invalid-body");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/to"), &json!("before_from"))
    );
    client.post(&format!("/v1/partners/{other}/cancellations"), &half_term()).problem(404, "not-found");
    let nobody = app.clock.new_id();
    admin.post(&format!("/v1/partners/{nobody}/cancellations"), &half_term()).problem(404, "not-found");
    admin.post(&format!("/v1/venues/{nobody}/cancellations"), &half_term()).problem(404, "not-found");
    let seed = |partner| SessionSeed {
        partner_id: Some(partner),
        starts_at: "2027-02-16T13:00:00Z",
        ..SessionSeed::default()
    };
    let body = json!({ "title": "Theirs", "pillar": "community", "delivery": "online", "partner_id": other,
        "local_start": "2027-02-16T10:00:00", "time_zone": "Europe/London", "duration_minutes": 60,
        "recurrence": "FREQ=WEEKLY;COUNT=1" });
    let foreign = advisor.post("/v1/session-series", &body).expect(201);
    let problem =
        client.post(&path, &with(half_term(), json!({ "series_id": id(&foreign) }))).problem(422, "invalid-body");
    assert_eq!(problem["errors"][0]["pointer"], "/series_id");
    let many = session_rows(&app, (0..2_001).map(|_| seed(reader.as_str())));
    let problem = client.post(&path, &half_term()).problem(422, "invalid-body");
    assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!("/to"), &json!("too_many")));
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("2000 sessions"), "{problem}");
    assert_eq!(status(&advisor, &many[0]), "scheduled");
    // A session that has begun stays as it is.
    app.at("2027-02-16T13:00:01Z");
    let begun = client.post(&path, &with(half_term(), json!({ "dry_run": true }))).expect(200);
    assert_eq!(begun["affected"], json!({ "sessions": 0, "booked": 0 }));
}
