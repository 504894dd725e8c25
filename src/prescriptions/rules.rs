//! Which states a prescription can move to, and what its needs must be.

use super::types::{Need, PrescriptionStatus};
use crate::error::Fault;

/// An action on a whole prescription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prescriptions::types::NeedDomain;
    use proptest::prelude::*;
    use strum::IntoEnumIterator;

    #[test]
    fn only_a_draft_is_activated_and_only_an_active_one_completed_or_closed() {
        use PrescriptionStatus::{Active, ClosedEarly, Completed, Declined, Draft};
        let allowed = [
            (Draft, Verb::Activate, Active),
            (Draft, Verb::Decline, Declined),
            (Active, Verb::Complete, Completed),
            (Active, Verb::Close, ClosedEarly),
            (Active, Verb::Decline, Declined),
        ];
        for state in PrescriptionStatus::iter() {
            for verb in Verb::iter() {
                let wanted = allowed.iter().find(|(from, by, _)| (*from, *by) == (state, verb)).map(|(.., to)| *to);
                assert_eq!(verb.after(state), wanted, "{state} {verb:?}");
            }
        }
    }

    #[test]
    fn a_member_says_the_site_of_their_own_draft_only() {
        for state in PrescriptionStatus::iter() {
            assert_eq!(members_site(state, false), state == PrescriptionStatus::Draft);
            assert!(!members_site(state, true));
        }
    }

    #[test]
    fn a_need_stands_once() {
        let need = |domain| Need { domain, severity: None, note: None };
        let needs = [need(NeedDomain::Debt), need(NeedDomain::Housing), need(NeedDomain::Debt)];
        let faults = need_faults(&needs);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer.as_deref(), Some("/needs/2/domain"));
    }

    proptest! {
        #[test]
        fn what_has_ended_stays_ended(verbs in prop::collection::vec(0usize..4, 0..12)) {
            let (mut state, mut activated) = (PrescriptionStatus::Draft, 0);
            for verb in verbs {
                let verb = Verb::iter().nth(verb).unwrap();
                if let Some(next) = verb.after(state) {
                    prop_assert!(is_open(state));
                    activated += i32::from(verb == Verb::Activate);
                    state = next;
                }
            }
            prop_assert!(activated <= 1);
        }
    }
}
