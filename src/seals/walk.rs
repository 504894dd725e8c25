//! A walk through all events in the order of their ids, beside a walk through the seals.
//!
//! Ids follow the time, and seals nearly so. So the events that were read and whose seal hasn't come yet are few, and
//! memory holds only those. After a clock has run ahead they would be many. Then the walk stops, and the events that a
//! seal names are looked up by their ids.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::result::Error as DieselError;

use super::store::{Seal, ids_in, look_up};
use crate::audit::hash::{Hash, Written};
use crate::db::schema::{audit_events, audit_seals, audit_unsealed};
use crate::db::{Conn, Id};
use crate::error::Result;

/// How many events are read at once.
const EVENTS: i64 = 2_000;
/// How many seals are read at once. One has a third of a megabyte at most, unless a single write had more events.
const SEALS: i64 = 8;

/// What stands in the database under an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// An event with this hash.
    Event(Hash),
    /// Something that no event is.
    Unreadable,
    /// Nothing.
    Gone,
}

impl Found {
    fn of(found: Option<Option<Hash>>) -> Self {
        match found {
            Some(Some(hash)) => Self::Event(hash),
            Some(None) => Self::Unreadable,
            None => Self::Gone,
        }
    }
}

/// The events that were read and have met no seal yet.
pub(super) struct Loose {
    /// Their hashes; `None` for an event that can't be read.
    hashes: HashMap<Id, Option<Hash>>,
    /// Events that a seal has named before the walk came to them.
    ahead: HashSet<Id>,
    /// Where the walk has begun; events before it are looked up when a seal names them.
    start: Option<Id>,
    read_up_to: Option<Id>,
    is_at_end: bool,
    /// The walk stops while so many are held.
    most: usize,
    /// How many events were read.
    pub read: u64,
    /// How many events were held at most.
    pub held: usize,
}

impl Loose {
    /// Begins with this event, or with the first. The walk stops while `most` events have met no seal.
    pub fn from(start: Option<Id>, most: usize) -> Self {
        let (hashes, ahead) = (HashMap::new(), HashSet::new());
        Self { hashes, ahead, start, read_up_to: None, is_at_end: false, most, read: 0, held: 0 }
    }

    /// Reads all events that are left.
    pub fn read_rest(&mut self, conn: &mut Conn) -> Result<()> {
        while !self.is_at_end {
            self.read_on(conn)?;
        }
        Ok(())
    }

    fn read_on(&mut self, conn: &mut Conn) -> Result<()> {
        let limit = i64::try_from(self.most).unwrap_or(EVENTS).clamp(1, EVENTS);
        let events = self.next(conn, limit)?;
        self.is_at_end = (events.len() as i64) < limit;
        for (id, hash) in events {
            self.read_up_to = Some(id);
            if !self.ahead.remove(&id) {
                self.read += 1;
                self.hashes.insert(id, hash);
            }
        }
        self.held = self.held.max(self.hashes.len());
        Ok(())
    }

    /// The next events with their hashes; `None` for one that can't be read.
    fn next(&self, conn: &mut Conn, limit: i64) -> Result<Vec<(Id, Option<Hash>)>> {
        let (after, start) = (self.read_up_to, self.start);
        macro_rules! next {
            ($columns:expr) => {{
                let mut query = audit_events::table.select($columns).into_boxed();
                query = match (after, start) {
                    (Some(last), _) => query.filter(audit_events::id.gt(last)),
                    (None, Some(start)) => query.filter(audit_events::id.ge(start)),
                    (None, None) => query,
                };
                query.order(audit_events::id).limit(limit)
            }};
        }
        let events: QueryResult<Vec<Written>> = next!(Written::as_select()).load(conn);
        match events {
            Ok(events) => Ok(events.iter().map(|event| (event.id, Some(event.hash()))).collect()),
            Err(DieselError::DeserializationError(_)) => {
                let ids: Vec<Id> = next!(audit_events::id).load(conn)?;
                let found = look_up(conn, &ids)?;
                Ok(ids.into_iter().map(|id| (id, found.get(&id).copied().flatten())).collect())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes out the events with these ids: what stands under each.
    pub fn take(&mut self, conn: &mut Conn, ids: &[Id]) -> Result<Vec<Found>> {
        let Some(last) = ids.iter().max() else { return Ok(Vec::new()) };
        while !self.is_at_end && self.hashes.len() < self.most && self.read_up_to.is_none_or(|read| read < *last) {
            self.read_on(conn)?;
        }
        let beyond = |id: &Id| !self.is_at_end && self.read_up_to.is_none_or(|read| read < *id);
        let before = |id: &Id| self.start.is_some_and(|start| *id < start);
        let elsewhere = ids.iter().filter(|id| before(id) || beyond(id) && !self.ahead.contains(id));
        let elsewhere: Vec<Id> = elsewhere.copied().collect();
        let mut found = look_up(conn, &elsewhere)?;
        self.read += found.len() as u64;
        let ahead: Vec<Id> = elsewhere.into_iter().filter(|id| !before(id)).collect();
        self.ahead.extend(ahead);
        Ok(ids.iter().map(|id| Found::of(self.hashes.remove(id).or_else(|| found.remove(id)))).collect())
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

/// Those of the events in the seals up to this number that don't come before `start`. A list that can't be read counts
/// as empty, so its events are in no seal.
pub(super) fn sealed_before(conn: &mut Conn, number: i64, start: Option<Id>) -> Result<HashSet<Id>> {
    let (mut ids, mut read_up_to) = (HashSet::new(), 0);
    while read_up_to < number {
        let seals = seals_after(conn, read_up_to)?;
        let Some(last) = seals.last() else { break };
        read_up_to = last.number;
        for seal in seals.iter().filter(|seal| seal.number <= number) {
            let all = ids_in(seal.event_ids.as_deref().unwrap_or_default()).unwrap_or_default();
            ids.extend(all.into_iter().filter(|id| start.is_none_or(|start| *id >= start)));
        }
    }
    Ok(ids)
}

/// The next writes that wait for their seal: the key of each, and its events; `None` if their list can't be read.
pub(super) fn waiting_after(conn: &mut Conn, key: Option<Id>) -> Result<Vec<(Id, Option<Vec<Id>>)>> {
    let mut query = audit_unsealed::table.order(audit_unsealed::first_id).limit(EVENTS).into_boxed();
    if let Some(key) = key {
        query = query.filter(audit_unsealed::first_id.gt(key));
    }
    let rows: Vec<(Id, Vec<u8>)> = query.select((audit_unsealed::first_id, audit_unsealed::event_ids)).load(conn)?;
    Ok(rows.into_iter().map(|(key, ids)| (key, ids_in(&ids).ok())).collect())
}
