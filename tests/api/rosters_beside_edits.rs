//! Rosters and changes by hand: which of them holds where both speak of the same sessions.

use std::sync::Arc;

use actix_web::web::Bytes;
use diesel::prelude::*;
use life_rooms::auth::caller::{Caller, CallerKind, Role};
use life_rooms::db::schema::registers;
use life_rooms::error::{Error, Kind};
use life_rooms::http::context::Context;
use life_rooms::rosters::apply::{self, Application};
use life_rooms::rosters::body::Posting;
use life_rooms::rosters::current::Hold;
use life_rooms::rosters::read::Form;
use life_rooms::rosters::types::{Manner, Missing, Mode, UnknownColumns};
use serde_json::{Value, json};

use crate::editing::{book, change, told};
use crate::rosters::{counts, reader, roster, rows, series, single, with};
use crate::support::{App, Client, item_row, member_row};

/// A roster that has been read and planned over what there is now, and is not applied yet.
fn planned(app: &App, path: &str, body: &Value) -> Application {
    let partner_id = path.split('/').nth(3).unwrap().parse().unwrap();
    let manner = Manner {
        mode: Mode::Atomic,
        dry_run: false,
        missing: Missing::Keep,
        confirmed: false,
        unknown: UnknownColumns::Refuse,
    };
    let posting = Posting::read(partner_id, Form::Json, manner, Bytes::from(body.to_string())).unwrap();
    let caller = Caller {
        id: app.clock.new_id(),
        kind: CallerKind::User,
        role: Role::Partner,
        partner_id: Some(partner_id),
        member_id: None,
        scopes: Vec::new(),
        permissions: Vec::new(),
        login_id: None,
        generation: 1,
    };
    let context = Context::resumed(&app.state, caller, "planned".into(), path.into());
    let (posting, planning) = (Arc::new(posting), context.clone());
    let over = Arc::clone(&posting);
    let draft = app.state.db.read_long(move |conn| apply::draft(conn, &over, &planning, Hold::Snapshot));
    let draft = actix_web::rt::System::new().block_on(draft).unwrap();
    Application::new(posting, context, draft)
}

/// Applies it; what it answers, or why it is refused.
fn tried(app: &App, roster: &Application) -> Result<Value, Error> {
    let roster = roster.clone();
    let answer = actix_web::rt::System::new().block_on(app.state.db.write(move |conn| roster.apply(conn)));
    answer.map(|answer| serde_json::to_value(answer).unwrap())
}

/// Applies it; what it answers.
fn applied(app: &App, roster: &Application) -> Value {
    tried(app, roster).unwrap()
}

fn series_at(admin: &Client) -> String {
    let listed = admin.get("/v1/session-series").expect(200);
    format!("/v1/session-series/{}", listed["items"][0]["id"].as_str().expect("a series"))
}

#[test]
fn a_roster_that_was_planned_before_a_series_was_changed_by_hand_is_planned_again() {
    for patch in [json!({ "title": "Poems" }), json!({ "local_start": "2027-01-05T15:00:00" })] {
        let (app, client, path) = reader();
        let body = roster(&[series("a")]);
        client.post(&path, &body).expect(201);
        let before = rows(&app);
        let (admin, waiting) = (app.admin(), planned(&app, &path, &body));
        change(&admin, &series_at(&admin), &patch).expect(200);
        assert_ne!(rows(&app), before);
        // It comes after the change, so what it states holds.
        let answer = applied(&app, &waiting);
        assert_eq!(answer["counts"], counts(0, 1, 0, 0), "{patch}");
        assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 4, "cancelled": 0 }));
        let said = |row: &crate::rosters::Row| (row.id, row.title.clone(), row.local_start.clone());
        assert_eq!(rows(&app).iter().map(said).collect::<Vec<_>>(), before.iter().map(said).collect::<Vec<_>>());
    }
}

#[test]
fn a_roster_that_was_planned_before_a_series_was_called_off_says_that_it_is_off() {
    let by_patch = json!({ "status": "cancelled", "cancellation_reason": "No room" });
    for off in [None, Some(by_patch)] {
        let (app, client, path) = reader();
        let body = roster(&[series("a")]);
        client.post(&path, &body).expect(201);
        let (admin, waiting) = (app.admin(), planned(&app, &path, &body));
        let at = series_at(&admin);
        match off {
            Some(patch) => change(&admin, &at, &patch).expect(200),
            None => admin.post(&format!("{at}/cancel"), &json!({ "reason": "No room" })).expect(200),
        };
        let answer = applied(&app, &waiting);
        assert_eq!(answer["counts"], counts(0, 0, 1, 0));
        assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }));
        let skipped = json!([{ "external_id": "a", "local_start": "2027-01-05T13:00:00", "reason": "cancelled" }]);
        assert_eq!(answer["skipped"], skipped);
        assert!(rows(&app).iter().all(|row| row.status == "cancelled"));
    }
}

