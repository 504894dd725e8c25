//! The networks that an account has logged in from. Strangers' wrong passwords don't keep its owner out there.

use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;

use crate::clock::london_day;
use crate::db::schema::known_networks;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::per_backend;

/// How many days a network stays known after the last login.
const DAYS: i64 = 90;

/// The first day whose logins still count.
fn since(now: Timestamp) -> NaiveDate {
    london_day(now) - TimeDelta::days(DAYS)
}

/// When the account last logged in from this network, if the network is still known.
pub fn last_seen(conn: &mut Conn, user_id: Id, network: &str, now: Timestamp) -> Result<Option<NaiveDate>> {
    let row = known_networks::table.find((user_id, network)).filter(known_networks::last_seen_on.ge(since(now)));
    Ok(row.select(known_networks::last_seen_on).first(conn).optional()?)
}

/// Keeps that the account has logged in from this network today.
pub fn see(conn: &mut Conn, user_id: Id, network: &str, now: Timestamp) -> Result<()> {
    let today = known_networks::last_seen_on.eq(london_day(now));
    let row = (known_networks::user_id.eq(user_id), known_networks::network.eq(network), today);
    // The common connection type has no ON CONFLICT.
    per_backend!(conn, |inner| diesel::insert_into(known_networks::table)
        .values(row)
        .on_conflict((known_networks::user_id, known_networks::network))
        .do_update()
        .set(today)
        .execute(inner))?;
    Ok(())
}

/// How many rows the housekeeping deletes in one transaction.
const PIECE: i64 = 500;

/// Whether there are networks that are no longer known.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let old = known_networks::table.filter(known_networks::last_seen_on.lt(since(now)));
    Ok(diesel::select(diesel::dsl::exists(old)).get_result(conn)?)
}

/// Deletes some networks that are no longer known and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let old = known_networks::table.filter(known_networks::last_seen_on.lt(since(now)));
    let names: Vec<String> =
        old.order(known_networks::last_seen_on).limit(PIECE).select(known_networks::network).load(conn)?;
    Ok(diesel::delete(old.filter(known_networks::network.eq_any(&names))).execute(conn)?)
}
