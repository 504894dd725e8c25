//! API clients: the credentials with which a partner's programs get tokens.
//!
//! - A secret is shown once, when the client is created or the secret rotated. Only its digest is stored.
//! - Rotating or revoking ends every token of the client at once. A revoked client stays in the list.

pub mod handlers;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_clients);
    config.service(handlers::create_client);
    config.service(handlers::get_client);
    config.service(handlers::revoke_client);
    config.service(handlers::rotate_client);
}
