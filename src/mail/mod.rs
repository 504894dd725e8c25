//! E-mail: makes the text of queued messages and sends it, and shows members their messages.
//!
//! - The text of a message is made when it is sent, from what is true then. If consent was withdrawn or an address was
//!   changed meanwhile, that holds ([`compose`]). What it says is in [`words`], one file a language.
//! - The [task](sender) sends what is due, at least once. A mail that is sent twice has the same `Message-ID`, so mail
//!   programs show it once.
//! - A member gets at most ten mails a day about sessions; what is more waits for a [digest].
//! - Reminders and digests carry a link that [unsubscribes](unsubscribing) from reminders.
//! - Without a mail server nothing is sent, and every message is still in its member's list.

pub mod compose;
pub mod digest;
pub mod handlers;
pub mod letter;
pub mod post;
pub mod sender;
pub mod store;
pub mod types;
pub mod unsubscribing;
pub mod words;

crate::routes! {
    handlers: list_messages;
    unsubscribing::handlers: unsubscribe, get_unsubscribe_page
}
