//! Refresh tokens: `lrr_`, and then in base64url the login, the number of the token, and a MAC over both.
//!
//! The MAC needs a key that lies beside the database, and a random value that lies in the login's row. So neither a copy
//! of the database nor the key alone yields a token.

use std::path::Path;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::auth::key_files::secret;
use crate::db::Id;
use crate::error::Result;

/// What every refresh token begins with, so that scanners for leaked secrets can find it.
const PREFIX: &str = "lrr_";
/// The name of the key's file.
const FILE: &str = "refresh.key";
/// The length of a MAC.
const LENGTH: usize = 32;
/// What the MAC of a refresh token begins with. Each use of the key has its own label.
const LABEL: &[u8] = b"refresh";

/// The key of the refresh tokens' MACs.
pub struct RefreshKey(hmac::Key);

/// A refresh token as it was presented. Its MAC isn't checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// The login.
    pub login_id: Id,
    /// The number of the token in its family.
    pub counter: i32,
    mac: [u8; LENGTH],
}

impl RefreshKey {
    /// Loads the key of this folder, and makes it first if there is none.
    ///
    /// # Errors
    /// When the file can't be read or made, holds no key, or may be read by others.
    pub fn open(folder: &Path) -> Result<Self> {
        secret(folder, FILE).map(Self)
    }

    /// A key of these bytes.
    #[cfg(test)]
    pub(in crate::auth) fn of(bytes: [u8; LENGTH]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// The key, for uses with other labels: see [`crate::auth::links`].
    pub(in crate::auth) fn key(&self) -> &hmac::Key {
        &self.0
    }

    /// The token with this number.
    pub fn token(&self, login_id: Id, counter: i32, nonce: &[u8]) -> String {
        let mac = hmac::sign(&self.0, &message(login_id, counter, nonce));
        let parts = [login_id.0.as_bytes().as_slice(), &counter.to_be_bytes(), mac.as_ref()];
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(parts.concat()))
    }

    /// Whether the service made this token.
    pub fn made(&self, presented: &Presented, nonce: &[u8]) -> bool {
        let message = message(presented.login_id, presented.counter, nonce);
        hmac::verify(&self.0, &message, &presented.mac).is_ok()
    }
}

fn message(login_id: Id, counter: i32, nonce: &[u8]) -> Vec<u8> {
    [LABEL, login_id.0.as_bytes(), &counter.to_be_bytes(), nonce].concat()
}

impl Presented {
    /// Reads a token; `None` if the text isn't one.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (login_id, rest) = bytes.split_first_chunk::<16>()?;
        let (counter, mac) = rest.split_first_chunk::<4>()?;
        let mac = <[u8; LENGTH]>::try_from(mac).ok()?;
        Some(Self { login_id: Id(Uuid::from_bytes(*login_id)), counter: i32::from_be_bytes(*counter), mac })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn key(byte: u8) -> RefreshKey {
        RefreshKey::of([byte; LENGTH])
    }

    #[test]
    fn a_token_counts_with_its_key_its_nonce_and_its_number() {
        let (id, nonce) = (Id(Uuid::from_u128(7)), [1u8; 16]);
        let token = key(1).token(id, 3, &nonce);
        let presented = Presented::read(&token).unwrap();
        assert_eq!((presented.login_id, presented.counter), (id, 3));
        assert!(key(1).made(&presented, &nonce));
        assert!(!key(2).made(&presented, &nonce));
        assert!(!key(1).made(&presented, &[2; 16]));
        assert!(!key(1).made(&Presented { counter: 4, ..presented }, &nonce));
        assert!(!key(1).made(&Presented { login_id: Id(Uuid::from_u128(8)), ..presented }, &nonce));
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        let token = key(1).token(Id(Uuid::from_u128(7)), 3, &[1; 16]);
        let short = &token[..token.len() - 2];
        for text in ["", "lrr_", "lrr_AAAA", &token[4..], short, &format!("{token}AA"), &token.replace("lrr_", "lrx_")]
        {
            assert_eq!(Presented::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_made_once_and_refused_if_it_is_no_key() {
        let folder = std::env::temp_dir().join(format!("life-rooms-{}", Uuid::new_v4()));
        fs::create_dir_all(&folder).unwrap();
        let token = |key: &RefreshKey| key.token(Id(Uuid::from_u128(7)), 1, &[1; 16]);
        let first = token(&RefreshKey::open(&folder).unwrap());
        assert_eq!(token(&RefreshKey::open(&folder).unwrap()), first);
        fs::write(folder.join(FILE), b"short").unwrap();
        assert!(RefreshKey::open(&folder).err().unwrap().cause().unwrap().contains("32 bytes"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o640)).unwrap();
            assert!(RefreshKey::open(&folder).err().unwrap().cause().unwrap().contains("chmod 600"));
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
