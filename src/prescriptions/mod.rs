//! Social prescriptions: what matters to a member, what they need, and what is offered.
//!
//! - `draft` → `active` → `completed` | `closed_early` | `declined`; a draft can be declined or deleted ([`rules`]).
//! - It counts once activated, on its `developed_on`: the London day of its activation, or an earlier one that an
//!   advisor gives.
//! - A member reaches their own, an advisor everybody's. A member's own has origin `self` and no advisor.
//! - Items have states of their own ([`items`]). A change of an item is a change of its prescription.

pub mod actions;
pub mod checks;
pub mod handlers;
pub mod items;
pub mod rules;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
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
