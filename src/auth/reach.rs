//! Whose rows a caller reaches.

use super::caller::{Caller, Role};
use crate::db::Id;
use crate::error::{Error, Result};

/// Whose rows a caller reaches.
///
/// A query takes this type instead of an optional filter, so that a forgotten filter can't show everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everybody's rows.
    Everyone,
    /// This partner's rows.
    Partner(Id),
    /// This member's rows.
    Member(Id),
}

impl Reach {
    /// Whose sessions, programmes, rosters and jobs a caller reaches. Staff reach everybody's; a partner and a member
    /// reach their own.
    ///
    /// # Errors
    /// 403 for a role that reaches nobody's rows, and for an account that belongs to no partner or member.
    pub fn of(caller: &Caller) -> Result<Self> {
        match (caller.role, caller.partner_id, caller.member_id) {
            (Role::Admin | Role::Advisor, ..) => Ok(Self::Everyone),
            (Role::Partner, Some(partner), _) => Ok(Self::Partner(partner)),
            (Role::Member, _, Some(member)) => Ok(Self::Member(member)),
            _ => Err(Error::forbidden("This account belongs to no partner and no member.")),
        }
    }

    /// Whose records, prescriptions, bookings and registers a caller reaches. An advisor reaches everybody's, a partner
    /// those of its own sessions, a member their own.
    ///
    /// # Errors
    /// 403 for a role that reaches no person's record.
    pub fn to_people(caller: &Caller) -> Result<Self> {
        match (caller.role, caller.partner_id, caller.member_id) {
            (Role::Advisor, ..) => Ok(Self::Everyone),
            (Role::Partner, Some(partner), _) => Ok(Self::Partner(partner)),
            (Role::Member, _, Some(member)) => Ok(Self::Member(member)),
            _ => Err(Error::forbidden("This account may not see anybody's record.")),
        }
    }

    /// Whether something of this partner is within reach. `None` means that it belongs to no partner.
    pub fn has_partner(self, partner_id: Option<Id>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Partner(own) => partner_id == Some(own),
            Self::Member(_) => false,
        }
    }

    /// Whether this member's record is within reach. A partner reaches no record.
    pub fn has_member(self, member_id: Id) -> bool {
        match self {
            Self::Everyone => true,
            Self::Member(own) => member_id == own,
            Self::Partner(_) => false,
        }
    }

    /// The member, if the caller is one; `None` for everybody else.
    pub fn member(self) -> Option<Id> {
        match self {
            Self::Member(own) => Some(own),
            Self::Everyone | Self::Partner(_) => None,
        }
    }

    /// Whether the caller is a member, who reaches only their own rows.
    pub fn is_member(self) -> bool {
        self.member().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::caller::CallerKind;

    fn caller(role: Role, partner_id: Option<Id>, member_id: Option<Id>) -> Caller {
        let id = Id(uuid::Uuid::from_u128(1));
        Caller {
            id,
            kind: CallerKind::User,
            role,
            partner_id,
            member_id,
            scopes: Vec::new(),
            permissions: Vec::new(),
            login_id: None,
            generation: 1,
        }
    }

    #[test]
    fn an_account_without_its_partner_or_member_reaches_nobody() {
        for role in [Role::Partner, Role::Member, Role::Analyst] {
            let lost = caller(role, None, None);
            assert!(Reach::of(&lost).is_err() && Reach::to_people(&lost).is_err(), "{role}");
        }
        assert!(Reach::to_people(&caller(Role::Admin, None, None)).is_err(), "an admin reaches no record");
    }
}
