//! Exports: everything that is kept about a member, for the member who asks for it (subject access, article 15 of the
//! UK GDPR).
//!
//! - An `own` export is asked for by the member, with their password, and is theirs alone. A `full` one is asked for by an
//!   advisor with the permission `subject_access`, for a member who asked on paper or in person; it is due within a month.
//! - A [task](making) makes the document from one snapshot of the database. The queue is the table itself and not the
//!   jobs: jobs take turns by partner, are read by partners, and wait for rosters. An export is a member's, and it has a
//!   status of its own that people look at; a second one beside it could only differ.
//! - The [document](document) is JSON. A page to print is [made of it](html) when somebody asks for HTML. So what one form
//!   says, the other says too.
//! - A `full` document with safeguarding in it waits in review until a holder of `safeguarding` has read it and releases
//!   it, with or without some of its sections. What happens in the review stands in no access log: the member would learn
//!   from it that there is something to review.
//! - A document is removed seven days after it is ready. Each time that somebody gets it is counted and recorded.
//! - Every table with data of members is in [`tables::TABLES`], with the section that shows it or the reason why none does.

pub mod document;
pub mod handlers;
pub mod html;
pub mod making;
mod node;
pub mod reading;
pub mod rules;
pub mod store;
pub mod tables;
pub mod types;
mod words;

crate::routes! {
    handlers: request_export, list_member_exports, list_exports, get_export, change_export;
    reading: get_export_document, release_export
}
