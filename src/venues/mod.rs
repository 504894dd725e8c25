//! Venues: buildings and places, and the spaces (rooms) in them.
//!
//! - A slug is unique; a postcode is normalised; the local authority's code is filled in from its name.
//! - A venue can be deleted only while nothing refers to it; otherwise it is closed.
//! - Closing a venue concerns the sessions there, so changing a venue is in
//!   [`sessions::closings`](crate::sessions::closings).

pub mod closures;
pub mod handlers;
pub mod hours;
pub mod near;
pub mod spaces;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_venues);
    config.service(handlers::get_venue);
    config.service(handlers::create_venue);
    config.service(handlers::delete_venue);
    spaces::configure(config);
}
