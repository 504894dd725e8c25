//! Migrates a database to the schema of this binary. The binary contains the migrations.

use std::collections::{BTreeMap, BTreeSet};

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Location;
use super::conn::{Conn, Purpose, open_postgres, open_sqlite};
use super::sounds;
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

/// Makes a database ready for this binary, and returns the names of the migrations that it applied.
///
/// On PostgreSQL the tables can belong to another role than the one of the server. The server's role then changes no
/// table, so it only checks.
///
/// # Errors
/// As [`run`]; 503 with the command to run if migrations are missing and this role doesn't own the tables.
pub fn prepare(location: &Location) -> Result<Vec<String>> {
    let Location::Postgres(url) = location else { return run(location) };
    let mut conn = open_postgres(url)?;
    if owns_the_tables(&mut conn)? {
        drop(conn);
        return run(location);
    }
    // Diesel's own look at them would try to make their table.
    let versions = "SELECT CAST(version AS TEXT) AS name FROM __diesel_schema_migrations";
    let before = match tables(&mut conn)?.iter().any(|table| table == "__diesel_schema_migrations") {
        true => names(&mut conn, versions)?,
        false => Vec::new(),
    };
    match missing::<Pg>(before.into_iter().collect(), &POSTGRES)?.as_slice() {
        [] => check_complete(&mut conn).map(|()| Vec::new()),
        names => Err(for_the_owner(names)),
    }
}

/// Whether this role may change the tables: it owns the list of migrations, or may make it if there is none.
fn owns_the_tables(conn: &mut Conn) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Owner {
        #[diesel(sql_type = Bool)]
        owns: bool,
    }
    let asked = "SELECT COALESCE((SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class \
                 WHERE oid = to_regclass('__diesel_schema_migrations')), \
                 has_schema_privilege(current_schema(), 'CREATE'), false) AS owns";
    Ok(diesel::sql_query(asked).get_result::<Owner>(conn)?.owns)
}

/// The message to an operator whose server doesn't own the tables, and whose tables are older than this binary.
fn for_the_owner(names: &[String]) -> Error {
    let detail = format!(
        "The tables lack {}, and this role doesn't own them. Run life-rooms migrate with the DATABASE_URL of the role \
         that does, then what life-rooms grants prints. Nothing was changed.",
        names.join(", ")
    );
    Error::new(Kind::Unavailable, detail)
}

/// The names of the tables of this binary, in order.
///
/// # Errors
/// If the migrations don't run.
pub fn table_names() -> Result<Vec<String>> {
    let mut empty = Conn::Sqlite(SqliteConnection::establish(":memory:").map_err(Error::internal)?);
    if let Conn::Sqlite(sqlite) = &mut empty {
        apply_to(sqlite, SQLITE)?;
    }
    tables(&mut empty)
}

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

/// The column `name` of what a query finds.
fn names(conn: &mut Conn, query: &str) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let found: Vec<Named> = diesel::sql_query(query).load(conn)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}

/// The names of a database's tables. Tables of PostgreSQL's extensions don't count.
fn tables(conn: &mut Conn) -> Result<Vec<String>> {
    let query = match conn {
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        Conn::Postgres(_) => {
            "SELECT CAST(relname AS TEXT) AS name FROM pg_class c WHERE relkind IN ('r', 'p') \
             AND relnamespace = to_regnamespace(current_schema()) \
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        }
    };
    names(conn, query)
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
    sounds::fill_in(conn)?;
    Ok(applied)
}

/// Checks that the database has every table that an empty one gets from the migrations. Both databases have the same.
///
/// # Errors
/// 503 with the tables that are missing: somebody dropped them, or restored a part of a backup.
fn check_complete(conn: &mut Conn) -> Result<()> {
    let there = tables(conn)?;
    let missing: Vec<String> = table_names()?.into_iter().filter(|table| !there.contains(table)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!("The database lacks tables: {}. Restore it from a backup.", missing.join(", "));
    Err(Error::new(Kind::Unavailable, detail))
}

fn apply_to<DB: Backend>(conn: &mut impl MigrationHarness<DB>, ours: EmbeddedMigrations) -> Result<Vec<String>> {
    let before = conn.applied_migrations().map_err(failed)?;
    missing::<DB>(before.iter().map(ToString::to_string).collect(), &ours)?;
    let applied = conn.run_pending_migrations(ours).map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn failed(cause: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::unavailable("The database can't be migrated.").because(cause)
}

/// The names of the migrations that a database lacks. `before` are the versions of those that it has.
///
/// # Errors
/// 503 if the database is from before the first release, or from a newer version.
fn missing<DB: Backend>(before: BTreeSet<String>, ours: &EmbeddedMigrations) -> Result<Vec<String>> {
    let known: Vec<Box<dyn Migration<DB>>> = ours.migrations().map_err(failed)?;
    let known: BTreeMap<String, String> =
        known.iter().map(|one| (one.name().version().to_string(), one.name().to_string())).collect();
    // A database from before the first release has other columns than this binary expects.
    if before.first().is_some_and(|oldest| Some(oldest) < known.keys().next()) {
        return Err(Error::unavailable(BEFORE_FIRST_RELEASE));
    }
    let newer: Vec<String> = before.iter().filter(|one| !known.contains_key(*one)).cloned().collect();
    if !newer.is_empty() {
        return Err(newer_than_this_binary(&newer));
    }
    Ok(known.into_iter().filter(|(version, _)| !before.contains(version)).map(|(_, name)| name).collect())
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
