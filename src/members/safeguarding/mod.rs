//! Safeguarding flags: warnings that a member is at risk of harm.
//!
//! - Only advisors whom an admin has given the permission `safeguarding` read and write them. Everybody else is refused
//!   before anything is looked up, whoever the member is, the member too.
//! - They are shown nowhere else, not even as a count.
//! - A closed flag says why, and can be opened again.

pub mod handlers;
pub mod rules;
pub mod store;
pub mod types;
