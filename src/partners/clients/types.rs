//! API clients as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::auth::caller::Scope;
use crate::db::{Id, Timestamp};

/// An API client as it is made.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ApiClientInput {
    /// What the client is for, in a person's words.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Scheduling system")]
    pub name: String,
    /// What it may do for its partner. Without scopes it only reads the catalogue.
    #[schema(max_items = 7, value_type = std::collections::HashSet<Scope>, example = json!(["rosters:write", "rosters:read"]))]
    pub scopes: Vec<Scope>,
}

/// An API client, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiClient {
    /// Its id.
    pub id: Id,
    /// The partner it belongs to.
    pub partner_id: Id,
    /// The `client_id` to get tokens with. It is the same as `id`.
    #[schema(example = "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41")]
    pub client_id: String,
    /// What the client is for, in a person's words.
    #[schema(example = "Scheduling system")]
    pub name: String,
    /// What it may do for its partner.
    pub scopes: Vec<Scope>,
    /// When it was revoked; null while it is in use.
    pub revoked_at: Option<Timestamp>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An API client with its secret. The secret is shown only this once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssuedApiClient {
    /// The client.
    #[serde(flatten)]
    pub client: ApiClient,
    /// The secret. Keep it: it can't be shown again, only rotated. Null in the answer to a repeated request.
    #[schema(example = "m3b0YpYwWcK2v9q8lN5xJrT4uE7sA1dFgHjKlZxCvBn")]
    pub client_secret: Option<String>,
    /// If there is no secret, the reason.
    #[schema(example = "The secret was shown in the first answer only. Rotate the client to get another.")]
    pub client_secret_note: Option<&'static str>,
}

impl IssuedApiClient {
    /// The first answer.
    pub fn with_secret(client: ApiClient, secret: &str) -> Self {
        Self { client, client_secret: Some(secret.to_owned()), client_secret_note: None }
    }

    /// The answer to a repeated request.
    pub fn without_secret(client: ApiClient) -> Self {
        let note = "The secret was shown in the first answer only. Rotate the client to get another.";
        Self { client, client_secret: None, client_secret_note: Some(note) }
    }
}
