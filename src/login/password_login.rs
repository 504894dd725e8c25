//! Checks a password under the limits of guessing: see [`crate::auth::throttle`].

use super::grant::wrong_password;
use crate::auth::store::Account;
use crate::auth::throttle::buckets::{self, Bucket};
use crate::auth::throttle::{Attempt, Lane, Seen};
use crate::db::{Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::state::State;

/// The account with this address and password.
///
/// # Errors
/// 401 if there is none; 429 if too many wrong passwords were given; 503 if too many attempts wait.
pub async fn authenticate(context: &Context, email: &str, password: String) -> Result<Account> {
    let state = context.state();
    let attempt = state.throttle.attempt(email, context.network())?;
    let first = look(context, &attempt).await?;
    let turn = state.throttle.turn(&attempt, &first).await?;
    let place = state.hasher.place(first.lane()).await?;
    // Attempts that came before may have used up a bucket since. Only those that have a place now aren't counted yet.
    let seen = look(context, &attempt).await?;
    let (state, now) = (state.clone(), context.now());
    let account = to_the_end(async move {
        let _turn = turn;
        if state.hasher.verify(place, password, seen.hash()).await? {
            return seen.account.map(Some).ok_or_else(|| Error::internal("a password without an account"));
        }
        let (throttle, failure) = (state.throttle.clone(), seen.failure());
        state.db.write(move |conn| throttle.fail(conn, &attempt, &failure, now)).await?;
        Ok(None)
    });
    account.await?.ok_or_else(|| wrong_password(context))
}

/// Looks at a guess and counts it if it is wrong, also if the client hangs up meanwhile: the rest of the request is
/// dropped then, and the guess would not count.
pub async fn to_the_end<T: 'static>(work: impl Future<Output = Result<T>> + 'static) -> Result<T> {
    actix_web::rt::spawn(work).await.map_err(Error::internal)?
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

/// In how many seconds a bucket lets the next hit through; `None` if it does now.
pub async fn wait_of(state: &State, bucket: Bucket, now: Timestamp) -> Result<Option<u32>> {
    let levels = state.db.read(move |conn| buckets::levels(conn, std::slice::from_ref(&bucket), now)).await?;
    Ok(levels.iter().find_map(|level| level.wait))
}

/// Whether this is the password of the caller's own account. Whoever holds a token must not guess the password with it.
///
/// # Errors
/// 429 if too many wrong passwords were given.
pub async fn is_own_password(context: &Context, id: Id, password: String, hash: Option<String>) -> Result<bool> {
    let (state, now) = (context.state(), context.now());
    let bucket = state.throttle.own_password(id);
    // Without turns, many guesses at once would all look at the bucket before the first of them is counted.
    let turn = state.throttle.own_turn(id).await?;
    if let Some(seconds) = wait_of(state, bucket.clone(), now).await? {
        return Err(too_many_wrong(seconds));
    }
    let (place, state) = (state.hasher.place(Lane::New).await?, state.clone());
    to_the_end(async move {
        let _turn = turn;
        let right = state.hasher.verify(place, password, hash).await?;
        if !right {
            state.db.write(move |conn| buckets::hit(conn, vec![bucket.clone()], now)).await?;
        }
        Ok(right)
    })
    .await
}

/// Counts a wrong secret of an API client, and answers it. A right secret is never refused: a secret can't be guessed,
/// so this only bounds what wrong ones cost.
///
/// # Errors
/// 429 if too many wrong secrets came from the network, otherwise `wrong`.
pub async fn refuse_client(context: &Context, wrong: Error) -> Error {
    let (state, now) = (context.state().clone(), context.now());
    let bucket = state.throttle.client_secret(context.network());
    let counted = to_the_end(async move {
        if let Some(seconds) = wait_of(&state, bucket.clone(), now).await? {
            let detail = "Too many wrong credentials of API clients from your network. Check the id and the secret.";
            return Err(Error::too_many(detail, seconds));
        }
        state.db.write(move |conn| buckets::hit(conn, vec![bucket.clone()], now)).await
    });
    counted.await.err().unwrap_or(wrong)
}
