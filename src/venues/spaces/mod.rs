//! Spaces: the rooms of a venue, each with a capacity.
//!
//! - A name is unique within its venue.
//! - A space is deleted only while no session or series takes place in it.

pub mod handlers;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_spaces);
    config.service(handlers::get_space);
    config.service(handlers::create_space);
    config.service(handlers::change_space);
    config.service(handlers::delete_space);
}
