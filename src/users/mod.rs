//! Accounts that log in, each with one role. An account with the role `partner` also has a partner.
//!
//! - Site managers see and change all accounts except members' own. A member's account comes from self-registration or
//!   an advisor's invitation, and a site manager reads nothing about a person.
//! - An e-mail address is kept in lower case and is unique.
//! - A change of the role, the partner, `disabled` or the password ends the account's tokens at once.
//! - There is always at least one enabled site manager.

pub mod handlers;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_users);
    config.service(handlers::get_user);
    config.service(handlers::create_user);
    config.service(handlers::change_user);
}
