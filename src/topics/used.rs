//! The task that keeps the list of topics complete: it adds those that sessions in the public list have, and takes away
//! those that it added and that no session has any more.

use std::collections::BTreeSet;
use std::time::Duration;

use super::store;
use super::types::Topic;
use crate::background::Task;
use crate::config::Config;
use crate::db::{Conn, Timestamp};
use crate::error::Result;
use crate::http::state::State;
use crate::sessions::topics::in_public_list;

/// How many topics the service makes at most, and how many it adds or takes away in one transaction.
const MOST_MADE: usize = 1_000;
const AT_ONCE: usize = 100;

/// The task.
pub const TASK: Task = Task {
    name: "topics",
    every: Duration::from_secs(300),
    longest: Duration::from_secs(60),
    due: |conn, config, now| Ok(!changes(conn, config, now)?.is_empty()),
    run: |state| Box::pin(run(state)),
};

/// What the list lacks, and what it has too much.
struct Changes {
    missing: Vec<String>,
    unused: Vec<String>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unused.is_empty()
    }
}

fn changes(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<Changes> {
    let used: BTreeSet<String> = in_public_list(conn, now)?.into_iter().collect();
    let known: BTreeSet<String> = store::codes(conn, false)?.into_iter().collect();
    let made = store::codes(conn, true)?;
    let unused: Vec<String> = made.iter().filter(|code| !used.contains(*code)).take(AT_ONCE).cloned().collect();
    let room = MOST_MADE.saturating_sub(made.len()).min(AT_ONCE);
    Ok(Changes { missing: used.difference(&known).take(room).cloned().collect(), unused })
}

async fn run(state: State) -> Result<()> {
    let (config, now) = (state.config.clone(), state.clock.now());
    let Changes { missing, unused } = state.db.read_long(move |conn| changes(conn, &config, now)).await?;
    let rows: Vec<Topic> =
        missing.into_iter().map(|code| Topic::of_sessions(state.clock.new_id(), code, now)).collect();
    state
        .db
        .write(move |conn| {
            store::remove_made(conn, &unused)?;
            store::add_made(conn, &rows)
        })
        .await
}
