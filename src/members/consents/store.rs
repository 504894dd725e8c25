//! Consents in the database, and what they say now.

use std::collections::BTreeMap;

use chrono::DateTime;
use diesel::prelude::*;
use diesel::upsert::excluded;
use uuid::Uuid;

use super::types::{BY_THE_MEMBER, Consent, ConsentDecision, ConsentInput, ConsentPurpose};
use crate::auth::caller::Role;
use crate::auth::reach::Reach;
use crate::db::schema::{consent_states, consents, members, partners, users};
use crate::db::types::TextEnum;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;
use crate::insert_many;
use crate::members::signatures::Signatures;
use crate::partners::types::PartnerStatus;

/// A row of `consents`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = consents, treat_none_as_default_value = false)]
pub struct ConsentRow {
    pub(crate) id: Id,
    member_id: Id,
    pub(crate) purpose: ConsentPurpose,
    pub(crate) partner_id: Option<Id>,
    pub(crate) decision: ConsentDecision,
    pub(crate) evidence: String,
    pub(crate) recorded_by: Id,
    pub(crate) recorded_at: Timestamp,
    pub(crate) told_by: Option<Id>,
    pub(crate) form_version: Option<String>,
}

/// A row of `consent_states`: the last consent of a member for a purpose (and partner).
#[derive(Debug, Insertable)]
#[diesel(table_name = consent_states)]
struct StateRow {
    member_id: Id,
    purpose: ConsentPurpose,
    partner_id: Id,
    decision: ConsentDecision,
    consent_id: Id,
}

/// The partner of a state whose purpose names none: part of a primary key can't be null.
const NO_PARTNER: Id = Id(Uuid::nil());

impl ConsentRow {
    /// The accounts that an answer names.
    pub fn accounts(&self) -> impl Iterator<Item = Id> {
        [Some(self.recorded_by), self.told_by].into_iter().flatten()
    }

    /// The consent as it is answered.
    pub fn show(self, signatures: &Signatures) -> Consent {
        let row = self;
        Consent {
            id: row.id,
            purpose: row.purpose,
            partner_id: row.partner_id,
            decision: row.decision,
            evidence: row.evidence,
            told_by: row.told_by.and_then(|account| signatures.id(account)),
            told_by_name: row.told_by.and_then(|account| signatures.name(account)),
            form_version: row.form_version,
            recorded_by: signatures.id(row.recorded_by),
            recorded_by_name: signatures.name(row.recorded_by),
            recorded_at: row.recorded_at,
            created_at: row.recorded_at,
            updated_at: row.recorded_at,
        }
    }

    /// A new consent. Without evidence it is the member's own.
    pub fn new(id: Id, member_id: Id, written: ConsentInput, recorded_by: Id, recorded_at: Timestamp) -> Self {
        let ConsentInput { purpose, partner_id, decision, evidence, told_by, form_version } = written;
        let evidence = evidence.unwrap_or_else(|| BY_THE_MEMBER.to_owned());
        Self { id, member_id, purpose, partner_id, decision, evidence, recorded_by, recorded_at, told_by, form_version }
    }

    /// This consent's place in its member's list: the instant in microseconds since 1970, and the id. Two records that
    /// were merged can have consents of one instant.
    pub fn key(&self) -> ConsentKey {
        (self.recorded_at.0.timestamp_micros(), self.id)
    }

    /// What it decides: whose consent, for what and for which partner.
    fn decides(&self) -> (Id, &'static str, Id) {
        (self.member_id, self.purpose.name(), self.partner_id.unwrap_or(NO_PARTNER))
    }

    fn state(&self) -> StateRow {
        let Self { id: consent_id, member_id, purpose, partner_id, decision, .. } = *self;
        StateRow { member_id, purpose, partner_id: partner_id.unwrap_or(NO_PARTNER), decision, consent_id }
    }
}

/// The keys that a member's consents are listed by.
pub type ConsentKey = (i64, Id);

