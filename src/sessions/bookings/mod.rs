//! Bookings: one member's place, or a party's, in one session.
//!
//! - Seats are taken and freed on the session's own row, guarded by its capacity, in the booking's transaction.
//!   Whatever runs at the same time, seats held never exceed the capacity of their delivery mode.
//! - A member has at most one live booking for a session.
//! - A booking is cancelled until the session starts; after that the register says who came.
//! - A partner sees the bookings of its own sessions, and of those the members who consent to be shared with it.

pub mod handlers;
pub mod rules;
pub mod seats;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::create_booking);
    config.service(handlers::list_session_bookings);
    config.service(handlers::get_booking);
    config.service(handlers::cancel_booking);
    config.service(handlers::list_member_bookings);
}
