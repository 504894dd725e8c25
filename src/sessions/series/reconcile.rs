//! How sessions that exist follow a statement that has changed.
//!
//! - Sessions and what is stated are [matched](super::matching) by which occurrence each is.
//! - Future, scheduled sessions that nobody edited by hand change in place: id and bookings stay. Past and edited ones
//!   stay as they are, and so do those that people called off.
//! - A date or an additional time that is no longer stated is called off where nobody holds or waits for a seat in it,
//!   else it is kept and reported. It comes on again once it is stated again.
//! - What can't have its space, or finds its venue closed, is left out or stays as it was, and is reported.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;

use super::matching::Matching;
use super::rules;
use super::store::{Ending, LeftOut, SeriesRow};
use super::types::{SkipReason, Skipped};
use crate::db::{Id, Json, LocalTime, Timestamp};
use crate::sessions::clashes::{Clash, Placing};
use crate::sessions::recurrence::{Occurrence, OccurrenceKey};
use crate::sessions::store::SessionRow;
use crate::sessions::types::{SeriesStatus, SessionStatus};

/// What to do to the sessions of one entry.
#[derive(Debug, Default)]
pub struct Difference {
    /// Sessions with another key than they had, beside those that are updated. To be written before anything is created.
    pub rekeyed: Vec<(Id, OccurrenceKey)>,
    /// New ones.
    pub create: Vec<SessionRow>,
    /// The next versions of ones that change in place.
    pub update: Vec<SessionRow>,
    /// The next versions of ones that are called off.
    pub cancel: Vec<SessionRow>,
    /// The ones above that were decided on because nobody holds a seat in them.
    pub unbooked: Vec<Id>,
    /// What isn't as the statement has it, in no order.
    pub skipped: Vec<Skipped>,
    /// New ones that could not be made.
    pub left_out: Vec<LeftOut>,
}

impl Difference {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.rekeyed.is_empty() && self.create.is_empty() && self.update.is_empty() && self.cancel.is_empty()
    }

    /// Lets a session follow what is wanted of it, or says why it doesn't. That a session stays as it was is reported only
    /// where the statement itself has `changed`: else nothing new was asked of it.
    fn follow(&mut self, held: &SessionRow, wanted: SessionRow, changed: bool, now: Timestamp) {
        let of_series = held.series_id.is_some();
        let (next, kept_seats) = moved(held, wanted);
        let stays = standing(held, now);
        let is_news = match stays {
            // Also where it would be the same: it is stated to take place, and doesn't.
            Some(SkipReason::Cancelled) => next.starts_at > now || !of_series && next != *held,
            // A series goes on: that its past stays as it was is no news.
            Some(SkipReason::Past) if of_series => false,
            _ => next != *held || kept_seats,
        };
        if !is_news {
            return;
        }
        let is_past = next.starts_at <= now;
        let reason = stays.or_else(|| match held.is_booked() {
            // A session later today can't be moved to a time that has already passed.
            _ if of_series && is_past => Some(SkipReason::Past),
            true if next.delivery != held.delivery || is_past => Some(SkipReason::Booked),
            _ => None,
        });
        if reason.is_some() || kept_seats {
            self.stay(held, reason.unwrap_or(SkipReason::Booked), changed);
        }
        if reason.is_none() && next != *held {
            if next.delivery != held.delivery || is_past {
                self.unbooked.push(held.id);
            }
            self.update.push(SessionRow { version: held.version + 1, updated_at: now, ..next });
        }
    }

    /// An occurrence that is no longer stated. What is past or cancelled isn't on any more anyway.
    fn leave(&mut self, held: &SessionRow, reason: &str, changed: bool, now: Timestamp) {
        if held.status == SessionStatus::Cancelled || held.starts_at <= now {
            return;
        }
        if held.edited || held.is_booked() {
            return self.stay(held, if held.edited { SkipReason::Edited } else { SkipReason::Booked }, changed);
        }
        self.unbooked.push(held.id);
        self.cancel.push(SessionRow {
            status: SessionStatus::Cancelled,
            cancellation_reason: Some(reason.to_owned()),
            version: held.version + 1,
            updated_at: now,
            ..held.clone()
        });
    }

    fn stay(&mut self, held: &SessionRow, reason: SkipReason, changed: bool) {
        self.skipped.extend(changed.then_some(Skipped { local_start: held.local_start, reason }));
    }
}

