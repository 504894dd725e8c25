//! The sections about the person: the record, contact, needs, answers, consents, relationships.
//!
//! What is read is taken apart field by field, without `..`: whoever adds a field is told to put it into the document.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::all;
use super::items::{ExportedConsent, ExportedContact, ExportedRecord, ExportedRelationship};
use super::people::People;
use crate::auth::reach::Reach;
use crate::db::schema::{members, partners};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::members::access_needs::store as access_needs;
use crate::members::access_needs::types::AccessNeeds;
use crate::members::consents::store::{self as consents, ConsentRow};
use crate::members::contact::may_write_to;
use crate::members::equality::rules::Reader;
use crate::members::equality::store as equality;
use crate::members::equality::types::EqualityAnswers;
use crate::members::relationships::store::{self as relationships, MemberNames, RelationshipRow};
use crate::members::relationships::types::{Relationship, RelationshipKind};
use crate::members::types::{Member, MemberInput};
use crate::members::{store, view};
use crate::messages::Told;

/// Who the member is, and how to reach them.
///
/// # Errors
/// 404 if there is no such member any more.
pub fn record(conn: &mut Conn, id: Id, today: NaiveDate) -> Result<(ExportedRecord, ExportedContact)> {
    let row = store::get(conn, Reach::Everyone, id)?;
    let Member {
        id,
        written,
        local_authority_code,
        // These are worked out from what is here.
        local_authority_mismatch: _,
        has_access_needs: _,
        access_needs_review_due: _,
        version: _,
        created_at,
        updated_at,
    } = view::show(conn, row, today)?;
    let last_activity_on = members::table.find(id).select(members::last_activity_on).first(conn)?;
    let emails_about_bookings = may_write_to(conn, &[id])?.get(&id) == Some(&Told::Email);
    let contact = contact_of(written.clone(), emails_about_bookings);
    let days = (last_activity_on, created_at, updated_at);
    Ok((record_of(id, written, local_authority_code, days), contact))
}

/// The section on how to reach the member.
fn contact_of(written: MemberInput, emails_about_bookings: bool) -> ExportedContact {
    let MemberInput {
        preferred_name: _,
        given_name: _,
        family_name: _,
        former_names: _,
        pronouns: _,
        date_of_birth: _,
        email,
        phone,
        line_1: _,
        line_2: _,
        town: _,
        postcode: _,
        local_authority: _,
        nhs_number: _,
        gp_practice_code: _,
        roles: _,
        contact_preferences,
        safe_contact,
        message_details,
        reminders,
        emergency_contact,
    } = written;
    ExportedContact {
        email,
        phone,
        contact_preferences,
        emails_about_bookings,
        safe_contact,
        message_details,
        reminders,
        emergency_contact,
    }
}

/// The section on who the member is. The days are that of the last activity, and the instants of the first and the last
/// change.
fn record_of(
    id: Id,
    written: MemberInput,
    local_authority_code: Option<String>,
    (last_activity_on, created_at, updated_at): (Option<NaiveDate>, Timestamp, Timestamp),
) -> ExportedRecord {
    let MemberInput {
        preferred_name,
        given_name,
        family_name,
        former_names,
        pronouns,
        date_of_birth,
        email: _,
        phone: _,
        line_1,
        line_2,
        town,
        postcode,
        local_authority,
        nhs_number,
        gp_practice_code,
        roles,
        contact_preferences: _,
        safe_contact: _,
        message_details: _,
        reminders: _,
        emergency_contact: _,
    } = written;
    ExportedRecord {
        id,
        preferred_name,
        given_name,
        family_name,
        former_names,
        pronouns,
        date_of_birth,
        line_1,
        line_2,
        town,
        postcode,
        local_authority,
        local_authority_code,
        nhs_number,
        gp_practice_code,
        roles,
        last_activity_on,
        created_at,
        updated_at,
    }
}

/// What the member needs to take part; nothing if nobody has asked.
pub fn needs(conn: &mut Conn, id: Id) -> Result<Vec<AccessNeeds>> {
    let row = access_needs::find(conn, id)?;
    Ok(row.map(|row| AccessNeeds::of(id, Some(row))).into_iter().collect())
}

/// The member's answers; nothing if nobody has asked.
pub fn answers(conn: &mut Conn, id: Id) -> Result<Vec<EqualityAnswers>> {
    let row = equality::find(conn, id)?;
    row.map(|row| EqualityAnswers::of(id, Some(&row), Reader::Member)).into_iter().collect()
}

/// What the member agreed to, the oldest first.
pub fn agreed(conn: &mut Conn, id: Id, people: &mut People) -> Result<Vec<ExportedConsent>> {
    let rows = all(|slice| consents::list(conn, id, false, slice), ConsentRow::key)?;
    let partners = partner_names(conn, rows.iter().filter_map(|consent| consent.partner_id).collect())?;
    let mut shown = Vec::with_capacity(rows.len());
    for consent in rows {
        shown.push(ExportedConsent {
            id: consent.id,
            purpose: consent.purpose,
            partner: consent.partner_id.and_then(|id| partners.get(&id)).cloned(),
            decision: consent.decision,
            evidence: consent.evidence,
            told_by: consent.told_by.map(|account| people.who(conn, account)).transpose()?,
            form_version: consent.form_version,
            recorded_by: people.who(conn, consent.recorded_by)?,
            recorded_at: consent.recorded_at,
        });
    }
    Ok(shown)
}

/// The names of partners.
pub fn partner_names(conn: &mut Conn, ids: Vec<Id>) -> Result<HashMap<Id, String>> {
    let mut names = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let found = partners::table.filter(partners::id.eq_any(ids)).select((partners::id, partners::name));
        names.extend(found.load::<(Id, String)>(conn)?);
    }
    Ok(names)
}

/// Who is close to the member, the oldest first: also what isn't accepted yet, and what is over.
pub fn close(conn: &mut Conn, member: Id, today: NaiveDate, people: &mut People) -> Result<Vec<ExportedRelationship>> {
    let read = |slice: &_| relationships::list(conn, member, Reach::Everyone, today, slice);
    let rows = all(read, RelationshipRow::key)?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let (reach, by) = (Reach::Member(member), row.created_by);
        let names = MemberNames::of(conn, reach, std::slice::from_ref(&row))?;
        // As the member sees it: how it is known is left out if it is about the other person.
        let Relationship {
            id,
            from_member,
            from_name: _,
            to_member: _,
            to_name: _,
            kind,
            may_book,
            authority,
            evidence,
            status,
            starts_on,
            ends_on,
            created_by: _,
            created_by_name: _,
            version: _,
            created_at,
            updated_at,
        } = names.show(row, today);
        shown.push(ExportedRelationship {
            id,
            who: other(kind, from_member == member),
            kind,
            may_book,
            authority,
            evidence,
            status,
            starts_on,
            ends_on,
            created_by: people.who(conn, by)?,
            created_at,
            updated_at,
        });
    }
    Ok(shown)
}

/// Who the other person in a relationship is to the member.
fn other(kind: RelationshipKind, member_is_first: bool) -> &'static str {
    match (kind, member_is_first) {
        (RelationshipKind::CarerOf, true) => "somebody you care for",
        (RelationshipKind::CarerOf, false) => "a carer of yours",
        (RelationshipKind::ChildOf, true) => "a parent of yours",
        (RelationshipKind::ChildOf, false) => "a child of yours",
        (RelationshipKind::PartnerOf, _) => "a partner of yours",
        (RelationshipKind::FamilyOf, _) => "somebody of your family",
    }
}
