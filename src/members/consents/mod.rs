//! Consents: what a member allows, in the order in which it was recorded.
//!
//! Nothing is ever changed or removed; the last one recorded of a purpose (and partner) decides, whatever day it
//! speaks of. `share_with_partner` names its partner, the others name none.

pub mod handlers;
pub mod store;
pub mod types;
