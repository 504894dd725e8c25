//! Links in the database.

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::{Purpose, not_valid};
use crate::auth::caller::Role;
use crate::db::schema::{messages, one_time_links, users};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Result};

/// For how many seconds a link is kept after its end, so that its use can be explained.
const KEPT: i64 = 7 * 24 * 3600;
/// How many links the housekeeping deletes in one transaction.
const PIECE: i64 = 500;

/// A row of `one_time_links`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = one_time_links, treat_none_as_default_value = false)]
pub struct LinkRow {
    /// Its id.
    pub id: Id,
    /// What it is for.
    pub purpose: Purpose,
    /// The account whose link it is; none where the account isn't known yet.
    pub user_id: Option<Id>,
    /// The member whose link it is.
    pub member_id: Option<Id>,
    /// The address of the account that it is for, in lower case.
    pub email: Option<String>,
    /// What somebody wrote who registers.
    pub form: Option<Json<Value>>,
    /// The account that made it; none if a stranger asked for it.
    pub created_by: Option<Id>,
    /// How often it was tried with a wrong answer.
    pub tries: i32,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl LinkRow {
    /// A new link that belongs to nobody yet.
    pub fn new(id: Id, purpose: Purpose, now: Timestamp) -> Self {
        Self {
            id,
            purpose,
            user_id: None,
            member_id: None,
            email: None,
            form: None,
            created_by: None,
            tries: 0,
            expires_at: now.plus_seconds(purpose.lifetime()),
            used_at: None,
            revoked_at: None,
            created_at: now,
        }
    }

    /// A new link for the account with this address.
    pub fn to(id: Id, purpose: Purpose, email: &str, now: Timestamp) -> Self {
        Self { email: Some(email.to_lowercase()), ..Self::new(id, purpose, now) }
    }

    /// The same, with what somebody wrote.
    ///
    /// # Errors
    /// 500 if it can't be stored.
    pub fn with_form(self, form: &impl Serialize) -> Result<Self> {
        Ok(Self { form: Some(Json(serde_json::to_value(form).map_err(Error::internal)?)), ..self })
    }

    /// Whether it was neither used nor taken back, and hasn't expired.
    fn works(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && self.revoked_at.is_none() && self.expires_at > now
    }
}

/// Adds a link.
pub fn insert(conn: &mut Conn, row: &LinkRow) -> Result<()> {
    diesel::insert_into(one_time_links::table).values(row).execute(conn)?;
    Ok(())
}

/// Whether whoever made a link may still make it. They may have seen it, and would open an account with it that they have
/// no right to any more. A link that a stranger asked for was made by nobody.
fn maker_stands(conn: &mut Conn, link: &LinkRow) -> Result<bool> {
    let Some(maker) = link.created_by else { return Ok(true) };
    let maker = users::table.find(maker).filter(users::disabled.eq(false));
    // Advisors invite members, and admins invite everybody else and send links to other passwords. Whoever changes their
    // address has made the link for themselves.
    let role = if link.member_id.is_some() { Role::Advisor } else { Role::Admin };
    let has_role = users::role.eq(role).or(users::id.nullable().eq(link.user_id).assume_not_null());
    Ok(select(exists(maker.filter(has_role))).get_result(conn)?)
}

/// Whether a link can be used now.
pub fn is_usable(conn: &mut Conn, link: &LinkRow, now: Timestamp) -> Result<bool> {
    Ok(link.works(now) && maker_stands(conn, link)?)
}

/// The link of this purpose, if it can be used now.
///
/// # Errors
/// 422 `link-not-valid` if it can't be used.
pub fn usable(conn: &mut Conn, purpose: Purpose, id: Id, now: Timestamp) -> Result<LinkRow> {
    let link = find(conn, purpose, id)?.ok_or_else(not_valid)?;
    if is_usable(conn, &link, now)? { Ok(link) } else { Err(not_valid()) }
}

/// The link with this id, whatever it is for.
pub fn get(conn: &mut Conn, id: Id) -> Result<Option<LinkRow>> {
    Ok(one_time_links::table.find(id).select(LinkRow::as_select()).first(conn).optional()?)
}

/// The link of this purpose, whether or not it can still be used.
pub fn find(conn: &mut Conn, purpose: Purpose, id: Id) -> Result<Option<LinkRow>> {
    Ok(get(conn, id)?.filter(|link| link.purpose == purpose))
}

/// The first `many` links of a member behind this one, newest first.
pub fn of_member(
    conn: &mut Conn,
    purpose: Purpose,
    member_id: Id,
    after: Option<Id>,
    many: i64,
) -> Result<Vec<LinkRow>> {
    let mut query = one_time_links::table
        .filter(one_time_links::member_id.eq(member_id))
        .filter(one_time_links::purpose.eq(purpose))
        .select(LinkRow::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(one_time_links::id.lt(after));
    }
    Ok(query.order(one_time_links::id.desc()).limit(many).load(conn)?)
}

/// Uses a link up, in the transaction of its effect. Only one of two requests at the same time can. What somebody wrote
/// with it goes.
///
/// # Errors
/// 422 `link-not-valid` if it can't be used any more.
pub fn use_up(conn: &mut Conn, link: &LinkRow, now: Timestamp) -> Result<()> {
    if !maker_stands(conn, link)? {
        return Err(not_valid());
    }
    let unused = one_time_links::table
        .find(link.id)
        .filter(one_time_links::used_at.is_null())
        .filter(one_time_links::revoked_at.is_null())
        .filter(one_time_links::expires_at.gt(now));
    // The record has now what somebody wrote who registers.
    let used = (one_time_links::used_at.eq(now), one_time_links::form.eq(None::<Json<Value>>));
    match diesel::update(unused).set(used).execute(conn)? {
        1 => Ok(()),
        _ => Err(not_valid()),
    }
}

/// Takes back every other link of this purpose that was sent to this address, or for the same account or member.
pub fn revoke_others(conn: &mut Conn, link: &LinkRow, now: Timestamp) -> Result<()> {
    // What is null is equal to nothing.
    let of_account = one_time_links::user_id.eq(link.user_id).or(one_time_links::member_id.eq(link.member_id));
    let others = one_time_links::table
        .filter(one_time_links::email.eq(&link.email).or(of_account).assume_not_null())
        .filter(one_time_links::purpose.eq(link.purpose))
        .filter(one_time_links::used_at.is_null())
        .filter(one_time_links::revoked_at.is_null());
    diesel::update(others).set(one_time_links::revoked_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Takes back what was made for an account as it was: its own links, and those for another password that were sent to its
/// address.
pub fn revoke_of_account(conn: &mut Conn, (id, email): (Id, &str), purposes: &[Purpose], now: Timestamp) -> Result<()> {
    let to_address = one_time_links::purpose.eq(Purpose::PasswordReset).and(one_time_links::email.eq(email));
    let open = one_time_links::table
        .filter(one_time_links::user_id.eq(id).or(to_address).assume_not_null())
        .filter(one_time_links::purpose.eq_any(purposes))
        .filter(one_time_links::used_at.is_null())
        .filter(one_time_links::revoked_at.is_null());
    diesel::update(open).set(one_time_links::revoked_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Takes a link back. Returns whether it could still be used.
pub fn revoke(conn: &mut Conn, id: Id, now: Timestamp) -> Result<bool> {
    let open = one_time_links::table
        .find(id)
        .filter(one_time_links::used_at.is_null())
        .filter(one_time_links::revoked_at.is_null());
    Ok(diesel::update(open).set(one_time_links::revoked_at.eq(now)).execute(conn)? == 1)
}

/// Locks a link until the transaction ends.
pub fn lock(conn: &mut Conn, id: Id) -> Result<()> {
    crate::lock_rows!(conn, one_time_links, [id]);
    Ok(())
}

/// Counts a wrong answer. After `most` of them the link is taken back.
pub fn miss(conn: &mut Conn, id: Id, most: i32, now: Timestamp) -> Result<()> {
    let row = one_time_links::table.find(id);
    diesel::update(row).set(one_time_links::tries.eq(one_time_links::tries + 1)).execute(conn)?;
    let spent = row.filter(one_time_links::tries.ge(most)).filter(one_time_links::revoked_at.is_null());
    diesel::update(spent).set(one_time_links::revoked_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Links that are kept for too long. A registration that nobody finished goes when its link ends, because it holds what
/// somebody wrote about themselves.
macro_rules! old {
    ($now:expr) => {{
        let unfinished = one_time_links::purpose.eq(Purpose::Registration).and(one_time_links::used_at.is_null());
        one_time_links::table
            .filter(one_time_links::expires_at.le($now))
            .filter(one_time_links::expires_at.le($now.plus_seconds(-KEPT)).or(unfinished))
    }};
}

/// Whether links are kept for too long.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(old!(now))).get_result(conn)?)
}

/// Deletes some old links, with the messages that only they name, and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let ids: Vec<Id> =
        old!(now).order(one_time_links::expires_at).limit(PIECE).select(one_time_links::id).load(conn)?;
    delete(conn, &ids)
}

/// Deletes links, with the messages that only they name.
pub fn delete(conn: &mut Conn, ids: &[Id]) -> Result<usize> {
    let its = || messages::table.filter(messages::link_id.eq_any(ids));
    let nobodys = messages::member_id.is_null().and(messages::user_id.is_null());
    diesel::delete(its().filter(nobodys)).execute(conn)?;
    diesel::update(its()).set(messages::link_id.eq(None::<Id>)).execute(conn)?;
    Ok(diesel::delete(one_time_links::table.filter(one_time_links::id.eq_any(ids))).execute(conn)?)
}
