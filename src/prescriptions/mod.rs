//! Social prescriptions: what matters to a member, what they need, and what is offered.
//!
//! - `draft` → `active` → `completed` | `closed_early` | `declined`; a draft can be declined or deleted ([`rules`]).
//! - A prescription counts in reports once it is activated. The day it counts on is `developed_on`: the day of its
//!   activation in London, or an earlier one that an advisor gives.
//! - A member sees their own prescriptions, an advisor everybody's. One written by a member has the origin `self` and
//!   no advisor.
//! - Items have states of their own ([`items`]). A change of an item is also a change of its prescription.

pub mod actions;
pub mod checks;
pub mod handlers;
pub mod items;
pub mod rules;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::create_prescription);
    config.service(handlers::list_prescriptions);
    config.service(handlers::list_member_prescriptions);
    config.service(handlers::get_prescription);
    config.service(handlers::change_prescription);
    config.service(handlers::delete_prescription);
    config.service(items::handlers::add_prescription_item);
    config.service(items::handlers::get_prescription_item);
    config.service(items::handlers::change_prescription_item);
    config.service(actions::activate_prescription);
    config.service(actions::complete_prescription);
    config.service(actions::close_prescription);
    config.service(actions::decline_prescription);
}
