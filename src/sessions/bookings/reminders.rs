//! The task that reminds people of their bookings: from four in the afternoon, London time, of the sessions of the next
//! day. On the day itself it reminds of what is still to come, for when no server ran the evening before.
//!
//! A session keeps the start that it was reminded of. So the task can run at any time and on two servers, and a session
//! that is moved is reminded of again. Whoever books after four has just been told, and isn't reminded.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::Europe::London;
use diesel::prelude::*;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::telling::{self, News};
use super::types::BookingStatus;
use crate::background::Task;
use crate::clock::london_midnight;
use crate::config::Config;
use crate::db::schema::{bookings, members, sessions};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::http::state::State;
use crate::messages::kinds::MessageKind;
use crate::sessions::types::SessionStatus;
use crate::sessions::visibility::published_or_not;

/// The hour of the day from which people are reminded.
const HOUR: u32 = 16;
/// Of how many sessions one transaction reminds.
const AT_ONCE: i64 = 50;

/// The task.
pub const TASK: Task =
    Task { name: "reminders", every: Duration::from_secs(60), longest: Duration::from_secs(300), due, run };

fn due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    for day in Day::at(now) {
        if !to_remind_of(conn, &day, 1)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn run(state: State) -> LocalBoxFuture<'static, Result<()>> {
    remind(state).boxed_local()
}

async fn remind(state: State) -> Result<()> {
    let now = state.clock.now();
    for day in Day::at(now) {
        while !state.stopping() && state.db.write(move |conn| remind_of_some(conn, &day, now)).await? > 0 {}
    }
    Ok(())
}

/// A day in London, or what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    /// When its reminders begin: at four on the day before.
    since: Timestamp,
    begins: Timestamp,
    ends: Timestamp,
}

impl Day {
    /// The days of whose sessions people are reminded now: the rest of today, and from four on tomorrow.
    fn at(now: Timestamp) -> Vec<Self> {
        let local = now.0.with_timezone(&London);
        let today = Self::of(local.date_naive()).map(|day| Self { begins: now, ..day });
        let tomorrow = local.date_naive().succ_opt().filter(|_| local.hour() >= HOUR).and_then(Self::of);
        today.into_iter().chain(tomorrow).collect()
    }

    fn of(day: NaiveDate) -> Option<Self> {
        let since = day.pred_opt()?.and_time(NaiveTime::from_hms_opt(HOUR, 0, 0)?);
        let since = Timestamp(London.from_local_datetime(&since).earliest()?.to_utc());
        Some(Self { since, begins: london_midnight(day), ends: london_midnight(day.succ_opt()?) })
    }
}

/// Sessions of this day that people are booked in and haven't been reminded of.
macro_rules! not_reminded_of {
    ($day:expr) => {{
        let held = sessions::seats_taken.gt(0).or(sessions::online_seats_taken.gt(0));
        let not_yet = sessions::reminded_for.is_null().or(sessions::reminded_for.ne(sessions::starts_at.nullable()));
        sessions::table
            .filter(published_or_not())
            .filter(sessions::starts_at.ge($day.begins).and(sessions::starts_at.lt($day.ends)))
            .filter(sessions::status.eq(SessionStatus::Scheduled))
            .filter(held)
            .filter(not_yet)
    }};
}

fn to_remind_of(conn: &mut Conn, day: &Day, most: i64) -> Result<Vec<Id>> {
    Ok(not_reminded_of!(day).order(sessions::starts_at).select(sessions::id).limit(most).load(conn)?)
}

/// Puts reminders of some sessions into the queue. Of how many.
fn remind_of_some(conn: &mut Conn, day: &Day, now: Timestamp) -> Result<usize> {
    let found = to_remind_of(conn, day, AT_ONCE)?;
    crate::lock_rows!(conn, sessions, found.iter().copied());
    // A session may have been moved or called off while this transaction waited for the lock.
    let ids = not_reminded_of!(day).filter(sessions::id.eq_any(&found));
    let ids: Vec<Id> = ids.order(sessions::starts_at).select(sessions::id).load(conn)?;
    let booked = bookings::table
        .inner_join(members::table)
        .filter(bookings::session_id.eq_any(&ids))
        .filter(bookings::status.eq(BookingStatus::Booked))
        .filter(bookings::created_at.lt(day.since))
        .filter(members::reminders.eq(true))
        .order(bookings::id)
        .select((bookings::id, bookings::session_id, bookings::member_id));
    let rows: Vec<(Id, Id, Id)> = booked.load(conn)?;
    let news = |(booking_id, session_id, member_id)| News::new(booking_id, session_id, member_id);
    telling::tell(conn, MessageKind::Reminder, &rows.into_iter().map(news).collect::<Vec<_>>(), now)?;
    let reminded = sessions::table.filter(sessions::id.eq_any(&ids));
    diesel::update(reminded).set(sessions::reminded_for.eq(sessions::starts_at.nullable())).execute(conn)?;
    Ok(found.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_begin_at_four_in_london_in_winter_and_in_summer() {
        let at = |text: &str| Timestamp(text.parse().unwrap());
        let days =
            |text: &str| Day::at(at(text)).into_iter().map(|day| (day.since, day.begins, day.ends)).collect::<Vec<_>>();
        let day = |text: &str| days(text).get(1).copied();
        assert_eq!(day("2026-11-23T15:59:59Z"), None);
        let rest_of_24 = (at("2026-11-23T16:00:00Z"), at("2026-11-24T07:00:00Z"), at("2026-11-25T00:00:00Z"));
        assert_eq!(days("2026-11-24T07:00:00Z"), [rest_of_24]);
        let of_24 = (at("2026-11-23T16:00:00Z"), at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
        assert_eq!(day("2026-11-23T16:00:00Z"), Some(of_24));
        assert_eq!(day("2026-11-23T23:59:59Z"), Some(of_24));
        assert_eq!(day("2026-11-24T00:00:00Z"), None);
        assert_eq!(day("2027-06-01T14:59:59Z"), None);
        let summer = (at("2027-06-01T15:00:00Z"), at("2027-06-01T23:00:00Z"), at("2027-06-02T23:00:00Z"));
        assert_eq!(day("2027-06-01T15:00:00Z"), Some(summer));
        // The day of the change has 23 hours.
        let change = (at("2027-03-27T16:00:00Z"), at("2027-03-28T00:00:00Z"), at("2027-03-28T23:00:00Z"));
        assert_eq!(day("2027-03-27T18:00:00Z"), Some(change));
    }
}
