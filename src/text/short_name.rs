//! Short names of topics and of features, such as `reading` or `step_free`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A short name such as `reading` or `step_free`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 40, format = "short-name", example = "reading")]
pub struct ShortName(pub String);
