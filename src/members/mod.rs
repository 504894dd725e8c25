//! Members: people, and their consents.

pub mod rules;
pub mod sharing;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(_config: &mut ServiceConfig) {}
