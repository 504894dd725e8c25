//! Logging in, access tokens for API clients, the public keys, and one's own account.

pub mod client_login;
pub mod handlers;
pub mod password_login;
pub mod types;

crate::routes! {
    handlers: login, issue_client_token, get_keys, get_server_metadata, get_me, change_my_password
}
