//! Programmes as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::schema::programmes;
use crate::db::{Id, Timestamp};
use crate::http::patch::MergePatch;

/// A programme as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = programmes, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeInput {
    /// A short name for use in rosters and addresses, unique within the partner.
    #[schema(min_length = 1, max_length = 80, format = "slug", example = "shared-reading")]
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
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = programmes)]
pub struct Programme {
    /// Its id.
    pub id: Id,
    /// The partner it belongs to.
    pub partner_id: Id,
    /// What was last written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub written: ProgrammeInput,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Programme {
    /// A new programme of a partner.
    pub fn new(id: Id, partner_id: Id, written: ProgrammeInput, now: Timestamp) -> Self {
        Self { id, partner_id, written, version: 1, created_at: now, updated_at: now }
    }

    /// This programme after a change.
    pub fn changed(&self, written: ProgrammeInput, now: Timestamp) -> Self {
        Self { written, version: self.version + 1, updated_at: now, ..self.clone() }
    }
}
