//! What there is of what a roster names, and writing the difference.

use std::collections::HashMap;

use diesel::prelude::*;

use super::missing::{self, Absent};
use super::plan::Plan;
use super::posting::Posting;
use super::types::Missing;
use crate::db::schema::{session_series, sessions};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::sessions::registers::headcounts::{self, HeldHeadcount};
use crate::sessions::series::store::{self as series_store, SeriesRow};
use crate::sessions::store::{self as session_store, SessionRow};

/// Values in one `IN (…)`.
const CHUNK: usize = 500;
/// Series whose sessions are read at once: some 2,600 rows of weekly ones.
const SERIES_AT_ONCE: usize = 50;

/// A partner's series and sessions that a roster names.
#[derive(Debug, Default)]
pub struct Stored {
    /// Series by `external_id`.
    pub series: HashMap<String, SeriesRow>,
    /// Single sessions by `external_id`.
    pub singles: HashMap<String, Box<SessionRow>>,
    /// The sessions of each series.
    pub sessions: HashMap<Id, Vec<SessionRow>>,
    /// The registers of the single sessions that have one.
    pub headcounts: HashMap<Id, HeldHeadcount>,
    /// What isn't named, where that matters.
    pub absent: Absent,
}

/// Whether others may change rows while they are planned over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// They may: what is written is checked again.
    Snapshot,
    /// They wait until the transaction ends.
    Lock,
}

impl Stored {
    /// Reads them.
    pub fn load(conn: &mut Conn, posting: &Posting, now: Timestamp, hold: Hold) -> Result<Self> {
        let mut stored = Self::default();
        let partner_id = posting.partner_id;
        let names: Vec<&str> = posting.names().collect();
        for chunk in names.chunks(CHUNK) {
            lock_series(conn, partner_id, chunk, hold)?;
            let named = session_series::table.filter(session_series::partner_id.eq(partner_id));
            let named = named.filter(session_series::external_id.eq_any(chunk));
            for row in named.select(SeriesRow::as_select()).load::<SeriesRow>(conn)? {
                stored.series.insert(row.external_id.clone().unwrap_or_default(), row);
            }
        }
        for chunk in singles(conn, posting, &names)?.chunks(CHUNK) {
            stored.load_singles(conn, chunk, hold)?;
        }
        stored.load_sessions(conn, hold)?;
        if posting.manner.missing == Missing::Cancel && posting.names_all() {
            stored.absent = Absent::load(conn, posting, now, hold)?;
        }
        Ok(stored)
    }

    fn load_singles(&mut self, conn: &mut Conn, ids: &[Id], hold: Hold) -> Result<()> {
        lock(conn, ids, hold)?;
        let rows = sessions::table.filter(sessions::id.eq_any(ids)).select(SessionRow::as_select());
        for row in rows.load::<SessionRow>(conn)? {
            self.singles.insert(row.external_id.clone().unwrap_or_default(), Box::new(row));
        }
        self.headcounts.extend(headcounts::of(conn, ids)?);
        Ok(())
    }

    fn load_sessions(&mut self, conn: &mut Conn, hold: Hold) -> Result<()> {
        let series: Vec<Id> = self.series.values().map(|row| row.id).collect();
        for chunk in series.chunks(SERIES_AT_ONCE) {
            if hold == Hold::Lock {
                let ids: Vec<Id> =
                    sessions::table.filter(sessions::series_id.eq_any(chunk)).select(sessions::id).load(conn)?;
                lock(conn, &ids, hold)?;
            }
            let rows = sessions::table.filter(sessions::series_id.eq_any(chunk)).select(SessionRow::as_select());
            for row in rows.load::<SessionRow>(conn)? {
                if let Some(id) = row.series_id {
                    self.sessions.entry(id).or_default().push(row);
                }
            }
        }
        Ok(())
    }
}

