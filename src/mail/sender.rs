//! The task that sends what is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;

use super::compose::{Decision, Desk};
use super::post::{Outcome, Outgoing, Post};
use super::store;
use crate::background::Task;
use crate::config::Mail;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::state::State;
use crate::messages::queue::MessageRow;

/// How long a run takes further batches. The lease of the task, and of each message, is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// The task that sends messages.
pub const TASK: Task = Task {
    name: "messages",
    every: Duration::from_secs(2),
    longest: Duration::from_secs(120),
    due: store::is_due,
    run: |state| -> LocalBoxFuture<'static, Result<()>> { Box::pin(run(state)) },
};

/// Sends what is due, a batch at a time, no faster than the settings allow.
async fn run(state: State) -> Result<()> {
    let (begun, mut sent) = (Instant::now(), 0);
    let most = state.config.mail.as_ref().map_or(u32::MAX, |mail| mail.per_minute);
    while begun.elapsed() < LONGEST && !state.stopping() && sent < most {
        match send_batch(&state).await? {
            None => break,
            Some(mails) => sent += mails,
        }
    }
    // The rest of the minute passes before the next run, so that no more are sent in a minute.
    if sent >= most {
        tokio::time::sleep(LONGEST.saturating_sub(begun.elapsed())).await;
    }
    Ok(())
}

/// Sends one batch. How many mails it was; `None` if nothing was due.
async fn send_batch(state: &State) -> Result<Option<u32>> {
    let holder = state.clock.new_id();
    let shared = state.clone();
    let decided = state.db.write(move |conn| decide(conn, &shared, holder));
    let Some(mails) = decided.await? else { return Ok(None) };
    let Some(mail) = state.config.mail.clone().map(Arc::new) else { return Ok(Some(0)) };
    let count = u32::try_from(mails.len()).unwrap_or(u32::MAX);
    for (rows, outgoing) in mails {
        send(state, holder, Arc::clone(&mail), rows, outgoing).await?;
    }
    Ok(Some(count))
}

/// Takes what is due, writes what isn't sent and why, and returns the mails to send. `None` if nothing was due.
fn decide(conn: &mut Conn, state: &State, holder: Id) -> Result<Option<Vec<(Vec<MessageRow>, Outgoing)>>> {
    let now = state.clock.now();
    let rows = store::take(conn, holder, now)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let config = &state.config;
    let domain = config.mail.as_ref().and_then(|mail| mail.from.address.rsplit_once('@'));
    let domain = domain.map_or("life-rooms.invalid", |(_, domain)| domain).to_owned();
    let desk = Desk { key: state.tokens.refresh(), front_end: &config.front_end_url, domain: &domain, now };
    let mut mails = Vec::new();
    for decision in desk.decide(conn, rows)? {
        match decision {
            Decision::Skip(ids, why) => store::skip(conn, &ids, why)?,
            Decision::Send(rows, _) if config.mail.is_none() => {
                store::skip(conn, &rows.iter().map(|row| row.id).collect::<Vec<_>>(), "no_mail")?;
            }
            Decision::Send(rows, outgoing) => mails.push((rows, outgoing)),
        }
    }
    Ok(Some(mails))
}

/// Sends one mail and writes what became of it. If the server dies in between, another one sends it again, with the same
/// `Message-ID`.
async fn send(state: &State, holder: Id, mail: Arc<Mail>, rows: Vec<MessageRow>, outgoing: Outgoing) -> Result<()> {
    let message_id = outgoing.message_id.clone();
    let sending = actix_web::web::block(move || Post::new(&mail).map(|post| post.send(&outgoing)));
    let outcome = sending.await.map_err(Error::blocking)??;
    if outcome != Outcome::Sent {
        // Ids only: an address is personal.
        log::warn!("a message was not sent: message={message_id} {outcome:?}");
    }
    let attempts = rows.iter().map(|row| row.attempts).max().unwrap_or_default();
    let (ids, now) = (rows.iter().map(|row| row.id).collect::<Vec<_>>(), state.clock.now());
    let settled = move |conn: &mut Conn| store::settle(conn, (holder, &ids), (&outcome, attempts), &message_id, now);
    state.db.write(settled).await
}
