//! Completes an operation's parameters according to its method, its security and its answers.

use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::access::takes_a_key;
use crate::audit::{Purpose, purpose};
use crate::db::types::TextEnum;
use crate::http::formats;

/// The bodies of answers that hold a person's data.
const OF_PEOPLE: &[&str] = &[
    "AccessLogEntry",
    "AccessNeeds",
    "Booking",
    "CalendarLink",
    "Consent",
    "EqualityAnswers",
    "Erasure",
    "ErasureRequest",
    "Export",
    "ExportDocument",
    "Invitation",
    "IssuedCalendarLink",
    "JoinLink",
    "Member",
    "MemberAccount",
    "MemberSearchResult",
    "Merge",
    "MergeOutcome",
    "Message",
    "PossibleDuplicate",
    "Prescription",
    "PrescriptionItem",
    "RecordedConsent",
    "Register",
    "Relationship",
    "RetentionReview",
    "SafeguardingFlag",
];

/// Adds the headers that an operation reads, and completes the parameters that it has already.
pub(super) fn complete(method: &str, operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        finish(&mut parameter["schema"]);
    }
    // An answer in JSON or CSV has an `ETag`, so `If-None-Match` can turn it into a 304.
    let content = &operation["responses"]["200"]["content"];
    let shown = content["application/json"]["schema"].get("$ref").is_some() || content.get("text/csv").is_some();
    if method == "get" && shown && operation["responses"].get("304").is_none() {
        operation["responses"]["304"] = json!({ "description": "Not changed" });
    }
    let has = |operation: &Value, status: &str| operation["responses"].get(status).is_some();
    if takes_a_key(method, operation) {
        let text = "Send the same key with the same request to have it done once, however often it is sent. Choose a \
                    new one for each request, such as a random UUID. Kept for 24 hours.";
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
        add_header(operation, "Idempotency-Key", false, text, schema);
    }
    if has(operation, "412") {
        let creates = method == "put" && has(operation, "201");
        let required = has(operation, "428") && !creates;
        add_header(operation, "If-Match", required, "The `ETag` of what was read.", json!({ "type": "string" }));
        if creates {
            let text = "`*` to create something new. If it exists already, the answer is 412.";
            add_header(operation, "If-None-Match", false, text, json!({ "type": "string" }));
        }
    }
    if shows_people(operation) {
        let text = "What the person's data is needed for. It stands in the access log that the person reads. Absent: what \
                    the operation is usually for. `safeguarding` needs the permission of that name, and is left out of \
                    the access log.";
        let names: Vec<&str> = Purpose::iter().map(TextEnum::name).collect();
        add_header(operation, purpose::HEADER, false, text, json!({ "type": "string", "enum": names }));
    }
    if method == "get" && has(operation, "304") {
        let text = "The `ETag` that the client holds. If nothing has changed, the answer is 304 without a body.";
        add_header(operation, "If-None-Match", false, text, json!({ "type": "string" }));
    }
}

/// Whether an operation's answer holds a person's data.
pub(super) fn shows_people(operation: &Value) -> bool {
    ["200", "201", "202"].iter().any(|status| {
        let schema = &operation["responses"][*status]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        OF_PEOPLE.contains(&name.trim_start_matches("Page_"))
    })
}

/// Completes the schema of a path or query parameter. A parameter can be absent but never null. An id gets no example:
/// tools fill forms with examples, and nothing has the id of an example.
fn finish(schema: &mut Value) {
    if schema["$ref"] == "#/components/schemas/Id" {
        *schema = json!({ "type": "string", "format": "uuid" });
    }
    if let Some(map) = schema.as_object_mut() {
        map.retain(|name, _| name != "example" && name != "examples");
    }
    if let Some(kind) = schema["type"].as_array().and_then(|kinds| kinds.iter().find(|kind| *kind != "null").cloned()) {
        schema["type"] = kind;
    }
    if let Some(names) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        names.retain(|name| !name.is_null());
    }
    if let Some(real) = schema["oneOf"].as_array().and_then(|choices| choices.iter().find(|one| one["type"] != "null"))
    {
        *schema = real.clone();
    }
    add_pattern(schema);
    if let Some(items) = schema.get_mut("items") {
        add_pattern(items);
    }
}

/// Adds the pattern of a text whose format has one.
fn add_pattern(schema: &mut Value) {
    let pattern = schema["format"].as_str().and_then(formats::pattern);
    if let Some(pattern) = pattern.filter(|_| schema.get("pattern").is_none()) {
        schema["pattern"] = json!(pattern);
    }
}

/// Adds a header without an example. Tools that fill in forms would send the example, and a made-up tag or key makes a
/// request fail.
fn add_header(operation: &mut Value, name: &str, required: bool, text: &str, schema: Value) {
    let header = json!({
        "name": name, "in": "header", "required": required, "description": text, "schema": schema
    });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(header),
        None => operation["parameters"] = json!([header]),
    }
}
