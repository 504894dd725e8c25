//! What the server does by itself, beside requests.
//!
//! - What is due stands in the database and nowhere else, so a restart loses nothing: a task looks, does all that is
//!   due, and may run again at any time.
//! - A task runs on one of many servers at a time: whoever takes its [lease](lease) does it. A lease that isn't given
//!   back, because its server died, runs out by itself.

mod lease;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::config::Config;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::state::State;

/// Something that is done again and again.
#[derive(Clone, Copy)]
pub struct Task {
    /// What it is called in the log and in its lease.
    pub name: &'static str,
    /// The pause between two looks.
    pub every: Duration,
    /// The longest that one run may take: as long as its lease lasts.
    pub longest: Duration,
    /// Whether there is anything to do; a short read.
    pub due: fn(&mut Conn, &Config, Timestamp) -> Result<bool>,
    /// Does all that is due. It may be cut off at any moment, and may meet a run whose lease has run out.
    pub run: fn(State) -> LocalBoxFuture<'static, Result<()>>,
}

/// Starts these tasks on the present thread's runtime; they end when the server is told to stop.
pub fn start(state: &State, tasks: Vec<Task>) {
    let holder = state.clock.new_id();
    for task in tasks {
        actix_web::rt::spawn(repeat(state.clone(), task, holder));
    }
}

async fn repeat(state: State, task: Task, holder: Id) {
    while !state.stopping() {
        if let Err(error) = run_if_due(&state, task, holder).await {
            log::error!("the task {} failed and will be tried again: {error}", task.name);
        }
        actix_web::rt::time::sleep(task.every).await;
    }
}

/// Runs a task where there is something to do and no other server is at it. Whether it ran.
///
/// # Errors
/// What the task returns, 500 where it panics, or else the database's: it is tried again all the same.
pub async fn run_if_due(state: &State, task: Task, holder: Id) -> Result<bool> {
    let (config, now) = (Arc::clone(&state.config), state.clock.now());
    if !survive(state.db.read(move |conn| (task.due)(conn, &config, now))).await? {
        return Ok(false);
    }
    let until = Timestamp(now.0 + task.longest);
    if !state.db.write(move |conn| lease::take(conn, task.name, holder, now, until)).await? {
        return Ok(false);
    }
    let outcome = survive(async { (task.run)(state.clone()).await }).await;
    // Whatever became of it. What went wrong first is what is told; a lease that is kept runs out.
    let given_back = state.db.write(move |conn| lease::give_back(conn, task.name, holder)).await;
    outcome.and(given_back).map(|()| true)
}

/// What this work gives, 500 where it panics.
async fn survive<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(Error::panicked(&*panic)))
}
