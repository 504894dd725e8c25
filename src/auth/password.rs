//! Passwords, hashed with argon2id and the parameters of the OWASP cheat sheet. A hash is slow and needs much memory,
//! so only a few run at a time, and none on a request thread.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::throttle::Lane;
use super::throttle::lanes::{Lanes, Place};
use crate::error::{Error, Result};
use crate::text::password::normal;

/// The cost of argon2id: memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Hashes and verifies passwords. Each takes 19 MiB, so only a few run at a time.
pub struct Hasher {
    lanes: Lanes,
    /// The hash of a password that nobody has. Verifying against this hash makes an unknown account take as long as a
    /// wrong password.
    nobody: String,
}

impl Hasher {
    /// A hasher that leaves half of the cores to other requests.
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self { lanes: Lanes::new((cores / 2).max(1)), nobody: hash(&super::secret::new_secret()?)? })
    }

    /// The hash of a password, in PHC form.
    pub async fn hash(&self, password: String) -> Result<String> {
        Self::run(self.lanes.place(Lane::Known).await?, move || hash(&password)).await
    }

    /// Waits for a place in which a password can be [verified](Self::verify).
    ///
    /// # Errors
    /// 503 if too many wait, or if it takes too long.
    pub async fn place(&self, lane: Lane) -> Result<Place> {
        self.lanes.place(lane).await
    }

    /// Whether the password belongs to this hash. Without a hash the answer is `false` and takes just as long.
    pub async fn verify(&self, place: Place, password: String, stored: Option<String>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let right = Self::run(place, move || verify(&password, &stored)).await?;
        Ok(right && known)
    }

    async fn run<T: Send + 'static>(place: Place, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        // The work holds its place until it ends, even if the client hangs up.
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

/// The hash of a password, in PHC form. One password has one hash, however its letters were typed: see [`normal`].
///
/// Takes tens of milliseconds, so it must never run on a request thread.
pub fn hash(password: &str) -> Result<String> {
    Ok(argon2()?.hash_password(normal(password).as_bytes()).map_err(Error::internal)?.to_string())
}

fn verify(password: &str, stored: &str) -> Result<bool> {
    let parsed = PasswordHash::new(stored).map_err(Error::internal)?;
    Ok(argon2()?.verify_password(normal(password).as_bytes(), &parsed).is_ok())
}
