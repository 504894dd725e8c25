//! Tasks: work that the server repeats by itself, beside requests.
//!
//! - A task asks the database what is due and does it. Memory holds nothing that is due, so a restart loses nothing.
//! - A task may run again at any time.
//! - A task runs on only one server at a time: the one that takes its [lease](lease). If that server dies, the lease
//!   runs out by itself.

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

/// Work that is repeated.
#[derive(Clone, Copy)]
pub struct Task {
    /// The task's name, in the log and in its lease.
    pub name: &'static str,
    /// The pause between two checks of whether anything is due.
    pub every: Duration,
    /// The longest time that one run may take. The lease lasts as long.
    pub longest: Duration,
    /// Whether anything is due. A short read.
    pub due: fn(&mut Conn, &Config, Timestamp) -> Result<bool>,
    /// Does everything that is due. The run can be cut off at any moment, and can overlap with an earlier run whose
    /// lease has run out.
    pub run: fn(State) -> LocalBoxFuture<'static, Result<()>>,
}

/// Starts these tasks on the current thread's runtime. They end when the server is told to stop.
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

/// Runs a task if something is due and no other server runs the task. Returns whether it ran.
///
/// # Errors
/// What the task returns, 500 if it panics, or a failure of the database. The task is tried again in every case.
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
    // The lease is given back even if the task failed. If giving it back fails too, the lease runs out, and the task's
    // own error is returned.
    let given_back = state.db.write(move |conn| lease::give_back(conn, task.name, holder)).await;
    outcome.and(given_back).map(|()| true)
}

/// The outcome of this work; 500 if it panics.
async fn survive<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(Error::panicked(&*panic)))
}
