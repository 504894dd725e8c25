//! Hostings: the venue, and the partner if any, that hosted a site from one day to another.
//!
//! - The first and the last day belong to the hosting. A hosting without a last day goes on.
//! - The hostings of a site never overlap, even if two requests write at the same time: each locks the site's row
//!   first.

pub mod handlers;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_hostings);
    config.service(handlers::get_hosting);
    config.service(handlers::create_hosting);
    config.service(handlers::change_hosting);
}
