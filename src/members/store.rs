//! Members in the database.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::duplicates::search::PersonRow;
use super::fate::{self, Fate};
use super::types::{
    ContactPreferences, EmergencyContact, FormerName, MemberInput, MemberName, MemberRole, MemberSummary,
    MessageDetails, SafeContact,
};
use super::{names, rules};
use crate::auth::reach::Reach;
use crate::clock::micros;
use crate::db::schema::members;
use crate::db::{AT_ONCE, Conn, Id, Json, Timestamp};
use crate::error::{Kind, Result};
use crate::insert_many;
use crate::places::LocalAuthority;
use crate::text::fold::joined_key;
use crate::text::sound::sound_key;
use crate::text::{nhs_number, phone, postcode};

/// A row of `members`. The day of the last activity isn't part of it: [`super::activity`] moves that day without a new
/// version, and a change of the row must not put it back.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable, Serialize, Deserialize)]
#[diesel(table_name = members, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct MemberRow {
    pub(crate) id: Id,
    pub(super) preferred_name: Option<String>,
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) former_names: Json<Vec<FormerName>>,
    pub(super) given_key: String,
    pub(super) family_key: String,
    pronouns: Option<String>,
    date_of_birth: Option<NaiveDate>,
    email: Option<String>,
    pub(super) email_key: Option<String>,
    pub(super) phone: Option<String>,
    line_1: Option<String>,
    line_2: Option<String>,
    town: Option<String>,
    pub(super) postcode: Option<String>,
    local_authority: Option<String>,
    pub(super) local_authority_code: Option<String>,
    nhs_number: Option<String>,
    gp_practice_code: Option<String>,
    roles: Json<Vec<MemberRole>>,
    contact_preferences: Json<ContactPreferences>,
    safe_contact: Json<SafeContact>,
    message_details: MessageDetails,
    reminders: bool,
    emergency_contact: Option<Json<EmergencyContact>>,
    pub(crate) version: i32,
    #[serde(with = "micros")]
    pub(super) created_at: Timestamp,
    #[serde(with = "micros")]
    pub(super) updated_at: Timestamp,
    sound_key: String,
}

fn normal(contact: EmergencyContact) -> EmergencyContact {
    EmergencyContact { phone: phone::read(&contact.phone).unwrap_or(contact.phone), ..contact }
}

