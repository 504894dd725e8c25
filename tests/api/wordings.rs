//! What sessions say is stored once for each distinct wording, follows what is written, and goes with its last session.

use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::schema::{listing_words, listings, sessions, wordings};
use life_rooms::db::{Conn, Id};
use life_rooms::error::Error;
use serde_json::{Value, json};

use crate::closings::until_one_waits;
use crate::editing::{change, session_body};
use crate::housekeeping::keep_house;
use crate::rosters::{reader, roster, rows, series, with};
use crate::support::{App, SessionSeed, id, member_row, session_row, venue};

/// How many wordings and listings there are, and how many listings have words.
fn kept(app: &App) -> (i64, i64, i64) {
    let conn = &mut app.conn();
    let worded = listing_words::table.select((listing_words::wording_id, listing_words::slot)).distinct();
    let worded: Vec<(Id, i64)> = worded.load(conn).unwrap();
    let count = |conn: &mut Conn| -> (i64, i64) {
        (wordings::table.count().get_result(conn).unwrap(), listings::table.count().get_result(conn).unwrap())
    };
    let (wordings, listings) = count(conn);
    (wordings, listings, i64::try_from(worded.len()).unwrap())
}

fn titles(app: &App, query: &str) -> Vec<Value> {
    let page = app.anonymous().get(&format!("/v1/sessions?limit=100&{query}")).expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["title"].clone()).collect()
}

/// From now on the database refuses to write any column of a session but these.
fn allow_only(app: &App, allowed: &[&str]) {
    let columns = [
        "series_id",
        "occurrence",
        "partner_id",
        "venue_id",
        "space_id",
        "external_id",
        "wording_id",
        "slot",
        "delivery",
        "join_link",
        "booking_policy",
        "capacity",
        "online_capacity",
        "seats_taken",
        "online_seats_taken",
        "waitlist_length",
        "local_start",
        "time_zone",
        "duration_minutes",
        "starts_at",
        "ends_at",
        "starts_on",
        "publication",
        "status",
        "cancellation_reason",
        "edited",
        "version",
        "created_at",
        "updated_at",
    ];
    let others: Vec<&str> = columns.into_iter().filter(|column| !allowed.contains(column)).collect();
    let others = others.join(", ");
    let text = match app.conn() {
        Conn::Sqlite(_) => format!(
            "CREATE TRIGGER refuse BEFORE UPDATE OF {others} ON sessions BEGIN SELECT RAISE(ABORT, 'written'); END"
        ),
        Conn::Postgres(_) => format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'written'; END $$; \
             CREATE TRIGGER refuse BEFORE UPDATE OF {others} ON sessions EXECUTE FUNCTION refuse()"
        ),
    };
    app.conn().batch_execute(&text).unwrap();
}

#[test]
fn a_changed_title_is_a_row_of_wordings_and_three_columns_of_each_session() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a"), series("b")])).expect(201);
    assert_eq!(kept(&app), (1, 1, 1), "two series that say the same at the same time share all of it");
    allow_only(&app, &["wording_id", "version", "updated_at"]);
    let poems = |n: &str| with(series(n), json!({ "title": "Poems", "topics": ["verse"] }));
    let body = client.post(&path, &roster(&[poems("a"), series("b")])).expect(201);
    assert_eq!(body["sessions"], json!({ "created": 0, "updated": 4, "cancelled": 0 }));
    assert_eq!(kept(&app), (2, 2, 2));
    assert_eq!((titles(&app, "q=poems").len(), titles(&app, "topic=verse").len()), (4, 4));
    assert_eq!(titles(&app, "q=reading").len(), 4);
    // By hand, the series' way.
    let admin = app.admin();
    let at = format!("/v1/session-series/{}", body["entries"][0]["resource_id"].as_str().unwrap());
    let changed = change(&admin, &at, &json!({ "description": "Rhymes" })).expect(200);
    assert_eq!(changed["sessions"]["updated"], 4);
    assert_eq!(titles(&app, "q=rhymes"), ["Poems"; 4]);
    let versions: Vec<i32> = rows(&app).iter().map(|row| row.version).collect();
    assert_eq!(versions.iter().filter(|version| **version == 3).count(), 4);
}

#[test]
fn a_moved_series_keeps_its_wording_and_is_found_where_it_is() {
    let (app, client, path) = reader();
    client.post(&path, &roster(&[series("a")])).expect(201);
    let moved = with(series("a"), json!({ "local_start": "2027-01-05T18:00:00" }));
    client.post(&path, &roster(&[moved])).expect(201);
    assert_eq!(kept(&app), (1, 2, 2));
    assert_eq!(titles(&app, "q=reading&weekday=tuesday&starts_after=17:00").len(), 4);
    assert_eq!(titles(&app, "q=reading&starts_before=17:00").len(), 0);
    assert!(keep_house(&app));
    assert_eq!(kept(&app), (1, 1, 1));
}

