//! Completes an operation according to who may use it.

use serde_json::{Value, json};

use crate::http::answers::shared;

/// Completes `security` and the answers 401 and 403. An operation that says nothing needs the token of an account. An
/// operation for everybody has an empty list in `security`, which client generators understand. An operation that reads
/// credentials can answer 401 and 403.
pub(super) fn complete(operation: &mut Value) {
    if operation.get("security").is_none() {
        operation["security"] = json!([{ "bearer": [] }]);
    }
    let ways = operation["security"].as_array().cloned().unwrap_or_default();
    if ways.iter().all(is_nobody) {
        operation["security"] = json!([]);
        return;
    }
    for status in ["401", "403"] {
        operation["responses"][status] = json!({ "$ref": shared(status) });
    }
}

fn is_nobody(way: &Value) -> bool {
    way.as_object().is_none_or(serde_json::Map::is_empty)
}

/// Whether an operation takes an `Idempotency-Key`: it is a POST that writes more than the audit, and it needs a token.
pub(super) fn takes_a_key(method: &str, operation: &Value) -> bool {
    method == "post"
        && operation["operationId"] != "search_members"
        && needs_token(operation)
        && operation["responses"].get("507").is_some()
}

fn needs_token(operation: &Value) -> bool {
    let ways = operation["security"].as_array().into_iter().flatten();
    let mut ways = ways.peekable();
    ways.peek().is_some() && ways.all(|way| way.get("bearer").is_some() || way.get("client").is_some())
}
