//! What a roster is measured against: the same rows, inserted bare.
//!
//! `bare_inserts DATABASE_URL` takes all series and sessions of a database that a roster has filled, empties it of them
//! and of the words that they are found by, and inserts them again: the same statements of many rows, one transaction,
//! the same indexes, nothing else. It prints the seconds from BEGIN to COMMIT. The database is worth nothing afterwards.
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
use life_rooms::error::Error;
use life_rooms::sessions::series::store::{self as series_store, SeriesRow};
use life_rooms::sessions::store::{self as session_store, SessionRow};

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
             DELETE FROM listing_words;",
            "VACUUM",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ],
        Conn::Postgres(_) => &[
            "TRUNCATE roster_entries, rosters, session_series, sessions, listing_words CASCADE",
            "VACUUM",
            "CHECKPOINT",
        ],
    };
    for statement in statements {
        conn.batch_execute(statement)?;
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let url = std::env::args().nth(1).ok_or("usage: bare_inserts DATABASE_URL")?;
    let mut conn = open(&url)?;
    let series: Vec<SeriesRow> =
        session_series::table.order(session_series::id).select(SeriesRow::as_select()).load(&mut conn)?;
    let rows: Vec<SessionRow> = sessions::table.order(sessions::id).select(SessionRow::as_select()).load(&mut conn)?;
    empty(&mut conn)?;
    let started = Instant::now();
    conn.transaction::<_, Error, _>(|conn| {
        series_store::insert_many(conn, &series)?;
        session_store::insert_many(conn, &rows)
    })?;
    println!("{:.3} {} {}", started.elapsed().as_secs_f64(), series.len(), rows.len());
    Ok(())
}
