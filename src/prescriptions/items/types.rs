//! Items of prescriptions as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::prescriptions::types::NeedDomain;

crate::text_enum! {
    /// The kind of thing that an item refers to.
    #[derive(strum::EnumIter)]
    pub enum PrescriptionItemKind {
        /// A series of sessions.
        Series,
        /// One session.
        Session,
        /// A partner's programme.
        Programme,
        /// A partner. Such an item is a referral.
        Partner,
        /// Nothing: plain advice.
        Advice,
    }
    /// The state of an item.
    #[derive(strum::EnumIter)]
    pub enum PrescriptionItemStatus {
        /// Offered to the member.
        Proposed,
        /// A partner was asked.
        Requested,
        /// Agreed to, by the member or the partner.
        Accepted,
        /// The partner said no.
        Rejected,
        /// Under way.
        Engaged,
        /// Done.
        Completed,
        /// The member said no.
        Declined,
        /// The member stopped.
        Disengaged,
        /// No longer offered.
        Unavailable,
    }
}

/// An item as it is written.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionItemInput {
    /// The need that it meets: the domain of one of the prescription's needs.
    pub need: Option<NeedDomain>,
    /// The kind of thing that it refers to.
    pub kind: PrescriptionItemKind,
    /// The id of what it refers to. Absent for advice.
    pub target_id: Option<Id>,
    /// The member's own goal.
    #[schema(min_length = 1, max_length = 1000, example = "To come every Tuesday")]
    pub goal: Option<String>,
    /// More about the item.
    #[schema(min_length = 1, max_length = 1000, example = "Prefers to sit near the door")]
    pub note: Option<String>,
}

/// The fields of an item that can be changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionItemChange {
    /// The state of the item.
    pub status: PrescriptionItemStatus,
    /// Why it is in this state. Required with `rejected`.
    #[schema(min_length = 1, max_length = 1000, example = "No places before spring")]
    pub reason: Option<String>,
    /// The member's own goal.
    #[schema(min_length = 1, max_length = 1000, example = "To come every Tuesday")]
    pub goal: Option<String>,
    /// More about the item.
    #[schema(min_length = 1, max_length = 1000, example = "Prefers to sit near the door")]
    pub note: Option<String>,
}

/// A change of an item.
pub type PrescriptionItemPatch = MergePatch<PrescriptionItemChange>;

/// An item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PrescriptionItem {
    /// Its id.
    pub id: Id,
    /// The need that it meets.
    pub need: Option<NeedDomain>,
    /// The kind of thing that it refers to.
    pub kind: PrescriptionItemKind,
    /// The id of what it refers to. Null for advice.
    pub target_id: Option<Id>,
    /// The member's own goal.
    #[schema(example = "To come every Tuesday")]
    pub goal: Option<String>,
    /// More about the item.
    #[schema(example = "Prefers to sit near the door")]
    pub note: Option<String>,
    /// The state of the item.
    pub status: PrescriptionItemStatus,
    /// Why it is in this state.
    #[schema(example = "No places before spring")]
    pub reason: Option<String>,
    /// Rises with each change. The `ETag` to change the item by.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
