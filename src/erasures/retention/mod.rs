//! Records that nobody has used for years: an admin looks through them and decides about each.
//!
//! A record is to be looked through when its last activity is older than the setting says. The record of somebody who was
//! last active as a child is kept until they are 25. Nothing goes by itself.

pub mod handlers;
pub mod store;
pub mod types;
