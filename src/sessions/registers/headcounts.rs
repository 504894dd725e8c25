//! The headcounts of many registers at once, for rosters. They are only numbers, so nobody's data is touched.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::types::Headcount;
use crate::db::schema::registers;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::insert_many;

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
    for chunk in sessions.chunks(AT_ONCE) {
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

/// A register that hasn't been taken before.
#[derive(Debug, Insertable)]
#[diesel(table_name = registers)]
pub(crate) struct NewRegister {
    session_id: Id,
    beneficiaries: i32,
    family: i32,
    carers: i32,
    taken_by: Id,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl NewRegister {
    pub(crate) fn new(session_id: Id, headcount: Headcount, taken_by: Id, now: Timestamp) -> Self {
        let Headcount { beneficiaries, family, carers } = headcount;
        Self { session_id, beneficiaries, family, carers, taken_by, version: 1, created_at: now, updated_at: now }
    }
}

/// Takes registers with headcounts only: bookings and walk-ins stay as they are. The sessions must be locked, and none
/// may be cancelled.
///
/// # Errors
/// 412 if somebody has taken one of the registers in between. Then nothing of it may be kept.
pub fn write(conn: &mut Conn, changes: &[HeadcountChange], account: Id, now: Timestamp) -> Result<()> {
    let (new, known): (Vec<&HeadcountChange>, Vec<_>) = changes.iter().partition(|change| change.before.is_none());
    let first = |change: &&HeadcountChange| NewRegister::new(change.session_id, change.headcount, account, now);
    insert(conn, &new.iter().map(first).collect::<Vec<_>>())?;
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

/// Adds registers.
///
/// # Errors
/// 412 if somebody has taken one of them in between.
pub(crate) fn insert(conn: &mut Conn, rows: &[NewRegister]) -> Result<()> {
    insert_many!(conn, registers::table, rows).map_err(taken_meanwhile)
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
