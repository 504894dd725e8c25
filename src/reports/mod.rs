//! Reports: counts, never a person.
//!
//! - An answer includes the report's definition, the time it was counted, the filters, the days that were counted, and
//!   how small counts were treated.
//! - Admins get exact figures for any days, marked as not for publication. Each report that they read is
//!   recorded in the audit, with its name and its filters.
//! - Analysts get rounded figures ([`disclosure`]), for fixed periods ([`periods`]), with few dimensions at once
//!   ([`rules`]). All three limits are needed: if days and places could be combined freely, rounding could be undone.
//! - A prescription counts in the local authority of the venue that hosted its site on the day it was developed. An
//!   attendance counts in the local authority of the session's venue.
//! - A named area is several local authorities counted together ([`areas`]).

pub mod areas;
pub mod disclosure;
pub mod handlers;
pub mod periods;
pub mod rules;
mod sql;
pub mod store;
pub mod types;

crate::routes! {
    handlers: report_prescriptions, report_attendance;
    areas::handlers: list_report_areas, get_report_area, put_report_area
}
