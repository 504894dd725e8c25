//! Which listings the sessions of each series are of.
//!
//! A session is found by its [listing](super::listings). This table leads from a listing to the series that have sessions
//! of it, and from a series to its listings, without reading a session. Whoever writes sessions [adds](add) what is
//! missing. A row that no session needs any more does no harm: a search finds no session of it. It goes with its listing.
//!
//! The same holds for the words of booking policies: the sessions of one listing can have several policies.

use std::collections::BTreeSet;

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::listings::{Listing, word_of_policy};
use super::store::SessionRow;
use super::types::{BookingPolicy, Delivery, Publication};
use crate::db::schema::{listing_words, series_listings, sessions};
use crate::db::types::{DbTimestamp, DbUuid, TextEnum};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;

/// What stands for the series of sessions that have none.
const NONE: Id = Id(Uuid::nil());

/// A row: a listing, whether the sessions are published, and their series.
type Row = (Id, i64, bool, Id);

fn row(session: &SessionRow) -> Row {
    let published = session.publication == Publication::Published;
    (session.wording_id, session.slot, published, session.series_id.unwrap_or(NONE))
}

/// Adds what is missing for these sessions, which are written in the same transaction.
pub fn add<'a>(conn: &mut Conn, written: impl IntoIterator<Item = &'a SessionRow>) -> Result<()> {
    let (mut rows, mut words) = (BTreeSet::new(), BTreeSet::new());
    let mut last = None;
    for session in written {
        // The sessions of a series stand together, and most are of one listing.
        let one = (row(session), session.booking_policy);
        if last != Some(one) {
            rows.insert(one.0);
            words.insert((session.wording_id, session.slot, word_of_policy(session.booking_policy)));
            last = Some(one);
        }
    }
    insert(conn, &rows.into_iter().collect::<Vec<_>>())?;
    insert_words(conn, &words.into_iter().collect::<Vec<_>>())
}

fn insert_words(conn: &mut Conn, words: &[(Id, i64, String)]) -> Result<()> {
    let values = |(wording, slot, word): &(Id, i64, String)| {
        let listing = (listing_words::wording_id.eq(*wording), listing_words::slot.eq(*slot));
        (listing, listing_words::word.eq(word.clone()))
    };
    for chunk in words.chunks(AT_ONCE) {
        let values: Vec<_> = chunk.iter().map(values).collect();
        match conn {
            Conn::Postgres(postgres) => {
                let insert = diesel::insert_into(listing_words::table).values(values);
                insert.on_conflict_do_nothing().execute(postgres)?
            }
            Conn::Sqlite(sqlite) => {
                diesel::insert_or_ignore_into(listing_words::table).values(values).execute(sqlite)?
            }
        };
    }
    Ok(())
}

/// Adds what is missing once these sessions are of another series.
pub fn add_moved(conn: &mut Conn, ids: &[Id], to: Id) -> Result<()> {
    let mut rows: BTreeSet<Row> = BTreeSet::new();
    for chunk in ids.chunks(AT_ONCE) {
        let moved = sessions::table.filter(sessions::id.eq_any(chunk));
        let moved = moved.select((sessions::wording_id, sessions::slot, sessions::published));
        let moved: Vec<(Id, i64, bool)> = moved.load(conn)?;
        rows.extend(moved.into_iter().map(|(wording, slot, published)| (wording, slot, published, to)));
    }
    insert(conn, &rows.into_iter().collect::<Vec<_>>())
}

fn insert(conn: &mut Conn, rows: &[Row]) -> Result<()> {
    let values = |row: &Row| {
        let listing = (series_listings::wording_id.eq(row.0), series_listings::slot.eq(row.1));
        (listing, series_listings::published.eq(row.2), series_listings::series_id.eq(row.3))
    };
    for chunk in rows.chunks(AT_ONCE) {
        let values: Vec<_> = chunk.iter().map(values).collect();
        match conn {
            Conn::Postgres(postgres) => {
                let insert = diesel::insert_into(series_listings::table).values(values);
                insert.on_conflict_do_nothing().execute(postgres)?
            }
            Conn::Sqlite(sqlite) => {
                diesel::insert_or_ignore_into(series_listings::table).values(values).execute(sqlite)?
            }
        };
    }
    Ok(())
}

