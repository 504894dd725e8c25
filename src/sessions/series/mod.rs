//! Session series: what is offered again and again.
//!
//! - A series is expanded into its sessions when it is made. One whose rule never ends (RFC 5545, neither COUNT nor
//!   UNTIL) has its sessions up to a horizon, a number of months ahead, and more as time goes on ([`top_up`]).
//! - A change goes to its sessions that are still to come, scheduled and not edited by hand, in place: their ids and
//!   bookings stay. Past, cancelled and edited ones stay as they are.
//! - Cancelling it cancels all of its sessions that are still to come, and every booking of them.

pub mod handlers;
pub mod rules;
pub mod shown;
pub mod store;
pub mod top_up;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_series);
    config.service(handlers::get_series);
    config.service(handlers::create_series);
    config.service(handlers::change_series);
    config.service(handlers::cancel_series);
}
