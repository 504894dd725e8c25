//! Session series: what is offered again and again.
//!
//! - A series is expanded into its sessions when it is made; the rule must end (RFC 5545 COUNT or UNTIL).
//! - A change goes to its sessions that are still to come, scheduled and not edited by hand, in place: their ids and
//!   bookings stay. Past, cancelled and edited ones stay as they are.
//! - Cancelling it cancels all of its sessions that are still to come, and every booking of them.

pub mod handlers;
pub mod reconcile;
pub mod rules;
pub mod shown;
pub mod store;
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
