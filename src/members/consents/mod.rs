//! Consents: what a member allows, in the order in which it was recorded.
//!
//! - Consents are never changed or removed. For each purpose (and partner), the consent recorded last decides, even if
//!   its text speaks of an earlier day. `share_with_partner` names its partner; the other purposes name none.
//! - `consent_states` holds the last one of each. [`store::insert`] writes both in one transaction, and nothing else does.
//! - A withdrawal works from the next request on. Without `service_delivery` nothing new is booked, prescribed, referred
//!   or sent ([`store::hold_service`]); what stands already is [listed](withdrawal) to whoever records the withdrawal.
//! - An advisor records how a decision is known, a member only their own decisions.

pub mod handlers;
pub mod store;
pub mod types;
pub mod withdrawal;
