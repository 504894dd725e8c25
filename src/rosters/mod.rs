//! Rosters: many series and sessions in one posting.

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(_config: &mut ServiceConfig) {}
