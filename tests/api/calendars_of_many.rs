//! Calendars that could hold more events than one may have: what is to come goes before what was.

use chrono::TimeDelta;
use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::bookings;
use serde_json::json;

use crate::calendars::events;
use crate::support::{App, SessionSeed, id, member_row, partner_row, session_rows, venue};

/// The events of one calendar.
const MOST: usize = 2_000;

/// Sessions of a venue and a partner, all within the month that a calendar looks back and the year that it looks ahead:
/// one a minute up to an hour before the tests' clock, and one a day from the day after.
fn fill(app: &App, venue_id: &str, partner_id: &str, past: usize, coming: usize) -> (Vec<String>, Vec<String>) {
    let (now, count) = (app.clock.now().0, |n: usize| i32::try_from(n).unwrap());
    let before = (0..past).map(|n| now - TimeDelta::minutes(60) - TimeDelta::minutes(count(past - n).into()));
    let after = (0..coming).map(|n| now + TimeDelta::days(count(n + 1).into()));
    let starts: Vec<String> = before.chain(after).map(|start| start.format("%FT%TZ").to_string()).collect();
    let seed = |starts_at| SessionSeed {
        venue_id: Some(venue_id),
        partner_id: Some(partner_id),
        starts_at,
        ..Default::default()
    };
    let mut past_ids = session_rows(app, starts.iter().map(String::as_str).map(seed));
    let coming = past_ids.split_off(past);
    (past_ids, coming)
}

/// What the events of a calendar are known by, without the service's name.
fn uids(app: &App, path: &str) -> Vec<String> {
    let all = events(&app.anonymous().get(path));
    all.iter().map(|event| event.value("UID").split('@').next().expect("an id").to_owned()).collect()
}

/// Says where they differ: two thousand ids twice tell nobody anything.
#[track_caller]
fn assert_same(found: &[String], expected: &[String]) {
    let first = found.iter().zip(expected).position(|(found, expected)| found != expected);
    assert_eq!((found.len(), first), (expected.len(), None));
}

#[test]
fn what_was_leaves_a_calendar_before_what_is_to_come() {
    let app = App::start();
    let (place, partner) = (venue(&app.admin(), "walton", "Liverpool"), partner_row(&app, "the-reader"));
    let (past, coming) = fill(&app, id(&place), &partner, MOST + 10, 30);
    // The latest of what was fill it up, and all of it is in the order of time.
    let expected: Vec<String> = past[40..].iter().chain(&coming).cloned().collect();
    assert_eq!(expected.len(), MOST);
    for path in [format!("/v1/venues/{}/calendar.ics", id(&place)), format!("/v1/partners/{partner}/calendar.ics")] {
        assert_same(&uids(&app, &path), &expected);
    }
}

#[test]
fn what_was_leaves_a_members_own_calendar_before_what_is_to_come() {
    let app = App::start();
    let (place, partner) = (venue(&app.admin(), "walton", "Liverpool"), partner_row(&app, "the-reader"));
    let (past, coming) = fill(&app, id(&place), &partner, MOST + 10, 30);
    let ann = member_row(&app, "Ann", "A");
    let book = |session: &String, status: &str| {
        let (id, now) = (app.clock.new_id(), app.clock.now());
        let values = (
            (bookings::id.eq(id), bookings::session_id.eq(session.parse::<Id>().unwrap())),
            (bookings::member_id.eq(ann.parse::<Id>().unwrap()), bookings::status.eq(status.to_owned())),
            (bookings::delivery.eq("in_person"), bookings::family.eq(0), bookings::carers.eq(0), bookings::seats.eq(1)),
            (bookings::reference.eq(id.to_string()[30..].to_owned()), bookings::booked_by.eq(id)),
            (bookings::version.eq(1), bookings::created_at.eq(now), bookings::updated_at.eq(now)),
        );
        (id.to_string(), values)
    };
    let all: Vec<_> = past
        .iter()
        .map(|session| book(session, "attended"))
        .chain(coming.iter().map(|session| book(session, "booked")))
        .collect();
    let (ids, values): (Vec<String>, Vec<_>) = all.into_iter().unzip();
    app.conn()
        .transaction::<_, diesel::result::Error, _>(|conn| {
            values
                .into_iter()
                .try_for_each(|row| diesel::insert_into(bookings::table).values(row).execute(conn).map(drop))
        })
        .unwrap();
    let link = app.member(&ann).post(&format!("/v1/members/{ann}/calendar-links"), &json!({})).expect(201);
    let address = link["url"].as_str().expect("an address").to_owned();
    let path = &address[address.find("/v1/").expect("a path")..];
    assert_same(&uids(&app, path), &ids[40..]);
}
