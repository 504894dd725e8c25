//! How existing sessions follow a changed series or roster entry.
//!
//! A session belongs to an occurrence by its [key](OccurrenceKey) only. Sessions that are still to come, scheduled and
//! not edited by hand change in place: their ids and bookings stay. Past, cancelled and edited sessions stay as they
//! are. A session whose date or additional time is no longer stated is cancelled if nobody holds a seat in it or waits
//! for one. Otherwise it is kept and reported. A session is also kept and reported if its new space is taken or its new
//! venue is closed at that time.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::matching::Left;
use super::rules;
use super::store::{Ending, LeftOut, SeriesRow};
use super::types::SkipReason;
use crate::db::{Id, Json, LocalTime, Timestamp};
use crate::sessions::clashes::{Clash, Placing};
use crate::sessions::recurrence::{Occurrence, OccurrenceKey};
use crate::sessions::store::SessionRow;
use crate::sessions::types::SessionStatus;

/// What to do with the sessions of one series or entry.
#[derive(Debug, Default, PartialEq)]
pub struct Difference {
    /// Sessions that change from an occurrence of the rule to an additional time or back, with their new keys. Their
    /// starts stay. Write these before new sessions are made.
    pub rekeyed: Vec<(Id, OccurrenceKey)>,
    /// New sessions.
    pub create: Vec<SessionRow>,
    /// The next versions of sessions that change in place.
    pub update: Vec<SessionRow>,
    /// The next versions of sessions that are called off.
    pub cancel: Vec<SessionRow>,
    /// The sessions above that may be changed or called off only while nobody holds a seat in them.
    pub unbooked: Vec<Id>,
    /// The sessions that differ from what is stated, and why.
    pub skipped: Vec<(LocalTime, SkipReason)>,
    /// The occurrences for which no session could be made.
    pub left_out: Vec<LeftOut>,
}

impl Difference {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.rekeyed.is_empty() && self.create.is_empty() && self.update.is_empty() && self.cancel.is_empty()
    }

    /// Makes a session follow what is wanted, or reports why it doesn't. A session that was cancelled or edited by hand
    /// is reported only if the statement itself has `changed`.
    fn follow(&mut self, held: &SessionRow, wanted: SessionRow, changed: bool, now: Timestamp) {
        let of_series = held.series_id.is_some();
        if of_series && held.starts_at <= now {
            // A series' past sessions never change, so there is nothing to report.
            return;
        }
        if of_series && held.status == SessionStatus::Cancelled {
            // This is reported even if nothing else differs: the session is stated to take place, but doesn't.
            self.skipped.extend(changed.then_some((held.local_start, SkipReason::Cancelled)));
            return;
        }
        let (next, kept_seats) = moved(held, wanted);
        if next == *held && !kept_seats {
            return;
        }
        match standing(held, now) {
            Some(reason) if changed => self.skipped.push((held.local_start, reason)),
            Some(_) => {}
            // A session later today can't be moved to a time that has already passed.
            None if of_series && next.starts_at <= now => {
                self.skipped.push((held.local_start, SkipReason::Past));
            }
            None if next.delivery != held.delivery && held.is_booked() => {
                self.skipped.push((held.local_start, SkipReason::Booked));
            }
            None if next.starts_at <= now && held.is_booked() => {
                self.skipped.push((held.local_start, SkipReason::Booked));
            }
            None => {
                if kept_seats {
                    self.skipped.push((held.local_start, SkipReason::Booked));
                }
                if next != *held {
                    if next.delivery != held.delivery || next.starts_at <= now {
                        self.unbooked.push(held.id);
                    }
                    self.update.push(SessionRow { version: held.version + 1, updated_at: now, ..next });
                }
            }
        }
    }

    /// Cancels a session whose occurrence is no longer stated, if nobody is booked. Past, cancelled and edited sessions
    /// stay. An edited session is reported if the statement has `changed`.
    fn leave(&mut self, held: &SessionRow, reason: &str, changed: bool, now: Timestamp) {
        match standing(held, now) {
            Some(SkipReason::Edited) if changed => {
                return self.skipped.push((held.local_start, SkipReason::Edited));
            }
            Some(_) => return,
            None => {}
        }
        if held.is_booked() {
            return self.skipped.push((held.local_start, SkipReason::Booked));
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
}

impl Difference {
    /// The sessions to write, with their present versions.
    pub fn placings<'a>(&'a self, held: &HashMap<Id, &'a SessionRow>) -> Vec<Placing<'a>> {
        let new = self.create.iter().map(|to| Placing { to, from: None });
        new.chain(self.update.iter().map(|to| Placing { to, from: held.get(&to.id).copied() })).collect()
    }

    /// The sessions that are called off. They take no space any more.
    pub fn leaving(&self) -> HashSet<Id> {
        self.cancel.iter().map(|row| row.id).collect()
    }

    /// Leaves out the sessions that clash, and reports them.
    pub fn leave_out(&mut self, clashes: &HashMap<Id, Clash>, held: &HashMap<Id, &SessionRow>) {
        let unmade = self.create.iter().filter_map(|row| LeftOut::of(row, clashes.get(&row.id)?.reason));
        self.left_out.extend(unmade);
        let Self { create, update, skipped, .. } = self;
        for rows in [create, update] {
            rows.retain(|row| {
                let clash = clashes.get(&row.id);
                skipped.extend(clash.map(|clash| {
                    let stays = held.get(&row.id).map_or(row.local_start, |held| held.local_start);
                    (stays, clash.reason)
                }));
                clash.is_none()
            });
        }
    }
}

/// Why a session never follows its series, if it doesn't.
pub(super) fn standing(held: &SessionRow, now: Timestamp) -> Option<SkipReason> {
    if held.status == SessionStatus::Cancelled {
        Some(SkipReason::Cancelled)
    } else if held.starts_at <= now {
        Some(SkipReason::Past)
    } else {
        held.edited.then_some(SkipReason::Edited)
    }
}

/// The session as it is wanted, with its own id and seats. Also whether a capacity had to stay, because more seats are
/// taken than the new capacity has.
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
        status: held.status,
        cancellation_reason: held.cancellation_reason.clone(),
        edited: held.edited,
        version: held.version,
        created_at: held.created_at,
        updated_at: held.updated_at,
        ..wanted
    };
    (next, few || few_online)
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
}

