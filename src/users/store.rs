//! Accounts in the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::types::{Permission, User, UserInput};
use crate::auth::caller::Role;
use crate::auth::links::Purpose;
use crate::auth::links::store as links;
use crate::auth::logins::{Why, store as logins};
use crate::auth::throttle::Throttle;
use crate::db::schema::{members, partners, users};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;

/// A row of `users`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = users, treat_none_as_null = true)]
pub struct UserRow {
    pub(crate) id: Id,
    pub(crate) email: String,
    password_hash: Option<String>,
    pub(crate) role: Role,
    partner_id: Option<Id>,
    member_id: Option<Id>,
    pub(crate) disabled: bool,
    permissions: Json<Vec<Permission>>,
    generation: i32,
    failed_logins: i32,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
    display_name: Option<String>,
}

impl UserRow {
    /// A new account, with the hash of its password if it has one. An account with the role `member` needs a member
    /// too.
    pub fn new(
        id: Id,
        written: UserInput,
        member_id: Option<Id>,
        password_hash: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            email: written.email.to_lowercase(),
            password_hash,
            role: written.role,
            partner_id: written.partner_id,
            member_id,
            disabled: written.disabled,
            permissions: Json(written.permissions),
            generation: 1,
            failed_logins: 0,
            version: 1,
            created_at: now,
            updated_at: now,
            display_name: written.display_name,
        }
    }

    /// This row after a change. A change that ends the account's logins raises its generation.
    pub fn changed(&self, written: UserInput, now: Timestamp) -> Self {
        let next = Self::new(self.id, written, self.member_id, self.password_hash.clone(), now);
        Self {
            generation: self.generation + i32::from(self.ends_logins(&next).is_some()),
            failed_logins: self.failed_logins,
            version: self.version + 1,
            created_at: self.created_at,
            ..next
        }
    }

    /// Why the account's logins end when this row becomes the next; `None` if they don't.
    fn ends_logins(&self, next: &Self) -> Option<Why> {
        if next.disabled != self.disabled {
            Some(Why::Disabled)
        } else if (next.role, next.partner_id) != (self.role, self.partner_id) {
            Some(Why::Changed)
        } else if next.email != self.email {
            Some(Why::Email)
        } else {
            None
        }
    }

    /// The account as a request would write it today.
    pub fn written(&self) -> UserInput {
        UserInput {
            email: self.email.clone(),
            display_name: self.display_name.clone(),
            role: self.role,
            partner_id: self.partner_id,
            disabled: self.disabled,
            permissions: self.permissions.0.clone(),
        }
    }

    /// Whether its owner has not chosen a password yet, and may.
    pub fn waits_for_password(&self) -> bool {
        !self.has_password() && !self.disabled
    }

    /// Whether a password was ever set.
    pub fn has_password(&self) -> bool {
        self.password_hash.is_some()
    }

    /// Whether its links end when this row becomes the next.
    pub fn ends_links(&self, next: &Self) -> bool {
        self.ends_logins(next).is_some()
    }

    /// Whether it is an admin's account that can log in.
    pub fn is_enabled_admin(&self) -> bool {
        self.role == Role::Admin && !self.disabled
    }

    /// This account's place in the list.
    pub fn key(&self) -> String {
        self.email.clone()
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            display_name: row.display_name,
            role: row.role,
            partner_id: row.partner_id,
            disabled: row.disabled,
            permissions: row.permissions.0,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// An account as the command line lists it.
#[derive(Debug)]
pub struct Overview {
    /// Its id.
    pub id: Id,
    /// Its address.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// Whether it is barred from logging in.
    pub disabled: bool,
    /// Whether a password was ever set.
    pub has_password: bool,
    /// The day of the last login.
    pub last_login_on: Option<NaiveDate>,
}

/// All accounts by e-mail address, without those of members. They are as many as people work here.
pub fn overview(conn: &mut Conn) -> Result<Vec<Overview>> {
    let columns = (
        users::id,
        users::email,
        users::role,
        users::disabled,
        users::password_hash.is_not_null(),
        users::last_login_on,
    );
    let rows = users::table.filter(users::role.ne(Role::Member)).order(users::email).select(columns);
    let rows: Vec<(Id, String, Role, bool, bool, Option<NaiveDate>)> = rows.load(conn)?;
    let show = |(id, email, role, disabled, has_password, last_login_on)| Overview {
        id,
        email,
        role,
        disabled,
        has_password,
        last_login_on,
    };
    Ok(rows.into_iter().map(show).collect())
}

/// A page of accounts by e-mail address, without those of members.
pub fn list(conn: &mut Conn, slice: &Slice<String>) -> Result<Vec<UserRow>> {
    let mut query = users::table.filter(users::role.ne(Role::Member)).select(UserRow::as_select()).into_boxed();
    if let Some(email) = &slice.after {
        query = query.filter(users::email.gt(email));
    }
    Ok(query.order(users::email).limit(slice.fetch()).load(conn)?)
}

/// One account that isn't a member's.
///
/// # Errors
/// 404 if there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<UserRow> {
    let row = users::table.find(id).filter(users::role.ne(Role::Member)).select(UserRow::as_select());
    row.first(conn).optional()?.ok_or_else(|| Error::not_found("account"))
}

