//! Bounds how often passwords can be guessed.
//!
//! A wrong password is counted in several buckets: for its e-mail address and network together, for the address from all
//! networks, and for the network. An attempt is refused (429) before its password is looked at while one of its buckets
//! is empty. An address that has no account has the same buckets, so nobody learns from them which address has one.
//!
//! Nobody is locked out by a stranger: a network that the account has logged in from is known
//! ([`logins::store::is_known`]), and an attempt from it has to pass only the buckets of the address and that network
//! together. The price: who is in the same network, and has used up its bucket, can tell that the account is known there.

pub mod buckets;
pub mod lanes;
pub mod limiter;
pub mod turns;

use std::path::Path;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;

use super::key_files::{known_secret, secret};
use super::logins;
use super::store::{self, Account};
use crate::clock::Clock;
use crate::config::LoginLimits;
use crate::db::schema::users;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::text::network::Network;
use buckets::{Bucket, Level};
use limiter::Limiter;
use turns::{Turn, Turns};

/// The file in the key folder with the secret that names the buckets.
const KEY_FILE: &str = "throttle.key";
/// The account that nobody has. Looking for its networks makes an unknown address cost what an account costs.
const NOBODY: Id = Id(uuid::Uuid::nil());

/// The limits of logging in, with their part that is in this server's memory.
pub struct Throttle {
    secret: hmac::Key,
    limits: LoginLimits,
    flood: Limiter<Network>,
    turns: Turns,
}

/// An attempt to log in: its address, its network and its buckets.
#[derive(Debug, Clone)]
pub struct Attempt {
    email: String,
    network: Network,
    /// The buckets that every attempt must pass: the address from this network, at once and over a day.
    own: Vec<Bucket>,
    /// The buckets that an attempt from an unknown network must pass too: the address, and the network.
    shared: Vec<Bucket>,
}

/// What the database says of an attempt.
pub struct Seen {
    /// The account with the address.
    pub account: Option<Account>,
    /// Whether the account has logged in from the network lately.
    is_known: bool,
    /// In how many seconds the attempt is let through; `None` if it is now.
    pub wait: Option<u32>,
    /// Whether the network gave wrong passwords lately.
    is_suspect: bool,
    /// Whether the account has had so many wrong passwords in a row that it can be used from known networks only.
    is_locked: bool,
}

/// How an attempt waits for its password to be looked at. Those who are likely to be honest come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// From a network that the account has logged in from.
    Known,
    /// From a network that nothing is known of.
    New,
    /// From a network that gave wrong passwords lately.
    Suspect,
}

impl Throttle {
    /// Loads the secret from the key folder, or makes one.
    ///
    /// # Errors
    /// When the file can't be made or read.
    pub fn open(folder: &Path, limits: LoginLimits, clock: &Clock) -> Result<Self> {
        Ok(Self::of(secret(folder, KEY_FILE)?, limits, clock))
    }

