//! Addresses of members' own calendars.
//!
//! - An address holds a secret of 32 random bytes. The secret is shown once and stored as a digest. No log line, no
//!   audit event and no stored answer holds it.
//! - Whoever has the address can read the calendar. So it can be revoked, at once and for good.
//! - Reading the calendar counts as the member's own read and leaves no audit event. If somebody else makes, lists or
//!   revokes addresses, that leaves one.

pub mod handlers;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_calendar_links);
    config.service(handlers::get_calendar_link);
    config.service(handlers::create_calendar_link);
    config.service(handlers::revoke_calendar_link);
    config.service(handlers::get_member_calendar);
}
