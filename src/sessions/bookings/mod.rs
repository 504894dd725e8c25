//! Bookings: one place, or a party's, in one session.

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(_config: &mut ServiceConfig) {}
