//! Who did something to a member's data, as the member may read it: staff by their display name, another member only as a
//! carer.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::db::schema::users;
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::members::access_log::store::Names;
use crate::members::access_log::types::{AccessLogEntry, ActorRole, Who};
use crate::members::store::ids_of;

/// The member themselves.
const OWN: &str = "you";
/// Another member.
const CARER: &str = "a carer";
/// Somebody of whom no account is left. It may have been anybody's.
const GONE: &str = "somebody who has no account any more";

/// Looks up who did something. Few accounts do something with one member's data, so each is looked up by itself.
pub struct People {
    own: Vec<Id>,
    /// The ids of the member's records. What they do by the link of a mail, without an account, has one of them.
    records: Vec<Id>,
    known: HashMap<Id, Who>,
}

impl People {
    /// For the data of this member.
    pub fn around(conn: &mut Conn, member_id: Id) -> Result<Self> {
        let records = ids_of(conn, member_id)?;
        let accounts = users::table.filter(users::member_id.eq_any(records.clone())).select(users::id);
        Ok(Self { own: accounts.load(conn)?, records, known: HashMap::new() })
    }

    /// The member's own accounts.
    pub fn own(&self) -> &[Id] {
        &self.own
    }

    /// Whose account this is.
    pub fn who(&mut self, conn: &mut Conn, account: Id) -> Result<Who> {
        if let Some(known) = self.known.get(&account) {
            return Ok(known.clone());
        }
        let names = Names::of_accounts(conn, vec![account])?;
        let who = names.account(Some(account), None, None);
        let who = match names.knows(account) {
            true => unnamed(who, self.own.contains(&account)),
            false if self.records.contains(&account) => unnamed(who, true),
            false => Who { name: Some(GONE.to_owned()), ..who },
        };
        self.known.insert(account, who.clone());
        Ok(who)
    }
}

/// Somebody without their name, if they are a member.
fn unnamed(who: Who, is_own: bool) -> Who {
    match (who.role, is_own) {
        (_, true) => Who { name: Some(OWN.to_owned()), ..who },
        (ActorRole::Member, false) => Who { name: Some(CARER.to_owned()), ..who },
        _ => who,
    }
}

/// An entry of an access log in which no other member is named.
pub fn without_names(entry: AccessLogEntry) -> AccessLogEntry {
    AccessLogEntry { who: unnamed(entry.who, entry.own), ..entry }
}
