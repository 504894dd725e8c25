//! Waiting lists of sessions that get more seats, fewer seats or another kind of seat.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, sessions};
use serde_json::{Value, json};

use crate::editing::{change, news};
use crate::support::{App, SessionSeed, partner_row, session_row, venue};
use crate::waiting::{
    Weekly, act, counts, done_to, entry, filled, id, key, leave, pass_on, show, somebody, standing, wait, waiter,
    weekly_by_roster,
};

#[test]
fn more_seats_are_offered_at_once_and_fewer_than_are_held_are_refused() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    // Changed through the API, which asks for a venue.
    let place = venue(&admin, "walton", "Liverpool");
    let seed = SessionSeed { capacity: Some(1), venue_id: place["id"].as_str(), ..SessionSeed::default() };
    let (session, held) = filled(&app, &advisor, session_row(&app, seed), 1);
    let waiters: Vec<_> = (0..3).map(|_| waiter(&app, &advisor, &session, 0)).collect();
    let path = format!("/v1/sessions/{session}");
    let capacity = |n: Value| admin.patch(&path, admin.get(&path).etag(), &json!({ "capacity": n }));
    let raised = capacity(json!(3)).expect(200);
    assert_eq!((&raised["seats_taken"], &raised["waitlist_length"]), (&json!(3), &json!(1)));
    let statuses = |n: usize| show(&advisor, &waiters[n].1)["status"].clone();
    assert_eq!([statuses(0), statuses(1), statuses(2)], [json!("offered"), json!("offered"), json!("waitlisted")]);
    assert_eq!(done_to(&app, &waiters[1].0), ["offer"]);
    capacity(json!(2)).problem(409, "capacity-below-seats");
    // Offers that have run out hold nothing: the seats that they held don't count.
    app.at("2026-11-24T09:00:00Z");
    act(&advisor, &waiters[0].1, "accept").problem(409, "offer-expired");
    let lowered = capacity(json!(1)).expect(200);
    assert_eq!((&lowered["seats_taken"], &lowered["waitlist_length"]), (&json!(1), &json!(1)));
    assert_eq!([statuses(0), statuses(2)], [json!("cancelled_by_provider"), json!("waitlisted")]);
    leave(&advisor, &held).expect(200);
    assert_eq!(statuses(2), "offered");
    // Without a limit, everybody is offered a seat.
    let more: Vec<String> = (0..3).map(|_| waiter(&app, &advisor, &session, 0).1).collect();
    capacity(Value::Null).expect(200);
    assert!(more.iter().all(|booking| show(&advisor, booking)["status"] == "offered"));
    assert_eq!(counts(&app, &session), (4, 0, 4));
}

#[test]
fn a_party_larger_than_the_session_has_become_waits_no_more_and_holds_up_nobody() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let (place, reader) = (venue(&admin, "walton", "Liverpool"), partner_row(&app, "the-reader"));
    let seed = SessionSeed {
        capacity: Some(4),
        venue_id: place["id"].as_str(),
        partner_id: Some(&reader),
        ..SessionSeed::default()
    };
    let session = session_row(&app, seed);
    let held: Vec<String> = (0..4).map(|_| id(&wait(&advisor, &session, &somebody(&app), 0).expect(201))).collect();
    let (sam, party) = waiter(&app, &advisor, &session, 3);
    let (_, alone) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held[0]).expect(200);
    leave(&advisor, &held[1]).expect(200);
    assert_eq!((counts(&app, &session), standing(&advisor, &party)), ((2, 2, 0), json!(["waitlisted", 1, null])));

    let client = app.partner_client(&reader, &[Scope::SessionsWrite, Scope::BookingsRead]);
    let path = format!("/v1/sessions/{session}");
    let lowered = change(&client, &path, &json!({ "capacity": 3 })).expect(200);
    assert_eq!((&lowered["seats_taken"], &lowered["waitlist_length"]), (&json!(3), &json!(0)));
    let too_few = "The session has too few seats now for this booking.";
    assert_eq!(news(&lowered), [(party.as_str(), "cancelled", Some(too_few), None)]);
    assert_eq!(done_to(&app, &sam), ["cancel"]);
    let ended = show(&advisor, &party);
    assert_eq!(
        (&ended["status"], &ended["cancellation_reason"], &ended["waitlist_position"]),
        (&json!("cancelled_by_provider"), &json!(too_few), &json!(null))
    );
    assert_eq!(standing(&advisor, &alone), json!(["offered", null, "2026-11-24T09:00:00Z"]));
    assert_eq!(counts(&app, &session), (3, 0, 1));

    // One that still fits stays, and is told where the session is moved with that; whoever sees names leaves a trace.
    let (kim, party) = waiter(&app, &advisor, &session, 2);
    let (_, last) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &alone).expect(200);
    change(&advisor, &path, &json!({ "capacity": 3, "title": "Poems" })).expect(200);
    assert_eq!(standing(&advisor, &party), json!(["waitlisted", 1, null]));
    let kept_then_ended = change(&advisor, &path, &json!({ "capacity": 2, "duration_minutes": 45 })).expect(200);
    let (other, another) = (held[2].as_str(), held[3].as_str());
    let lines = news(&kept_then_ended);
    let ids = |outcome: &str| lines.iter().filter(|line| line.1 == outcome).map(|line| line.0).collect::<Vec<_>>();
    assert_eq!(ids("cancelled"), [party.as_str()]);
    let mut kept = [other, another, last.as_str()];
    kept.sort_unstable();
    assert_eq!(ids("kept"), kept);
    assert_eq!(lines.iter().find(|line| line.0 == party).unwrap().3, Some(kim.as_str()));
    assert_eq!(counts(&app, &session), (2, 1, 0));
    let reads = audit_events::table
        .filter(audit_events::member_id.eq(key(&kim)))
        .filter(audit_events::action.eq("read"))
        .filter(audit_events::resource_id.eq(key(&party)))
        .filter(audit_events::request_id.ne("waiting-list"));
    let by: Vec<Option<Id>> = reads.select(audit_events::actor_id).load(&mut app.conn()).unwrap();
    // Once when its place was looked at above, and once by the answer.
    assert_eq!(by, [advisor.id, advisor.id]);
}

