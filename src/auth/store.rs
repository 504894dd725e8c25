//! Reads the accounts and API clients for logging in and for checking tokens. `users` and `partners` manage them.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::caller::{Caller, CallerKind, Role, Scope};
use super::links::Purpose;
use super::links::store as links;
use super::logins::store::next_generation;
use super::logins::{self, Why};
use super::throttle::Throttle;
use super::token::Claims;
use crate::audit::Subject;
use crate::db::schema::{api_clients, logins as login_rows, members, partners, users};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::Result;

/// Whether the owner of a valid token may still use the service.
pub enum Standing {
    /// They may.
    Good(Caller),
    /// The account or client is disabled, revoked or deleted, its login has ended, or the token is of an older
    /// generation.
    Gone,
    /// Their partner is paused or ended.
    PartnerNotActive,
}

/// Looks up whether the owner of a valid token may still use the service.
pub fn standing(conn: &mut Conn, claims: &Claims) -> Result<Standing> {
    match claims.kind {
        CallerKind::User => user_standing(conn, claims),
        CallerKind::Client => {
            let named = claims.scope.as_deref().unwrap_or_default().split(' ');
            let granted: Vec<Scope> = named.filter_map(|name| name.parse().ok()).collect();
            client_standing(conn, claims.sub, claims.generation, &granted)
        }
    }
}

type UserRow = (i32, bool, Role, Option<Id>, Option<Id>, Json<Vec<String>>, Option<String>);

fn user_standing(conn: &mut Conn, claims: &Claims) -> Result<Standing> {
    let Some(login_id) = claims.sid else { return Ok(Standing::Gone) };
    let row: Option<UserRow> = login_rows::table
        .inner_join(users::table.left_join(partners::table))
        .filter(login_rows::id.eq(login_id).and(login_rows::ended_at.is_null()))
        .filter(users::id.eq(claims.sub))
        .select((
            users::generation,
            users::disabled,
            users::role,
            users::partner_id,
            users::member_id,
            users::permissions,
            partners::status.nullable(),
        ))
        .first(conn)
        .optional()?;
    let Some((generation, disabled, role, partner_id, member_id, permissions, partner)) = row else {
        return Ok(Standing::Gone);
    };
    if disabled || generation != claims.generation || role != claims.role {
        return Ok(Standing::Gone);
    }
    if partner.is_some_and(|status| status != "active") {
        return Ok(Standing::PartnerNotActive);
    }
    Ok(Standing::Good(Caller {
        id: claims.sub,
        kind: CallerKind::User,
        role,
        partner_id,
        member_id,
        scopes: Vec::new(),
        permissions: permissions.0,
        login_id: Some(login_id),
        generation,
    }))
}

type ClientRow = (i32, Option<Timestamp>, Id, Json<Vec<Scope>>, String);

/// Looks up whether an API client of this generation may still use the service. It has those of the granted scopes that
/// it still owns.
pub fn client_standing(conn: &mut Conn, id: Id, expected: i32, granted: &[Scope]) -> Result<Standing> {
    let row: Option<ClientRow> = api_clients::table
        .inner_join(partners::table)
        .filter(api_clients::id.eq(id))
        .select((
            api_clients::generation,
            api_clients::revoked_at,
            api_clients::partner_id,
            api_clients::scopes,
            partners::status,
        ))
        .first(conn)
        .optional()?;
    let Some((generation, revoked_at, partner_id, owned, partner)) = row else { return Ok(Standing::Gone) };
    if revoked_at.is_some() || generation != expected {
        return Ok(Standing::Gone);
    }
    if partner != "active" {
        return Ok(Standing::PartnerNotActive);
    }
    Ok(Standing::Good(Caller {
        id,
        kind: CallerKind::Client,
        role: Role::Partner,
        partner_id: Some(partner_id),
        member_id: None,
        scopes: granted.iter().copied().filter(|scope| owned.0.contains(scope)).collect(),
        permissions: Vec::new(),
        login_id: None,
        generation,
    }))
}

/// The part of an account that logging in needs.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Account {
    /// Its id.
    pub id: Id,
    /// Its e-mail address.
    pub email: String,
    /// The stored hash; none until a password is set.
    pub password_hash: Option<String>,
    /// Its role.
    pub role: Role,
    /// Its partner.
    pub partner_id: Option<Id>,
    /// Its member.
    pub member_id: Option<Id>,
    /// Whether it may log in.
    pub disabled: bool,
    /// Its generation: tokens of an older generation have ended.
    pub generation: i32,
    /// How many wrong passwords were given since the last right one.
    pub failed_logins: i32,
}

impl Account {
    /// The account as the subject of an audit event.
    pub fn subject(&self) -> Subject {
        Subject::of_account(self.id, self.member_id)
    }
}

/// The account with this e-mail address, in lower case.
pub fn account_by_email(conn: &mut Conn, email: &str) -> Result<Option<Account>> {
    Ok(users::table.filter(users::email.eq(email)).select(Account::as_select()).first(conn).optional()?)
}

/// The account with this id.
pub fn account(conn: &mut Conn, id: Id) -> Result<Option<Account>> {
    Ok(users::table.find(id).select(Account::as_select()).first(conn).optional()?)
}

