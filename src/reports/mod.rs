//! Reports: counts, never a person.
//!
//! - A report answers with its definition, the time it speaks of, the filters it was asked with, the days it counted
//!   and what was done to small numbers.
//! - Site managers get exact figures, marked as not for publication, for days of their choice. Each report that a
//!   manager reads is recorded in the audit, by its name and its filters.
//! - Analysts get rounded figures ([`disclosure`]) of fixed periods ([`periods`]) and of few dimensions at once
//!   ([`rules`]). It takes all three: free ranges of months and free sets of places undo any rounding.
//! - A prescription counts in the local authority of the venue that hosted its site on the day it was developed, an
//!   attendance in that of the session's venue. Several local authorities together are a named area ([`areas`]).

pub mod areas;
pub mod disclosure;
pub mod handlers;
pub mod periods;
pub mod rules;
mod sql;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::report_prescriptions);
    config.service(handlers::report_attendance);
    areas::configure(config);
}