impl MemberRow {
    /// A new member.
    pub fn new(id: Id, written: MemberInput, now: Timestamp) -> Self {
        let family_name = written.family_name.unwrap_or_default();
        let authority = written.local_authority.as_deref().and_then(|name| name.parse::<LocalAuthority>().ok());
        Self {
            id,
            given_key: joined_key(&written.given_name),
            family_key: joined_key(&family_name),
            sound_key: sound_key(&written.given_name, &family_name),
            preferred_name: written.preferred_name,
            given_name: written.given_name,
            family_name,
            former_names: Json(written.former_names),
            pronouns: written.pronouns,
            date_of_birth: written.date_of_birth,
            email_key: written.email.as_deref().map(rules::email_key),
            email: written.email,
            phone: written.phone.as_deref().and_then(phone::read),
            line_1: written.line_1,
            line_2: written.line_2,
            town: written.town,
            postcode: written.postcode.as_deref().and_then(postcode::read),
            local_authority_code: authority.map(|known| known.code.to_owned()),
            local_authority: authority.map(|known| known.name.to_owned()),
            nhs_number: written.nhs_number.as_deref().and_then(|text| nhs_number::read(text).ok()),
            gp_practice_code: written.gp_practice_code.as_deref().and_then(rules::gp_practice_code),
            roles: Json(written.roles),
            contact_preferences: Json(written.contact_preferences),
            safe_contact: Json(written.safe_contact),
            message_details: written.message_details,
            reminders: written.reminders,
            emergency_contact: written.emergency_contact.map(normal).map(Json),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// This row after a change.
    pub fn changed(&self, written: MemberInput, now: Timestamp) -> Self {
        Self { version: self.version + 1, created_at: self.created_at, ..Self::new(self.id, written, now) }
    }

    /// This row without anything that tells who it is, after the record was merged into another.
    pub(super) fn emptied(&self, now: Timestamp) -> Self {
        Self {
            id: self.id,
            preferred_name: None,
            given_name: String::new(),
            family_name: String::new(),
            former_names: Json(Vec::new()),
            given_key: String::new(),
            family_key: String::new(),
            pronouns: None,
            date_of_birth: None,
            email: None,
            email_key: None,
            phone: None,
            line_1: None,
            line_2: None,
            town: None,
            postcode: None,
            local_authority: None,
            local_authority_code: None,
            nhs_number: None,
            gp_practice_code: None,
            roles: Json(Vec::new()),
            contact_preferences: Json(ContactPreferences::default()),
            safe_contact: Json(SafeContact::default()),
            message_details: MessageDetails::default(),
            reminders: true,
            emergency_contact: None,
            version: self.version + 1,
            created_at: self.created_at,
            updated_at: now,
            sound_key: String::new(),
        }
    }

    /// This row with these ways of contact.
    pub(super) fn preferring(&self, preferences: ContactPreferences) -> Self {
        Self { contact_preferences: Json(preferences), ..self.clone() }
    }

    /// This row as a later version.
    pub(super) fn with_version(&self, version: i32, now: Timestamp) -> Self {
        Self { version, updated_at: now, ..self.clone() }
    }

    /// What search results are sorted by.
    pub(super) fn order(&self) -> (&str, &str, Id) {
        (&self.family_key, &self.given_key, self.id)
    }

    /// The part of the record that is compared with others.
    pub fn person(&self) -> PersonRow {
        PersonRow {
            id: self.id,
            preferred_name: self.preferred_name.clone(),
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            former_names: self.former_names.clone(),
            date_of_birth: self.date_of_birth,
            email_key: self.email_key.clone(),
            phone: self.phone.clone(),
            postcode: self.postcode.clone(),
            nhs_number: self.nhs_number.clone(),
        }
    }

    /// The member as a request would write them today.
    pub fn written(&self) -> MemberInput {
        self.clone().into()
    }
}

/// The family name to show: none if the column is empty, because the person has one name.
fn some(family_name: String) -> Option<String> {
    Some(family_name).filter(|name| !name.is_empty())
}

impl From<MemberRow> for MemberInput {
    fn from(row: MemberRow) -> Self {
        Self {
            preferred_name: row.preferred_name,
            given_name: row.given_name,
            family_name: some(row.family_name),
            former_names: row.former_names.0,
            pronouns: row.pronouns,
            date_of_birth: row.date_of_birth,
            email: row.email,
            phone: row.phone,
            line_1: row.line_1,
            line_2: row.line_2,
            town: row.town,
            postcode: row.postcode,
            local_authority: row.local_authority,
            nhs_number: row.nhs_number,
            gp_practice_code: row.gp_practice_code,
            roles: row.roles.0,
            contact_preferences: row.contact_preferences.0,
            safe_contact: row.safe_contact.0,
            message_details: row.message_details,
            reminders: row.reminders,
            emergency_contact: row.emergency_contact.map(|contact| contact.0),
        }
    }
}

impl From<MemberRow> for MemberSummary {
    fn from(row: MemberRow) -> Self {
        Self {
            id: row.id,
            display_name: rules::display_name(row.preferred_name.as_deref(), &row.given_name, &row.family_name),
            given_name: row.given_name,
            family_name: some(row.family_name),
            date_of_birth: row.date_of_birth,
            postcode: row.postcode,
            phone_ends: row.phone.as_deref().map(rules::phone_ends),
            email_hint: row.email.as_deref().and_then(rules::email_hint),
        }
    }
}

/// A member's names: preferred, given, family.
pub type Names = (Option<String>, String, String);

/// The columns of [`Names`].
pub const NAMES: (members::preferred_name, members::given_name, members::family_name) =
    (members::preferred_name, members::given_name, members::family_name);

/// A member by name.
pub fn member_name(id: Id, (preferred, given, family): Names) -> MemberName {
    MemberName { id, display_name: rules::display_name(preferred.as_deref(), &given, &family) }
}

/// One member within the caller's reach.
///
/// # Errors
/// 404 if there is none, or the caller may not see them. If the record was merged or erased, as [`Fate::check`].
pub fn get(conn: &mut Conn, reach: Reach, id: Id) -> Result<MemberRow> {
    let found = members::table.find(id).select((MemberRow::as_select(), fate::COLUMNS));
    let found: Option<(MemberRow, Fate)> = found.first(conn).optional()?;
    let (row, fate) = found.ok_or_else(fate::missing)?;
    fate.check(reach, id)?;
    Ok(row)
}

/// Checks that there is such a member within the caller's reach.
///
/// # Errors
/// As [`get`].
pub fn check(conn: &mut Conn, reach: Reach, id: Id) -> Result<()> {
    let fate: Option<Fate> = members::table.find(id).select(fate::COLUMNS).first(conn).optional()?;
    fate.ok_or_else(fate::missing)?.check(reach, id)
}

/// The ids under which a member's data can stand: their own, and those of the records that were merged into theirs.
/// Events stay with the id that they were recorded for.
pub fn ids_of(conn: &mut Conn, id: Id) -> Result<Vec<Id>> {
    let merged = members::table.filter(members::merged_into.eq(id)).order(members::id).select(members::id);
    let merged: Vec<Id> = merged.load(conn)?;
    Ok(std::iter::once(id).chain(merged).collect())
}

/// Those of these records that were merged into another, with the other.
pub fn merged_into(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Id>> {
    let mut found = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let merged = members::table.filter(members::id.eq_any(ids)).filter(members::merged_into.is_not_null());
        let columns = (members::id, members::merged_into.assume_not_null());
        found.extend(merged.select(columns).load::<(Id, Id)>(conn)?);
    }
    Ok(found)
}

/// Locks the record that holds everything of this person now, as [`lock`], and returns its id. `None` if there is none, or
/// it was erased.
pub fn lock_present(conn: &mut Conn, id: Id) -> Result<Option<Id>> {
    let present = merged_into(conn, &[id])?.remove(&id).unwrap_or(id);
    match lock(conn, Reach::Everyone, present) {
        Ok(row) => Ok(Some(row.id)),
        Err(error) => match (error.kind(), error.leads_to()) {
            // It was merged in between.
            (_, Some((_, other))) => lock_present(conn, other),
            (Kind::NotFound | Kind::Erased, None) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Whether there is such a member within the caller's reach. A record that was erased is none.
///
/// # Errors
/// 409 if the record was merged into one that the caller reaches.
pub fn exists(conn: &mut Conn, reach: Reach, id: Id) -> Result<bool> {
    match check(conn, reach, id) {
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Erased) => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

/// As [`exists`], and keeps the member from being merged or erased until the transaction ends: so nothing that is written
/// meanwhile stays behind with an id that is no member any more. SQLite has one writer and needs no lock.
pub fn hold(conn: &mut Conn, reach: Reach, id: Id) -> Result<bool> {
    crate::lock_rows!(conn, members, [id], for_key_share);
    exists(conn, reach, id)
}

/// As [`get`], and locks the member: until this transaction ends, no other one merges or erases the record, or writes what
/// only one may write at a time, such as a consent. Whoever adds something to a record locks or [holds](hold) it. SQLite
/// has one writer and needs no lock.
pub fn lock(conn: &mut Conn, reach: Reach, id: Id) -> Result<MemberRow> {
    if let Conn::Postgres(postgres) = conn {
        let row = members::table.find(id).select(members::id).for_no_key_update();
        row.first::<Id>(postgres).optional()?;
    }
    get(conn, reach, id)
}

/// Adds members.
///
/// # Errors
/// 409 if another has one of the NHS numbers.
pub fn insert(conn: &mut Conn, rows: &[MemberRow]) -> Result<()> {
    insert_many!(conn, members::table, rows)?;
    names::write_words(conn, rows)
}

/// Writes the next version of a member over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if another has the NHS number.
pub fn update(conn: &mut Conn, row: &MemberRow) -> Result<()> {
    update_row(conn, row)?;
    names::rewrite_words(conn, row)
}

/// The same without the words of the names.
///
/// # Errors
/// As [`update`].
pub(super) fn update_row(conn: &mut Conn, row: &MemberRow) -> Result<()> {
    crate::write_next!(conn, members, row)
}

/// Gives a member's record the new address of their account, if it had the old one. A record that was merged or erased
/// meanwhile stays empty.
pub fn follow_account(conn: &mut Conn, id: Id, (old, new): (&str, &str), now: Timestamp) -> Result<()> {
    let email: Option<Option<String>> = members::table.find(id).select(members::email).first(conn).optional()?;
    if email.flatten().is_none_or(|email| email.to_lowercase() != old) {
        return Ok(());
    }
    let addresses = (members::email.eq(new), members::email_key.eq(rules::email_key(new)));
    let changed = (addresses, members::version.eq(members::version + 1), members::updated_at.eq(now));
    diesel::update(members::table.find(id).filter(fate::is_live())).set(changed).execute(conn)?;
    Ok(())
}

/// Notes that a member wants no more reminders. Whether they wanted them before.
pub fn stop_reminders(conn: &mut Conn, id: Id, now: Timestamp) -> Result<bool> {
    let wanted = members::table.find(id).filter(fate::is_live()).filter(members::reminders.eq(true));
    let changed =
        (members::reminders.eq(false), members::version.eq(members::version + 1), members::updated_at.eq(now));
    Ok(diesel::update(wanted).set(changed).execute(conn)? == 1)
}

/// Lets registrations on PostgreSQL run one after another, so that two of the same person see each other. They are
/// rare.
pub fn queue_registrations(conn: &mut Conn) -> Result<()> {
    /// The number of the lock. Any number that nothing else here locks would do: idempotency keys lock their digests.
    const REGISTRATIONS: i64 = -1;
    if let Conn::Postgres(postgres) = conn {
        let lock = diesel::sql_query("SELECT pg_advisory_xact_lock($1)");
        lock.bind::<diesel::sql_types::BigInt, _>(REGISTRATIONS).execute(postgres)?;
    }
    Ok(())
}

/// Locks two members, so that nobody else changes them, and nothing is added to what belongs to them, until the
/// transaction ends. SQLite has one writer and needs no lock.
pub(super) fn lock_both(conn: &mut Conn, one: Id, other: Id) -> Result<()> {
    crate::lock_rows!(conn, members, [one, other], for_update);
    Ok(())
}

/// A row, whatever has become of the record.
pub(super) fn find(conn: &mut Conn, id: Id) -> Result<Option<(MemberRow, Fate)>> {
    Ok(members::table.find(id).select((MemberRow::as_select(), fate::COLUMNS)).first(conn).optional()?)
}

/// Writes the emptied row of a record that was merged into another.
///
/// # Errors
/// 412 if another request has changed it in between.
pub(super) fn write_pointer(conn: &mut Conn, row: &MemberRow, into: Id) -> Result<()> {
    update_row(conn, row)?;
    let pointer = (members::merged_into.eq(into), members::last_activity_on.eq(None::<NaiveDate>));
    diesel::update(members::table.find(row.id)).set(pointer).execute(conn)?;
    Ok(())
}

/// Writes the row of a record back that was merged into another.
///
/// # Errors
/// 409 if another member has the NHS number.
pub(super) fn write_back(conn: &mut Conn, row: &MemberRow) -> Result<()> {
    update_row(conn, row)?;
    diesel::update(members::table.find(row.id)).set(members::merged_into.eq(None::<Id>)).execute(conn)?;
    Ok(())
}

/// The day of a member's last activity.
pub(super) fn activity(conn: &mut Conn, id: Id) -> Result<Option<NaiveDate>> {
    Ok(members::table.find(id).select(members::last_activity_on).first(conn)?)
}

/// Writes the day of a member's last activity, also an earlier one.
pub(super) fn write_activity(conn: &mut Conn, id: Id, day: Option<NaiveDate>) -> Result<()> {
    diesel::update(members::table.find(id)).set(members::last_activity_on.eq(day)).execute(conn)?;
    Ok(())
}
