//! The sessions of a set of listings, venues or hours of the week, in the order of their starts, read from indexes
//! alone.
//!
//! In a large set, most keys have no session soon. So one index lookup finds the first session of each key, and only
//! the keys whose first session comes earliest are read further.

use chrono::TimeDelta;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Integer};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::query::TimeSpan;
use crate::db::types::{DbTimestamp, DbUuid};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::sessions::listings::Listing;
use crate::sessions::visibility::Part;

/// A set of keys. For each kind of key there is an index of sessions by key and start.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys {
    /// These listings.
    Listings(Vec<Listing>),
    /// These venues.
    Venues(Vec<Id>),
    /// These hours of the week, on each session's own clock: 0 is Monday from midnight on.
    Hours(Vec<i32>),
}

/// Which sessions of the keys to read.
#[derive(Debug, Clone, Copy)]
pub struct Which {
    /// Of this part of the list.
    pub part: Part,
    /// Only those with a seat left.
    pub has_space: bool,
}

impl Keys {
    /// How many keys there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Listings(keys) => keys.len(),
            Self::Venues(ids) => ids.len(),
            Self::Hours(hours) => hours.len(),
        }
    }

    /// Only the key at this position.
    fn only(&self, at: usize) -> Self {
        fn of<T: Copy>(keys: &[T], at: usize) -> Vec<T> {
            keys.get(at).copied().into_iter().collect()
        }
        match self {
            Self::Listings(keys) => Self::Listings(of(keys, at)),
            Self::Venues(ids) => Self::Venues(of(ids, at)),
            Self::Hours(hours) => Self::Hours(of(hours, at)),
        }
    }

    /// The SQL condition that selects the sessions of one key, and the index that has them by start. A listing has two
    /// values, `one.key` and `one.slot`.
    fn index(&self, which: Which) -> (String, &'static str) {
        let (condition, index) = match self {
            Self::Listings(_) => ("wording_id = one.key AND slot = one.slot", "sessions_listing_index"),
            Self::Venues(_) => ("venue_id = one.key", "sessions_venue_index"),
            Self::Hours(_) => ("week_hour = one.key", "sessions_week_hour_index"),
        };
        let room = if which.has_space { " AND has_room = true" } else { "" };
        (format!("{condition} AND published = {}{room}", which.part.is_published()), index)
    }
}

/// A session's position in the list.
#[derive(Debug, Clone, Copy, PartialEq, QueryableByName)]
pub struct Position {
    /// Its start.
    #[diesel(sql_type = DbTimestamp)]
    pub starts_at: Timestamp,
    /// Its id.
    #[diesel(sql_type = DbUuid)]
    pub id: Id,
}

/// The first `many` sessions of the set in a time span.
pub fn first(conn: &mut Conn, keys: &Keys, which: Which, span: TimeSpan, many: i64) -> Result<Vec<Position>> {
    // Two queries: SQLite must be told which index to use, and PostgreSQL to look each key up on its own.
    match conn {
        Conn::Sqlite(sqlite) if keys.count() == 1 => of_one(sqlite, (keys, which), span, many),
        Conn::Sqlite(sqlite) => one_by_one(sqlite, (keys, which), span, many),
        Conn::Postgres(postgres) => on_postgres(postgres, (keys, which), span, many),
    }
}

/// The earliest session of one key.
#[derive(Debug, Clone, Copy, QueryableByName)]
struct Head {
    #[diesel(sql_type = Integer)]
    at: i32,
    #[diesel(sql_type = DbTimestamp)]
    starts_at: Timestamp,
}

/// Reads one key after another, the one with the earliest session first. What has been found limits how far the other
/// keys are read.
fn one_by_one(
    sqlite: &mut SqliteConnection,
    (keys, which): (&Keys, Which),
    mut span: TimeSpan,
    many: i64,
) -> Result<Vec<Position>> {
    let heads = heads(sqlite, (keys, which), span)?;
    let most = usize::try_from(many).unwrap_or_default();
    // Each of the first `many` keys has a session, so the first `many` sessions start no later than the last of these.
    if let Some(last) = heads.get(most.saturating_sub(1)) {
        span.until = up_to(span, last.starts_at);
    }
    let mut found: Vec<Position> = Vec::new();
    for head in heads {
        if head.starts_at >= span.until {
            break;
        }
        let key = keys.only(usize::try_from(head.at).unwrap_or(usize::MAX));
        found.extend(of_one(sqlite, (&key, which), span, many)?);
        found.sort_unstable_by_key(|place| (place.starts_at, place.id));
        found.truncate(most);
        if let Some(last) = found.get(most.saturating_sub(1)) {
            span.until = up_to(span, last.starts_at);
        }
    }
    Ok(found)
}

/// The end of a time span that is cut after this start. Other sessions with the same start stay in.
fn up_to(span: TimeSpan, start: Timestamp) -> Timestamp {
    span.until.min(Timestamp(start.0 + TimeDelta::microseconds(1)))
}

type Bound<'a, Backend> = BoxedSqlQuery<'a, Backend, SqlQuery>;

