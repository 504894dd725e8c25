//! What a roster is measured against: the same rows, written bare.
//!
//! `bare_inserts DATABASE_URL` takes all series and sessions of a database that a roster has filled, with what they say
//! and are found by, empties it of them, and inserts them again: the same statements of many rows, one transaction, the
//! same indexes, nothing else. `bare_inserts DATABASE_URL titles` gives every series another title instead: it writes the
//! wordings, listings and words that this takes, and of each series and session only the columns that change, in one
//! statement for each table. Both print the seconds from BEGIN to COMMIT. The database is worth nothing afterwards.
//!
//! To be run with `MALLOC_TRIM_THRESHOLD_` set high: else glibc may give the top of this small program's heap back to the
//! system each time that SQLite's cache drops a page, and fault it in again for the next, which takes longer than the
//! inserts. The server, whose heap is not its cache alone, does the same work in the same time with and without it.

use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::conn::{Purpose, open_postgres, open_sqlite};
use life_rooms::db::schema::{session_series, sessions};
use life_rooms::db::{Conn, Location};
use life_rooms::error::{Error, Result};
use life_rooms::sessions::listings;
use life_rooms::sessions::series::store::{self as series_store, SeriesRow};
use life_rooms::sessions::store::{self as session_store, SessionRow};
use life_rooms::sessions::wordings::Wording;

type Failure = Box<dyn std::error::Error>;

fn open(url: &str) -> Result<Conn, Failure> {
    Ok(match Location::parse(url)? {
        Location::Sqlite(path) => open_sqlite(&path, Purpose::Write)?,
        Location::Postgres(url) => open_postgres(&url)?,
    })
}

/// As fresh as they were before the roster: no rows, no dead ones, nothing waiting to be written back.
fn empty(conn: &mut Conn) -> Result<(), Failure> {
    let statements: &[&str] = match conn {
        Conn::Sqlite(_) => &[
            "DELETE FROM roster_entries; DELETE FROM rosters; DELETE FROM sessions; DELETE FROM session_series; \
             DELETE FROM listing_words; DELETE FROM listings; DELETE FROM wordings;",
            "VACUUM",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ],
        Conn::Postgres(_) => &[
            "TRUNCATE roster_entries, rosters, session_series, sessions, listing_words, listings, wordings CASCADE",
            "VACUUM",
            "CHECKPOINT",
        ],
    };
    for statement in statements {
        conn.batch_execute(statement)?;
    }
    Ok(())
}

fn change_titles(conn: &mut Conn) -> Result<(), Failure> {
    let (id, new_id, later) = match conn {
        Conn::Sqlite(_) => ("BLOB", "randomblob(16)", "updated_at + 1"),
        Conn::Postgres(_) => ("uuid", "gen_random_uuid()", "updated_at + interval '1 second'"),
    };
    conn.batch_execute(&format!(
        "CREATE TEMP TABLE renamed (old {id} PRIMARY KEY, new {id}); INSERT INTO renamed SELECT id, {new_id} FROM wordings"
    ))?;
    let started = Instant::now();
    conn.batch_execute(&format!(
        "BEGIN; \
         INSERT INTO wordings SELECT new, title || ' too', description, topics, facilitator, accessibility, pillar, \
             programme_id, particulars FROM wordings JOIN renamed ON old = id; \
         INSERT INTO listings (wording_id, slot, partner_id, bytes) SELECT new, slot, partner_id, bytes FROM listings JOIN renamed ON old = wording_id; \
         INSERT INTO listing_words SELECT new, slot, word FROM listing_words JOIN renamed ON old = wording_id; \
         UPDATE session_series SET title = title || ' too', version = version + 1, updated_at = {later}; \
         UPDATE sessions SET wording_id = (SELECT new FROM renamed WHERE old = wording_id), version = version + 1, \
             updated_at = {later}; \
         COMMIT"
    ))?;
    println!("{:.3}", started.elapsed().as_secs_f64());
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let url = arguments.first().ok_or("usage: bare_inserts DATABASE_URL [titles]")?;
    let mut conn = open(url)?;
    if arguments.get(1).is_some_and(|what| what == "titles") {
        return change_titles(&mut conn);
    }
    let series: Vec<SeriesRow> =
        session_series::table.order(session_series::id).select(SeriesRow::as_select()).load(&mut conn)?;
    let rows: Vec<SessionRow> = sessions::table.order(sessions::id).select(SessionRow::as_select()).load(&mut conn)?;
    let said: Vec<_> = rows.iter().map(|row| Wording::of(&mut conn, row)).collect::<Result<_>>()?;
    empty(&mut conn)?;
    let started = Instant::now();
    conn.transaction::<_, Error, _>(|conn| {
        series_store::insert_many(conn, &series)?;
        listings::ensure_stored(conn, said.iter().map(|wording| &**wording), &rows)?;
        session_store::insert_many(conn, &rows)
    })?;
    println!("{:.3} {} {}", started.elapsed().as_secs_f64(), series.len(), rows.len());
    Ok(())
}
