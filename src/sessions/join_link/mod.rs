//! Join links: where to join an online session. Only these may see it:
//!
//! - A member who holds an online seat, from an hour before the session starts until it ends. Somebody who waits for a
//!   seat, or has an offer, doesn't hold one.
//! - A carer who may book for such a member, in the same time: many whom they care for have no account.
//! - Staff, at any time.
//!
//! No other answer holds the link, and no log line, audit event or list. Each read of a link is audited.

pub mod handlers;
pub mod store;
pub mod types;
