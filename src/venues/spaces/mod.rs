//! Spaces: the rooms of a venue, each with a capacity.
//!
//! - A name is unique within its venue.
//! - A space can be kept for named partners. What others have planned there before stays.
//! - A space is deleted only while no session or series takes place in it.

pub mod handlers;
pub mod store;
pub mod types;