/// The difference between a series as it is wanted and its existing sessions. New sessions are made only for
/// occurrences that are still to come. Past occurrences without a session didn't take place, for example while the
/// series was withdrawn.
pub fn series(wanted: Wanted<'_>, held: &[SessionRow], now: Timestamp, mut new_id: impl FnMut() -> Id) -> Difference {
    let Wanted { series, occurrences, changed, left: reason, .. } = wanted;
    let mut difference = Difference::default();
    let own = rules::own(series, occurrences);
    let mut left = Left::of(held, own);
    let mut missed: Vec<(&Occurrence, SkipReason)> = Vec::new();
    let mut unserved: HashMap<OccurrenceKey, &Occurrence> = HashMap::new();
    for occurrence in own {
        match left.take(occurrence, wanted.before) {
            Some(session) => {
                if let Cow::Owned(adopted) = &session {
                    difference.rekeyed.push((adopted.id, occurrence.key));
                }
                if standing(&session, now).is_some() {
                    unserved.insert(OccurrenceKey::Additional(occurrence.local_start), occurrence);
                }
                let next = SessionRow::of_series(series, occurrence, session.id, now);
                difference.follow(&session, next, changed, now);
            }
            None if occurrence.starts_at <= now.0 => missed.push((occurrence, SkipReason::Past)),
            None => difference.create.push(SessionRow::of_series(series, occurrence, new_id(), now)),
        }
    }
    for session in left.not_stated(series) {
        // If both the rule and an additional time give a time, it belongs to the rule. But if the rule's session was
        // called off or moved by hand, the session of the additional time stays, because its time is still stated.
        match session.occurrence.and_then(|key| Some((key, unserved.get(&key)?))) {
            Some((key, occurrence)) => {
                let stays = Occurrence { key, ..**occurrence };
                difference.follow(session, SessionRow::of_series(series, &stays, session.id, now), changed, now);
            }
            None => difference.leave(session, reason, changed, now),
        }
    }
    if changed && !series.same_times(wanted.before) {
        let beyond = occurrences.iter().skip(own.len());
        missed.extend(beyond.map(|occurrence| (occurrence, SkipReason::SeriesEnded)));
        difference.miss(&wanted, &missed);
    }
    difference.skipped.sort_by_key(|(local_start, _)| *local_start);
    difference
}

