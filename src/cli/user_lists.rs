//! `life-rooms user list` and `life-rooms user logins`: which accounts there are, and where one is logged in.

use super::user::{Named, find_account, run_to_end};
use super::{Failure, database};
use crate::audit::{self, Event};
use crate::auth::logins::store::{self as logins, LoginRow};
use crate::clock::Clock;
use crate::config::Settings;
use crate::db::{Conn, Timestamp};
use crate::users::store::{self as users, Overview};

/// More logins than an account ever has.
const ALL: i64 = 1_000;
/// Longer in seconds than any login lasts, so that no setting is needed to list those that haven't ended.
const ANY_IDLE: i64 = 366 * 24 * 3_600;

/// Lists the accounts of everybody who isn't a member. It is nobody's personal record, as in `GET /v1/users`.
pub(super) fn run_list(settings: &Settings) -> Result<(), Failure> {
    let db = database::open_as_it_is(settings)?;
    let rows = run_to_end(db.read(users::overview))?;
    println!("{:<40} {:<8} {:<12} {:<11} ID", "E-MAIL", "ROLE", "STATE", "LAST LOGIN");
    for Overview { id, email, role, disabled, has_password, last_login_on } in rows {
        let state = match (disabled, has_password) {
            (true, _) => "disabled",
            (false, false) => "no password",
            (false, true) => "enabled",
        };
        let last = last_login_on.map_or_else(|| "never".to_owned(), |day| day.to_string());
        println!("{email:<40} {:<8} {state:<12} {last:<11} {id}", role.to_string());
    }
    Ok(())
}

/// Lists the logins of one account that haven't ended. A member reads in their access log that somebody looked.
pub(super) fn run_logins(command: &Named) -> Result<(), Failure> {
    let (clock, email) = (Clock::system(), command.email.clone());
    let db = database::open_as_it_is(&command.settings)?;
    let rows: Vec<LoginRow> = run_to_end(db.write(move |conn: &mut Conn| {
        let account = find_account(conn, &email)?;
        audit::record(conn, &[Event::by_system(&clock, "read", account.subject(), &["logins"])])?;
        logins::list(conn, account.id, (None, ALL), ANY_IDLE, clock.now())
    }))?;
    if rows.is_empty() {
        println!("{} isn't logged in anywhere.", command.email);
        return Ok(());
    }
    println!("{:<20} {:<20} {:<20} {:<26} CLIENT", "BEGAN", "LAST USED", "ENDS BY", "NETWORK");
    for row in rows {
        let [began, used, ends] = [row.created_at, row.last_used_at, row.expires_at].map(second);
        let (network, client) = (row.network.unwrap_or_default(), row.client_name.unwrap_or_default());
        println!("{began:<20} {used:<20} {ends:<20} {network:<26} {}", printable(&client));
    }
    Ok(())
}

fn second(at: Timestamp) -> String {
    at.0.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What a client calls itself, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}
