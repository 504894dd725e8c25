//! Walks through the document in the form of JSON.

use serde_json::{Value, json};

/// The methods of operations, in the document's spelling.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Calls `change` for every operation, with its method.
pub(super) fn for_each_operation(document: &mut Value, mut change: impl FnMut(&str, &mut Value)) {
    for_each_operation_at(document, |_, method, operation| change(method, operation));
}

/// Calls `change` for every operation, with its path and method.
pub(super) fn for_each_operation_at(document: &mut Value, mut change: impl FnMut(&str, &str, &mut Value)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                change(path, method, operation);
            }
        }
    }
}

/// Calls `change` for the schema of every content of these answers.
pub(super) fn for_each_schema(answers: &mut Value, change: &mut impl FnMut(&mut Value)) {
    for (_, answer) in answers.as_object_mut().into_iter().flatten() {
        let contents = answer.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten();
        for (_, content) in contents {
            if let Some(schema) = content.get_mut("schema") {
                change(schema);
            }
        }
    }
}

/// A reference to a named schema.
pub(super) fn reference_to(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Adds to `names` the names of the schemas that a part of the document refers to.
pub(super) fn referred(part: &Value, names: &mut Vec<String>) {
    match part {
        Value::Object(members) => {
            let path = members.get("$ref").and_then(Value::as_str);
            names.extend(path.and_then(|path| path.strip_prefix("#/components/schemas/")).map(str::to_owned));
            members.values().for_each(|member| referred(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| referred(item, names)),
        _ => {}
    }
}
