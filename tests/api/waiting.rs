//! Waiting lists: who is next, what is offered, for how long, and what happens when everybody comes at once.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::background;
use life_rooms::config::{Config, OfferHours};
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, sessions};
use life_rooms::sessions::bookings::turnover;
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Client, SessionSeed, item_row, member_row, partner, partner_row, session_row, venue,
};

pub fn key(text: &str) -> Id {
    text.parse().unwrap()
}

/// A session of so many seats.
pub fn session(app: &App, capacity: i32) -> String {
    session_row(app, SessionSeed { capacity: Some(capacity), ..SessionSeed::default() })
}

/// A session of so many seats, all of them booked, and the booking.
pub fn full(app: &App, advisor: &Client, capacity: i32) -> (String, String) {
    let session = session(app, capacity);
    filled(app, advisor, session, capacity)
}

pub fn filled(app: &App, advisor: &Client, session: String, capacity: i32) -> (String, String) {
    let held = wait(advisor, &session, &somebody(app), capacity - 1).expect(201);
    assert_eq!(held["status"], "booked");
    (session, id(&held))
}

pub fn somebody(app: &App) -> String {
    member_row(app, "Sam", "Riley")
}

pub fn id(booking: &Value) -> String {
    booking["id"].as_str().unwrap().to_owned()
}

/// Books with so many of the family, or waits.
pub fn wait(client: &Client, session: &str, member: &str, family: i32) -> Answer {
    let body = json!({ "member_id": member, "party": { "family": family }, "if_full": "wait" });
    client.post(&format!("/v1/sessions/{session}/bookings"), &body)
}

/// A new member who waits, and their booking.
pub fn waiter(app: &App, advisor: &Client, session: &str, family: i32) -> (String, String) {
    let member = somebody(app);
    let booking = wait(advisor, session, &member, family).expect(201);
    assert_eq!(booking["status"], "waitlisted");
    (member, id(&booking))
}

pub fn show(client: &Client, booking: &str) -> Value {
    client.get(&format!("/v1/bookings/{booking}")).expect(200)
}

pub fn act(client: &Client, booking: &str, action: &str) -> Answer {
    client.post(&format!("/v1/bookings/{booking}/{action}"), &Value::Null)
}

pub fn leave(client: &Client, booking: &str) -> Answer {
    client.delete(&format!("/v1/bookings/{booking}"))
}

/// Status, place in the list and end of the offer.
pub fn standing(client: &Client, booking: &str) -> Value {
    let booking = show(client, booking);
    json!([booking["status"], booking["waitlist_position"], booking["offer_expires_at"]])
}

/// Seats taken, how many wait, how many offers are open.
pub fn counts(app: &App, session: &str) -> (i32, i32, i32) {
    let columns = (sessions::seats_taken, sessions::waitlist_length, sessions::offers_open);
    sessions::table.find(key(session)).select(columns).first(&mut app.conn()).unwrap()
}

/// What the service itself did to a member's bookings, as time went on; what it did at one instant by its name.
pub fn done_to(app: &App, member: &str) -> Vec<String> {
    let of_it = audit_events::table.filter(audit_events::member_id.eq(key(member)));
    let by_itself = of_it.filter(audit_events::actor_kind.eq("system")).filter(audit_events::actor_id.is_null());
    let mut actions: Vec<String> = by_itself
        .order((audit_events::at, audit_events::action))
        .select(audit_events::action)
        .load(&mut app.conn())
        .unwrap();
    actions.dedup();
    actions
}

/// The server's own look at the clock, as it takes it every few seconds; whether there was anything to do.
pub fn pass_on(app: &App) -> bool {
    let ran = background::run_if_due(&app.state, turnover::TASK, app.clock.new_id());
    actix_web::rt::System::new().block_on(ran).unwrap()
}

