//! Session series: what is offered again and again.
//!
//! - When a series is made, its sessions are made. If its rule never ends (RFC 5545: neither COUNT nor UNTIL), they are
//!   made up to a horizon, some months ahead, and more as time goes on ([`top_up`]).
//! - A change of a series changes its sessions that are still to come, scheduled and not edited by hand. Their ids and
//!   bookings stay. Past, cancelled and edited sessions stay as they are. A session whose date is no longer in the rule
//!   is cancelled if nobody is booked.
//! - A session is known by its [occurrence](crate::sessions::recurrence::OccurrenceKey). For the rule that is the local
//!   date, and for an additional time the local start.
//! - A series can be split between two days. It then [ends](store::Ending) before the second day, although its rule
//!   goes on, and another series has the rest of the rule and the sessions from that day on. The rule and the partner's
//!   statement of the old series don't change.
//! - A partner's roster may no longer name a series without an end. If people still have bookings, the series ends
//!   after the last session with bookings, until a roster names it again.
//! - Cancelling a series cancels its sessions that are still to come, and every booking of them.

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
