//! The JSON of logging in, tokens and one's own account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::auth::caller::{CallerKind, Role, Scope};
use crate::auth::logins::store::LoginRow;
use crate::db::{Id, Timestamp};

/// An e-mail address and a password.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The account's e-mail address.
    #[schema(format = "email", max_length = 254, example = "advisor@example.org")]
    pub email: String,
    /// The account's password.
    #[schema(format = "password", max_length = 128, example = "correct horse battery staple")]
    pub password: String,
    /// What the client calls itself, so that people know their logins apart.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "Firefox on my phone")]
    pub client_name: Option<String>,
    /// Sets the refresh token as a cookie that no script can read, instead of sending it in the body. For pages on the
    /// same site as the service.
    #[serde(default)]
    #[schema(example = false)]
    pub cookie: bool,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RefreshInput {
    /// The newest refresh token of the login. Leave it out if the login has the cookie.
    #[schema(max_length = 200, example = "lrr_AZnS8Ho8e72h9T0sWg6bQQAAAAF4b1p2Yk9JcXhHc2RqTm1LZUx3UHJUdVZ5WmFCY0Q")]
    pub refresh_token: Option<String>,
}

/// The tokens of a login.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoggedIn {
    /// The access token, for `Authorization: Bearer`.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln")]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds until the access token ends.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// The refresh token, for `POST /v1/auth/refresh`. It counts once. Null if it was set as a cookie.
    #[schema(example = "lrr_AZnS8Ho8e72h9T0sWg6bQQAAAAF4b1p2Yk9JcXhHc2RqTm1LZUx3UHJUdVZ5WmFCY0Q")]
    pub refresh_token: Option<String>,
    /// Seconds until the refresh token ends if it isn't used.
    #[schema(example = 7200)]
    pub refresh_expires_in: i64,
}

/// A device on which the account is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenLogin {
    /// Its id.
    pub id: Id,
    /// What the client calls itself.
    #[schema(example = "Firefox on my phone")]
    pub client_name: Option<String>,
    /// The network that the login was made from, without the part of the address that tells one device from another.
    #[schema(example = "192.0.2.0/24")]
    pub network: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last got tokens.
    pub last_used_at: Timestamp,
    /// Whether it is the login of this request.
    #[schema(example = true)]
    pub current: bool,
}

impl OpenLogin {
    /// A login as its account sees it. `current` is the login of the request.
    pub fn of(row: LoginRow, current: Option<Id>) -> Self {
        Self {
            id: row.id,
            client_name: row.client_name,
            network: row.network,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            current: current == Some(row.id),
        }
    }
}

/// An access token of an API client.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessToken {
    /// The token, for `Authorization: Bearer`.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln")]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds until the token ends.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// The token's scopes, separated by spaces.
    #[schema(example = "rosters:write registers:write")]
    pub scope: String,
}

/// The form of a token request (RFC 6749, section 4.4).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientTokenRequest {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials")]
    pub grant_type: String,
    /// The scopes to get, separated by spaces. Without it the token gets all the client's scopes.
    #[schema(example = "rosters:write")]
    pub scope: Option<String>,
}

/// The caller's own account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The account's or client's id.
    pub id: Id,
    /// Whether the caller is a person (`user`) or a program (`client`).
    #[schema(value_type = String, example = "user")]
    pub kind: CallerKind,
    /// The account's e-mail address, or the client's name.
    #[schema(example = "advisor@example.org")]
    pub name: String,
    /// What the account is for.
    pub role: Role,
    /// The partner; null unless the role is `partner`.
    pub partner_id: Option<Id>,
    /// The member; null unless the role is `member`.
    pub member_id: Option<Id>,
    /// The scopes of the token; empty unless the role is `partner`.
    pub scopes: Vec<Scope>,
    /// Permissions beyond the role.
    #[schema(example = json!(["safeguarding"]))]
    pub permissions: Vec<String>,
}

/// A change of one's own password.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password until now.
    #[schema(format = "password", max_length = 128, example = "correct horse battery staple")]
    pub current_password: String,
    /// The password from now on.
    #[schema(format = "password", min_length = 8, max_length = 128, example = "paper boat under the lamp")]
    pub new_password: String,
}

/// How a client gets tokens (RFC 8414).
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerMetadata {
    /// The issuer of the tokens.
    #[schema(example = "https://api.example.org")]
    pub issuer: String,
    /// Where an API client gets tokens.
    #[schema(example = "https://api.example.org/v1/oauth/token")]
    pub token_endpoint: String,
    /// Where the public keys of the tokens are.
    #[schema(example = "https://api.example.org/.well-known/jwks.json")]
    pub jwks_uri: String,
    /// The ways in which a client can authenticate.
    #[schema(example = json!(["client_secret_basic"]))]
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// The grants that a client can use.
    #[schema(example = json!(["client_credentials"]))]
    pub grant_types_supported: Vec<&'static str>,
    /// Always empty: there is no authorization endpoint.
    #[schema(example = json!([]))]
    pub response_types_supported: Vec<&'static str>,
    /// Every scope.
    pub scopes_supported: Vec<Scope>,
}
