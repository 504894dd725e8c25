//! Sites as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::schema::sites;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;

/// A site as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sites, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
pub struct SiteInput {
    /// A short name for use in addresses, unique among sites.
    #[schema(min_length = 1, max_length = 80, format = "slug", example = "central-liverpool")]
    pub slug: String,
    /// The name people know it by.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Central Liverpool")]
    pub name: String,
}

/// A change of a site.
pub type SitePatch = MergePatch<SiteInput>;

/// A site.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = sites)]
pub struct Site {
    /// Its id.
    pub id: Id,
    /// What was last written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub written: SiteInput,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Site {
    /// A new site.
    pub fn new(id: Id, written: SiteInput, now: Timestamp) -> Self {
        Self { id, written, version: 1, created_at: now, updated_at: now }
    }

    /// This site after a change.
    pub fn changed(&self, written: SiteInput, now: Timestamp) -> Self {
        Self { written, version: self.version + 1, updated_at: now, ..self.clone() }
    }
}
