//! How existing sessions follow a changed series or roster entry.
//!
//! - [Matching] finds the session of each stated occurrence.
//! - Sessions that are still to come, scheduled and not edited by hand change in place: their ids and bookings stay.
//!   Past and edited sessions stay as they are, and so do those that people called off.
//! - A session whose date or additional time is no longer stated is cancelled if nobody holds a seat in it or waits for
//!   one. Otherwise it is kept and reported. A cancelled one comes on again once it is stated again.
//! - A session is also kept and reported if its new space is taken or its new venue is closed at that time. A new one is
//!   left out.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDateTime;

use super::matching::Matching;
use super::rules;
use super::store::{Ending, LeftOut, SeriesRow};
use super::types::{SkipReason, Skipped};
use crate::db::{Id, Json, LocalTime, Timestamp};
use crate::sessions::activity::Activity;
use crate::sessions::clashes::{Clash, Placing};
use crate::sessions::recurrence::{Occurrence, OccurrenceKey, RecurrenceError, Work};
use crate::sessions::store::{Revision, SessionRow};
use crate::sessions::types::{SeriesStatus, SessionStatus};
use crate::sessions::wordings::Wording;

/// What to do with the sessions of one series or entry.
#[derive(Debug, Default)]
pub struct Difference {
    /// Sessions that get another key, and it, beside those that are updated. Write these before anything else.
    pub rekeyed: Vec<(Id, OccurrenceKey)>,
    /// New sessions.
    pub create: Vec<SessionRow>,
    /// Sessions that change in place.
    pub update: Vec<Revision>,
    /// Sessions that are called off.
    pub cancel: Vec<Revision>,
    /// The sessions above that may be changed or called off only while nobody holds a seat in them.
    pub unbooked: Vec<Id>,
    /// The sessions that differ from what is stated, and why, in no order.
    pub skipped: Vec<Skipped>,
    /// The occurrences for which no session could be made.
    pub left_out: Vec<LeftOut>,
}

impl Difference {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.rekeyed.is_empty() && self.create.is_empty() && self.update.is_empty() && self.cancel.is_empty()
    }

    /// Makes a session follow what is wanted, or reports why it doesn't. A session that stays as it was is reported only
    /// if the statement itself has `changed`.
    fn follow(&mut self, held: &SessionRow, wanted: SessionRow, changed: bool, now: Timestamp) {
        let of_series = held.series_id.is_some();
        let (next, kept_seats) = merged(held, wanted);
        let (stays, differs) = (standing(held, now), !next.says_as(held));
        let is_news = match stays {
            // This is reported even if nothing else differs: the session is stated to take place, but doesn't.
            Some(SkipReason::Cancelled) => next.starts_at > now || !of_series && differs,
            // A series' past sessions never change, so there is nothing to report.
            Some(SkipReason::Past) if of_series => false,
            _ => differs || kept_seats,
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
        if reason.is_none() && differs {
            if next.delivery != held.delivery || is_past {
                self.unbooked.push(held.id);
            }
            self.update.extend(Revision::of(held.clone(), next, now));
        }
    }

    /// Cancels a session whose occurrence is no longer stated, if nobody is booked. Past, cancelled and edited sessions
    /// stay. One that stays though it is to come is reported if the statement has `changed`.
    fn leave(&mut self, held: &SessionRow, reason: &str, changed: bool, now: Timestamp) {
        if held.status == SessionStatus::Cancelled || held.starts_at <= now {
            return;
        }
        if held.edited || held.is_booked() {
            return self.stay(held, if held.edited { SkipReason::Edited } else { SkipReason::Booked }, changed);
        }
        self.unbooked.push(held.id);
        let cancellation_reason = Some(reason.to_owned());
        let off = SessionRow { status: SessionStatus::Cancelled, cancellation_reason, ..held.clone() };
        self.cancel.extend(Revision::of(held.clone(), off, now));
    }

    fn stay(&mut self, held: &SessionRow, reason: SkipReason, changed: bool) {
        self.skipped.extend(changed.then_some(Skipped { local_start: held.local_start, reason }));
    }
}