fn bind_keys<'a>(query: Bound<'a, Sqlite>, keys: &Keys) -> Bound<'a, Sqlite> {
    match keys {
        Keys::Listings(keys) => {
            keys.iter().fold(query, |query, (wording, slot)| query.bind::<DbUuid, _>(*wording).bind::<BigInt, _>(*slot))
        }
        Keys::Venues(ids) => ids.iter().fold(query, |query, id| query.bind::<DbUuid, _>(*id)),
        Keys::Hours(hours) => hours.iter().fold(query, |query, hour| query.bind::<Integer, _>(*hour)),
    }
}

/// The keys with at least one session in this time span, ordered by their earliest session.
fn heads(sqlite: &mut SqliteConnection, (keys, which): (&Keys, Which), span: TimeSpan) -> Result<Vec<Head>> {
    let query = bind_keys(diesel::sql_query(heads_text(keys, which)).into_boxed::<Sqlite>(), keys);
    let (start, id) = span.after;
    let query = query.bind::<DbTimestamp, _>(start).bind::<DbUuid, _>(id).bind::<DbTimestamp, _>(span.until);
    Ok(query.load(sqlite)?)
}

fn heads_text(keys: &Keys, which: Which) -> String {
    let (condition, index) = keys.index(which);
    let (columns, marks) = if matches!(keys, Keys::Listings(_)) { ("key, slot", "?,?") } else { ("key", "?") };
    let values: Vec<String> = (0..keys.count()).map(|at| format!("({at},{marks})")).collect();
    format!(
        "WITH one (at, {columns}) AS (VALUES {}), head AS MATERIALIZED (SELECT at, (SELECT starts_at FROM sessions \
         INDEXED BY {index} WHERE {condition} AND (starts_at, id) > (?, ?) AND starts_at < ? \
         ORDER BY starts_at, id LIMIT 1) AS starts_at FROM one) \
         SELECT at, starts_at FROM head WHERE starts_at IS NOT NULL ORDER BY starts_at",
        values.join(",")
    )
}

/// The first sessions of a set that has one key.
fn of_one(
    sqlite: &mut SqliteConnection,
    (key, which): (&Keys, Which),
    span: TimeSpan,
    many: i64,
) -> Result<Vec<Position>> {
    let (condition, index) = key.index(which);
    let condition = condition.replace("one.key", "?").replace("one.slot", "?");
    let text = format!(
        "SELECT starts_at, id FROM sessions INDEXED BY {index} WHERE {condition} \
         AND (starts_at, id) > (?, ?) AND starts_at < ? ORDER BY starts_at, id LIMIT ?"
    );
    let query = bind_keys(diesel::sql_query(text).into_boxed::<Sqlite>(), key);
    let (start, id) = span.after;
    let query = query.bind::<DbTimestamp, _>(start).bind::<DbUuid, _>(id).bind::<DbTimestamp, _>(span.until);
    Ok(query.bind::<BigInt, _>(many).load(sqlite)?)
}

fn on_postgres(
    postgres: &mut PgConnection,
    (keys, which): (&Keys, Which),
    span: TimeSpan,
    many: i64,
) -> Result<Vec<Position>> {
    let query = diesel::sql_query(postgres_text(keys, which)).into_boxed::<Pg>();
    let (start, id) = span.after;
    let query = query.bind::<DbTimestamp, _>(start).bind::<DbUuid, _>(id).bind::<DbTimestamp, _>(span.until);
    let query = query.bind::<BigInt, _>(many);
    let query = match keys {
        Keys::Listings(keys) => {
            let (wordings, slots): (Vec<Id>, Vec<i64>) = keys.iter().copied().unzip();
            query.bind::<Array<DbUuid>, _>(wordings).bind::<Array<BigInt>, _>(slots)
        }
        Keys::Venues(ids) => query.bind::<Array<DbUuid>, _>(ids),
        Keys::Hours(hours) => query.bind::<Array<Integer>, _>(hours),
    };
    Ok(query.load(postgres)?)
}

/// The SQL for PostgreSQL. It finds the first session of each key, keeps the earliest `many` keys, reads their first
/// sessions, and sorts them. If `many` keys have a session, nothing later than the last key's first session is read.
fn postgres_text(keys: &Keys, which: Which) -> String {
    let (condition, _) = keys.index(which);
    let (columns, arrays) = match keys {
        Keys::Listings(_) => ("key, slot", "$5::uuid[], $6::bigint[]"),
        Keys::Venues(_) => ("key", "$5::uuid[]"),
        Keys::Hours(_) => ("key", "$5::integer[]"),
    };
    let of_one = format!(
        "SELECT starts_at, id FROM sessions WHERE {condition} AND (starts_at, id) > ($1, $2) AND starts_at < $3"
    );
    format!(
        "WITH head AS MATERIALIZED (SELECT one.*, head.starts_at FROM unnest({arrays}) AS one ({columns}) \
         CROSS JOIN LATERAL ({of_one} ORDER BY starts_at, id LIMIT 1) AS head ORDER BY head.starts_at, head.id LIMIT $4), \
         last AS MATERIALIZED (SELECT max(starts_at) AS starts_at FROM head HAVING count(*) = $4) \
         SELECT found.starts_at, found.id FROM head AS one CROSS JOIN LATERAL ({of_one} \
         AND starts_at <= coalesce((SELECT starts_at FROM last), $3) ORDER BY starts_at, id LIMIT $4) AS found \
         ORDER BY found.starts_at, found.id LIMIT $4"
    )
}
