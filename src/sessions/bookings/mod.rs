//! Bookings: one member's place, or a party's, in one session.
//!
//! - Seats are taken and freed on the session's own row, guarded by its capacity, in the booking's transaction.
//!   Whatever runs at the same time, seats held never exceed the capacity of their delivery mode.
//! - Where there are too few, a booking can wait. Who waits is served in strict order, for each kind of seat: by a turn
//!   that is given under the session's lock. A party waits whole, and whoever is next holds up everybody behind, new
//!   bookings too, until their whole party fits. A party that never can, since a capacity was lowered, is ended. So is
//!   the whole list of a session that becomes a drop-in; who is booked in it stays so.
//! - A seat that comes free is offered in the transaction that frees it, and is held until the offer is accepted,
//!   declined or runs out ([`waiting`]). What the clock alone changes is done by whichever write comes next, or by a
//!   task of the server ([`turnover`]): nothing that is answered depends on which.
//! - Once the session starts, offers and waiting end. Who came all the same is a walk-in.
//! - A member has at most one live booking for a session.
//! - A booking is cancelled until the session starts; after that the register says who came.
//! - A partner sees the bookings of its own sessions, and of those the members who consent to be shared with it.

mod admission;
pub mod handlers;
pub mod rules;
pub mod run_out;
pub mod seats;
pub mod store;
pub mod turnover;
pub mod types;
pub mod waiting;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::create_booking);
    config.service(handlers::list_session_bookings);
    config.service(handlers::get_booking);
    config.service(handlers::cancel_booking);
    config.service(handlers::accept_booking);
    config.service(handlers::decline_booking);
    config.service(handlers::list_member_bookings);
}