#[test]
fn a_series_a_split_and_a_roster_that_leave_fewer_seats_turn_parties_away_too() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let Weekly { roster, series, ids } = weekly_by_roster(&admin, 5);
    // Somebody is there; then wait five, four and three, and somebody alone.
    let fill = |session: &String| {
        wait(&advisor, session, &somebody(&app), 0).expect(201);
        [4, 3, 2, 0].map(|family| waiter(&app, &advisor, session, family).1)
    };
    let waiters: Vec<[String; 4]> = ids.iter().map(fill).collect();
    let statuses = |n: usize| waiters.iter().map(|list| show(&advisor, &list[n])["status"].clone()).collect::<Vec<_>>();
    let (gone, waits, offered) = ("cancelled_by_provider", "waitlisted", "offered");
    let ended = |answer: &Value| {
        let mut ended: Vec<String> = news(answer).iter().map(|line| format!("{} {}", line.1, line.0)).collect();
        ended.sort_unstable();
        ended
    };
    let expected = |list: &[[String; 4]], n: usize| {
        let mut expected: Vec<String> = list.iter().map(|list| format!("cancelled {}", list[n])).collect();
        expected.sort_unstable();
        expected
    };

    let answer = change(&admin, &series, &json!({ "capacity": 4 })).expect(200);
    assert_eq!(ended(&answer), expected(&waiters, 0));
    assert_eq!((statuses(0), statuses(1)), (vec![json!(gone); 3], vec![json!(waits); 3]));

    let split = json!({ "from": "2026-12-08T13:00:00", "changes": { "capacity": 3 } });
    let answer = admin.post(&format!("{series}/split"), &split).expect(201);
    assert_eq!(ended(&answer), expected(&waiters[1..], 1));
    assert_eq!(statuses(1), [json!(waits), json!(gone), json!(gone)]);
    assert_eq!(statuses(2), [json!(waits), json!(waits), json!(waits)]);

    // The series of the roster has the first session alone now.
    admin.post(&roster, &entry(2)).expect(201);
    assert_eq!((statuses(1), statuses(2)), (vec![json!(gone); 3], vec![json!(gone), json!(waits), json!(waits)]));
    assert_eq!(statuses(3), [json!(offered), json!(waits), json!(waits)]);
    assert_eq!(counts(&app, &ids[0]), (2, 0, 1));
}