impl Difference {
    /// The sessions to write, with their present versions.
    pub fn placings(&self) -> Vec<Placing<'_>> {
        let new = self.create.iter().map(|to| Placing { to, from: None });
        new.chain(self.update.iter().map(Placing::from)).collect()
    }

    /// The sessions that are called off. They take no space any more.
    pub fn leaving(&self) -> HashSet<Id> {
        self.cancel.iter().map(|revision| revision.to.id).collect()
    }

    /// Leaves out the sessions that clash, and reports them. They stay as they are, but are known by the rule's new time.
    pub fn leave_out(&mut self, clashes: &HashMap<Id, Clash>) {
        let Self { rekeyed, create, update, skipped, left_out, .. } = self;
        let clashing = update.iter().filter(|revision| clashes.contains_key(&revision.to.id));
        rekeyed.extend(clashing.filter_map(Revision::rekeyed));
        let mut is_free = |row: &SessionRow, from: Option<&SessionRow>| {
            let Some(clash) = clashes.get(&row.id) else { return true };
            let stays = from.filter(|from| !from.is_withdrawn());
            left_out.extend(LeftOut::of(row, clash.reason).filter(|_| stays.is_none()));
            let local_start = stays.map_or(row.local_start, |from| from.local_start);
            skipped.push(Skipped { local_start, reason: clash.reason });
            false
        };
        create.retain(|row| is_free(row, None));
        update.retain(|revision| is_free(&revision.to, Some(&revision.from)));
    }
}

/// Why a session never follows its series, if it doesn't. One that the series itself called off does.
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

