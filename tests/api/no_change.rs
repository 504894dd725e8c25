//! What equals what stands is no change: no version, no event, no mark of having been edited.

use diesel::prelude::*;
use life_rooms::db::schema::audit_events;
use serde_json::{Value, json};

use crate::editing::{change, path, series_path, session_body, sessions_of, with};
use crate::support::{App, id, member, prescription, venue};

fn events(app: &App) -> i64 {
    audit_events::table.count().get_result(&mut app.conn()).unwrap()
}

#[test]
fn a_patch_of_a_session_that_changes_nothing_leaves_it_to_its_series() {
    let app = App::start();
    let admin = app.admin();
    let body =
        with(session_body(id(&venue(&admin, "walton", "Liverpool"))), json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }));
    let series = admin.post("/v1/session-series", &body).expect(201);
    let session = sessions_of(&admin, &series)[0].clone();
    let before = (admin.get(&path(&session)), events(&app));
    for patch in [
        json!({}),
        json!({ "title": session["title"] }),
        json!({ "description": null, "topics": [], "reason": "Because." }),
        json!({ "local_start": session["local_start"], "status": "scheduled" }),
    ] {
        let answer = admin.patch(&path(&session), before.0.etag(), &patch);
        let shown = answer.expect(200);
        assert_eq!((&shown["version"], &shown["bookings"]), (&json!(1), &json!([])), "{patch}");
    }
    let after = admin.get(&path(&session));
    assert_eq!((after.etag(), &after.json, events(&app)), (before.0.etag(), &before.0.json, before.1));
    admin.patch(&path(&session), "\"9-0\"", &json!({})).problem(412, "precondition-failed");
    // It isn't edited: the series' next title reaches it.
    change(&admin, &series_path(&series), &json!({ "title": "Poems" })).expect(200);
    assert_eq!(admin.get(&path(&session)).expect(200)["title"], "Poems");

    admin.post(&format!("{}/cancel", path(&session)), &json!({ "reason": "Snow." })).expect(200);
    let off = admin.get(&path(&session)).expect(200);
    for patch in [json!({}), json!({ "status": "cancelled", "cancellation_reason": "Snow." })] {
        assert_eq!(change(&admin, &path(&session), &patch).expect(200)["version"], off["version"], "{patch}");
    }
}

#[test]
fn a_patch_of_a_series_that_changes_nothing_touches_none_of_its_sessions() {
    let app = App::start();
    let admin = app.admin();
    let times = json!({ "recurrence": "FREQ=WEEKLY;COUNT=3", "excluded": ["2027-01-12T13:00:00"], "additional": ["2027-01-13T10:00:00"] });
    let body = with(session_body(id(&venue(&admin, "walton", "Liverpool"))), times.clone());
    let series = admin.post("/v1/session-series", &body).expect(201);
    let read = |at: &str| (admin.get(at).etag().to_owned(), admin.get(at).json);
    let sessions = sessions_of(&admin, &series);
    let before = (read(&series_path(&series)), sessions, events(&app));
    for patch in [json!({}), times, json!({ "title": series["title"], "reason": "Because.", "capacity": null })] {
        let answer = change(&admin, &series_path(&series), &patch).expect(200);
        let nothing = json!({ "created": 0, "updated": 0, "cancelled": 0 });
        assert_eq!(
            (&answer["version"], &answer["sessions"], &answer["skipped"]),
            (&json!(1), &nothing, &json!([])),
            "{patch}"
        );
    }
    assert_eq!((read(&series_path(&series)), sessions_of(&admin, &series), events(&app)), before);
}

/// Reads of this member's data that the audit holds.
fn reads(app: &App, member: &Value) -> i64 {
    let of = audit_events::table.filter(audit_events::member_id.eq(id(member).parse::<life_rooms::db::Id>().unwrap()));
    of.filter(audit_events::action.eq("read")).count().get_result(&mut app.conn()).unwrap()
}

#[test]
fn an_answer_that_shows_a_persons_data_and_changes_nothing_is_a_read() {
    let app = App::start();
    let advisor = app.advisor();
    let sam = member(&advisor, "Sam", "Riley");
    let written = prescription(&advisor, id(&sam));
    let place = format!("/v1/prescriptions/{}", id(&written));
    let item = advisor.post(&format!("{place}/items"), &json!({ "kind": "advice", "note": "Walk." })).expect(201);
    let own = app.member(id(&sam));
    for path in [format!("/v1/members/{}", id(&sam)), place.clone(), format!("{place}/items/{}", id(&item))] {
        let etag = advisor.get(&path).etag().to_owned();
        let before = (reads(&app, &sam), events(&app));
        for (count, client) in [(1, &advisor), (1, &own)] {
            let answer = client.patch(&path, &etag, &json!({}));
            assert_eq!((answer.status, answer.etag()), (200, etag.as_str()), "{}", answer.text);
            assert_eq!((reads(&app, &sam), events(&app)), (before.0 + count, before.1 + count), "{path}");
        }
    }
}
