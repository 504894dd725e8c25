//! The right of somebody who was let in earlier, for work that is done after its request. It ends with what it rests on:
//! the account or API client, the role, the partner, the scopes.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::caller::{Caller, CallerKind, Role, Scope};
use super::store::{self, Standing};
use crate::db::schema::{api_clients, partners, users};
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::lock_rows;

/// Who was let in, and as what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Right {
    id: Id,
    kind: CallerKind,
    role: Role,
    partner_id: Option<Id>,
    member_id: Option<Id>,
    /// The login of an account's token. Work goes on after the login ends: only its owner's right counts.
    login_id: Option<Id>,
    /// The scopes of the token.
    scopes: Vec<Scope>,
    /// The generation of the account or client. The next one ends all tokens, and so this right too.
    generation: i32,
}

impl Right {
    /// The right of this caller, as it was when the request was let in.
    pub fn of(caller: &Caller) -> Self {
        let Caller { id, kind, role, partner_id, member_id, login_id, generation, .. } = *caller;
        Self { id, kind, role, partner_id, member_id, login_id, scopes: caller.scopes.clone(), generation }
    }

    /// The caller, if they still have the right. A client has those scopes of its token that it still has itself.
    ///
    /// # Errors
    /// 403 if they haven't.
    pub fn caller(&self, conn: &mut Conn) -> Result<Caller> {
        let Self { id, kind, role, partner_id, member_id, login_id, generation, .. } = *self;
        if kind == CallerKind::Client {
            return match store::client_standing(conn, id, generation, &self.scopes)? {
                Standing::Good(caller) => Ok(caller),
                Standing::Gone => Err(ended()),
                Standing::PartnerNotActive => Err(partner_not_active()),
            };
        }
        self.check_user(conn)?;
        let (scopes, permissions) = (Vec::new(), Vec::new());
        Ok(Caller { id, kind, role, partner_id, member_id, scopes, permissions, login_id, generation })
    }

    /// Keeps the account or client, and its partner, from being changed until the transaction ends, and waits for a change
    /// that isn't committed yet. Otherwise a right could end between the check and the commit. SQLite has one writer.
    pub fn hold(&self, conn: &mut Conn) -> Result<()> {
        lock_rows!(conn, partners, self.partner_id, for_share);
        match self.kind {
            CallerKind::User => lock_rows!(conn, users, [self.id], for_share),
            CallerKind::Client => lock_rows!(conn, api_clients, [self.id], for_share),
        }
        Ok(())
    }

    fn check_user(&self, conn: &mut Conn) -> Result<()> {
        let user = users::table.left_join(partners::table).filter(users::id.eq(self.id));
        let columns = (users::disabled, users::generation, users::role, users::partner_id, partners::status.nullable());
        let user: Option<(bool, i32, Role, Option<Id>, Option<String>)> =
            user.select(columns).first(conn).optional()?;
        let Some((disabled, generation, role, partner_id, partner)) = user else { return Err(ended()) };
        if disabled || (generation, role, partner_id) != (self.generation, self.role, self.partner_id) {
            return Err(ended());
        }
        if partner.is_some_and(|status| status != "active") {
            return Err(partner_not_active());
        }
        Ok(())
    }
}

fn partner_not_active() -> Error {
    Error::forbidden("The partner isn't active any more. Nothing was changed.")
}

fn ended() -> Error {
    Error::forbidden(
        "The account or API client that asked for this was since revoked, disabled or given another role, password or \
         secret. Nothing was changed. Send it again with a new token.",
    )
}
