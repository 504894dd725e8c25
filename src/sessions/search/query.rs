//! A search for sessions: the query parameters, read and checked.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use uuid::Uuid;

use super::filter::{SessionFilter, SessionOrder};
use crate::auth::viewer::Viewer;
use crate::clock::london_midnight;
use crate::db::{Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::query::search_words_so_far;
use crate::text::words::Wanted;
use crate::venues::near::Circle;

/// A part of the list, in the order of start and id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeSpan {
    /// Only sessions behind this start and id.
    pub after: (Timestamp, Id),
    /// Only sessions that start before this instant.
    pub until: Timestamp,
}

/// The most hours of the week that are read one by one. Beyond half of the week, a walk through all sessions is as
/// good.
const MOST_HOURS: usize = 84;

/// The lowest id. No session has it.
pub const FIRST: Id = Id(Uuid::nil());

/// The year 2300, in microseconds since 1970: later than every session.
const NEVER: i64 = 10_413_792_000_000_000;

impl TimeSpan {
    /// The part of the time span from this instant on.
    pub fn from(self, start: Timestamp) -> Self {
        Self { after: self.after.max((start, FIRST)), ..self }
    }

    /// The part of the time span behind this session; nothing if there is no such session.
    pub fn behind(self, last: Option<(Timestamp, Id)>) -> Self {
        last.map_or_else(|| self.from(self.until), |after| Self { after, ..self })
    }

    /// Whether no session can lie in the time span.
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
    /// The words of `q`. Before the search is made, what the venues, partners and programmes are found by that have such names
    /// is [added](super::names::added).
    pub words: Vec<Wanted>,
    /// The circle to search in, if any.
    pub circle: Option<Circle>,
    /// The time of the request.
    pub now: Timestamp,
    /// Whether series are searched for. Then only scheduled sessions of series that the viewer finds in lists match.
    pub for_series: bool,
}

impl Search {
    /// Reads and checks a search.
    ///
    /// # Errors
    /// 400 if a value is wrong, or lacks another that it needs.
    pub fn read(viewer: Viewer, filter: SessionFilter, now: Timestamp) -> Result<Self> {
        if matches!((filter.from, filter.to), (Some(from), Some(to)) if to < from) {
            return Err(Error::parameter("to", "ends_first", "Must not be before from."));
        }
        if matches!((&filter.starts_after, &filter.starts_before), (Some(after), Some(before)) if before <= after) {
            return Err(Error::parameter("starts_before", "ends_first", "Must be later than starts_after."));
        }
        let circle = Circle::read(filter.near.as_deref(), filter.within_km)?;
        if filter.sort == Some(SessionOrder::Distance) && circle.is_none() {
            return Err(Error::parameter("sort", "needs_near", "The order distance needs near."));
        }
        let words = search_words_so_far(filter.q.as_deref())?;
        Ok(Self { viewer, filter, words, circle, now, for_series: false })
    }

    /// The same search for series.
    pub fn for_series(self) -> Self {
        Self { for_series: true, ..self }
    }

    /// The time span of the days that were asked for. Without `from`, it begins now. For series it begins now at the earliest.
    pub fn span(&self) -> TimeSpan {
        let from = self.filter.from.map_or(self.now, london_midnight);
        // The next session of a series is to come, whatever was asked for.
        let from = if self.for_series { from.max(self.now) } else { from };
        // A session that has begun, or begins at this instant, can't be booked.
        let soon = Timestamp(self.now.0 + TimeDelta::microseconds(1));
        let from = if self.has_space() { from.max(soon) } else { from };
        let until = self.filter.to.map_or(from_micros(NEVER), |to| london_midnight(to.succ_opt().unwrap_or(to)));
        TimeSpan { after: (from, FIRST), until }
    }

    /// Whether the index that is walked along may hold many sessions that don't match, so that the words should be
    /// used.
    pub fn rejects(&self) -> bool {
        let filter = &self.filter;
        let kinds = filter.pillar.is_some() || filter.delivery.is_some() || filter.booking_policy.is_some();
        let places = self.circle.is_some() || filter.local_authority.is_some();
        // The walk uses the index of one owner only.
        self.asks_words() || kinds || places || self.has_times() || self.owners() > 1
    }

    /// Whether checking a session means looking up its words.
    pub fn asks_words(&self) -> bool {
        let filter = &self.filter;
        let texts = !self.words.is_empty() || !filter.topic.is_empty() || !filter.accessibility.is_empty();
        let texts = texts || filter.pillar.is_some() || filter.programme_id.is_some();
        texts || !filter.weekday.is_empty()
    }

    /// Whether all matches are at one venue or of one partner. Each of these has an index by start.
    pub fn has_owner(&self) -> bool {
        self.owners() > 0
    }

    fn owners(&self) -> usize {
        [self.filter.venue_id, self.filter.partner_id].iter().flatten().count()
    }

    /// Whether only sessions with a free seat match.
    pub fn has_space(&self) -> bool {
        self.filter.has_space == Some(true)
    }

    /// Whether finding a page may mean reading much more than a page. Such a search runs away from the threads of
    /// requests.
    pub fn may_be_long(&self) -> bool {
        self.rejects() || self.has_space()
    }

    fn has_times(&self) -> bool {
        let filter = &self.filter;
        filter.starts_after.is_some() || filter.starts_before.is_some() || !filter.weekday.is_empty()
    }

    /// The hours of the week in which matching sessions can start; 0 is Monday from midnight on. `None` if no time was
    /// asked for, or if the hours are more than half of the week.
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

/// The instant of a cursor, which keeps microseconds since 1970.
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
        // A session at 02:00 isn't before 02:00, but its hour is among those read. The check of its row leaves it out.
        let early_on_monday = serde_json::json!({ "weekday": ["monday"], "starts_before": "02:00" });
        assert_eq!(hours(early_on_monday), Some(vec![0, 1, 2]));
    }
}
