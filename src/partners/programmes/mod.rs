//! Programmes: lines of a partner's work, such as "Shared Reading".
//!
//! - A slug is unique within its partner.
//! - Whoever may see a partner may see its programmes. Site managers and the partner itself write them.

pub mod handlers;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_programmes);
    config.service(handlers::get_programme);
    config.service(handlers::create_programme);
    config.service(handlers::change_programme);
}
