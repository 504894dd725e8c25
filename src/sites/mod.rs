//! Sites: Life Rooms services that keep their name when they move, and the venues that hosted them.
//!
//! - The hostings of a site don't overlap. The first and the last day belong to the hosting.
//! - What happened at a site is counted in the local authority of the venue that hosted the site on that day.

pub mod handlers;
pub mod hostings;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_sites);
    config.service(handlers::get_site);
    config.service(handlers::create_site);
    config.service(handlers::change_site);
    hostings::configure(config);
}
