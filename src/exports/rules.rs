//! What is decided about exports without a database.

use chrono::NaiveDate;

use super::types::{ExportInput, ExportKind, ExportStatus};
use crate::auth::caller::{Caller, Permission};
use crate::auth::reach::Reach;
use crate::db::{Id, Timestamp};
use crate::error::{Error, Fault, Kind, Result};
use crate::members::requests::MONTHS;

/// For how many seconds a document can be read once it is ready.
pub const KEPT: i64 = 7 * 24 * 3600;

/// How many documents of one member that the member asked for can be there at a time.
const MOST_OWN: usize = 3;

/// Within how many months a request is to be answered (ICO, "How long do we have to comply?").
pub fn months(extended: bool) -> u32 {
    if extended { 3 } else { MONTHS }
}

/// A request whose fields fit whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// By the member, with this password.
    Own(String),
    /// By an advisor: the day on which the member's request came in, and how.
    Full(NaiveDate, String),
}

impl Asked {
    /// Reads a request. A member sends a password alone, an advisor the day and how it came.
    ///
    /// # Errors
    /// 422 with every field that is missing or isn't theirs; 422 if the day is in the future.
    pub fn read(written: ExportInput, is_member: bool, today: NaiveDate) -> Result<Self> {
        let ExportInput { current_password, received_on, how } = written;
        let fields = [
            ("/current_password", current_password.is_some(), is_member),
            ("/received_on", received_on.is_some(), !is_member),
            ("/how", how.is_some(), !is_member),
        ];
        let fault = |(pointer, given, wanted): (&'static str, bool, bool)| match (given, wanted) {
            (false, true) => Some(Fault::at(pointer, "required", "Is required.")),
            (true, false) if is_member => Some(Fault::at(pointer, "not_yours", "Only an advisor sends this.")),
            (true, false) => Some(Fault::at(pointer, "not_yours", "Only the member sends this.")),
            _ => None,
        };
        let mut faults: Vec<Fault> = fields.into_iter().filter_map(fault).collect();
        if received_on.is_some_and(|day| day > today) {
            faults.push(Fault::at("/received_on", "in_the_future", "Must not be in the future."));
        }
        Error::unless_none(faults)?;
        Ok(match current_password {
            Some(password) => Self::Own(password),
            None => Self::Full(received_on.unwrap_or(today), how.unwrap_or_default()),
        })
    }

    /// The kind of the export.
    pub fn kind(&self) -> ExportKind {
        match self {
            Self::Own(_) => ExportKind::Own,
            Self::Full(..) => ExportKind::Full,
        }
    }
}

/// Who looks at exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The member. They see what they asked for, and what an advisor asked for once it can be read: before that, it would
    /// show whether something is reviewed.
    Member(Id),
    /// An advisor, who sees what advisors asked for. One with the permission `safeguarding` reads documents in review.
    Advisor {
        /// Whether they have it.
        reviews: bool,
    },
}

impl Reader {
    /// As whom this caller looks.
    ///
    /// # Errors
    /// 403 for a role that sees nobody's data.
    pub fn of(caller: &Caller) -> Result<Self> {
        Ok(match Reach::to_people(caller)?.member() {
            Some(own) => Self::Member(own),
            None => Self::Advisor { reviews: caller.has_permission(Permission::Safeguarding) },
        })
    }

    /// Whether an export of this member is there for this reader.
    pub fn sees(self, member_id: Id, kind: ExportKind, status: ExportStatus) -> bool {
        use ExportStatus::{Expired, Ready, Released};
        match self {
            Self::Member(own) => {
                own == member_id && (kind == ExportKind::Own || matches!(status, Ready | Released | Expired))
            }
            Self::Advisor { .. } => kind == ExportKind::Full,
        }
    }
}

/// The state at this instant: a document that is to be removed can't be read any more.
pub fn status_at(status: ExportStatus, expires_at: Option<Timestamp>, now: Timestamp) -> ExportStatus {
    let over = matches!(status, ExportStatus::Ready | ExportStatus::Released) && expires_at.is_some_and(|at| at <= now);
    if over { ExportStatus::Expired } else { status }
}

/// The version that a member sees of an export in this state. The real one tells whether there was a review.
pub fn version_for_member(status: ExportStatus) -> i32 {
    match status {
        ExportStatus::Queued | ExportStatus::InReview => 1,
        ExportStatus::Ready | ExportStatus::Released => 2,
        ExportStatus::Expired => 3,
    }
}

/// Checks that the document of an export in this state can be read.
///
/// # Errors
/// 409 if it isn't made yet, or is in review and this reader doesn't review; 410 if it was removed.
pub fn check_readable(status: ExportStatus, reader: Reader) -> Result<()> {
    match status {
        ExportStatus::Ready | ExportStatus::Released => Ok(()),
        ExportStatus::InReview if reader == (Reader::Advisor { reviews: true }) => Ok(()),
        ExportStatus::InReview => {
            let detail = "The document is in review. Somebody with the permission safeguarding releases it.";
            Err(Error::new(Kind::InvalidState, detail))
        }
        ExportStatus::Queued => {
            Err(Error::new(Kind::InvalidState, "The document isn't made yet. Look again in a minute."))
        }
        ExportStatus::Expired => Err(Error::new(
            Kind::ExportExpired,
            "The document was removed, as each is seven days after it was ready. Ask for another.",
        )),
    }
}

