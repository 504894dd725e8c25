//! Passwords: argon2id with the parameters of the OWASP cheat sheet, a few at a time and off the request threads.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::text::password::normal;

/// Memory in KiB, passes and lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// Hashes that may wait; one more is refused with 503.
const QUEUE: usize = 256;
/// The longest wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes and verifies passwords, at most a few at a time: 19 MiB each.
pub struct Hasher {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// The hash of a password nobody has, so that an unknown account takes as long as a wrong password.
    nobody: String,
}

impl Hasher {
    /// A hasher that leaves half of the cores to other requests.
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            places: Arc::new(Semaphore::new((cores / 2).max(1))),
            queue: Arc::new(Semaphore::new(QUEUE)),
            nobody: hash(&super::secret::new_secret()?)?,
        })
    }

    /// The hash of a password, in PHC form.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.run(move || hash(&password)).await
    }

    /// Whether the password is the one of this hash. Without a hash it takes as long and is never right.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let right = self.run(move || verify(&password, &stored)).await?;
        Ok(right && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _waiting = self.queue.try_acquire().map_err(|_| Error::overloaded())?;
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| Error::overloaded())?.map_err(Error::internal)?;
        // The place goes with the work: a client that hangs up doesn't free it early.
        let run = move || {
            let outcome = work();
            drop(place);
            outcome
        };
        actix_web::web::block(run).await.map_err(Error::blocking)?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a password, in PHC form, whichever way its letters were typed ([`normal`]). Takes tens of milliseconds:
/// never on a request thread.
pub fn hash(password: &str) -> Result<String> {
    Ok(argon2()?.hash_password(normal(password).as_bytes()).map_err(Error::internal)?.to_string())
}

fn verify(password: &str, stored: &str) -> Result<bool> {
    let parsed = PasswordHash::new(stored).map_err(Error::internal)?;
    Ok(argon2()?.verify_password(normal(password).as_bytes(), &parsed).is_ok())
}

/// Whether a password is of a length that is taken: 8 to 128 characters, composed.
pub fn good_length(password: &str) -> bool {
    (8..=128).contains(&normal(password).chars().count())
}
