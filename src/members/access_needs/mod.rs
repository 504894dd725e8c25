//! What a member needs to take part: how to write to them, how to talk with them, how to come in. After the Accessible
//! Information Standard (DAPB1605): ask, record, flag, share, meet, review.
//!
//! - They are replaced as a whole. What nobody has asked yet is version 0.
//! - The member's record and registers say that there are needs, and whether it is time to ask again.
//! - A partner to whom the member consents sees, in its registers, the codes of the needs that are shared. Nobody sees
//!   details there.

pub mod handlers;
pub mod rules;
pub mod store;
pub mod types;
