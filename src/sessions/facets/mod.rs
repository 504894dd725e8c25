//! Facets: how many series a search would find with each choice of a menu.

pub mod handlers;
pub mod rules;
pub mod store;
pub mod types;
