//! Hostings as JSON.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::schema::hostings;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};

/// A hosting as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = hostings, treat_none_as_null = true)]
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
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = hostings)]
pub struct Hosting {
    /// Its id.
    pub id: Id,
    /// The site.
    pub site_id: Id,
    /// What was last written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub written: HostingInput,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Hosting {
    /// A new hosting of a site.
    pub fn new(id: Id, site_id: Id, written: HostingInput, now: Timestamp) -> Self {
        Self { id, site_id, written, version: 1, created_at: now, updated_at: now }
    }

    /// This hosting after a change.
    pub fn changed(&self, written: HostingInput, now: Timestamp) -> Self {
        Self { written, version: self.version + 1, updated_at: now, ..self.clone() }
    }
}
