//! Sites: Life Rooms services that keep their name when they move, and the venues that hosted them.
//!
//! - The hostings of a site don't overlap. The first and the last day belong to the hosting.
//! - What happened at a site is counted in the local authority of the venue that hosted the site on that day.

pub mod handlers;
pub mod hostings;
pub mod store;
pub mod types;

crate::routes! {
    handlers: list_sites, get_site, create_site, change_site;
    hostings::handlers: list_hostings, get_hosting, create_hosting, change_hosting
}
