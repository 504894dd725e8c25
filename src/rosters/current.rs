//! Reads the stored series and sessions that a roster names, and writes what the roster changes of them.

use std::collections::HashMap;

use diesel::prelude::*;

use super::body::Posting;
use super::missing;
use super::plan::Plan;
use crate::db::schema::{session_series, sessions};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::sessions::bookings::expired_offers::RunOut;
use crate::sessions::bookings::waiting;
use crate::sessions::listings;
use crate::sessions::registers::headcounts::{self, HeldHeadcount};
use crate::sessions::series::held::rekey;
use crate::sessions::series::store::{self as series_store, SeriesRow};
use crate::sessions::staging;
use crate::sessions::store::{self as session_store, SessionRow};
use crate::sessions::types::SessionStatus;

/// Series whose sessions are read at once: some 2,600 rows of weekly ones.
pub const SERIES_AT_ONCE: usize = 50;

/// Which of a partner's series and single sessions a roster names: ids by where their entry stands first.
#[derive(Debug, Default)]
pub struct Known {
    series: HashMap<usize, Id>,
    singles: HashMap<usize, Id>,
}

/// Whether others may change rows while they are planned over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// They may: what is written is checked again.
    Snapshot,
    /// They wait until the transaction ends.
    Lock,
}

impl Known {
    /// Looks for them, and holds them with their sessions.
    pub fn load(conn: &mut Conn, posting: &Posting, hold: Hold) -> Result<Self> {
        let place = |(name, id): (Option<String>, Id)| Some((posting.place(name.as_deref()?)?.index, id));
        let series: HashMap<usize, Id> = series(conn, posting)?.into_iter().filter_map(place).collect();
        if hold == Hold::Lock {
            // Series before the sessions that are made of them, as everywhere.
            series_store::lock(conn, series.values().copied())?;
        }
        let singles: HashMap<usize, Id> = singles(conn, posting)?.into_iter().filter_map(place).collect();
        if hold == Hold::Lock {
            let mut held: Vec<Id> = singles.values().copied().collect();
            let series: Vec<Id> = series.values().copied().collect();
            for chunk in series.chunks(AT_ONCE) {
                let of_series = sessions::table.filter(sessions::series_id.eq_any(chunk));
                held.extend(of_series.select(sessions::id).load::<Id>(conn)?);
            }
            session_store::lock(conn, held)?;
        }
        Ok(Self { series, singles })
    }

    /// The series of the entry that stands there.
    pub fn series(&self, index: usize) -> Option<Id> {
        self.series.get(&index).copied()
    }

    /// The single session of the entry that stands there.
    pub fn single(&self, index: usize) -> Option<Id> {
        self.singles.get(&index).copied()
    }
}

/// What there is of some entries of a roster: all of it at once would be as large as the roster again.
#[derive(Debug, Default)]
pub struct Stored {
    /// Series.
    pub series: HashMap<Id, SeriesRow>,
    /// Single sessions.
    pub singles: HashMap<Id, SessionRow>,
    /// The sessions of each series.
    pub sessions: HashMap<Id, Vec<SessionRow>>,
    /// The registers of the single sessions that have one.
    pub headcounts: HashMap<Id, HeldHeadcount>,
}

impl Stored {
    /// Reads these series, with their sessions, and these single sessions. Seats of offers that have run out don't
    /// count.
    pub fn load(conn: &mut Conn, series: &[Id], singles: &[Id], run_out: &RunOut) -> Result<Self> {
        let mut stored = Self::default();
        for chunk in series.chunks(SERIES_AT_ONCE) {
            let rows = session_series::table.filter(session_series::id.eq_any(chunk)).select(SeriesRow::as_select());
            stored.series.extend(rows.load::<SeriesRow>(conn)?.into_iter().map(|row| (row.id, row)));
            let rows = sessions::table.filter(sessions::series_id.eq_any(chunk)).select(SessionRow::as_select());
            for mut row in rows.load::<SessionRow>(conn)? {
                run_out.free(&mut row);
                if let Some(id) = row.series_id {
                    stored.sessions.entry(id).or_default().push(row);
                }
            }
        }
        for chunk in singles.chunks(AT_ONCE) {
            let rows = sessions::table.filter(sessions::id.eq_any(chunk)).select(SessionRow::as_select());
            for mut row in rows.load::<SessionRow>(conn)? {
                run_out.free(&mut row);
                stored.singles.insert(row.id, row);
            }
        }
        stored.headcounts.extend(headcounts::of(conn, singles)?);
        Ok(stored)
    }
}

/// What a partner's things are called, with their ids.
type Names = Vec<(Option<String>, Id)>;

/// The series that a roster names, and maybe others of its partner. Where it names many, all that could be named are
/// looked through once: to look for some hundreds at a time, PostgreSQL may look through all of them each time.
fn series(conn: &mut Conn, posting: &Posting) -> Result<Names> {
    let own = session_series::table.filter(session_series::partner_id.eq(posting.partner_id));
    let named = own.filter(session_series::external_id.is_not_null());
    let columns = (session_series::external_id, session_series::id);
    Ok(match few(posting) {
        Some(names) => named.filter(session_series::external_id.eq_any(names)).select(columns).load(conn)?,
        None => named.select(columns).load(conn)?,
    })
}

