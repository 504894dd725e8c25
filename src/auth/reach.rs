//! Whose rows a caller reaches.

use super::caller::{Caller, Role};
use crate::db::Id;
use crate::error::{Error, Result};

/// Whose rows a caller reaches. There is no way to leave it out: what forgets to ask can't show everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everybody's.
    Everyone,
    /// Those of this partner.
    Partner(Id),
    /// This member's own.
    Member(Id),
}

impl Reach {
    /// Whose bookings and registers a caller reaches: an advisor everybody's, a partner those of its own sessions, a
    /// member their own.
    ///
    /// # Errors
    /// 403 for roles that reach no person's record.
    pub fn to_people(caller: &Caller) -> Result<Self> {
        match (caller.role, caller.partner_id, caller.member_id) {
            (Role::Advisor, ..) => Ok(Self::Everyone),
            (Role::Partner, Some(partner), _) => Ok(Self::Partner(partner)),
            (Role::Member, _, Some(member)) => Ok(Self::Member(member)),
            _ => Err(Error::forbidden("This account reaches no bookings.")),
        }
    }
}