/// The session as it is wanted, with its own id and seats. Also whether a capacity had to stay, because more seats are
/// taken than the new capacity has.
fn merged(held: &SessionRow, wanted: SessionRow) -> (SessionRow, bool) {
    let below = |capacity: Option<i32>, taken: i32| capacity.is_some_and(|capacity| capacity < taken);
    let (few, few_online) =
        (below(wanted.capacity, held.seats_taken), below(wanted.online_capacity, held.online_seats_taken));
    let next = SessionRow {
        id: held.id,
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

/// A session that is called off and comes on again as it is wanted.
pub(super) fn brought_back(held: &SessionRow, wanted: SessionRow) -> Option<Revision> {
    let now = wanted.updated_at;
    Revision::of(held.clone(), merged(held, wanted).0, now)
}

/// A series as it is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The series.
    pub series: &'a SeriesRow,
    /// The series before the change.
    pub before: &'a SeriesRow,
    /// The occurrences that it states.
    pub occurrences: &'a [Occurrence],
    /// Whether the series differs from before.
    pub changed: bool,
    /// The reason of sessions that are cancelled because they are no longer stated.
    pub left: &'a str,
    /// The days that its recurrence may still look at.
    pub work: &'a Work,
}

/// The difference between a series as it is wanted and its existing sessions. New sessions are made only for
/// occurrences that are still to come. Past occurrences without a session didn't take place, for example while the
/// series was withdrawn.
///
/// # Errors
/// The recurrence looks at more days than `work` still allows.
pub fn series(
    wanted: Wanted<'_>,
    held: &[SessionRow],
    now: Timestamp,
    mut new_id: impl FnMut() -> Id,
) -> Result<Difference, RecurrenceError> {
    let Wanted { series, occurrences, changed, left: reason, .. } = wanted;
    let mut difference = Difference::default();
    let own = rules::own(series, occurrences);
    let wording_id = Wording::from(series).id();
    let new = |occurrence: &Occurrence, id| SessionRow::of_series(series, wording_id, occurrence, id, now);
    let mut matching = Matching::of(held, own, now);
    // No more sessions are made of a series that its roster no longer names.
    let is_over = series.ending.0.withdrawn.map(|_| SkipReason::SeriesEnded);
    let mut missed: Vec<(&Occurrence, SkipReason)> = Vec::new();
    let mut unserved: BTreeMap<NaiveDateTime, (&Occurrence, &SessionRow)> = BTreeMap::new();
    for occurrence in own {
        let reason = if occurrence.starts_at <= now.0 { Some(SkipReason::Past) } else { is_over };
        match (matching.take(occurrence.key), reason) {
            (Some(session), _) if standing(session, now).is_some() => {
                unserved.insert(occurrence.local_start, (occurrence, session));
            }
            (Some(session), _) if reason.is_none() || !session.is_withdrawn() => {
                difference.follow(session, new(occurrence, session.id), changed, now);
            }
            (_, Some(reason)) => missed.push((occurrence, reason)),
            (_, None) => difference.create.push(new(occurrence, new_id())),
        }
    }
    for (key, session) in matching.not_stated() {
        // If both the rule and an additional time give a time, it belongs to the rule. But if the rule's session was
        // called off or moved by hand, the session of the additional time stays, because its time is still stated.
        let may_stay = key.is_additional && session.status == SessionStatus::Scheduled;
        match unserved.get(&key.start).copied().filter(|_| may_stay) {
            Some((occurrence, other)) => {
                let stays = Occurrence { key, ..*occurrence };
                difference.follow(session, new(&stays, session.id), changed, now);
                if other.status == SessionStatus::Cancelled {
                    unserved.remove(&key.start);
                }
            }
            None => difference.leave(session, reason, changed, now),
        }
    }
    for (occurrence, session) in unserved.into_values() {
        difference.follow(session, new(occurrence, session.id), changed, now);
    }
    difference.rekeyed = matching.rekeyed(held, &difference.update, now);
    if changed && !series.same_times(wanted.before) {
        let beyond = occurrences.iter().skip(own.len());
        missed.extend(beyond.map(|occurrence| (occurrence, SkipReason::SeriesEnded)));
        difference.miss(&wanted, &missed)?;
    }
    Ok(difference)
}

impl Difference {
    /// Reports newly stated occurrences that got no session, and excluded times that exclude nothing.
    fn miss(&mut self, wanted: &Wanted<'_>, missed: &[(&Occurrence, SkipReason)]) -> Result<(), RecurrenceError> {
        let among: Vec<&Occurrence> = missed.iter().map(|(occurrence, _)| *occurrence).collect();
        let new: HashSet<OccurrenceKey> =
            rules::newly_stated(wanted.before, &among).into_iter().map(|occurrence| occurrence.key).collect();
        let new = missed.iter().filter(|(occurrence, _)| new.contains(&occurrence.key));
        let skipped = |local_start, reason| Skipped { local_start, reason };
        self.skipped.extend(new.map(|(occurrence, reason)| skipped(LocalTime(occurrence.local_start), *reason)));
        let idle = rules::idle_exclusions(wanted.series, wanted.work)?;
        self.skipped.extend(idle.into_iter().map(|time| skipped(time, SkipReason::NotAnOccurrence)));
        Ok(())
    }
}

/// The difference between a single session as it is wanted and as it is. If no join link is stated, the present one
/// stays.
pub fn single(wanted: SessionRow, held: &SessionRow, now: Timestamp) -> Difference {
    let mut difference = Difference::default();
    let join_link = wanted.join_link.clone().or_else(|| held.join_link.clone());
    difference.follow(held, SessionRow { join_link, ..wanted }, true, now);
    difference
}

/// The series as it is stated, with its own id, and whether it differs from before. If no join link is stated, the
/// present one stays. A withdrawn series comes back, because its roster names it again.
pub fn restated(held: &SeriesRow, wanted: SeriesRow, now: Timestamp) -> (SeriesRow, bool) {
    let back = held.ending.0.withdrawn.is_some();
    let join_link = wanted.activity.join_link.clone();
    let next = SeriesRow {
        id: held.id,
        left_out: held.left_out.clone(),
        ending: Json(Ending { withdrawn: None, ..held.ending.0 }),
        split_from: held.split_from,
        activity: Activity { join_link: join_link.or_else(|| held.activity.join_link.clone()), ..wanted.activity },
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
