//! Named areas: several local authorities that reports can count together, such as Liverpool and Sefton.
//!
//! An admin names them. Analysts can't combine local authorities themselves: from figures of many combinations,
//! small counts could be worked out. This is also why there are at most [`MOST_AREAS`].

pub mod handlers;
pub mod store;
pub mod types;

/// How many named areas there can be. The database enforces it: each area has a number of its own, from 1 to this one.
pub const MOST_AREAS: i32 = 5;
