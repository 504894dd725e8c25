//! Waiting lists when everybody comes at once.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::bookings;
use serde_json::Value;

use crate::bookings::all_at_once;
use crate::support::App;
use crate::waiting::{act, counts, full, id, key, leave, session, show, somebody, wait, waiter};

#[test]
fn of_a_hundred_who_want_the_last_seat_one_gets_it_and_ninety_nine_wait_in_order() {
    let app = App::start();
    let (session, advisor) = (session(&app, 3), app.advisor());
    for _ in 0..2 {
        wait(&advisor, &session, &somebody(&app), 0).expect(201);
    }
    let members: Vec<String> = (0..100).map(|_| somebody(&app)).collect();
    let answers = all_at_once(members.iter().map(|member| {
        let (advisor, session) = (&advisor, &session);
        // Whoever doesn't get a connection to the database in time is told to try again, and does.
        move || loop {
            let answer = wait(advisor, session, member, 0);
            if answer.status != 503 {
                break answer;
            }
        }
    }));
    let bodies: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)).collect();
    let (booked, waiting): (Vec<&Value>, Vec<&Value>) = bodies.iter().partition(|body| body["status"] == "booked");
    assert_eq!((booked.len(), waiting.len()), (1, 99));
    assert_eq!(counts(&app, &session), (3, 99, 0));
    // Each was told the place that their turn gives them.
    let turns: Vec<(Id, Option<i32>)> = bookings::table
        .filter(bookings::session_id.eq(key(&session)))
        .filter(bookings::status.eq("waitlisted"))
        .order(bookings::turn)
        .select((bookings::id, bookings::turn))
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(turns.iter().map(|(_, turn)| turn.unwrap()).collect::<Vec<_>>(), (1..=99).collect::<Vec<_>>());
    let place = |body: &Value| body["waitlist_position"].as_i64().unwrap();
    for body in waiting {
        assert_eq!(turns[place(body) as usize - 1].0, key(&id(body)));
    }
}

#[test]
fn a_seat_that_many_accept_decline_and_cancel_at_once_is_one_persons() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (_, first) = waiter(&app, &advisor, &session, 0);
    let (_, second) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held).expect(200);
    let answers = all_at_once((0..15).map(|n| {
        let (advisor, first) = (&advisor, &first);
        move || match n % 3 {
            0 => act(advisor, first, "accept"),
            1 => act(advisor, first, "decline"),
            _ => act(advisor, first, "accept"),
        }
    }));
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    for answer in refused {
        answer.problem(409, "invalid-state");
    }
    let accepted = done[0].json["status"] == "booked";
    let expected = if accepted { ("waitlisted", (1, 1, 0)) } else { ("offered", (1, 0, 1)) };
    assert_eq!((show(&advisor, &second)["status"].as_str().unwrap(), counts(&app, &session)), expected);

    // Everybody who is there leaves at once: what is freed goes down the list, and nobody is forgotten.
    let seats = self::session(&app, 10);
    let held: Vec<String> = (0..10).map(|_| id(&wait(&advisor, &seats, &somebody(&app), 0).expect(201))).collect();
    let waiting: Vec<String> = (0..12).map(|_| waiter(&app, &advisor, &seats, 0).1).collect();
    let answers = all_at_once(held.iter().map(|booking| {
        let advisor = &advisor;
        move || leave(advisor, booking)
    }));
    assert!(answers.iter().all(|answer| answer.status == 200));
    let statuses: Vec<Value> = waiting.iter().map(|booking| show(&advisor, booking)["status"].clone()).collect();
    assert!(statuses[..10].iter().all(|status| status == "offered"), "{statuses:?}");
    assert!(statuses[10..].iter().all(|status| status == "waitlisted"), "{statuses:?}");
    assert_eq!(counts(&app, &seats), (10, 2, 10));
}