impl Difference {
    /// What is to be written, beside what it is now.
    pub fn placings<'a>(&'a self, held: &HashMap<Id, &'a SessionRow>) -> Vec<Placing<'a>> {
        let new = self.create.iter().map(|to| Placing { to, from: None });
        new.chain(self.update.iter().map(|to| Placing::over(to, held.get(&to.id).copied()))).collect()
    }

    /// The sessions that are called off: they are in nobody's way any more.
    pub fn leaving(&self) -> HashSet<Id> {
        self.cancel.iter().map(|row| row.id).collect()
    }

    /// Leaves out what clashes, and says so.
    pub fn leave_out(&mut self, clashes: &HashMap<Id, Clash>, held: &HashMap<Id, &SessionRow>) {
        let Self { create, update, skipped, left_out, .. } = self;
        for rows in [create, update] {
            rows.retain(|row| {
                let clash = clashes.get(&row.id);
                skipped.extend(clash.map(|clash| {
                    let stays = held.get(&row.id).filter(|held| !held.is_withdrawn());
                    left_out.extend(LeftOut::of(row, clash.reason).filter(|_| stays.is_none()));
                    let local_start = stays.map_or(row.local_start, |held| held.local_start);
                    Skipped { local_start, reason: clash.reason }
                }));
                clash.is_none()
            });
        }
    }
}

/// Why a session stays whatever is wanted of it. What the statement itself called off doesn't.
pub(super) fn standing(held: &SessionRow, now: Timestamp) -> Option<SkipReason> {
    if held.is_withdrawn() {
        None
    } else if held.status == SessionStatus::Cancelled {
        Some(SkipReason::Cancelled)
    } else if held.starts_at <= now {
        Some(SkipReason::Past)
    } else {
        held.edited.then_some(SkipReason::Edited)
    }
}

/// The session as it is wanted, being the same one, and whether a capacity had to stay because more seats are
/// taken than the new one has.
fn moved(held: &SessionRow, wanted: SessionRow) -> (SessionRow, bool) {
    let below = |capacity: Option<i32>, taken: i32| capacity.is_some_and(|capacity| capacity < taken);
    let (few, few_online) =
        (below(wanted.capacity, held.seats_taken), below(wanted.online_capacity, held.online_seats_taken));
    let next = SessionRow {
        id: held.id,
        occurrence: held.occurrence,
        capacity: if few { held.capacity } else { wanted.capacity },
        online_capacity: if few_online { held.online_capacity } else { wanted.online_capacity },
        seats_taken: held.seats_taken,
        online_seats_taken: held.online_seats_taken,
        waitlist_length: held.waitlist_length,
        status: if held.is_withdrawn() { SessionStatus::Scheduled } else { held.status },
        cancellation_reason: held.cancellation_reason.clone().filter(|_| !held.is_withdrawn()),
        edited: held.edited,
        version: held.version,
        created_at: held.created_at,
        updated_at: held.updated_at,
        ..wanted
    };
    (next, few || few_online)
}

/// The next version of a session that comes on again as it is wanted.
pub(super) fn brought_back(held: &SessionRow, wanted: &SessionRow) -> SessionRow {
    let occurrence = wanted.occurrence;
    SessionRow { occurrence, version: held.version + 1, updated_at: wanted.updated_at, ..moved(held, wanted.clone()).0 }
}

/// A series as it is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What it says.
    pub series: &'a SeriesRow,
    /// What it said before.
    pub before: &'a SeriesRow,
    /// When it states to take place.
    pub occurrences: &'a [Occurrence],
    /// Whether it says something else than before.
    pub changed: bool,
    /// Why dates that have left it are off.
    pub left: &'a str,
}

