//! Session series: what is offered again and again.
//!
//! - A series is expanded into its sessions when it is made; the rule must end (RFC 5545 COUNT or UNTIL).
//! - A change goes to its sessions that are still to come, scheduled and not edited by hand, in place: their ids and
//!   bookings stay. Past, cancelled and edited ones stay as they are.
//! - Cancelling it cancels all of its sessions that are still to come, and every booking of them.

pub mod rules;
pub mod store;
pub mod types;
