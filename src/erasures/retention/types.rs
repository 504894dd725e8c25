//! Retention reviews as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::db::Id;
use crate::erasures::types::ErasureBlocker;

/// Which records to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RetentionFilter {
    /// Only records whose last activity was before this day. Absent: as many years ago as the service keeps records for
    /// (8, unless its operator has set another number). It can't be a later day than that.
    #[param(example = "2018-01-01")]
    pub before: Option<NaiveDate>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

/// A record that is to be looked through: ids and days, and no name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RetentionReview {
    /// The member.
    pub member_id: Id,
    /// The day of the last booking, attendance, prescription, consent or login; without any, the day of the registration.
    #[schema(example = "2018-06-14")]
    pub last_activity_on: NaiveDate,
    /// Whether the member was under 18 then. Such a record is listed only after the member's 25th birthday.
    #[schema(example = false)]
    pub last_active_as_child: bool,
    /// What would stand in the way of erasing the member.
    pub blockers: Vec<ErasureBlocker>,
}

crate::described! {
    /// What is decided about a record.
    pub enum RetentionVerdict {
        /// It is kept, until a day and for a reason.
        Keep,
        /// A request to erase the member is made, which an admin then executes.
        Erase,
    }
}

/// What is decided about a record that was looked through.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RetentionInput {
    /// What is decided.
    pub decision: RetentionVerdict,
    /// The last day on which the record is kept, in the future. Required with `keep`, and allowed only then.
    #[schema(example = "2029-01-31")]
    pub until: Option<NaiveDate>,
    /// Why it is kept. Required with `keep`, and allowed only then.
    #[schema(min_length = 1, max_length = 500, example = "A claim is open.")]
    pub reason: Option<String>,
}

/// What was decided about a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RetentionDecision {
    /// The member.
    pub member_id: Id,
    /// What was decided.
    pub decision: RetentionVerdict,
    /// The last day on which the record is kept.
    #[schema(example = "2029-01-31")]
    pub until: Option<NaiveDate>,
    /// The request to erase the member.
    pub erasure_id: Option<Id>,
}
