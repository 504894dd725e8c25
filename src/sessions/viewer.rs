//! Who is looking at sessions and series, and whose a caller may write.

use super::types::Publication;
use crate::auth::caller::{Caller, Role};
use crate::db::Id;
use crate::error::{Error, Result};

/// Who is looking: it decides what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// Admins and advisors see everything.
    Staff,
    /// A partner sees all of its own, and what is published.
    Partner(Id),
    /// A member sees what is published, and what is unlisted and meant for them.
    Member(Id),
    /// Anybody else sees what is published.
    Public,
}

/// What somebody may see of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// They see it.
    Clear,
    /// They don't.
    Hidden,
    /// This member does where a booking or a prescription item of theirs is for it.
    IfTheirs(Id),
}

impl Viewer {
    /// Who this caller is to sessions.
    pub fn of(caller: Option<&Caller>) -> Self {
        let Some(caller) = caller else { return Self::Public };
        match (caller.role, caller.partner_id, caller.member_id) {
            (Role::Admin | Role::Advisor, _, _) => Self::Staff,
            (Role::Partner, Some(partner), _) => Self::Partner(partner),
            (Role::Member, _, Some(member)) => Self::Member(member),
            _ => Self::Public,
        }
    }

    /// What this viewer may see of something by its id.
    pub fn sight(self, publication: Publication, partner_id: Option<Id>) -> Sight {
        match (self, publication) {
            (Self::Staff, _) | (_, Publication::Published) => Sight::Clear,
            (Self::Partner(partner), _) if partner_id == Some(partner) => Sight::Clear,
            (Self::Member(member), Publication::Unlisted) => Sight::IfTheirs(member),
            _ => Sight::Hidden,
        }
    }
}

/// Whose sessions a caller may write: a partner's own only, anybody's as staff (`None`).
pub fn scope(caller: &Caller) -> Option<Id> {
    if caller.is_staff() { None } else { caller.partner_id }
}

/// Whose a new session or series is: a partner's own, whether it says so or not.
///
/// # Errors
/// 422 where a partner names another.
pub fn owner(caller: &Caller, named: Option<Id>) -> Result<Option<Id>> {
    match (scope(caller), named) {
        (None, named) => Ok(named),
        (own, None) => Ok(own),
        (own, named) if own == named => Ok(own),
        _ => Err(Error::rule("/partner_id", "foreign_partner", "Is another partner. Leave it out: it is yours.")),
    }
}
