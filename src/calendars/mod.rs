//! Calendars to subscribe to (RFC 5545): of a session, a series, a venue, a partner, and a member's own bookings.
//!
//! - Calendars of published sessions are for everybody and can be read from any web page. A viewer finds in them only
//!   what they may see; the calendar of something they may not see is a 404. No calendar holds a join link.
//! - The calendar of one session is one event. That of a series is a master event with the rule, corrected where the
//!   sessions differ from it ([`series`]): a calendar program shows exactly the sessions, across every clock change.
//! - An event keeps its UID. Its SEQUENCE rises with each change. A session that is called off stays, as cancelled.
//! - The address of a member's own calendar holds a secret ([`links`]). With neutral titles it says only when and
//!   where.

mod content;
mod event;
mod feeds;
pub mod handlers;
pub mod links;
mod series;
mod store;
mod zone;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::get_session_calendar);
    config.service(handlers::get_series_calendar);
    config.service(handlers::get_venue_calendar);
    config.service(handlers::get_partner_calendar);
    links::configure(config);
}
