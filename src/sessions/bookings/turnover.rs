//! The task that passes on offers which have run out, and ends the waiting for sessions that have started.

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

/// Sessions that are looked up at once. Each is then put right in a transaction of its own, so that bookings are
/// never held up by more than one session's.
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

/// Puts every session right that is due, those before others that were due first. One that fails doesn't keep the
/// others from it.
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
