//! Rosters in the database.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text};

use super::types::{EntryOutcome, Roster, RosterSkip, RosterSummary};
use crate::db::conn::LOCK_TIMEOUT;
use crate::db::schema::{partners, roster_entries, rosters};
use crate::db::types::{DbJson, DbUuid};
use crate::db::{AT_ONCE, Conn, Id, Json};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// A row of `rosters`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = rosters)]
pub struct RosterRow {
    /// What a list says of it.
    #[diesel(embed)]
    pub summary: RosterSummary,
    /// The account or client that posted it.
    pub posted_by: Id,
    /// Sessions that aren't as the roster has them.
    pub skipped: Json<Vec<RosterSkip>>,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = roster_entries)]
struct EntryRow {
    roster_id: Id,
    position: i32,
    #[diesel(embed)]
    entry: EntryOutcome,
}

/// The number that rises with each roster a partner applies.
///
/// # Errors
/// 404 where there is no such partner.
pub fn roster_version(conn: &mut Conn, partner_id: Id) -> Result<i32> {
    let found = partners::table.find(partner_id).select(partners::roster_version).first(conn).optional()?;
    found.ok_or_else(|| Error::not_found("partner"))
}

/// The same, and no other roster of this partner is applied until the transaction ends.
///
/// # Errors
/// 404 where there is no such partner.
pub fn lock_roster_version(conn: &mut Conn, partner_id: Id) -> Result<i32> {
    match conn {
        // A row lock, which the common connection can't express. SQLite has one writer. Whoever writes a session of
        // this partner refers to the row, and needn't wait.
        Conn::Postgres(postgres) => {
            // A big roster takes longer than a lock is waited for elsewhere; the next one waits its turn.
            diesel::sql_query("SET LOCAL lock_timeout = '60s'").execute(postgres)?;
            let locked = partners::table.find(partner_id).select(partners::roster_version).for_no_key_update();
            let version = locked.first(postgres).optional()?.ok_or_else(|| Error::not_found("partner"))?;
            diesel::sql_query(format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")).execute(postgres)?;
            Ok(version)
        }
        Conn::Sqlite(_) => roster_version(conn, partner_id),
    }
}

/// Keeps a roster with its outcome.
pub fn insert(conn: &mut Conn, row: &RosterRow, entries: &[EntryOutcome]) -> Result<()> {
    diesel::insert_into(rosters::table).values(row).execute(conn)?;
    for (chunk, start) in entries.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
        let entry_row = |(entry, position): (&EntryOutcome, i32)| {
            let entry = entry.clone();
            EntryRow { roster_id: row.summary.id, position, entry }
        };
        let rows: Vec<EntryRow> = chunk.iter().zip(start..).map(entry_row).collect();
        // Many rows in one statement can't be written through the common connection.
        match conn {
            Conn::Postgres(postgres) => insert_arrays(postgres, row.summary.id, &rows)?,
            Conn::Sqlite(sqlite) => diesel::insert_into(roster_entries::table).values(&rows).execute(sqlite)?,
        };
    }
    Ok(())
}

/// An array for each column: a value for each cell is parsed and planned anew each time.
fn insert_arrays(conn: &mut PgConnection, roster_id: Id, rows: &[EntryRow]) -> QueryResult<usize> {
    let sql = "INSERT INTO roster_entries (roster_id, position, external_id, line, pointer, outcome, resource_id, errors) \
               SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8)";
    diesel::sql_query(sql)
        .bind::<DbUuid, _>(roster_id)
        .bind::<Array<Integer>, _>(column(rows, |row| row.position))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.entry.external_id.as_deref()))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.entry.line))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.entry.pointer.as_deref()))
        .bind::<Array<Text>, _>(column(rows, |row| row.entry.outcome))
        .bind::<Array<Nullable<DbUuid>>, _>(column(rows, |row| row.entry.resource_id))
        .bind::<Array<DbJson>, _>(column(rows, |row| &row.entry.errors))
        .execute(conn)
}

fn column<'a, T>(rows: &'a [EntryRow], cell: impl Fn(&'a EntryRow) -> T) -> Vec<T> {
    rows.iter().map(cell).collect()
}

/// A page of a partner's rosters, the newest first.
///
/// # Errors
/// 404 where there is no such partner.
pub fn list(conn: &mut Conn, partner_id: Id, slice: &Slice<Id>) -> Result<Vec<RosterSummary>> {
    roster_version(conn, partner_id)?;
    let mut query =
        rosters::table.filter(rosters::partner_id.eq(partner_id)).select(RosterSummary::as_select()).into_boxed();
    if let Some(id) = slice.after {
        query = query.filter(rosters::id.lt(id));
    }
    Ok(query.order(rosters::id.desc()).limit(slice.fetch()).load(conn)?)
}

/// One of a partner's rosters with its outcome.
///
/// # Errors
/// 404 where this partner has no such roster.
pub fn get(conn: &mut Conn, partner_id: Id, id: Id) -> Result<Roster> {
    let own = rosters::table.find(id).filter(rosters::partner_id.eq(partner_id));
    let row: Option<RosterRow> = own.select(RosterRow::as_select()).first(conn).optional()?;
    let row = row.ok_or_else(|| Error::not_found("roster"))?;
    let entries = roster_entries::table.filter(roster_entries::roster_id.eq(id)).order(roster_entries::position);
    let entries = entries.select(EntryOutcome::as_select()).load(conn)?;
    Ok(Roster { summary: row.summary, dry_run: false, skipped: row.skipped.0, entries })
}
