//! Accounts that log in, each with one role and, where the role needs it, a partner.
//!
//! - Site managers see and change them all, except members' own: those come from self-registration or an advisor's
//!   invitation, and an admin reads nothing about a person.
//! - An address is kept in lower case and is unique.
//! - Whatever narrows an account (role, partner, disabled, password) ends its tokens at once.
//! - There is always an enabled site manager.

pub mod handlers;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_users);
    config.service(handlers::get_user);
    config.service(handlers::create_user);
    config.service(handlers::change_user);
}
