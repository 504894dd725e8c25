//! Which session is which occurrence of its series.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::store::SeriesRow;
use crate::sessions::recurrence::{Occurrence, OccurrenceKey};
use crate::sessions::store::SessionRow;

/// The sessions of a series that no occurrence has been found for yet.
pub(super) struct Left<'a> {
    sessions: HashMap<OccurrenceKey, &'a SessionRow>,
    stated: HashSet<OccurrenceKey>,
}

impl<'a> Left<'a> {
    pub(super) fn of(held: &'a [SessionRow], stated: &[Occurrence]) -> Self {
        Self {
            sessions: held.iter().filter_map(|session| Some((session.occurrence?, session))).collect(),
            stated: stated.iter().map(|occurrence| occurrence.key).collect(),
        }
    }

    /// The session of an occurrence; owned where another key was its key so far.
    pub(super) fn take(&mut self, occurrence: &Occurrence, before: &SeriesRow) -> Option<Cow<'a, SessionRow>> {
        if let Some(session) = self.sessions.remove(&occurrence.key) {
            return Some(Cow::Borrowed(session));
        }
        self.adopt(occurrence, before)
    }

    /// A time stays the same occurrence where the rule gives it now and it was an additional one, or the other way round.
    fn adopt(&mut self, occurrence: &Occurrence, before: &SeriesRow) -> Option<Cow<'a, SessionRow>> {
        let start = occurrence.local_start;
        let other = match occurrence.key {
            OccurrenceKey::Rule(_) => OccurrenceKey::Additional(start),
            OccurrenceKey::Additional(_) => OccurrenceKey::Rule(start.date()),
        };
        let session = self.sessions.get(&other).filter(|_| !self.stated.contains(&other))?;
        // Moved by hand, it stays the occurrence of the time that the rule gave.
        let original = match other {
            OccurrenceKey::Additional(start) => start,
            OccurrenceKey::Rule(date) if session.edited => date.and_time(before.local_start.0.time()),
            OccurrenceKey::Rule(_) => session.local_start.0,
        };
        if original != start {
            return None;
        }
        let session = self.sessions.remove(&other)?;
        Some(Cow::Owned(SessionRow { occurrence: Some(occurrence.key), ..session.clone() }))
    }

    /// Those whose occurrence isn't stated any more, in order. Nothing is said beyond the date through which a series
    /// without an end is stated.
    pub(super) fn not_stated(self, series: &SeriesRow) -> Vec<&'a SessionRow> {
        let spoken_of = |key: OccurrenceKey| series.expanded_until.is_none_or(|until| key.date() <= until);
        let mut gone: Vec<(OccurrenceKey, &SessionRow)> =
            self.sessions.into_iter().filter(|(key, _)| spoken_of(*key)).collect();
        gone.sort_unstable_by_key(|(key, _)| *key);
        gone.into_iter().map(|(_, session)| session).collect()
    }
}