#[test]
fn people_wait_in_the_order_in_which_they_came_and_are_shown_their_place() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, _) = full(&app, &advisor, 2);
    let (sam, alex, kim) = (somebody(&app), somebody(&app), somebody(&app));
    let member = app.member(&sam);
    let path = format!("/v1/sessions/{session}/bookings");
    let problem = member.post(&path, &json!({})).problem(409, "session-full");
    assert_eq!(problem["detail"], "No seats are left.");
    let made = member.post(&path, &json!({ "if_full": "wait" }));
    assert_eq!((made.status, made.tag_version()), (201, "1"), "{}", made.text);
    assert_eq!((&made.json["status"], &made.json["waitlist_position"]), (&json!("waitlisted"), &json!(1)));
    assert_eq!(made.json["offer_expires_at"], json!(null));
    let of_alex = id(&wait(&advisor, &session, &alex, 0).expect(201));
    let of_kim = id(&wait(&advisor, &session, &kim, 1).expect(201));
    assert_eq!(counts(&app, &session), (2, 3, 0));
    assert_eq!(app.anonymous().get(&format!("/v1/sessions/{session}")).expect(200)["waitlist_length"], 3);
    // Everywhere a booking is shown, it is shown with its place.
    let mine = member.get(&format!("/v1/members/{sam}/bookings")).expect(200);
    assert_eq!(mine["items"], json!([made.json]));
    assert_eq!(member.get(&path).expect(200)["items"], json!([made.json]));
    let listed = advisor.get(&path).expect(200);
    let mut places: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|b| b["waitlist_position"].as_i64()).collect();
    places.sort_unstable();
    assert_eq!(places, [None, Some(1), Some(2), Some(3)]);
    // One booking a member, whether it waits or not.
    wait(&advisor, &session, &sam, 0).problem(409, "already-booked");

    let left = leave(&member, &made.id()).expect(200);
    assert_eq!((&left["status"], &left["waitlist_position"]), (&json!("cancelled_by_member"), &json!(null)));
    assert_eq!(standing(&advisor, &of_alex), json!(["waitlisted", 1, null]));
    assert_eq!(standing(&advisor, &of_kim), json!(["waitlisted", 2, null]));
    assert_eq!(counts(&app, &session), (2, 2, 0));
    // Whoever comes back is the last.
    assert_eq!(wait(&member, &session, &sam, 0).expect(201)["waitlist_position"], 3);
}

#[test]
fn a_seat_that_comes_free_is_offered_to_whoever_is_next_and_can_be_accepted() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (alex, of_alex) = waiter(&app, &advisor, &session, 0);
    let (member, other) = (app.member(&sam), app.member(&alex));
    act(&member, &of_sam, "accept").problem(409, "invalid-state");
    leave(&advisor, &held).expect(200);
    let offered = member.get(&format!("/v1/bookings/{of_sam}"));
    assert_eq!(
        (&offered.json["status"], &offered.json["offer_expires_at"], &offered.json["version"]),
        (&json!("offered"), &json!("2026-11-24T09:00:00Z"), &json!(2))
    );
    assert_eq!(standing(&advisor, &of_alex), json!(["waitlisted", 1, null]));
    assert_eq!(counts(&app, &session), (1, 1, 1));
    assert_eq!((done_to(&app, &sam), done_to(&app, &alex)), (vec!["offer".to_owned()], vec![]));

    act(&other, &of_sam, "accept").problem(404, "not-found");
    let path = format!("/v1/bookings/{of_sam}/accept");
    member.post_with(&path, &[("if-match", "\"1\"")], &Value::Null).problem(412, "precondition-failed");
    let accept = || member.post_with(&path, &[("if-match", "\"2\""), ("idempotency-key", "yes")], &Value::Null);
    let booked = accept();
    assert_eq!((booked.status, booked.tag_version()), (200, "3"), "{}", booked.text);
    assert_eq!((&booked.json["status"], &booked.json["offer_expires_at"]), (&json!("booked"), &json!(null)));
    assert_eq!((accept().json, counts(&app, &session)), (booked.json, (1, 1, 0)));
    let problem = act(&member, &of_sam, "accept").problem(409, "invalid-state");
    assert_eq!(problem["detail"], "The booking is booked and can't be accepted. It can be cancelled.");
    let problem = act(&member, &of_sam, "decline").problem(409, "invalid-state");
    assert_eq!(problem["detail"], "The booking is booked and can't be declined. It can be cancelled.");
    assert_eq!(standing(&advisor, &of_alex), json!(["waitlisted", 1, null]));
}

