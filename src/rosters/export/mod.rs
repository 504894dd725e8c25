//! What a partner has, as a roster that can be posted again: it changes nothing then.
//!
//! - It has the series and single sessions with an `external_id` that aren't over or called off. Others can't be posted.
//! - An entry states what the series or session is now, also if somebody has changed it by hand. It has no `join_link`: a
//!   file is passed on, and a posted entry without one leaves it as it is.
//! - [`store`] reads the entries, [`cells`] makes the cells of a sheet of them.

pub mod cells;
pub mod handlers;
pub mod store;
pub mod workbook;
