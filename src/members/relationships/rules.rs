//! What is decided about relationships without a database.

use chrono::NaiveDate;

use super::types::{RelationshipChange, RelationshipStatus};
use crate::error::{Error, Fault, Result};

/// The state on a day: an active relationship has ended after its last day.
pub fn status_on(today: NaiveDate, status: RelationshipStatus, ends_on: Option<NaiveDate>) -> RelationshipStatus {
    let over = status == RelationshipStatus::Active && ends_on.is_some_and(|last| last < today);
    if over { RelationshipStatus::Ended } else { status }
}

/// Checks that a relationship doesn't end before it starts.
///
/// # Errors
/// 422.
pub fn check_days(starts_on: NaiveDate, ends_on: Option<NaiveDate>) -> Result<()> {
    let wrong = ends_on.is_some_and(|last| last < starts_on);
    let fault = wrong.then(|| Fault::at("/ends_on", "too_early", "Must not be before it starts."));
    Error::unless_none(fault.into_iter().collect())
}

/// Who changes a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changer {
    /// An advisor, who says how a relationship is known before it becomes active.
    Advisor,
    /// One of the two members. Accepting it in their own account is evidence enough.
    Member,
}

/// Checks a change of a relationship. `before` is what could be changed of it, with the state of today.
///
/// # Errors
/// 409 if the state doesn't allow it, 422 if it breaks a rule.
pub fn check(before: &RelationshipChange, next: &RelationshipChange, by: Changer) -> Result<()> {
    use RelationshipStatus::{Active, Ended, Proposed};
    match (before.status, next.status) {
        (Ended, _) => return Err(Error::state("relationship", "ended", "be changed").at_its_end()),
        (Active, Proposed) => {
            return Err(Error::state("relationship", "active", "be proposed again").but("It can be", &["ended"]));
        }
        (Proposed, Active) if by == Changer::Advisor && next.evidence.is_none() => {
            return Err(Error::rule("/evidence", "required", "Say how it is known that it is active."));
        }
        (Active, _) if before.evidence.is_some() && next.evidence.is_none() => {
            let detail = "It was active by this evidence. Correct it, but don't remove it.";
            return Err(Error::rule("/evidence", "required", detail));
        }
        _ => {}
    }
    check_days(next.starts_on, next.ends_on)
}

/// The last day of a relationship that is ended today.
pub fn last_day(starts_on: NaiveDate, ends_on: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
    ends_on.map_or(today, |planned| planned.min(today)).max(starts_on)
}

#[cfg(test)]
mod tests {
    use super::super::types::RelationshipAuthority;
    use super::*;
    use RelationshipStatus::{Active, Ended, Proposed};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn change(status: RelationshipStatus, evidence: Option<&str>) -> RelationshipChange {
        RelationshipChange {
            may_book: true,
            authority: RelationshipAuthority::MemberAgreed,
            evidence: evidence.map(str::to_owned),
            status,
            starts_on: day("2026-11-23"),
            ends_on: None,
        }
    }

    #[test]
    fn a_relationship_goes_from_proposed_to_active_to_ended_and_no_other_way() {
        for (before, next, good) in [
            (Proposed, Active, true),
            (Proposed, Ended, true),
            (Active, Ended, true),
            (Active, Active, true),
            (Active, Proposed, false),
            (Ended, Active, false),
            (Ended, Ended, false),
        ] {
            let (before, next) = (change(before, Some("form")), change(next, Some("form")));
            assert_eq!(check(&before, &next, Changer::Advisor).is_ok(), good, "{} {}", before.status, next.status);
        }
        let proposed = change(Proposed, None);
        assert!(check(&proposed, &change(Active, None), Changer::Advisor).is_err());
        assert!(check(&proposed, &change(Active, None), Changer::Member).is_ok());
    }

    #[test]
    fn evidence_of_an_active_one_can_be_corrected_and_not_removed() {
        for (before, evidence, next, after, good) in [
            (Active, Some("form"), Active, Some("letter"), true),
            (Active, Some("form"), Active, None, false),
            (Active, Some("form"), Ended, None, false),
            // Accepted in the member's own account.
            (Active, None, Active, None, true),
            (Proposed, Some("form"), Proposed, None, true),
        ] {
            let checked = check(&change(before, evidence), &change(next, after), Changer::Advisor);
            assert_eq!(checked.is_ok(), good, "{before} {evidence:?} {next} {after:?}");
        }
    }

    #[test]
    fn it_ends_after_its_last_day() {
        let status = |today: &str| status_on(day(today), Active, Some(day("2026-11-30")));
        assert_eq!((status("2026-11-30"), status("2026-12-01")), (Active, Ended));
        assert_eq!(status_on(day("2026-12-01"), Proposed, Some(day("2026-11-30"))), Proposed);
        assert_eq!(last_day(day("2026-11-01"), None, day("2026-11-23")), day("2026-11-23"));
        assert_eq!(last_day(day("2026-12-01"), None, day("2026-11-23")), day("2026-12-01"));
        assert_eq!(last_day(day("2026-11-01"), Some(day("2027-11-01")), day("2026-11-23")), day("2026-11-23"));
    }
}