/// Checks that a member may have one more export, beside those that haven't expired.
///
/// # Errors
/// 409 if one of this kind is under way, or if the member has many documents.
pub fn check_room(kind: ExportKind, others: &[(Id, ExportKind, ExportStatus)]) -> Result<()> {
    let alike: Vec<_> = others.iter().filter(|(_, other, _)| *other == kind).collect();
    if let Some((id, _, status)) = alike.iter().find(|(_, _, status)| status.is_open()) {
        let detail = format!("The export {id} is {status}. Wait for it instead of asking for another.");
        return Err(Error::new(Kind::InvalidState, detail));
    }
    if kind == ExportKind::Own && alike.len() >= MOST_OWN {
        let detail = format!("{MOST_OWN} documents are ready. Read one of them, or wait until one has expired.");
        return Err(Error::new(Kind::InvalidState, detail));
    }
    Ok(())
}

/// In how many seconds an export that could not be made is tried again, after so many attempts.
pub fn pause(attempts: i32) -> i64 {
    60 * 2_i64.pow(attempts.clamp(0, 6).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_member_sends_a_password_and_an_advisor_when_and_how() {
        let (password, received_on, how) =
            (Some("p".to_owned()), Some(day("2026-11-23")), Some("by letter".to_owned()));
        let input = |mask: [bool; 3]| ExportInput {
            current_password: password.clone().filter(|_| mask[0]),
            received_on: received_on.filter(|_| mask[1]),
            how: how.clone().filter(|_| mask[2]),
        };
        let read = |mask, is_member| Asked::read(input(mask), is_member, day("2026-11-23"));
        assert_eq!(read([true, false, false], true).unwrap(), Asked::Own("p".into()));
        assert_eq!(read([false, true, true], false).unwrap(), Asked::Full(day("2026-11-23"), "by letter".into()));
        for (mask, is_member) in [
            ([false, false, false], true),
            ([false, false, false], false),
            ([true, true, false], true),
            ([true, false, true], true),
            ([false, true, true], true),
            ([true, true, true], false),
            ([true, false, false], false),
            ([false, true, false], false),
            ([false, false, true], false),
        ] {
            assert!(read(mask, is_member).is_err(), "{mask:?} {is_member}");
        }
        assert!(Asked::read(input([false, true, true]), false, day("2026-11-22")).is_err(), "in the future");
    }

    #[test]
    fn a_member_sees_nothing_of_a_review() {
        use ExportKind::{Full, Own};
        use ExportStatus::{Expired, InReview, Queued, Ready, Released};
        let (ann, bob) = (Id(uuid::Uuid::from_u128(1)), Id(uuid::Uuid::from_u128(2)));
        for (status, own, full) in [
            (Queued, true, false),
            (InReview, true, false),
            (Ready, true, true),
            (Released, true, true),
            (Expired, true, true),
        ] {
            assert_eq!(Reader::Member(ann).sees(ann, Own, status), own, "{status}");
            assert_eq!(Reader::Member(ann).sees(ann, Full, status), full, "{status}");
            for reviews in [true, false] {
                let advisor = Reader::Advisor { reviews };
                assert!(advisor.sees(ann, Full, status) && !advisor.sees(ann, Own, status), "{status}");
            }
            for kind in [Own, Full] {
                assert!(!Reader::Member(bob).sees(ann, kind, status), "{status}");
            }
        }
    }

    #[test]
    fn a_document_is_read_while_it_is_there_and_in_review_by_those_who_review() {
        use ExportStatus::{Expired, InReview, Queued, Ready, Released};
        let member = Reader::Member(Id(uuid::Uuid::from_u128(1)));
        let [advisor, reviewer] = [false, true].map(|reviews| Reader::Advisor { reviews });
        let kind = |status, reader| check_readable(status, reader).map_err(|error| error.kind());
        for reader in [member, advisor, reviewer] {
            assert_eq!(kind(Ready, reader), Ok(()));
            assert_eq!(kind(Released, reader), Ok(()));
            assert_eq!(kind(Queued, reader), Err(Kind::InvalidState));
            assert_eq!(kind(Expired, reader), Err(Kind::ExportExpired));
        }
        assert_eq!(kind(InReview, member), Err(Kind::InvalidState));
        assert_eq!(kind(InReview, advisor), Err(Kind::InvalidState));
        assert_eq!(kind(InReview, reviewer), Ok(()));
    }

    #[test]
    fn one_export_of_a_kind_is_under_way_at_a_time_and_a_member_has_three_documents() {
        use ExportKind::{Full, Own};
        use ExportStatus::{InReview, Queued, Ready, Released};
        let one = |kind, status| (Id(uuid::Uuid::from_u128(1)), kind, status);
        assert!(check_room(Own, &[]).is_ok());
        assert!(check_room(Own, &[one(Own, Queued)]).is_err());
        assert!(check_room(Own, &[one(Full, Queued), one(Full, InReview)]).is_ok());
        assert!(check_room(Full, &[one(Full, InReview)]).is_err());
        assert!(check_room(Own, &[one(Own, Ready); 2]).is_ok());
        assert!(check_room(Own, &[one(Own, Ready); 3]).is_err());
        assert!(check_room(Full, &[one(Full, Released); 9]).is_ok());
    }
}
