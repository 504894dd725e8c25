//! Relationships between members: who cares for whom, and who may book for whom.
//!
//! - An advisor writes a relationship down, because members can't look each other up. It begins as proposed, or as
//!   active if the advisor says how that is known.
//! - The member whom it is about (`to_member`) accepts a proposed one, or ends it at any time. The other (`from_member`)
//!   sees it only while it is in effect, and can end it too. So does their access log: events about it stand there while
//!   it is in effect.
//! - While it is active and `may_book` is set, `from_member` may book places for `to_member`, and read, accept, decline
//!   and cancel the bookings that they made. They see nothing else of the record. From the request after the end on
//!   they see nothing at all.
//! - It ends after `ends_on` by itself. An ended relationship stays ended; a new one can be written down.

pub mod booking;
pub mod handlers;
pub mod rules;
pub mod store;
pub mod types;
