//! The signing keys in their folder, and which of them counts when.
//!
//! At most two keys count. A new key is published at once, and signs a minute and a half later: by then every server and
//! every cache has it. The key before verifies until the last token that it signed has ended.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime};
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::key_files::{make_once, read_private, trouble, with_extension};
use super::keys::{Jwk, Jwks};
use super::token::{LIFETIME, SKEW};
use crate::db::Timestamp;
use crate::error::{Error, Kind, Result};

/// How the names of signing keys' files end.
const EXTENSION: &str = "der";
/// How the names of files with public halves end. They stay when their key is taken away: what it signed can be checked
/// for ever.
const PUBLIC: &str = "pub";
/// The name of the first key's file.
const FIRST: &str = "0001.der";
/// The time in the name of a later key's file, in UTC: `0002-20261123T090000Z.der`.
const MADE: &str = "%Y%m%dT%H%M%SZ";
/// How many keys count.
const MOST: usize = 2;
/// For how many seconds a new key is published before it signs. Caches keep the published keys for a minute.
const ANNOUNCED: i64 = 90;
/// For how many seconds after a new key was made the key before it verifies.
const OVERLAP: i64 = ANNOUNCED + LIFETIME + SKEW;

/// A signing key.
pub struct Key {
    /// Its id, in the header of the tokens that it signs.
    pub id: String,
    /// Its private half.
    pub encoding: EncodingKey,
    /// Its public half.
    pub decoding: DecodingKey,
    public: Vec<u8>,
    pair: Ed25519KeyPair,
    /// When it begins to sign; `None` if it always could.
    signs_from: Option<Timestamp>,
    /// When it stops to verify; `None` if it is the newest.
    verifies_until: Option<Timestamp>,
}

impl Key {
    /// The signature of some bytes. They must begin with words that no token begins with.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// Keeps the public half in the folder, in a file of its own.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn keep_public(&self, folder: &Path) -> Result<()> {
        let name = format!("{}.{PUBLIC}", self.id);
        if fs::exists(folder.join(&name)).is_ok_and(|there| there) {
            return Ok(());
        }
        make_once(folder, &name, &self.public).map_err(|e| trouble(folder, e))
    }

    /// Whether tokens of this key count at this time.
    pub fn verifies(&self, now: Timestamp) -> bool {
        self.verifies_until.is_none_or(|end| now < end)
    }
}

/// The keys of a folder that can count, from the oldest to the newest.
pub struct Ring {
    keys: Vec<Key>,
    files: Vec<PathBuf>,
}

impl Ring {
    /// Loads the keys of a folder. If the folder has none or is missing, makes a first key.
    ///
    /// # Errors
    /// When the folder can't be read or written, or holds a file that isn't a key.
    pub fn open(folder: &Path) -> Result<Self> {
        let made = fs::create_dir_all(folder)
            .and_then(|()| with_extension(folder, EXTENSION))
            .and_then(|files| if files.is_empty() { make_once(folder, FIRST, new_key()?.as_ref()) } else { Ok(()) });
        made.map_err(|e| trouble(folder, e))?;
        Self::load(counting(folder)?)
    }

    /// The keys that the folder has now; `None` if they are the same as these.
    ///
    /// # Errors
    /// When the folder can't be read, or holds no key or a file that isn't one.
    pub fn changed(&self, folder: &Path) -> Result<Option<Self>> {
        let files = counting(folder)?;
        if files == self.files { Ok(None) } else { Self::load(files).map(Some) }
    }

    fn load(files: Vec<PathBuf>) -> Result<Self> {
        let mut keys: Vec<Key> = Vec::new();
        for path in &files {
            let made = made_at(path);
            if let Some(before) = keys.last_mut() {
                before.verifies_until = made.map(|made| made.plus_seconds(OVERLAP));
            }
            keys.push(read(path, made.map(|made| made.plus_seconds(ANNOUNCED)))?);
        }
        Ok(Self { keys, files })
    }

    /// The key that signs at this time: the newest one that every server has seen. If the only key is new, it signs at
    /// once.
    pub fn signing(&self, now: Timestamp) -> Result<&Key> {
        let ready = self.keys.iter().rev().find(|key| key.signs_from.is_none_or(|start| start <= now));
        ready.or(self.keys.first()).ok_or_else(|| Error::internal("there is no signing key"))
    }

    /// The key with this id, if its tokens count at this time.
    pub fn verifying(&self, id: &str, now: Timestamp) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id && key.verifies(now))
    }

    /// The public halves of the keys that count at this time (RFC 7517, RFC 8037).
    pub fn public(&self, now: Timestamp) -> Jwks {
        let jwk = |key: &Key| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            x: URL_SAFE_NO_PAD.encode(&key.public),
            kid: key.id.clone(),
            alg: "EdDSA",
            r#use: "sig",
        };
        Jwks { keys: self.keys.iter().filter(|key| key.verifies(now)).map(jwk).collect() }
    }
}

