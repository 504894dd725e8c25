//! Who is looking at sessions, series and partners, which are public only in part.

use super::caller::{Caller, Role};
use crate::db::Id;

/// Who is looking. This decides what they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// Admins and advisors see everything.
    Staff,
    /// A partner sees everything of its own, and what is published.
    Partner(Id),
    /// A member sees what is published, and the unlisted sessions that are meant for them.
    Member(Id),
    /// Anybody else sees what is published.
    Public,
}

impl Viewer {
    /// The viewer that this caller is.
    pub fn of(caller: Option<&Caller>) -> Self {
        let Some(caller) = caller else { return Self::Public };
        match (caller.role, caller.partner_id, caller.member_id) {
            (Role::Admin | Role::Advisor, _, _) => Self::Staff,
            (Role::Partner, Some(partner), _) => Self::Partner(partner),
            (Role::Member, _, Some(member)) => Self::Member(member),
            _ => Self::Public,
        }
    }

    /// The partner, if the viewer is one: a partner also sees its own unpublished things.
    pub fn own_partner(self) -> Option<Id> {
        match self {
            Self::Partner(partner) => Some(partner),
            _ => None,
        }
    }
}
