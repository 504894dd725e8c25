//! API clients: the credentials with which a partner's programs get tokens.
//!
//! - A secret is shown once, when the client is created or the secret rotated. Only its digest is stored.
//! - Rotating or revoking ends every token of the client at once. A revoked client stays in the list.

pub mod handlers;
pub mod store;
pub mod types;
