//! Brings a database to this binary's schema. The migrations are in the binary.

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Location;
use super::conn::{Conn, Purpose, open_postgres, open_sqlite};
use crate::error::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// An arbitrary number that every Life Rooms process uses for this lock, so that servers that start together
/// migrate one after the other.
const LOCK: i64 = 0x11FE_2005;

/// What an operator is told whose database is older than every migration of this binary.
const BEFORE_FIRST_RELEASE: &str = "The database was made before the first release of Life Rooms and can't be \
                                    migrated. Give an empty database in DATABASE_URL; nothing was changed in this one.";

/// Applies what is missing, and returns the names of the migrations it applied.
///
/// # Errors
/// When the database can't be reached or a migration fails; the failed one leaves nothing behind.
pub fn run(location: &Location) -> Result<Vec<String>> {
    match location {
        Location::Sqlite(path) => {
            let mut conn = open_sqlite(path, Purpose::Write)?;
            apply(&mut conn)
        }
        Location::Postgres(url) => {
            let mut conn = open_postgres(url)?;
            conn.batch_execute(&format!("SET lock_timeout = 0; SELECT pg_advisory_lock({LOCK})"))?;
            // The lock goes with the connection.
            apply(&mut conn)
        }
    }
}

/// Does what a migration can't say in SQL, a piece in each transaction, so that servers which run on the database
/// already wait for no more than a piece. `work` does one and says whether there are more. Of several processes that
/// start together one does it at a time.
///
/// # Errors
/// What the work returns; the pieces before are kept, and it goes on from there the next time.
pub fn complete(location: &Location, mut work: impl FnMut(&mut Conn) -> Result<bool>) -> Result<()> {
    let mut conn = match location {
        Location::Sqlite(path) => open_sqlite(path, Purpose::Write)?,
        Location::Postgres(url) => {
            let mut conn = open_postgres(url)?;
            conn.batch_execute(&format!("SET lock_timeout = 0; SELECT pg_advisory_lock({LOCK})"))?;
            conn
        }
    };
    loop {
        begin(&mut conn)?;
        // Without a COMMIT, nothing of the piece is left when the connection closes.
        let more = work(&mut conn)?;
        commit(&mut conn)?;
        if !more {
            return Ok(());
        }
    }
}

/// Begins a transaction that diesel knows of: on SQLite it writes many rows in a transaction, which is a savepoint only
/// inside one that it knows.
fn begin(conn: &mut Conn) -> Result<()> {
    match conn {
        // Immediate: another process may write between the first read and the first write.
        Conn::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?,
        Conn::Postgres(postgres) => AnsiTransactionManager::begin_transaction(postgres)?,
    }
    Ok(())
}

fn commit(conn: &mut Conn) -> Result<()> {
    match conn {
        Conn::Sqlite(sqlite) => AnsiTransactionManager::commit_transaction(sqlite)?,
        Conn::Postgres(postgres) => AnsiTransactionManager::commit_transaction(postgres)?,
    }
    Ok(())
}

fn apply(conn: &mut Conn) -> Result<Vec<String>> {
    match conn {
        Conn::Sqlite(sqlite) => apply_to(sqlite, SQLITE),
        Conn::Postgres(postgres) => apply_to(postgres, POSTGRES),
    }
}

fn apply_to<DB: Backend>(conn: &mut impl MigrationHarness<DB>, ours: EmbeddedMigrations) -> Result<Vec<String>> {
    let failed = |e| Error::unavailable("The database can't be migrated.").because(e);
    let known: Vec<Box<dyn Migration<DB>>> = ours.migrations().map_err(failed)?;
    let first = known.iter().map(|migration| migration.name().version()).min();
    // The migrations of the time before the first release were replaced by one: what they made has other columns.
    let oldest = conn.applied_migrations().map_err(failed)?.into_iter().min();
    if oldest.is_some() && oldest < first {
        return Err(Error::unavailable(BEFORE_FIRST_RELEASE));
    }
    let applied = conn.run_pending_migrations(ours).map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}
