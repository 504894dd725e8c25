//! The sessions of a set of listings, venues or hours of the week in the order of their starts, out of indexes alone.

use chrono::{Datelike, TimeDelta, Timelike};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer};
use diesel::sqlite::{Sqlite, SqliteConnection};

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
    /// These hours of the week on the sessions' own clocks: 0 is Monday from midnight on.
    Hours(Vec<i32>),
}

/// The hours of a week.
pub const WEEK: i32 = 7 * 24;

impl Keys {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Listings(ids) | Self::Venues(ids) => ids.len(),
            Self::Hours(hours) => hours.len(),
        }
    }

    /// The column, and its index with start and id.
    fn index(&self) -> (&'static str, &'static str) {
        match self {
            Self::Listings(_) => ("listing_id", "sessions_listing_index"),
            Self::Venues(_) => ("venue_id", "sessions_venue_index"),
            Self::Hours(_) => ("week_hour", "sessions_week_hour_index"),
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
    // Written for each: SQLite must be told the index, and PostgreSQL to enter it for each key by itself.
    match (conn, keys) {
        (Conn::Sqlite(sqlite), Keys::Hours(hours)) => hour_by_hour(sqlite, hours, span, many),
        (Conn::Sqlite(sqlite), _) => on_sqlite(sqlite, keys, span, many),
        (Conn::Postgres(postgres), _) => on_postgres(postgres, keys, span, many),
    }
}

fn on_sqlite(sqlite: &mut SqliteConnection, keys: &Keys, span: Span, many: i64) -> Result<Vec<Place>> {
    let mut query = diesel::sql_query(sqlite_text(keys)).into_boxed::<Sqlite>();
    match keys {
        Keys::Listings(ids) | Keys::Venues(ids) => {
            for id in ids {
                query = query.bind::<DbUuid, _>(*id);
            }
        }
        Keys::Hours(hours) => {
            for hour in hours {
                query = query.bind::<Integer, _>(*hour);
            }
        }
    }
    let (start, id) = span.after;
    let query = query.bind::<DbTimestamp, _>(start).bind::<DbUuid, _>(id).bind::<DbTimestamp, _>(span.until);
    Ok(query.bind::<BigInt, _>(many).load(sqlite)?)
}

/// One hour of the week after another, as they come from the beginning of the stretch on: what the first ones hold
/// bounds what is read of the others.
fn hour_by_hour(sqlite: &mut SqliteConnection, hours: &[i32], mut span: Span, many: i64) -> Result<Vec<Place>> {
    let begin = span.after.0.0;
    let now = (begin.weekday().num_days_from_monday() * 24 + begin.hour()).cast_signed();
    let mut hours = hours.to_vec();
    hours.sort_unstable_by_key(|hour| (hour - now).rem_euclid(WEEK));
    let most = usize::try_from(many).unwrap_or_default();
    let mut found: Vec<Place> = Vec::new();
    for hour in hours {
        found.extend(on_sqlite(sqlite, &Keys::Hours(vec![hour]), span, many)?);
        found.sort_unstable_by_key(|place| (place.starts_at, place.id));
        found.truncate(most);
        if let Some(last) = found.get(most.saturating_sub(1)) {
            // What starts with the last one may still come before it.
            span.until = span.until.min(Timestamp(last.starts_at.0 + TimeDelta::microseconds(1)));
        }
    }
    Ok(found)
}

fn on_postgres(postgres: &mut PgConnection, keys: &Keys, span: Span, many: i64) -> Result<Vec<Place>> {
    let query = diesel::sql_query(postgres_text(keys)).into_boxed::<Pg>();
    let query = match keys {
        Keys::Listings(ids) | Keys::Venues(ids) => query.bind::<Array<DbUuid>, _>(ids),
        Keys::Hours(hours) => query.bind::<Array<Integer>, _>(hours),
    };
    let (start, id) = span.after;
    let query = query.bind::<DbTimestamp, _>(start).bind::<DbUuid, _>(id).bind::<DbTimestamp, _>(span.until);
    Ok(query.bind::<BigInt, _>(many).load(postgres)?)
}

/// Over one key the rows come out of the index in order; over more, the first ones are kept while the index is read.
pub fn sqlite_text(keys: &Keys) -> String {
    let (column, index) = keys.index();
    let marks = vec!["?"; keys.count()].join(",");
    format!(
        "SELECT starts_at, id FROM sessions INDEXED BY {index} WHERE {column} IN ({marks}) \
         AND (starts_at, id) > (?, ?) AND starts_at < ? ORDER BY starts_at, id LIMIT ?"
    )
}

/// The first rows of each key out of the index, then the first of them all.
pub fn postgres_text(keys: &Keys) -> String {
    let (column, _) = keys.index();
    let kind = if matches!(keys, Keys::Hours(_)) { "integer" } else { "uuid" };
    format!(
        "SELECT found.starts_at, found.id FROM unnest($1::{kind}[]) AS one (key) CROSS JOIN LATERAL \
         (SELECT starts_at, id FROM sessions WHERE {column} = one.key AND (starts_at, id) > ($2, $3) AND starts_at < $4 \
         ORDER BY starts_at, id LIMIT $5) AS found ORDER BY found.starts_at, found.id LIMIT $5"
    )
}
