//! Registers: who was there.
//!
//! - A register is taken once the session has started; a correction is one more version of it.
//! - Bookings are marked attended or absent and keep their seats. A booking that isn't named stays as it is.
//! - A walk-in takes no seat and is never refused for capacity. The walk-ins that a caller can see are replaced by
//!   the ones they name; those of members who don't consent to be shared with a partner stay untouched by it.
//! - A walk-in is a member, or somebody whom an advisor registers with the register, by the rules of registering.
//! - Who waited for a seat, or was offered one, when the session started is a walk-in: their booking has ended.
//! - The headcount counts people who are not members. It is never added to members.

pub mod handlers;
pub mod headcounts;
pub mod rules;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::get_register);
    config.service(handlers::take_register);
}