/// Sets a password, ends every login and token of the account, takes back the links for another password, and unlocks it.
/// Returns whether there were logins. Without
/// a throttle the guesses at the password before still count.
pub fn set_password(
    conn: &mut Conn,
    throttle: Option<&Throttle>,
    account: &Account,
    hash: &str,
    now: Timestamp,
) -> Result<bool> {
    let id = account.id;
    diesel::update(users::table.find(id))
        .set((users::password_hash.eq(hash), users::failed_logins.eq(0), next_generation(now)))
        .execute(conn)?;
    throttle.map_or(Ok(()), |throttle| throttle.forget_guesses(conn, &account.email))?;
    links::revoke_of_account(conn, (id, &account.email), &[Purpose::PasswordReset], now)?;
    logins::store::end_all(conn, id, Why::Password, now)
}

/// Gives an account another address and ends its logins, tokens and links. Returns whether there were logins.
///
/// # Errors
/// 409 if another account has the address.
pub fn set_email(conn: &mut Conn, id: Id, email: &str, now: Timestamp) -> Result<bool> {
    end_links(conn, id, now)?;
    diesel::update(users::table.find(id)).set((users::email.eq(email), next_generation(now))).execute(conn)?;
    logins::store::end_all(conn, id, Why::Email, now)
}

/// Bars an account from logging in and ends its logins, tokens and links, or lets it log in again. Returns whether there were
/// logins.
pub fn set_disabled(conn: &mut Conn, id: Id, disabled: bool, now: Timestamp) -> Result<bool> {
    end_links(conn, id, now)?;
    diesel::update(users::table.find(id)).set((users::disabled.eq(disabled), next_generation(now))).execute(conn)?;
    logins::store::end_all(conn, id, Why::Disabled, now)
}

/// Takes back the links of an account: they were made for it as it was.
fn end_links(conn: &mut Conn, id: Id, now: Timestamp) -> Result<()> {
    let email: Option<String> = users::table.find(id).select(users::email).first(conn).optional()?;
    links::revoke_of_account(conn, (id, &email.unwrap_or_default()), &Purpose::OF_ACCOUNTS, now)
}

/// Whether anybody who works for the service has an account.
pub fn has_accounts(conn: &mut Conn) -> Result<bool> {
    Ok(users::table.filter(users::role.ne(Role::Member)).select(users::id).first::<Id>(conn).optional()?.is_some())
}

/// Ends every login and token of an account. Returns whether there were logins.
pub fn end_logins(conn: &mut Conn, id: Id, now: Timestamp) -> Result<bool> {
    diesel::update(users::table.find(id)).set(next_generation(now)).execute(conn)?;
    logins::store::end_all(conn, id, Why::LogoutAll, now)
}

/// The account of this member.
pub fn account_of_member(conn: &mut Conn, member_id: Id) -> Result<Option<Account>> {
    Ok(users::table.filter(users::member_id.eq(member_id)).select(Account::as_select()).first(conn).optional()?)
}

/// Writes down that the owner of an account has read a mail at its address.
pub fn prove_email(conn: &mut Conn, id: Id, now: Timestamp) -> Result<()> {
    diesel::update(users::table.find(id)).set(users::email_proven_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Writes down the day of an account's last login, if it is another one than before.
pub fn note_login(conn: &mut Conn, id: Id, day: NaiveDate) -> Result<()> {
    let before = users::last_login_on.is_null().or(users::last_login_on.ne(day));
    diesel::update(users::table.find(id).filter(before)).set(users::last_login_on.eq(day)).execute(conn)?;
    Ok(())
}

/// The account with this id, locked until the transaction ends.
pub fn locked_account(conn: &mut Conn, id: Id) -> Result<Option<Account>> {
    crate::lock_rows!(conn, users, [id]);
    account(conn, id)
}

/// What somebody who guesses the password of this account would try: its e-mail address, and the names of its member.
pub fn known_of(conn: &mut Conn, email: String, member_id: Option<Id>) -> Result<Vec<String>> {
    let Some(id) = member_id else { return Ok(vec![email]) };
    let names: Option<(String, String, Option<String>)> = members::table
        .find(id)
        .select((members::given_name, members::family_name, members::preferred_name))
        .first(conn)
        .optional()?;
    let (given, family, preferred) = names.unwrap_or_default();
    Ok([email, given, family].into_iter().chain(preferred).collect())
}

/// Whether a partner exists and is active.
pub fn partner_is_active(conn: &mut Conn, id: Id) -> Result<bool> {
    let status: Option<String> = partners::table.find(id).select(partners::status).first(conn).optional()?;
    Ok(status.is_some_and(|status| status == "active"))
}

/// The part of an API client that a token request needs.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = api_clients)]
pub struct Client {
    /// Its id.
    pub id: Id,
    /// Its partner.
    pub partner_id: Id,
    /// The digest of its secret.
    pub secret_hash: String,
    /// The scopes that it may have.
    pub scopes: Json<Vec<Scope>>,
    /// Its generation: tokens of an older generation have ended.
    pub generation: i32,
    /// When it was revoked; `None` if it wasn't.
    pub revoked_at: Option<Timestamp>,
}

/// The client with this `client_id`.
pub fn client(conn: &mut Conn, client_id: &str) -> Result<Option<Client>> {
    let known = api_clients::table.filter(api_clients::client_id.eq(client_id));
    Ok(known.select(Client::as_select()).first(conn).optional()?)
}

/// The e-mail address of an account, or the name of a client.
pub fn name_of(conn: &mut Conn, caller: &Caller) -> Result<String> {
    Ok(match caller.kind {
        CallerKind::User => users::table.find(caller.id).select(users::email).first(conn)?,
        CallerKind::Client => api_clients::table.find(caller.id).select(api_clients::name).first(conn)?,
    })
}
