//! Finds the session of each occurrence of a series.
//!
//! A session is known by the [place](OccurrenceKey::place) of its key. It gets another key in two cases, so that people
//! stay where they are booked:
//!
//! - The rule moves onto an additional time, or away from it. Where people are booked at that time, or it was edited, the
//!   session there stays and takes the key of that time. The one that had this key is known by its own time from then on.
//! - The rule gives now what was an additional time, or the other way round. The session of that time takes the key.

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::reconcile::standing;
use crate::db::{Id, Timestamp};
use crate::sessions::recurrence::{Occurrence, OccurrenceKey};
use crate::sessions::store::{Revision, SessionRow};
use crate::sessions::types::SessionStatus;

/// What an occurrence is [known by](OccurrenceKey::place).
pub(super) type Place = (NaiveDate, Option<NaiveTime>);

fn is_on(session: &SessionRow, now: Timestamp) -> bool {
    session.status == SessionStatus::Scheduled && session.starts_at > now
}

/// The sessions of a series, by the occurrences that they are now.
pub(super) struct Matching<'a> {
    /// Those that haven't been taken yet.
    left: HashMap<Place, &'a SessionRow>,
    keys: HashMap<Id, OccurrenceKey>,
}

/// The sessions that have another key where these occurrences are stated, and it.
pub(super) fn keys(held: &[SessionRow], stated: &[Occurrence], now: Timestamp) -> Vec<(Id, OccurrenceKey)> {
    Matching::of(held, stated, now).rekeyed(held, &[], now)
}

impl<'a> Matching<'a> {
    pub(super) fn of(held: &'a [SessionRow], stated: &[Occurrence], now: Timestamp) -> Self {
        let mut matching = Self { left: HashMap::new(), keys: HashMap::new() };
        let mut there: HashMap<NaiveDateTime, &SessionRow> = HashMap::new();
        for (session, key) in held.iter().filter_map(|session| Some((session, session.occurrence?))) {
            matching.left.insert(key.place(), session);
            matching.keys.insert(session.id, key);
            let start = session.local_start.0;
            if session.is_withdrawn() {
                there.entry(start).or_insert(session);
            } else if is_on(session, now) && (!session.edited || start == key.start) {
                // One that was moved by hand serves the time that it had, not the one where it is.
                there.insert(start, session);
            }
        }
        let keys = || stated.iter().map(|occurrence| occurrence.key);
        for key in keys() {
            if let Some(session) = there.get(&key.start).filter(|session| matching.serves(key, session, now)) {
                matching.give(key, session);
            }
        }
        let places: HashSet<Place> = keys().map(OccurrenceKey::place).collect();
        for key in keys() {
            if let Some(session) = matching.adopted(key, &places, there.get(&key.start).copied()) {
                matching.give(key, session);
            }
        }
        matching
    }

    /// Whether a session that stands at a stated time serves it instead of the one whose key it is.
    fn serves(&self, key: OccurrenceKey, session: &SessionRow, now: Timestamp) -> bool {
        let stays = session.is_booked() || session.edited;
        let may = |other: &&SessionRow| {
            let elsewhere = other.local_start.0 != key.start && standing(other, now).is_none();
            elsewhere && (stays || other.is_withdrawn())
        };
        is_on(session, now) && self.left.get(&key.place()).map_or(stays, may)
    }

    /// The session that had a stated time under another key, which isn't stated any more.
    fn adopted(
        &self,
        key: OccurrenceKey,
        stated: &HashSet<Place>,
        there: Option<&'a SessionRow>,
    ) -> Option<&'a SessionRow> {
        let own = |session: &SessionRow| self.keys.get(&session.id).copied();
        let other = OccurrenceKey { is_additional: !key.is_additional, ..key };
        let had_it = self.left.get(&other.place()).copied();
        let had_it = had_it.filter(|session| own(session).is_some_and(|own| own.start == key.start));
        let adopted = match self.left.get(&key.place()) {
            None => had_it.or(there),
            // What people moved or called off doesn't come on again as another session.
            Some(holder) if holder.is_withdrawn() => had_it.filter(|session| session.edited),
            Some(_) => None,
        };
        adopted.filter(|session| own(session).is_some_and(|own| !stated.contains(&own.place())))
    }

    /// Gives a key to a session. The one that had it is known from then on by the time at which it stands.
    fn give(&mut self, key: OccurrenceKey, session: &'a SessionRow) {
        let Some(own) = self.keys.insert(session.id, key) else { return };
        self.left.remove(&own.place());
        let Some(other) = self.left.insert(key.place(), session) else { return };
        let stands = OccurrenceKey::additional(other.local_start.0);
        self.keys.insert(other.id, stands);
        // A third one that is off and had that time takes the key that has become free.
        if let Some(third) = self.left.insert(stands.place(), other) {
            self.keys.insert(third.id, own);
            self.left.insert(own.place(), third);
        }
    }

    /// The session of an occurrence.
    pub(super) fn take(&mut self, key: OccurrenceKey) -> Option<&'a SessionRow> {
        let session = self.left.remove(&key.place())?;
        self.keys.insert(session.id, key);
        Some(session)
    }

    /// The sessions whose occurrences aren't stated any more, with their keys, in order.
    pub(super) fn not_stated(&self) -> Vec<(OccurrenceKey, &'a SessionRow)> {
        let keyed = self.left.values().filter_map(|session| Some((*self.keys.get(&session.id)?, *session)));
        let mut gone: Vec<_> = keyed.collect();
        gone.sort_unstable_by_key(|(key, _)| *key);
        gone
    }

    /// The sessions that have another key than they are written with, or will be `written` with, and it.
    pub(super) fn rekeyed(
        &self,
        held: &[SessionRow],
        written: &[Revision],
        now: Timestamp,
    ) -> Vec<(Id, OccurrenceKey)> {
        let written: HashSet<Id> = written.iter().map(|revision| revision.to.id).collect();
        let changes = held.iter().filter_map(|session| {
            let (old, new) = (session.occurrence?, *self.keys.get(&session.id)?);
            // That the rule has moved is no news to its past.
            let moves = old != new && session.starts_at > now && !written.contains(&session.id);
            (moves || old.place() != new.place()).then_some((session.id, new))
        });
        changes.collect()
    }
}
