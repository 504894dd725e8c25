//! Removes what was deleted from the files of PostgreSQL.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::conn::{Conn, open_postgres};
use super::types::{DbTimestamp, Timestamp};
use crate::error::{Error, Kind, Result};

/// Writes tables into new files, without what was deleted, and their indexes. Each table is locked meanwhile. Returns when
/// the oldest transaction began that ran beside it: rows that it can see were copied, even if they were deleted since.
///
/// # Errors
/// 503 if the role doesn't own one of the tables, or if somebody used one for too long.
pub fn rewrite(url: &str, tables: &[&str]) -> Result<Option<Timestamp>> {
    let Conn::Postgres(mut postgres) = open_postgres(url)? else { return Ok(None) };
    postgres.batch_execute("SET statement_timeout = 0; SET lock_timeout = '10s'")?;
    // PostgreSQL only warns of tables that the role may not write anew.
    let foreign: Vec<Named> = diesel::sql_query(
        "SELECT CAST(relname AS text) AS name FROM pg_class WHERE relkind = 'r' \
         AND relnamespace = to_regnamespace(current_schema()) AND NOT pg_has_role(relowner, 'USAGE')",
    )
    .load(&mut postgres)?;
    if let Some(table) = foreign.iter().find(|table| tables.contains(&table.name.as_str())) {
        let detail = format!("The table {} belongs to another role: run this as the role that owns it.", table.name);
        return Err(Error::new(Kind::Unavailable, detail));
    }
    let oldest: Oldest = diesel::sql_query(
        "SELECT min(xact_start) AS began FROM pg_stat_activity WHERE datname = current_database() \
         AND pid <> pg_backend_pid()",
    )
    .get_result(&mut postgres)?;
    for table in tables {
        postgres.batch_execute(&format!("VACUUM (FULL, ANALYZE) {table}"))?;
    }
    Ok(oldest.began)
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Oldest {
    #[diesel(sql_type = Nullable<DbTimestamp>)]
    began: Option<Timestamp>,
}
