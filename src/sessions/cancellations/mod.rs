//! Calling off many sessions at once: a partner's half term, or a week in which a venue can't be used.
//!
//! - Sessions are concerned that are scheduled, haven't begun, and start between two days. All of them are called off with
//!   their bookings, or none.
//! - A dry run says what would be called off, and how many people would be told.
//! - The series stay as they are. A session that was called off stays off, whatever its series or roster says.

pub mod handlers;
pub mod store;
pub mod types;
