//! Registers: who was there.

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(_config: &mut ServiceConfig) {}
