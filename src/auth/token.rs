//! Access tokens: JWTs of type `at+jwt` (RFC 9068), signed with Ed25519. Verification accepts no other algorithm.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::DateTime;
use jsonwebtoken::{Algorithm, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::caller::{CallerKind, Role};
pub use super::keys::{Jwk, Jwks};
use super::logins::token::RefreshKey;
use super::signing_keys::Ring;
use crate::db::{Id, Timestamp};
use crate::error::{Error, Result};

/// How long an access token lasts, in seconds.
pub const LIFETIME: i64 = 15 * 60;
/// Who access tokens are for.
pub const AUDIENCE: &str = "life-rooms";
const TYPE: &str = "at+jwt";
/// How many seconds ahead of our clock the clock of another server may be.
pub const SKEW: i64 = 30;
/// How many seconds pass before the folder of keys is looked at again. Nobody can make a server look more often.
const LOOK_EVERY: u64 = 5;
/// How many verified tokens are remembered. One more takes the place of one that was not used for long.
const REMEMBERED: usize = 10_000;

/// The claims of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: the public URL.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// The account or client.
    pub sub: Id,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it starts to be valid.
    pub nbf: i64,
    /// When it ends.
    pub exp: i64,
    /// The token's own id.
    pub jti: Id,
    /// A person or a program.
    pub kind: CallerKind,
    /// The role.
    pub role: Role,
    /// The account's generation when the token was made. The generation rises when all tokens of the account must end.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// The partner, if the role is `partner`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub partner_id: Option<Id>,
    /// The member, if the role is `member`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub member_id: Option<Id>,
    /// The login, if the token is an account's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sid: Option<Id>,
    /// The scopes of a client's token, separated by blanks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
}

/// The signing keys, and the tokens that were verified lately. Verifying a signature costs more than a whole read.
pub struct Tokens {
    issuer: String,
    folder: PathBuf,
    ring: RwLock<Arc<Ring>>,
    /// When the folder was last looked at, in seconds since 1970.
    looked_at: AtomicI64,
    refresh: RefreshKey,
    verified: Cache<[u8; 32], Verified>,
}

/// The claims of a token whose signature is right, and the id of the key that signed it.
type Verified = (Claims, String);

impl Tokens {
    /// Loads the keys of a folder. If the folder is empty or missing, makes the first keys.
    ///
    /// # Errors
    /// When the folder can't be read or written, or holds a file that isn't a key.
    pub fn open(folder: &Path, issuer: String) -> Result<Self> {
        Ok(Self {
            issuer,
            ring: RwLock::new(Arc::new(Ring::open(folder)?)),
            looked_at: AtomicI64::new(0),
            refresh: RefreshKey::open(folder)?,
            verified: Cache::new(REMEMBERED),
            folder: folder.to_owned(),
        })
    }

    /// The key of refresh tokens.
    pub fn refresh(&self) -> &RefreshKey {
        &self.refresh
    }

    /// The signing keys as the folder had them a few seconds ago at most.
    fn ring(&self, now: Timestamp) -> Arc<Ring> {
        let known = Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner));
        let (last, seconds) = (self.looked_at.load(Ordering::Relaxed), now.0.timestamp());
        let fresh = seconds.abs_diff(last) < LOOK_EVERY;
        // Only one of several requests looks.
        if fresh || self.looked_at.compare_exchange(last, seconds, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return known;
        }
        match known.changed(&self.folder) {
            Ok(None) => known,
            Ok(Some(ring)) => {
                log::info!("the folder of keys has changed: its keys are used from now on");
                let ring = Arc::new(ring);
                *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ring);
                ring
            }
            Err(error) => {
                log::error!("the keys of before stay in use: {error}");
                known
            }
        }
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Signs a token with the key of the time at which the token is made.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let made = DateTime::from_timestamp(claims.iat, 0).map(Timestamp);
        let made = made.ok_or_else(|| Error::internal("a token was made at no time"))?;
        let ring = self.ring(made);
        let key = ring.signing(made)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid = Some(key.id.clone());
        jsonwebtoken::encode(&header, claims, &key.encoding).map_err(Error::internal)
    }

    /// Signs bytes that are no token, with the key that signs at this time. The public half of the key stays in the folder
    /// for ever, so that the signature can always be checked. Returns the id of the key and the signature.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn sign_for_ever(&self, bytes: &[u8], now: Timestamp) -> Result<(String, Vec<u8>)> {
        let ring = self.ring(now);
        let key = ring.signing(now)?;
        key.keep_public(&self.folder)?;
        Ok((key.id.clone(), key.sign(bytes)))
    }

    /// The folder of the keys.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Verifies a token at this instant.
    ///
    /// # Errors
    /// Why the token isn't valid. The text is for the log only.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, String> {
        let hash = <[u8; 32]>::try_from(digest(&SHA256, token.as_bytes()).as_ref()).map_err(|e| e.to_string())?;
        let seconds = now.0.timestamp();
        let ring = self.ring(now);
        let (claims, key) = self.verified.get_or_insert_with(&hash, || self.decode(token, &ring, now))?;
        // A key can have ended since the token was remembered.
        if ring.verifying(&key, now).is_none() {
            return Err("the key has ended".into());
        }
        if claims.exp <= seconds {
            return Err("expired".into());
        }
        if claims.nbf > seconds + SKEW {
            return Err("not yet valid".into());
        }
        Ok(claims)
    }

    fn decode(&self, token: &str, ring: &Ring, now: Timestamp) -> Result<Verified, String> {
        let header = jsonwebtoken::decode_header(token).map_err(|e| e.to_string())?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err("another algorithm or type".into());
        }
        // `crit` lists extensions; a verifier that doesn't understand them must refuse the token (RFC 7515, section
        // 4.1.11). This service understands none. Its tokens are never encrypted (`enc`) or compressed (`zip`) either.
        if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
            return Err("needs an extension that isn't supported".into());
        }
        if header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some() {
            return Err("names a key of its own".into());
        }
        let key = header.kid.and_then(|id| ring.verifying(&id, now)).ok_or("unknown key")?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // `verify` compares the times itself at every use, also of a remembered token.
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation);
        decoded.map(|data| (data.claims, key.id.clone())).map_err(|e| e.to_string())
    }

    /// The public keys of the tokens that count at this time.
    pub fn public(&self, now: Timestamp) -> Jwks {
        self.ring(now).public(now)
    }
}
