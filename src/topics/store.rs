//! Topics in the database.

use diesel::prelude::*;

use super::types::Topic;
use crate::db::Conn;
use crate::db::schema::topics;
use crate::error::Result;
use crate::http::page::Slice;
use crate::per_backend;

/// A page of topics by code.
pub fn list(conn: &mut Conn, slice: &Slice<String>) -> Result<Vec<Topic>> {
    let mut query = topics::table.select(Topic::as_select()).into_boxed();
    if let Some(code) = &slice.after {
        query = query.filter(topics::code.gt(code));
    }
    Ok(query.order(topics::code).limit(slice.fetch()).load(conn)?)
}

/// The topic of this code.
pub fn find(conn: &mut Conn, code: &str) -> Result<Option<Topic>> {
    let found = topics::table.filter(topics::code.eq(code)).select(Topic::as_select());
    Ok(found.first(conn).optional()?)
}

/// Adds a topic.
///
/// # Errors
/// 409 if another request added it at the same time.
pub fn insert(conn: &mut Conn, row: &Topic) -> Result<()> {
    diesel::insert_into(topics::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a topic over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &Topic) -> Result<()> {
    crate::write_next!(conn, topics, row)
}

/// The codes of all topics; of those that the service made alone if `made`.
pub(super) fn codes(conn: &mut Conn, made: bool) -> Result<Vec<String>> {
    let all = topics::table.select(topics::code).into_boxed();
    Ok(if made { all.filter(topics::made.eq(true)) } else { all }.load(conn)?)
}

/// Adds topics that the service made. One that somebody has described meanwhile stays.
pub(super) fn add_made(conn: &mut Conn, rows: &[Topic]) -> Result<()> {
    for row in rows {
        // The common connection type has no ON CONFLICT.
        per_backend!(&mut *conn, |inner| diesel::insert_into(topics::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(inner))?;
    }
    Ok(())
}

/// Takes away topics that the service made.
pub(super) fn remove_made(conn: &mut Conn, codes: &[String]) -> Result<()> {
    diesel::delete(topics::table.filter(topics::made.eq(true)).filter(topics::code.eq_any(codes))).execute(conn)?;
    Ok(())
}
