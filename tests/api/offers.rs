//! The bounds of waiting: who may answer an offer and when, how large a party is, and lists that go on over pages.

use diesel::RunQueryDsl;
use serde_json::{Value, json};

use crate::support::{App, Client, SessionSeed, session_row, venue};
use crate::waiting::{act, counts, done_to, full, id, leave, pass_on, session, show, somebody, standing, waiter};

#[test]
fn an_offer_is_answered_once_by_whose_it_is_and_as_it_was_read() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (alex, of_alex) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held).expect(200);
    let (member, other, nobodys) = (app.member(&sam), app.member(&alex), app.clock.new_id().to_string());
    let path = format!("/v1/bookings/{of_sam}");
    let old = [("if-match", "\"1\"")];
    for action in ["accept", "decline"] {
        act(&other, &of_sam, action).problem(404, "not-found");
        act(&advisor, &nobodys, action).problem(404, "not-found");
        act(&app.analyst(), &of_sam, action).problem(403, "forbidden");
        let stale = member.post_with(&format!("{path}/{action}"), &old, &Value::Null);
        stale.problem(412, "precondition-failed");
    }
    leave(&other, &of_sam).problem(404, "not-found");
    leave(&advisor, &nobodys).problem(404, "not-found");
    member.send("DELETE", &path, &old, b"").problem(412, "precondition-failed");
    assert_eq!(standing(&advisor, &of_sam), json!(["offered", null, "2026-11-24T09:00:00Z"]));

    let read = [("if-match", "\"2\""), ("idempotency-key", "no")];
    let decline = || member.post_with(&format!("{path}/decline"), &read, &Value::Null);
    let declined = decline();
    assert_eq!((declined.status, &declined.json["status"]), (200, &json!("cancelled_by_member")), "{}", declined.text);
    let again = decline();
    assert_eq!((again.header("idempotent-replay"), &again.json), ("true", &declined.json));
    act(&member, &of_sam, "decline").problem(409, "invalid-state");
    assert_eq!((show(&advisor, &of_alex)["status"].clone(), counts(&app, &session)), (json!("offered"), (1, 0, 1)));
}

#[test]
fn a_party_is_at_most_twenty_one_whether_it_books_or_waits() {
    let app = App::start();
    let (session, advisor) = (session(&app, 21), app.advisor());
    let book = |family: i32, carers: i32| {
        let body =
            json!({ "member_id": somebody(&app), "party": { "family": family, "carers": carers }, "if_full": "wait" });
        advisor.post(&format!("/v1/sessions/{session}/bookings"), &body)
    };
    book(11, 0).invalid(&["/party/family"]);
    book(-1, 0).invalid(&["/party/family"]);
    book(0, 11).invalid(&["/party/carers"]);
    book(0, -1).invalid(&["/party/carers"]);
    let booked = book(10, 10).expect(201);
    assert_eq!((&booked["status"], &booked["seats"]), (&json!("booked"), &json!(21)));
    let waits = book(10, 10).expect(201);
    assert_eq!(
        (&waits["status"], &waits["seats"], &waits["waitlist_position"]),
        (&json!("waitlisted"), &json!(21), &json!(1))
    );
    assert_eq!(counts(&app, &session), (21, 1, 0));
    leave(&advisor, &id(&booked)).expect(200);
    assert_eq!(act(&advisor, &id(&waits), "accept").expect(200)["party"], json!({ "family": 10, "carers": 10 }));
    assert_eq!(counts(&app, &session), (21, 0, 0));
}

#[test]
fn places_are_right_on_every_page_and_a_page_is_of_one_list_and_caller() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, _) = full(&app, &advisor, 1);
    let (other, _) = full(&app, &advisor, 1);
    let waiters: Vec<(String, String)> = (1..=5)
        .map(|second| {
            app.at(&format!("2026-11-23T09:00:0{second}Z"));
            waiter(&app, &advisor, &session, 0)
        })
        .collect();
    let path = |session: &str| format!("/v1/sessions/{session}/bookings?limit=2");
    let (mut next, mut places, mut pages) = (Some(path(&session)), Vec::new(), 0);
    while let Some(path) = next {
        let page = advisor.get(&path).expect(200);
        places.extend(page["items"].as_array().unwrap().iter().map(|booking| booking["waitlist_position"].as_i64()));
        (next, pages) = (page["next"].as_str().map(str::to_owned), pages + 1);
    }
    assert_eq!((pages, places), (3, vec![None, Some(1), Some(2), Some(3), Some(4), Some(5)]));
    // A member's own is where it is in the list, however many they don't see.
    let own = app.member(&waiters[3].0).get(&path(&session)).expect(200);
    assert_eq!((own["items"].as_array().unwrap().len(), &own["items"][0]["waitlist_position"]), (1, &json!(4)));

    let first = advisor.get(&path(&session)).expect(200);
    let (_, cursor) = first["next"].as_str().unwrap().split_once("cursor=").unwrap();
    advisor.get(&format!("{}&cursor={cursor}", path(&other))).wrong_parameter("cursor");
    app.advisor().get(&format!("{}&cursor={cursor}", path(&session))).wrong_parameter("cursor");
    advisor.get(&format!("{}&cursor=nonsense", path(&session))).wrong_parameter("cursor");
}