#[test]
fn a_declined_seat_and_one_that_is_given_back_go_to_the_next() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let waiters: Vec<_> = (0..4).map(|_| waiter(&app, &advisor, &session, 0)).collect();
    act(&advisor, &waiters[0].1, "decline").problem(409, "invalid-state");
    leave(&advisor, &held).expect(200);
    let declined = act(&app.member(&waiters[0].0), &waiters[0].1, "decline").expect(200);
    assert_eq!((&declined["status"], &declined["offer_expires_at"]), (&json!("cancelled_by_member"), &json!(null)));
    assert_eq!(show(&advisor, &waiters[1].1)["status"], "offered");
    // DELETE of what is offered declines it, for the service too.
    let ended = advisor.delete(&format!("/v1/bookings/{}?by=provider", waiters[1].1)).expect(200);
    assert_eq!(ended["status"], "cancelled_by_provider");
    assert_eq!(show(&advisor, &waiters[2].1)["status"], "offered");
    act(&advisor, &waiters[2].1, "accept").expect(200);
    leave(&advisor, &waiters[2].1).expect(200);
    assert_eq!(show(&advisor, &waiters[3].1)["status"], "offered");
    assert_eq!(counts(&app, &session), (1, 0, 1));
    leave(&advisor, &waiters[3].1).expect(200);
    assert_eq!(counts(&app, &session), (0, 0, 0));
}

#[test]
fn parties_wait_whole_and_nobody_overtakes_them() {
    let app = App::start();
    let advisor = app.advisor();
    let session = session(&app, 4);
    let held: Vec<String> = (0..4).map(|_| id(&wait(&advisor, &session, &somebody(&app), 0).expect(201))).collect();
    let (_, party) = waiter(&app, &advisor, &session, 1);
    let (_, alone) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held[0]).expect(200);
    assert_eq!(standing(&advisor, &party), json!(["waitlisted", 1, null]));
    assert_eq!(standing(&advisor, &alone), json!(["waitlisted", 2, null]));
    assert_eq!(counts(&app, &session), (3, 2, 0));
    // A seat is free, and is kept for those who wait.
    let newcomer = json!({ "member_id": somebody(&app) });
    let problem = advisor.post(&format!("/v1/sessions/{session}/bookings"), &newcomer).problem(409, "session-full");
    assert_eq!(problem["detail"], "Others are waiting for a seat. Send if_full: wait to wait behind them.");
    let (_, last) = waiter(&app, &advisor, &session, 0);
    assert_eq!(show(&advisor, &last)["waitlist_position"], 3);

    leave(&advisor, &held[1]).expect(200);
    assert_eq!(show(&advisor, &party)["status"], "offered");
    assert_eq!(standing(&advisor, &alone), json!(["waitlisted", 1, null]));
    // What one gives back may be enough for several.
    act(&advisor, &party, "decline").expect(200);
    assert_eq!(
        (show(&advisor, &alone)["status"].clone(), show(&advisor, &last)["status"].clone()),
        (json!("offered"), json!("offered"))
    );
    assert_eq!(counts(&app, &session), (4, 0, 2));

    // Whoever is next holds up the others until they leave.
    let (_, party) = waiter(&app, &advisor, &session, 2);
    let (_, alone) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held[2]).expect(200);
    assert_eq!(show(&advisor, &alone)["status"], "waitlisted");
    leave(&advisor, &party).expect(200);
    assert_eq!(show(&advisor, &alone)["status"], "offered");
}

