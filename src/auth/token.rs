//! Access tokens: JWTs of type `at+jwt` (RFC 9068), signed with Ed25519. Verification accepts no other algorithm.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::caller::{CallerKind, Role};
use super::key_files::{make_once, read_private, trouble, with_extension};
pub use super::keys::{Jwk, Jwks};
use super::logins::token::RefreshKey;
use crate::db::{Id, Timestamp};
use crate::error::{Error, Result};

/// How long an access token lasts, in seconds.
pub const LIFETIME: i64 = 15 * 60;
/// Who access tokens are for.
pub const AUDIENCE: &str = "life-rooms";
const TYPE: &str = "at+jwt";
/// How the names of signing keys' files end.
const EXTENSION: &str = "der";
/// The name of the first key's file.
const FIRST: &str = "0001.der";
/// How many seconds ahead of our clock the clock of another server may be.
const SKEW: i64 = 30;
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

struct Key {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: Vec<u8>,
}

/// The signing keys, and the tokens that were verified lately. Verifying a signature costs more than a whole read.
pub struct Tokens {
    issuer: String,
    /// The last key signs; every key verifies.
    keys: Vec<Key>,
    refresh: RefreshKey,
    verified: Cache<[u8; 32], Claims>,
}

impl Tokens {
    /// Loads the keys of a folder. If the folder is empty or missing, makes a first key.
    ///
    /// # Errors
    /// When the folder can't be read or written, or holds a file that isn't a key.
    pub fn open(folder: &Path, issuer: String) -> Result<Self> {
        make_first_key(folder).map_err(|e| trouble(folder, e))?;
        let files = with_extension(folder, EXTENSION).map_err(|e| trouble(folder, e))?;
        let keys = files.iter().map(|path| load(path)).collect::<Result<Vec<_>>>()?;
        Ok(Self { issuer, keys, refresh: RefreshKey::open(folder)?, verified: Cache::new(REMEMBERED) })
    }

    /// The key of refresh tokens.
    pub fn refresh(&self) -> &RefreshKey {
        &self.refresh
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Signs a token.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let key = self.keys.last().ok_or_else(|| Error::internal("there is no signing key"))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid = Some(key.id.clone());
        jsonwebtoken::encode(&header, claims, &key.encoding).map_err(Error::internal)
    }

    /// Verifies a token at this instant.
    ///
    /// # Errors
    /// Why the token isn't valid. The text is for the log only.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, String> {
        let hash = <[u8; 32]>::try_from(digest(&SHA256, token.as_bytes()).as_ref()).map_err(|e| e.to_string())?;
        let seconds = now.0.timestamp();
        let claims = self.verified.get_or_insert_with(&hash, || self.decode(token))?;
        if claims.exp <= seconds {
            return Err("expired".into());
        }
        if claims.nbf > seconds + SKEW {
            return Err("not yet valid".into());
        }
        Ok(claims)
    }

    fn decode(&self, token: &str) -> Result<Claims, String> {
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
        let key = self.keys.iter().find(|key| Some(&key.id) == header.kid.as_ref()).ok_or("unknown key")?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // `verify` compares the times itself at every use, also of a remembered token.
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation);
        decoded.map(|data| data.claims).map_err(|e| e.to_string())
    }

    /// The public keys (RFC 7517, RFC 8037).
    pub fn public(&self) -> Jwks {
        let jwk = |key: &Key| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            x: URL_SAFE_NO_PAD.encode(&key.public),
            kid: key.id.clone(),
            alg: "EdDSA",
            r#use: "sig",
        };
        Jwks { keys: self.keys.iter().map(jwk).collect() }
    }
}

/// Makes the first key of an empty folder.
fn make_first_key(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    if !with_extension(folder, EXTENSION)?.is_empty() {
        return Ok(());
    }
    make_once(folder, FIRST, new_key()?.as_ref())
}

/// A new key in PKCS#8.
fn new_key() -> std::io::Result<impl AsRef<[u8]>> {
    let pair = Ed25519KeyPair::generate().map_err(|_| std::io::Error::other("no randomness"))?;
    pair.to_pkcs8v1().map_err(|_| std::io::Error::other("no key"))
}

fn load(path: &Path) -> Result<Key> {
    let der = read_private(path)?;
    let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|e| trouble(path, e))?;
    let public = pair.public_key().as_ref().to_vec();
    Ok(Key {
        id: URL_SAFE_NO_PAD.encode(&digest(&SHA256, &public).as_ref()[..12]),
        encoding: EncodingKey::from_ed_der(&der),
        decoding: DecodingKey::from_ed_der(&public),
        public,
    })
}
