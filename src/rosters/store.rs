//! Rosters in the database.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text};

use super::types::{
    EntryOutcome, Mode, Outcome, Roster, RosterCounts, RosterSessionCounts, RosterSkip, RosterStatus, RosterSummary,
};
use crate::db::conn::LOCK_TIMEOUT;
use crate::db::schema::{partners, roster_entries, rosters};
use crate::db::types::{DbJson, DbUuid};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Fault, Result};
use crate::http::page::Slice;

/// A row of `rosters`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = rosters)]
pub struct RosterRow {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub partner_id: Id,
    /// What was to happen to good entries where others are wrong.
    pub mode: Mode,
    /// What became of it.
    pub status: RosterStatus,
    /// The account or client that posted it.
    pub posted_by: Id,
    /// Entries by what became of them.
    pub counts: Json<RosterCounts>,
    /// Sessions by what became of them.
    pub sessions: Json<RosterSessionCounts>,
    /// Sessions that aren't as the roster has them.
    pub skipped: Json<Vec<RosterSkip>>,
    /// 1; 2 once its entries have been taken away.
    pub version: i32,
    /// When it was posted.
    pub created_at: Timestamp,
    /// The same, or when its entries were taken away.
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = roster_entries)]
struct EntryRow {
    roster_id: Id,
    position: i32,
    external_id: Option<String>,
    line: Option<i32>,
    pointer: Option<String>,
    outcome: Outcome,
    resource_id: Option<Id>,
    errors: Json<Vec<Fault>>,
}

impl From<EntryRow> for EntryOutcome {
    fn from(row: EntryRow) -> Self {
        Self {
            external_id: row.external_id,
            line: row.line,
            pointer: row.pointer,
            outcome: row.outcome,
            resource_id: row.resource_id,
            errors: row.errors.0,
        }
    }
}

impl From<RosterRow> for RosterSummary {
    fn from(row: RosterRow) -> Self {
        Self {
            id: row.id,
            partner_id: row.partner_id,
            mode: row.mode,
            status: row.status,
            counts: row.counts.0,
            sessions: row.sessions.0,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl RosterRow {
    fn with_entries(self, entries: Vec<EntryOutcome>) -> Roster {
        Roster {
            id: self.id,
            partner_id: self.partner_id,
            mode: self.mode,
            dry_run: false,
            status: self.status,
            counts: self.counts.0,
            sessions: self.sessions.0,
            skipped: self.skipped.0,
            entries,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
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

/// Entries of one INSERT.
const CHUNK: usize = 500;

/// Keeps a roster with its outcome.
pub fn insert(conn: &mut Conn, row: &RosterRow, entries: &[EntryOutcome]) -> Result<()> {
    diesel::insert_into(rosters::table).values(row).execute(conn)?;
    for (chunk, start) in entries.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
        let rows: Vec<EntryRow> = chunk.iter().zip(start..).map(|(entry, at)| entry_row(row.id, at, entry)).collect();
        // Many rows in one statement can't be written through the common connection.
        match conn {
            Conn::Postgres(postgres) => insert_arrays(postgres, row.id, &rows)?,
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
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.external_id.as_deref()))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.line))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.pointer.as_deref()))
        .bind::<Array<Text>, _>(column(rows, |row| row.outcome))
        .bind::<Array<Nullable<DbUuid>>, _>(column(rows, |row| row.resource_id))
        .bind::<Array<DbJson>, _>(column(rows, |row| &row.errors))
        .execute(conn)
}

fn column<'a, T>(rows: &'a [EntryRow], cell: impl Fn(&'a EntryRow) -> T) -> Vec<T> {
    rows.iter().map(cell).collect()
}

fn entry_row(roster_id: Id, position: i32, entry: &EntryOutcome) -> EntryRow {
    EntryRow {
        roster_id,
        position,
        external_id: entry.external_id.clone(),
        line: entry.line,
        pointer: entry.pointer.clone(),
        outcome: entry.outcome,
        resource_id: entry.resource_id,
        errors: Json(entry.errors.clone()),
    }
}

/// A page of a partner's rosters, the newest first.
///
/// # Errors
/// 404 where there is no such partner.
pub fn list(conn: &mut Conn, partner_id: Id, slice: &Slice<Id>) -> Result<Vec<RosterRow>> {
    roster_version(conn, partner_id)?;
    let mut query =
        rosters::table.filter(rosters::partner_id.eq(partner_id)).select(RosterRow::as_select()).into_boxed();
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
    let entries: Vec<EntryRow> = entries.select(EntryRow::as_select()).load(conn)?;
    Ok(row.with_entries(entries.into_iter().map(EntryOutcome::from).collect()))
}
