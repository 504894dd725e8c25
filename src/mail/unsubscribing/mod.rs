//! Unsubscribing with one click (RFC 8058): the links of reminders and digests.
//!
//! A link's secret is made from the member's id and a key that lies beside the database. Nothing is stored, and a link
//! works for as long as the key is there. It can only ever make the service write less.

pub mod handlers;

use crate::auth::links::Secrets;
use crate::auth::logins::token::RefreshKey;
use crate::db::Id;

/// How the links' secrets are made.
const SECRETS: Secrets = Secrets { prefix: "lru_", label: b"unsubscribe", kind: b"reminder" };

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
        let secret = SECRETS.of(key, member_id);
        Self {
            one_click: format!("{public_url}/v1/unsubscribe/{secret}"),
            page: format!("{front_end}/account/unsubscribe#token={secret}"),
        }
    }
}
