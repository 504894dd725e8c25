//! Reminders where something went otherwise: no server ran in the evening, or a session was moved at the same moment.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::schema::{messages, sessions};
use life_rooms::db::{Id, Timestamp};

use crate::closings::until_one_waits;
use crate::mails::{book, reachable, told};
use crate::reminders::remind;
use crate::support::{App, SessionSeed, instant, session_row};

fn at(app: &App, starts_at: &str) -> String {
    session_row(app, SessionSeed { starts_at, ..SessionSeed::default() })
}

#[test]
fn after_an_evening_without_a_server_people_are_reminded_of_what_is_still_to_come() {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let (gone, later) = (at(&app, "2026-11-24T09:00:00Z"), at(&app, "2026-11-24T14:00:00Z"));
    book(&advisor, &gone, &peg);
    book(&advisor, &later, &peg);
    // Whoever booked after four in the afternoon has just been told.
    app.at("2026-11-23T16:30:00Z");
    let late = reachable(&app, "Late");
    book(&advisor, &later, &late);
    app.at("2026-11-23T16:40:00Z");
    mails.take(&app);
    app.at("2026-11-24T09:30:00Z");
    assert!(remind(&app));
    app.at("2026-11-24T09:32:00Z");
    let mail = mails.take_one(&app);
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("peg@example.org", "Reminder: Tuesday 24 November 2026"));
    assert!(mail.text.contains("2pm") && !mail.text.contains("9am"), "{}", mail.text);
    assert!(!remind(&app), "once");
    app.at("2026-11-24T16:00:00Z");
    assert!(!remind(&app));
}

/// On SQLite there is one writer: the task reads what was written before.
#[test]
fn a_session_that_is_moved_while_the_task_waits_for_it_is_not_reminded_of() {
    let app = App::start();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let session = at(&app, "2026-11-24T10:00:00Z");
    book(&advisor, &session, &peg);
    app.at("2026-11-23T16:00:00Z");
    let mut conn = app.conn();
    conn.batch_execute(if app.state.db.has_one_writer() { "BEGIN IMMEDIATE" } else { "BEGIN" }).unwrap();
    let start = Timestamp(instant("2026-12-24T10:00:00Z"));
    let moved = (sessions::starts_at.eq(start), sessions::ends_at.eq(start.plus_seconds(5_400)));
    let row = sessions::table.find(session.parse::<Id>().unwrap());
    diesel::update(row).set(moved).execute(&mut conn).unwrap();
    std::thread::scope(|scope| {
        let task = [scope.spawn(|| remind(&app))];
        if !app.state.db.has_one_writer() {
            until_one_waits(&mut conn, &task).unwrap();
        }
        conn.batch_execute("COMMIT").unwrap();
    });
    assert!(told(&advisor, &peg).iter().all(|(kind, ..)| kind != "reminder"));
    let reminded: Option<Timestamp> = row.select(sessions::reminded_for).first(&mut app.conn()).unwrap();
    assert_eq!(reminded, None, "it is reminded of on the day before its new day");
    let queued: i64 = messages::table.filter(messages::kind.eq("reminder")).count().get_result(&mut conn).unwrap();
    assert_eq!(queued, 0);
}
