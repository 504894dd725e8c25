//! The answers that are problems: one shared answer for each status, with an example of each kind of problem.

use serde_json::{Map, Value, json};
use strum::IntoEnumIterator;

use super::access::takes_a_key;
use super::walk::reference_to;
use super::{conflicts, fates, headers};
use crate::error::Kind;
use crate::http::answers::{FAILURES, Failure, OTHER, listed, shared};
use crate::tables;

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
        "conflicts": [],
        "merged_into": null,
    })
}

/// Gives a problem's `candidates` and `conflicts` their types. `error` can't name the types, because members are a module
/// above it.
pub(super) fn name_candidates(document: &mut Value) {
    document["components"]["schemas"]["Problem"]["properties"]["candidates"]["items"] =
        reference_to("DuplicateCandidate");
    document["components"]["schemas"]["Problem"]["properties"]["conflicts"]["items"] = reference_to("MergeConflict");
}

/// The members that only the answers to token requests have: OAuth's own names for a failure.
const OAUTH: [&str; 2] = ["error", "error_description"];

/// Makes a schema of its own for the problems of token requests, so that the other problems don't have OAuth's members.
pub(super) fn split_off_token_problem(document: &mut Value) {
    let mut token_problem = document["components"]["schemas"]["Problem"].clone();
    token_problem["description"] =
        json!("Why no token was issued: a problem document with OAuth's members (RFC 6749, section 5.2).");
    document["components"]["schemas"]["TokenProblem"] = token_problem;
    if let Some(properties) = document["components"]["schemas"]["Problem"]["properties"].as_object_mut() {
        properties.retain(|name, _| !OAUTH.contains(&name.as_str()));
    }
}

/// Gives the 4xx answers of the token request their own schema.
pub(super) fn complete_token_request(operation: &mut Value) {
    if operation["operationId"] != "issue_client_token" {
        return;
    }
    // The guard checks `Accept` (406) and limits (429) before it knows the operation, so these are ordinary problems.
    let own = |failure: &&Failure| failure.status.starts_with('4') && !["406", "429"].contains(&failure.status);
    for failure in FAILURES.iter().filter(own) {
        if operation["responses"].get(failure.status).is_some() {
            let content = json!({ "schema": reference_to("TokenProblem") });
            let content = json!({ "application/problem+json": content, "application/json": content });
            let mut answer = json!({ "description": failure.text, "content": content });
            headers::add(&mut answer, &headers::of_problem(failure.status));
            operation["responses"][failure.status] = answer;
        }
    }
}

/// Adds to a refused roster's answer the sheet that it can be.
pub(super) fn complete_refused_roster(operation: &mut Value) {
    let Some(failure) = FAILURES.iter().find(|failure| failure.status == "422") else { return };
    if operation["operationId"] == "post_roster" {
        let mut refused = answer(failure);
        for media_type in [tables::CSV, tables::XLSX] {
            refused["content"][media_type] = operation["responses"]["201"]["content"][media_type].clone();
        }
        operation["responses"]["422"] = refused;
    }
}

/// Adds an operation's conflicts to its answers and its description.
pub(super) fn complete(path: &str, method: &str, operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default();
    let mut kinds = conflicts::of(id).to_vec();
    kinds.extend(fates::conflicts(path, method));
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