#[test]
fn who_may_not_book_may_not_wait_and_a_party_larger_than_the_session_neither() {
    let app = App::start();
    let (advisor, sam) = (app.advisor(), somebody(&app));
    let drop_in = session_row(&app, SessionSeed { booking_policy: "drop_in", ..SessionSeed::default() });
    wait(&advisor, &drop_in, &sam, 0).problem(409, "takes-no-bookings");
    let seed = SessionSeed { booking_policy: "referral_only", capacity: Some(1), ..SessionSeed::default() };
    let referral = session_row(&app, seed);
    let alex = somebody(&app);
    item_row(&app, &alex, "active", Some(&referral), None);
    wait(&advisor, &referral, &alex, 0).expect(201);
    wait(&advisor, &referral, &sam, 0).problem(409, "referral-only");
    let item = item_row(&app, &sam, "active", Some(&referral), None);
    let waiting = wait(&advisor, &referral, &sam, 0).expect(201);
    assert_eq!((&waiting["status"], &waiting["prescription_item_id"]), (&json!("waitlisted"), &json!(item)));

    let (small, _) = full(&app, &advisor, 2);
    let problem = wait(&advisor, &small, &sam, 2).problem(409, "session-full");
    assert_eq!(problem["detail"], "The session has 2 of these seats in all, and 3 are wanted.");
    assert_eq!(counts(&app, &small), (2, 0, 0));
    app.at("2026-11-30T13:00:00Z");
    wait(&advisor, &small, &sam, 0).problem(409, "session-started");
}

#[test]
fn offers_last_as_the_settings_say_and_never_beyond_the_start() {
    let app = App::start_with(Config { offers: OfferHours { usual: 48, late: 3 }, ..Config::default() });
    let advisor = app.advisor();
    let offered_at = |now: &str| {
        app.at("2026-11-23T09:00:00Z");
        let (session, held) = full(&app, &advisor, 1);
        let (_, waiting) = waiter(&app, &advisor, &session, 0);
        app.at(now);
        leave(&advisor, &held).expect(200);
        show(&advisor, &waiting)["offer_expires_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(offered_at("2026-11-23T09:00:00Z"), "2026-11-25T09:00:00Z");
    assert_eq!(offered_at("2026-11-29T12:59:59Z"), "2026-11-30T13:00:00Z");
    assert_eq!(offered_at("2026-11-29T13:00:00Z"), "2026-11-29T16:00:00Z");
    assert_eq!(offered_at("2026-11-30T12:00:00Z"), "2026-11-30T13:00:00Z");
}

#[test]
fn an_offer_that_runs_out_passes_on_by_itself() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (alex, of_alex) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held).expect(200);
    assert!(!pass_on(&app));
    app.at("2026-11-24T08:59:59Z");
    assert!(!pass_on(&app));
    app.at("2026-11-24T09:00:00Z");
    for refused in [act(&advisor, &of_sam, "accept"), act(&advisor, &of_sam, "decline"), leave(&advisor, &of_sam)] {
        let problem = refused.problem(409, "offer-expired");
        assert!(problem["detail"].as_str().unwrap().starts_with("The seat was held until 2026-11-24T09:00:00Z"));
    }
    assert!(pass_on(&app));
    let ended = show(&advisor, &of_sam);
    assert_eq!(
        (&ended["status"], &ended["cancellation_reason"]),
        (&json!("cancelled_by_provider"), &json!("The offered seat was not accepted in time."))
    );
    assert_eq!(ended["offer_expires_at"], json!(null));
    assert_eq!(standing(&advisor, &of_alex), json!(["offered", null, "2026-11-25T09:00:00Z"]));
    assert_eq!(counts(&app, &session), (1, 0, 1));
    assert_eq!(
        (done_to(&app, &sam), done_to(&app, &alex)),
        (vec!["offer".into(), "expire".into()], vec!["offer".into()])
    );
    // It is answered the same whether the server has looked at the clock or not.
    act(&advisor, &of_sam, "accept").problem(409, "offer-expired");
    leave(&advisor, &of_sam).problem(409, "invalid-state");
    assert!(!pass_on(&app));
    // Nobody waits any more: the seat is free for everybody.
    app.at("2026-11-25T09:00:00Z");
    assert!(pass_on(&app));
    assert_eq!(counts(&app, &session), (0, 0, 0));
    assert_eq!(wait(&advisor, &session, &sam, 0).expect(201)["status"], "booked");
}

