//! Registers: who was there.
//!
//! - A register is taken once the session has started. A correction is one more version of it.
//! - Bookings are marked attended or absent and keep their seats. A booking that isn't named stays as it is.
//! - A walk-in takes no seat and is never refused because the session is full.
//! - The walk-ins that the caller can see are replaced by the ones the caller names. A partner can't see walk-ins who
//!   don't consent to be shared with it, so those stay.
//! - A walk-in is a member, or a person whom an advisor registers on the spot, by the rules of registering.
//! - If somebody was still waiting for a seat, or had an offer, when the session started, their booking has ended. If
//!   they came, they are a walk-in.
//! - The headcount counts people who aren't members. It is never added to members.

pub mod handlers;
pub mod headcounts;
pub mod missing;
pub mod rules;
pub mod sheets;
pub mod store;
pub mod types;
