//! How long rosters are kept: a refused one for 30 days with the first of its wrong rows, and the row-by-row outcome of
//! an applied one for 13 months. The counts of an applied roster stay. Of a partner's rosters that were refused, or whose
//! wrong rows were left out, only the newest keep their outcome: otherwise a small wrong body, sent again and again, would
//! fill the disk.

use chrono::Months;
use diesel::dsl::{exists, select, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::types::{RosterSkip, RosterStatus};
use crate::clock::first_id_at;
use crate::db::schema::{roster_entries, rosters};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::Result;

/// Days that a refused roster is kept.
const REFUSED_DAYS: i64 = 30;
/// Months that the outcome of each row is kept.
const ENTRIES_MONTHS: u32 = 13;
/// The wrong rows of a roster that are kept.
pub const MOST_WRONG: usize = 1_000;
/// How many of a partner's rosters with wrong rows keep their outcome row by row.
const MOST_WITH_FAULTS: i64 = 100;
/// Rows that are taken away at once.
const ENTRIES: i64 = 5_000;
/// Refused rosters that are taken away at once: together they have no more rows than that.
const ROSTERS: i64 = ENTRIES / MOST_WRONG as i64;

fn refused_until(now: Timestamp) -> Timestamp {
    now.plus_seconds(-REFUSED_DAYS * 24 * 3600)
}

/// An id carries the instant at which it was made, so the rows of old rosters are found by their key.
fn entries_until(now: Timestamp) -> Id {
    first_id_at(Timestamp(now.0.checked_sub_months(Months::new(ENTRIES_MONTHS)).unwrap_or_default()))
}

/// Whether a refused roster is kept for too long.
pub fn refused_overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let old = rosters::table.filter(rosters::status.eq(RosterStatus::Refused));
    Ok(select(exists(old.filter(rosters::created_at.le(refused_until(now))))).get_result(conn)?)
}

/// Takes away some refused rosters. How many.
pub fn forget_refused(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let old = rosters::table.filter(rosters::status.eq(RosterStatus::Refused));
    let old = old.filter(rosters::created_at.le(refused_until(now))).order(rosters::created_at).limit(ROSTERS);
    let ids: Vec<Id> = old.select(rosters::id).load(conn)?;
    diesel::delete(roster_entries::table.filter(roster_entries::roster_id.eq_any(&ids))).execute(conn)?;
    Ok(diesel::delete(rosters::table.filter(rosters::id.eq_any(&ids))).execute(conn)?)
}

/// Takes away the outcome of the roster that a new one pushes out of the newest [`MOST_WITH_FAULTS`] with wrong rows. To be
/// called for each roster that is kept.
pub fn forget_pushed_out(conn: &mut Conn, partner_id: Id, now: Timestamp) -> Result<()> {
    // As the index says it.
    let with_faults = sql::<Bool>("version = 1 AND (status = 'refused' OR mode = 'partial')");
    let theirs = rosters::table.filter(rosters::partner_id.eq(partner_id)).filter(with_faults);
    let pushed_out = theirs.order(rosters::id.desc()).offset(MOST_WITH_FAULTS).limit(1).select(rosters::id);
    let Some(id) = pushed_out.first::<Id>(conn).optional()? else { return Ok(()) };
    diesel::delete(roster_entries::table.filter(roster_entries::roster_id.eq(id))).execute(conn)?;
    shorten(conn, id, now)
}

/// Says that a roster no longer shows what it did: its version and its ETag change.
fn shorten(conn: &mut Conn, id: Id, now: Timestamp) -> Result<()> {
    let shorter =
        (rosters::skipped.eq(Json(Vec::<RosterSkip>::new())), rosters::version.eq(2), rosters::updated_at.eq(now));
    diesel::update(rosters::table.find(id)).set(shorter).execute(conn)?;
    Ok(())
}

/// Whether rows of a roster are kept for too long.
pub fn entries_overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let old = roster_entries::table.filter(roster_entries::roster_id.lt(entries_until(now)));
    Ok(select(exists(old)).get_result(conn)?)
}

/// Takes away some rows of an old roster, and what it skipped. How many rows.
pub fn forget_entries(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let old = roster_entries::table.filter(roster_entries::roster_id.lt(entries_until(now)));
    let first = old.order(roster_entries::roster_id).select(roster_entries::roster_id).first::<Id>(conn);
    let Some(roster_id) = first.optional()? else { return Ok(0) };
    let rows = roster_entries::table.filter(roster_entries::roster_id.eq(roster_id));
    let positions = rows.order(roster_entries::position).limit(ENTRIES).select(roster_entries::position);
    let Some(last) = positions.load::<i32>(conn)?.pop() else { return Ok(0) };
    shorten(conn, roster_id, now)?;
    Ok(diesel::delete(rows.filter(roster_entries::position.le(last))).execute(conn)?)
}
