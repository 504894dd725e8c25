//! Join links: where an online session is joined, for the few who may know.
//!
//! - A member who holds an online seat, from an hour before the session starts until it ends. Waiting for a seat, or
//!   being offered one, is not holding it.
//! - Staff, at any time.
//! - It is in no other answer, and in no log line, audit event or list. Each look is told to the audit.

pub mod handlers;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::get_join_link);
}
