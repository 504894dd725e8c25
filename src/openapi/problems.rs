//! The answers that are problems: one shared answer for each status, with an example of each kind, from the table of
//! problems.

use serde_json::{Map, Value, json};
use strum::IntoEnumIterator;

use super::access::takes_a_key;
use super::walk::reference_to;
use super::{conflicts, headers};
use crate::problems::Kind;

/// A status that problems have: what its shared answer is called, and what it says.
struct Failure {
    status: &'static str,
    name: &'static str,
    text: &'static str,
}

const fn failure(status: &'static str, name: &'static str, text: &'static str) -> Failure {
    Failure { status, name, text }
}

const FAILURES: &[Failure] = &[
    failure("400", "BadRequest", "The request can't be read, or a path or query value is wrong"),
    failure("401", "Unauthenticated", "Credentials are missing or not valid"),
    failure("403", "Forbidden", "The role or the scope may never do this"),
    failure("404", "NotFound", "It does not exist, or it is another's"),
    failure("406", "NotAcceptable", "The client accepts no format that this operation answers in"),
    failure("408", "RequestTimeout", "The body came too slowly"),
    failure("409", "Conflict", "The present state doesn't allow it, or something unique is taken"),
    failure("412", "PreconditionFailed", "It has changed since it was read"),
    failure("413", "PayloadTooLarge", "The body is too large"),
    failure("415", "UnsupportedMediaType", "The body is of another type"),
    failure("422", "InvalidBody", "The body breaks a rule; errors lists each"),
    failure("428", "PreconditionRequired", "If-Match is missing"),
    failure("500", "InternalError", "Something went wrong on our side"),
    failure("503", "Unavailable", "Not available just now; Retry-After says when"),
    failure("507", "InsufficientStorage", "The disk is full; nothing was changed"),
];

/// The answer of any status that an operation doesn't list.
const OTHER: Failure = failure("default", "OtherFailure", "Any other failure");

/// The path of the shared answer of a status.
pub(super) fn shared(status: &str) -> Option<String> {
    let failure = FAILURES.iter().chain([&OTHER]).find(|failure| failure.status == status)?;
    Some(format!("#/components/responses/{}", failure.name))
}

/// The status, where it has an answer of its own.
fn listed(status: &str) -> Option<&'static str> {
    FAILURES.iter().map(|failure| failure.status).find(|known| *known == status)
}

/// The shared answers.
pub(super) fn components() -> Value {
    let answers = FAILURES.iter().chain([&OTHER]).map(|failure| (failure.name.to_owned(), answer(failure)));
    Value::Object(answers.collect())
}

fn answer(failure: &Failure) -> Value {
    let examples: Map<String, Value> = Kind::iter()
        .filter(|kind| listed(&kind.spec().status.to_string()).unwrap_or(OTHER.status) == failure.status)
        .map(|kind| (kind.code(), json!({ "summary": kind.spec().title, "value": example(kind) })))
        .collect();
    let mut content = json!({ "schema": reference_to("Problem") });
    if !examples.is_empty() {
        content["examples"] = examples.into();
    }
    let mut answer = json!({ "description": failure.text, "content": { "application/problem+json": content } });
    headers::add(&mut answer, &headers::of_problem(failure.status));
    answer
}

fn example(kind: Kind) -> Value {
    let spec = kind.spec();
    let errors = match kind {
        Kind::InvalidBody | Kind::RosterRefused => {
            json!([{ "pointer": "/title", "parameter": null, "code": "too_long", "detail": "Must be at most 200 characters." }])
        }
        Kind::InvalidParameter => {
            json!([{ "pointer": null, "parameter": "limit", "code": "too_large", "detail": "Must be at most 100." }])
        }
        Kind::AlreadyExists => {
            json!([{ "pointer": "/slug", "parameter": null, "code": "taken", "detail": "Another venue has this slug." }])
        }
        _ => json!([]),
    };
    json!({
        "type": format!("/problems/{}", spec.slug),
        "title": spec.title,
        "status": spec.status,
        "code": kind.code(),
        "detail": spec.help,
        "instance": "/v1/venues",
        "request_id": "0199d2f07a3c7bbda1f53d2c5a0e9b41",
        "errors": errors,
        "candidates": [],
    })
}

/// Says what only a module above the errors knows: who the candidates of a problem are.
pub(super) fn name_candidates(document: &mut Value) {
    document["components"]["schemas"]["Problem"]["properties"]["candidates"]["items"] = reference_to("MemberSummary");
}

/// Names an operation's conflicts.
pub(super) fn complete(method: &str, operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default();
    let mut kinds = conflicts::of(id).to_vec();
    if takes_a_key(method, operation) {
        kinds.extend(conflicts::OF_REPEATED_REQUESTS);
    }
    if !kinds.is_empty() {
        name_conflicts(operation, &kinds);
    }
}

fn name_conflicts(operation: &mut Value, kinds: &[Kind]) {
    let codes: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.code())).collect();
    let codes = codes.join(", ");
    operation["responses"]["409"] = json!({ "$ref": shared("409"), "description": format!("One of {codes}") });
    let said = operation["description"].as_str().unwrap_or_default();
    operation["description"] = json!(format!("{said}\n\nConflicts (409): {codes}.").trim());
}
