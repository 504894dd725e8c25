//! Erasing people, and looking through records that nobody has used for years.
//!
//! - A member asks in person or through an advisor ([`requests`]). An admin executes, and sees no name ([`handlers`]).
//!   Bookings of sessions to come and active prescriptions stand in the way, unless the admin says that they are to end.
//! - An open safeguarding flag holds a request. Only an advisor with the permission `safeguarding` releases it. The member
//!   and other advisors don't see that it is held.
//! - Erasing is one transaction ([`erase`]). [`plan`] says for every table and column what becomes of it. The record
//!   stays as an empty row, so that no figure of a report changes.
//! - The ids of erased people stand in a file beside the keys ([`journal`]). If an older database is restored, `serve`
//!   erases them again before it takes requests ([`restored`]).
//! - What was deleted is also removed from the files of the database ([`disk`]).
//! - Records that nobody has used for years are listed, and an admin decides about each ([`retention`]). Nothing goes by
//!   itself.

pub mod disk;
pub mod erase;
pub mod handlers;
pub mod journal;
pub mod plan;
pub mod requests;
pub mod restored;
pub mod retention;
pub mod rules;
pub mod store;
pub mod types;
pub mod view;

crate::routes! {
    requests: request_erasure, get_erasure_request, withdraw_erasure_request;
    handlers: list_erasures, get_erasure, execute_erasure, hold_erasure, resume_erasure;
    retention::handlers: list_retention_reviews, decide_retention_review
}
