//! The headcounts of many registers at once, for rosters. They are only numbers, so nobody's data is touched.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::types::Headcount;
use crate::db::schema::registers;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::per_backend;

/// How many rows one statement reads or writes.
const CHUNK: usize = 500;

/// The headcount of a register that has been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldHeadcount {
    /// The headcount.
    pub headcount: Headcount,
    /// The register's version.
    pub version: i32,
}

/// A headcount to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadcountChange {
    /// The session, which has started.
    pub session_id: Id,
    /// The headcount.
    pub headcount: Headcount,
    /// The version of the register that this change is based on. `None` if the register had not been taken.
    pub before: Option<i32>,
}

/// The headcounts of those of these sessions whose registers have been taken.
pub fn of(conn: &mut Conn, sessions: &[Id]) -> Result<Vec<(Id, HeldHeadcount)>> {
    let mut found = Vec::new();
    for chunk in sessions.chunks(CHUNK) {
        let columns =
            (registers::session_id, registers::beneficiaries, registers::family, registers::carers, registers::version);
        let taken = registers::table.filter(registers::session_id.eq_any(chunk)).select(columns);
        let rows: Vec<(Id, i32, i32, i32, i32)> = taken.load(conn)?;
        found.extend(rows.into_iter().map(|(id, beneficiaries, family, carers, version)| {
            (id, HeldHeadcount { headcount: Headcount { beneficiaries, family, carers }, version })
        }));
    }
    Ok(found)
}

#[derive(Insertable)]
#[diesel(table_name = registers)]
struct NewRow {
    session_id: Id,
    beneficiaries: i32,
    family: i32,
    carers: i32,
    taken_by: Id,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Takes registers with headcounts only: bookings and walk-ins stay as they are. The sessions must be locked, and none
/// may be cancelled.
///
/// # Errors
/// 412 if somebody has taken one of the registers in between. Then nothing of it may be kept.
pub fn write(conn: &mut Conn, changes: &[HeadcountChange], account: Id, now: Timestamp) -> Result<()> {
    let (new, known): (Vec<&HeadcountChange>, Vec<_>) = changes.iter().partition(|change| change.before.is_none());
    for chunk in new.chunks(CHUNK) {
        let rows: Vec<NewRow> = chunk.iter().map(|change| first(change, account, now)).collect();
        // Diesel can't write many rows in one statement through a connection that may be to either database.
        per_backend!(&mut *conn, |inner| diesel::insert_into(registers::table).values(&rows).execute(inner))
            .map_err(taken_meanwhile)?;
    }
    for change in known {
        let version = change.before.unwrap_or_default();
        let same = registers::table.find(change.session_id).filter(registers::version.eq(version));
        let next = (
            registers::beneficiaries.eq(change.headcount.beneficiaries),
            registers::family.eq(change.headcount.family),
            registers::carers.eq(change.headcount.carers),
            registers::taken_by.eq(account),
            registers::version.eq(version + 1),
            registers::updated_at.eq(now),
        );
        if diesel::update(same).set(next).execute(conn)? == 0 {
            return Err(stale());
        }
    }
    Ok(())
}

fn first(change: &HeadcountChange, account: Id, now: Timestamp) -> NewRow {
    let HeadcountChange { session_id, headcount: Headcount { beneficiaries, family, carers }, .. } = *change;
    NewRow {
        session_id,
        beneficiaries,
        family,
        carers,
        taken_by: account,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn taken_meanwhile(error: Diesel) -> Error {
    match error {
        Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => stale(),
        error => error.into(),
    }
}

fn stale() -> Error {
    Error::new(Kind::PreconditionFailed, "Somebody has taken the register in between.")
}