impl Difference {
    /// Reports newly stated occurrences that got no session, and excluded times that exclude nothing.
    fn miss(&mut self, wanted: &Wanted<'_>, missed: &[(&Occurrence, SkipReason)]) {
        let among: Vec<&Occurrence> = missed.iter().map(|(occurrence, _)| *occurrence).collect();
        let new: HashSet<OccurrenceKey> =
            rules::newly_stated(wanted.before, &among).into_iter().map(|occurrence| occurrence.key).collect();
        let new = missed.iter().filter(|(occurrence, _)| new.contains(&occurrence.key));
        self.skipped.extend(new.map(|(occurrence, reason)| (LocalTime(occurrence.local_start), *reason)));
        let idle = rules::idle_exclusions(wanted.series).unwrap_or_default();
        self.skipped.extend(idle.into_iter().map(|time| (time, SkipReason::NotAnOccurrence)));
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
/// present one stays.
pub fn restated(held: &SeriesRow, wanted: SeriesRow, now: Timestamp) -> (SeriesRow, bool) {
    let next = SeriesRow {
        id: held.id,
        // The roster names the series again, so the series is no longer withdrawn.
        left_out: held.left_out.clone(),
        ending: Json(if held.ending.0.is_withdrawn() { Ending::None } else { held.ending.0 }),
        split_from: held.split_from,
        join_link: wanted.join_link.clone().or_else(|| held.join_link.clone()),
        status: held.status,
        cancellation_reason: held.cancellation_reason.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::recurrence::RecurrenceError;
    use crate::sessions::series::types::SeriesInput;
    use serde_json::{Value, json};

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse().unwrap())
    }

    fn occurrences(series: &SeriesInput) -> Result<Vec<Occurrence>, RecurrenceError> {
        rules::occurrences(series, "2027-06-30".parse().unwrap()).map(|expansion| expansion.occurrences)
    }

    fn id() -> Id {
        crate::clock::new_id_at(at("2026-11-23T09:00:00Z"))
    }

    fn input(changes: Value) -> SeriesInput {
        let mut series = json!({
            "title": "Reading", "pillar": "community", "delivery": "hybrid", "venue_id": id(), "capacity": 10,
            "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90,
            "recurrence": "FREQ=WEEKLY;COUNT=3"
        });
        for (name, value) in changes.as_object().unwrap() {
            series[name] = value.clone();
        }
        serde_json::from_value(series).unwrap()
    }

    /// The difference that a change makes to three weekly sessions, on 6 January 2027: the first is past.
    fn difference(changes: Value, prepare: impl Fn(&mut [SessionRow])) -> (Vec<SessionRow>, Difference) {
        let now = at("2027-01-06T09:00:00Z");
        let (before, after) = (input(json!({})), input(changes));
        let venue_id = before.venue_id;
        let times = (occurrences(&before).unwrap(), occurrences(&after).unwrap());
        let held = SeriesRow::new(id(), before, now);
        let (wanted, changed) = restated(&held, SeriesRow { venue_id, ..SeriesRow::new(id(), after, now) }, now);
        assert_eq!(wanted.id, held.id);
        let mut sessions: Vec<_> =
            times.0.iter().map(|occurrence| SessionRow::of_series(&held, occurrence, id(), now)).collect();
        prepare(&mut sessions);
        let left = "It has left the rule.";
        let wanted = Wanted { series: &wanted, before: &held, occurrences: &times.1, changed, left };
        let difference = series(wanted, &sessions, now, id);
        (sessions, difference)
    }

    #[test]
    fn the_same_statement_makes_no_difference() {
        assert_eq!(difference(json!({}), |_| {}).1, Difference::default());
        let (_, touched) = difference(json!({}), |sessions| {
            sessions[0].title = "Old".into();
            sessions[1].status = SessionStatus::Cancelled;
            (sessions[2].edited, sessions[2].title) = (true, "By hand".into());
        });
        assert_eq!(touched, Difference::default());
    }

    #[test]
    fn future_sessions_keep_their_id_and_their_seats() {
        let (held, found) = difference(json!({ "title": "Poems" }), |sessions| sessions[1].seats_taken = 4);
        assert_eq!((found.create.len(), found.update.len(), found.cancel.len()), (0, 2, 0));
        assert_eq!(found.update[0], SessionRow { title: "Poems".into(), version: 2, ..held[1].clone() });
        assert!(found.skipped.is_empty());
    }

    #[test]
    fn new_dates_are_created_and_lost_ones_cancelled_or_kept() {
        let (held, found) = difference(json!({ "recurrence": "FREQ=WEEKLY;INTERVAL=2;COUNT=3" }), |_| {});
        assert_eq!((found.create.len(), found.cancel.len()), (1, 1));
        assert_eq!((found.cancel[0].id, &found.unbooked), (held[1].id, &vec![held[1].id]));
        let (held, found) =
            difference(json!({ "recurrence": "FREQ=WEEKLY;COUNT=1" }), |sessions| sessions[2].waitlist_length = 1);
        assert_eq!(found.cancel.len(), 1);
        assert_eq!(found.skipped, [(held[2].local_start, SkipReason::Booked)]);
    }

    #[test]
    fn an_edited_session_whose_date_is_lost_stays_and_says_so_where_the_statement_changes() {
        let edit = |sessions: &mut [SessionRow]| {
            sessions[1].status = SessionStatus::Cancelled;
            sessions[2].edited = true;
        };
        let (held, found) = difference(json!({ "recurrence": "FREQ=WEEKLY;COUNT=1" }), edit);
        assert!(found.is_empty());
        assert_eq!(found.skipped, [(held[2].local_start, SkipReason::Edited)]);
        let beside = |sessions: &mut [SessionRow]| {
            edit(sessions);
            let beside = sessions[2].local_start.0 + chrono::TimeDelta::hours(1);
            sessions[2].occurrence = Some(OccurrenceKey::Additional(beside));
        };
        let (_, same) = difference(json!({}), beside);
        assert_eq!((same.create.len(), same.skipped), (1, vec![]), "one beside the rule is no news by itself");
    }

    #[test]
    fn an_additional_time_is_new_whatever_else_is_on_that_day() {
        for time in ["2027-01-12T10:00:00", "2027-01-12T17:00:00"] {
            let (_, found) = difference(json!({ "additional": [time] }), |_| {});
            assert_eq!((found.create.len(), found.update.len()), (1, 0));
            assert_eq!(found.create[0].occurrence.map(|key| key.to_string()).as_deref(), Some(time));
        }
    }

    #[test]
    fn a_capacity_or_a_delivery_stays_while_people_hold_seats() {
        let (held, found) = difference(json!({ "capacity": 3 }), |sessions| sessions[1].seats_taken = 4);
        assert_eq!(found.update.iter().map(|row| row.id).collect::<Vec<_>>(), [held[2].id]);
        assert_eq!(found.skipped, [(held[1].local_start, SkipReason::Booked)]);
        let (held, found) =
            difference(json!({ "delivery": "in_person" }), |sessions| sessions[1].online_seats_taken = 1);
        assert_eq!((found.update.len(), &found.unbooked), (1, &vec![held[2].id]));
        assert_eq!(found.skipped, [(held[1].local_start, SkipReason::Booked)]);
    }

    #[test]
    fn a_single_session_that_has_begun_stays_and_says_so() {
        let now = at("2027-01-05T13:00:00Z");
        let series = SeriesRow::new(id(), input(json!({})), now);
        let first = occurrences(&input(json!({}))).unwrap()[0];
        let held = SessionRow { series_id: None, ..SessionRow::of_series(&series, &first, id(), now) };
        let wanted = SessionRow { title: "Poems".into(), ..held.clone() };
        assert_eq!(single(wanted.clone(), &held, now).skipped, [(held.local_start, SkipReason::Past)]);
        let before = at("2027-01-05T12:59:59Z");
        assert_eq!(single(wanted, &held, before).update.len(), 1);
        assert!(single(held.clone(), &held, now).skipped.is_empty());
    }
}
