//! Calendars to subscribe to (RFC 5545): of a session, a series, a venue, a partner, and a member's own bookings.
//!
//! - What is published is for everybody, from any web page; what a viewer can't see isn't in it, and a calendar of
//!   something they can't see is 404. The join link is in none.
//! - A session alone is one event. A series is a master with its rule, compared with the sessions that are really
//!   there ([`series`]): what a program makes of it are exactly the sessions' instants, across every clock change.
//! - An event's UID stays, its SEQUENCE rises with each change, and what is called off says so.
//! - A member's own is behind an address that is a secret ([`links`]). With neutral titles it says only when and where.

mod content;
mod event;
mod feeds;
pub mod handlers;
pub mod links;
mod series;
mod store;
mod zone;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::get_session_calendar);
    config.service(handlers::get_series_calendar);
    config.service(handlers::get_venue_calendar);
    config.service(handlers::get_partner_calendar);
    links::configure(config);
}
