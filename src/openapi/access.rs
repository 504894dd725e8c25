//! What follows from who may use an operation.

use serde_json::{Value, json};

use crate::http::answers::shared;

/// An operation that is for everybody says so with an empty list, which client generators understand; one that may ask
/// who somebody is can answer 401 and 403.
pub(super) fn complete(operation: &mut Value) {
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

/// Whether an operation can be repeated with an `Idempotency-Key`: it writes, and only holders of a token may use it.
pub(super) fn takes_a_key(method: &str, operation: &Value) -> bool {
    method == "post" && needs_token(operation) && operation["responses"].get("507").is_some()
}

fn needs_token(operation: &Value) -> bool {
    let ways = operation["security"].as_array().into_iter().flatten();
    let mut ways = ways.peekable();
    ways.peek().is_some() && ways.all(|way| way.get("bearer").is_some() || way.get("client").is_some())
}
