//! Consents: what a member allows, in the order in which it was recorded.
//!
//! Consents are never changed or removed. For each purpose (and partner), the consent recorded last decides, even if
//! its text speaks of an earlier day. `share_with_partner` names its partner; the other purposes name none.

pub mod handlers;
pub mod store;
pub mod types;
