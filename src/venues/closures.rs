//! When a venue takes no sessions: while it is closed, and on the weekdays on which it has no hours.
//!
//! - A status of closed or temporarily closed holds from its first day to its last; without a first day from today
//!   on, without a last for good.
//! - Opening hours are those of today: they say nothing about the past, so that it can be recorded. A venue without
//!   any hours hasn't said when it opens, and takes sessions on every day.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate, Weekday};
use diesel::prelude::*;

use super::types::{Hours, OpeningHours, VenueStatus};
use crate::db::schema::venues;
use crate::db::{Conn, Id, Json};
use crate::error::Result;

/// Values in one `IN (…)`.
const CHUNK: usize = 500;

/// What a venue says about when it is closed.
#[derive(Debug, Clone)]
pub struct Closure {
    status: VenueStatus,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    hours: OpeningHours,
}

type Columns = (Id, VenueStatus, Option<NaiveDate>, Option<NaiveDate>, Json<OpeningHours>);

/// When these venues are closed, by id.
pub fn of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Closure>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let columns = (venues::id, venues::status, venues::status_from, venues::status_until, venues::opening_hours);
        let rows: Vec<Columns> = venues::table.filter(venues::id.eq_any(chunk)).select(columns).load(conn)?;
        found.extend(
            rows.into_iter().map(|(id, status, from, until, Json(hours))| (id, Closure { status, from, until, hours })),
        );
    }
    Ok(found)
}

impl Closure {
    /// Whether the venue takes nothing that begins on the one day and ends on the other, London days both.
    pub fn covers(&self, first: NaiveDate, last: NaiveDate, today: NaiveDate) -> bool {
        let closed = self.status != VenueStatus::Open
            && last >= self.from.unwrap_or(today)
            && self.until.is_none_or(|until| first <= until);
        closed || (first >= today && self.has_hours() && self.on(first.weekday()).is_empty())
    }

    fn has_hours(&self) -> bool {
        let mut day = Weekday::Mon;
        (0..7).any(|_| {
            day = day.succ();
            !self.on(day).is_empty()
        })
    }

    fn on(&self, day: Weekday) -> &[Hours] {
        match day {
            Weekday::Mon => &self.hours.monday,
            Weekday::Tue => &self.hours.tuesday,
            Weekday::Wed => &self.hours.wednesday,
            Weekday::Thu => &self.hours.thursday,
            Weekday::Fri => &self.hours.friday,
            Weekday::Sat => &self.hours.saturday,
            Weekday::Sun => &self.hours.sunday,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn closure(status: VenueStatus, from: Option<&str>, until: Option<&str>) -> Closure {
        Closure { status, from: from.map(day), until: until.map(day), hours: OpeningHours::default() }
    }

    fn covers(closure: &Closure, first: &str, last: &str) -> bool {
        closure.covers(day(first), day(last), day("2027-03-01"))
    }

    #[test]
    fn a_status_holds_from_its_first_day_to_its_last() {
        let refit = closure(VenueStatus::TemporarilyClosed, Some("2027-03-08"), Some("2027-03-14"));
        for (first, last, expected) in [
            ("2027-03-07", "2027-03-07", false),
            ("2027-03-07", "2027-03-08", true),
            ("2027-03-14", "2027-03-14", true),
            ("2027-03-15", "2027-03-15", false),
        ] {
            assert_eq!(covers(&refit, first, last), expected, "{first}");
        }
        let past = closure(VenueStatus::Closed, Some("2026-01-01"), Some("2026-01-31"));
        assert!(covers(&past, "2026-01-15", "2026-01-15"));
    }

    #[test]
    fn without_days_it_holds_from_today_on() {
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
        week.hours = OpeningHours { saturday: hours, ..OpeningHours::default() };
        assert!(covers(&week, "2027-03-07", "2027-03-07"));
        assert!(!covers(&week, "2027-03-06", "2027-03-07"), "one that goes on past midnight began on an open day");
        assert!(!covers(&week, "2027-02-28", "2027-02-28"), "the past may be recorded");
    }
}
