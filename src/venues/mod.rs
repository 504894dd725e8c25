//! Venues: buildings and places, and the spaces (rooms) in them.
//!
//! - A slug is unique; a postcode is normalised; the local authority's code is filled in from its name.
//! - A venue can be deleted only while nothing refers to it; otherwise it is closed.
//! - Closing a venue concerns the sessions there, so changing a venue is in
//!   [`sessions::closings`](crate::sessions::closings).

pub mod authorities;
pub mod closures;
pub mod handlers;
pub mod hours;
pub mod near;
pub mod spaces;
pub mod store;
pub mod types;

crate::routes! {
    handlers: list_venues, get_venue, create_venue, delete_venue;
    authorities::handlers: list_local_authorities;
    spaces::handlers: list_spaces, get_space, create_space, change_space, delete_space
}