/// The keys after a rotation.
pub struct Rotated {
    /// The id of the new key.
    pub id: String,
    /// When it begins to sign.
    pub signs_from: Timestamp,
    /// When the key before stops to verify; `None` if it already has.
    pub before_until: Option<Timestamp>,
}

/// Makes a new signing key and takes away the keys that no longer count. If the keys are stolen, no older one counts any
/// more, and every token that they signed has ended.
///
/// # Errors
/// 404 if the folder holds no key. 409 if the key before the newest still counts: its tokens would end early. When the
/// folder can't be read or written.
pub fn rotate(folder: &Path, now: Timestamp, stolen: bool) -> Result<Rotated> {
    let old = with_extension(folder, EXTENSION).map_err(|e| trouble(folder, e))?;
    if old.is_empty() {
        let detail = format!(
            "{} holds no signing key, so no server uses it. Give the folder that the servers use in LIFE_ROOMS_KEY_DIR.",
            folder.display()
        );
        return Err(Error::new(Kind::NotFound, detail));
    }
    let newest = old.last().and_then(|path| made_at(path));
    if let Some(made) = newest
        && !stolen
        && made.plus_seconds(OVERLAP) > now
    {
        let again = made.plus_seconds(OVERLAP);
        let detail = format!("The newest key was made at {made}, and the one before is still in use until {again}.");
        return Err(Error::new(Kind::InvalidState, detail));
    }
    let number = old.last().map_or(0, |path| number_of(path)) + 1;
    let name = format!("{number:04}-{}.{EXTENSION}", now.0.format(MADE));
    let made = new_key().and_then(|key| make_once(folder, &name, key.as_ref()));
    made.map_err(|e| trouble(folder, e))?;
    let kept = if stolen { 0 } else { 1 };
    for path in &old[..old.len().saturating_sub(kept)] {
        fs::remove_file(path).map_err(|e| trouble(path, e))?;
    }
    let signs_from = if stolen { now } else { now.plus_seconds(ANNOUNCED) };
    let before_until = (!stolen).then(|| now.plus_seconds(OVERLAP));
    Ok(Rotated { id: read(&folder.join(name), None)?.id, signs_from, before_until })
}

/// The public halves of the keys that a folder has or had, by the ids of the keys.
///
/// # Errors
/// When the folder can't be read, or when a file holds another key than its name says.
pub fn public_halves(folder: &Path) -> Result<HashMap<String, Vec<u8>>> {
    let mut halves = HashMap::new();
    for path in with_extension(folder, PUBLIC).map_err(|e| trouble(folder, e))? {
        // Everybody may read these: a copy for whoever checks the audit may have any mode.
        let public = fs::read(&path).map_err(|e| trouble(&path, e))?;
        let id = id_of(&public);
        if path.file_stem().is_none_or(|name| name != id.as_str()) {
            return Err(trouble(&path, "it doesn't hold the public key that its name says"));
        }
        halves.insert(id, public);
    }
    for path in with_extension(folder, EXTENSION).map_err(|e| trouble(folder, e))? {
        let key = read(&path, None)?;
        halves.insert(key.id, key.public);
    }
    Ok(halves)
}

/// The id of the key with this public half.
fn id_of(public: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, public).as_ref()[..12])
}

/// The files of the keys that can count: the newest two.
fn counting(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = with_extension(folder, EXTENSION).map_err(|e| trouble(folder, e))?;
    if files.is_empty() {
        return Err(trouble(folder, "it holds no signing key"));
    }
    Ok(files.split_off(files.len().saturating_sub(MOST)))
}

/// The number that the name of a key's file begins with.
fn number_of(path: &Path) -> u32 {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.split('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// When a key was made; `None` if the name of its file doesn't say, as that of the first doesn't.
fn made_at(path: &Path) -> Option<Timestamp> {
    let (_, made) = path.file_stem()?.to_str()?.split_once('-')?;
    let made = NaiveDateTime::parse_from_str(made, MADE).ok()?;
    Some(Timestamp(DateTime::from_naive_utc_and_offset(made, chrono::Utc)))
}

/// A new key in PKCS#8.
fn new_key() -> std::io::Result<impl AsRef<[u8]>> {
    let pair = Ed25519KeyPair::generate().map_err(|_| std::io::Error::other("no randomness"))?;
    pair.to_pkcs8v1().map_err(|_| std::io::Error::other("no key"))
}

fn read(path: &Path, signs_from: Option<Timestamp>) -> Result<Key> {
    let der = read_private(path)?;
    let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|e| trouble(path, e))?;
    let public = pair.public_key().as_ref().to_vec();
    Ok(Key {
        id: id_of(&public),
        encoding: EncodingKey::from_ed_der(&der),
        decoding: DecodingKey::from_ed_der(&public),
        public,
        pair,
        signs_from,
        verifies_until: None,
    })
}
