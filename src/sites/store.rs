//! Sites in the database.

use diesel::prelude::*;

use super::types::Site;
use crate::db::schema::sites;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// A page of sites by name.
pub fn list(conn: &mut Conn, slice: &Slice<(String, Id)>) -> Result<Vec<Site>> {
    let mut query = sites::table.select(Site::as_select()).into_boxed();
    if let Some((name, id)) = &slice.after {
        query = query.filter(sites::name.gt(name).or(sites::name.eq(name).and(sites::id.gt(id))));
    }
    Ok(query.order((sites::name, sites::id)).limit(slice.fetch()).load(conn)?)
}

/// One site.
///
/// # Errors
/// 404 if there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<Site> {
    let row = sites::table.find(id).select(Site::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("site"))
}

/// Locks a site until the transaction ends, so that only one request at a time changes its hostings. SQLite has one
/// writer and needs no lock.
///
/// # Errors
/// 404 if there is none.
pub fn lock(conn: &mut Conn, id: Id) -> Result<()> {
    let found: Option<Id> = match conn {
        Conn::Postgres(postgres) => {
            sites::table.find(id).select(sites::id).for_no_key_update().first(postgres).optional()?
        }
        Conn::Sqlite(sqlite) => sites::table.find(id).select(sites::id).first(sqlite).optional()?,
    };
    found.map(|_| ()).ok_or_else(|| Error::not_found("site"))
}

/// Adds a site.
///
/// # Errors
/// 409 if the slug is taken.
pub fn insert(conn: &mut Conn, row: &Site) -> Result<()> {
    diesel::insert_into(sites::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a site over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the slug is taken.
pub fn update(conn: &mut Conn, row: &Site) -> Result<()> {
    crate::write_next!(conn, sites, row)
}
