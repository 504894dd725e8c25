//! The answers that operations share, as the OpenAPI document lists them.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// An answer that is a problem document.
pub fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

fn problems(rows: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    rows.iter().map(|(status, text)| ((*status).to_owned(), RefOr::T(problem(text)))).collect()
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($status:literal: $text:literal),+ $(,)? })+) => { $(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problems(&[$(($status, $text)),+])
            }
        }
    )+ };
}

answers! {
    /// What every operation can answer.
    Problems {
        "400": "The request can't be read, or a path or query value is wrong",
        "406": "The client accepts no format that this operation answers in",
        "500": "Something went wrong on our side",
        "503": "Not available just now; Retry-After says when",
        "default": "Any other failure",
    }
    /// Operations that take a body.
    BadInput {
        "408": "The body came too slowly",
        "413": "The body is too large",
        "415": "The body is of another type",
        "422": "The body breaks a rule; errors lists each",
    }
    /// Operations on something that may not exist.
    Missing { "404": "It does not exist, or it is another's" }
    /// Operations that the present state may not allow.
    Conflict { "409": "The present state doesn't allow it, or something unique is taken" }
    /// Changes: If-Match is required.
    Stale { "412": "It has changed since it was read", "428": "If-Match is missing" }
    /// Deletions and actions: If-Match is checked where it is sent.
    MayBeStale { "412": "It has changed since it was read" }
    /// Writes to a disk that may be full.
    Storage { "507": "The disk is full; nothing was changed" }
}
