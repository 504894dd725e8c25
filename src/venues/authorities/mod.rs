//! The local authorities of the United Kingdom, for a menu: those with venues first.

pub mod handlers;
pub mod store;
pub mod types;
