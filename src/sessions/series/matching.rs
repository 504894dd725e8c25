//! Finds the session of each occurrence of a series.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::store::SeriesRow;
use crate::sessions::recurrence::{Occurrence, OccurrenceKey};
use crate::sessions::store::SessionRow;

/// The sessions of a series whose occurrences haven't been found yet.
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

    /// The session of an occurrence. It is owned if it had another key before.
    pub(super) fn take(&mut self, occurrence: &Occurrence, before: &SeriesRow) -> Option<Cow<'a, SessionRow>> {
        if let Some(session) = self.sessions.remove(&occurrence.key) {
            return Some(Cow::Borrowed(session));
        }
        self.adopt(occurrence, before)
    }

    /// A time stays the same occurrence if it was an additional time and the rule gives it now, or the other way round.
    fn adopt(&mut self, occurrence: &Occurrence, before: &SeriesRow) -> Option<Cow<'a, SessionRow>> {
        let start = occurrence.local_start;
        let other = match occurrence.key {
            OccurrenceKey::Rule(_) => OccurrenceKey::Additional(start),
            OccurrenceKey::Additional(_) => OccurrenceKey::Rule(start.date()),
        };
        let session = self.sessions.get(&other).filter(|_| !self.stated.contains(&other))?;
        // A session that was moved by hand stays the occurrence of the time that the rule gave.
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

    /// The sessions whose occurrences aren't stated any more, in order. A series without an end states occurrences only
    /// up to its horizon, so later sessions aren't among these.
    pub(super) fn not_stated(self, series: &SeriesRow) -> Vec<&'a SessionRow> {
        let spoken_of = |key: OccurrenceKey| series.expanded_until.is_none_or(|until| key.date() <= until);
        let mut gone: Vec<(OccurrenceKey, &SessionRow)> =
            self.sessions.into_iter().filter(|(key, _)| spoken_of(*key)).collect();
        gone.sort_unstable_by_key(|(key, _)| *key);
        gone.into_iter().map(|(_, session)| session).collect()
    }
}
