//! Which states an item can move to, and what an item must say.

use super::types::{PrescriptionItemInput, PrescriptionItemKind, PrescriptionItemStatus};
use crate::db::types::TextEnum;
use crate::error::{Error, Fault, Result};
use crate::prescriptions::types::NeedDomain;

/// The state that an item begins in.
pub fn first(kind: PrescriptionItemKind) -> PrescriptionItemStatus {
    match kind {
        PrescriptionItemKind::Partner => PrescriptionItemStatus::Requested,
        _ => PrescriptionItemStatus::Proposed,
    }
}

/// The states that an item can move to. An item that begins as `proposed` is never `requested`, and the other way round.
pub fn next(from: PrescriptionItemStatus) -> &'static [PrescriptionItemStatus] {
    use PrescriptionItemStatus::{
        Accepted, Completed, Declined, Disengaged, Engaged, Proposed, Rejected, Requested, Unavailable,
    };
    match from {
        Proposed => &[Accepted, Declined, Disengaged, Unavailable],
        Requested => &[Accepted, Rejected, Declined, Disengaged, Unavailable],
        Accepted => &[Engaged, Declined, Disengaged, Unavailable],
        Engaged => &[Completed, Declined, Disengaged, Unavailable],
        Completed | Rejected | Declined | Disengaged | Unavailable => &[],
    }
}

/// Whether this step records what a partner answered to a referral.
pub fn is_partners_answer(from: PrescriptionItemStatus, to: PrescriptionItemStatus) -> bool {
    use PrescriptionItemStatus::{Accepted, Rejected, Requested};
    from == Requested && matches!(to, Accepted | Rejected)
}

/// Checks that an item can move from one state to another.
///
/// # Errors
/// 409 that names the states that it can move to, or, for a member, those that a member can set.
pub fn check_step(from: PrescriptionItemStatus, to: PrescriptionItemStatus, by_member: bool) -> Result<()> {
    if next(from).contains(&to) {
        return Ok(());
    }
    let open = next(from).iter().filter(|next| !(by_member && is_partners_answer(from, **next)));
    let open: Vec<&str> = open.map(|status| status.name()).collect();
    Err(Error::state("item", from, &format!("become {to}")).but("It can become", &open))
}

/// The faults of an item by itself: its target, and its need, which must be one of `needs`. `at` is the item's pointer.
pub fn faults(at: &str, item: &PrescriptionItemInput, needs: &[NeedDomain]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let target = format!("{at}/target_id");
    match (item.kind, item.target_id) {
        (PrescriptionItemKind::Advice, Some(_)) => {
            faults.push(Fault::at(target, "not_allowed", "Advice has no target. Leave target_id out."));
        }
        (PrescriptionItemKind::Advice, None) | (_, Some(_)) => {}
        (kind, None) => faults.push(Fault::at(target, "required", format!("Give the id of the {kind}."))),
    }
    if item.need.is_some_and(|need| !needs.contains(&need)) {
        faults.push(Fault::at(format!("{at}/need"), "unknown_need", "Must be the domain of one of the needs."));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use strum::IntoEnumIterator;

    #[test]
    fn an_item_and_a_referral_each_run_their_course() {
        use PrescriptionItemStatus::{Accepted, Completed, Engaged, Proposed, Rejected, Requested};
        for kind in PrescriptionItemKind::iter() {
            let referral = kind == PrescriptionItemKind::Partner;
            assert_eq!(first(kind), if referral { Requested } else { Proposed });
            assert!(next(first(kind)).contains(&Accepted));
            assert!(next(Accepted).contains(&Engaged) && next(Engaged).contains(&Completed));
            assert_eq!(next(first(kind)).contains(&Rejected), referral);
            assert!(!next(first(kind)).contains(&Engaged) && !next(Accepted).contains(&Completed));
        }
    }

    #[test]
    fn advice_has_no_target_and_the_others_have_one() {
        for kind in PrescriptionItemKind::iter() {
            let item = PrescriptionItemInput { need: None, kind, target_id: None, goal: None, note: None };
            let bare = faults("", &item, &[]);
            assert_eq!(bare.is_empty(), kind == PrescriptionItemKind::Advice, "{kind}");
        }
    }

    proptest! {
        #[test]
        fn an_item_never_goes_back_and_its_end_is_its_end(kind in 0usize..5, steps in prop::collection::vec(0usize..9, 0..20)) {
            use PrescriptionItemStatus::{Accepted, Engaged, Proposed, Requested};
            let kind = PrescriptionItemKind::iter().nth(kind).unwrap();
            let mut seen = vec![first(kind)];
            for step in steps {
                let (now, to) = (seen[seen.len() - 1], PrescriptionItemStatus::iter().nth(step).unwrap());
                if next(now).contains(&to) {
                    prop_assert!([Proposed, Requested, Accepted, Engaged].contains(&now), "{now} has ended");
                    prop_assert!(!seen.contains(&to), "{to} again");
                    seen.push(to);
                }
            }
        }
    }
}
