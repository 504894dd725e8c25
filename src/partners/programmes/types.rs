//! Programmes as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;

/// A programme as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeInput {
    /// A short name for use in rosters and addresses, unique within the partner.
    #[schema(min_length = 1, max_length = 80, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "shared-reading")]
    pub slug: String,
    /// The name people know it by.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Shared Reading")]
    pub name: String,
    /// What the programme is, for the public.
    #[schema(min_length = 1, max_length = 4000, example = "Stories and poems, read aloud together each week.")]
    pub description: Option<String>,
}

/// A change of a programme.
pub type ProgrammePatch = MergePatch<ProgrammeInput>;

/// A programme.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Programme {
    /// Its id.
    pub id: Id,
    /// The partner it belongs to.
    pub partner_id: Id,
    /// What was last written.
    #[serde(flatten)]
    pub written: ProgrammeInput,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
