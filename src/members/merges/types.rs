//! Merging as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::db::{Id, Timestamp};
use crate::members::consents::types::{ConsentDecision, ConsentPurpose};

/// Which record to merge into the one in the path.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MergeInput {
    /// The record that is merged into the one in the path. Afterwards its id leads there.
    pub from: Id,
    /// The version of the record in the path that you have seen.
    #[schema(minimum = 1, maximum = 2147483647, example = 3)]
    pub into_version: i32,
    /// The version of the other record that you have seen.
    #[schema(minimum = 1, maximum = 2147483647, example = 1)]
    pub from_version: i32,
    /// Only to see what would be done. Nothing is changed.
    #[serde(default)]
    #[schema(default = false, example = true)]
    pub dry_run: bool,
    /// That you have made sure that the accounts of both records are this person's. Required if there is one: it reads
    /// everything of both records afterwards, and anybody can register with somebody else's name.
    #[serde(default)]
    #[schema(default = false, example = true)]
    pub account_checked: bool,
}

/// How many rows of each kind move.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct MovedCounts {
    /// Consents.
    #[schema(example = 2)]
    pub consents: usize,
    /// Prescriptions.
    #[schema(example = 1)]
    pub prescriptions: usize,
    /// Bookings, cancelled ones too.
    #[schema(example = 12)]
    pub bookings: usize,
    /// Walk-ins.
    #[schema(example = 3)]
    pub walk_ins: usize,
    /// Addresses of calendars.
    #[schema(example = 0)]
    pub calendar_links: usize,
    /// Accounts: one, or none.
    #[schema(example = 0)]
    pub users: usize,
    /// Relationships.
    #[schema(example = 0)]
    pub relationships: usize,
    /// Access needs: one set, or none.
    #[schema(example = 1)]
    pub access_needs: usize,
    /// Answers for equality monitoring: one set, or none.
    #[schema(example = 0)]
    pub equality_answers: usize,
    /// Messages.
    #[schema(example = 9)]
    pub messages: usize,
    /// Links that were sent or shown.
    #[schema(example = 0)]
    pub one_time_links: usize,
    /// Records that had been merged into the one that is merged now.
    #[schema(example = 0)]
    pub merged_records: usize,
}

impl From<BTreeMap<&'static str, usize>> for MovedCounts {
    /// Safeguarding flags move too, and aren't counted here: nobody may learn from it that there are any.
    fn from(counts: BTreeMap<&'static str, usize>) -> Self {
        let of = |name: &str| counts.get(name).copied().unwrap_or_default();
        Self {
            consents: of("consents"),
            prescriptions: of("prescriptions"),
            bookings: of("bookings"),
            walk_ins: of("walk_ins"),
            calendar_links: of("calendar_links"),
            users: of("users"),
            relationships: of("relationships"),
            access_needs: of("access_needs"),
            equality_answers: of("equality_answers"),
            messages: of("messages"),
            one_time_links: of("one_time_links"),
            merged_records: of("members"),
        }
    }
}

crate::described! {
    /// A kind of thing that is set aside.
    pub enum AsideKind {
        /// A booking in a session in which the other record was too. Its seats are given back.
        Booking,
        /// A walk-in in a session in which the other record was too. `id` is the session's.
        WalkIn,
        /// A relationship that the other record has too.
        Relationship,
        /// Access needs, because the other record has some. `id` is the member's.
        AccessNeeds,
        /// Answers for equality monitoring, because the other record has some. `id` is the member's.
        EqualityAnswers,
        /// The account of the record that is merged, because the other record has one. It is disabled.
        Account,
    }
}

/// Something that is set aside. It comes back if the merge is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SetAside {
    /// What it is.
    pub kind: AsideKind,
    /// Its id.
    pub id: Id,
}

/// A consent about which the two records say different things. The last one recorded decides; ask the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DifferingConsent {
    /// What it is for.
    pub purpose: ConsentPurpose,
    /// The partner, with `share_with_partner`.
    pub partner_id: Option<Id>,
    /// What the record in the path said last.
    pub into: ConsentDecision,
    /// What the other record said last.
    pub from: ConsentDecision,
    /// What holds after the merge.
    pub decides: ConsentDecision,
}

/// An account of one of the two records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MergedAccount {
    /// Its id.
    pub id: Id,
    /// The record that it belonged to.
    pub member_id: Id,
    /// The address that it logs in with.
    #[schema(example = "ann@example.org")]
    pub email: String,
    /// Whether it goes on, and reads everything of both records. Otherwise it is disabled, and its owner is told.
    pub stays: bool,
}

/// What was merged, or would be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MergeOutcome {
    /// The id of the merge; null if nothing was done.
    pub merge_id: Option<Id>,
    /// The record that holds everything now.
    pub into: Id,
    /// The record that was merged into it.
    pub from: Id,
    /// Whether nothing was done, because only a look was asked for.
    #[schema(example = false)]
    pub dry_run: bool,
    /// How many rows of each kind moved.
    pub moved: MovedCounts,
    /// What was set aside.
    pub set_aside: Vec<SetAside>,
    /// The accounts of the two records: two at most.
    #[schema(max_items = 2)]
    pub accounts: Vec<MergedAccount>,
    /// The fields of the record that the other record filled in.
    #[schema(example = json!(["email", "postcode"]))]
    pub filled: Vec<String>,
    /// The consents about which the two records say different things.
    pub consents_differ: Vec<DifferingConsent>,
    /// Until when the merge can be undone; null if nothing was done.
    pub undo_until: Option<Timestamp>,
}

crate::described! {
    /// A kind of thing that stands in the way of merging.
    pub enum ConflictKind {
        /// Both records hold a place in one session to come. Cancel one with `tell=false`: the person keeps the other.
        /// `ids` are the bookings.
        SessionToCome,
        /// The records have two NHS numbers. `ids` are the members.
        NhsNumbers,
        /// The record that is to be merged was merged into another. `ids` is that other record.
        Merged,
        /// The record that is to be merged was erased. `ids` is the record.
        Erased,
        /// There is a relationship between the two, so they are two people. `ids` are the relationships.
        Relationship,
        /// One of them has asked to be forgotten. `ids` are the requests.
        OpenErasure,
        /// One of them waits for what is kept about them. `ids` are the exports.
        OpenExport,
        /// There is an account, which would read both records. Make sure that it is this person's, and say so with
        /// `account_checked`. A dry run tells its address instead. `ids` are the accounts.
        Account,
    }
}

/// Something that stands in the way of merging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MergeConflict {
    /// What it is.
    pub kind: ConflictKind,
    /// What it concerns.
    pub ids: Vec<Id>,
}

/// A merge.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Merge {
    /// Its id.
    pub id: Id,
    /// The record that holds everything.
    pub into: Id,
    /// The record that was merged into it.
    pub from: Id,
    /// The account that merged them.
    pub done_by: Id,
    /// Until when the merge can be undone.
    pub undo_until: Timestamp,
    /// When it was undone; null if it wasn't.
    pub undone_at: Option<Timestamp>,
    /// The account that undid it; null if it wasn't undone.
    pub undone_by: Option<Id>,
    /// When they were merged.
    pub created_at: Timestamp,
}

/// Whose merges to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MergeFilter {
    /// Merges of this record: those into it, and the one of it into another.
    #[param(inline)]
    pub member_id: Id,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}
