//! Programmes in the database.

use diesel::prelude::*;

use super::types::Programme;
use crate::db::schema::programmes;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// A page of a partner's programmes by name.
pub fn list(conn: &mut Conn, partner_id: Id, slice: &Slice<(String, Id)>) -> Result<Vec<Programme>> {
    let mut query =
        programmes::table.filter(programmes::partner_id.eq(partner_id)).select(Programme::as_select()).into_boxed();
    if let Some((name, id)) = &slice.after {
        query = query.filter(programmes::name.gt(name).or(programmes::name.eq(name).and(programmes::id.gt(id))));
    }
    Ok(query.order((programmes::name, programmes::id)).limit(slice.fetch()).load(conn)?)
}

/// One programme of a partner.
///
/// # Errors
/// 404 if the partner has no such programme.
pub fn get(conn: &mut Conn, partner_id: Id, id: Id) -> Result<Programme> {
    let own = programmes::table.find(id).filter(programmes::partner_id.eq(partner_id));
    let row = own.select(Programme::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("programme"))
}

/// Adds a programme.
///
/// # Errors
/// 409 if the partner already has a programme with this slug.
pub fn insert(conn: &mut Conn, row: &Programme) -> Result<()> {
    diesel::insert_into(programmes::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a programme over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the partner already has a programme with this slug.
pub fn update(conn: &mut Conn, row: &Programme) -> Result<()> {
    crate::write_next!(conn, programmes, row)
}