#[test]
fn a_roster_that_was_planned_before_a_series_was_split_leaves_what_was_split_off_alone() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a")])).expect(201);
    let (admin, waiting) =
        (app.admin(), planned(&app, &path, &roster(&[with(series("a"), json!({ "title": "Poems" }))])));
    let cut = json!({ "from": "2027-01-19T13:00:00", "changes": { "title": "Stories" } });
    admin.post(&format!("{}/split", series_at(&admin)), &cut).expect(201);
    assert_eq!(applied(&app, &waiting)["sessions"], json!({ "created": 0, "updated": 2, "cancelled": 0 }));
    let titles: Vec<String> = rows(&app).into_iter().map(|row| row.title).collect();
    assert_eq!(titles, ["Poems", "Poems", "Stories", "Stories"]);
}

#[test]
fn a_roster_moves_nobody_who_is_booked_into_the_past() {
    let (app, client, path) = reader();
    let admin = app.admin();
    let made = client.post(&path, &roster(&[single("a"), single("b")])).expect(201);
    let [booked, free] = [0, 1].map(|at: usize| made["entries"][at]["resource_id"].as_str().unwrap().to_owned());
    let ann = member_row(&app, "Ann", "A");
    let made = book(&app, &json!({ "id": booked }), &ann, json!({}));
    let yesterday = json!({ "local_start": "2026-11-22T13:00:00", "title": "Poems" });
    let now = json!({ "local_start": "2026-11-23T09:00:00", "title": "Poems" });
    for entries in
        [vec![with(single("a"), yesterday.clone()), with(single("b"), yesterday)], vec![with(single("a"), now)]]
    {
        let body = client.post(&path, &roster(&entries)).expect(201);
        let skipped = json!([{ "external_id": "a", "local_start": "2027-01-05T13:00:00", "reason": "booked" }]);
        assert_eq!(body["skipped"], skipped);
        let stays = admin.get(&format!("/v1/sessions/{booked}")).expect(200);
        assert_eq!(
            (&stays["local_start"], &stays["title"], &stays["seats_taken"], &stays["version"]),
            (&json!("2027-01-05T13:00:00"), &json!("Shared Reading"), &json!(1), &json!(1))
        );
        // The past may be recorded, where nobody counts on the future.
        let went = admin.get(&format!("/v1/sessions/{free}")).expect(200);
        assert_eq!((&went["title"], &went["local_start"]), (&json!("Poems"), &json!("2026-11-22T13:00:00")));
    }
    assert_eq!(told(&app, &ann), []);
    let booking = format!("/v1/bookings/{}", made["id"].as_str().unwrap());
    assert_eq!(app.advisor().get(&booking).expect(200)["status"], "booked");
    // To a time that is still to come it moves, and its member is told.
    let later = with(single("a"), json!({ "local_start": "2026-11-23T09:01:00" }));
    let body = client.post(&path, &roster(&[later])).expect(201);
    assert_eq!((&body["skipped"], &body["sessions"]["updated"]), (&json!([]), &json!(1)));
    assert_eq!(told(&app, &ann), [("move".to_owned(), vec!["local_start".to_owned()])]);
}

#[test]
fn a_session_that_somebody_books_while_its_roster_is_planned_stays_out_of_the_past() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[single("a")])).expect(201);
    let session = rows(&app)[0].id;
    let yesterday = with(single("a"), json!({ "local_start": "2026-11-22T13:00:00" }));
    let waiting = planned(&app, &path, &roster(&[yesterday]));
    let ann = member_row(&app, "Ann", "A");
    book(&app, &json!({ "id": session }), &ann, json!({}));
    let answer = applied(&app, &waiting);
    assert_eq!(answer["skipped"][0]["reason"], "booked");
    assert_eq!((rows(&app)[0].local_start.as_str(), told(&app, &ann)), ("2027-01-05T13:00:00", vec![]));
}

#[test]
fn each_person_is_told_what_a_roster_has_changed_of_their_own_session() {
    let (app, client, path) = reader();
    let made = client.post(&path, &roster(&[single("a"), single("b")])).expect(201);
    let people = [0, 1].map(|at: usize| {
        let member = member_row(&app, "Ann", "A");
        book(&app, &json!({ "id": made["entries"][at]["resource_id"] }), &member, json!({}));
        member
    });
    let later = with(single("a"), json!({ "local_start": "2027-01-05T14:00:00" }));
    let shorter = with(single("b"), json!({ "duration_minutes": 60 }));
    client.post(&path, &roster(&[later, shorter])).expect(201);
    for (member, field) in people.iter().zip(["local_start", "duration_minutes"]) {
        assert_eq!(told(&app, member), [("move".to_owned(), vec![field.to_owned()])]);
    }
}