#[test]
fn whoever_writes_next_passes_on_what_has_run_out_before_the_server_does() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (_, of_alex) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held).expect(200);
    app.at("2026-11-24T09:00:00Z");
    // Sam's offer has run out, so Sam has no place, and may wait again: behind whoever is offered the seat now.
    let again = wait(&advisor, &session, &sam, 0).expect(201);
    assert_eq!((&again["status"], &again["waitlist_position"]), (&json!("waitlisted"), &json!(1)));
    assert_eq!(show(&advisor, &of_sam)["status"], "cancelled_by_provider");
    assert_eq!(show(&advisor, &of_alex)["status"], "offered");
    // A refused write changes nothing, and leaves it to others.
    app.at("2026-11-25T09:00:00Z");
    let path = format!("/v1/sessions/{session}/bookings");
    advisor.post(&path, &json!({ "member_id": somebody(&app) })).problem(409, "session-full");
    assert_eq!(show(&advisor, &of_alex)["status"], "offered");
    leave(&advisor, &id(&again)).expect(200);
    assert_eq!(show(&advisor, &of_alex)["status"], "cancelled_by_provider");
    assert_eq!(counts(&app, &session), (0, 0, 0));
}

/// A series that a roster has made: where the roster is posted, the series' path, and the ids of its sessions.
pub struct Weekly {
    pub roster: String,
    pub series: String,
    pub ids: Vec<String>,
}

/// Three Tuesdays with so many seats each.
pub fn weekly_by_roster(admin: &Client, capacity: i32) -> Weekly {
    venue(admin, "walton", "Liverpool");
    let reader = partner(admin, "the-reader")["id"].as_str().unwrap().to_owned();
    let roster = format!("/v1/partners/{reader}/rosters");
    let made = admin.post(&roster, &entry(capacity)).expect(201);
    let series = format!("/v1/session-series/{}", made["entries"][0]["resource_id"].as_str().unwrap());
    let listed = admin.get(&format!("/v1/sessions?partner_id={reader}")).expect(200);
    let ids = listed["items"].as_array().unwrap().iter().map(id).collect();
    Weekly { roster, series, ids }
}

/// The roster that it is in.
pub fn entry(capacity: i32) -> Value {
    json!({ "entries": [{ "external_id": "a", "title": "Reading", "pillar": "community", "delivery": "in_person",
        "venue": "walton", "local_start": "2026-12-01T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60,
        "recurrence": "FREQ=WEEKLY;COUNT=3", "capacity": capacity }] })
}

#[test]
fn a_hybrid_session_has_a_list_for_its_room_and_one_for_its_call() {
    let app = App::start();
    let advisor = app.advisor();
    let seed =
        SessionSeed { delivery: "hybrid", capacity: Some(1), online_capacity: Some(1), ..SessionSeed::default() };
    let session = session_row(&app, seed);
    let path = format!("/v1/sessions/{session}/bookings");
    let seat = |delivery: &str| {
        let body = json!({ "member_id": somebody(&app), "delivery": delivery, "if_full": "wait" });
        let made = advisor.post(&path, &body).expect(201);
        (id(&made), made["waitlist_position"].clone())
    };
    let (room, _) = seat("in_person");
    let (first, place) = seat("in_person");
    assert_eq!(place, 1);
    // Somebody waits for the room, not for the call.
    let (call, place) = seat("online");
    assert_eq!((place, show(&advisor, &call)["status"].clone()), (Value::Null, json!("booked")));
    let (second, place) = seat("online");
    assert_eq!(place, 1);
    let (third, place) = seat("in_person");
    assert_eq!(place, 2);
    assert_eq!(app.anonymous().get(&format!("/v1/sessions/{session}")).expect(200)["waitlist_length"], 3);
    leave(&advisor, &call).expect(200);
    assert_eq!(show(&advisor, &second)["status"], "offered");
    assert_eq!(standing(&advisor, &first), json!(["waitlisted", 1, null]));
    leave(&advisor, &room).expect(200);
    assert_eq!(show(&advisor, &first)["status"], "offered");
    assert_eq!(standing(&advisor, &third), json!(["waitlisted", 1, null]));
    let row = advisor.get(&format!("/v1/sessions/{session}")).expect(200);
    assert_eq!((&row["seats_taken"], &row["online_seats_taken"]), (&json!(1), &json!(1)));
}

