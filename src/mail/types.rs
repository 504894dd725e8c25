//! Messages as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{Id, Timestamp};
use crate::messages::kinds::{Channel, MessageKind, MessageStatus};

/// A message to a member.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Message {
    /// Its id.
    pub id: Id,
    /// What it tells.
    pub kind: MessageKind,
    /// How it is sent.
    pub channel: Channel,
    /// What became of it.
    pub status: MessageStatus,
    /// Why it wasn't sent: `not_allowed` (the member doesn't allow it), `no_address`, `no_mail` (the service sends no mail),
    /// `no_longer_true`, `too_late`, or what the mail server said.
    #[schema(example = "not_allowed")]
    pub why: Option<String>,
    /// The session that it is about.
    pub session_id: Option<Id>,
    /// The booking that it is about.
    pub booking_id: Option<Id>,
    /// What it says, in one or two sentences.
    #[schema(example = "You have a place: Tuesday 5 January 2027, 10am, at Central Library, L3 8EW.")]
    pub text: String,
    /// Why the service cancelled the booking, in the words of whoever runs the session. Null if no reason was given.
    #[schema(example = "The library is closed that day.")]
    pub reason: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was handed to the mail server.
    pub sent_at: Option<Timestamp>,
}