/// Whose sessions to look at.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// Those of every series.
    All,
    /// Those of these series.
    Series(&'a [Id]),
    /// Those of these listings.
    Listings(&'a [Listing]),
}

/// Which of them.
#[derive(Debug, Clone, Copy)]
pub struct Which {
    /// Those that are published, or those that aren't.
    pub published: bool,
    /// Only those with a free seat.
    pub has_space: bool,
    /// Only those of this policy.
    pub policy: Option<BookingPolicy>,
    /// Only those behind this start and id.
    pub after: (Timestamp, Id),
    /// Only those that start before this instant.
    pub until: Timestamp,
}

/// The first session that a series has of one of its listings. It is scheduled.
#[derive(Debug, Clone, Copy, PartialEq, QueryableByName)]
pub struct Head {
    /// The series.
    #[diesel(sql_type = DbUuid)]
    pub series_id: Id,
    /// The wording of the listing.
    #[diesel(sql_type = DbUuid)]
    pub wording_id: Id,
    /// The slot of the listing.
    #[diesel(sql_type = BigInt)]
    pub slot: i64,
    /// How people take part in it.
    #[diesel(sql_type = Text)]
    pub delivery: Delivery,
    /// Its venue.
    #[diesel(sql_type = Nullable<DbUuid>)]
    pub venue_id: Option<Id>,
    /// Its partner.
    #[diesel(sql_type = Nullable<DbUuid>)]
    pub partner_id: Option<Id>,
    /// The hour of the week in which it starts: 0 is Monday from midnight on.
    #[diesel(sql_type = Integer)]
    pub week_hour: i32,
    /// The session's start.
    #[diesel(sql_type = DbTimestamp)]
    pub starts_at: Timestamp,
    /// The session's id.
    #[diesel(sql_type = DbUuid)]
    pub id: Id,
}

impl Head {
    /// The session's place in lists by start.
    pub fn place(&self) -> (Timestamp, Id) {
        (self.starts_at, self.id)
    }
}

/// The first sessions of these series, one for each of their listings, in the order of their starts.
pub fn heads(conn: &mut Conn, of: Of<'_>, which: Which) -> Result<Vec<Head>> {
    let mut found = Vec::new();
    for part in parts(of) {
        found.extend(match conn {
            Conn::Sqlite(sqlite) => heads_on_sqlite(sqlite, part, which)?,
            Conn::Postgres(postgres) => heads_on_postgres(postgres, part, which)?,
        });
    }
    found.sort_unstable_by_key(Head::place);
    Ok(found)
}

/// What fits into one statement.
fn parts(of: Of<'_>) -> Vec<Of<'_>> {
    match of {
        Of::All => vec![Of::All],
        Of::Series(ids) => ids.chunks(AT_ONCE).map(Of::Series).collect(),
        Of::Listings(keys) => keys.chunks(AT_ONCE).map(Of::Listings).collect(),
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = DbUuid)]
    series_id: Id,
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// How many scheduled sessions these series have from an instant on, by listing: a series comes once for each of its
/// listings.
pub fn count(conn: &mut Conn, series: &[Id], published: bool, from: Timestamp) -> Result<Vec<(Id, i64)>> {
    let mut found: Vec<Count> = Vec::new();
    for chunk in series.chunks(AT_ONCE) {
        let (of, theirs) = (Of::Series(chunk), conditions(published, false, None));
        found.extend(match conn {
            Conn::Sqlite(sqlite) => {
                let text = format!(
                    "WITH {} SELECT series_id, (SELECT count(*) FROM sessions AS s INDEXED BY sessions_listing_index \
                     WHERE {theirs} AND s.starts_at >= ?) AS many FROM one",
                    ones_on_sqlite(of, published)
                );
                let query = bind_on_sqlite(diesel::sql_query(text).into_boxed::<Sqlite>(), of);
                query.bind::<DbTimestamp, _>(from).load(sqlite)?
            }
            Conn::Postgres(postgres) => {
                let text = format!(
                    "WITH {} SELECT series_id, (SELECT count(*) FROM sessions AS s WHERE {theirs} AND s.starts_at >= $1) \
                     AS many FROM one",
                    ones_on_postgres(of, published, 2)
                );
                let query = diesel::sql_query(text).into_boxed::<Pg>().bind::<DbTimestamp, _>(from);
                bind_on_postgres(query, of).load(postgres)?
            }
        });
    }
    Ok(found.into_iter().map(|count| (count.series_id, count.many)).collect())
}

// Two statements: SQLite must be told which index to use, and PostgreSQL to look each listing up on its own.

/// The conditions on the sessions `s` of the row `one`. Whether a session is scheduled is read from the index, where it has a
/// free seat. Its series matters only where other sessions are of the same listing.
fn conditions(published: bool, has_space: bool, policy: Option<BookingPolicy>) -> String {
    let seats = if has_space { "s.has_room = true" } else { "(s.has_room = true OR s.status = 'scheduled')" };
    let policy = policy.map(|policy| format!(" AND s.booking_policy = '{}'", policy.name())).unwrap_or_default();
    format!(
        "s.wording_id = one.wording_id AND s.slot = one.slot AND s.published = {published} AND {seats} \
         AND (one.sole OR s.series_id = one.series_id){policy}"
    )
}

/// The rows to look at. `sole` says that all sessions of the listing are of this series.
fn ones(from: &str, published: bool, none: &str) -> String {
    format!(
        "one AS MATERIALIZED (SELECT l.series_id, l.wording_id, l.slot, NOT EXISTS (SELECT 1 FROM series_listings AS o \
         WHERE o.wording_id = l.wording_id AND o.slot = l.slot AND o.published = {published} \
         AND o.series_id <> l.series_id) AS sole FROM {from} l.published = {published} AND l.series_id <> {none})"
    )
}

fn ones_on_sqlite(of: Of<'_>, published: bool) -> String {
    let marks = |mark: &str, many: usize| vec![mark; many].join(", ");
    let none = "zeroblob(16)";
    match of {
        Of::All => ones("series_listings AS l WHERE", published, none),
        Of::Series(ids) => {
            let from = format!("series_listings AS l WHERE l.series_id IN ({}) AND", marks("?", ids.len()));
            ones(&from, published, none)
        }
        Of::Listings(keys) => {
            let wanted = format!("wanted (wording_id, slot) AS (VALUES {}), ", marks("(?, ?)", keys.len()));
            let from =
                "wanted AS w CROSS JOIN series_listings AS l WHERE l.wording_id = w.wording_id AND l.slot = w.slot AND";
            wanted + &ones(from, published, none)
        }
    }
}

fn ones_on_postgres(of: Of<'_>, published: bool, first: usize) -> String {
    let none = "'00000000-0000-0000-0000-000000000000'";
    let from = match of {
        Of::All => "series_listings AS l WHERE".to_owned(),
        Of::Series(_) => format!("series_listings AS l WHERE l.series_id = ANY (${first}) AND"),
        Of::Listings(_) => format!(
            "unnest(${first}::uuid[], ${}::bigint[]) AS w (wording_id, slot) JOIN series_listings AS l \
             ON l.wording_id = w.wording_id AND l.slot = w.slot WHERE",
            first + 1
        ),
    };
    ones(&from, published, none)
}

type Bound<'a, Backend> = BoxedSqlQuery<'a, Backend, SqlQuery>;

fn bind_on_sqlite<'a>(query: Bound<'a, Sqlite>, of: Of<'_>) -> Bound<'a, Sqlite> {
    match of {
        Of::All => query,
        Of::Series(ids) => ids.iter().fold(query, |query, id| query.bind::<DbUuid, _>(*id)),
        Of::Listings(keys) => {
            keys.iter().fold(query, |query, (wording, slot)| query.bind::<DbUuid, _>(*wording).bind::<BigInt, _>(*slot))
        }
    }
}

fn bind_on_postgres<'a>(query: Bound<'a, Pg>, of: Of<'_>) -> Bound<'a, Pg> {
    match of {
        Of::All => query,
        Of::Series(ids) => query.bind::<Array<DbUuid>, _>(ids.to_vec()),
        Of::Listings(keys) => {
            let (wordings, slots): (Vec<Id>, Vec<i64>) = keys.iter().copied().unzip();
            query.bind::<Array<DbUuid>, _>(wordings).bind::<Array<BigInt>, _>(slots)
        }
    }
}

/// The row's number leads to the session without a look at the index of ids.
fn heads_on_sqlite(sqlite: &mut SqliteConnection, of: Of<'_>, which: Which) -> QueryResult<Vec<Head>> {
    let text = format!(
        "WITH {}, head AS MATERIALIZED (SELECT one.*, (SELECT s.rowid FROM sessions AS s INDEXED BY sessions_listing_index \
         WHERE {} AND (s.starts_at, s.id) > (?, ?) AND s.starts_at < ? ORDER BY s.starts_at, s.id LIMIT 1) AS at FROM one) \
         SELECT head.series_id, head.wording_id, head.slot, s.delivery, s.venue_id, s.partner_id, s.week_hour, \
         s.starts_at, s.id FROM head CROSS JOIN sessions AS s WHERE s.rowid = head.at",
        ones_on_sqlite(of, which.published),
        conditions(which.published, which.has_space, which.policy)
    );
    let query = bind_on_sqlite(diesel::sql_query(text).into_boxed::<Sqlite>(), of);
    let query = query.bind::<DbTimestamp, _>(which.after.0).bind::<DbUuid, _>(which.after.1);
    query.bind::<DbTimestamp, _>(which.until).load(sqlite)
}

fn heads_on_postgres(postgres: &mut PgConnection, of: Of<'_>, which: Which) -> QueryResult<Vec<Head>> {
    let text = format!(
        "WITH {} SELECT one.series_id, one.wording_id, one.slot, head.* FROM one CROSS JOIN LATERAL (SELECT s.delivery, \
         s.venue_id, s.partner_id, s.week_hour, s.starts_at, s.id FROM sessions AS s WHERE {} AND (s.starts_at, s.id) > ($1, $2) AND s.starts_at < $3 \
         ORDER BY s.starts_at, s.id LIMIT 1) AS head",
        ones_on_postgres(of, which.published, 4),
        conditions(which.published, which.has_space, which.policy)
    );
    let query = diesel::sql_query(text).into_boxed::<Pg>();
    let query = query.bind::<DbTimestamp, _>(which.after.0).bind::<DbUuid, _>(which.after.1);
    bind_on_postgres(query.bind::<DbTimestamp, _>(which.until), of).load(postgres)
}
