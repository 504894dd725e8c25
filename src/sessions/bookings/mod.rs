//! Bookings: a place in one session, for a member or a member's party.
//!
//! - A booking takes and frees seats on the session's own row, in its own transaction. A condition on the capacity
//!   keeps concurrent bookings from taking too many seats of either kind.
//! - If there are too few seats, a booking can wait. Each kind of seat has a waiting list in the order of turns, and a
//!   turn is given under the session's lock. A party gets all its seats at once. Until the first party on the list
//!   fits, nobody behind it gets a seat, and no new booking does either.
//! - The service ends the waiting of a party that can never fit, because a capacity was lowered. If a session becomes a
//!   drop-in, the service ends its whole list, and booked members keep their places.
//! - Whoever has withdrawn the consent `service_delivery` keeps their turn and is passed over ([`eligible`]).
//! - A freed seat is offered in the transaction that frees it. The seat is held until the offer is accepted, declined
//!   or expires ([`waiting`]). Expired offers are ended by the next write to the session or by a task of the server
//!   ([`turnover`]). No answer depends on which of the two comes first.
//! - When the session starts, offers and waiting end. A member who waited and comes anyway is a walk-in.
//! - A member has at most one live booking in a session.
//! - A booking can be cancelled until the session starts. After that the register says who came.
//! - A member can book for somebody else whose relationship with them says so ([`care`]).
//! - A partner sees the bookings of its own sessions. It sees who booked only if the member consents to share data with
//!   it.

mod admission;
pub mod aside;
mod care;
mod eligible;
pub mod expired_offers;
pub mod handlers;
pub mod leaving;
pub mod lists;
mod related;
pub mod reminders;
pub mod rules;
pub mod seats;
pub mod store;
pub mod telling;
pub mod turnover;
pub mod types;
pub mod waiting;
