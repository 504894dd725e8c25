//! A search for sessions, understood.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Europe::London;
use uuid::Uuid;

use super::filter::{SessionFilter, SessionOrder};
use super::merge::Availability;
use crate::auth::viewer::Viewer;
use crate::db::{Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::query::search_words;
use crate::sessions::recurrence::first_instant;
use crate::text::words::Wanted;
use crate::venues::near::Circle;

/// A stretch of the list by start and id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeSpan {
    /// After this start and id.
    pub after: (Timestamp, Id),
    /// Before this start.
    pub until: Timestamp,
}

/// The most hours of the week that are gone through one by one: beyond half of them a walk finds as much.
const MOST_HOURS: usize = 84;

/// No id is below this one, and no session has it.
pub const FIRST: Id = Id(Uuid::nil());

/// An instant after all that sessions can have, in microseconds since 1970: the year 2300.
const NEVER: i64 = 10_413_792_000_000_000;

impl TimeSpan {
    /// What of it starts at an instant or later.
    pub fn from(self, start: Timestamp) -> Self {
        Self { after: self.after.max((start, FIRST)), ..self }
    }

    /// Whether nothing can be in it.
    pub fn is_empty(&self) -> bool {
        self.after.0 >= self.until
    }
}

/// What to find, for whom.
#[derive(Debug, Clone)]
pub struct Search {
    /// Who is looking.
    pub viewer: Viewer,
    /// What was asked for.
    pub filter: SessionFilter,
    /// The words of `q`.
    pub words: Vec<Wanted>,
    /// Where.
    pub circle: Option<Circle>,
    /// When it is asked.
    pub now: Timestamp,
}

impl Search {
    /// Understands what was asked for.
    ///
    /// # Errors
    /// 400 where a value is wrong, or goes only with another.
    pub fn read(viewer: Viewer, filter: SessionFilter, now: Timestamp) -> Result<Self> {
        if matches!((filter.from, filter.to), (Some(from), Some(to)) if to < from) {
            return Err(Error::parameter("to", "ends_first", "Must not be before from."));
        }
        if matches!((&filter.starts_after, &filter.starts_before), (Some(after), Some(before)) if before <= after) {
            return Err(Error::parameter("starts_before", "ends_first", "Must be later than starts_after."));
        }
        let circle = Circle::read(filter.near.as_deref(), filter.within_km)?;
        if filter.sort == Some(SessionOrder::Distance) && circle.is_none() {
            return Err(Error::parameter("sort", "needs_near", "The order distance goes only with near."));
        }
        let words = search_words(filter.q.as_deref())?;
        Ok(Self { viewer, filter, words, circle, now })
    }

    /// The days that were asked for, from now on where nothing says from when.
    pub fn span(&self) -> TimeSpan {
        let from = self.filter.from.map_or(self.now, london_midnight);
        // What has begun, or begins now, has no space, whatever is left of it.
        let soon = Timestamp(self.now.0 + TimeDelta::microseconds(1));
        let from = if self.has_space() { from.max(soon) } else { from };
        let until = self.filter.to.map_or(from_micros(NEVER), |to| london_midnight(to.succ_opt().unwrap_or(to)));
        TimeSpan { after: (from, FIRST), until }
    }

    /// Whether many rows of the index that is walked along may not fit, and words say which do.
    pub fn rejects(&self) -> bool {
        let filter = &self.filter;
        let kinds = filter.pillar.is_some() || filter.delivery.is_some();
        let places = self.circle.is_some() || filter.local_authority.is_some();
        // Only one of their indexes is walked along, or that of what has room.
        let owners = self.owners() > 1 || (self.has_owner() && self.has_space());
        self.asks_words() || kinds || places || self.has_times() || owners
    }

    /// Whether the words of a session must be looked up to see if it fits.
    pub fn asks_words(&self) -> bool {
        let filter = &self.filter;
        let texts = !self.words.is_empty() || !filter.topic.is_empty() || !filter.accessibility.is_empty();
        texts || !filter.weekday.is_empty()
    }

    /// Whether all that fits is at one venue, of one partner or of one programme. There is an index by start for each.
    pub fn has_owner(&self) -> bool {
        self.owners() > 0
    }

    fn owners(&self) -> usize {
        [self.filter.venue_id, self.filter.partner_id, self.filter.programme_id].iter().flatten().count()
    }

    /// Whether only sessions with room fit.
    pub fn has_space(&self) -> bool {
        self.filter.has_space == Some(true)
    }

    /// Which sessions of a set fit.
    pub fn room(&self) -> Availability {
        if self.has_space() { Availability::HasSpace } else { Availability::Any }
    }

    /// Whether finding a page may mean reading more than a page: not on a thread that answers requests.
    pub fn may_be_long(&self) -> bool {
        self.rejects() || self.has_space()
    }

    fn has_times(&self) -> bool {
        let filter = &self.filter;
        filter.starts_after.is_some() || filter.starts_before.is_some() || !filter.weekday.is_empty()
    }

    /// The hours of the week in which everything that fits starts, 0 being Monday from midnight on; `None` where no
    /// time was asked for, or so many that most sessions start in one of them.
    pub fn week_hours(&self) -> Option<Vec<i32>> {
        if !self.has_times() {
            return None;
        }
        let hour = |text: &Option<String>| text.as_deref().and_then(|text| text.get(..2)?.parse::<i32>().ok());
        let (first, last) = (hour(&self.filter.starts_after), hour(&self.filter.starts_before));
        let days: BTreeSet<i32> = match self.filter.weekday.as_slice() {
            [] => (0..7).collect(),
            some => some.iter().map(|day| *day as i32).collect(),
        };
        let of_day = |day: i32| (first.unwrap_or(0)..=last.unwrap_or(23)).map(move |hour| day * 24 + hour);
        let hours: Vec<i32> = days.into_iter().flat_map(of_day).collect();
        (hours.len() <= MOST_HOURS).then_some(hours)
    }
}

/// The first instant of a day in London.
pub fn london_midnight(day: NaiveDate) -> Timestamp {
    Timestamp(first_instant(day, London))
}

/// The instant that a cursor keeps as microseconds since 1970.
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp(chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(filter: serde_json::Value) -> Option<Vec<i32>> {
        let filter = serde_json::from_value(filter).unwrap();
        Search::read(Viewer::Public, filter, from_micros(0)).unwrap().week_hours()
    }

    #[test]
    fn hours_lead_where_they_are_at_most_half_of_the_week() {
        assert_eq!(hours(serde_json::json!({ "q": "tea" })), None);
        assert_eq!(hours(serde_json::json!({ "starts_after": "12:00" })).map(|hours| hours.len()), Some(MOST_HOURS));
        assert_eq!(hours(serde_json::json!({ "starts_after": "11:59" })), None);
        let late_on_sunday = serde_json::json!({ "weekday": ["sunday"], "starts_after": "22:30" });
        assert_eq!(hours(late_on_sunday), Some(vec![166, 167]));
        // What starts at ten isn't before ten: its hour may be looked at, and the rows of it say no.
        let early_on_monday = serde_json::json!({ "weekday": ["monday"], "starts_before": "02:00" });
        assert_eq!(hours(early_on_monday), Some(vec![0, 1, 2]));
    }
}
