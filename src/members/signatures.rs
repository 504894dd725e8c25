//! Who wrote something in a member's record, as an answer says it.
//!
//! An advisor sees the account's id and its display name. A member sees the display name, which the service has chosen, as
//! in their access log, and no id of an account that isn't theirs. The display names of members' accounts are never shown
//! here: they have none.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::auth::reach::Reach;
use crate::db::schema::users;
use crate::db::{AT_ONCE, Conn, Id};
use crate::error::Result;

/// Who wrote what one answer shows, for whoever reads it.
pub struct Signatures {
    reach: Reach,
    /// The display name of each account, and its member.
    accounts: HashMap<Id, (Option<String>, Option<Id>)>,
}

impl Signatures {
    /// Those of these accounts.
    pub fn of(conn: &mut Conn, reach: Reach, ids: impl IntoIterator<Item = Id>) -> Result<Self> {
        let mut ids: Vec<Id> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut accounts = HashMap::new();
        for ids in ids.chunks(AT_ONCE) {
            let columns = (users::id, users::display_name, users::member_id);
            let rows = users::table.filter(users::id.eq_any(ids)).select(columns);
            let rows: Vec<(Id, Option<String>, Option<Id>)> = rows.load(conn)?;
            accounts.extend(rows.into_iter().map(|(id, name, member)| (id, (name, member))));
        }
        Ok(Self { reach, accounts })
    }

    /// The id of the account, if the reader may see it.
    pub fn id(&self, account: Id) -> Option<Id> {
        let Some(own) = self.reach.member() else { return Some(account) };
        // What a member does by the link in a mail, without an account, has the id of their record.
        let is_own = own == account || self.accounts.get(&account).is_some_and(|(_, member)| *member == Some(own));
        is_own.then_some(account)
    }

    /// The display name of the account; none if it has none.
    pub fn name(&self, account: Id) -> Option<String> {
        self.accounts.get(&account).and_then(|(name, _)| name.clone())
    }
}
