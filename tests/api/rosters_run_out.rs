//! Rosters over sessions in which an offer has run out that the server hasn't passed on yet: nobody holds its seats.

use serde_json::{Value, json};

use crate::support::{App, Client};
use crate::waiting::{
    Weekly, counts, done_to, entry, full, id, leave, pass_on, show, somebody, wait, waiter, weekly_by_roster,
};

/// Three Tuesdays of two seats; in the first and the second of them both are offered to a party, whose member and
/// booking this gives. The offers run out the next morning, which it is by now.
fn lapsed(app: &App, advisor: &Client, ids: &[String]) -> Vec<(String, String)> {
    let offered = ids[..2].iter().map(|session| {
        let held = id(&wait(advisor, session, &somebody(app), 1).expect(201));
        let party = waiter(app, advisor, session, 1);
        leave(advisor, &held).expect(200);
        assert_eq!(counts(app, session), (2, 0, 1));
        party
    });
    let offered = offered.collect();
    app.at("2026-11-24T09:00:00Z");
    offered
}

fn changed(changes: Value) -> Value {
    let mut roster = entry(2);
    for (name, value) in changes.as_object().unwrap() {
        roster["entries"][0][name] = value.clone();
    }
    roster
}

/// Posts it, having rehearsed it: both say the same of the sessions. What they say.
fn post(admin: &Client, path: &str, roster: &Value) -> (Value, Value) {
    let mark = if path.contains('?') { '&' } else { '?' };
    let rehearsed = admin.post(&format!("{path}{mark}dry_run=true"), roster).expect(200);
    let answer = admin.post(path, roster).expect(201);
    for name in ["counts", "sessions", "skipped"] {
        assert_eq!(rehearsed[name], answer[name], "{name}");
    }
    (answer["sessions"].clone(), answer["skipped"].clone())
}

fn did(created: u32, updated: u32, cancelled: u32) -> Value {
    json!({ "created": created, "updated": updated, "cancelled": cancelled })
}

fn ran_out(app: &App, advisor: &Client, (member, booking): &(String, String)) {
    let ended = show(advisor, booking);
    assert_eq!(
        (&ended["status"], &ended["cancellation_reason"]),
        (&json!("cancelled_by_provider"), &json!("The offered seat was not accepted in time."))
    );
    assert_eq!(done_to(app, member), ["offer", "expire"]);
}

#[test]
fn a_roster_calls_off_what_only_an_offer_that_has_run_out_held() {
    for missing in [true, false] {
        let app = App::start();
        let (admin, advisor) = (app.admin(), app.advisor());
        let Weekly { roster, series, ids } = weekly_by_roster(&admin, 2);
        let offered = lapsed(&app, &advisor, &ids);
        let (said, left) = if missing {
            let other = changed(json!({ "external_id": "b", "local_start": "2026-12-02T13:00:00" }));
            (post(&admin, &format!("{roster}?missing=cancel&confirm=cancel"), &other), did(3, 0, 3))
        } else {
            // Fridays: three dates leave, three are new.
            (post(&admin, &roster, &changed(json!({ "local_start": "2026-12-04T13:00:00" }))), did(3, 0, 3))
        };
        assert_eq!(said, (left, json!([])));
        for (session, offered) in ids.iter().zip(&offered) {
            ran_out(&app, &advisor, offered);
            assert_eq!(counts(&app, session), (0, 0, 0));
            assert_eq!(admin.get(&format!("/v1/sessions/{session}")).expect(200)["status"], "cancelled");
        }
        let status = if missing { "cancelled" } else { "active" };
        assert_eq!(admin.get(&series).expect(200)["status"], status);
        assert!(!pass_on(&app), "nothing is left to pass on");
    }
}

#[test]
fn a_roster_changes_capacities_and_deliveries_over_seats_that_nobody_holds_any_more() {
    for (changes, skipped) in [
        (json!({ "capacity": 1 }), json!([])),
        (json!({ "delivery": "online", "join_link": "https://example.org/reading" }), json!([])),
    ] {
        let app = App::start();
        let (admin, advisor) = (app.admin(), app.advisor());
        let Weekly { roster, ids, .. } = weekly_by_roster(&admin, 2);
        let offered = lapsed(&app, &advisor, &ids);
        assert_eq!(post(&admin, &roster, &changed(changes)), (did(0, 3, 0), skipped));
        offered.iter().for_each(|offered| ran_out(&app, &advisor, offered));
        assert!(ids.iter().all(|session| counts(&app, session) == (0, 0, 0)));
    }
}

#[test]
fn an_offer_that_stands_and_whoever_waits_behind_one_that_has_run_out_still_keep_a_session() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let Weekly { roster, ids, .. } = weekly_by_roster(&admin, 2);
    let held = id(&wait(&advisor, &ids[2], &somebody(&app), 1).expect(201));
    let (_, stands) = waiter(&app, &advisor, &ids[2], 1);
    let first = id(&wait(&advisor, &ids[1], &somebody(&app), 1).expect(201));
    let behind = [(); 2].map(|()| waiter(&app, &advisor, &ids[1], 1).1);
    leave(&advisor, &first).expect(200);
    app.at("2026-11-23T10:00:00Z");
    leave(&advisor, &held).expect(200);
    app.at("2026-11-24T09:00:00Z");
    let skip = |day: &str| json!({ "external_id": "a", "local_start": format!("{day}T13:00:00"), "reason": "booked" });
    let fridays = changed(json!({ "local_start": "2026-12-04T13:00:00" }));
    let said = post(&admin, &roster, &fridays);
    assert_eq!(said, (did(3, 0, 1), json!([skip("2026-12-08"), skip("2026-12-15")])));
    assert_eq!(show(&advisor, &stands)["status"], "offered");
    assert!(pass_on(&app));
    assert_eq!(show(&advisor, &behind[0])["status"], "cancelled_by_provider");
    assert_eq!(show(&advisor, &behind[1])["status"], "offered");
}

#[test]
fn what_has_run_out_with_others_is_left_to_them() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let Weekly { roster, .. } = weekly_by_roster(&admin, 2);
    let (elsewhere, held) = full(&app, &advisor, 1);
    let (_, offered) = waiter(&app, &advisor, &elsewhere, 0);
    leave(&advisor, &held).expect(200);
    app.at("2026-11-24T09:00:00Z");
    assert_eq!(post(&admin, &roster, &changed(json!({ "capacity": 1 }))), (did(0, 3, 0), json!([])));
    assert_eq!((show(&advisor, &offered)["status"].clone(), counts(&app, &elsewhere)), (json!("offered"), (1, 0, 1)));
}
