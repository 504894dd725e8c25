//! What is decided about access needs without a database.

use chrono::{Months, NaiveDate};

use super::types::{AccessNeed, AccessNeedsInput, NeedCategory, NeedCode};
use crate::error::{Error, Fault, Result};

/// The names of the needs of a category. `None` if any short name is one.
pub fn codes(category: NeedCategory) -> Option<&'static [&'static str]> {
    Some(match category {
        NeedCategory::InformationFormat => {
            &["large_print", "easy_read", "braille", "audio", "plain_text_email", "other_language"]
        }
        NeedCategory::ContactMethod => &["email_only", "text_only", "letter_only", "text_relay", "via_carer"],
        NeedCategory::CommunicationSupport => {
            &["lipreader", "hearing_aid", "makaton", "talking_mat", "longer_appointment", "advocate"]
        }
        NeedCategory::CommunicationProfessional => {
            &["bsl_interpreter", "spoken_interpreter", "speech_to_text", "deafblind_guide"]
        }
        NeedCategory::VenueAccess | NeedCategory::Other => return None,
    })
}

/// Whether a need says too little without its detail.
pub fn needs_detail(need: &AccessNeed) -> bool {
    need.category == NeedCategory::CommunicationProfessional && need.code == "spoken_interpreter"
}

/// The place of a need that an earlier one repeats.
pub fn repeated(needs: &[AccessNeed]) -> Option<usize> {
    let same = |one: &AccessNeed, other: &AccessNeed| (one.category, &one.code) == (other.category, &other.code);
    (1..needs.len()).find(|index| needs[..*index].iter().any(|before| same(before, &needs[*index])))
}

/// The day on which they were asked, and the day to ask again.
///
/// # Errors
/// 422 if they were asked in the future, or are to be asked again before they were asked.
pub fn days(written: &AccessNeedsInput, today: NaiveDate) -> Result<(NaiveDate, NaiveDate)> {
    let asked_on = written.asked_on.unwrap_or(today);
    let review_on = written.review_on.unwrap_or_else(|| asked_on + Months::new(12));
    let mut faults = Vec::new();
    if asked_on > today {
        faults.push(Fault::at("/asked_on", "in_the_future", "Must not be in the future."));
    }
    if review_on < asked_on {
        faults.push(Fault::at("/review_on", "too_early", "Must not be before they were asked."));
    }
    Error::unless_none(faults)?;
    Ok((asked_on, review_on))
}

/// Who is shown the needs of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// The service itself and the member, who see every need.
    Everything,
    /// A partner, which sees what is shared.
    SharedOnly,
}

/// A member's needs in brief.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brief {
    /// The needs that may be seen.
    pub codes: Vec<NeedCode>,
    /// Whether it is time to ask again. To a partner only if it sees any need.
    pub review_due: bool,
}

impl Brief {
    /// The needs in brief, on this day.
    pub fn of(needs: Vec<AccessNeed>, review_on: NaiveDate, sharing: Sharing, today: NaiveDate) -> Self {
        let seen = needs.into_iter().filter(|need| sharing == Sharing::Everything || need.share);
        let codes: Vec<NeedCode> = seen.map(|need| NeedCode { category: need.category, code: need.code }).collect();
        let concerned = sharing == Sharing::Everything || !codes.is_empty();
        Self { review_due: concerned && review_on <= today, codes }
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.codes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(category: NeedCategory, code: &str, share: bool) -> AccessNeed {
        AccessNeed { category, code: code.to_owned(), detail: None, share }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_partner_sees_what_is_shared_and_is_reminded_only_of_that() {
        let needs = vec![
            need(NeedCategory::InformationFormat, "large_print", true),
            need(NeedCategory::ContactMethod, "via_carer", false),
        ];
        let brief = |sharing, today: &str| Brief::of(needs.clone(), day("2027-11-23"), sharing, day(today));
        assert_eq!(brief(Sharing::Everything, "2027-11-22").codes.len(), 2);
        assert!(!brief(Sharing::Everything, "2027-11-22").review_due);
        assert!(brief(Sharing::Everything, "2027-11-23").review_due);
        let shared = brief(Sharing::SharedOnly, "2027-11-23");
        assert_eq!((shared.codes.len(), shared.review_due), (1, true));
        let hidden = Brief::of(needs[1..].to_vec(), day("2027-11-23"), Sharing::SharedOnly, day("2027-11-23"));
        assert_eq!(hidden, Brief::default());
    }

    #[test]
    fn they_are_asked_again_a_year_later_also_after_a_leap_day() {
        let mut written = AccessNeedsInput { asked_on: None, none: true, needs: Vec::new(), review_on: None };
        assert_eq!(days(&written, day("2028-02-29")).unwrap().1, day("2029-02-28"));
        written.review_on = Some(day("2028-02-28"));
        assert!(days(&written, day("2028-02-29")).is_err());
        written.asked_on = Some(day("2028-03-01"));
        assert!(days(&written, day("2028-02-29")).is_err());
    }

    #[test]
    fn the_same_code_in_another_category_is_another_need() {
        let other = need(NeedCategory::Other, "large_print", false);
        let print = need(NeedCategory::InformationFormat, "large_print", true);
        assert_eq!(repeated(&[other.clone(), print.clone()]), None);
        assert_eq!(repeated(&[other.clone(), print, other]), Some(2));
    }
}
