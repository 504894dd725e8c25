//! Venues: buildings and places, and the spaces (rooms) in them.
//!
//! - A slug is unique; a postcode is normalised; the local authority's code is filled in from its name.
//! - A venue is deleted only while nothing refers to it; otherwise it is closed. Closing one concerns the sessions there,
//!   so a venue is changed in [`sessions::closings`](crate::sessions::closings).

pub mod closures;
pub mod handlers;
pub mod hours;
pub mod near;
pub mod rules;
pub mod spaces;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_venues);
    config.service(handlers::get_venue);
    config.service(handlers::create_venue);
    config.service(handlers::delete_venue);
    spaces::configure(config);
}
