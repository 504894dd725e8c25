//! One connection type over both databases, and how each is opened.

#![expect(missing_docs, reason = "diesel's derive makes items that take no comments")]

use diesel::connection::SimpleConnection;
use diesel::sql_types::HasSqlType;
use diesel::{Connection, PgConnection, SqliteConnection};

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

/// Inserts rows, up to 500 in one statement. Diesel can't do this through a connection that may be to either database.
///
/// SQLite takes 32,766 values in a statement, and PostgreSQL 65,535: no table has more than 65 columns. A row with an
/// `Option` must be `treat_none_as_default_value = false`. Otherwise diesel writes each row by itself on SQLite.
#[macro_export]
macro_rules! insert_many {
    ($conn:expr, $table:path, $rows:expr) => {
        $rows.chunks(500).try_for_each(|rows| {
            $crate::per_backend!(&mut *$conn, |inner| diesel::insert_into($table).values(rows).execute(inner)).map(drop)
        })
    };
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
pub fn open_sqlite(path: &str, purpose: Purpose) -> Result<Conn> {
    let mut conn = SqliteConnection::establish(path)
        .map_err(|e| Error::unavailable("The database file can't be opened.").because(e))?;
    let pragmas = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                   PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -8000;";
    conn.batch_execute(pragmas)?;
    if purpose == Purpose::Read {
        conn.batch_execute("PRAGMA query_only = ON;")?;
    }
    Ok(Conn::Sqlite(conn))
}

/// Opens a PostgreSQL connection. It waits at most two seconds for the server to answer and five for a row lock, so
/// that a request never hangs.
pub fn open_postgres(url: &str) -> Result<Conn> {
    let timed = if url.contains("connect_timeout=") {
        url.to_owned()
    } else {
        format!("{url}{}connect_timeout=2", if url.contains('?') { '&' } else { '?' })
    };
    let mut conn =
        PgConnection::establish(&timed).map_err(|e| Error::unavailable("The database doesn't answer.").because(e))?;
    conn.batch_execute("SET lock_timeout = '5s'; SET client_min_messages = warning; SET TIME ZONE 'UTC';")?;
    Ok(Conn::Postgres(conn))
}
