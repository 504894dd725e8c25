//! Which states a prescription can move to, and what its needs must be.

use super::types::{Need, PrescriptionStatus};
use crate::error::Fault;

/// An action on a whole prescription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The member and the advisor agree on it.
    Activate,
    /// Everything in it is done.
    Complete,
    /// It ends before everything is done.
    Close,
    /// The member doesn't want it.
    Decline,
}

impl Verb {
    /// The name of the action, for the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Complete => "complete",
            Self::Close => "close",
            Self::Decline => "decline",
        }
    }

    /// The participle, for the sentence that refuses the action.
    pub fn participle(self) -> &'static str {
        match self {
            Self::Activate => "activated",
            Self::Complete => "completed",
            Self::Close => "closed",
            Self::Decline => "declined",
        }
    }

    /// The state after this action. `None` if the action isn't allowed in `state`.
    pub fn after(self, state: PrescriptionStatus) -> Option<PrescriptionStatus> {
        use PrescriptionStatus::{Active, ClosedEarly, Completed, Declined, Draft};
        match (state, self) {
            (Draft, Self::Activate) => Some(Active),
            (Active, Self::Complete) => Some(Completed),
            (Active, Self::Close) => Some(ClosedEarly),
            (Draft | Active, Self::Decline) => Some(Declined),
            _ => None,
        }
    }
}

/// Whether a prescription in this state can still be changed.
pub fn is_open(state: PrescriptionStatus) -> bool {
    matches!(state, PrescriptionStatus::Draft | PrescriptionStatus::Active)
}

/// Whether a member may give the site of their own prescription: only while it is a draft that they wrote themselves.
/// Reports count prescriptions by site, so an advisor decides the site of every other one.
pub fn members_site(state: PrescriptionStatus, advisor_wrote_it: bool) -> bool {
    state == PrescriptionStatus::Draft && !advisor_wrote_it
}

/// A fault for each need whose domain is already in the list.
pub fn need_faults(needs: &[Need]) -> Vec<Fault> {
    let repeated = |index: &usize| needs[..*index].iter().any(|other| other.domain == needs[*index].domain);
    let fault =
        |index: usize| Fault::at(format!("/needs/{index}/domain"), "repeated", "This need is already in the list.");
    (0..needs.len()).filter(repeated).map(fault).collect()
}
