//! Logging in and out, access tokens for API clients, the public keys, and one's own account.

pub mod client_login;
pub mod device;
pub mod grant;
pub mod handlers;
pub mod own_logins;
pub mod password_login;
pub mod refresh;
pub mod restored;
pub mod types;

crate::routes! {
    handlers: login, issue_client_token, get_keys, get_server_metadata, get_me, change_my_password;
    refresh: refresh_login, log_out;
    own_logins: list_my_logins, end_my_login, end_my_logins
}
