//! Sessions that become drop-in: whoever waits for a seat, or is offered one, needs none any more.

use serde_json::{Value, json};

use crate::editing::{change, news};
use crate::support::{App, Client, SessionSeed, session_row, venue};
use crate::waiting::{
    Weekly, act, counts, done_to, entry, id, leave, pass_on, show, somebody, wait, waiter, weekly_by_roster,
};

const DROP_IN: &str = "It is a drop-in session now: no booking is needed, just come.";

/// Of a session of two seats: who is booked, who is offered the other seat (with the member), and who waits (likewise).
struct List {
    booked: String,
    offered: (String, String),
    waiting: (String, String),
}

fn list(app: &App, advisor: &Client, session: &str) -> List {
    let [booked, gone] = [(), ()].map(|()| id(&wait(advisor, session, &somebody(app), 0).expect(201)));
    let [offered, waiting] = [0, 1].map(|family| waiter(app, advisor, session, family));
    leave(advisor, &gone).expect(200);
    assert_eq!(counts(app, session), (2, 1, 1));
    List { booked, offered, waiting }
}

impl List {
    /// Whether both were turned away and the third stays booked.
    fn is_over(&self, app: &App, advisor: &Client, session: &str) -> bool {
        let ended = |booking: &str| {
            let shown = show(advisor, booking);
            shown["status"] == "cancelled_by_provider" && shown["cancellation_reason"] == DROP_IN
        };
        let held = show(advisor, &self.booked)["status"] == "booked";
        held && ended(&self.offered.1) && ended(&self.waiting.1) && counts(app, session) == (1, 0, 0)
    }

    fn stands(&self, advisor: &Client) -> bool {
        show(advisor, &self.offered.1)["status"] == "offered"
            && show(advisor, &self.waiting.1)["status"] == "waitlisted"
    }
}

/// Booking, outcome and reason of everybody in these lists.
fn all_told<'a>(lists: &[&'a List]) -> Vec<(&'a str, &'static str, Option<&'static str>)> {
    let of = |list: &&'a List| [list.offered.1.as_str(), list.waiting.1.as_str()];
    let mut all: Vec<_> = lists.iter().flat_map(of).map(|booking| (booking, "cancelled", Some(DROP_IN))).collect();
    all.sort_unstable();
    all
}

fn told(answer: &Value) -> Vec<(&str, &str, Option<&str>)> {
    news(answer).into_iter().map(|(booking, outcome, reason, _)| (booking, outcome, reason)).collect()
}

#[test]
fn whoever_waits_for_a_session_that_becomes_drop_in_is_told_that_no_booking_is_needed() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let seed = SessionSeed { capacity: Some(2), venue_id: place["id"].as_str(), ..SessionSeed::default() };
    let session = session_row(&app, seed);
    let list = list(&app, &advisor, &session);
    let path = format!("/v1/sessions/{session}");
    let changed = change(&advisor, &path, &json!({ "booking_policy": "drop_in" })).expect(200);
    assert_eq!((&changed["seats_taken"], &changed["waitlist_length"]), (&json!(1), &json!(0)));
    assert_eq!(told(&changed), all_told(&[&list]));
    let whose: Vec<_> = news(&changed).iter().map(|line| line.3.map(str::to_owned)).collect();
    assert!(whose.contains(&Some(list.offered.0.clone())) && whose.contains(&Some(list.waiting.0.clone())));
    assert!(list.is_over(&app, &advisor, &session));
    // Both at the same instant: in the order of their names.
    assert_eq!(done_to(&app, &list.offered.0), ["cancel", "offer"]);
    assert_eq!(done_to(&app, &list.waiting.0), ["cancel"]);

    // Nothing is left for anybody to do, and who is booked may stay or leave.
    act(&advisor, &list.offered.1, "accept").problem(409, "invalid-state");
    wait(&advisor, &session, &somebody(&app), 0).problem(409, "takes-no-bookings");
    app.at("2026-11-25T09:00:00Z");
    assert!(!pass_on(&app));
    leave(&advisor, &list.booked).expect(200);
    assert_eq!(counts(&app, &session), (0, 0, 0));

    // Where it becomes bookable again, whoever was turned away may book.
    change(&advisor, &path, &json!({ "booking_policy": "bookable" })).expect(200);
    assert_eq!(wait(&advisor, &session, &list.waiting.0, 0).expect(201)["status"], "booked");
}

