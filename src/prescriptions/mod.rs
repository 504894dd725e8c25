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
pub mod leaving;
pub mod rules;
pub mod store;
pub mod types;

crate::routes! {
    handlers: create_prescription, list_prescriptions, list_member_prescriptions, get_prescription, change_prescription,
        delete_prescription;
    items::handlers: add_prescription_item, get_prescription_item, change_prescription_item;
    actions: activate_prescription, complete_prescription, close_prescription, decline_prescription
}
