//! A walk through all events in the order of their ids, beside a walk through the seals.
//!
//! Ids follow the time, and seals nearly so. So the events that were read and whose seal hasn't come yet are few, and
//! memory holds only those.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::store::{Seal, hashes_of, ids_in};
use crate::audit::hash::{Hash, Written};
use crate::db::schema::{audit_events, audit_seals, audit_unsealed};
use crate::db::{Conn, Id};
use crate::error::Result;

/// How many events are read at once.
const EVENTS: i64 = 2_000;
/// How many seals are read at once. One has a third of a megabyte at most, unless a single write had more events.
const SEALS: i64 = 8;

/// The events that were read and have met no seal yet.
pub(super) struct Loose {
    hashes: HashMap<Id, Hash>,
    /// Where the walk has begun; events before it are read one by one when a seal names them.
    start: Option<Id>,
    read_up_to: Option<Id>,
    is_at_end: bool,
    /// How many events were read.
    pub read: u64,
}

impl Loose {
    /// Begins with this event, or with the first.
    pub fn from(start: Option<Id>) -> Self {
        Self { hashes: HashMap::new(), start, read_up_to: None, is_at_end: false, read: 0 }
    }

    /// Reads on until the event with this id has been read; to the end without one.
    pub fn read_to(&mut self, conn: &mut Conn, id: Option<Id>) -> Result<()> {
        while !self.is_at_end && id.is_none_or(|id| self.read_up_to.is_none_or(|last| last < id)) {
            let mut query = audit_events::table.select(Written::as_select()).into_boxed();
            query = match (self.read_up_to, self.start) {
                (Some(last), _) => query.filter(audit_events::id.gt(last)),
                (None, Some(start)) => query.filter(audit_events::id.ge(start)),
                (None, None) => query,
            };
            let events: Vec<Written> = query.order(audit_events::id).limit(EVENTS).load(conn)?;
            self.is_at_end = (events.len() as i64) < EVENTS;
            self.read_up_to = events.last().map(|event| event.id).or(self.read_up_to);
            self.read += events.len() as u64;
            self.hashes.extend(events.iter().map(|event| (event.id, event.hash())));
        }
        Ok(())
    }

    /// Takes out the events with these ids: the hashes of those that exist.
    pub fn take(&mut self, conn: &mut Conn, ids: &[Id]) -> Result<Vec<Option<Hash>>> {
        self.read_to(conn, ids.iter().max().copied())?;
        let early: Vec<Id> = ids.iter().filter(|id| self.start.is_some_and(|start| **id < start)).copied().collect();
        let mut early = if early.is_empty() { HashMap::new() } else { hashes_of(conn, &early)? };
        Ok(ids.iter().map(|id| self.hashes.remove(id).or_else(|| early.remove(id))).collect())
    }

    /// Where the walk has begun.
    pub fn start(&self) -> Option<Id> {
        self.start
    }

    /// The events that have met no seal, in order.
    pub fn left(&self) -> Vec<Id> {
        let mut ids: Vec<Id> = self.hashes.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Forgets events that earlier seals hold.
    pub fn forget(&mut self, ids: &HashSet<Id>) {
        self.hashes.retain(|id, _| !ids.contains(id));
    }
}

/// The next seals after this number.
pub(super) fn seals_after(conn: &mut Conn, number: i64) -> Result<Vec<Seal>> {
    let next = audit_seals::table.filter(audit_seals::number.gt(number)).order(audit_seals::number);
    Ok(next.select(Seal::as_select()).limit(SEALS).load(conn)?)
}

/// Those of the events in the seals up to this number that don't come before `start`.
pub(super) fn sealed_before(conn: &mut Conn, number: i64, start: Option<Id>) -> Result<HashSet<Id>> {
    let (mut ids, mut read_up_to) = (HashSet::new(), 0);
    while read_up_to < number {
        let seals = seals_after(conn, read_up_to)?;
        let Some(last) = seals.last() else { break };
        read_up_to = last.number;
        for seal in seals.iter().filter(|seal| seal.number <= number) {
            let all = ids_in(seal.event_ids.as_deref().unwrap_or_default())?;
            ids.extend(all.into_iter().filter(|id| start.is_none_or(|start| *id >= start)));
        }
    }
    Ok(ids)
}

/// The next writes that wait for their seal: the key of each, and its events.
pub(super) fn waiting_after(conn: &mut Conn, key: Option<Id>) -> Result<Vec<(Id, Vec<Id>)>> {
    let mut query = audit_unsealed::table.order(audit_unsealed::first_id).limit(EVENTS).into_boxed();
    if let Some(key) = key {
        query = query.filter(audit_unsealed::first_id.gt(key));
    }
    let rows: Vec<(Id, Vec<u8>)> = query.select((audit_unsealed::first_id, audit_unsealed::event_ids)).load(conn)?;
    rows.into_iter().map(|(key, ids)| Ok((key, ids_in(&ids)?))).collect()
}
