//! Access needs as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::rules;
use crate::db::{Id, Timestamp};
use crate::http::rule::{at, rule};

crate::described! {
    /// What an access need is about.
    pub enum NeedCategory {
        /// In which form to send something: `large_print`, `easy_read`, `braille`, `audio`, `plain_text_email`,
        /// `other_language`.
        InformationFormat,
        /// How to get in touch: `email_only`, `text_only`, `letter_only`, `text_relay`, `via_carer`.
        ContactMethod,
        /// What helps in a conversation: `lipreader`, `hearing_aid`, `makaton`, `talking_mat`, `longer_appointment`,
        /// `advocate`.
        CommunicationSupport,
        /// Who helps in a conversation: `bsl_interpreter`, `spoken_interpreter` (`detail` is the language),
        /// `speech_to_text`, `deafblind_guide`.
        CommunicationProfessional,
        /// What a venue must have: a short name as in the `accessibility` of venues, such as `step_free`.
        VenueAccess,
        /// Anything else, under a short name.
        Other,
    }
}

/// One access need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "is_complete"))]
pub struct AccessNeed {
    /// What it is about.
    pub category: NeedCategory,
    /// The need, by one of the names that its category has.
    #[schema(min_length = 1, max_length = 40, format = "short-name", example = "large_print")]
    pub code: String,
    /// More about it. Required with `spoken_interpreter`: the language.
    #[schema(min_length = 1, max_length = 300, example = "18 point, on yellow paper")]
    pub detail: Option<String>,
    /// Whether partners whom the member shares data with see the code. They never see the detail.
    #[serde(default)]
    pub share: bool,
}

fn is_complete(need: &AccessNeed) -> Result<(), ValidationError> {
    if let Some(known) = rules::codes(need.category).filter(|known| !known.contains(&need.code.as_str())) {
        let mut error = rule("unknown_code", "Is no need of this category.");
        error.message = Some(format!("Must be one of {}.", known.join(", ")).into());
        return Err(at(error, "/code"));
    }
    if rules::needs_detail(need) && need.detail.is_none() {
        return Err(at(rule("required", "Say which language."), "/detail"));
    }
    Ok(())
}

/// A member's access needs as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "fit_together"))]
pub struct AccessNeedsInput {
    /// The day the member was asked, not in the future. Absent: today.
    #[schema(example = "2026-11-23")]
    pub asked_on: Option<NaiveDate>,
    /// Whether the member was asked and needs nothing. Then `needs` is empty.
    #[serde(default)]
    pub none: bool,
    /// All needs, each once.
    #[schema(max_items = 20)]
    #[validate(nested)]
    pub needs: Vec<AccessNeed>,
    /// When to ask again, not before they were asked. Absent: a year after they were asked.
    #[schema(example = "2027-11-23")]
    pub review_on: Option<NaiveDate>,
}

fn fit_together(written: &AccessNeedsInput) -> Result<(), ValidationError> {
    if written.none && !written.needs.is_empty() {
        return Err(at(rule("not_allowed", "There are needs. Leave this out, or send no needs."), "/none"));
    }
    if let Some(index) = rules::repeated(&written.needs) {
        return Err(at(rule("repeated", "This need is already in the list."), &format!("/needs/{index}")));
    }
    Ok(())
}

/// A member's access needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessNeeds {
    /// The member.
    pub member_id: Id,
    /// The day the member was asked. Null if nobody has asked.
    #[schema(example = "2026-11-23")]
    pub asked_on: Option<NaiveDate>,
    /// Whether the member was asked and needs nothing.
    pub none: bool,
    /// The needs.
    pub needs: Vec<AccessNeed>,
    /// When to ask again. Null if nobody has asked.
    #[schema(example = "2027-11-23")]
    pub review_on: Option<NaiveDate>,
    /// 0 until they are first written; then rises with each change. The `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When they were first written. Null before.
    pub created_at: Option<Timestamp>,
    /// When they were last changed. Null before.
    pub updated_at: Option<Timestamp>,
}

/// An access need without its detail, as registers show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NeedCode {
    /// What it is about.
    pub category: NeedCategory,
    /// The need.
    #[schema(example = "large_print")]
    pub code: String,
}
