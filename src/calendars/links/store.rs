//! Addresses of members' calendars in the database.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::types::{CalendarLink, CalendarLinkInput};
use crate::auth::caller::Role;
use crate::db::schema::{calendar_links, users};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;

/// How many addresses of one member can be in use.
const MOST_IN_USE: i64 = 20;

/// A row of `calendar_links`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = calendar_links, treat_none_as_null = true)]
pub struct LinkRow {
    pub(crate) id: Id,
    pub(crate) member_id: Id,
    pub(crate) name: Option<String>,
    pub(crate) neutral_titles: bool,
    secret_hash: String,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Option<Id>,
}

impl LinkRow {
    /// A new address of a member, made by an account, with the digest of its secret.
    pub fn new(
        id: Id,
        (member_id, created_by): (Id, Id),
        written: CalendarLinkInput,
        secret_hash: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            member_id,
            created_by: Some(created_by),
            name: written.name,
            neutral_titles: written.neutral_titles,
            secret_hash,
            revoked_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// This address after it was revoked. It is never answered again.
    pub fn revoked(&self, now: Timestamp) -> Self {
        Self { revoked_at: Some(now), version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

impl From<LinkRow> for CalendarLink {
    fn from(row: LinkRow) -> Self {
        Self {
            id: row.id,
            member_id: row.member_id,
            written: CalendarLinkInput { name: row.name, neutral_titles: row.neutral_titles },
            revoked_at: row.revoked_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of a member's addresses, in the order in which they were made.
pub fn list(conn: &mut Conn, member_id: Id, slice: &Slice<Id>) -> Result<Vec<LinkRow>> {
    let own = calendar_links::table.filter(calendar_links::member_id.eq(member_id));
    let mut query = own.select(LinkRow::as_select()).into_boxed();
    if let Some(id) = slice.after {
        query = query.filter(calendar_links::id.gt(id));
    }
    Ok(query.order(calendar_links::id).limit(slice.fetch()).load(conn)?)
}

/// One address of a member.
///
/// # Errors
/// 404 if the member has no such address.
pub fn get(conn: &mut Conn, member_id: Id, id: Id) -> Result<LinkRow> {
    let own = calendar_links::table.find(id).filter(calendar_links::member_id.eq(member_id));
    own.select(LinkRow::as_select()).first(conn).optional()?.ok_or_else(|| Error::not_found("calendar link"))
}

/// The address in use whose secret has this digest. How long the lookup of a digest takes tells nothing about the
/// secret.
///
/// Whoever made the address has seen it. So it works only while they may read the member's bookings by logging in too:
/// their account isn't disabled, and is an advisor's or the member's own.
///
/// # Errors
/// 404 if there is none, it was revoked, or whoever made it may no longer read the calendar.
pub fn by_secret(conn: &mut Conn, secret_hash: &str) -> Result<LinkRow> {
    let is_own = users::member_id.eq(calendar_links::member_id.nullable()).assume_not_null();
    let maker = users::table
        .filter(calendar_links::created_by.eq(users::id.nullable()).assume_not_null())
        .filter(users::disabled.eq(false))
        .filter(users::role.eq(Role::Advisor).or(is_own));
    let found = calendar_links::table
        .filter(calendar_links::secret_hash.eq(secret_hash).and(calendar_links::revoked_at.is_null()))
        .filter(calendar_links::created_by.is_null().or(exists(maker)))
        .select(LinkRow::as_select());
    found.first(conn).optional()?.ok_or_else(|| Error::not_found("calendar"))
}

/// Adds an address. The member must be locked.
///
/// # Errors
/// 409 if too many of the member's addresses are in use.
pub fn insert(conn: &mut Conn, row: &LinkRow) -> Result<()> {
    let in_use = calendar_links::table
        .filter(calendar_links::member_id.eq(row.member_id).and(calendar_links::revoked_at.is_null()));
    if in_use.count().get_result::<i64>(conn)? >= MOST_IN_USE {
        let detail = format!("This member has {MOST_IN_USE} addresses in use. Revoke one that is no longer needed.");
        return Err(Error::new(Kind::InvalidState, detail));
    }
    diesel::insert_into(calendar_links::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of an address over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &LinkRow) -> Result<()> {
    crate::write_next!(conn, calendar_links, row)
}
