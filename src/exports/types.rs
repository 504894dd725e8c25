//! Exports as JSON. What a document holds is described in [`super::document::types`].

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use crate::db::types::TextEnum;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};
use crate::members::requests::OPEN_EXPORT;

crate::text_enum! {
    /// Who asked for an export.
    pub enum ExportKind {
        /// The member, in their own account.
        Own,
        /// An advisor, for a member who asked in another way. It can hold safeguarding, so somebody looks at each first.
        Full,
    }
    /// How far an export has come.
    pub enum ExportStatus {
        /// Its document isn't made yet.
        Queued,
        /// The document is made and has to be looked at before anybody gets it. Every `full` one has to: otherwise the wait
        /// would tell about whom there are notes that keep somebody safe.
        InReview,
        /// The document can be read until `expires_at`.
        Ready,
        /// The document was looked at, and can be read until `expires_at`. For the member it is `ready`.
        Released,
        /// The document was removed.
        Expired,
    }
    /// A section of a document that can be withheld.
    #[derive(Hash)]
    pub enum ExportPart {
        /// Who the member is.
        Record,
        /// How to reach them.
        Contact,
        /// What they need to take part.
        AccessNeeds,
        /// Their answers for equality monitoring.
        EqualityAnswers,
        /// What they agreed to.
        Consents,
        /// Who is close to them.
        Relationships,
        /// Their social prescriptions.
        Prescriptions,
        /// Their bookings.
        Bookings,
        /// The sessions that they came to without a booking.
        WalkIns,
        /// What the service told them.
        Messages,
        /// Their account.
        Account,
        /// The devices on which they logged in.
        Logins,
        /// The links that they were sent.
        Links,
        /// The addresses of their calendar.
        CalendarLinks,
        /// Other records of theirs that were joined with this one.
        Merges,
        /// When they asked for their data.
        Exports,
        /// When they asked to be forgotten.
        Erasures,
        /// Why their record is kept, although nobody uses it.
        Retention,
        /// Notes that keep somebody safe.
        Safeguarding,
        /// Who looked at their data to keep somebody safe.
        SafeguardingLog,
        /// Who looked at their data.
        AccessLog,
    }
}

impl ExportStatus {
    /// Whether it isn't answered yet.
    pub fn is_open(self) -> bool {
        OPEN_EXPORT.contains(&self.name())
    }
}

/// A request for everything that is kept about a member.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ExportInput {
    /// The password of the member's account. A member sends it, and nothing else.
    #[schema(format = "password", max_length = 128, example = "correct horse battery staple")]
    pub current_password: Option<String>,
    /// The day on which the member's request came in, not in the future. An advisor sends it.
    #[schema(example = "2026-11-20")]
    pub received_on: Option<NaiveDate>,
    /// How the request came, and how it is known who asked. An advisor sends it.
    #[schema(min_length = 1, max_length = 500, example = "By letter; she showed her library card on 20 November")]
    pub how: Option<String>,
}

/// What can be changed of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "extended_with_a_reason"))]
pub struct ExportChange {
    /// Whether the answer is due within three months, because the request is complex. Otherwise it is due within one.
    pub extended: bool,
    /// Why it takes longer, for the member. Required with `extended`, and allowed only with it.
    #[schema(min_length = 1, max_length = 1000, example = "Three services hold notes on paper.")]
    pub reason: Option<String>,
}

fn extended_with_a_reason(written: &ExportChange) -> Result<(), ValidationError> {
    let error = match (written.extended, written.reason.is_some()) {
        (true, false) => rule("required", "Say why it takes longer."),
        (false, true) => rule("not_allowed", "Only an extension has a reason."),
        _ => return Ok(()),
    };
    Err(at(error, "/reason"))
}

impl ExportPart {
    /// Whether it is about safeguarding. Such sections are withheld together.
    pub fn is_of_safeguarding(&self) -> bool {
        matches!(self, Self::Safeguarding | Self::SafeguardingLog)
    }
}

/// A change of an export.
pub type ExportPatch = MergePatch<ExportChange>;

/// What of a document is withheld when it is released. The body may be left out: then nothing is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "withheld_with_a_reason"))]
pub struct ExportRelease {
    /// The sections that the member doesn't get. Each once. `safeguarding` and `safeguarding_log` are withheld together, and
    /// the document then reads as that of somebody about whom there are no such notes.
    #[serde(default)]
    #[schema(max_items = 21, value_type = std::collections::HashSet<ExportPart>, example = json!(["safeguarding"]))]
    pub withheld: Vec<ExportPart>,
    /// Why, in a sentence. Required if something is withheld. It stands in the document, but not for safeguarding.
    #[schema(min_length = 1, max_length = 1000, example = "It would put somebody at risk.")]
    pub reason: Option<String>,
}

fn withheld_with_a_reason(written: &ExportRelease) -> Result<(), ValidationError> {
    let error = match (written.withheld.is_empty(), written.reason.is_some()) {
        (false, false) => rule("required", "Say why something is withheld."),
        (true, true) => rule("not_allowed", "Nothing is withheld, so there is nothing to explain."),
        _ => return Ok(()),
    };
    Err(at(error, "/reason"))
}

/// An export: a request for everything that is kept about a member, and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Export {
    /// Its id.
    pub id: Id,
    /// The member.
    pub member_id: Id,
    /// Who asked.
    pub kind: ExportKind,
    /// How far it has come.
    pub status: ExportStatus,
    /// The day on which the request came in.
    #[schema(example = "2026-11-20")]
    pub received_on: NaiveDate,
    /// How the request came. Null for an `own` export.
    #[schema(example = "By letter; she showed her library card on 20 November")]
    pub how: Option<String>,
    /// The last day on which to answer. It is never on a weekend; bank holidays aren't known here.
    #[schema(example = "2026-12-21")]
    pub due_on: NaiveDate,
    /// Whether the time was extended, and why.
    #[serde(flatten)]
    pub written: ExportChange,
    /// The sections that are withheld. Empty for the member, who reads it in the document. Those about safeguarding stand
    /// here only for advisors with the permission `safeguarding`.
    pub withheld: Vec<ExportPart>,
    /// Why they are withheld. Null for the member.
    #[schema(example = "It would put somebody at risk.")]
    pub withheld_reason: Option<String>,
    /// How many bytes the document has as JSON. Null until it can be read.
    #[schema(example = 48_213)]
    pub bytes: Option<i32>,
    /// The SHA-256 of the document as JSON, in hexadecimal digits. Null until it can be read.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: Option<String>,
    /// How often the document was read since it was ready.
    #[schema(example = 1)]
    pub downloads: i32,
    /// When the document could first be read. Null before.
    pub ready_at: Option<Timestamp>,
    /// Until when the document can be read. Null before it is ready.
    pub expires_at: Option<Timestamp>,
    /// Rises with each change that the reader sees.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was asked for here.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which exports to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportFilter {
    /// Only exports in this state.
    #[param(inline)]
    pub status: Option<ExportStatus>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn the_states_of_open_exports_are_states_of_exports() {
        let open: Vec<ExportStatus> = ExportStatus::iter().filter(|status| status.is_open()).collect();
        assert_eq!(open, [ExportStatus::Queued, ExportStatus::InReview]);
    }
}
