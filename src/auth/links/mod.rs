//! Links that work once: to choose a password, to confirm an address.
//!
//! - A link's secret is made from its id and a key that lies beside the database. Nothing in the database yields it, and
//!   a mail that is sent again carries the same link.
//! - The secret stands behind the `#` of the link, so no server, log or `Referer` ever sees it. Only a POST with the
//!   secret and a password that a person types has an effect: programs that open the links of mails change nothing.
//! - A link that is unknown, used, revoked or too old gets one answer.

pub mod store;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use self::store::LinkRow;
use super::logins::token::RefreshKey;
use crate::db::Id;
use crate::error::{Error, Kind};

crate::text_enum! {
    /// What a link is for.
    pub enum Purpose {
        /// To confirm the address of a person who registers, and to choose a password.
        Registration,
        /// To choose the first password of an account.
        Invitation,
        /// To choose another password.
        PasswordReset,
        /// To confirm the new address of an account.
        EmailChange,
        /// To answer the questions of a measurement.
        Measurement,
    }
}

impl Purpose {
    /// What links to an account are for.
    pub const OF_ACCOUNTS: [Self; 3] = [Self::Invitation, Self::PasswordReset, Self::EmailChange];

    /// For how many seconds a link works.
    pub fn lifetime(self) -> i64 {
        match self {
            Self::PasswordReset => 3_600,
            Self::Registration | Self::EmailChange => 24 * 3_600,
            Self::Invitation | Self::Measurement => 7 * 24 * 3_600,
        }
    }

    /// The page that the link leads to, below the front end's URL.
    pub fn page(self) -> &'static str {
        match self {
            Self::Registration => "/account/confirm",
            Self::Invitation => "/account/invitation",
            Self::PasswordReset => "/account/reset",
            Self::EmailChange => "/account/email",
            Self::Measurement => "/account/measurement",
        }
    }
}

/// How the secrets of one use are made: from an id and a MAC of it.
pub struct Secrets {
    /// What every secret begins with, so that scanners for leaked secrets can find it.
    pub prefix: &'static str,
    /// What the message of the MAC begins with. Each use of the key has its own label.
    pub label: &'static [u8],
    /// What stands behind the id in the message.
    pub kind: &'static [u8],
}

/// The secrets of links that work once.
const SECRETS: Secrets = Secrets { prefix: "lrl_", label: b"link", kind: b"" };

impl Secrets {
    fn signed(&self, id: Id) -> Vec<u8> {
        [id.0.as_bytes().as_slice(), self.kind].concat()
    }

    /// The secret of this id.
    pub fn of(&self, key: &RefreshKey, id: Id) -> String {
        let mac = key.sign(self.label, &self.signed(id));
        let bytes = [id.0.as_bytes().as_slice(), mac.as_ref()].concat();
        format!("{}{}", self.prefix, URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The id that a secret belongs to. `None` if the service didn't make the secret.
    pub fn read(&self, key: &RefreshKey, secret: &str) -> Option<Id> {
        let bytes = URL_SAFE_NO_PAD.decode(secret.trim().strip_prefix(self.prefix)?).ok()?;
        let (id, mac) = bytes.split_first_chunk::<16>()?;
        let id = Id(Uuid::from_bytes(*id));
        // A tag verifies at a length of its own only.
        key.verifies(self.label, &self.signed(id), mac).then_some(id)
    }
}

/// The link as somebody gets it. The secret stands behind the `#`, which no browser sends to a server.
pub fn url(key: &RefreshKey, front_end: &str, link: &LinkRow) -> String {
    format!("{front_end}{}#token={}", link.purpose.page(), SECRETS.of(key, link.id))
}

/// The link that a secret belongs to. `None` if the service didn't make the secret.
pub fn read(key: &RefreshKey, secret: &str) -> Option<Id> {
    SECRETS.read(key, secret)
}

/// The answer to a link that can't be used, whatever the reason.
pub fn not_valid() -> Error {
    let detail = "The link can't be used: it is wrong, was used before, or is too old. If you have used it already, log in. \
                  Otherwise ask for a new one.";
    Error::new(Kind::LinkNotValid, detail)
}

impl RefreshKey {
    /// The MAC of a message for another use of this key. Each use has a label that no other begins with.
    pub fn sign(&self, label: &[u8], message: &[u8]) -> hmac::Tag {
        hmac::sign(self.key(), &[label, b"\0", message].concat())
    }

    /// Whether this is the MAC of a message for another use of this key.
    pub fn verifies(&self, label: &[u8], message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(self.key(), &[label, b"\0", message].concat(), mac).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_with_its_key_only_and_never_with_a_changed_letter() {
        let (key, other) = (RefreshKey::of([1; 32]), RefreshKey::of([2; 32]));
        let id = Id(Uuid::from_u128(7));
        let text = SECRETS.of(&key, id);
        assert_eq!(read(&key, &text), Some(id));
        assert_eq!(read(&key, &format!(" {text}\n")), Some(id), "pasted");
        assert_eq!(read(&other, &text), None);
        for at in SECRETS.prefix.len()..text.len() - 1 {
            let mut changed: Vec<char> = text.chars().collect();
            changed[at] = if changed[at] == 'A' { 'B' } else { 'A' };
            let changed: String = changed.into_iter().collect();
            assert_eq!(read(&key, &changed), None, "{changed}");
        }
        for wrong in ["", "lrl_", "lrl_AAAA", &text[4..], &text[..text.len() - 4], &format!("{text}AAAA")] {
            assert_eq!(read(&key, wrong), None, "{wrong}");
        }
    }
}
