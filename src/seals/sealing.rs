//! The task that seals.

use std::time::Duration;

use super::head::{self, Head, Standing};
use super::signed_bytes;
use super::store::{self, Batch, HEARTBEAT, Last, MOST, STARTED, Seal};
use crate::audit::hash::Link;
use crate::auth::token::Tokens;
use crate::background::Task;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Conn, Db, Timestamp};
use crate::error::{Error, Result};
use crate::http::state::State;

/// After how many seconds without events a seal without events is made. It shows that the service was running.
const QUIET: i64 = 3600;

/// The task that seals what waits.
pub const TASK: Task = Task {
    name: "audit-seal",
    every: Duration::from_secs(1),
    longest: Duration::from_secs(30),
    due: is_due,
    run: |state| Box::pin(run(state)),
};

fn is_due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    Ok(store::any_waits(conn)? || store::last(conn)?.is_none_or(|last| is_quiet(&last, now)))
}

/// Whether the newest seal is so old that a heartbeat is due.
fn is_quiet(last: &Last, now: Timestamp) -> bool {
    last.number == 0 || last.sealed_at.plus_seconds(QUIET) <= now
}

async fn run(state: State) -> Result<()> {
    while seal_some(&state.db, &state.clock, &state.tokens).await? && !state.stopping() {}
    Ok(())
}

/// Seals everything that waits, when a server has answered its last request: the task has ended before. A failure is
/// logged; the next start seals the rest.
pub async fn seal_rest(state: &State) {
    loop {
        match seal_some(&state.db, &state.clock, &state.tokens).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return log::error!("the last audit events wait for the next start to be sealed: {error}"),
        }
    }
}

/// Makes one seal of what waits. Returns whether more waits.
///
/// The events are read and hashed before the transaction that writes the seal, so that nobody waits for it. They can't
/// change in between, and if another server has sealed them, the number of this seal is taken.
///
/// # Errors
/// Those of the database and of the key folder.
pub async fn seal_some(db: &Db, clock: &Clock, tokens: &Tokens) -> Result<bool> {
    seal_at_most(db, clock, tokens, MOST).await
}

/// As [`seal_some`], with `most` events and writes in a seal.
///
/// # Errors
/// As [`seal_some`].
pub async fn seal_at_most(db: &Db, clock: &Clock, tokens: &Tokens, most: usize) -> Result<bool> {
    let batch = db.read_long(move |conn| store::batch(conn, most)).await?;
    tell_of_faults(&batch);
    let now = clock.now();
    if batch.ids.is_empty() && !is_quiet(&batch.last, now) {
        return Ok(false);
    }
    let is_known = is_head_known(db, tokens, &batch.last).await?;
    let seal = make(&batch, most, now, tokens)?;
    let (added, waiting) = (seal.clone(), batch.waiting);
    if !db.write(move |conn| store::add(conn, &added, &waiting)).await? {
        return Ok(false);
    }
    let head = Head::new(seal.number, &seal.root);
    log::info!("audit seal of {} events: {}:{}", seal.count, head.number, head.root);
    if is_known {
        // Written aside, because the disk may be slow.
        let folder = tokens.folder().to_owned();
        actix_web::web::block(move || head::write(&folder, &head)).await.map_err(Error::blocking)??;
    }
    Ok(batch.is_full)
}

/// Logs what can't be sealed as it should be.
fn tell_of_faults(batch: &Batch) {
    let (missing, unreadable) = (batch.missing.len(), batch.unreadable.len());
    if missing > 0 {
        log::error!("{missing} audit events were gone or spoilt before they were sealed; run: life-rooms audit verify");
    }
    if unreadable > 0 {
        log::error!("{unreadable} lists of audit events that wait can't be read; run: life-rooms audit verify");
    }
}

/// Whether the chain has the seal in the head file. If it hasn't, the file is evidence, and stays as it is.
async fn is_head_known(db: &Db, tokens: &Tokens, last: &Last) -> Result<bool> {
    let path = head::path(tokens.folder());
    let kept = match head::read(&path) {
        Ok(Some(kept)) => kept,
        Ok(None) => return Ok(true),
        Err(error) => {
            // What happened is sealed nevertheless.
            log::error!("the head of the audit isn't moved on: {error}");
            return Ok(false);
        }
    };
    if kept == Head::new(last.number, &last.root) {
        return Ok(true);
    }
    let standing = db.read(move |conn| kept.standing(conn)).await?;
    if standing != Standing::Has {
        log::error!(
            "the database lacks the audit seal in {}: it was restored, or seals were cut off. Run: life-rooms audit \
             verify. When you know why, remove the file",
            path.display()
        );
    }
    Ok(standing == Standing::Has)
}

/// The next seal of a chain.
fn make(batch: &Batch, most: usize, now: Timestamp, tokens: &Tokens) -> Result<Seal> {
    let Batch { last, ids, hashes, .. } = batch;
    // What existed before there were seals can be more than one seal takes.
    let starts = last.number == 0 || (last.note.as_deref() == Some(STARTED) && last.count as usize >= most);
    let note = if starts {
        Some(STARTED)
    } else if ids.is_empty() {
        Some(HEARTBEAT)
    } else {
        None
    };
    let link = Link { previous: &last.root, number: last.number + 1, sealed_at: now, note };
    let root = link.root(hashes);
    let (key_id, signature) = tokens.sign_for_ever(&signed_bytes(&root), now)?;
    let bytes: Vec<u8> = ids.iter().flat_map(|id| *id.0.as_bytes()).collect();
    Ok(Seal {
        number: link.number,
        sealed_at: now,
        count: i32::try_from(ids.len()).map_err(Error::internal)?,
        event_ids: Some(bytes).filter(|bytes| !bytes.is_empty()),
        previous: last.root.clone(),
        root: root.to_vec(),
        key_id,
        signature,
        note: note.map(str::to_owned),
    })
}
