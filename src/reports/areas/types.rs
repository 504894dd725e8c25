//! Named areas as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::{Id, Timestamp};
use crate::places::LocalAuthority;

/// A named area as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReportAreaInput {
    /// The name to show to people.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Liverpool and Sefton")]
    pub name: String,
    /// The local authorities that are counted together. Each once.
    #[schema(inline, min_items = 1, max_items = 50, example = json!(["Liverpool", "Sefton"]))]
    pub local_authorities: Vec<LocalAuthority>,
}

/// A named area.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportArea {
    /// Its id.
    pub id: Id,
    /// Its value in the parameter `area` of reports.
    #[schema(example = "liverpool-and-sefton")]
    pub slug: String,
    /// The name to show to people.
    #[schema(example = "Liverpool and Sefton")]
    pub name: String,
    /// The local authorities that are counted together.
    #[schema(example = json!(["Liverpool", "Sefton"]))]
    pub local_authorities: Vec<String>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
