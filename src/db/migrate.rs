//! Migrates a database to the schema of this binary. The binary contains the migrations.

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Location;
use super::conn::{Conn, Purpose, open_postgres, open_sqlite};
use crate::error::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The number of the lock that makes servers that start together migrate one after the other. The number is arbitrary,
/// but every Life Rooms process uses the same.
const LOCK: i64 = 0x11FE_2005;

/// The message to an operator whose database is older than every migration of this binary.
const BEFORE_FIRST_RELEASE: &str = "The database was made before the first release of Life Rooms and can't be \
                                    migrated. Give an empty database in DATABASE_URL; nothing was changed in this one.";

/// The message to an operator whose database holds the tables of something else.
const FOREIGN: &str = "The database holds tables that Life Rooms didn't make. Give an empty database in DATABASE_URL; \
                       nothing was changed in this one.";

/// Applies the missing migrations and returns their names.
///
/// # Errors
/// When the database can't be reached, it is somebody else's, or a migration fails. A failed migration leaves nothing behind.
pub fn run(location: &Location) -> Result<Vec<String>> {
    match location {
        Location::Sqlite(path) => {
            let mut conn = open_sqlite(path, Purpose::Write)?;
            apply(&mut conn)
        }
        Location::Postgres(url) => {
            let mut conn = open_postgres(url)?;
            conn.batch_execute(&format!("SET lock_timeout = 0; SELECT pg_advisory_lock({LOCK})"))?;
            // Closing the connection releases the lock.
            apply(&mut conn)
        }
    }
}

/// Does the part of a migration that SQL can't express.
///
/// Servers that already run on the database must not wait long, so each call of `work` does one piece in a transaction
/// of its own, and returns whether more pieces are left. If several processes start together, only one works at a time.
///
/// # Errors
/// What `work` returns. The pieces before stay done, and the next start goes on from there.
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
        // After an error there is no COMMIT, so closing the connection undoes this piece.
        let more = work(&mut conn)?;
        commit(&mut conn)?;
        if !more {
            return Ok(());
        }
    }
}

/// Begins a transaction through diesel's transaction manager. On SQLite, diesel inserts many rows in a transaction of
/// its own, and makes it a savepoint only if the manager knows the outer transaction.
fn begin(conn: &mut Conn) -> Result<()> {
    match conn {
        // IMMEDIATE takes the write lock at once. Otherwise another process could write between our read and our write.
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

/// How many tables a database has, and how many of them keep the names of migrations.
#[derive(QueryableByName)]
struct Tables {
    #[diesel(sql_type = BigInt)]
    all: i64,
    #[diesel(sql_type = BigInt)]
    of_migrations: i64,
}

/// Whether a database has tables and never knew a migration. Tables of PostgreSQL's extensions don't count.
fn is_foreign(conn: &mut Conn) -> Result<bool> {
    let tables = match conn {
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        Conn::Postgres(_) => {
            "SELECT CAST(relname AS TEXT) AS name FROM pg_class c WHERE relkind IN ('r', 'p') \
             AND relnamespace = to_regnamespace(current_schema()) \
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        }
    };
    let count = format!(
        "SELECT COUNT(*) AS \"all\", COUNT(CASE name WHEN '__diesel_schema_migrations' THEN 1 END) AS of_migrations \
         FROM ({tables}) AS tables"
    );
    let tables: Tables = diesel::sql_query(count).get_result(conn)?;
    Ok(tables.all > 0 && tables.of_migrations == 0)
}

fn apply(conn: &mut Conn) -> Result<Vec<String>> {
    if is_foreign(conn)? {
        return Err(Error::unavailable(FOREIGN));
    }
    match conn {
        Conn::Sqlite(sqlite) => apply_to(sqlite, SQLITE),
        Conn::Postgres(postgres) => apply_to(postgres, POSTGRES),
    }
}

fn apply_to<DB: Backend>(conn: &mut impl MigrationHarness<DB>, ours: EmbeddedMigrations) -> Result<Vec<String>> {
    let failed = |e| Error::unavailable("The database can't be migrated.").because(e);
    let known: Vec<Box<dyn Migration<DB>>> = ours.migrations().map_err(failed)?;
    let first = known.iter().map(|migration| migration.name().version()).min();
    // A database from before the first release has other columns than this binary expects.
    let oldest = conn.applied_migrations().map_err(failed)?.into_iter().min();
    if oldest.is_some() && oldest < first {
        return Err(Error::unavailable(BEFORE_FIRST_RELEASE));
    }
    let applied = conn.run_pending_migrations(ours).map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}