#[test]
fn the_start_ends_offers_and_waiting_and_who_came_all_the_same_is_a_walk_in() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (alex, of_alex) = waiter(&app, &advisor, &session, 0);
    app.at("2026-11-30T12:30:00Z");
    leave(&advisor, &held).expect(200);
    assert_eq!(show(&advisor, &of_sam)["offer_expires_at"], "2026-11-30T13:00:00Z");
    app.at("2026-11-30T13:00:00Z");
    act(&advisor, &of_sam, "accept").problem(409, "offer-expired");
    // Taking the register ends them, where the server hasn't yet.
    let register = json!({ "bookings": [], "walk_ins": [{ "member_id": sam }, { "member_id": alex }],
        "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    let taken = advisor.put(&format!("/v1/sessions/{session}/register"), "\"0\"", &register).expect(200);
    assert_eq!((taken["walk_ins"].as_array().unwrap().len(), &taken["bookings"]), (2, &json!([])));
    let ended = show(&advisor, &of_alex);
    assert_eq!(
        (&ended["status"], &ended["cancellation_reason"]),
        (&json!("cancelled_by_provider"), &json!("No seat came free before the session started."))
    );
    assert_eq!(show(&advisor, &of_sam)["cancellation_reason"], "The offered seat was not accepted in time.");
    assert_eq!(counts(&app, &session), (0, 0, 0));
    assert_eq!(
        (done_to(&app, &sam), done_to(&app, &alex)),
        (vec!["offer".into(), "expire".into()], vec!["cancel".into()])
    );
    assert!(!pass_on(&app));

    // And where nobody takes the register, the server ends them by itself.
    app.at("2026-11-23T09:00:00Z");
    let (quiet, _) = full(&app, &advisor, 1);
    let (_, waiting) = waiter(&app, &advisor, &quiet, 0);
    app.at("2026-11-30T13:00:00Z");
    assert!(pass_on(&app));
    assert_eq!(
        (show(&advisor, &waiting)["status"].clone(), counts(&app, &quiet)),
        (json!("cancelled_by_provider"), (1, 0, 0))
    );
}

#[test]
fn a_cancelled_session_ends_offers_and_waiting_with_its_reason() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (_, of_alex) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held).expect(200);
    admin.post(&format!("/v1/sessions/{session}/cancel"), &json!({ "reason": "The roof leaks." })).expect(200);
    for booking in [&of_sam, &of_alex] {
        let ended = show(&advisor, booking);
        assert_eq!(
            (&ended["status"], &ended["cancellation_reason"]),
            (&json!("cancelled_by_provider"), &json!("The roof leaks."))
        );
    }
    assert_eq!(counts(&app, &session), (0, 0, 0));
    act(&app.member(&sam), &of_sam, "accept").problem(409, "invalid-state");
    app.at("2026-12-24T09:00:00Z");
    assert!(!pass_on(&app));
}

#[test]
fn a_partner_sees_who_waits_by_reference_alone_and_moves_nobody() {
    let app = App::start();
    let (advisor, reader) = (app.advisor(), partner_row(&app, "the-reader"));
    let seed = SessionSeed { partner_id: Some(&reader), capacity: Some(1), ..SessionSeed::default() };
    let session = session_row(&app, seed);
    wait(&advisor, &session, &somebody(&app), 0).expect(201);
    let (_, waiting) = waiter(&app, &advisor, &session, 0);
    let client = app.partner_client(&reader, &[Scope::BookingsRead]);
    let listed = client.get(&format!("/v1/sessions/{session}/bookings")).expect(200);
    let shown = listed["items"].as_array().unwrap().iter().find(|booking| id(booking) == waiting).unwrap();
    assert_eq!((&shown["waitlist_position"], &shown["member_id"]), (&json!(1), &Value::Null));
    act(&client, &waiting, "accept").problem(403, "forbidden");
    act(&app.admin(), &waiting, "decline").problem(403, "forbidden");
}
