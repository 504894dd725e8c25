//! Records that nobody has used for years, in the database.

use chrono::{Months, NaiveDate};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::types::RetentionReview;
use crate::clock::{first_id_at, london_day, london_midnight};
use crate::db::schema::{erasures, members, retention_reviews};
use crate::db::{Conn, Id, Timestamp};
use crate::erasures::store::{blockers, flagged};
use crate::erasures::types::ErasureBlocker;
use crate::error::Result;
use crate::http::page::Slice;
use crate::members::fate::{is_live, missing};
use crate::members::requests::OPEN_ERASURE;

/// The age in years until which the record of a child is kept.
const KEPT_UNTIL_AGE: u32 = 25;
/// The age in years until which somebody is a child.
const CHILD_UNTIL_AGE: u32 = 18;

/// What decides whether a record is to be looked through.
#[derive(Debug, Clone, Copy, Queryable)]
struct Facts {
    id: Id,
    last_activity_on: Option<NaiveDate>,
    date_of_birth: Option<NaiveDate>,
    created_at: Timestamp,
}

/// The day on which somebody has this age.
fn birthday(born: NaiveDate, age: u32) -> NaiveDate {
    born.checked_add_months(Months::new(12 * age)).unwrap_or(NaiveDate::MAX)
}

impl Facts {
    fn last_activity_on(&self) -> NaiveDate {
        self.last_activity_on.unwrap_or_else(|| london_day(self.created_at))
    }
}

/// The records to look through whose last activity was before a day. An id holds the instant of its registration, and
/// whoever was active before a day was registered before it: so the newer ids needn't be looked at. With at least seven
/// years in between, whoever is under 25 today was a child then.
macro_rules! due {
    ($before:expr, $today:expr) => {{
        let long_ago = members::last_activity_on.is_null().or(members::last_activity_on.lt($before));
        let children = $today.checked_sub_months(Months::new(12 * KEPT_UNTIL_AGE)).unwrap_or(NaiveDate::MIN);
        let grown_up = members::date_of_birth.is_null().or(members::date_of_birth.le(children));
        let decided = retention_reviews::table
            .filter(retention_reviews::member_id.eq(members::id))
            .filter(retention_reviews::keep_until.ge($today));
        let asked =
            erasures::table.filter(erasures::member_id.eq(members::id)).filter(erasures::status.eq_any(OPEN_ERASURE));
        members::table
            .filter(members::id.lt(first_id_at(london_midnight($before))))
            .filter(is_live())
            .filter(long_ago)
            .filter(grown_up)
            .filter(not(exists(decided)))
            .filter(not(exists(asked)))
    }};
}

/// A page of records to look through, in the order of their registration.
pub fn list(conn: &mut Conn, before: NaiveDate, now: Timestamp, slice: &Slice<Id>) -> Result<Vec<RetentionReview>> {
    let today = london_day(now);
    let columns = (members::id, members::last_activity_on, members::date_of_birth, members::created_at);
    let mut query = due!(before, today).select(columns).into_boxed();
    if let Some(after) = slice.after {
        query = query.filter(members::id.gt(after));
    }
    let rows: Vec<Facts> = query.order(members::id).limit(slice.fetch()).load(conn)?;
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let (mut blockers, held) = (blockers(conn, &ids, now)?, flagged(conn, &ids)?);
    let show = |row: Facts| {
        let mut blockers = blockers.remove(&row.id).unwrap_or_default();
        blockers.extend(held.contains(&row.id).then_some(ErasureBlocker::Held));
        let last_activity_on = row.last_activity_on();
        let was_child = |born| birthday(born, CHILD_UNTIL_AGE) > last_activity_on;
        RetentionReview {
            member_id: row.id,
            last_activity_on,
            last_active_as_child: row.date_of_birth.is_some_and(was_child),
            blockers,
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Whether this record is to be looked through.
pub fn is_due(conn: &mut Conn, id: Id, before: NaiveDate, today: NaiveDate) -> Result<bool> {
    let found = due!(before, today).filter(members::id.eq(id)).select(members::id);
    Ok(found.first::<Id>(conn).optional()?.is_some())
}

/// Locks a record until the transaction ends.
///
/// # Errors
/// 404 if there is none, or if it was merged or erased.
pub fn lock(conn: &mut Conn, id: Id) -> Result<()> {
    crate::lock_rows!(conn, members, [id]);
    let found = members::table.find(id).filter(is_live()).select(members::id);
    found.first::<Id>(conn).optional()?.map(|_| ()).ok_or_else(missing)
}

/// A row of `retention_reviews`: a record that is kept.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = retention_reviews)]
pub struct KeptRow {
    /// The member.
    pub member_id: Id,
    /// The last day on which the record is kept.
    pub keep_until: NaiveDate,
    /// Why.
    pub reason: String,
    /// The account that decided it.
    pub decided_by: Id,
    /// When it was decided.
    pub created_at: Timestamp,
}

/// The decisions to keep the records of these members, the oldest first.
pub fn kept(conn: &mut Conn, members: &[Id]) -> Result<Vec<KeptRow>> {
    let own = retention_reviews::table.filter(retention_reviews::member_id.eq_any(members));
    let in_order = own.order((retention_reviews::created_at, retention_reviews::member_id));
    Ok(in_order.select(KeptRow::as_select()).load(conn)?)
}

/// Writes a decision over the one before. The member must be locked.
pub fn keep(conn: &mut Conn, row: &KeptRow) -> Result<()> {
    diesel::delete(retention_reviews::table.find(row.member_id)).execute(conn)?;
    diesel::insert_into(retention_reviews::table).values(row).execute(conn)?;
    Ok(())
}