/// The single sessions that a roster names, likewise.
fn singles(conn: &mut Conn, posting: &Posting) -> Result<Names> {
    let own = sessions::table.filter(sessions::partner_id.eq(posting.partner_id));
    let named = own.filter(sessions::external_id.is_not_null());
    let columns = (sessions::external_id, sessions::id);
    Ok(match few(posting) {
        Some(names) => named.filter(sessions::external_id.eq_any(names)).select(columns).load(conn)?,
        None => named.select(columns).load(conn)?,
    })
}

/// The names in a posting, where they are few.
fn few(posting: &Posting) -> Option<Vec<&str>> {
    let names: Vec<&str> = posting.names().take(AT_ONCE + 1).collect();
    (names.len() <= AT_ONCE).then_some(names)
}

/// Writes what a plan says. `staged` is the roster under which its sessions may be staged.
///
/// # Errors
/// [`is_stale`] ones where something has changed since the plan was made; then nothing of it may be kept.
pub fn apply(conn: &mut Conn, plan: &Plan, staged: Option<Id>, context: &Context) -> Result<()> {
    series_store::insert_many(conn, &plan.new_series)?;
    for extension in &plan.extensions {
        if !series_store::extend(conn, *extension)? {
            return Err(Error::new(Kind::PreconditionFailed, "The series was changed or extended in between."));
        }
    }
    for row in &plan.changed_series {
        series_store::update(conn, row)?;
    }
    for row in plan.new_series.iter().chain(&plan.changed_series) {
        let left_out = plan.left_out.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        if left_out != row.left_out.0 {
            series_store::leave_out(conn, row.id, left_out)?;
        }
    }
    missing::end_series(conn, &plan.withdrawal)?;
    // Series before sessions, as everywhere.
    let changed = plan.changed_sessions.iter().map(|revision| &revision.to);
    let counted: Vec<Id> = plan.headcounts.iter().map(|change| change.session_id).collect();
    let rekeyed = plan.rekeyed.iter().map(|(id, _)| *id);
    let written = changed.map(|row| row.id).chain(plan.withdrawal.sessions.iter().copied());
    let written: Vec<Id> = written.collect();
    session_store::lock(conn, written.iter().chain(&counted).copied().chain(rekeyed))?;
    // They were written ahead, unless the housekeeping of another server has taken some away.
    listings::ensure_stored(conn, plan.wordings.values(), plan.listed())?;
    rekey(conn, &plan.rekeyed)?;
    match staged {
        Some(roster_id) => staging::insert(conn, roster_id, &plan.new_sessions)?,
        None => session_store::insert_many(conn, &plan.new_sessions)?,
    }
    // The plan doesn't count their seats.
    let run_out = RunOut::load(conn, context.now())?.among(&written);
    waiting::lapse_offers(conn, &run_out, context.now())?;
    match staged {
        Some(roster_id) => staging::update(conn, roster_id, &plan.changed_sessions)?,
        None => session_store::update_many(conn, &plan.changed_sessions)?,
    }
    check_begun(conn, &counted, context.now())?;
    for chunk in plan.unbooked.chunks(AT_ONCE) {
        let taken = sessions::seats_taken + sessions::online_seats_taken + sessions::waitlist_length;
        let booked = sessions::table.filter(sessions::id.eq_any(chunk)).filter(taken.gt(0));
        if booked.count().get_result::<i64>(conn)? > 0 {
            return Err(Error::new(Kind::PreconditionFailed, "Somebody has booked in between."));
        }
    }
    missing::cancel(conn, &plan.withdrawal, context.now())?;
    headcounts::write(conn, &plan.headcounts, context.caller()?.id, context.now())
}

/// Checks the sessions whose registers are taken, which are locked and written: none may be off, or still to begin.
///
/// # Errors
/// 412 where one of them was called off or moved in between: neither is a new version of what the plan writes.
fn check_begun(conn: &mut Conn, ids: &[Id], now: Timestamp) -> Result<()> {
    for chunk in ids.chunks(AT_ONCE) {
        let without = sessions::status.ne(SessionStatus::Scheduled).or(sessions::starts_at.gt(now));
        let without = sessions::table.filter(sessions::id.eq_any(chunk)).filter(without);
        if without.count().get_result::<i64>(conn)? > 0 {
            return Err(Error::new(Kind::PreconditionFailed, "A session was cancelled or moved in between."));
        }
    }
    Ok(())
}

/// Whether a failure to apply says that the plan was made over what has changed since.
pub fn is_stale(error: &Error) -> bool {
    matches!(error.kind(), Kind::PreconditionFailed | Kind::CapacityBelowSeats | Kind::AlreadyExists)
}
