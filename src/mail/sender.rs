//! The task that sends what is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;

use super::compose::{Decision, Desk};
use super::post::{Outcome, Outgoing, Post};
use super::store;
use crate::background::Task;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::state::State;
use crate::messages::queue::MessageRow;

/// How long a run takes further batches and mails. The lease of the task, and of each message, is longer.
const LONGEST: Duration = Duration::from_secs(60);
/// The seconds in which so many mails are sent at most.
const MINUTE: i64 = 60;
/// How long one mail may take, whatever the mail server does.
const LONGEST_MAIL: Duration = Duration::from_secs(30);

/// The task that sends messages.
pub const TASK: Task = Task {
    name: "messages",
    every: Duration::from_secs(2),
    longest: Duration::from_secs(120),
    due: store::is_due,
    run: |state| -> LocalBoxFuture<'static, Result<()>> { Box::pin(run(state)) },
};

/// Sends what is due, a batch at a time. In each minute no more than the settings allow: what earlier runs have sent
/// counts too. A run that may send nothing more ends, and another one begins soon.
async fn run(state: State) -> Result<()> {
    let (begun, mut sent) = (Instant::now(), 0);
    let most = match &state.config.mail {
        Some(mail) => {
            let (per_minute, now) = (mail.per_minute, state.clock.now());
            let minute_ago = now.plus_seconds(-MINUTE);
            let tried = state.db.read(move |conn| store::tried_after(conn, minute_ago, now)).await?;
            per_minute.saturating_sub(tried)
        }
        None => u32::MAX,
    };
    while begun.elapsed() < LONGEST && !state.stopping() && sent < most {
        match send_batch(&state, begun, most - sent).await? {
            None => break,
            Some(mails) => sent += mails,
        }
    }
    Ok(())
}

/// Sends one batch through one connection, at most this many mails. How many it was; `None` if nothing was due. Mails that
/// are too many are given back, and those that are left when the run has taken long enough: a mail server that hangs must
/// not keep them beyond their lease.
async fn send_batch(state: &State, begun: Instant, most: u32) -> Result<Option<u32>> {
    let holder = state.clock.new_id();
    let shared = state.clone();
    let decided = state.db.write(move |conn| decide(conn, &shared, holder));
    let Some(mails) = decided.await? else { return Ok(None) };
    let Some(mail) = state.config.mail.clone().map(Arc::new) else { return Ok(Some(0)) };
    let (mut post, mut left, mut tried) = (None, Vec::new(), 0);
    for (rows, outgoing) in mails {
        if tried >= most || begun.elapsed() >= LONGEST || state.stopping() {
            left.extend(rows);
            continue;
        }
        let open = post.take().unwrap_or_else(|| Post::new(Arc::clone(&mail)));
        post = send(state, holder, open, rows, outgoing).await?;
        tried += 1;
    }
    if let Some(post) = post {
        actix_web::web::block(move || post.close()).await.map_err(Error::blocking)?;
    }
    if !left.is_empty() {
        state.db.write(move |conn| store::give_back(conn, holder, &left)).await?;
    }
    Ok(Some(tried))
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
    let (front_end, public_url) = (config.front_end_url.as_str(), config.public_url.as_str());
    let desk = Desk { key: state.tokens.refresh(), front_end, public_url, domain: &domain, now };
    let mut mails = Vec::new();
    for decision in desk.decide(conn, rows)? {
        match decision {
            Decision::Skip(ids, why) => store::skip(conn, &ids, why, now)?,
            Decision::Wait(ids, digest) => store::join(conn, &ids, &digest)?,
            Decision::Send(rows, _) if config.mail.is_none() => {
                store::skip(conn, &rows.iter().map(|row| row.id).collect::<Vec<_>>(), "no_mail", now)?;
            }
            Decision::Send(rows, outgoing) => {
                store::name_mail(conn, &rows, &outgoing.message_id)?;
                mails.push((rows, outgoing));
            }
        }
    }
    Ok(Some(mails))
}

/// Sends one mail and writes what became of it. If the server dies in between, another one sends it again, with the same
/// `Message-ID`. Returns the post for the next mail; `None` if the mail server hangs.
async fn send(
    state: &State,
    holder: Id,
    mut post: Post,
    rows: Vec<MessageRow>,
    outgoing: Outgoing,
) -> Result<Option<Post>> {
    let message_id = outgoing.message_id.clone();
    let sending = actix_web::web::block(move || {
        let outcome = post.send(&outgoing);
        (post, outcome)
    });
    let (post, outcome) = match tokio::time::timeout(LONGEST_MAIL, sending).await {
        Ok(sent) => sent.map(|(post, outcome)| (Some(post), outcome)).map_err(Error::blocking)?,
        // The thread ends by itself. If the mail server takes the mail after all, it is sent twice with one Message-ID.
        Err(_) => (None, Outcome::Later("timeout".into())),
    };
    if outcome != Outcome::Sent {
        // Ids only: an address is personal.
        log::warn!("a message was not sent: message={message_id} {outcome:?}");
    }
    let mut tried: BTreeMap<i32, Vec<Id>> = BTreeMap::new();
    for row in &rows {
        tried.entry(row.attempts).or_default().push(row.id);
    }
    let now = state.clock.now();
    let settled = move |conn: &mut Conn| {
        tried.iter().try_for_each(|(attempts, ids)| store::settle(conn, (holder, ids), (&outcome, *attempts), now))
    };
    state.db.write(settled).await?;
    Ok(post)
}
