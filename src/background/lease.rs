//! Leases: they make sure that only one server at a time does a task.

use diesel::prelude::*;

use crate::db::schema::leases;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::per_backend;

/// Takes a lease if nobody has it or if it has run out. Returns whether the lease was taken.
pub(super) fn take(conn: &mut Conn, name: &str, holder: Id, now: Timestamp, until: Timestamp) -> Result<bool> {
    let row = (leases::name.eq(name), leases::holder.eq(holder), leases::expires_at.eq(until));
    // The common connection type has no ON CONFLICT.
    let new = per_backend!(conn, |inner| diesel::insert_into(leases::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(inner))?;
    if new == 1 {
        return Ok(true);
    }
    let free = leases::table.find(name).filter(leases::expires_at.le(now));
    let taken = diesel::update(free).set((leases::holder.eq(holder), leases::expires_at.eq(until))).execute(conn)?;
    Ok(taken == 1)
}

/// Gives a lease back, unless it has run out and another server has taken it.
pub(super) fn give_back(conn: &mut Conn, name: &str, holder: Id) -> Result<()> {
    diesel::delete(leases::table.find(name).filter(leases::holder.eq(holder))).execute(conn)?;
    Ok(())
}
