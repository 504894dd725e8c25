//! Spaces in the database.

use diesel::prelude::*;

use super::types::Space;
use crate::db::schema::{partners, session_series, sessions, spaces};
use crate::db::{Conn, Id};
use crate::error::{Error, Fault, Kind, Result};
use crate::http::page::Slice;

/// A page of a venue's spaces by name.
pub fn list(conn: &mut Conn, venue_id: Id, slice: &Slice<(String, Id)>) -> Result<Vec<Space>> {
    let mut query = spaces::table.filter(spaces::venue_id.eq(venue_id)).select(Space::as_select()).into_boxed();
    if let Some((name, id)) = &slice.after {
        query = query.filter(spaces::name.gt(name).or(spaces::name.eq(name).and(spaces::id.gt(id))));
    }
    Ok(query.order((spaces::name, spaces::id)).limit(slice.fetch()).load(conn)?)
}

/// One space of a venue.
///
/// # Errors
/// 404 if the venue has no such space.
pub fn get(conn: &mut Conn, venue_id: Id, id: Id) -> Result<Space> {
    let own = spaces::table.find(id).filter(spaces::venue_id.eq(venue_id));
    let row = own.select(Space::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("space"))
}

/// Adds a space.
///
/// # Errors
/// 409 if the venue already has a space of this name; 422 if it is kept for a partner that doesn't exist.
pub fn insert(conn: &mut Conn, row: &Space) -> Result<()> {
    check_partners(conn, &row.written.kept_for.0)?;
    diesel::insert_into(spaces::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a space over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the venue already has a space of this name; 422 if it is kept
/// for a partner that doesn't exist.
pub fn update(conn: &mut Conn, row: &Space) -> Result<()> {
    check_partners(conn, &row.written.kept_for.0)?;
    crate::write_next!(conn, spaces, row)
}

/// Checks that these partners exist. No partner is ever deleted.
fn check_partners(conn: &mut Conn, ids: &[Id]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let known: Vec<Id> = partners::table.filter(partners::id.eq_any(ids)).select(partners::id).load(conn)?;
    let unknown = ids.iter().enumerate().filter(|(_, id)| !known.contains(id));
    let fault = |(at, _)| Fault::at(format!("/kept_for/{at}"), "unknown_partner", "There is no such partner.");
    let faults: Vec<Fault> = unknown.map(fault).collect();
    Error::unless_none(faults)
}

/// Removes a space.
///
/// # Errors
/// 409 if sessions or series take place in it.
pub fn delete(conn: &mut Conn, id: Id) -> Result<()> {
    use diesel::dsl::{exists, select};
    // A session that is just being created holds a lock on the space: wait for it, then look. SQLite has one writer.
    if let Conn::Postgres(postgres) = conn {
        spaces::table.find(id).select(spaces::id).for_update().first::<Id>(postgres).optional()?;
    }
    let used: bool = select(
        exists(sessions::table.filter(sessions::space_id.eq(id)))
            .or(exists(session_series::table.filter(session_series::space_id.eq(id)))),
    )
    .get_result(conn)?;
    if used {
        return Err(Error::new(Kind::InUse, "Sessions take place in this space, so it can't be deleted."));
    }
    diesel::delete(spaces::table.find(id)).execute(conn)?;
    Ok(())
}
