//! Named areas: several local authorities that reports can count together, such as Liverpool and Sefton.
//!
//! A site manager names them. Analysts can't combine local authorities themselves: from figures of many combinations,
//! small counts could be worked out. This is also why there are at most [`MOST_AREAS`].

pub mod handlers;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// How many named areas there can be. The database enforces it: each area has a number of its own, from 1 to this one.
pub const MOST_AREAS: i32 = 5;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_report_areas);
    config.service(handlers::get_report_area);
    config.service(handlers::put_report_area);
}
