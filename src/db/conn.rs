//! One connection type over both databases, and how each is opened.

#![expect(missing_docs, reason = "diesel's derive makes items that take no comments")]

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::HasSqlType;
use diesel::{Connection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection};

use super::types::{DbJson, DbTimestamp, DbUuid};
use crate::error::{Error, Result};

/// A connection to either database. Queries are written once, against this type.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// A PostgreSQL connection (libpq).
    Postgres(PgConnection),
    /// A connection to an SQLite file (bundled).
    Sqlite(SqliteConnection),
}

macro_rules! sql_types_of_both {
    ($($sql:ty),+) => { $(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                MultiBackend::lookup_sql_type::<$sql>(lookup)
            }
        }
    )+ };
}

sql_types_of_both!(DbUuid, DbTimestamp, DbJson);

/// Runs the same code against the concrete connection of either database. Use it for what the common type can't
/// express, such as `on_conflict` or row locks. Each use says why.
#[macro_export]
macro_rules! per_backend {
    ($conn:expr, |$inner:ident| $body:expr) => {
        match $conn {
            $crate::db::conn::Conn::Postgres($inner) => $body,
            $crate::db::conn::Conn::Sqlite($inner) => $body,
        }
    };
}

/// Locks rows of a table until the transaction ends, so that nobody else changes them meanwhile. Rows that refer to them
/// can still be added. Every writer locks in the order of the ids, so that two of them wait for each other and never in a
/// ring. Row locks are PostgreSQL's alone: SQLite has one writer.
#[macro_export]
macro_rules! lock_rows {
    ($conn:expr, $table:ident, $ids:expr) => {
        $crate::lock_rows!($conn, $table, $ids, for_no_key_update)
    };
    ($conn:expr, $table:ident, $ids:expr, $lock:ident) => {{
        if let $crate::db::conn::Conn::Postgres(postgres) = $conn {
            let ids: std::collections::BTreeSet<$crate::db::Id> = $ids.into_iter().collect();
            let ids: Vec<$crate::db::Id> = ids.into_iter().collect();
            let rows = |ids| $table::table.filter($table::id.eq_any(ids)).order($table::id).select($table::id);
            for chunk in ids.chunks($crate::db::AT_ONCE) {
                rows(chunk).$lock().execute(postgres)?;
            }
        }
    }};
}

/// A statement whose prepared form is kept, and found again by its text: use it where the texts are few. Diesel prepares
/// an update anew each time, because its text may differ each time. On PostgreSQL that is a second round trip.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<Q>(pub Q);

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> RunQueryDsl<Conn> for Prepared<Q> {}

/// Inserts rows, [some at a time](crate::db::AT_ONCE). Diesel can't do this through a connection that may be to either
/// database. The statement for one row is kept prepared.
///
/// SQLite takes 32,766 values in a statement, and PostgreSQL 65,535: no table has more than 65 columns. A row with an
/// `Option` must be `treat_none_as_default_value = false`. Otherwise diesel writes each row by itself on SQLite.
#[macro_export]
macro_rules! insert_many {
    ($conn:expr, $table:path, $rows:expr) => {
        $rows.chunks($crate::db::AT_ONCE).try_for_each(|rows| {
            $crate::per_backend!(&mut *$conn, |inner| match rows {
                [row] => diesel::insert_into($table).values(row).execute(inner),
                rows => diesel::insert_into($table).values(rows).execute(inner),
            })
            .map(drop)
        })
    };
}

/// Loads the rows of a table with these ids.
#[macro_export]
macro_rules! load_by_ids {
    ($conn:expr, $table:ident, $columns:expr, $ids:expr) => {{
        let rows = $table::table.select($columns);
        match $ids {
            [] => Ok(Vec::new()),
            // This statement can be cached as a prepared one, unlike one with a list of any length.
            [one] => rows.filter($table::id.eq(one)).load($conn),
            several => rows.filter($table::id.eq_any(several)).load($conn),
        }
    }};
}

/// The purpose of a connection to an SQLite file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reads only; a write is an error.
    Read,
    /// Reads and writes: for the one writer, or for a command.
    Write,
}

/// Opens an SQLite file, in WAL mode with `synchronous=FULL`: a commit returns only when the write is on disk.
///
/// With `recursive_triggers`, `INSERT OR REPLACE` fires the triggers of what it deletes: audit events refuse that.
pub fn open_sqlite(path: &str, purpose: Purpose) -> Result<Conn> {
    let mut conn = SqliteConnection::establish(path)
        .map_err(|e| Error::unavailable("The database file can't be opened.").because(e))?;
    let pragmas = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                   PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA recursive_triggers = ON;";
    conn.batch_execute(pragmas)?;
    // In KiB. A large roster changes a page of an index for nearly each row: pages that have no room are written, and read
    // again, many times.
    conn.batch_execute(match purpose {
        Purpose::Read => "PRAGMA query_only = ON; PRAGMA cache_size = -4000;",
        Purpose::Write => "PRAGMA cache_size = -8000;",
    })?;
    Ok(Conn::Sqlite(conn))
}

/// The time-outs of a connection to PostgreSQL, as parameters of libpq. Connecting takes at most 2 s. The connection ends
/// if the other machine doesn't acknowledge what was sent for 5 s. After 5 s of silence the other machine is asked whether
/// it is still there. A URL that states one of these parameters keeps its own value.
const TIMEOUTS: [(&str, u32); 5] = [
    ("connect_timeout", 2),
    ("tcp_user_timeout", 5_000),
    ("keepalives_idle", 5),
    ("keepalives_interval", 2),
    ("keepalives_count", 3),
];

/// How long a statement of a roster or a command waits for a row lock on PostgreSQL. Other writes
/// [wait less](super::postgres) with a connection.
pub const LOCK_TIMEOUT: &str = "2s";

/// Opens a PostgreSQL connection. A statement is cancelled after a minute: no request needs one that takes so long.
pub fn open_postgres(url: &str) -> Result<Conn> {
    let mut timed = url.to_owned();
    for (name, value) in TIMEOUTS.iter().filter(|(name, _)| !url.contains(&format!("{name}="))) {
        let joined = if timed.contains('?') { '&' } else { '?' };
        timed.push_str(&format!("{joined}{name}={value}"));
    }
    let mut conn =
        PgConnection::establish(&timed).map_err(|e| Error::unavailable("The database doesn't answer.").because(e))?;
    conn.batch_execute(&format!(
        "SET lock_timeout = '{LOCK_TIMEOUT}'; SET statement_timeout = '60s'; \
         SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning; SET TIME ZONE 'UTC';"
    ))?;
    Ok(Conn::Postgres(conn))
}

/// Writes the log of an SQLite file into the file and empties it, so that the file alone is the database. Returns whether
/// the log is empty now: somebody may still read an older state from it.
///
/// # Errors
/// If the file can't be written.
pub fn checkpoint(path: &str) -> Result<bool> {
    #[derive(diesel::QueryableByName)]
    struct Outcome {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        busy: i32,
    }
    let Conn::Sqlite(mut sqlite) = open_sqlite(path, Purpose::Write)? else { return Ok(true) };
    // Writers wait while this waits for readers.
    sqlite.batch_execute("PRAGMA busy_timeout = 250")?;
    let outcome: Outcome = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut sqlite)?;
    Ok(outcome.busy == 0)
}
