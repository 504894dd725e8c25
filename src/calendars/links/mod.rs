//! Addresses of members' own calendars.
//!
//! - An address holds a secret of 32 random bytes. It is shown once, stored as a digest, and is in no log line, no
//!   audit event and no record of a repeated request.
//! - Whoever has the address reads the calendar, which is why it can be revoked: at once, and for good.
//! - Reading through it is the member's own read and leaves no audit event; making, listing and revoking by somebody
//!   else does.

pub mod handlers;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::list_calendar_links);
    config.service(handlers::get_calendar_link);
    config.service(handlers::create_calendar_link);
    config.service(handlers::revoke_calendar_link);
    config.service(handlers::get_member_calendar);
}
