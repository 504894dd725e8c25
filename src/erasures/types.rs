//! Erasures as JSON.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::db::{Id, Timestamp};

crate::text_enum! {
    /// The state of a request to erase a member.
    pub enum ErasureStatus {
        /// It waits to be executed.
        Requested,
        /// It was taken back. It is a last state.
        Withdrawn,
        /// It waits until its reason is gone.
        Held,
        /// It was done. It is a last state.
        Executed,
    }
    /// Where a request to erase a member comes from.
    pub enum ErasureOrigin {
        /// The member, with their own account.
        Member,
        /// The member, through an advisor.
        Advisor,
        /// Somebody who looked through records that nobody has used for years.
        Retention,
        /// The service itself: an older database was restored, in which the member wasn't erased yet.
        Restored,
    }
    /// Whether the files of the database may still hold what was deleted.
    pub enum DiskState {
        /// They may.
        Pending,
        /// They don't.
        Done,
    }
}

crate::described! {
    /// What stands in the way of erasing a member.
    pub enum ErasureBlocker {
        /// A booking of a session to come. `force` cancels it.
        FutureBooking,
        /// An active prescription. `force` closes it.
        ActivePrescription,
        /// What is kept about the member was asked for and not answered yet. `force` takes the request away.
        OpenExport,
        /// A merge of the record that can still be undone. `force` makes that impossible.
        UndoOpen,
        /// The request is held. `force` doesn't pass it.
        Held,
    }
}

crate::described! {
    /// Whether the log of writes may still hold what was deleted.
    pub enum WriteAheadLog {
        /// It may, until the database uses its space again.
        UntilRecycled,
        /// It doesn't: it was emptied.
        Emptied,
    }
}

/// How many rows of each table were deleted or emptied.
pub type ErasedRows = BTreeMap<String, i64>;

/// A request to erase a member, as it is made.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ErasureInput {
    /// The password of the member's account. Members must give it, and advisors may not.
    #[schema(format = "password", max_length = 128, example = "paper boat under the lamp")]
    pub current_password: Option<String>,
    /// The day on which the member asked, not in the future. Advisors must give it, and members may not.
    #[schema(example = "2026-11-23")]
    pub received_on: Option<NaiveDate>,
}

/// A request to erase a member, as the member and advisors see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErasureRequest {
    /// Its id.
    pub id: Id,
    /// The member.
    pub member_id: Id,
    /// Its state.
    pub status: ErasureStatus,
    /// Why it is held.
    #[schema(example = "A complaint is being answered.")]
    pub reason: Option<String>,
    /// The last day on which it is held.
    #[schema(example = "2027-01-31")]
    pub hold_until: Option<NaiveDate>,
    /// The day on which the member asked.
    #[schema(example = "2026-11-23")]
    pub asked_on: NaiveDate,
    /// The day by which it must be done: a month later, or the Monday after it.
    #[schema(example = "2026-12-23")]
    pub due_on: NaiveDate,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What an erasure has done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErasureResult {
    /// How many rows of each table were deleted or emptied.
    #[schema(example = json!({ "consents": 3, "members": 1 }))]
    pub rows: BTreeMap<String, i64>,
    /// Whether the files of the database may still hold what was deleted.
    pub disk: DiskState,
    /// Whether the log of writes may still hold it.
    pub wal: WriteAheadLog,
    /// The backups that still hold the person. The service makes none yet, so it knows none.
    pub backups: Vec<ErasureBackup>,
}

/// A backup that was made before somebody was erased.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErasureBackup {
    /// When it was made.
    pub made_at: Timestamp,
    /// The day by which it is deleted.
    #[schema(example = "2027-01-31")]
    pub gone_by: NaiveDate,
}

/// A request to erase a member, as an admin sees it: ids, days and states, and no name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Erasure {
    /// Its id.
    pub id: Id,
    /// The member.
    pub member_id: Id,
    /// Its state.
    pub status: ErasureStatus,
    /// Where it comes from.
    pub origin: ErasureOrigin,
    /// The day on which the member asked.
    #[schema(example = "2026-11-23")]
    pub asked_on: NaiveDate,
    /// The day by which it must be done: a month later, or the Monday after it.
    #[schema(example = "2026-12-23")]
    pub due_on: NaiveDate,
    /// What stands in the way. Empty once it has ended.
    pub blockers: Vec<ErasureBlocker>,
    /// Why it is held.
    #[schema(example = "A complaint is being answered.")]
    pub reason: Option<String>,
    /// The last day on which it is held.
    #[schema(example = "2027-01-31")]
    pub hold_until: Option<NaiveDate>,
    /// When it was done.
    pub executed_at: Option<Timestamp>,
    /// What was done.
    pub result: Option<ErasureResult>,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which requests to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ErasureFilter {
    /// Only requests in this state.
    #[param(inline)]
    pub status: Option<ErasureStatus>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

/// How a request is executed. The body may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ErasureExecution {
    /// Whether to cancel bookings of sessions to come, close active prescriptions and give up undoing a merge. Absent: no.
    #[serde(default)]
    #[schema(default = false, example = true)]
    pub force: bool,
}

/// Why a request is held.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ErasureHold {
    /// The reason, in a sentence. The member reads it.
    #[schema(min_length = 1, max_length = 500, example = "A complaint is being answered.")]
    pub reason: String,
    /// The last day on which it is held, not in the past. Absent: until somebody resumes it.
    #[schema(example = "2027-01-31")]
    pub until: Option<NaiveDate>,
}