/// The single sessions that a roster names. Where it names many, all that could be named are looked through once: to
/// look for some hundreds at a time, PostgreSQL may look through all of them each time.
fn singles(conn: &mut Conn, posting: &Posting, names: &[&str]) -> Result<Vec<Id>> {
    let own = sessions::table.filter(sessions::partner_id.eq(posting.partner_id));
    if names.len() <= CHUNK {
        return Ok(own.filter(sessions::external_id.eq_any(names)).select(sessions::id).load(conn)?);
    }
    let own = own.filter(sessions::external_id.is_not_null()).select((sessions::external_id, sessions::id));
    let pairs: Vec<(Option<String>, Id)> = own.load(conn)?;
    let named = |name: &Option<String>| name.as_deref().is_some_and(|name| posting.place(name).is_some());
    let mut ids: Vec<Id> = pairs.into_iter().filter(|(name, _)| named(name)).map(|(_, id)| id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Locks series, before the sessions that are made of them. Row locks are PostgreSQL's alone: SQLite has one writer.
fn lock_series(conn: &mut Conn, partner_id: Id, external_ids: &[&str], hold: Hold) -> Result<()> {
    let (Conn::Postgres(postgres), Hold::Lock) = (conn, hold) else { return Ok(()) };
    let named = session_series::table.filter(session_series::partner_id.eq(partner_id));
    let named = named.filter(session_series::external_id.eq_any(external_ids)).order(session_series::id);
    named.select(session_series::id).for_update().load::<Id>(postgres)?;
    Ok(())
}

/// Locks sessions in the order of their ids. Row locks are PostgreSQL's alone: SQLite has one writer.
pub(super) fn lock(conn: &mut Conn, ids: &[Id], hold: Hold) -> Result<()> {
    let (Conn::Postgres(postgres), Hold::Lock) = (conn, hold) else { return Ok(()) };
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    for chunk in ids.chunks(CHUNK) {
        let rows = sessions::table.filter(sessions::id.eq_any(chunk)).order(sessions::id).select(sessions::id);
        rows.for_update().load::<Id>(postgres)?;
    }
    Ok(())
}

/// Writes what a plan says.
///
/// # Errors
/// [`is_stale`] ones where something has changed since the plan was made; then nothing of it may be kept.
pub fn apply(conn: &mut Conn, plan: &Plan, context: &Context) -> Result<()> {
    series_store::insert_many(conn, &plan.new_series)?;
    for extension in &plan.extensions {
        if !series_store::extend(conn, *extension)? {
            return Err(Error::new(Kind::PreconditionFailed, "The series was changed or extended in between."));
        }
    }
    for row in &plan.changed_series {
        series_store::update(conn, row)?;
    }
    session_store::insert_many(conn, &plan.new_sessions)?;
    // In one order everywhere, so that two writers wait for each other and never in a ring.
    let mut changed: Vec<&SessionRow> = plan.changed_sessions.iter().collect();
    changed.sort_unstable_by_key(|row| row.id);
    lock(conn, &changed.iter().map(|row| row.id).collect::<Vec<_>>(), Hold::Lock)?;
    session_store::update_many(conn, &changed)?;
    for chunk in plan.unbooked.chunks(CHUNK) {
        let taken = sessions::seats_taken + sessions::online_seats_taken + sessions::waitlist_length;
        let booked = sessions::table.filter(sessions::id.eq_any(chunk)).filter(taken.gt(0));
        if booked.count().get_result::<i64>(conn)? > 0 {
            return Err(Error::new(Kind::PreconditionFailed, "Somebody has booked in between."));
        }
    }
    missing::apply(conn, &plan.withdrawal, context.now())?;
    headcounts::write(conn, &plan.headcounts, context.caller()?.id, context.now())
}

/// Whether a failure to apply says that the plan was made over what has changed since.
pub fn is_stale(error: &Error) -> bool {
    matches!(error.kind(), Kind::PreconditionFailed | Kind::CapacityBelowSeats | Kind::AlreadyExists)
}
