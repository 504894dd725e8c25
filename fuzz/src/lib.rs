//! What each fuzz target does with an input. `tests/fuzz.rs` includes this file and runs every target on its seeds.
//!
//! A target panics if the library breaks a promise. Every target calls the library itself.

#![expect(clippy::expect_used, reason = "a target that fails says where")]

pub mod csv;
pub mod cursor;
pub mod jwt;
pub mod merge_patch;
pub mod rrule;
