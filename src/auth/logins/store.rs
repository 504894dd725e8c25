//! Logins in the database.
//!
//! Whoever writes logins and their account locks the account first. So a login that was being made while the account's
//! logins were ended is either ended with them, or isn't made.

use diesel::prelude::*;

use super::Why;
use super::rules::{Family, outlived};
use crate::auth::store::Account;
use crate::config::Lifetime;
use crate::db::schema::{logins, partners, users};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// For how many seconds a login is kept after its end, and its network is known after its last use.
const KEPT: i64 = 90 * 24 * 3600;
/// How many logins the housekeeping deletes in one transaction.
const PIECE: i64 = 500;

/// A row of `logins`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = logins)]
pub struct LoginRow {
    /// Its id.
    pub id: Id,
    /// The account.
    pub user_id: Id,
    /// The random part of the message that the MACs of its tokens are made of.
    pub nonce: Vec<u8>,
    /// The number of the newest token.
    pub counter: i32,
    /// Whether its tokens are set as a cookie.
    pub by_cookie: bool,
    /// What the client calls itself.
    pub client_name: Option<String>,
    /// The network that it was made from.
    pub network: Option<String>,
    /// When the newest token was made.
    pub rotated_at: Timestamp,
    /// When it was last refreshed, or began.
    pub last_used_at: Timestamp,
    /// When it can no longer be used, however often it is refreshed.
    pub expires_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub ended_why: Option<Why>,
    /// When it began.
    pub created_at: Timestamp,
}

impl LoginRow {
    /// What decides about its tokens.
    pub fn family(&self) -> Family {
        Family {
            newest: self.counter,
            rotated_at: self.rotated_at,
            last_used_at: self.last_used_at,
            expires_at: self.expires_at,
            ended: self.ended_at.is_some(),
        }
    }
}

/// A login with its account, and whether the account's partner is active. An account without a partner counts as one of
/// an active partner.
pub type Found = (LoginRow, Account, bool);

/// Remembers that an account was used from a network: a login that has ended at once.
pub fn remember_network(conn: &mut Conn, id: Id, user_id: Id, network: String, now: Timestamp) -> Result<()> {
    let row = LoginRow {
        id,
        user_id,
        nonce: Vec::new(),
        counter: 1,
        by_cookie: false,
        client_name: None,
        network: Some(network),
        rotated_at: now,
        last_used_at: now,
        expires_at: now,
        ended_at: Some(now),
        ended_why: Some(Why::Password),
        created_at: now,
    };
    diesel::insert_into(logins::table).values(&row).execute(conn)?;
    Ok(())
}

/// The login with this id.
pub fn find(conn: &mut Conn, id: Id) -> Result<Option<Found>> {
    let row: Option<(LoginRow, Account, Option<String>)> = logins::table
        .inner_join(users::table.left_join(partners::table))
        .filter(logins::id.eq(id))
        .select((LoginRow::as_select(), Account::as_select(), partners::status.nullable()))
        .first(conn)
        .optional()?;
    Ok(row.map(|(login, account, partner)| (login, account, partner.is_none_or(|status| status == "active"))))
}

/// Whether the account has used a login lately that began in this network.
pub fn is_known(conn: &mut Conn, user_id: Id, network: &str, now: Timestamp) -> Result<bool> {
    let own = logins::table.filter(logins::user_id.eq(user_id)).filter(logins::network.eq(network));
    let used = own.filter(logins::last_used_at.ge(now.plus_seconds(-KEPT)));
    Ok(diesel::select(diesel::dsl::exists(used)).get_result(conn)?)
}

/// Adds a login of an account that is locked, and unlocks the account for other networks. Ends the account's logins that
/// can't be used any more, and the one used longest ago if there would be too many. Returns whether it ended one that
/// could still be used.
pub fn insert(conn: &mut Conn, row: &LoginRow, lifetime: Lifetime) -> Result<bool> {
    let now = row.created_at;
    let known: Vec<LoginRow> = open(row.user_id).select(LoginRow::as_select()).load(conn)?;
    let ending = outlived(known.iter().map(|login| (login.id, login.family())).collect(), lifetime, now);
    for (id, why) in &ending {
        end(conn, *id, *why, now)?;
    }
    diesel::insert_into(logins::table).values(row).execute(conn)?;
    let failed = users::table.find(row.user_id).filter(users::failed_logins.gt(0));
    diesel::update(failed).set(users::failed_logins.eq(0)).execute(conn)?;
    Ok(ending.iter().any(|(_, why)| *why == Why::Evicted))
}

