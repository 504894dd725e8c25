//! Removes what was deleted from the files of PostgreSQL.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::conn::{Conn, open_postgres};
use super::types::{DbTimestamp, Timestamp};
use crate::error::{Error, Kind, Result};

/// What can see rows that were deleted: they are copied then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oldest {
    /// Nothing.
    None,
    /// Transactions, of which the oldest began at this instant.
    Began(Timestamp),
    /// Transactions of which this role may not know when they began, or that are prepared and end some time.
    Unknown,
}

impl Oldest {
    /// Whether nothing can see what was deleted at this instant.
    pub fn is_after(self, deleted_at: Timestamp) -> bool {
        match self {
            Self::None => true,
            Self::Began(at) => deleted_at < at,
            Self::Unknown => false,
        }
    }
}

/// Writes tables into new files, without what was deleted, and their indexes. Each table is locked meanwhile. Returns which
/// transactions ran beside it: rows that they can see were copied, even if they were deleted since.
///
/// # Errors
/// 503 if the role doesn't own one of the tables, or if somebody used one for too long.
pub fn rewrite(url: &str, tables: &[&str]) -> Result<Oldest> {
    let Conn::Postgres(mut postgres) = open_postgres(url)? else { return Ok(Oldest::None) };
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
    // When a transaction of another role began is hidden, but not that it is there.
    let beside: Beside = diesel::sql_query(
        "SELECT min(xact_start) AS began, \
         count(*) FILTER (WHERE xact_start IS NULL AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)) \
         + (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()) AS unknown \
         FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .get_result(&mut postgres)?;
    for table in tables {
        postgres.batch_execute(&format!("VACUUM (FULL, ANALYZE) {table}"))?;
    }
    Ok(match beside {
        Beside { unknown: 0, began } => began.map_or(Oldest::None, Oldest::Began),
        Beside { .. } => Oldest::Unknown,
    })
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Beside {
    #[diesel(sql_type = Nullable<DbTimestamp>)]
    began: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    unknown: i64,
}
