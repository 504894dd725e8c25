//! The access log: who looked at a member's data, who changed it, and what for.
//!
//! - It is made of the audit's events. It shows no ids and no e-mail addresses of staff: an account has a display name,
//!   an API client is its partner's system, and the service itself is Life Rooms.
//! - Another member who did something, such as a carer, is named. That is a read of their name.
//! - Events of a record that was merged into this one stand in it too.
//! - It leaves out what is done to protect somebody from harm (safeguarding), and what is about a relationship while the
//!   member may not know of it.
//! - An advisor can read it for a member who asks. That is an event too.

pub mod handlers;
pub mod store;
pub mod types;
