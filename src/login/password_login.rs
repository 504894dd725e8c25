//! Checks a password under the limits of guessing: see [`crate::auth::throttle`].

use super::grant::wrong_password;
use crate::auth::store::Account;
use crate::auth::throttle::{self, Attempt, Lane, Seen, buckets};
use crate::db::Id;
use crate::error::{Error, Result};
use crate::http::context::Context;

/// An account whose password was right.
pub struct Authenticated {
    /// The account.
    pub account: Account,
    seen: Seen,
}

/// The account with this address and password.
///
/// # Errors
/// 401 if there is none; 429 if too many wrong passwords were given; 503 if too many attempts wait.
pub async fn authenticate(context: &Context, email: &str, password: String) -> Result<Authenticated> {
    let state = context.state();
    let attempt = state.throttle.attempt(email, context.network())?;
    let first = look(context, &attempt).await?;
    let _turn = state.throttle.turn(&attempt, &first).await?;
    // Attempts that came before may have used up a bucket since.
    let seen = look(context, &attempt).await?;
    if state.hasher.verify(seen.lane(), password, seen.hash()).await? {
        let account = seen.account.clone().ok_or_else(|| Error::internal("a password without an account"))?;
        return Ok(Authenticated { account, seen });
    }
    let (throttle, failure, now) = (state.throttle.clone(), seen.failure(), context.now());
    state.db.write(move |conn| throttle.fail(conn, &attempt, &failure, now)).await?;
    Err(wrong_password(context))
}

/// What the database says of an attempt.
///
/// # Errors
/// 429 if one of its buckets is empty.
async fn look(context: &Context, attempt: &Attempt) -> Result<Seen> {
    let (state, attempt, now) = (context.state(), attempt.clone(), context.now());
    let throttle = state.throttle.clone();
    let seen = state.db.read(move |conn| throttle.look(conn, &attempt, now)).await?;
    match seen.wait {
        Some(seconds) => Err(too_many_wrong(seconds)),
        None => Ok(seen),
    }
}

fn too_many_wrong(seconds: u32) -> Error {
    let detail =
        format!("Too many wrong passwords. Try again in {seconds} seconds. Nothing was checked or counted now.");
    Error::too_many(detail, seconds)
}

/// Keeps what a login that has begun changes: its network is known from now on. If that can't be written, the login
/// stands.
pub async fn remember(context: &Context, authenticated: &Authenticated) {
    let (state, now) = (context.state(), context.now());
    let Some(success) = authenticated.seen.success(now) else { return };
    let kept = state.db.write(move |conn| throttle::succeed(conn, &success, now)).await;
    if let Err(error) = kept {
        log::warn!("request={} the network of a login was not kept: {error}", context.request_id());
    }
}

/// Whether this is the password of the caller's own account. Whoever holds a token must not guess the password with it.
///
/// # Errors
/// 429 if too many wrong passwords were given.
pub async fn is_own_password(context: &Context, id: Id, password: String, hash: Option<String>) -> Result<bool> {
    let (state, now) = (context.state(), context.now());
    let bucket = state.throttle.own_password(id);
    // Without turns, many guesses at once would all look at the bucket before the first of them is counted.
    let _turn = state.throttle.own_turn(id).await?;
    let looked_at = [bucket.clone()];
    let levels = state.db.read(move |conn| buckets::levels(conn, &looked_at, now)).await?;
    if let Some(seconds) = levels.iter().find_map(|level| level.wait) {
        return Err(too_many_wrong(seconds));
    }
    let right = state.hasher.verify(Lane::New, password, hash).await?;
    if !right {
        state.db.write(move |conn| buckets::hit(conn, vec![bucket.clone()], now)).await?;
    }
    Ok(right)
}

/// Counts a wrong secret of an API client, and answers it. A right secret is never refused: a secret can't be guessed,
/// so this only bounds what wrong ones cost.
///
/// # Errors
/// 429 if too many wrong secrets came from the network, otherwise `wrong`.
pub async fn refuse_client(context: &Context, wrong: Error) -> Error {
    let (state, now) = (context.state(), context.now());
    let bucket = state.throttle.client_secret(context.network());
    let looked_at = [bucket.clone()];
    let counted = async {
        let levels = state.db.read(move |conn| buckets::levels(conn, &looked_at, now)).await?;
        if let Some(seconds) = levels.iter().find_map(|level| level.wait) {
            let detail = "Too many wrong credentials of API clients from your network. Check the id and the secret.";
            return Err(Error::too_many(detail, seconds));
        }
        state.db.write(move |conn| buckets::hit(conn, vec![bucket.clone()], now)).await
    };
    counted.await.err().unwrap_or(wrong)
}
