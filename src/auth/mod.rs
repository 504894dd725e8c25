//! Who a caller is and what they may do: accounts and API clients, passwords, access tokens, policies.
//!
//! A token says who somebody is for fifteen minutes; whether they still may is looked up at each request, so that
//! disabling an account holds at once. Refresh tokens, rotation of keys and throttling have their place here.

pub mod caller;
pub mod client_login;
pub mod handlers;
pub mod password;
pub mod policy;
pub mod reach;
pub mod secret;
pub mod store;
pub mod token;
pub mod types;
pub mod viewer;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::login);
    config.service(handlers::issue_client_token);
    config.service(handlers::get_keys);
    config.service(handlers::get_server_metadata);
    config.service(handlers::get_me);
    config.service(handlers::change_my_password);
}
