//! Planning a roster, writing ahead, and applying it.
//!
//! On SQLite everybody's writes wait for one writer. So what nobody sees is written before the one transaction that
//! applies the roster, in short transactions of their own: what new sessions say, and the words by which they are found.
//! The values of many sessions are brought to the writer before too ([`staging`]). What a roster that fails leaves
//! behind, the housekeeping takes away. It waits for a turn as rosters do
//! ([`crate::http::turn`]), so it takes nothing away that is written for a roster whose turn it is.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::{self, Application};
use super::body::Posting;
use super::current::Hold;
use crate::db::{Conn, Db, Id};
use crate::error::Result;
use crate::http::context::Context;
use crate::sessions::listings::{self, NewListing};
use crate::sessions::staging;

/// How long a piece should hold the writer. One that takes longer makes the next one smaller.
const PIECE: Duration = Duration::from_millis(40);
/// How many listings the first piece has, and the largest.
const FIRST: usize = 4;
const LARGEST: usize = 1_000;
/// How often a roster is planned anew because something has changed. Then it is planned in its transaction.
const REPLANS: usize = 2;
/// How often a roster that is too large for that is planned anew. Then it is refused with 503.
const REPLANS_OF_LARGE: usize = 5;
/// The most sessions of a roster for which others may wait while it has the one writer of an SQLite file: it may be planned
/// then, and its sessions aren't staged.
const FEW_SESSIONS: usize = 1_000;

/// Plans a posting and has it applied by `write`. Returns the last application with its outcome.
///
/// # Errors
/// What goes wrong before it is applied.
pub async fn apply<T>(
    posting: &Arc<Posting>,
    context: &Context,
    write: impl AsyncFn(Application) -> Result<T>,
) -> Result<(Application, Result<T>)> {
    let db = &context.state().db;
    let mut replans = 0;
    loop {
        let (planned, planning) = (Arc::clone(posting), context.clone());
        let plan = move |conn: &mut _| apply::draft(conn, &planned, &planning, Hold::Snapshot);
        let application = Application::new(Arc::clone(posting), context.clone(), db.read_long(plan).await?);
        // Others would wait for the one writer of an SQLite file as long as it plans.
        let large = db.has_one_writer() && application.sessions() > FEW_SESSIONS;
        let most = if large { REPLANS_OF_LARGE } else { REPLANS };
        let plans_again = replans == most && !large;
        let application = if plans_again { application } else { application.without_replanning() };
        store(&application, context).await?;
        let staged = stage(&application, context).await?;
        let begun = Instant::now();
        let outcome = write(application.clone()).await;
        if large {
            posting.rest_after(begun.elapsed());
        }
        drop(staged);
        if !application.is_stale() || replans == most {
            return Ok((application, outcome));
        }
        replans += 1;
    }
}

/// Stores the new listings of a roster in pieces, unless it will be refused.
async fn store(application: &Application, context: &Context) -> Result<()> {
    let db = &context.state().db;
    let planned = application.clone();
    let new = db.read_long(move |conn| match planned.plan_to_apply() {
        Some(plan) => listings::not_stored(conn, &plan.wordings, plan.listed()),
        None => Ok(Vec::new()),
    });
    let (mut new, mut size) = (new.await?, FIRST);
    while !new.is_empty() {
        let piece: Vec<NewListing> = new.split_off(new.len().saturating_sub(size));
        let took = db.write(move |conn| {
            let begun = Instant::now();
            listings::store(conn, &piece)?;
            Ok(begun.elapsed())
        });
        size = next_size(size, took.await?);
    }
    Ok(())
}

/// The sessions of a roster that are staged. They are deleted when this is dropped, also if the client has hung up.
struct Staged {
    db: Db,
    roster_id: Id,
}

impl Drop for Staged {
    fn drop(&mut self) {
        let (db, roster_id) = (self.db.clone(), self.roster_id);
        // If this fails, a later roster deletes them.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { db.write(move |conn| staging::forget(conn, roster_id)).await });
        }
    }
}

/// Stages the sessions of a large roster in pieces, unless it will be refused.
async fn stage(application: &Application, context: &Context) -> Result<Option<Staged>> {
    let db = &context.state().db;
    let (new, changed) = (application.new_sessions().len(), application.changed_sessions().len());
    if !db.has_one_writer() || new + changed <= FEW_SESSIONS {
        return Ok(None);
    }
    let (roster_id, now) = (application.id(), context.now());
    let staged = Staged { db: db.clone(), roster_id };
    db.write(move |conn| staging::tidy(conn, now)).await?;
    for piece in pieces(new) {
        let planned = application.clone();
        let write = move |conn: &mut Conn| staging::stage_new(conn, roster_id, &planned.new_sessions()[piece.clone()]);
        db.write(write).await?;
    }
    for piece in pieces(changed) {
        let planned = application.clone();
        let write =
            move |conn: &mut Conn| staging::stage_changed(conn, roster_id, &planned.changed_sessions()[piece.clone()]);
        db.write(write).await?;
    }
    Ok(Some(staged))
}

/// The pieces of so many sessions.
fn pieces(many: usize) -> impl Iterator<Item = Range<usize>> {
    (0..many).step_by(LARGEST).map(move |start| start..many.min(start + LARGEST))
}

/// How many listings the next piece has.
fn next_size(size: usize, took: Duration) -> usize {
    let fits = size as f64 * PIECE.as_secs_f64() / took.as_secs_f64().max(0.001);
    (fits as usize).clamp(1, (size * 2).min(LARGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_grow_slowly_and_shrink_at_once() {
        let after = |size, milliseconds| next_size(size, Duration::from_millis(milliseconds));
        assert_eq!((after(4, 0), after(4, 10), after(800, 1)), (8, 8, 1_000));
        assert_eq!((after(100, 100), after(100, 400), after(1, 5_000)), (40, 10, 1));
    }
}
