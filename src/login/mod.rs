//! Logging in, access tokens for API clients, the public keys, and one's own account.

pub mod client_login;
pub mod handlers;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::login);
    config.service(handlers::issue_client_token);
    config.service(handlers::get_keys);
    config.service(handlers::get_server_metadata);
    config.service(handlers::get_me);
    config.service(handlers::change_my_password);
}
