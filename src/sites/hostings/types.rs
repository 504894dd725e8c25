//! Hostings as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};

/// A hosting as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "ends_after_it_starts"))]
pub struct HostingInput {
    /// The venue.
    pub venue_id: Id,
    /// The partner who hosts the site, if any.
    pub partner_id: Option<Id>,
    /// The first day.
    #[schema(example = "2021-10-01")]
    pub starts_on: NaiveDate,
    /// The last day. Absent: the hosting goes on.
    #[schema(example = "2024-03-31")]
    pub ends_on: Option<NaiveDate>,
}

/// A change of a hosting.
pub type HostingPatch = MergePatch<HostingInput>;

fn ends_after_it_starts(hosting: &HostingInput) -> Result<(), ValidationError> {
    if hosting.ends_on.is_some_and(|end| end < hosting.starts_on) {
        return Err(at(rule("ends_first", "Must not be before starts_on."), "/ends_on"));
    }
    Ok(())
}

/// A hosting.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hosting {
    /// Its id.
    pub id: Id,
    /// The site.
    pub site_id: Id,
    /// What was last written.
    #[serde(flatten)]
    pub written: HostingInput,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
