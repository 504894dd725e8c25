//! Seals in the database, and the events that wait for one.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use uuid::Uuid;

use super::NOTHING;
use crate::audit::hash::{Hash, Written, of_missing};
use crate::db::schema::{audit_events, audit_seals, audit_unsealed};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::per_backend;

/// How many events a seal has at most, and how many writes. A single write with more is sealed as a whole.
pub const MOST: usize = 20_000;

/// The note of the first seals, which hold what existed before there were seals.
pub const STARTED: &str = "started";
/// The note of a seal without events: it shows that the service was running.
pub const HEARTBEAT: &str = "heartbeat";

/// A row of `audit_seals`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_seals, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are described in the module and in the migration")]
pub struct Seal {
    pub number: i64,
    pub sealed_at: Timestamp,
    pub count: i32,
    pub event_ids: Option<Vec<u8>>,
    pub previous: Vec<u8>,
    pub root: Vec<u8>,
    pub key_id: String,
    pub signature: Vec<u8>,
    pub note: Option<String>,
}

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = audit_seals)]
pub struct Last {
    /// The number of the newest seal; 0 if there is none.
    pub number: i64,
    /// When it was made.
    pub sealed_at: Timestamp,
    /// How many events it has.
    pub count: i32,
    /// Its root.
    pub root: Vec<u8>,
    /// Its note.
    pub note: Option<String>,
}

impl Last {
    /// The end of a chain without seals.
    pub fn none() -> Self {
        let sealed_at = Timestamp(chrono::DateTime::UNIX_EPOCH);
        Self { number: 0, sealed_at, count: 0, root: NOTHING.to_vec(), note: None }
    }
}

/// What the next seal is made of.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The seal before.
    pub last: Last,
    /// The rows of `audit_unsealed` that it takes away, by their keys.
    pub waiting: Vec<Id>,
    /// The ids of its events, in their order.
    pub ids: Vec<Id>,
    /// The hashes of its events, in the order of the ids.
    pub hashes: Vec<Hash>,
    /// Events that should be there, and are gone or can't be read.
    pub missing: Vec<Id>,
    /// The rows of `audit_unsealed` whose list of events can't be read, by their keys. They stay where they are.
    pub unreadable: Vec<Id>,
    /// Whether more waits than one seal takes.
    pub is_full: bool,
}

/// The newest seal.
pub fn last(conn: &mut Conn) -> Result<Option<Last>> {
    let newest = audit_seals::table.order(audit_seals::number.desc()).select(Last::as_select());
    Ok(newest.first(conn).optional()?)
}

/// The root of this seal.
pub fn root_of(conn: &mut Conn, number: i64) -> Result<Option<Vec<u8>>> {
    let seal = audit_seals::table.filter(audit_seals::number.eq(number));
    Ok(seal.select(audit_seals::root).first(conn).optional()?)
}

/// Whether any event waits for its seal.
pub fn any_waits(conn: &mut Conn) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(audit_unsealed::table.select(audit_unsealed::first_id))).get_result(conn)?)
}

/// The ids in a list of them.
///
/// # Errors
/// 500 if it isn't one.
pub fn ids_in(bytes: &[u8]) -> Result<Vec<Id>> {
    let ids = bytes.chunks(16).map(|one| Uuid::from_slice(one).map(Id));
    ids.collect::<Result<_, _>>().map_err(Error::internal)
}

/// What waits, the oldest first, up to what one seal takes: `most` events and as many writes.
///
/// What can't be read is passed over, so that nobody who spoils a row stops the sealing of everything else.
pub fn batch(conn: &mut Conn, most: usize) -> Result<Batch> {
    let last = last(conn)?.unwrap_or_else(Last::none);
    let oldest = audit_unsealed::table.order(audit_unsealed::first_id).limit(most as i64 + 1);
    let rows: Vec<(Id, Vec<u8>)> = oldest.select((audit_unsealed::first_id, audit_unsealed::event_ids)).load(conn)?;
    let (all, mut waiting, mut unreadable, mut ids) = (rows.len(), Vec::new(), Vec::new(), Vec::new());
    for (first, list) in rows {
        let Ok(more) = ids_in(&list) else {
            unreadable.push(first);
            continue;
        };
        if waiting.len() == most || (!ids.is_empty() && ids.len() + more.len() > most) {
            break;
        }
        waiting.push(first);
        ids.extend(more);
    }
    ids.sort_unstable();
    let found = hashes_of(conn, &ids)?;
    let missing = ids.iter().filter(|id| !found.contains_key(id)).copied().collect();
    let hashes = ids.iter().map(|id| found.get(id).copied().unwrap_or_else(|| of_missing(*id))).collect();
    let is_full = waiting.len() + unreadable.len() < all;
    Ok(Batch { last, waiting, ids, hashes, missing, unreadable, is_full })
}

/// The hashes of those of these events that exist and can be read.
pub fn hashes_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Hash>> {
    Ok(look_up(conn, ids)?.into_iter().filter_map(|(id, hash)| Some((id, hash?))).collect())
}

/// Those of these events that exist, each with its hash. `None` stands for an event that can't be read, because somebody
/// has written into it what no event has.
pub(super) fn look_up(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Option<Hash>>> {
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(AT_ONCE) {
        let rows: QueryResult<Vec<Written>> = crate::load_by_ids!(conn, audit_events, Written::as_select(), some);
        match rows {
            Ok(rows) => found.extend(rows.into_iter().map(|event| (event.id, Some(event.hash())))),
            Err(DieselError::DeserializationError(_)) => {
                for id in some {
                    found.extend(look_at(conn, *id)?);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// The same for a single event; `None` if there is none.
fn look_at(conn: &mut Conn, id: Id) -> Result<Option<(Id, Option<Hash>)>> {
    let event = audit_events::table.find(id).select(Written::as_select());
    match event.first::<Written>(conn).optional() {
        Ok(event) => Ok(event.map(|event| (id, Some(event.hash())))),
        Err(DieselError::DeserializationError(_)) => Ok(Some((id, None))),
        Err(error) => Err(error.into()),
    }
}

/// Adds a seal and takes away what waited for it. Returns `false`, having done nothing, if another server was faster: the
/// number is unique, so the chain can't fork.
pub fn add(conn: &mut Conn, seal: &Seal, waiting: &[Id]) -> Result<bool> {
    // The common connection type has no ON CONFLICT.
    let added = per_backend!(&mut *conn, |inner| diesel::insert_into(audit_seals::table)
        .values(seal)
        .on_conflict_do_nothing()
        .execute(inner))?;
    if added == 0 {
        return Ok(false);
    }
    for some in waiting.chunks(AT_ONCE) {
        diesel::delete(audit_unsealed::table.filter(audit_unsealed::first_id.eq_any(some))).execute(conn)?;
    }
    Ok(true)
}
