//! Consents in the database.

use chrono::DateTime;
use diesel::prelude::*;

use super::types::{Consent, ConsentDecision, ConsentInput, ConsentPurpose};
use crate::auth::reach::Reach;
use crate::db::schema::{consents, partners};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;
use crate::insert_many;
use crate::partners::types::PartnerStatus;

/// A row of `consents`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = consents, treat_none_as_default_value = false)]
pub struct ConsentRow {
    pub(crate) id: Id,
    member_id: Id,
    purpose: ConsentPurpose,
    partner_id: Option<Id>,
    decision: ConsentDecision,
    evidence: String,
    recorded_by: Id,
    recorded_at: Timestamp,
}

impl From<ConsentRow> for Consent {
    fn from(row: ConsentRow) -> Self {
        let ConsentRow { id, purpose, partner_id, decision, evidence, recorded_by, recorded_at, .. } = row;
        let written = ConsentInput { purpose, partner_id, decision, evidence };
        Self { id, written, recorded_by, recorded_at, created_at: recorded_at, updated_at: recorded_at }
    }
}

impl ConsentRow {
    /// A new consent.
    pub fn new(id: Id, member_id: Id, written: ConsentInput, recorded_by: Id, recorded_at: Timestamp) -> Self {
        let ConsentInput { purpose, partner_id, decision, evidence } = written;
        Self { id, member_id, purpose, partner_id, decision, evidence, recorded_by, recorded_at }
    }

    /// This consent's place in its member's list: the instant in microseconds since 1970, and the id. Two records that
    /// were merged can have consents of one instant.
    pub fn key(&self) -> ConsentKey {
        (self.recorded_at.0.timestamp_micros(), self.id)
    }
}

/// The keys that a member's consents are listed by.
pub type ConsentKey = (i64, Id);

/// A page of a member's consents, in the order in which they were recorded.
pub fn list(conn: &mut Conn, member_id: Id, slice: &Slice<ConsentKey>) -> Result<Vec<ConsentRow>> {
    use consents::{id, recorded_at};
    let mut query =
        consents::table.filter(consents::member_id.eq(member_id)).select(ConsentRow::as_select()).into_boxed();
    if let Some((micros, last)) = slice.after {
        let after = Timestamp(DateTime::from_timestamp_micros(micros).unwrap_or_default());
        query = query.filter(recorded_at.gt(after).or(recorded_at.eq(after).and(id.gt(last))));
    }
    Ok(query.order((recorded_at, id)).limit(slice.fetch()).load(conn)?)
}

/// One consent of a member.
///
/// # Errors
/// 404 if the member has no such consent.
pub fn get(conn: &mut Conn, member_id: Id, id: Id) -> Result<ConsentRow> {
    let own = consents::table.find(id).filter(consents::member_id.eq(member_id));
    own.select(ConsentRow::as_select()).first(conn).optional()?.ok_or_else(|| Error::not_found("consent"))
}

/// The instant to record a member's next consent at. It is now, or just after the last consent if the clock stands
/// still or was put back: it must always be clear which consent came last. The member must be locked.
pub fn next_instant(conn: &mut Conn, member_id: Id, now: Timestamp) -> Result<Timestamp> {
    let mine = consents::table.filter(consents::member_id.eq(member_id));
    let last = mine.select(consents::recorded_at).order(consents::recorded_at.desc());
    let last: Option<Timestamp> = last.first(conn).optional()?;
    let after = last.map(|last| Timestamp(last.0 + chrono::TimeDelta::microseconds(1)));
    Ok(after.filter(|after| *after > now).unwrap_or(now))
}

/// Whether there is such a partner. For a member who gives a consent, one that isn't active doesn't exist; a consent can
/// always be withdrawn.
pub fn partner_exists(conn: &mut Conn, id: Id, reach: Reach, decision: ConsentDecision) -> Result<bool> {
    let status: Option<PartnerStatus> = partners::table.find(id).select(partners::status).first(conn).optional()?;
    let hidden = reach.is_member() && decision == ConsentDecision::Given;
    Ok(status.is_some_and(|status| !hidden || status == PartnerStatus::Active))
}

/// Adds consents.
pub fn insert(conn: &mut Conn, rows: &[ConsentRow]) -> Result<()> {
    Ok(insert_many!(conn, consents::table, rows)?)
}
