//! Housekeeping: deletes data when the time for which it is kept is over.
//!
//! | data | kept for |
//! | --- | --- |
//! | records of `Idempotency-Key`s | 24 hours |
//! | logins, after their end | 90 days |
//! | jobs that have ended | 30 days |
//! | rosters that were refused | 30 days |
//! | the row-by-row outcome of a roster; its counts stay | 13 months |
//! | messages | 90 days; one that a stranger asked for and that leads nowhere, an hour |
//! | how a merge of two records can be undone | 30 days |
//! | documents of exports; what became of the request stays | 7 days |
//! | links that work once, after their end | 7 days |
//! | registrations that nobody finished | until their link ends, after 24 hours |
//! | counts of wrong passwords | until their bucket is full again |
//! | wordings and listings that no session has | until the next housekeeping |
//!
//! The networks in which an account is known, and its refresh tokens, are part of its logins. Audit events are never
//! deleted.
//!
//! A run deletes at most so many rows of each kind, so that no kind keeps the others waiting, and says in one line of the
//! log what it deleted.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::auth::links;
use crate::auth::logins::store as logins;
use crate::auth::throttle::buckets;
use crate::background::Task;
use crate::config::Config;
use crate::db::{Conn, Timestamp};
use crate::error::Result;
use crate::exports;
use crate::http::idempotency;
use crate::http::state::State;
use crate::jobs;
use crate::line::Owner;
use crate::mail;
use crate::members::merges::store as merges;
use crate::rosters;
use crate::sessions::listings::{self, LookedAt};

/// How many rows of one kind a run deletes, about. The next run goes on.
pub const MOST: usize = 50_000;

/// Data that is kept for a limited time.
struct Kept {
    /// What it is, in the log.
    name: &'static str,
    /// Whether any of the data is too old. A short read.
    overdue: fn(&mut Conn, Timestamp) -> Result<bool>,
    forget: Forget,
}

/// How some of the data that is too old is deleted. The part is small, so that others can write in between.
enum Forget {
    /// Deletes a part and returns how many rows.
    Oldest(fn(&mut Conn, Timestamp) -> Result<usize>),
    /// Deletes wordings and listings that no session has.
    Unused,
}

const fn kept(
    name: &'static str,
    overdue: fn(&mut Conn, Timestamp) -> Result<bool>,
    forget: fn(&mut Conn, Timestamp) -> Result<usize>,
) -> Kept {
    Kept { name, overdue, forget: Forget::Oldest(forget) }
}

const KEPT: &[Kept] = &[
    kept("idempotency records", idempotency::overdue, idempotency::forget),
    kept("logins", logins::overdue, logins::forget),
    kept("jobs", jobs::store::overdue, jobs::store::forget),
    kept("refused rosters", rosters::keeping::refused_overdue, rosters::keeping::forget_refused),
    kept("rows of rosters", rosters::keeping::entries_overdue, rosters::keeping::forget_entries),
    kept("messages", mail::store::overdue, mail::store::forget),
    kept("ways to undo a merge", merges::overdue, merges::forget),
    kept("documents of exports", exports::store::overdue, exports::store::forget),
    kept("links", links::store::overdue, links::store::forget),
    kept("counts of wrong passwords", buckets::overdue, buckets::forget),
    Kept { name: "unused wordings and listings", overdue: listings::any_unused, forget: Forget::Unused },
];

/// The task that does the housekeeping.
pub const TASK: Task = Task {
    name: "housekeeping",
    every: Duration::from_secs(600),
    longest: Duration::from_secs(300),
    due: is_due,
    run: |state| -> LocalBoxFuture<'static, Result<()>> { Box::pin(run(state)) },
};

fn is_due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    for kept in KEPT {
        if (kept.overdue)(conn, now)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes what is too old. Each part is a transaction of its own. So if a run is cut off, the next goes on.
async fn run(state: State) -> Result<()> {
    let now = state.clock.now();
    let (mut gone, mut outcome) = (Vec::new(), Ok(()));
    for kept in KEPT {
        let mut rows = 0;
        outcome = forget_all(&state, kept, now, &mut rows).await;
        gone.extend((rows > 0).then(|| format!("{rows} {}", kept.name)));
        if outcome.is_err() || state.stopping() {
            break;
        }
    }
    if !gone.is_empty() {
        log::info!("the housekeeping deleted {}", gone.join(", "));
    }
    outcome
}

/// Deletes what is too old of one kind, up to the most of a run. Counts it in `rows`, also if it fails on the way.
async fn forget_all(state: &State, kept: &Kept, now: Timestamp, rows: &mut usize) -> Result<()> {
    let Forget::Oldest(forget) = kept.forget else { return forget_unused(state, rows).await };
    while *rows < MOST && !state.stopping() {
        let some = state.db.write(move |conn| forget(conn, now)).await?;
        if some == 0 {
            break;
        }
        *rows += some;
    }
    Ok(())
}

/// Deletes wordings and listings that no session has, in parts. A part is looked for in a read, from where the one before
/// ended, because on SQLite nobody can write while a transaction that writes looks through all of them. It is deleted only
/// while no roster has its turn, because rosters write such data ahead.
async fn forget_unused(state: &State, rows: &mut usize) -> Result<()> {
    let mut looked_at = LookedAt::default();
    while *rows < MOST && !state.stopping() {
        let part = state.db.read_long(move |conn| looked_at.next(conn)).await?;
        let Some(end) = looked_at.after(&part) else { break };
        looked_at = end;
        let _turn = state.plan_turns.for_job(Owner::Service).await?;
        *rows += state.db.write(move |conn| listings::forget_unused(conn, &part)).await?;
    }
    Ok(())
}
