//! Safeguarding flags in the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::types::{
    SafeguardingCategory, SafeguardingFlag, SafeguardingFlagChange, SafeguardingInput, SafeguardingStatus,
};
use crate::db::schema::safeguarding_flags;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// A row of `safeguarding_flags`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = safeguarding_flags, treat_none_as_null = true)]
pub struct FlagRow {
    pub(super) id: Id,
    member_id: Id,
    category: SafeguardingCategory,
    summary: String,
    raised_by: Id,
    pub(super) raised_on: NaiveDate,
    review_on: NaiveDate,
    status: SafeguardingStatus,
    closed_reason: Option<String>,
    pub(super) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl FlagRow {
    /// A new flag.
    pub fn new(
        id: Id,
        member_id: Id,
        written: &SafeguardingInput,
        (raised_by, raised_on): (Id, NaiveDate),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            member_id,
            category: written.category,
            summary: written.summary.clone(),
            raised_by,
            raised_on,
            review_on: written.review_on,
            status: SafeguardingStatus::Open,
            closed_reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What can be changed, as it is today.
    pub fn written(&self) -> SafeguardingFlagChange {
        SafeguardingFlagChange {
            category: self.category,
            summary: self.summary.clone(),
            review_on: self.review_on,
            status: self.status,
            closed_reason: self.closed_reason.clone(),
        }
    }

    /// This row after a change.
    pub fn changed(&self, written: SafeguardingFlagChange, now: Timestamp) -> Self {
        let SafeguardingFlagChange { category, summary, review_on, status, closed_reason } = written;
        let version = self.version + 1;
        Self { category, summary, review_on, status, closed_reason, version, updated_at: now, ..self.clone() }
    }

    /// This flag's place in its member's list.
    pub fn key(&self) -> Id {
        self.id
    }
}

impl From<FlagRow> for SafeguardingFlag {
    fn from(row: FlagRow) -> Self {
        Self {
            id: row.id,
            member_id: row.member_id,
            written: row.written(),
            raised_by: row.raised_by,
            raised_on: row.raised_on,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of a member's flags, in the order in which they were written down.
pub fn list(conn: &mut Conn, member_id: Id, slice: &Slice<Id>) -> Result<Vec<FlagRow>> {
    let of_member = safeguarding_flags::table.filter(safeguarding_flags::member_id.eq(member_id));
    let mut query = of_member.select(FlagRow::as_select()).into_boxed();
    if let Some(after) = slice.after {
        query = query.filter(safeguarding_flags::id.gt(after));
    }
    Ok(query.order(safeguarding_flags::id).limit(slice.fetch()).load(conn)?)
}

/// One flag of a member.
///
/// # Errors
/// 404 if the member has no such flag.
pub fn get(conn: &mut Conn, member_id: Id, id: Id) -> Result<FlagRow> {
    let own = safeguarding_flags::table.find(id).filter(safeguarding_flags::member_id.eq(member_id));
    own.select(FlagRow::as_select()).first(conn).optional()?.ok_or_else(|| Error::not_found("flag"))
}

/// Adds a flag.
pub fn insert(conn: &mut Conn, row: &FlagRow) -> Result<()> {
    diesel::insert_into(safeguarding_flags::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a flag over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &FlagRow) -> Result<()> {
    crate::write_next!(conn, safeguarding_flags, row)
}
