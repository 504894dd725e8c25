//! The access log as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::audit::Purpose;
use crate::db::Timestamp;

/// Which part of an access log to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AccessLogFilter {
    /// Only what happened on this day (in London) or later.
    #[param(example = "2027-01-04")]
    pub from: Option<NaiveDate>,
    /// Only what happened on this day (in London) or earlier.
    #[param(example = "2027-01-10")]
    pub to: Option<NaiveDate>,
    /// `false` leaves out what the member did themselves.
    #[param(default = true)]
    pub own: Option<bool>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

crate::described! {
    /// Whose account it was, or that it was the service itself.
    #[derive(strum::EnumString)]
    pub enum ActorRole {
        /// Somebody who runs the service.
        Admin,
        /// A pathways advisor.
        Advisor,
        /// Somebody who reads counts.
        Analyst,
        /// The member themselves, or another member.
        Member,
        /// Somebody at a partner, or a partner's system.
        Partner,
        /// The service itself.
        System,
    }
}

/// Who did something.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Who {
    /// The display name of the account; null if it has none. Another member, such as a carer, has the name of their
    /// record. A partner's system is `its system`.
    #[schema(example = "Dana P.")]
    pub name: Option<String>,
    /// The role at that time.
    pub role: ActorRole,
    /// The partner, or `Life Rooms`; null for a member.
    #[schema(example = "Life Rooms")]
    pub organisation: Option<String>,
}

/// Something that happened to a member's data.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccessLogEntry {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub who: Who,
    /// What they did: `read`, `search`, `list`, `create`, `change`, and so on.
    #[schema(example = "read")]
    pub action: String,
    /// The kind of thing that they did it to.
    #[schema(example = "prescription")]
    pub what: String,
    /// The fields that were read or changed; empty for the whole.
    #[schema(example = json!(["bookings"]))]
    pub fields: Vec<String>,
    /// What for; null if that isn't known, and for what the member did themselves.
    pub purpose: Option<Purpose>,
    /// Whether the member did it themselves.
    #[schema(example = false)]
    pub own: bool,
}
