//! An account for each role, for `serve --demo`.

use diesel::prelude::*;
use serde_json::json;

use super::written;
use crate::auth::caller::Role;
use crate::auth::secret::random_text;
use crate::auth::store as auth_store;
use crate::db::conn::{Purpose, open_sqlite};
use crate::db::schema::{members, partners, users};
use crate::db::{Conn, Id, Location, migrate};
use crate::error::{Error, Result};
use crate::http::state::State;
use crate::users::store::{self as user_store, UserRow};

/// An account of the demo, and its new password.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its role.
    pub role: Role,
    /// The e-mail address to log in with.
    pub email: String,
    /// The password. It is shown only this once.
    pub password: String,
}

const ROLES: [Role; 5] = [Role::Admin, Role::Advisor, Role::Analyst, Role::Member, Role::Partner];

/// Creates an account for each role. Accounts that exist already get new passwords.
///
/// # Errors
/// What the database says; 500 if the demo's data is missing.
pub async fn make_accounts(state: &State) -> Result<Vec<Account>> {
    let mut accounts = Vec::new();
    for role in ROLES {
        let email = format!("{role}@example.org");
        let password = random_text(12)?;
        let hash = state.hasher.hash(password.clone()).await?;
        let account = Account { role, email: email.clone(), password };
        let (id, now, throttle) = (state.clock.new_id(), state.clock.now(), state.throttle.clone());
        state
            .db
            .write(move |conn| {
                let (partner_id, member_id) = tied_to(conn, role)?;
                if let Some(known) = auth_store::account_by_email(conn, &email)? {
                    return auth_store::set_password(conn, Some(&throttle), &known, &hash, now).map(drop);
                }
                let display_name = (role == Role::Advisor).then_some("Dana P.");
                let user =
                    json!({ "email": email, "display_name": display_name, "role": role, "partner_id": partner_id });
                let row = UserRow::new(id, written(user)?, member_id, Some(hash.clone()), now);
                user_store::insert(conn, Some(&throttle), &row)
            })
            .await?;
        accounts.push(account);
    }
    Ok(accounts)
}

/// Whether the demo's own database is complete. The accounts are made last.
pub fn is_whole(location: &Location) -> Result<bool> {
    migrate::run(location)?;
    let Location::Sqlite(path) = location else { return Ok(true) };
    let mut conn = open_sqlite(path, Purpose::Write)?;
    let last = ROLES.last().copied().unwrap_or(Role::Partner);
    Ok(diesel::select(diesel::dsl::exists(users::table.filter(users::role.eq(last)))).get_result(&mut conn)?)
}

/// The partner or the member that an account with this role belongs to.
fn tied_to(conn: &mut Conn, role: Role) -> Result<(Option<Id>, Option<Id>)> {
    let missing = |_| Error::internal("the demo's database isn't filled");
    match role {
        Role::Partner => {
            let reader = partners::table.filter(partners::slug.eq("the-reader")).select(partners::id);
            Ok((Some(reader.first(conn).map_err(missing)?), None))
        }
        Role::Member => {
            let first = members::table.order(members::id).select(members::id);
            Ok((None, Some(first.first(conn).map_err(missing)?)))
        }
        Role::Admin | Role::Advisor | Role::Analyst => Ok((None, None)),
    }
}
