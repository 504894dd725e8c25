//! Partners: organisations that deliver sessions, with their programmes and API clients.
//!
//! - The public sees active partners, without their contacts; staff see all of them, and a partner sees itself.
//! - A partner that isn't active gets no tokens, and its live tokens are refused.
//! - Site managers and the partner itself write its programmes. Only site managers manage its API clients.

pub mod clients;
pub mod handlers;
pub mod programmes;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_partners);
    config.service(handlers::get_partner);
    config.service(handlers::create_partner);
    config.service(handlers::change_partner);
    programmes::configure(config);
    clients::configure(config);
}
