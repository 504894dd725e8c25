//! Partners, with their programmes and API clients.

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(_config: &mut ServiceConfig) {}
