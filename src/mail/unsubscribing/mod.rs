//! Unsubscribing with one click (RFC 8058): the links of reminders and digests.
//!
//! A link's secret is made from the member's id and a key that lies beside the database. Nothing is stored, and a link
//! works for as long as the key is there. It can only ever make the service write less.

pub mod handlers;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::auth::logins::token::RefreshKey;
use crate::db::Id;

/// What every secret begins with, so that scanners for leaked secrets can find it.
const PREFIX: &str = "lru_";
/// The length of a MAC.
const LENGTH: usize = 32;
/// What the message of a MAC begins with. Each use of the key has its own label.
const LABEL: &[u8] = b"unsubscribe";
/// The kind of mails that the link is about.
const KIND: &[u8] = b"reminder";

/// The links of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// For the mail program: `List-Unsubscribe`.
    pub one_click: String,
    /// For the person: a page.
    pub page: String,
}

impl Links {
    /// The links of a member's mails. The page's secret stands behind the `#`, which no browser sends to a server.
    pub fn of(key: &RefreshKey, (public_url, front_end): (&str, &str), member_id: Id) -> Self {
        let secret = secret(key, member_id);
        Self {
            one_click: format!("{public_url}/v1/unsubscribe/{secret}"),
            page: format!("{front_end}/account/unsubscribe#token={secret}"),
        }
    }
}

fn signed(member_id: Id) -> Vec<u8> {
    [member_id.0.as_bytes().as_slice(), KIND].concat()
}

fn secret(key: &RefreshKey, member_id: Id) -> String {
    let mac = key.sign(LABEL, &signed(member_id));
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([member_id.0.as_bytes().as_slice(), mac.as_ref()].concat()))
}

/// The member whose secret this is. `None` if the service didn't make it.
fn read(key: &RefreshKey, secret: &str) -> Option<Id> {
    let bytes = URL_SAFE_NO_PAD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let (id, mac) = bytes.split_first_chunk::<16>()?;
    let member_id = Id(Uuid::from_bytes(*id));
    let good = mac.len() == LENGTH && key.verifies(LABEL, &signed(member_id), mac);
    good.then_some(member_id)
}
