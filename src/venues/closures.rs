//! When a venue takes no sessions: while it is closed, and on weekdays without opening hours.
//!
//! - A status of closed or temporarily closed holds from `status_from` to `status_until`. Without `status_from` it
//!   holds from today on, without `status_until` for good.
//! - Opening hours hold from today on. They say nothing about the past, so that sessions of the past can be recorded.
//! - A venue without any opening hours hasn't said when it opens, and takes sessions on every day.
//!
//! This rule decides where sessions can be placed, whether they can be booked, and which sessions a closing concerns.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Europe::London;
use diesel::prelude::*;

use super::types::{OpeningHours, Venue, VenueInput, VenueStatus};
use crate::db::schema::venues;
use crate::db::{AT_ONCE, Conn, Id, Json, Timestamp};
use crate::error::Result;

/// The fields of a venue that say when it is closed.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = venues)]
pub struct Closure {
    status: VenueStatus,
    status_from: Option<NaiveDate>,
    status_until: Option<NaiveDate>,
    opening_hours: Json<OpeningHours>,
}

/// When these venues are closed, by id.
pub fn of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Closure>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(AT_ONCE) {
        let these = venues::table.filter(venues::id.eq_any(chunk)).select((venues::id, Closure::as_select()));
        found.extend(these.load::<(Id, Closure)>(conn)?);
    }
    Ok(found)
}

impl Closure {
    /// When this venue is closed.
    pub fn of_venue(venue: &Venue) -> Self {
        let VenueInput { status, status_from, status_until, opening_hours, .. } = venue.written.clone();
        Self { status, status_from, status_until, opening_hours }
    }

    /// Whether the venue takes sessions at any time.
    pub fn is_always_open(&self) -> bool {
        self.status == VenueStatus::Open && self.opening_hours.0 == OpeningHours::default()
    }

    /// Whether the venue is closed for a session between these two instants.
    pub fn covers(&self, starts_at: Timestamp, ends_at: Timestamp, today: NaiveDate) -> bool {
        let start = in_london(starts_at);
        // A session that ends at midnight belongs to the day before.
        let last = in_london(Timestamp(ends_at.0 - TimeDelta::microseconds(1))).date();
        let closed = self.status != VenueStatus::Open
            && last >= self.status_from.unwrap_or(today)
            && self.status_until.is_none_or(|until| start.date() <= until);
        closed || (start.date() >= today && self.opening_hours.0.are_closed_on_the_day_of(start))
    }
}

fn in_london(at: Timestamp) -> NaiveDateTime {
    at.0.with_timezone(&London).naive_local()
}

#[cfg(test)]
mod tests {
    use super::super::types::Hours;
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn closure(status: VenueStatus, from: Option<&str>, until: Option<&str>) -> Closure {
        Closure {
            status,
            status_from: from.map(day),
            status_until: until.map(day),
            opening_hours: Json(OpeningHours::default()),
        }
    }

    /// Whether the closure covers a session from 11:00 on one day to 12:00 on another.
    fn covers(closure: &Closure, first: &str, last: &str) -> bool {
        let at = |day: &str, time: &str| Timestamp(format!("{day}T{time}:00Z").parse().unwrap());
        closure.covers(at(first, "11:00"), at(last, "12:00"), day("2027-03-01"))
    }

    #[test]
    fn without_days_it_holds_from_today_on() {
        let past = closure(VenueStatus::Closed, Some("2026-01-01"), Some("2026-01-31"));
        assert!(covers(&past, "2026-01-30", "2026-02-01") && !covers(&past, "2026-02-01", "2026-02-01"));
        let gone = closure(VenueStatus::Closed, None, None);
        assert!(!covers(&gone, "2027-02-28", "2027-02-28"));
        assert!(covers(&gone, "2027-03-01", "2027-03-01") && covers(&gone, "2090-01-01", "2090-01-01"));
        assert!(!covers(&closure(VenueStatus::Open, Some("2027-03-01"), None), "2027-03-01", "2027-03-01"));
    }

    #[test]
    fn a_day_without_hours_is_closed_where_others_have_some() {
        let hours = vec![Hours { opens: "09:00".into(), closes: "17:00".into() }];
        let mut week = closure(VenueStatus::Open, None, None);
        assert!(!covers(&week, "2027-03-07", "2027-03-07"));
        week.opening_hours = Json(OpeningHours { saturday: hours, ..OpeningHours::default() });
        assert!(covers(&week, "2027-03-07", "2027-03-07"));
        assert!(!covers(&week, "2027-03-06", "2027-03-07"), "the day before has hours, and they have ended");
        assert!(!covers(&week, "2027-02-28", "2027-02-28"), "the past may be recorded");
    }
}