/// A member's account: its id, its address, whether it is disabled, the day of its last login, and its version.
pub type MemberUser = (Id, String, bool, Option<NaiveDate>, i32);

/// The account of a member.
///
/// # Errors
/// 404 if the member has none.
pub fn of_member(conn: &mut Conn, member_id: Id) -> Result<MemberUser> {
    let row = users::table.filter(users::member_id.eq(member_id));
    let row = row.select((users::id, users::email, users::disabled, users::last_login_on, users::version));
    row.first(conn).optional()?.ok_or_else(|| Error::not_found("account"))
}

/// Adds an account. Guesses at its address from before count no longer; without a throttle they do.
///
/// # Errors
/// 409 if the address is taken, 422 if the partner is unknown.
pub fn insert(conn: &mut Conn, throttle: Option<&Throttle>, row: &UserRow) -> Result<()> {
    check_partner(conn, row.partner_id)?;
    diesel::insert_into(users::table).values(row).execute(conn)?;
    throttle.map_or(Ok(()), |throttle| throttle.forget_guesses(conn, &row.email))
}

/// Writes the next version of an account over the one before. What ends the account's logins ends its links too. Returns
/// why the logins ended, if there were any.
///
/// # Errors
/// 409 if the address is taken or no enabled admin would be left; 412 if another request has changed
/// it in between; 422 if the partner is unknown.
pub fn update(conn: &mut Conn, old: &UserRow, row: &UserRow) -> Result<Option<Why>> {
    check_partner(conn, row.partner_id)?;
    if old.is_enabled_admin() && !row.is_enabled_admin() && !others_manage(conn, row.id)? {
        return Err(Error::new(
            Kind::InvalidState,
            "This is the last enabled admin. Make or enable another one first.",
        ));
    }
    crate::write_next!(conn, users, row)?;
    let Some(why) = old.ends_logins(row) else { return Ok(None) };
    // They were made for the account as it was: a link that an admin was shown must not open an advisor's account.
    links::revoke_of_account(conn, (old.id, &old.email), &Purpose::OF_ACCOUNTS, row.updated_at)?;
    Ok(logins::end_all(conn, row.id, why, row.updated_at)?.then_some(why))
}

fn check_partner(conn: &mut Conn, partner_id: Option<Id>) -> Result<()> {
    let Some(id) = partner_id else { return Ok(()) };
    if crate::partners::store::exists(conn, id)? {
        return Ok(());
    }
    Err(Error::rule("/partner_id", "unknown_partner", "There is no such partner."))
}

/// Whether there is another enabled admin. On PostgreSQL all of them are locked first, in a fixed order:
/// otherwise two admins could disable each other at the same time. SQLite has one writer.
fn others_manage(conn: &mut Conn, id: Id) -> Result<bool> {
    let admins = users::table
        .filter(users::role.eq(Role::Admin))
        .filter(users::disabled.eq(false))
        .order(users::id)
        .select(users::id);
    let enabled: Vec<Id> = match conn {
        Conn::Postgres(postgres) => admins.for_no_key_update().load(postgres)?,
        Conn::Sqlite(sqlite) => admins.load(sqlite)?,
    };
    Ok(enabled.iter().any(|admin| *admin != id))
}

/// The partner with this slug, for the command line.
pub fn partner_by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Id>> {
    Ok(partners::table.filter(partners::slug.eq(slug)).select(partners::id).first(conn).optional()?)
}

/// Whether there is such a member, neither merged nor erased, for the command line.
pub fn member_exists(conn: &mut Conn, id: Id) -> Result<bool> {
    let live = members::table.find(id).filter(members::merged_into.is_null()).filter(members::erased_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(live)).get_result(conn)?)
}
