//! What becomes of the sessions at a venue that is closed.
//!
//! - A change of a venue is answered with the sessions that it takes no more: scheduled, not begun, with people who come,
//!   at a time when the venue [is closed](crate::venues::closures). They stand unless `sessions=cancel` calls them off.
//! - Whether they stand or not, they take no new bookings of people who would come.
//! - Changing a venue is here and not in [`venues`](crate::venues), because sessions know of venues and not the other way
//!   round.

pub mod handlers;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::change_venue);
}
