//! Merging two records of one person, and taking it back.
//!
//! - Everything of the one record moves to the other ([`moved`]). What can't stand there beside something else is set
//!   aside: two places in one session that is over, a second account ([`aside`]). What may not be decided without people
//!   is a conflict, and nothing is merged ([`conflicts`]).
//! - The row of the one record stays, empty, and leads to the other ([`super::fate`]). Its events stay with it.
//! - What was done is kept for 30 days, whole, and can be taken back until then ([`undo`]). What came since stays with the
//!   other record, apart from what is about something that goes back ([`since`]).
//! - [`columns`] says of every column that names a member what merging does with it. A test walks through the tables and
//!   fails for a column that isn't there.
//!
//! Merging is the one place that writes into the tables of others: it changes nothing but whose a row is. Seats and
//! bookings it leaves to the sessions.

pub mod aside;
pub mod columns;
pub mod conflicts;
pub mod derived;
pub mod fields;
pub mod handlers;
pub mod moved;
pub mod plan;
pub mod shared;
pub mod since;
pub mod store;
pub mod types;
pub mod undo;
