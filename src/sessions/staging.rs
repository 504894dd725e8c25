//! The sessions that a large roster writes, on their way to SQLite's one writer.
//!
//! Everybody's writes wait for this writer. To bind the values of 32,000 sessions takes it longer than to copy the rows, and
//! a statement for each five hundred keeps a copy of each page that it changes. So the values come in pieces, into a
//! temporary table of the writer's connection, which nobody else can see. The transaction that applies the roster copies
//! them in one statement. The table is gone with its connection: a roster whose sessions aren't all there is written as
//! others are. On PostgreSQL nobody waits, and nothing is staged.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::bulk;
use super::row::{Column, Revision, SessionRow};
use super::series_listings;
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

/// What `changed` says of a new session. Of another it names the columns that change.
const NEW: &str = "";

/// Makes the table, unless this connection has it.
fn make_table(sqlite: &mut SqliteConnection) -> QueryResult<()> {
    let names = bulk::names(Column::ALL);
    sqlite.batch_execute(&format!("CREATE TEMP TABLE IF NOT EXISTS staged_sessions (roster_id, changed, {names})"))
}

/// Deletes what rosters that were given up have left, before another is staged.
pub fn tidy(conn: &mut Conn, now: Timestamp) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Ok(()) };
    Ok(delete(sqlite, "<", first_id_at(now.plus_seconds(-LONGEST)))?)
}

/// Stages some new sessions of a roster.
pub fn stage_new(conn: &mut Conn, roster_id: Id, rows: &[SessionRow]) -> Result<()> {
    stage(conn, roster_id, NEW, Column::ALL, &rows.iter().collect::<Vec<_>>())
}

/// Stages some sessions that a roster changes.
pub fn stage_changed(conn: &mut Conn, roster_id: Id, revisions: &[Revision]) -> Result<()> {
    bulk::alike(revisions)
        .into_iter()
        .try_for_each(|(changed, rows)| stage(conn, roster_id, &bulk::names(&changed), &bulk::with_id(&changed), &rows))
}

fn stage(conn: &mut Conn, roster_id: Id, changed: &str, columns: &[Column], rows: &[&SessionRow]) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Ok(()) };
    make_table(sqlite)?;
    let (roster, names) = (literal(roster_id), bulk::names(columns));
    let into = |rows| {
        format!(
            "INSERT INTO temp.staged_sessions (roster_id, changed, {names}) SELECT {roster}, '{changed}', * FROM ({rows})"
        )
    };
    Ok(bulk::insert_each(conn, columns, rows, into)?)
}

/// Adds the new sessions of a roster: copies them if all of them are staged.
///
/// # Errors
/// 409 if the partner has another of the same `external_id`.
pub fn insert(conn: &mut Conn, roster_id: Id, rows: &[SessionRow]) -> Result<()> {
    if let Conn::Sqlite(sqlite) = conn
        && is_staged(sqlite, roster_id, "=", rows.len())?
    {
        let names = bulk::names(Column::ALL);
        let staged = format!("SELECT {names} FROM temp.staged_sessions WHERE {}", of(roster_id, NEW));
        sqlite.batch_execute(&format!("INSERT INTO sessions ({names}) {staged}"))?;
        return series_listings::add(conn, rows);
    }
    super::store::insert_many(conn, rows)
}

/// Writes the sessions that a roster changes: copies what differs if all of them are staged.
///
/// # Errors
/// As [`super::store::update_many`].
pub fn update(conn: &mut Conn, roster_id: Id, revisions: &[Revision]) -> Result<()> {
    if let Conn::Sqlite(sqlite) = conn
        && is_staged(sqlite, roster_id, "<>", revisions.len())?
    {
        super::store::all_written(update_staged(sqlite, roster_id, revisions), revisions)?;
        return series_listings::add(conn, super::store::relisted(revisions));
    }
    super::store::update_many(conn, revisions)
}

fn update_staged(sqlite: &mut SqliteConnection, roster_id: Id, revisions: &[Revision]) -> QueryResult<usize> {
    let mut written = 0;
    for changed in bulk::alike(revisions).into_keys() {
        let staged = of(roster_id, &bulk::names(&changed));
        let from = format!("(SELECT * FROM temp.staged_sessions WHERE {staged}) AS n");
        written += diesel::sql_query(bulk::update_from(&changed, &from, "+n.id")).execute(sqlite)?;
    }
    Ok(written)
}

/// Whether so many sessions of a roster are staged, of those whose `changed` compares so with that of new ones.
fn is_staged(sqlite: &mut SqliteConnection, roster_id: Id, comparison: &str, many: usize) -> QueryResult<bool> {
    make_table(sqlite)?;
    let (roster, staged) = (literal(roster_id), "SELECT count(*) AS many FROM temp.staged_sessions");
    let count = format!("{staged} WHERE roster_id = {roster} AND changed {comparison} '{NEW}'");
    let count: Count = diesel::sql_query(count).get_result(sqlite)?;
    Ok(many > 0 && usize::try_from(count.many) == Ok(many))
}

/// The condition on what is staged of a roster with this `changed`.
fn of(roster_id: Id, changed: &str) -> String {
    format!("roster_id = {} AND changed = '{changed}'", literal(roster_id))
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
