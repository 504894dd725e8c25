//! Reports: counts, never a person.
//!
//! - A report answers with its definition, the time it speaks of, the filters it was asked with and what was
//!   suppressed.
//! - Site managers get exact figures, marked as not for publication. Analysts get whole calendar months with small
//!   numbers suppressed ([`rules`]).
//! - A prescription counts in the local authority of the venue that hosted its site on the day it was developed, an
//!   attendance in that of the session's venue.

pub mod handlers;
pub mod rules;
mod sql;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::report_prescriptions);
    config.service(handlers::report_attendance);
}