#[test]
fn the_lists_of_the_room_and_of_the_call_end_alike_and_what_ran_out_before_is_told_as_that() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let seed = SessionSeed { delivery: "hybrid", capacity: Some(1), online_capacity: Some(1), ..Default::default() };
    let session = session_row(&app, SessionSeed { venue_id: place["id"].as_str(), ..seed });
    let seat = |delivery: &str| {
        let body = json!({ "member_id": somebody(&app), "delivery": delivery, "if_full": "wait" });
        id(&advisor.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201))
    };
    let [room, call] = ["in_person", "online"].map(|delivery| [(); 3].map(|()| seat(delivery)));
    leave(&advisor, &room[0]).expect(200);
    app.at("2026-11-24T08:00:00Z");
    leave(&advisor, &call[0]).expect(200);
    // The offer in the room has run out, that of the call stands.
    app.at("2026-11-24T09:00:00Z");
    let path = format!("/v1/sessions/{session}");
    let changed = change(&admin, &path, &json!({ "booking_policy": "drop_in", "duration_minutes": 60 })).expect(200);
    let mut expected = [&room[2], &call[1], &call[2]].map(|booking| (booking.as_str(), "cancelled", Some(DROP_IN)));
    expected.sort_unstable();
    assert_eq!(told(&changed), expected);
    assert_eq!(show(&advisor, &room[1])["cancellation_reason"], "The offered seat was not accepted in time.");
    assert_eq!((&changed["seats_taken"], &changed["online_seats_taken"]), (&json!(0), &json!(0)));
    assert_eq!(counts(&app, &session), (0, 0, 0));
}

#[test]
fn a_series_a_split_and_a_roster_that_make_sessions_drop_in_end_their_lists_too() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let Weekly { roster, series, ids } = weekly_by_roster(&admin, 2);
    let lists: Vec<List> = ids.iter().map(|session| list(&app, &advisor, session)).collect();
    let over = || -> Vec<bool> {
        lists.iter().zip(&ids).map(|(list, session)| list.is_over(&app, &advisor, session)).collect()
    };
    // The last one alone, with a time of its own.
    let changes = json!({ "booking_policy": "drop_in", "duration_minutes": 45 });
    let split = json!({ "from": "2026-12-15T13:00:00", "changes": changes });
    let answer = admin.post(&format!("{series}/split"), &split).expect(201);
    let kept = (lists[2].booked.as_str(), "kept", None);
    assert_eq!(told(&answer), [all_told(&[&lists[2]]), vec![kept]].concat());
    assert_eq!(over(), [false, false, true]);
    assert!(lists[..2].iter().all(|list| list.stands(&advisor)));

    // One that was edited by hand doesn't follow its series, nor does its list.
    change(&admin, &format!("/v1/sessions/{}", ids[0]), &json!({ "title": "By hand" })).expect(200);
    let answer = change(&admin, &series, &json!({ "booking_policy": "drop_in" })).expect(200);
    assert_eq!((told(&answer), over()), (all_told(&[&lists[1]]), vec![false, true, true]));
    assert!(lists[0].stands(&advisor));

    // A roster has no list of bookings in its answer; the people are told all the same.
    let mut single = entry(2);
    single["entries"][0]["external_id"] = json!("b");
    single["entries"][0].as_object_mut().unwrap().remove("recurrence");
    let made = admin.post(&roster, &single).expect(201);
    let session = made["entries"][0]["resource_id"].as_str().unwrap().to_owned();
    let list = list(&app, &advisor, &session);
    single["entries"][0]["booking_policy"] = json!("drop_in");
    let answer = admin.post(&roster, &single).expect(201);
    assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 1, "cancelled": 0 }));
    assert!(list.is_over(&app, &advisor, &session));
    assert_eq!(done_to(&app, &list.waiting.0), ["cancel"]);
    assert_eq!(admin.post(&roster, &single).expect(201)["counts"]["unchanged"], 1);
}
