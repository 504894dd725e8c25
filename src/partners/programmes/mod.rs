//! Programmes: what a partner calls a line of its work, such as "Shared Reading".
//!
//! - A slug is unique within its partner.
//! - Whoever sees a partner sees its programmes; a site manager and the partner itself write them.

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
