//! Items of prescriptions as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::prescriptions::types::NeedDomain;

crate::text_enum! {
    /// The kind of thing that an item refers to.
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
    /// The state of an item. It begins as `proposed`, or as `requested` if it is a referral to a partner, and goes on to
    /// `accepted`, `engaged` and `completed`. Until it is completed it can also end as `declined`, `disengaged` or
    /// `unavailable`. A referral can end as `rejected`. The advisor and the member can set each state that comes next,
    /// but only an advisor records a partner's answer.
    pub enum PrescriptionItemStatus {
        /// Offered to the member, who hasn't answered yet. Every item that isn't a referral begins so.
        Proposed,
        /// The partner has been asked and hasn't answered yet. Every referral begins so.
        Requested,
        /// The member said yes, or the partner did to a referral. An advisor records the partner's answer.
        Accepted,
        /// The partner said no to a referral. An advisor records it, with the `reason`. It is a last state.
        Rejected,
        /// The member takes part.
        Engaged,
        /// Done as planned. It is a last state.
        Completed,
        /// The member said no. It is a last state.
        Declined,
        /// The member stopped coming or answering. It is a last state.
        Disengaged,
        /// It can't be had, for example because the group has ended. It is a last state.
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
    /// The state of the item. The operation's description says which state can follow which.
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
