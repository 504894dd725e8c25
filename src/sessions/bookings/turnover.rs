//! The task that ends expired offers, offers their seats to others, and ends the lists of sessions that have started.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::rules::Terms;
use super::waiting;
use crate::background::Task;
use crate::config::Config;
use crate::db::{Conn, Timestamp};
use crate::error::{Error, Result};
use crate::http::state::State;

/// How many sessions are looked up at once. Each gets a transaction of its own, so a booking waits for one at most.
const AT_ONCE: i64 = 100;

/// The task.
pub const TASK: Task =
    Task { name: "waiting-lists", every: Duration::from_secs(5), longest: Duration::from_secs(30), due, run };

fn due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    Ok(!waiting::due(conn, now, 1)?.is_empty())
}

fn run(state: State) -> LocalBoxFuture<'static, Result<()>> {
    pass_on(state).boxed_local()
}

/// Brings the waiting list of every due session up to date. If one session fails, the others are still done.
async fn pass_on(state: State) -> Result<()> {
    while !state.stopping() {
        let terms = Terms { now: state.clock.now(), hours: state.config.offers };
        let ids = state.db.read(move |conn| waiting::due(conn, terms.now, AT_ONCE)).await?;
        if ids.is_empty() {
            break;
        }
        let mut failure: Option<Error> = None;
        for id in ids {
            let settled = state.db.write(move |conn| waiting::settle_one(conn, id, terms)).await;
            failure = failure.or(settled.err());
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
    Ok(())
}
