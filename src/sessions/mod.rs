//! Series, sessions, bookings and registers.

pub mod bookings;
pub mod recurrence;
pub mod registers;
pub mod rules;
pub mod series;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    bookings::configure(config);
    registers::configure(config);
}
