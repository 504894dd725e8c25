//! What was deleted is also removed from the files of the database.
//!
//! SQLite overwrites what is deleted (`secure_delete`), but its log of writes keeps older pages until it is emptied. It
//! can't be emptied while somebody reads an older state, so the task tries until it can.
//!
//! PostgreSQL keeps deleted rows in the files of the table until the table is written anew. Only the owner of the table
//! can do that: with the command `life-rooms erasures scrub`.

use std::time::Duration;

use super::erase::empty;
use super::plan::with_words;
use super::{journal, store};
use crate::background::Task;
use crate::clock::Clock;
use crate::config::{Config, Location};
use crate::db::{Conn, Db, Id, Timestamp, scrub};
use crate::error::{Error, Result};
use crate::http::state::State;

/// The task that finishes erasures.
pub const TASK: Task = Task {
    name: "erasures",
    every: Duration::from_secs(10),
    longest: Duration::from_secs(60),
    due: is_due,
    run: |state| Box::pin(run(state)),
};

fn is_due(conn: &mut Conn, _: &Config, _: Timestamp) -> Result<bool> {
    let may_empty = matches!(conn, Conn::Sqlite(_));
    Ok(store::any_unlogged(conn)? || may_empty && !store::unfinished(conn)?.is_empty())
}

async fn run(state: State) -> Result<()> {
    journal::write_down(&state).await?;
    finish(&state.db, &state.clock).await.map(drop)
}

/// Empties SQLite's log of writes, and writes down for which erasures that was the last step. Returns how many they were,
/// or `None` if the log can't be emptied now. On PostgreSQL nothing is done.
///
/// # Errors
/// Those of the database.
pub async fn finish(db: &Db, clock: &Clock) -> Result<Option<usize>> {
    let unfinished = db.read(store::unfinished).await?;
    if unfinished.is_empty() || !db.has_one_writer() {
        return Ok(Some(0));
    }
    if !db.empty_log().await? {
        return Ok(None);
    }
    set_finished(db, clock, unfinished.into_iter().map(|one| one.id).collect()).await.map(Some)
}

async fn set_finished(db: &Db, clock: &Clock, ids: Vec<Id>) -> Result<usize> {
    let (count, now) = (ids.len(), clock.now());
    db.write(move |conn| store::set_finished(conn, &ids, now)).await?;
    Ok(count)
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrubbed {
    /// Of how many erasures nothing is left now.
    pub finished: usize,
    /// Of how many something may still be there: somebody reads an older state of the database, or the person is still to
    /// be told.
    pub left: usize,
}

/// Removes what was deleted from the files of the database, as its owner.
///
/// # Errors
/// Those of the database. 503 if the role doesn't own the tables.
pub async fn scrub(db: &Db, location: &Location, clock: &Clock) -> Result<Scrubbed> {
    let finished = match location {
        Location::Sqlite(_) => finish(db, clock).await?.unwrap_or_default(),
        Location::Postgres(url) => rewrite(db, url, clock).await?,
    };
    Ok(Scrubbed { finished, left: db.read(store::count_pending).await? })
}

/// Writes the tables of PostgreSQL anew. Returns of how many erasures nothing is left.
async fn rewrite(db: &Db, url: &str, clock: &Clock) -> Result<usize> {
    let unfinished = db.read(store::unfinished).await?;
    // Whoever was writing while the person was erased may have written something afterwards.
    for one in &unfinished {
        let member = one.member_id;
        db.write(move |conn| empty(conn, member).map(drop)).await?;
    }
    let (url, tables) = (url.to_owned(), with_words());
    let rewriting = actix_web::web::block(move || scrub::rewrite(&url, &tables));
    let oldest = rewriting.await.map_err(Error::blocking)??;
    // Rows that a transaction can still see are copied into the new files.
    let gone = unfinished.into_iter().filter(|one| oldest.is_after(one.executed_at)).map(|one| one.id);
    set_finished(db, clock, gone.collect()).await
}
