//! Session series: what is offered again and again.
//!
//! - A series is expanded into its sessions when it is made. One whose rule never ends (RFC 5545, neither COUNT nor
//!   UNTIL) has its sessions up to a horizon, a number of months ahead, and more as time goes on ([`top_up`]).
//! - A change goes to its sessions that are still to come, scheduled and not edited by hand, in place: their ids and
//!   bookings stay. Past and edited ones stay as they are, and so do those that people called off. A date that leaves the
//!   rule is cancelled where nobody is booked, and comes on again if it is stated again.
//! - A session is known by its [occurrence](crate::sessions::recurrence::OccurrenceKey): the rule's by its local date,
//!   an additional one by its local start.
//! - It can be split between two days: it [ends](store::Ending) before a date, whatever its rule says, and another series
//!   has the rest of the rule and the sessions from that day on. Its rule, and a partner's statement of it, stay as they
//!   were said.
//! - One that its partner's roster no longer names is cancelled until a roster names it again. One without an end, while
//!   people still go, ends after the last day that they go to.
//! - Cancelling it cancels all of its sessions that are still to come, and every booking of them.

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

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_series);
    config.service(handlers::get_series);
    config.service(handlers::create_series);
    config.service(change::change_series);
    config.service(split::split_series);
    config.service(handlers::cancel_series);
}
