//! The problems that operations share. Operations name these types in their lists of `responses`.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{Ref, RefOr, Response};

/// A failure status, with the name and the description of its shared answer.
pub struct Failure {
    /// The status, or `default`.
    pub status: &'static str,
    /// The name of the shared answer.
    pub name: &'static str,
    /// The description of the shared answer.
    pub text: &'static str,
}

const fn failure(status: &'static str, name: &'static str, text: &'static str) -> Failure {
    Failure { status, name, text }
}

/// Every failure status that operations list.
pub const FAILURES: &[Failure] = &[
    failure("400", "BadRequest", "The request can't be read, or a path or query value is wrong"),
    failure("401", "Unauthenticated", "Credentials are missing or not valid"),
    failure("403", "Forbidden", "The caller's role or scope doesn't allow this operation"),
    failure("404", "NotFound", "It does not exist, or it belongs to somebody else"),
    failure("406", "NotAcceptable", "The client accepts no format that this operation answers in"),
    failure("408", "RequestTimeout", "The body came too slowly"),
    failure("409", "Conflict", "The current state doesn't allow it, or a unique value is taken"),
    failure("410", "Gone", "It was there, and was removed"),
    failure("412", "PreconditionFailed", "It has changed since it was read"),
    failure("413", "PayloadTooLarge", "The body is too large"),
    failure("415", "UnsupportedMediaType", "The body has the wrong media type"),
    failure("422", "InvalidBody", "The body breaks a rule; errors lists each"),
    failure("428", "PreconditionRequired", "If-Match is missing"),
    failure("429", "TooManyRequests", "Too much at once, or too many wrong passwords; Retry-After says when to go on"),
    failure("500", "InternalError", "Something went wrong on our side"),
    failure("503", "Unavailable", "Not available just now; Retry-After says when"),
    failure("507", "InsufficientStorage", "The disk is full; nothing was changed"),
];

/// The shared answer for every status that an operation doesn't list.
pub const OTHER: Failure = failure("default", "OtherFailure", "Any other failure");

/// The path of the shared answer of a status.
pub fn shared(status: &str) -> Option<String> {
    let failure = FAILURES.iter().chain([&OTHER]).find(|failure| failure.status == status)?;
    Some(format!("#/components/responses/{}", failure.name))
}

/// The status, if it has a shared answer of its own.
pub fn listed(status: &str) -> Option<&'static str> {
    FAILURES.iter().map(|failure| failure.status).find(|known| *known == status)
}

fn references(statuses: &[&str]) -> BTreeMap<String, RefOr<Response>> {
    let answers = statuses.iter().filter_map(|status| Some((*status, shared(status)?)));
    answers.map(|(status, path)| (status.to_owned(), RefOr::Ref(Ref::new(path)))).collect()
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident = $statuses:expr;)+) => { $(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                references(&$statuses)
            }
        }
    )+ };
}

answers! {
    /// The failures that every operation can have.
    Problems = ["400", "406", "429", "500", "503", "default"];
    /// Operations that take a body.
    BadInput = ["408", "413", "415", "422"];
    /// Operations that need no token but can refuse credentials.
    Refused = ["401", "403"];
    /// Operations on something that may not exist.
    Missing = ["404"];
    /// Operations on something that is removed after a time.
    Gone = ["410"];
    /// Operations that the present state may not allow.
    Conflict = ["409"];
    /// Changes: If-Match is required.
    Stale = ["412", "428"];
    /// Deletions and actions: If-Match is checked if it is sent.
    MayBeStale = ["412"];
    /// Operations that one caller or partner can ask for only so often.
    TooMany = ["429"];
    /// Writes to a disk that may be full.
    Storage = ["507"];
}
