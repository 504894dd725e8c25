//! The sessions of a set of listings or venues in the order of their starts, out of indexes alone.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};
use diesel::sqlite::Sqlite;

use super::search::Span;
use crate::db::types::{DbTimestamp, DbUuid};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// A set whose sessions an index has by start.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys {
    /// These listings.
    Listings(Vec<Id>),
    /// These venues.
    Venues(Vec<Id>),
}

impl Keys {
    /// The ids.
    pub fn ids(&self) -> &[Id] {
        match self {
            Self::Listings(ids) | Self::Venues(ids) => ids,
        }
    }

    /// The column, and its index with start and id.
    fn index(&self) -> (&'static str, &'static str) {
        match self {
            Self::Listings(_) => ("listing_id", "sessions_listing_index"),
            Self::Venues(_) => ("venue_id", "sessions_venue_index"),
        }
    }
}

/// A session's place in the list.
#[derive(Debug, Clone, Copy, PartialEq, QueryableByName)]
pub struct Place {
    /// Its start.
    #[diesel(sql_type = DbTimestamp)]
    pub starts_at: Timestamp,
    /// Its id.
    #[diesel(sql_type = DbUuid)]
    pub id: Id,
}

/// The first so many sessions of the set in a stretch.
pub fn first(conn: &mut Conn, keys: &Keys, span: Span, many: i64) -> Result<Vec<Place>> {
    let ((start, id), until) = (span.after, span.until);
    // Written for each: SQLite must be told the index, and PostgreSQL to enter it for each key by itself.
    Ok(match conn {
        Conn::Sqlite(sqlite) => {
            let mut query = diesel::sql_query(sqlite_text(keys)).into_boxed::<Sqlite>();
            for key in keys.ids() {
                query = query.bind::<DbUuid, _>(*key);
            }
            let query = query.bind::<DbTimestamp, _>(start).bind::<DbUuid, _>(id).bind::<DbTimestamp, _>(until);
            query.bind::<BigInt, _>(many).load(sqlite)?
        }
        Conn::Postgres(postgres) => diesel::sql_query(postgres_text(keys))
            .bind::<Array<DbUuid>, _>(keys.ids())
            .bind::<DbTimestamp, _>(start)
            .bind::<DbUuid, _>(id)
            .bind::<DbTimestamp, _>(until)
            .bind::<BigInt, _>(many)
            .load(postgres)?,
    })
}

/// Over one key the rows come out of the index in order; over more, the first ones are kept while the index is read.
pub fn sqlite_text(keys: &Keys) -> String {
    let (column, index) = keys.index();
    let marks = vec!["?"; keys.ids().len()].join(",");
    format!(
        "SELECT starts_at, id FROM sessions INDEXED BY {index} WHERE {column} IN ({marks}) \
         AND (starts_at, id) > (?, ?) AND starts_at < ? ORDER BY starts_at, id LIMIT ?"
    )
}

/// The first rows of each key out of the index, then the first of them all.
pub fn postgres_text(keys: &Keys) -> String {
    let (column, _) = keys.index();
    format!(
        "SELECT found.starts_at, found.id FROM unnest($1::uuid[]) AS one (key) CROSS JOIN LATERAL \
         (SELECT starts_at, id FROM sessions WHERE {column} = one.key AND (starts_at, id) > ($2, $3) AND starts_at < $4 \
         ORDER BY starts_at, id LIMIT $5) AS found ORDER BY found.starts_at, found.id LIMIT $5"
    )
}