/// A venue, and a hybrid session of one seat of each kind there.
fn at_a_venue(app: &App) -> (Value, String) {
    let place = venue(&app.admin(), "walton", "Liverpool");
    let at = id(&place);
    let one = SessionSeed { venue_id: Some(&at), delivery: "hybrid", capacity: Some(1), ..SessionSeed::default() };
    let session = session_row(app, SessionSeed { online_capacity: Some(1), ..one });
    (place, session)
}

/// Books a seat of this kind, or waits for one.
fn queue(app: &App, advisor: &Client, session: &str, seat: &str) -> (String, String) {
    let member = somebody(app);
    let body = json!({ "member_id": member, "delivery": seat, "if_full": "wait" });
    (member, id(&advisor.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201)))
}

fn set_venue(app: &App, place: &Value, status: &str) {
    let (admin, path) = (app.admin(), format!("/v1/venues/{}", id(place)));
    admin.patch(&path, admin.get(&path).etag(), &json!({ "status": status })).expect(200);
}

#[test]
fn an_offer_at_a_venue_that_closes_is_made_again_to_the_same_person_when_it_opens() {
    let app = App::start();
    let advisor = app.advisor();
    let (place, session) = at_a_venue(&app);
    let [(_, held), (sam, of_sam), (alex, of_alex)] = [0; 3].map(|_| queue(&app, &advisor, &session, "in_person"));
    let [(_, on_call), (_, online)] = [0; 2].map(|_| queue(&app, &advisor, &session, "online"));
    leave(&advisor, &held).expect(200);
    leave(&advisor, &on_call).expect(200);
    assert_eq!(standing(&advisor, &of_sam), json!(["offered", null, "2026-11-24T09:00:00Z"]));

    app.at("2026-11-23T10:00:00Z");
    set_venue(&app, &place, "closed");
    assert_eq!(standing(&advisor, &of_sam), json!(["waitlisted", 1, null]));
    assert_eq!(standing(&advisor, &of_alex), json!(["waitlisted", 2, null]));
    assert_eq!((counts(&app, &session), done_to(&app, &sam)), ((0, 2, 1), vec!["offer".into(), "withdraw".into()]));
    let member = app.member(&sam);
    act(&member, &of_sam, "accept").problem(409, "venue-closed");
    // A venue concerns nobody online.
    assert_eq!(act(&advisor, &online, "accept").expect(200)["status"], "booked");

    app.at("2026-11-25T09:00:00Z");
    assert!(!pass_on(&app), "no offer has expired");
    set_venue(&app, &place, "open");
    assert_eq!(standing(&advisor, &of_sam), json!(["offered", null, "2026-11-26T09:00:00Z"]));
    assert_eq!((standing(&advisor, &of_alex), done_to(&app, &alex)), (json!(["waitlisted", 1, null]), vec![]));
    assert_eq!(act(&member, &of_sam, "accept").expect(200)["status"], "booked");
    assert_eq!(counts(&app, &session), (1, 1, 0));
}

#[test]
fn an_offer_made_while_the_venue_was_being_closed_costs_nobody_their_turn() {
    let app = App::start();
    let advisor = app.advisor();
    let (place, session) = at_a_venue(&app);
    let [(_, held), (sam, of_sam), (alex, of_alex)] = [0; 3].map(|_| queue(&app, &advisor, &session, "in_person"));
    leave(&advisor, &held).expect(200);
    // As if the closing hadn't seen the offer.
    diesel::sql_query("UPDATE venues SET status = 'closed'").execute(&mut app.conn()).unwrap();
    act(&advisor, &of_sam, "accept").problem(409, "venue-closed");

    app.at("2026-11-24T09:00:00Z");
    act(&advisor, &of_sam, "accept").problem(409, "venue-closed");
    assert!(pass_on(&app) && !pass_on(&app));
    assert_eq!(standing(&advisor, &of_sam), json!(["waitlisted", 1, null]));
    assert_eq!((counts(&app, &session), done_to(&app, &sam)), ((0, 2, 0), vec!["offer".into(), "withdraw".into()]));
    set_venue(&app, &place, "open");
    assert_eq!((&show(&advisor, &of_sam)["status"], done_to(&app, &alex)), (&json!("offered"), vec![]));

    // Closed until it starts, nobody gets a seat, and that is what they read.
    set_venue(&app, &place, "closed");
    app.at("2026-11-30T13:00:00Z");
    assert!(pass_on(&app));
    for booking in [&of_sam, &of_alex] {
        assert_eq!(show(&advisor, booking)["cancellation_reason"], "No seat came free before the session started.");
    }
}
