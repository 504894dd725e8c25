//! Which states a prescription can move to, and what its needs must be.

use super::types::{Need, PrescriptionStatus};
use crate::error::{Error, Fault, Result};

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
    /// Every action.
    const ALL: [Self; 4] = [Self::Activate, Self::Complete, Self::Close, Self::Decline];

    /// The name of the action, for the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Complete => "complete",
            Self::Close => "close",
            Self::Decline => "decline",
        }
    }

    /// The participle, for the sentence that refuses an action.
    fn participle(self) -> &'static str {
        match self {
            Self::Activate => "activated",
            Self::Complete => "completed",
            Self::Close => "closed",
            Self::Decline => "declined",
        }
    }

    /// The state after this action.
    ///
    /// # Errors
    /// 409 if the action isn't allowed in `state`.
    pub fn check_after(self, state: PrescriptionStatus) -> Result<PrescriptionStatus> {
        self.after(state).ok_or_else(|| refused(state, self.participle()))
    }

    /// The state after this action. `None` if the action isn't allowed in `state`.
    fn after(self, state: PrescriptionStatus) -> Option<PrescriptionStatus> {
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

/// The refusal of an action, given by its participle: 409 that names the actions that are possible in this state.
pub fn refused(state: PrescriptionStatus, participle: &str) -> Error {
    let possible = Verb::ALL.into_iter().filter(|verb| verb.after(state).is_some()).map(Verb::participle);
    Error::state("prescription", state, &format!("be {participle}")).but("It can be", &possible.collect::<Vec<_>>())
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
