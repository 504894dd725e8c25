//! Hostings: at which venue, and by which partner, a site was hosted from when to when.
//!
//! - Both days belong to the hosting; one without an end goes on.
//! - A site's hostings don't overlap, whatever runs at the same time: the site's row is locked first.

pub mod handlers;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_hostings);
    config.service(handlers::get_hosting);
    config.service(handlers::create_hosting);
    config.service(handlers::change_hosting);
}