/// A page of a member's consents, in the order in which they were recorded: all of them, or those that count now.
pub fn list(conn: &mut Conn, member_id: Id, current: bool, slice: &Slice<ConsentKey>) -> Result<Vec<ConsentRow>> {
    use consents::{id, recorded_at};
    let mut query =
        consents::table.filter(consents::member_id.eq(member_id)).select(ConsentRow::as_select()).into_boxed();
    if current {
        let last = consent_states::table.filter(consent_states::member_id.eq(member_id));
        query = query.filter(consents::id.eq_any(last.select(consent_states::consent_id)));
    }
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

/// The consent that stands, where it is withdrawn and another withdrawal is to be recorded. So nobody can fill the record
/// with withdrawals: each follows a consent that was given, and those are [limited](crate::members::quotas).
pub fn withdrawn_already(conn: &mut Conn, member_id: Id, written: &ConsentInput) -> Result<Option<ConsentRow>> {
    if written.decision != ConsentDecision::Withdrawn {
        return Ok(None);
    }
    let partner = written.partner_id.unwrap_or(NO_PARTNER);
    let state = consent_states::table.find((member_id, written.purpose, partner));
    let withdrawn = state.filter(consent_states::decision.eq(ConsentDecision::Withdrawn));
    let stands: Option<Id> = withdrawn.select(consent_states::consent_id).first(conn).optional()?;
    stands.map(|id| get(conn, member_id, id)).transpose()
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

/// Whether there is such an account of an advisor or an admin.
pub fn is_staff(conn: &mut Conn, account: Id) -> Result<bool> {
    let role: Option<Role> = users::table.find(account).select(users::role).first(conn).optional()?;
    Ok(role.is_some_and(|role| matches!(role, Role::Advisor | Role::Admin)))
}

/// Adds consents, and writes what they decide. Each must have been recorded after every other one of its member that is
/// there already, and the last of several for one thing decides. Nothing else adds consents.
pub fn insert(conn: &mut Conn, rows: &[ConsentRow]) -> Result<()> {
    insert_many!(conn, consents::table, rows)?;
    decide(conn, rows)
}

/// Writes what consents decide. The last of several for one thing decides.
fn decide(conn: &mut Conn, rows: &[ConsentRow]) -> Result<()> {
    let last: BTreeMap<_, &ConsentRow> = rows.iter().map(|row| (row.decides(), row)).collect();
    let states: Vec<StateRow> = last.values().map(|row| row.state()).collect();
    let next = (
        consent_states::decision.eq(excluded(consent_states::decision)),
        consent_states::consent_id.eq(excluded(consent_states::consent_id)),
    );
    let key = (consent_states::member_id, consent_states::purpose, consent_states::partner_id);
    // Only the concrete connections know ON CONFLICT, and SQLite takes it for one row at a time.
    match conn {
        Conn::Postgres(postgres) => {
            for states in states.chunks(AT_ONCE) {
                let new = diesel::insert_into(consent_states::table).values(states);
                new.on_conflict(key).do_update().set(next).execute(postgres)?;
            }
        }
        Conn::Sqlite(sqlite) => {
            for state in &states {
                let new = diesel::insert_into(consent_states::table).values(state);
                new.on_conflict(key).do_update().set(next).execute(sqlite)?;
            }
            note_withdrawals(sqlite, &states)?;
        }
    }
    Ok(())
}

/// Works out again which consents of a member count.
pub fn work_out_again(conn: &mut Conn, member_id: Id) -> Result<()> {
    end_given(conn, member_id)?;
    let old = consent_states::table.filter(consent_states::member_id.eq(member_id));
    diesel::delete(old).execute(conn)?;
    let rows: Vec<ConsentRow> = consents::table
        .filter(consents::member_id.eq(member_id))
        .order((consents::recorded_at, consents::id))
        .select(ConsentRow::as_select())
        .load(conn)?;
    decide(conn, &rows)
}

/// Before it is deleted which consents of a member count: an answer to a partner that shows the member, and hasn't left
/// yet, is read again. PostgreSQL locks the states instead.
pub fn end_given(conn: &mut Conn, member_id: Id) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Ok(()) };
    let given = consent_states::table
        .filter(consent_states::member_id.eq(member_id))
        .filter(consent_states::decision.eq(ConsentDecision::Given));
    let partners = given.select(consent_states::partner_id).load(sqlite)?;
    note_ended(sqlite, partners)
}

/// Raises `consent_version` of the partners from whom members withdraw their consent: see
/// [`read_shared`](crate::members::sharing::read_shared). PostgreSQL locks the states instead.
fn note_withdrawals(sqlite: &mut SqliteConnection, states: &[StateRow]) -> Result<()> {
    let withdrawn = states.iter().filter(|state| state.decision == ConsentDecision::Withdrawn);
    note_ended(sqlite, withdrawn.map(|state| state.partner_id).collect())
}

/// The same for these partners.
fn note_ended(sqlite: &mut SqliteConnection, mut partners: Vec<Id>) -> Result<()> {
    partners.retain(|id| *id != NO_PARTNER);
    for ids in partners.chunks(AT_ONCE) {
        let touched = partners::table.filter(partners::id.eq_any(ids));
        diesel::update(touched).set(partners::consent_version.eq(partners::consent_version + 1)).execute(sqlite)?;
    }
    Ok(())
}

/// What a member decided last for a purpose that names no partner.
pub fn last(conn: &mut Conn, member_id: Id, purpose: ConsentPurpose) -> Result<Option<ConsentDecision>> {
    let state = consent_states::table
        .filter(consent_states::member_id.eq(member_id))
        .filter(consent_states::purpose.eq(purpose))
        .filter(consent_states::partner_id.eq(NO_PARTNER));
    Ok(state.select(consent_states::decision).first(conn).optional()?)
}

/// Records what a member decides for a purpose that names no partner. Returns the consent that was recorded.
pub fn record(
    conn: &mut Conn,
    new_id: Id,
    member_id: Id,
    (purpose, decision): (ConsentPurpose, ConsentDecision),
    (recorder, evidence): (Id, Option<String>),
    now: Timestamp,
) -> Result<ConsentRow> {
    let written = ConsentInput { evidence, ..ConsentInput::by_member(purpose, decision) };
    let row = ConsentRow::new(new_id, member_id, written, recorder, next_instant(conn, member_id, now)?);
    insert(conn, std::slice::from_ref(&row))?;
    Ok(row)
}

/// Checks that a member hasn't said that they want no support, and lets nobody record that they do until the transaction
/// ends.
///
/// # Errors
/// 409 `no-consent` if the last consent for `service_delivery` withdraws it.
pub fn hold_service(conn: &mut Conn, member_id: Id) -> Result<()> {
    crate::lock_rows!(conn, members, [member_id]);
    if last(conn, member_id, ConsentPurpose::ServiceDelivery)? != Some(ConsentDecision::Withdrawn) {
        return Ok(());
    }
    let detail = "The member wants no support from the service at present. What stands already stays. Ask them; record the \
                  consent service_delivery when they give it again.";
    Err(Error::new(Kind::NoConsent, detail))
}
