//! Addresses of members' own calendars.
//!
//! - An address holds a secret of 32 random bytes. The secret is shown once and stored as a digest. No log line, no
//!   audit event and no stored answer holds it.
//! - Whoever has the address can read the calendar. So it can be revoked, at once and for good. It doesn't work while the
//!   account that made it may not read the calendar itself.
//! - Reading the calendar counts as the member's own read and leaves no audit event. If somebody else makes, lists or
//!   revokes addresses, that leaves one.

pub mod handlers;
pub mod store;
pub mod types;
