//! Named areas as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::schema::report_areas;
use crate::db::{Id, Json, Timestamp};
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
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = report_areas)]
pub struct ReportArea {
    /// Its id.
    pub id: Id,
    /// Its place among the areas, of which there can only be so many.
    #[serde(skip)]
    number: i32,
    /// Its value in the parameter `area` of reports.
    #[schema(example = "liverpool-and-sefton")]
    pub slug: String,
    /// The name to show to people.
    #[schema(example = "Liverpool and Sefton")]
    pub name: String,
    /// The local authorities that are counted together.
    #[schema(value_type = Vec<String>, example = json!(["Liverpool", "Sefton"]))]
    pub local_authorities: Json<Vec<String>>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl ReportArea {
    /// A new area.
    pub fn new(id: Id, number: i32, slug: String, written: ReportAreaInput, now: Timestamp) -> Self {
        let ReportAreaInput { name, local_authorities } = written;
        let local_authorities = Json(local_authorities.iter().map(|known| known.name.to_owned()).collect());
        Self { id, number, slug, name, local_authorities, version: 1, created_at: now, updated_at: now }
    }

    /// This row after a change.
    pub fn changed(&self, written: ReportAreaInput, now: Timestamp) -> Self {
        let new = Self::new(self.id, self.number, self.slug.clone(), written, now);
        Self { version: self.version + 1, created_at: self.created_at, ..new }
    }

    /// What a PUT gives.
    pub fn written(&self) -> (String, Vec<String>) {
        (self.name.clone(), self.local_authorities.0.clone())
    }

    /// This area's place in the list.
    pub fn key(&self) -> String {
        self.slug.clone()
    }
}
