//! Seals: they show whether somebody has changed the audit who may write to the database.
//!
//! Once a second, a task seals the events that were written since. A seal has a number, the ids of its events, and a root:
//! a hash over the root of the seal before and over the events. The root is signed with the service's key, which isn't in
//! the database. So the seals are a chain, and commits don't wait for each other as they would if each event was a link.
//!
//! Number and root of the newest seal also stand in a file beside the keys ([`head`]) and in the log. They show when the
//! newest seals were cut off.
//!
//! | what somebody with the database alone does | what shows it |
//! | --- | --- |
//! | changes or exchanges events | the root of their seal doesn't fit |
//! | deletes an event | its id stands in a seal |
//! | inserts an event | it is in no seal and doesn't wait for one |
//! | works all roots out again | the signatures don't fit |
//! | cuts the newest off, or deletes everything | the file beside the keys, and the log |
//!
//! An event that is changed before its seal is made isn't noticed. While a server runs that is a second at most, and a
//! server that is told to stop seals what its last requests left. After a crash the last events wait for the next start.
//! Nor is an event noticed that somebody adds together with its row in `audit_unsealed`.

pub mod head;
pub mod sealing;
pub mod store;
pub mod verify;
mod walk;

pub use sealing::TASK;

use crate::audit::hash::Hash;

/// A root before the first seal.
pub const NOTHING: Hash = [0; 32];

/// The bytes that a seal's signature is over. The words in front keep it apart from every token that the same key signs.
pub fn signed_bytes(root: &[u8]) -> Vec<u8> {
    [b"life-rooms audit seal\0", root].concat()
}