#[test]
fn no_list_stays_for_a_kind_of_seat_that_is_gone() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let hybrid = || {
        let seed =
            SessionSeed { delivery: "hybrid", capacity: Some(3), online_capacity: Some(1), ..Default::default() };
        session_row(&app, SessionSeed { venue_id: place["id"].as_str(), ..seed })
    };
    let seat = |session: &str, delivery: &str, family: i32| {
        let body = json!({ "member_id": somebody(&app), "delivery": delivery, "party": { "family": family }, "if_full": "wait" });
        id(&advisor.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201))
    };
    let fill = |session: &str| {
        let room = [1, 2, 0].map(|family| seat(session, "in_person", family));
        (room, [0, 0].map(|family| seat(session, "online", family)))
    };
    let session = hybrid();
    let ([held, party, alone], [call, waits]) = fill(&session);
    assert_eq!(counts(&app, &session), (2, 3, 0));
    let to_room = json!({ "delivery": "in_person", "online_capacity": null, "capacity": 2 });
    let answer = change(&admin, &format!("/v1/sessions/{session}"), &to_room).expect(200);
    let face_to_face = Some("The session takes place face to face only now.");
    let mut lines = [
        (call.as_str(), "cancelled", face_to_face, None),
        (waits.as_str(), "cancelled", face_to_face, None),
        (party.as_str(), "cancelled", Some("The session has too few seats now for this booking."), None),
        (held.as_str(), "kept", None, None),
        (alone.as_str(), "kept", None, None),
    ];
    lines.sort_unstable_by_key(|line| (line.1, line.0));
    assert_eq!(news(&answer), lines);
    assert_eq!(counts(&app, &session), (2, 1, 0));
    assert_eq!(standing(&advisor, &alone), json!(["waitlisted", 1, null]));

    // A list that such a change left behind once goes with the next write.
    let session = hybrid();
    let ([held, party, alone], [_, waits]) = fill(&session);
    let of_it = diesel::update(sessions::table.find(key(&session)));
    let changes = (sessions::delivery.eq("in_person"), sessions::capacity.eq(2), sessions::online_seats_taken.eq(0));
    of_it.set((changes, sessions::online_capacity.eq(None::<i32>))).execute(&mut app.conn()).unwrap();
    leave(&advisor, &held).expect(200);
    for ended in [&party, &waits] {
        let reason = show(&advisor, ended)["cancellation_reason"].clone();
        assert_eq!(reason, "The session has too few seats now for this booking.");
    }
    assert_eq!((show(&advisor, &alone)["status"].clone(), counts(&app, &session)), (json!("offered"), (1, 0, 1)));
}

#[test]
fn seats_are_counted_anew_where_an_offer_has_run_out_before_the_kind_of_seat_goes() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let seed = SessionSeed { delivery: "hybrid", capacity: Some(2), online_capacity: Some(5), ..Default::default() };
    let session = session_row(&app, SessionSeed { venue_id: place["id"].as_str(), ..seed });
    let seat = |delivery: &str| {
        let body = json!({ "member_id": somebody(&app), "delivery": delivery, "if_full": "wait" });
        id(&advisor.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201)).to_owned()
    };
    let [leaves, _, offered] = ["in_person"; 3].map(seat);
    let _ = ["online"; 2].map(seat);
    leave(&advisor, &leaves).expect(200);
    assert_eq!(show(&advisor, &offered)["status"], "offered");
    app.at("2026-11-24T09:00:00Z");
    // One in person and the offer held two seats. Now the two online hold two, and the row must say so.
    let online = json!({ "delivery": "online", "online_capacity": null, "capacity": 3 });
    change(&admin, &format!("/v1/sessions/{session}"), &online).expect(200);
    assert_eq!(counts(&app, &session), (2, 0, 0));
}

#[test]
fn a_series_and_a_roster_that_give_more_seats_offer_them() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let Weekly { roster, series, ids } = weekly_by_roster(&admin, 1);
    let fill = |session: &String| {
        wait(&advisor, session, &somebody(&app), 0).expect(201);
        [waiter(&app, &advisor, session, 0).1, waiter(&app, &advisor, session, 0).1]
    };
    let waiters: Vec<[String; 2]> = ids.iter().map(fill).collect();
    let statuses = |n: usize| waiters.iter().map(|pair| show(&advisor, &pair[n])["status"].clone()).collect::<Vec<_>>();

    admin.patch(&series, admin.get(&series).etag(), &json!({ "capacity": 2 })).expect(200);
    assert_eq!((statuses(0), statuses(1)), (vec![json!("offered"); 3], vec![json!("waitlisted"); 3]));
    app.at("2026-12-01T13:00:00Z");
    admin.post(&roster, &entry(3)).expect(201);
    // The first one has begun: it stays as it was, and whoever waited for it waits no more.
    assert!(pass_on(&app));
    assert_eq!(statuses(1), [json!("cancelled_by_provider"), json!("offered"), json!("offered")]);
    for session in &ids[1..] {
        let (seats, waiting, _) = counts(&app, session);
        assert_eq!((seats, waiting), (2, 0), "the first offers ran out, and nobody else waits");
    }
}
