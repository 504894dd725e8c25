//! Writing many sessions in one statement: whole new rows, or the columns that change.
//!
//! On PostgreSQL each column is an array. A statement with a value for each cell would be parsed and planned anew for
//! each number of rows, and takes twice as long. SQLite has no arrays.

use std::collections::BTreeMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use super::row::{Column, Revision, SessionRow};
use crate::db::{AT_ONCE, Conn};

/// Adds sessions.
pub(super) fn insert(conn: &mut Conn, rows: &[SessionRow]) -> QueryResult<()> {
    let names = names(Column::ALL);
    let rows: Vec<&SessionRow> = rows.iter().collect();
    insert_each(conn, Column::ALL, &rows, |rows| format!("INSERT INTO sessions ({names}) {rows}"))
}

/// Executes `into` around these columns of these rows.
pub(super) fn insert_each(
    conn: &mut Conn,
    columns: &[Column],
    rows: &[&SessionRow],
    into: impl Fn(String) -> String,
) -> QueryResult<()> {
    rows.chunks(AT_ONCE).try_for_each(|rows| execute(conn, columns, rows, &into).map(drop))
}

/// Writes the next versions of sessions, of each only the columns that differ. A session that is no longer in the version
/// before isn't written. Returns how many were written.
pub(super) fn update(conn: &mut Conn, revisions: &[Revision]) -> QueryResult<usize> {
    // The plus keeps SQLite from reading all sessions and looking each up in the new rows.
    let key = if matches!(conn, Conn::Sqlite(_)) { "+n.id" } else { "n.id" };
    let mut written = 0;
    for (changed, rows) in alike(revisions) {
        let update = update_from(&changed, "n", key);
        let columns = with_id(&changed);
        let names = names(&columns);
        for chunk in rows.chunks(AT_ONCE) {
            written += execute(conn, &columns, chunk, |rows| format!("WITH n ({names}) AS ({rows}) {update}"))?;
        }
    }
    Ok(written)
}

/// The next versions of sessions by the columns that change.
pub(super) fn alike(revisions: &[Revision]) -> BTreeMap<Vec<Column>, Vec<&SessionRow>> {
    let mut alike: BTreeMap<Vec<Column>, Vec<&SessionRow>> = BTreeMap::new();
    for revision in revisions {
        alike.entry(revision.columns()).or_default().push(&revision.to);
    }
    alike
}

/// These columns behind the id.
pub(super) fn with_id(changed: &[Column]) -> Vec<Column> {
    [Column::id].iter().chain(changed).copied().collect()
}

/// The statement that writes these columns of the sessions in `n`, which `from` makes. `key` is how it names their ids.
pub(super) fn update_from(changed: &[Column], from: &str, key: &str) -> String {
    let set: Vec<String> = changed.iter().map(|column| format!("{0} = n.{0}", column.name())).collect();
    let set = set.join(", ");
    format!("UPDATE sessions SET {set} FROM {from} WHERE sessions.id = {key} AND sessions.version = n.version - 1")
}

pub(super) fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}

/// Executes a statement around these columns of these rows.
fn execute(
    conn: &mut Conn,
    columns: &[Column],
    rows: &[&SessionRow],
    around: impl Fn(String) -> String,
) -> QueryResult<usize> {
    match conn {
        Conn::Postgres(postgres) => {
            let marks: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
            let text = around(format!("SELECT * FROM unnest({})", marks.join(", ")));
            let query = diesel::sql_query(text).into_boxed::<Pg>();
            columns.iter().fold(query, |query, column| column.bind_all(query, rows)).execute(postgres)
        }
        Conn::Sqlite(sqlite) => {
            let row = format!("({})", vec!["?"; columns.len()].join(", "));
            let text = around(format!("VALUES {}", vec![row.as_str(); rows.len()].join(", ")));
            let query = diesel::sql_query(text).into_boxed::<Sqlite>();
            let cells = rows.iter().flat_map(|row| columns.iter().map(move |column| (column, row)));
            cells.fold(query, |query, (column, row)| column.bind(query, row)).execute(sqlite)
        }
    }
}
