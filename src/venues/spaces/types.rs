//! Spaces as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::schema::spaces;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;

/// A space as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = spaces, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
pub struct SpaceInput {
    /// The name people know it by, unique within the venue.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Meeting room 2")]
    pub name: String,
    /// How many people it holds.
    #[schema(minimum = 1, maximum = 100000, example = 24)]
    pub capacity: Option<i32>,
}

/// A change of a space.
pub type SpacePatch = MergePatch<SpaceInput>;

/// A space.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = spaces)]
pub struct Space {
    /// Its id.
    pub id: Id,
    /// The venue it is in.
    pub venue_id: Id,
    /// What was last written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub written: SpaceInput,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Space {
    /// A new space of a venue.
    pub fn new(id: Id, venue_id: Id, written: SpaceInput, now: Timestamp) -> Self {
        Self { id, venue_id, written, version: 1, created_at: now, updated_at: now }
    }

    /// This space after a change.
    pub fn changed(&self, written: SpaceInput, now: Timestamp) -> Self {
        Self { written, version: self.version + 1, updated_at: now, ..self.clone() }
    }
}
