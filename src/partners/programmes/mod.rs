//! Programmes: lines of a partner's work, such as "Shared Reading".
//!
//! - A slug is unique within its partner.
//! - Whoever may see a partner may see its programmes. Admins and the partner itself write them.

pub mod handlers;
pub mod store;
pub mod types;
