//! Session series: what is offered again and again.
//!
//! - When a series is made, its sessions are made. If its rule never ends (RFC 5545: neither COUNT nor UNTIL), they are
//!   made up to a horizon, some months ahead, and more as time goes on ([`top_up`]).
//! - A change of a series changes its sessions that are still to come, scheduled and not edited by hand. Their ids and
//!   bookings stay. Past and edited sessions stay as they are, and so do those that people called off. A session whose
//!   date is no longer in the rule is cancelled if nobody is booked, and comes on again if it is stated again.
//! - A session is known by its [occurrence](crate::sessions::recurrence::OccurrenceKey). For the rule that is the local
//!   date, and for an additional time the local start.
//! - A series can be split between two days. It then [ends](store::Ending) before the second day, although its rule
//!   goes on, and another series has the rest of the rule and the sessions from that day on. The rule and the partner's
//!   statement of the old series don't change.
//! - A series that its partner's roster no longer names is cancelled until a roster names it again. If it has no end and
//!   people still have bookings, it ends after the last session with bookings instead.
//! - Cancelling a series cancels its sessions that are still to come, and every booking of them.

pub mod cards;
pub mod change;
pub mod follow;
pub mod handlers;
pub mod held;
mod matching;
pub mod reconcile;
pub mod rules;
pub mod split;
pub mod store;
pub mod top_up;
pub mod types;
pub mod view;
