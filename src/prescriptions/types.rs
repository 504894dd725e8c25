//! Prescriptions as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::items::types::{PrescriptionItem, PrescriptionItemInput};
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;

crate::text_enum! {
    /// Who wrote the prescription, or asked for it.
    pub enum PrescriptionOrigin {
        /// The member.
        #[serde(rename = "self")]
        #[strum(serialize = "self")]
        Own,
        /// A pathways advisor.
        Advisor,
        /// A GP practice.
        Gp,
        /// A partner.
        Partner,
    }
    /// The state of a prescription: `draft`, then `active`, then `completed` or `closed_early`. A draft and an active one
    /// can also become `declined`. The operations `activate`, `complete`, `close` and `decline` set it.
    pub enum PrescriptionStatus {
        /// Being written. It counts in no report, and can be deleted.
        Draft,
        /// Agreed and under way.
        Active,
        /// Done. It is a last state.
        Completed,
        /// Ended before it was done. It is a last state.
        ClosedEarly,
        /// The member doesn't want it. It is a last state.
        Declined,
    }
    /// What somebody needs support with.
    pub enum NeedDomain {
        /// Somewhere to live.
        Housing,
        /// Debts.
        Debt,
        /// Welfare benefits.
        Benefits,
        /// Work.
        Employment,
        /// Learning.
        Education,
        /// Using computers and phones.
        DigitalSkills,
        /// Physical health.
        PhysicalWellbeing,
        /// Mental health.
        MentalWellbeing,
        /// Company of other people.
        Loneliness,
        /// Caring for somebody.
        Caring,
        /// Family life.
        Family,
        /// Arts and culture.
        ArtsAndCulture,
        /// Helping others.
        Volunteering,
        /// Anything else.
        Other,
    }
}

/// One need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// What the need is about.
    pub domain: NeedDomain,
    /// From 1, slight, to 5, severe.
    #[schema(minimum = 1, maximum = 5, example = 3)]
    pub severity: Option<i32>,
    /// More about the need.
    #[schema(min_length = 1, max_length = 1000, example = "Two months behind with the rent")]
    pub note: Option<String>,
}

/// A prescription as it is written.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionInput {
    /// Whose prescription it is. For a member, their own id.
    pub member_id: Id,
    /// Who wrote it, or asked for it. For a member, `self`.
    pub origin: PrescriptionOrigin,
    /// The site where it is developed.
    pub site_id: Option<Id>,
    /// What matters to the member, in their words.
    #[schema(min_length = 1, max_length = 4000, example = "To get out of the house and meet people")]
    pub what_matters: Option<String>,
    /// The needs. Each domain at most once.
    #[serde(default)]
    #[schema(max_items = 14)]
    #[validate(nested)]
    pub needs: Vec<Need>,
    /// What is offered.
    #[serde(default)]
    #[schema(max_items = 50)]
    #[validate(nested)]
    pub items: Vec<PrescriptionItemInput>,
    /// The day it was developed, not in the future. Absent: the day of its activation. Only advisors write it.
    #[schema(example = "2026-11-20")]
    pub developed_on: Option<NaiveDate>,
    /// When to look at it again.
    #[schema(example = "2027-02-20")]
    pub review_on: Option<NaiveDate>,
}

/// The fields of a prescription that can be changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionChange {
    /// The site where it is developed. Reports count by site, so a member changes it only in a draft that they wrote.
    pub site_id: Option<Id>,
    /// What matters to the member, in their words.
    #[schema(min_length = 1, max_length = 4000, example = "To get out of the house and meet people")]
    pub what_matters: Option<String>,
    /// All the needs. Each domain at most once. A need that an item refers to can't be removed.
    #[serde(default)]
    #[schema(max_items = 14)]
    #[validate(nested)]
    pub needs: Vec<Need>,
    /// The day it was developed, not in the future. Only advisors write it. An active prescription must keep a day.
    #[schema(example = "2026-11-20")]
    pub developed_on: Option<NaiveDate>,
    /// When to look at it again.
    #[schema(example = "2027-02-20")]
    pub review_on: Option<NaiveDate>,
}

/// A change of a prescription.
pub type PrescriptionPatch = MergePatch<PrescriptionChange>;

/// Why a prescription ends. The body may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// The reason, in a sentence.
    #[schema(min_length = 1, max_length = 1000, example = "Moved away")]
    pub reason: Option<String>,
}

/// A prescription.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Prescription {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub member_id: Id,
    /// Who wrote it, or asked for it.
    pub origin: PrescriptionOrigin,
    /// The account of the advisor who wrote it. Null if the member wrote it, and for the member.
    pub advisor_id: Option<Id>,
    /// The display name of the advisor.
    #[schema(example = "Dana P.")]
    pub advisor_name: Option<String>,
    /// The site where it was developed.
    pub site_id: Option<Id>,
    /// What matters to the member, in their words.
    #[schema(example = "To get out of the house and meet people")]
    pub what_matters: Option<String>,
    /// The needs.
    pub needs: Vec<Need>,
    /// What is offered.
    pub items: Vec<PrescriptionItem>,
    /// The state it is in.
    pub status: PrescriptionStatus,
    /// Why it ended.
    #[schema(example = "Moved away")]
    pub status_reason: Option<String>,
    /// The day it was developed.
    #[schema(example = "2026-11-20")]
    pub developed_on: Option<NaiveDate>,
    /// When to look at it again.
    #[schema(example = "2027-02-20")]
    pub review_on: Option<NaiveDate>,
    /// Rises with each change of the prescription or of its items; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which prescriptions to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionFilter {
    /// Only this member's prescriptions.
    #[param(inline)]
    pub member_id: Option<Id>,
    /// Only prescriptions in this state.
    #[param(inline)]
    pub status: Option<PrescriptionStatus>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

/// Which prescriptions of a member to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MemberPrescriptionFilter {
    /// Only prescriptions in this state.
    #[param(inline)]
    pub status: Option<PrescriptionStatus>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}
