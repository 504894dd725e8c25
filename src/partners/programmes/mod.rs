//! Programmes: lines of a partner's work, such as "Shared Reading".
//!
//! - A slug is unique within its partner.
//! - Whoever may see a partner may see its programmes. Site managers and the partner itself write them.

pub mod handlers;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_programmes);
    config.service(handlers::get_programme);
    config.service(handlers::create_programme);
    config.service(handlers::change_programme);
}
