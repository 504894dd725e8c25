//! Spaces as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::schema::spaces;
use crate::db::{Id, Json, Timestamp};
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
    /// The partners that it is kept for. Others can't plan sessions in it; the service itself can. Empty: anybody can.
    #[serde(default)]
    #[schema(max_items = 50, value_type = std::collections::HashSet<Id>, example = json!([]))]
    pub kept_for: Json<Vec<Id>>,
}

/// Whether a session of this partner, or of the service itself (`None`), can be planned in a space that is kept for these
/// partners.
pub fn is_open_to(partner_id: Option<Id>, kept_for: &[Id]) -> bool {
    kept_for.is_empty() || partner_id.is_none_or(|id| kept_for.contains(&id))
}

/// The code and the sentence of the fault for a space that is kept for others.
pub const KEPT: (&str, &str) = ("space_kept", "Is kept for other partners. Choose another space.");

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