#[test]
fn what_no_session_says_any_more_is_gone_at_the_next_housekeeping() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let made = admin
        .post("/v1/session-series", &with(session_body(id(&place)), json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" })))
        .expect(201);
    let first = titles(&app, "")[0].clone();
    assert!(!keep_house(&app), "all of it is in use");
    let at = format!("/v1/session-series/{}", id(&made));
    for title in ["Poems", "Stories", "Poems", "Plays"] {
        change(&admin, &at, &json!({ "title": title })).expect(200);
    }
    assert_eq!(kept(&app), (4, 4, 4));
    assert!(keep_house(&app));
    assert_eq!(kept(&app), (1, 1, 1));
    assert!(!keep_house(&app), "nothing is left to do");
    let all = titles(&app, "");
    assert!(all.len() > 1 && all.iter().all(|title| title == "Plays"), "{all:?}");
    // What was taken away can be said again.
    change(&admin, &at, &json!({ "title": first })).expect(200);
    assert_eq!(titles(&app, "q=plays").len(), 0);
    assert!(titles(&app, "").iter().all(|title| *title == first));
    assert_eq!(kept(&app), (2, 2, 2));
}

#[test]
fn more_than_are_taken_away_at_once_are_gone_in_one_housekeeping() {
    let (app, client, path) = reader();
    let entries = |word: &str| {
        let entry = |n| {
            with(
                series(&format!("s{n}")),
                json!({ "title": format!("{word} {n}"), "recurrence": "FREQ=WEEKLY;COUNT=1" }),
            )
        };
        (0..250).map(entry).collect::<Vec<_>>()
    };
    client.post(&path, &roster(&entries("Reading"))).expect(201);
    client.post(&path, &roster(&entries("Poems"))).expect(201);
    assert_eq!(kept(&app), (500, 500, 500));
    assert!(keep_house(&app));
    assert_eq!(kept(&app), (250, 250, 250));
    assert_eq!(titles(&app, "q=poems").len(), 100);
}

#[test]
fn sessions_that_change_while_the_house_is_kept_always_have_their_words() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = |n: i32| {
        json!({
            "title": "Tea", "pillar": "community", "delivery": "in_person", "venue_id": id(&place),
            "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60 + n
        })
    };
    let all: Vec<String> = (0..4).map(|n| id(&admin.post("/v1/sessions", &body(n)).expect(201)).to_owned()).collect();
    // All of them say one of two things, and now and then nobody says the other.
    std::thread::scope(|scope| {
        let writers: Vec<_> = all
            .iter()
            .map(|id| {
                let (admin, path) = (&admin, format!("/v1/sessions/{id}"));
                scope.spawn(move || {
                    for round in 0..40 {
                        let title = ["Coffee", "Tea"][round % 2];
                        change(admin, &path, &json!({ "title": title })).expect(200);
                    }
                })
            })
            .collect();
        while writers.iter().any(|writer| !writer.is_finished()) {
            keep_house(&app);
        }
    });
    assert_eq!(titles(&app, "q=tea").len(), 4);
    keep_house(&app);
    assert_eq!(kept(&app), (1, 1, 1));
    let points: Vec<(Id, i64)> =
        sessions::table.select((sessions::wording_id, sessions::slot)).distinct().load(&mut app.conn()).unwrap();
    assert_eq!(points.len(), 1);
}

/// Whoever waits for a session while its wording changes is answered with the new one. SQLite has one writer.
#[test]
fn a_booking_that_waits_for_a_change_of_words_tells_the_new_ones() {
    let app = App::start();
    let advisor = app.advisor();
    let session = session_row(&app, SessionSeed { delivery: "online", ..SessionSeed::default() });
    let member = member_row(&app, "Sam", "Riley");
    let book = || advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member }));
    let mut conn = app.conn();
    let booked = if matches!(conn, Conn::Postgres(_)) {
        let reword = "INSERT INTO wordings (id, title, topics, accessibility, pillar) SELECT gen_random_uuid(), 'Poems', topics, \
            accessibility, pillar FROM wordings; INSERT INTO listings (wording_id, slot, bytes) SELECT w.id, s.slot, 0 FROM wordings w, sessions s WHERE \
            w.title = 'Poems'; UPDATE sessions SET wording_id = w.id FROM wordings w WHERE w.title = 'Poems'";
        thread::scope(|scope| {
            let meet = |conn: &mut Conn| {
                conn.batch_execute(reword)?;
                let booking = [scope.spawn(book)];
                until_one_waits(conn, &booking)?;
                Ok::<_, Error>(booking)
            };
            let [booking] = conn.transaction(meet).unwrap();
            booking.join().unwrap()
        })
    } else {
        let admin = app.admin();
        let path = format!("/v1/sessions/{session}");
        admin.patch(&path, admin.get(&path).etag(), &json!({ "title": "Poems" })).expect(200);
        book()
    };
    assert_eq!(booked.expect(201)["session"]["title"], "Poems");
}