/// Counts a login up to its next token. Returns whether it did: it doesn't if the token with this number is no longer
/// the newest, or if the login can't be used any more.
pub fn rotate(conn: &mut Conn, id: Id, counter: i32, idle: i64, now: Timestamp) -> Result<bool> {
    let newest = logins::table.find(id).filter(logins::counter.eq(counter)).filter(logins::ended_at.is_null());
    let live = newest.filter(logins::expires_at.gt(now)).filter(logins::last_used_at.gt(now.plus_seconds(-idle)));
    let changes = (logins::counter.eq(logins::counter + 1), logins::rotated_at.eq(now), logins::last_used_at.eq(now));
    Ok(diesel::update(live).set(changes).execute(conn)? == 1)
}

/// Ends a login. Returns whether it hadn't ended before.
pub fn end(conn: &mut Conn, id: Id, why: Why, now: Timestamp) -> Result<bool> {
    let open = logins::table.find(id).filter(logins::ended_at.is_null());
    Ok(diesel::update(open).set(ending(why, now)).execute(conn)? == 1)
}

/// Ends every login of an account. Returns whether there were any. The account must be locked, for instance because it
/// was changed in this transaction.
pub fn end_all(conn: &mut Conn, user_id: Id, why: Why, now: Timestamp) -> Result<bool> {
    Ok(diesel::update(open(user_id)).set(ending(why, now)).execute(conn)? > 0)
}

/// The changes of an account all of whose tokens end: they are of the generation before.
pub(in crate::auth) fn next_generation(
    now: Timestamp,
) -> (
    diesel::dsl::Eq<users::generation, <users::generation as std::ops::Add<i32>>::Output>,
    diesel::dsl::Eq<users::version, <users::version as std::ops::Add<i32>>::Output>,
    diesel::dsl::Eq<users::updated_at, Timestamp>,
) {
    (users::generation.eq(users::generation + 1), users::version.eq(users::version + 1), users::updated_at.eq(now))
}

/// Ends every login of every account, and every token. Returns the accounts that had logins, with
/// their members.
pub fn end_everybodys(conn: &mut Conn, why: Why, now: Timestamp) -> Result<Vec<(Id, Option<Id>)>> {
    let live = logins::table.filter(logins::ended_at.is_null());
    let accounts = live.inner_join(users::table).select((users::id, users::member_id)).distinct().load(conn)?;
    diesel::update(live).set(ending(why, now)).execute(conn)?;
    diesel::update(users::table).set(next_generation(now)).execute(conn)?;
    Ok(accounts)
}

fn ending(
    why: Why,
    now: Timestamp,
) -> (
    diesel::dsl::Eq<logins::ended_at, Timestamp>,
    diesel::dsl::Eq<logins::ended_why, Why>,
    diesel::dsl::Eq<logins::expires_at, Timestamp>,
) {
    (logins::ended_at.eq(now), logins::ended_why.eq(why), logins::expires_at.eq(now))
}

/// The logins of an account that haven't ended.
#[diesel::dsl::auto_type]
fn open(user_id: Id) -> _ {
    logins::table.filter(logins::user_id.eq(user_id)).filter(logins::ended_at.is_null())
}

/// A page of the logins of an account that can be used now, in the order in which they began.
pub fn list(
    conn: &mut Conn,
    user_id: Id,
    (after, limit): (Option<Id>, i64),
    idle: i64,
    now: Timestamp,
) -> Result<Vec<LoginRow>> {
    let live = open(user_id)
        .filter(logins::expires_at.gt(now))
        .filter(logins::last_used_at.gt(now.plus_seconds(-idle)))
        .select(LoginRow::as_select());
    let mut query = live.into_boxed();
    if let Some(id) = after {
        query = query.filter(logins::id.gt(id));
    }
    Ok(query.order(logins::id).limit(limit).load(conn)?)
}

/// Whether the account has had this login.
pub fn is_of(conn: &mut Conn, id: Id, user_id: Id) -> Result<bool> {
    let own = logins::table.find(id).filter(logins::user_id.eq(user_id));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(conn)?)
}

/// Whether there are logins that are kept no longer.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let old = logins::table.filter(logins::expires_at.le(now.plus_seconds(-KEPT)));
    Ok(diesel::select(diesel::dsl::exists(old)).get_result(conn)?)
}

/// Deletes some logins that are kept no longer and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let old = logins::table.filter(logins::expires_at.le(now.plus_seconds(-KEPT)));
    let ids: Vec<Id> = old.order(logins::expires_at).limit(PIECE).select(logins::id).load(conn)?;
    Ok(diesel::delete(logins::table.filter(logins::id.eq_any(&ids))).execute(conn)?)
}
