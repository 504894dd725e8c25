//! New sessions of a large roster on their way to SQLite's one writer.
//!
//! Everybody's writes wait for this writer. To bind the values of 32,000 sessions takes it longer than to copy the rows.
//! So the values come in pieces, into a temporary table of the writer's connection, which nobody else can see. The
//! transaction that applies the roster copies them. The table is gone with its connection: a roster whose sessions aren't
//! all there is written as others are. On PostgreSQL nobody waits, and nothing is staged.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::bulk;
use super::row::{Column, SessionRow};
use crate::clock::first_id_at;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// How long sessions are staged at most, in seconds: those whose roster was given up are deleted by a later one.
const LONGEST: i64 = 600;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// An id as SQL has it.
fn literal(id: Id) -> String {
    format!("x'{}'", id.0.simple())
}

/// Makes the table, unless this connection has it.
fn make_table(sqlite: &mut SqliteConnection) -> QueryResult<()> {
    let names = bulk::names(Column::ALL);
    sqlite.batch_execute(&format!("CREATE TEMP TABLE IF NOT EXISTS staged_sessions (roster_id, {names})"))
}

/// Deletes what rosters that were given up have left, before another is staged.
pub fn tidy(conn: &mut Conn, now: Timestamp) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Ok(()) };
    Ok(delete(sqlite, "<", first_id_at(now.plus_seconds(-LONGEST)))?)
}

/// Stages some sessions of a roster.
pub fn stage(conn: &mut Conn, roster_id: Id, rows: &[SessionRow]) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Ok(()) };
    make_table(sqlite)?;
    let roster = literal(roster_id);
    let into = |rows| format!("INSERT INTO temp.staged_sessions SELECT {roster}, * FROM ({rows})");
    Ok(bulk::insert_each(conn, rows, into)?)
}

/// Adds the new sessions of a roster: copies them if all of them are staged.
///
/// # Errors
/// 409 if the partner has another of the same `external_id`.
pub fn insert(conn: &mut Conn, roster_id: Id, rows: &[SessionRow]) -> Result<()> {
    if let Conn::Sqlite(sqlite) = conn {
        make_table(sqlite)?;
        let staged = format!("FROM temp.staged_sessions WHERE roster_id = {}", literal(roster_id));
        let count: Count = diesel::sql_query(format!("SELECT count(*) AS many {staged}")).get_result(sqlite)?;
        if usize::try_from(count.many) == Ok(rows.len()) {
            let names = bulk::names(Column::ALL);
            sqlite.batch_execute(&format!("INSERT INTO sessions ({names}) SELECT {names} {staged}"))?;
            return Ok(());
        }
    }
    super::store::insert_many(conn, rows)
}

/// Deletes what is staged of a roster.
pub fn forget(conn: &mut Conn, roster_id: Id) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Ok(()) };
    Ok(delete(sqlite, "=", roster_id)?)
}

/// Deletes what is staged of the rosters whose id compares so with this one.
fn delete(sqlite: &mut SqliteConnection, comparison: &str, id: Id) -> QueryResult<()> {
    make_table(sqlite)?;
    sqlite.batch_execute(&format!("DELETE FROM temp.staged_sessions WHERE roster_id {comparison} {}", literal(id)))
}