#[test]
fn an_edited_session_whose_date_leaves_a_roster_is_reported_once() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a")])).expect(201);
    let last = format!("/v1/sessions/{}", rows(&app)[3].id);
    change(&app.admin(), &last, &json!({ "title": "By hand" })).expect(200);
    let shorter = roster(&[with(series("a"), json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }))]);
    let body = client.post(&path, &shorter).expect(201);
    assert_eq!((&body["counts"], &body["sessions"]["cancelled"]), (&counts(0, 1, 0, 0), &json!(0)));
    let skipped = json!([{ "external_id": "a", "local_start": "2027-01-26T13:00:00", "reason": "edited" }]);
    assert_eq!(body["skipped"], skipped);
    let again = client.post(&path, &shorter).expect(201);
    assert_eq!((&again["counts"], &again["skipped"]), (&counts(0, 0, 1, 0), &json!([])), "it was said before");
    assert_eq!(rows(&app)[3].status, "scheduled");
}

#[test]
fn a_register_of_a_session_that_is_called_off_while_its_roster_is_planned_is_not_taken() {
    let (app, client, path) = reader();
    let made = client.post(&path, &roster(&[single("a"), single("b")])).expect(201);
    let session = format!("/v1/sessions/{}", made["entries"][0]["resource_id"].as_str().unwrap());
    app.at("2027-01-05T13:30:00Z");
    let heads = json!({ "register": { "headcount": { "beneficiaries": 4, "family": 0, "carers": 0 } } });
    let waiting = planned(&app, &path, &roster(&[with(single("a"), heads.clone()), with(single("b"), heads)]));
    app.admin().post(&format!("{session}/cancel"), &json!({ "reason": "Snow" })).expect(200);
    let refused = tried(&app, &waiting).unwrap_err();
    assert_eq!(refused.kind(), Kind::RosterRefused);
    let faults: Vec<_> = refused.into_faults().into_iter().map(|fault| (fault.pointer.unwrap(), fault.code)).collect();
    assert_eq!(faults, [("/entries/0/register".to_owned(), "cancelled".into())]);
    let taken: i64 = registers::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!(taken, 0);
    assert_eq!(app.admin().get(&session).expect(200)["status"], "cancelled");
}

/// On the day of the cut the rule's own session is the other series', and a second one stays where it was.
#[test]
fn a_roster_that_moves_what_is_left_of_a_split_series_keeps_to_its_half() {
    for second in ["09:00:00", "17:00:00"] {
        let (app, client, path) = reader();
        let extra = format!("2027-01-19T{second}");
        let stated = |time: &str| {
            let start = format!("2027-01-05T{time}");
            roster(&[with(series("a"), json!({ "local_start": start, "additional": [extra] }))])
        };
        client.post(&path, &stated("13:00:00")).expect(201);
        let admin = app.admin();
        let old = series_at(&admin);
        admin.post(&format!("{old}/split"), &json!({ "from": "2027-01-19T13:00:00" })).expect(201);
        let all = |time: &str| -> Vec<String> {
            let own = ["2027-01-05T", "2027-01-12T"].map(|day| format!("{day}{time}"));
            let others = ["2027-01-19T13:00:00", "2027-01-26T13:00:00"].map(str::to_owned);
            let mut all: Vec<String> = own.into_iter().chain([extra.clone()]).chain(others).collect();
            all.sort();
            all
        };
        for time in ["08:00:00", "10:00:00", "18:00:00", "13:00:00"] {
            let moved = client.post(&path, &stated(time)).expect(201);
            let expected = json!({ "created": 0, "updated": 2, "cancelled": 0 });
            assert_eq!((&moved["sessions"], &moved["skipped"]), (&expected, &json!([])), "{second} {time}");
            let again = client.post(&path, &stated(time)).expect(201);
            assert_eq!(again["counts"], counts(0, 0, 1, 0), "{second} {time}");
            let now = rows(&app);
            assert!(now.iter().all(|row| row.status == "scheduled"));
            assert_eq!(now.into_iter().map(|row| row.local_start).collect::<Vec<_>>(), all(time), "{second}");
        }
        // By hand it moves the same way, and the roster finds it where it states it.
        change(&admin, &old, &json!({ "local_start": "2027-01-05T08:00:00" })).expect(200);
        let back = client.post(&path, &stated("08:00:00")).expect(201);
        assert_eq!(back["counts"], counts(0, 0, 1, 0), "{second}");
    }
}

/// A booking or an item of a prescription refers to what a roster holds, and needn't wait for it. If it did, and held
/// what the roster wants next, the two would wait for each other.
#[test]
fn what_refers_to_a_series_or_a_session_is_added_while_a_roster_holds_them() {
    let (app, client, path) = reader();
    let made = client.post(&path, &roster(&[series("a")])).expect(201);
    let of_series = made["entries"][0]["resource_id"].as_str().unwrap();
    let session = rows(&app)[0].id;
    let member = member_row(&app, "Ada", "Allerton");
    let mut conn = app.conn();
    conn.transaction::<_, Error, _>(|conn| {
        life_rooms::sessions::series::store::lock(conn, [of_series.parse().unwrap()])?;
        life_rooms::sessions::store::lock(conn, [session])?;
        item_row(&app, &member, "active", None, Some(of_series));
        item_row(&app, &member, "active", Some(&session.to_string()), None);
        Ok(())
    })
    .unwrap();
}
