//! The queue of messages: what the service has to tell people.
//!
//! A message is [queued](queue) in the transaction of what it tells of, as an audit event is. It holds ids, times and
//! names of states, never a name or a secret. Module `mail` makes the text and sends it.

pub mod kinds;
pub mod queue;
mod store;

pub use queue::{NewMessage, Payload, Told, queue};
