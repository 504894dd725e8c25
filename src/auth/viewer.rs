//! Who is looking at what is public in part: sessions, series and partners.

use super::caller::{Caller, Role};
use crate::db::Id;

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

impl Viewer {
    /// Who this caller is.
    pub fn of(caller: Option<&Caller>) -> Self {
        let Some(caller) = caller else { return Self::Public };
        match (caller.role, caller.partner_id, caller.member_id) {
            (Role::Admin | Role::Advisor, _, _) => Self::Staff,
            (Role::Partner, Some(partner), _) => Self::Partner(partner),
            (Role::Member, _, Some(member)) => Self::Member(member),
            _ => Self::Public,
        }
    }

    /// The partner whose own things this viewer sees.
    pub fn own_partner(self) -> Option<Id> {
        match self {
            Self::Partner(partner) => Some(partner),
            _ => None,
        }
    }
}
