//! The sessions in which both records are: what stands in the way of merging, and what is set aside.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;

use super::types::{ConflictKind, MergeConflict};
use crate::db::schema::{bookings, sessions, walk_ins};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::http::context::Context;

/// The states in which a booking holds a place or waits for one.
pub const LIVE: [&str; 5] = ["booked", "waitlisted", "offered", "attended", "absent"];
/// The states that a session's start ends.
const WAITING: [&str; 2] = ["waitlisted", "offered"];

/// How a record is in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Presence {
    /// The booking; `None` for a walk-in.
    booking: Option<Id>,
    /// Whether they were there: a walk-in, or a booking that is marked as attended.
    was_there: bool,
    waits: bool,
    starts_at: Timestamp,
}

/// What of two records can't stand in one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// In sessions to come.
    pub conflicts: Vec<MergeConflict>,
    /// The bookings that are set aside.
    pub bookings: Vec<Id>,
    /// The walk-ins that are set aside: session and member.
    pub walk_ins: Vec<(Id, Id)>,
}

/// What of these two records can't stand in one session. Waiting lists of sessions that have started are brought up to
/// date first, because nobody waits any more then. A dry run leaves them, and counts nobody as waiting.
pub fn find(conn: &mut Conn, context: &Context, (into, from): (Id, Id), dry_run: bool) -> Result<Shared> {
    let now = context.now();
    let (mut own, mut other) = (presences(conn, into)?, presences(conn, from)?);
    if dry_run {
        for presences in [&mut own, &mut other] {
            presences.retain(|_, presence| !presence.waits || presence.starts_at > now);
        }
        return Ok(decide((&own, into), (&other, from), now));
    }
    let waiting = |(_, presence): &(&Id, &Presence)| presence.waits && presence.starts_at <= now;
    let started: HashSet<Id> = own
        .iter()
        .chain(&other)
        .filter(|(session, _)| own.contains_key(*session) && other.contains_key(*session))
        .filter(waiting)
        .map(|(session, _)| *session)
        .collect();
    if started.is_empty() {
        return Ok(decide((&own, into), (&other, from), now));
    }
    let started: Vec<Id> = started.into_iter().collect();
    (context.state().hooks.settle_sessions)(conn, context, &started)?;
    Ok(decide((&presences(conn, into)?, into), (&presences(conn, from)?, from), now))
}

/// How a member is in which sessions.
fn presences(conn: &mut Conn, member: Id) -> Result<BTreeMap<Id, Presence>> {
    let booked: Vec<(Id, Id, String, Timestamp)> = bookings::table
        .inner_join(sessions::table)
        .filter(bookings::member_id.eq(member))
        .filter(bookings::status.eq_any(LIVE))
        .select((bookings::session_id, bookings::id, bookings::status, sessions::starts_at))
        .load(conn)?;
    let came: Vec<(Id, Timestamp)> = walk_ins::table
        .inner_join(sessions::table.on(sessions::id.eq(walk_ins::session_id)))
        .filter(walk_ins::member_id.eq(member))
        .select((walk_ins::session_id, sessions::starts_at))
        .load(conn)?;
    let walked_in =
        |(session, starts_at)| (session, Presence { booking: None, was_there: true, waits: false, starts_at });
    let has_place = |(session, id, status, starts_at): (Id, Id, String, Timestamp)| {
        let (was_there, waits) = (status == "attended", WAITING.contains(&status.as_str()));
        (session, Presence { booking: Some(id), was_there, waits, starts_at })
    };
    Ok(came.into_iter().map(walked_in).chain(booked.into_iter().map(has_place)).collect())
}

/// Decides about each session in which both are. In one to come, people have to. In one that is over, the row that says
/// less is set aside: whoever was there by either record was there once. If both say as much, it is the row of `from`.
fn decide(
    (own, into): (&BTreeMap<Id, Presence>, Id),
    (other, from): (&BTreeMap<Id, Presence>, Id),
    now: Timestamp,
) -> Shared {
    let mut shared = Shared::default();
    for (session, theirs) in other {
        let Some(ours) = own.get(session) else { continue };
        if let (Some(one), Some(two), true) = (ours.booking, theirs.booking, ours.starts_at > now) {
            shared.conflicts.push(MergeConflict { kind: ConflictKind::SessionToCome, ids: vec![one, two] });
            continue;
        }
        let (aside, member) = if theirs.was_there && !ours.was_there { (ours, into) } else { (theirs, from) };
        match aside.booking {
            Some(booking) => shared.bookings.push(booking),
            None => shared.walk_ins.push((*session, member)),
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn of_two_rows_in_a_session_that_is_over_the_one_that_says_less_is_set_aside() {
        let clock = Clock::stopped_at("2026-11-23T09:00:00Z".parse().unwrap());
        let (into, from, session, one, two) =
            (clock.new_id(), clock.new_id(), clock.new_id(), clock.new_id(), clock.new_id());
        let (past, future) = (clock.now(), clock.now().plus_seconds(1));
        let at = |starts_at, booking, was_there| Presence { booking, was_there, waits: false, starts_at };
        let decided = |ours: Presence, theirs: Presence| {
            decide(
                (&BTreeMap::from([(session, ours)]), into),
                (&BTreeMap::from([(session, theirs)]), from),
                clock.now(),
            )
        };
        let bookings = |ids: &[Id]| Shared { bookings: ids.to_vec(), ..Shared::default() };
        let (ours, theirs) = (|there| at(past, Some(one), there), |there| at(past, Some(two), there));
        let walk_in = at(past, None, true);
        assert_eq!(decided(ours(true), theirs(true)), bookings(&[two]));
        assert_eq!(decided(ours(false), theirs(false)), bookings(&[two]));
        assert_eq!(decided(ours(true), theirs(false)), bookings(&[two]));
        assert_eq!(decided(ours(false), theirs(true)), bookings(&[one]));
        assert_eq!(decided(ours(false), walk_in.clone()), bookings(&[one]));
        assert_eq!(decided(walk_in.clone(), theirs(true)), bookings(&[two]));
        let aside = Shared { walk_ins: vec![(session, from)], ..Shared::default() };
        assert_eq!(decided(ours(true), walk_in.clone()), aside);
        assert_eq!(decided(walk_in.clone(), walk_in), aside);
        let to_come = decided(at(future, Some(one), false), at(future, Some(two), false));
        let conflict = MergeConflict { kind: ConflictKind::SessionToCome, ids: vec![one, two] };
        assert_eq!(to_come, Shared { conflicts: vec![conflict], ..Shared::default() });
    }
}
