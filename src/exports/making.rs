//! The task that makes the documents.

use std::time::Duration;

use super::document::{self, Request};
use super::rules::pause;
use super::store::{self, ExportRow};
use super::types::{ExportKind, ExportStatus};
use crate::auth::store as accounts;
use crate::background::Task;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::state::State;
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage};

/// The task that makes the documents that people wait for.
pub const TASK: Task = Task {
    name: "exports",
    every: Duration::from_secs(2),
    longest: Duration::from_secs(300),
    due: store::is_due,
    run: |state| Box::pin(run(state)),
};

/// Makes one document after the other. One that can't be made is put off, so that it doesn't hold up the others.
async fn run(state: State) -> Result<()> {
    while !state.stopping() {
        let now = state.clock.now();
        let Some(export) = state.db.read_one(move |conn| store::next(conn, now)).await? else { break };
        let (id, attempts) = (export.id, export.attempts);
        if let Err(error) = make(&state, export).await {
            log::error!("the export {id} could not be made and will be tried again: {error}");
            let until = now.plus_seconds(pause(attempts));
            state.db.write(move |conn| store::postpone(conn, id, until)).await?;
        }
    }
    Ok(())
}

/// Makes the document of an export from one snapshot, and stores it. If two servers do so at the same time, the first
/// one's counts.
async fn make(state: &State, export: ExportRow) -> Result<()> {
    let now = state.clock.now();
    let request = Request { member_id: export.member_id, kind: export.kind, received_on: export.received_on, now };
    // Every document for an advisor is looked at, whether or not it holds safeguarding. If only some were, whoever asked
    // could tell by the wait about whom there are such notes.
    let status = match export.kind {
        ExportKind::Full => ExportStatus::InReview,
        ExportKind::Own => ExportStatus::Ready,
    };
    let read = state.db.read_long(move |conn| {
        let document = document::collect(conn, &request)?;
        serde_json::to_vec(&document).map_err(Error::internal)
    });
    let bytes = read.await?;
    let (id, member_id, now) = (export.id, export.member_id, state.clock.now());
    let stored = state.db.write(move |conn| {
        if store::finish(conn, id, &bytes, status, now)? && status == ExportStatus::Ready {
            tell(conn, id, member_id, now)?;
        }
        Ok(())
    });
    stored.await
}

/// Tells a member with an account that a document can be read. Whoever has no account gets it from the advisor.
pub(super) fn tell(conn: &mut Conn, id: Id, member_id: Id, now: Timestamp) -> Result<()> {
    let account = accounts::account_of_member(conn, member_id)?.filter(|account| !account.disabled);
    let Some(account) = account else { return Ok(()) };
    let message = NewMessage::to_account(MessageKind::ExportReady, account.id, Some(member_id), now);
    messages::queue(conn, vec![message.once(format!("export_ready:{id}"))], now)
}
