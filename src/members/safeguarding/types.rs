//! Safeguarding flags as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};

crate::text_enum! {
    /// What a member is at risk of.
    pub enum SafeguardingCategory {
        /// Abuse by somebody else.
        Abuse,
        /// Neglect, also of themself.
        Neglect,
        /// Harming themself.
        SelfHarm,
        /// Abuse at home.
        DomesticAbuse,
        /// Being exploited.
        Exploitation,
        /// Anything else.
        Other,
    }
    /// The state of a safeguarding flag.
    pub enum SafeguardingStatus {
        /// The risk is there.
        Open,
        /// The risk is over, or there was none.
        Closed,
    }
}

/// A safeguarding flag as it is raised.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SafeguardingInput {
    /// What the member is at risk of.
    pub category: SafeguardingCategory,
    /// What happened, and what was done.
    #[schema(min_length = 1, max_length = 2000, example = "A neighbour keeps her bank card. The council was told.")]
    pub summary: String,
    /// The day it was raised, not in the future. Absent: today.
    #[schema(example = "2026-11-23")]
    pub raised_on: Option<NaiveDate>,
    /// When to look at it again, not before it was raised.
    #[schema(example = "2026-12-07")]
    pub review_on: NaiveDate,
}

/// What can be changed of a safeguarding flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "closed_with_a_reason"))]
pub struct SafeguardingFlagChange {
    /// What the member is at risk of.
    pub category: SafeguardingCategory,
    /// What happened, and what was done.
    #[schema(min_length = 1, max_length = 2000, example = "A neighbour keeps her bank card. The council was told.")]
    pub summary: String,
    /// When to look at it again, not before it was raised.
    #[schema(example = "2026-12-07")]
    pub review_on: NaiveDate,
    /// The state.
    pub status: SafeguardingStatus,
    /// Why it is closed. Required while it is closed, and allowed only then.
    #[schema(min_length = 1, max_length = 1000, example = "The card was returned and stopped.")]
    pub closed_reason: Option<String>,
}

/// A change of a safeguarding flag.
pub type SafeguardingFlagPatch = MergePatch<SafeguardingFlagChange>;

fn closed_with_a_reason(flag: &SafeguardingFlagChange) -> Result<(), ValidationError> {
    let closed = flag.status == SafeguardingStatus::Closed;
    let error = match (closed, flag.closed_reason.is_some()) {
        (true, false) => rule("required", "Say why it is closed."),
        (false, true) => rule("not_allowed", "An open flag has no such reason. Send null with status: open."),
        _ => return Ok(()),
    };
    Err(at(error, "/closed_reason"))
}

/// A safeguarding flag.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SafeguardingFlag {
    /// Its id.
    pub id: Id,
    /// The member.
    pub member_id: Id,
    /// What can be changed of it.
    #[serde(flatten)]
    pub written: SafeguardingFlagChange,
    /// The account that raised it.
    pub raised_by: Id,
    /// The day it was raised.
    #[schema(example = "2026-11-23")]
    pub raised_on: NaiveDate,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
