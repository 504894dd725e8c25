//! Sites: Life Rooms services with a name that outlives their building, and where each was hosted when.
//!
//! - A site's hostings don't overlap; the days at both ends belong to them.
//! - What happened at a site is counted in the local authority of the venue that hosted it that day.

pub mod handlers;
pub mod hostings;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_sites);
    config.service(handlers::get_site);
    config.service(handlers::create_site);
    config.service(handlers::change_site);
    hostings::configure(config);
}
