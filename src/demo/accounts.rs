//! An account for each role, for `serve --demo`.

use diesel::prelude::*;

use crate::auth::caller::Role;
use crate::auth::secret::random_text;
use crate::db::conn::{Purpose, open_sqlite};
use crate::db::schema::{members, partners, users};
use crate::db::{Conn, Id, Json, Location, migrate};
use crate::error::{Error, Result};
use crate::http::state::State;

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
        let (id, now) = (state.clock.new_id(), state.clock.now());
        state
            .db
            .write(move |conn| {
                let (partner_id, member_id) = tied_to(conn, role)?;
                let known = users::table.filter(users::email.eq(&email));
                let renewed = (
                    users::password_hash.eq(Some(&hash)),
                    users::generation.eq(users::generation + 1),
                    users::disabled.eq(false),
                    users::updated_at.eq(now),
                );
                if diesel::update(known).set(renewed).execute(conn)? > 0 {
                    return Ok(());
                }
                let made = (
                    users::id.eq(id),
                    users::email.eq(&email),
                    users::password_hash.eq(Some(&hash)),
                    users::role.eq(role),
                    users::partner_id.eq(partner_id),
                    users::member_id.eq(member_id),
                    users::disabled.eq(false),
                    users::permissions.eq(Json(Vec::<String>::new())),
                    users::generation.eq(1),
                    users::version.eq(1),
                    users::created_at.eq(now),
                    users::updated_at.eq(now),
                );
                diesel::insert_into(users::table).values(made).execute(conn)?;
                Ok(())
            })
            .await?;
        accounts.push(account);
    }
    Ok(accounts)
}

/// Whether the demo's own database is complete. The accounts are made last.
///
/// # Errors
/// What the database says.
pub fn is_whole(location: &Location) -> Result<bool> {
    migrate::run(location)?;
    let Location::Sqlite(path) = location else { return Ok(true) };
    let mut conn = open_sqlite(path, Purpose::Write)?;
    let accounts: i64 = users::table.count().get_result(&mut conn)?;
    Ok(accounts >= ROLES.len() as i64)
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
