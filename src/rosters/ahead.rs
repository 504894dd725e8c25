//! Planning a roster, writing ahead, and applying it.
//!
//! On SQLite everybody's writes wait for one writer. So what nobody sees is written before the one transaction that
//! applies the roster, in short transactions of their own: what new sessions say, and the words by which they are found.
//! What a roster that fails leaves behind, the housekeeping takes away. It waits for a turn as rosters do
//! ([`crate::http::turn`]), so it takes nothing away that is written for a roster whose turn it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::{self, Application};
use super::body::Posting;
use super::current::Hold;
use crate::error::Result;
use crate::http::context::Context;
use crate::sessions::listings::{self, NewListing};

/// How long a piece should hold the writer. One that takes longer makes the next one smaller.
const PIECE: Duration = Duration::from_millis(100);
/// How many listings the first piece has, and the largest.
const FIRST: usize = 4;
const LARGEST: usize = 1_000;
/// How often a roster is planned anew because something has changed. Then it is planned in its transaction.
const REPLANS: usize = 2;

/// Plans a posting and has it applied by `write`. Returns the last application with its outcome.
///
/// # Errors
/// What goes wrong before it is applied.
pub async fn apply<T>(
    posting: &Arc<Posting>,
    context: &Context,
    write: impl AsyncFn(Application) -> Result<T>,
) -> Result<(Application, Result<T>)> {
    let mut left = REPLANS;
    loop {
        let (planned, planning) = (Arc::clone(posting), context.clone());
        let plan = move |conn: &mut _| apply::draft(conn, &planned, &planning, Hold::Snapshot);
        let draft = context.state().db.read_long(plan).await?;
        let application = Application::new(Arc::clone(posting), context.clone(), draft);
        let application = if left > 0 { application.without_replanning() } else { application };
        store(&application, context).await?;
        let outcome = write(application.clone()).await;
        if outcome.is_ok() || !application.is_stale() {
            return Ok((application, outcome));
        }
        left -= 1;
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
        assert_eq!((after(100, 100), after(100, 400), after(1, 5_000)), (100, 25, 1));
    }
}
