//! Topics as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::db::schema::topics;
use crate::db::{Id, Json, Timestamp};
use crate::http::rule::{at, rule};
use crate::prescriptions::types::NeedDomain;

/// A topic as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "activity_has_its_name"))]
pub struct TopicInput {
    /// The name to show to people.
    #[schema(min_length = 1, max_length = 80, format = "one-line", example = "Tai chi")]
    pub label: String,
    /// What it is, in a sentence or two.
    #[schema(min_length = 1, max_length = 500, example = "Slow movements that anybody can do.")]
    pub description: Option<String>,
    /// The same activity in OpenActive's list.
    #[schema(
        max_length = 80,
        format = "openactive-activity",
        example = "https://openactive.io/activity-list#c16df6ed-a4a0-4275-a8c3-1c8cff56856f"
    )]
    pub openactive_activity: Option<String>,
    /// Its name there.
    #[schema(min_length = 1, max_length = 80, format = "one-line", example = "Tai Chi")]
    pub openactive_label: Option<String>,
    /// The needs that it helps with. Each once.
    #[serde(default)]
    #[schema(inline, max_items = 14, example = json!(["physical_wellbeing", "mental_wellbeing"]))]
    pub needs: Vec<NeedDomain>,
}

fn activity_has_its_name(topic: &TopicInput) -> Result<(), ValidationError> {
    if topic.openactive_activity.is_some() == topic.openactive_label.is_some() {
        return Ok(());
    }
    let error = rule("required", "Send the activity in OpenActive's list together with its name there.");
    Err(at(error, "/openactive_label"))
}

/// A topic.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = topics, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Topic {
    /// Its id.
    #[serde(skip)]
    pub id: Id,
    /// Its value in `topics` of sessions and in the parameter `topic`.
    #[schema(example = "tai_chi")]
    pub code: String,
    /// The name to show to people.
    #[schema(example = "Tai chi")]
    pub label: String,
    /// What it is, in a sentence or two.
    pub description: Option<String>,
    /// The same activity in OpenActive's list.
    #[schema(format = "uri", example = "https://openactive.io/activity-list#c16df6ed-a4a0-4275-a8c3-1c8cff56856f")]
    pub openactive_activity: Option<String>,
    /// Its name there.
    #[schema(example = "Tai Chi")]
    pub openactive_label: Option<String>,
    /// The needs that it helps with.
    #[schema(value_type = Vec<NeedDomain>, inline)]
    pub needs: Json<Vec<NeedDomain>>,
    /// Whether the service wrote the label, because sessions have this topic and nobody has described it.
    pub made: bool,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Topic {
    /// A topic that somebody describes.
    pub fn new(id: Id, code: String, written: TopicInput, now: Timestamp) -> Self {
        let TopicInput { label, description, openactive_activity, openactive_label, needs } = written;
        let (needs, made) = (Json(needs), false);
        let (version, created_at, updated_at) = (1, now, now);
        Self {
            id,
            code,
            label,
            description,
            openactive_activity,
            openactive_label,
            needs,
            made,
            version,
            created_at,
            updated_at,
        }
    }

    /// A topic that sessions have and nobody has described. Its label is the code with spaces: `tai_chi` is "Tai chi".
    pub fn of_sessions(id: Id, code: String, now: Timestamp) -> Self {
        let mut label = code.replace('_', " ").trim().to_owned();
        if label.is_empty() {
            label.clone_from(&code);
        }
        if let Some(first) = label.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let written = TopicInput {
            label,
            description: None,
            openactive_activity: None,
            openactive_label: None,
            needs: Vec::new(),
        };
        Self { made: true, ..Self::new(id, code, written, now) }
    }

    /// This row after a change.
    pub fn changed(&self, written: TopicInput, now: Timestamp) -> Self {
        let new = Self::new(self.id, self.code.clone(), written, now);
        Self { version: self.version + 1, created_at: self.created_at, ..new }
    }

    /// What a PUT gives.
    pub fn written(&self) -> TopicInput {
        TopicInput {
            label: self.label.clone(),
            description: self.description.clone(),
            openactive_activity: self.openactive_activity.clone(),
            openactive_label: self.openactive_label.clone(),
            needs: self.needs.0.clone(),
        }
    }

    /// This topic's place in the list.
    pub fn key(&self) -> String {
        self.code.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_of_a_topic_that_nobody_described_is_its_code_with_spaces() {
        let label = |code: &str| {
            let now = Timestamp(chrono::DateTime::UNIX_EPOCH);
            Topic::of_sessions(Id(uuid::Uuid::nil()), code.into(), now).label
        };
        assert_eq!(["tai_chi", "5k", "_", "_a"].map(label), ["Tai chi", "5k", "_", "A"]);
    }
}
