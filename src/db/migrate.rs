//! Migrates a database to the schema of this binary. The binary contains the migrations.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Location;
use super::conn::{Conn, Purpose, open_postgres, open_sqlite};
use crate::error::{Error, Kind, Result};

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
    let known: Vec<_> = known.iter().map(|migration| migration.name().version()).collect();
    let before = conn.applied_migrations().map_err(failed)?;
    // A database from before the first release has other columns than this binary expects.
    if before.iter().min().is_some_and(|oldest| Some(oldest) < known.iter().min()) {
        return Err(Error::unavailable(BEFORE_FIRST_RELEASE));
    }
    let newer: Vec<String> = before.iter().rev().filter(|one| !known.contains(one)).map(ToString::to_string).collect();
    if !newer.is_empty() {
        return Err(newer_than_this_binary(&newer));
    }
    let applied = conn.run_pending_migrations(ours).map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// The message to an operator who starts an older binary on the database of a newer one. The older binary would write
/// rows that lack what the newer one needs.
fn newer_than_this_binary(versions: &[String]) -> Error {
    let detail = format!(
        "A newer version of Life Rooms has migrated the database: this version doesn't know {}. Start the newer \
         version, or restore the backup that was made before the upgrade. Nothing was changed.",
        versions.join(", ")
    );
    Error::new(Kind::Unavailable, detail)
}