    /// The throttle of a server that has run: `None` if the key folder holds no secret, because then it is the folder of
    /// no server.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn known(folder: &Path, limits: LoginLimits, clock: &Clock) -> Result<Option<Self>> {
        Ok(known_secret(folder, KEY_FILE)?.map(|secret| Self::of(secret, limits, clock)))
    }

    fn of(secret: hmac::Key, limits: LoginLimits, clock: &Clock) -> Self {
        Self { secret, limits, flood: Limiter::new(limits.flood, clock), turns: Turns::default() }
    }

    /// The name of something in the database. Without the secret nobody can tell what it names.
    fn name(&self, kind: &str, parts: &[&str]) -> String {
        // No part holds a NUL, so two different lists of parts are never joined to the same text.
        let text = [&[kind], parts].concat().join("\0");
        URL_SAFE_NO_PAD.encode(&hmac::sign(&self.secret, text.as_bytes()).as_ref()[..24])
    }

    /// Begins an attempt to log in.
    ///
    /// # Errors
    /// 429 if the network sends too many attempts to this server.
    pub fn attempt(&self, email: &str, network: Network) -> Result<Attempt> {
        if let Some(wait) = self.flood.count(&network).and_then(|verdict| verdict.wait) {
            return Err(Error::too_many("Too many logins from your network. Try again shortly.", wait));
        }
        let at = network.to_string();
        let bucket = |kind, parts: &[&str], limit| Bucket { key: self.name(kind, parts), limit };
        Ok(Attempt {
            own: vec![
                bucket("login", &[email, &at], self.limits.pair),
                bucket("login-day", &[email, &at], self.limits.pair_day),
            ],
            shared: vec![
                bucket("login-account", &[email], self.limits.account),
                bucket("login-network", &[&at], self.limits.network),
            ],
            email: email.to_owned(),
            network,
        })
    }

    /// Waits until few other attempts on the address run. Attempts from a known network don't wait for others.
    ///
    /// # Errors
    /// 429 if that takes too long.
    pub async fn turn(&self, attempt: &Attempt, seen: &Seen) -> Result<Turn> {
        match seen.is_known {
            true => self.turns.wait(&format!("{}\0{}", attempt.email, attempt.network)).await,
            false => self.turns.wait(&attempt.email).await,
        }
    }

    /// Looks up the account of an attempt, and whether the attempt is let through. The statements are the same whether
    /// or not there is an account.
    pub fn look(&self, conn: &mut Conn, attempt: &Attempt, now: Timestamp) -> Result<Seen> {
        let account = store::account_by_email(conn, &attempt.email)?;
        let id = account.as_ref().map_or(NOBODY, |account| account.id);
        let is_known = logins::store::is_known(conn, id, &attempt.network.to_string(), now)?;
        let all: Vec<Bucket> = attempt.own.iter().chain(&attempt.shared).cloned().collect();
        let levels = buckets::levels(conn, &all, now)?;
        let to_pass = if is_known { &levels[..attempt.own.len()] } else { &levels[..] };
        let failed = account.as_ref().map_or(0, |account| account.failed_logins);
        let is_over = |most: u32| most > 0 && u32::try_from(failed).is_ok_and(|failed| failed >= most);
        Ok(Seen {
            account,
            is_known,
            wait: to_pass.iter().filter_map(|level| level.wait).max(),
            is_suspect: levels.last().is_some_and(|level: &Level| level.is_used),
            is_locked: !is_known && is_over(self.limits.lock_after),
        })
    }

    /// Counts a wrong password.
    pub fn fail(&self, conn: &mut Conn, attempt: &Attempt, seen: &FailedLogin, now: Timestamp) -> Result<()> {
        // The account before its buckets, as where a password is set: neither waits for the other in a ring. Sent also
        // if there is no account: it then changes nothing.
        let account = users::table.find(seen.account.unwrap_or(NOBODY));
        diesel::update(account).set(users::failed_logins.eq(users::failed_logins + 1)).execute(conn)?;
        let mut hit = attempt.own.clone();
        if !seen.is_known {
            hit.extend(attempt.shared.iter().cloned());
        }
        buckets::hit(conn, hit, now)
    }

    /// The bucket for guesses of a caller at the password of their own account.
    pub fn own_password(&self, id: Id) -> Bucket {
        Bucket { key: self.name("own-password", &[&id.to_string()]), limit: self.limits.pair }
    }

    /// Waits until few other looks at a caller's own password run.
    ///
    /// # Errors
    /// 429 if that takes too long.
    pub async fn own_turn(&self, id: Id) -> Result<Turn> {
        // No e-mail address has a NUL.
        self.turns.wait(&format!("own\0{id}")).await
    }

    /// The bucket for wrong secrets of API clients from one network.
    pub fn client_secret(&self, network: Network) -> Bucket {
        Bucket { key: self.name("client", &[&network.to_string()]), limit: self.limits.network }
    }

    /// The bucket for mails that strangers ask for to one address.
    pub fn mail_to(&self, email: &str) -> Bucket {
        Bucket { key: self.name("mail-to", &[email]), limit: self.limits.mail_address }
    }

    /// The bucket for mails that one account asks for while it is logged in. It is as large as that of a network.
    pub fn mail_by(&self, account: Id) -> Bucket {
        Bucket { key: self.name("mail-by", &[&account.to_string()]), limit: self.limits.mail_network }
    }

    /// The bucket for mails that strangers ask for from one network.
    pub fn mail_from(&self, network: Network) -> Bucket {
        Bucket { key: self.name("mail-from", &[&network.to_string()]), limit: self.limits.mail_network }
    }

    /// The bucket for links from one network that don't work.
    pub fn wrong_link(&self, network: Network) -> Bucket {
        Bucket { key: self.name("link", &[&network.to_string()]), limit: self.limits.links }
    }

    /// Lets the owner of an account log in from anywhere again.
    pub fn unlock(&self, conn: &mut Conn, email: &str) -> Result<()> {
        let account = users::table.filter(users::email.eq(email));
        diesel::update(account).set(users::failed_logins.eq(0)).execute(conn)?;
        self.forget_guesses(conn, email)
    }

    /// Forgets the wrong passwords that were given for an address from unknown networks: they were guesses at a password
    /// that isn't the account's any more.
    pub fn forget_guesses(&self, conn: &mut Conn, email: &str) -> Result<()> {
        buckets::clear(conn, &[self.name("login-account", &[email])])
    }
}

/// The part of [`Seen`] that counting a wrong password needs.
#[derive(Debug, Clone, Copy)]
pub struct FailedLogin {
    account: Option<Id>,
    is_known: bool,
}

impl Seen {
    /// The hash of the password that the attempt must give; none if no password will do.
    pub fn hash(&self) -> Option<String> {
        let usable = self.account.as_ref().filter(|account| !account.disabled && !self.is_locked);
        usable.and_then(|account| account.password_hash.clone())
    }

    /// How the attempt waits for its turn.
    pub fn lane(&self) -> Lane {
        match (self.is_known, self.is_suspect) {
            (true, _) => Lane::Known,
            (false, false) => Lane::New,
            (false, true) => Lane::Suspect,
        }
    }

    /// What counting a wrong password needs.
    pub fn failure(&self) -> FailedLogin {
        FailedLogin { account: self.account.as_ref().map(|account| account.id), is_known: self.is_known }
    }
}
