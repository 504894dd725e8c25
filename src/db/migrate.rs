//! Migrates a database to the schema of this binary. The binary contains the migrations.

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Text;
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
            conn.batch_execute(&format!(
                "SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"
            ))?;
            // Closing the connection releases the lock.
            apply(&mut conn)
        }
    }
}

/// The names of a database's tables. Tables of PostgreSQL's extensions don't count.
fn tables(conn: &mut Conn) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let names = match conn {
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        Conn::Postgres(_) => {
            "SELECT CAST(relname AS TEXT) AS name FROM pg_class c WHERE relkind IN ('r', 'p') \
             AND relnamespace = to_regnamespace(current_schema()) \
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        }
    };
    let tables: Vec<Table> = diesel::sql_query(names).load(conn)?;
    Ok(tables.into_iter().map(|table| table.name).collect())
}

fn apply(conn: &mut Conn) -> Result<Vec<String>> {
    let before = tables(conn)?;
    if !before.is_empty() && !before.iter().any(|table| table == "__diesel_schema_migrations") {
        return Err(Error::unavailable(FOREIGN));
    }
    let applied = match conn {
        Conn::Sqlite(sqlite) => apply_to(sqlite, SQLITE),
        Conn::Postgres(postgres) => apply_to(postgres, POSTGRES),
    }?;
    check_complete(conn)?;
    Ok(applied)
}

/// Checks that the database has every table that an empty one gets from the migrations. Both databases have the same.
///
/// # Errors
/// 503 with the tables that are missing: somebody dropped them, or restored a part of a backup.
fn check_complete(conn: &mut Conn) -> Result<()> {
    let mut empty = Conn::Sqlite(SqliteConnection::establish(":memory:").map_err(Error::internal)?);
    if let Conn::Sqlite(sqlite) = &mut empty {
        apply_to(sqlite, SQLITE)?;
    }
    let there = tables(conn)?;
    let missing: Vec<String> = tables(&mut empty)?.into_iter().filter(|table| !there.contains(table)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!("The database lacks tables: {}. Restore it from a backup.", missing.join(", "));
    Err(Error::new(Kind::Unavailable, detail))
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