/// The difference between a series as it is wanted and the sessions it has. New ones are made only of what is still to
/// come: a past is stated with a new series, and what this one left out, while it was withdrawn say, didn't take place.
pub fn series(wanted: Wanted<'_>, held: &[SessionRow], now: Timestamp, mut new_id: impl FnMut() -> Id) -> Difference {
    let Wanted { series, occurrences, changed, left: reason, .. } = wanted;
    let mut difference = Difference::default();
    let own = rules::own(series, occurrences);
    let mut matching = Matching::of(held, own, now);
    let is_over = series.ending.0.withdrawn.map(|_| SkipReason::SeriesEnded);
    let mut missed: Vec<(&Occurrence, SkipReason)> = Vec::new();
    let mut unserved: HashMap<NaiveDateTime, &Occurrence> = HashMap::new();
    for occurrence in own {
        // Nothing more comes of a series that its roster no longer names.
        let reason = if occurrence.starts_at <= now.0 { Some(SkipReason::Past) } else { is_over };
        match (matching.take(occurrence.key), reason) {
            (Some(session), _) if reason.is_none() || !session.is_withdrawn() => {
                if standing(&session, now).is_some() {
                    unserved.insert(occurrence.local_start, occurrence);
                }
                let next = SessionRow::of_series(series, occurrence, session.id, now);
                difference.follow(&session, next, changed, now);
            }
            (_, Some(reason)) => missed.push((occurrence, reason)),
            (_, None) => difference.create.push(SessionRow::of_series(series, occurrence, new_id(), now)),
        }
    }
    for session in matching.not_stated(series) {
        // An additional time that the rule gives too is the rule's. Where people called the rule's own session off or
        // moved it, the one that is there stays: its time is stated.
        let is_on = |key: &OccurrenceKey| key.is_additional && session.status == SessionStatus::Scheduled;
        match session.occurrence.filter(is_on).and_then(|key| Some((key, unserved.get(&key.start)?))) {
            Some((key, occurrence)) => {
                let stays = Occurrence { key, ..**occurrence };
                difference.follow(&session, SessionRow::of_series(series, &stays, session.id, now), changed, now);
            }
            None => difference.leave(&session, reason, changed, now),
        }
    }
    difference.rekeyed = matching.rekeyed(held, &difference.update, now);
    if changed && !series.same_times(wanted.before) {
        let beyond = occurrences.iter().skip(own.len());
        missed.extend(beyond.map(|occurrence| (occurrence, SkipReason::SeriesEnded)));
        difference.miss(&wanted, &missed);
    }
    difference
}

impl Difference {
    /// Reports what is stated for the first time and isn't made, and exclusions that exclude nothing.
    fn miss(&mut self, wanted: &Wanted<'_>, missed: &[(&Occurrence, SkipReason)]) {
        let among: Vec<&Occurrence> = missed.iter().map(|(occurrence, _)| *occurrence).collect();
        let new: HashSet<OccurrenceKey> =
            rules::newly_stated(wanted.before, &among).into_iter().map(|occurrence| occurrence.key).collect();
        let new = missed.iter().filter(|(occurrence, _)| new.contains(&occurrence.key));
        let skipped = |local_start, reason| Skipped { local_start, reason };
        self.skipped.extend(new.map(|(occurrence, reason)| skipped(LocalTime(occurrence.local_start), *reason)));
        let idle = rules::idle_exclusions(wanted.series).unwrap_or_default();
        self.skipped.extend(idle.into_iter().map(|time| skipped(time, SkipReason::NotAnOccurrence)));
    }
}

/// The difference between a single session as it is wanted and as it is. A join link that isn't stated stays.
pub fn single(wanted: SessionRow, held: &SessionRow, now: Timestamp) -> Difference {
    let mut difference = Difference::default();
    let join_link = wanted.join_link.clone().or_else(|| held.join_link.clone());
    difference.follow(held, SessionRow { join_link, ..wanted }, true, now);
    difference
}

/// The series as it is stated, being the same one, and whether that is a change. A join link that isn't stated
/// stays. A roster that names it again takes back what one that didn't name it did.
pub fn restated(held: &SeriesRow, wanted: SeriesRow, now: Timestamp) -> (SeriesRow, bool) {
    let back = held.ending.0.withdrawn.is_some();
    let next = SeriesRow {
        id: held.id,
        left_out: held.left_out.clone(),
        ending: Json(Ending { withdrawn: None, ..held.ending.0 }),
        split_from: held.split_from,
        join_link: wanted.join_link.clone().or_else(|| held.join_link.clone()),
        status: if back { SeriesStatus::Active } else { held.status },
        cancellation_reason: held.cancellation_reason.clone().filter(|_| !back),
        version: held.version,
        created_at: held.created_at,
        updated_at: held.updated_at,
        ..wanted
    };
    if next == *held {
        return (next, false);
    }
    (SeriesRow { version: held.version + 1, updated_at: now, ..next }, true)
}
