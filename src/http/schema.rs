//! The schemas of types, as utoipa writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Schemas by their names.
pub type Schemas = BTreeMap<String, Value>;

/// The schema of a type, and the schemas that it refers to.
pub fn of<T: ToSchema>() -> (Value, Schemas) {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let json = |schema| serde_json::to_value(schema).unwrap_or_default();
    (json(T::schema()), named.into_iter().map(|(name, schema)| (name, json(schema))).collect())
}

/// The name of the schema that a reference refers to.
pub fn name_of(reference: &Value) -> Option<&str> {
    reference.get("$ref")?.as_str()?.rsplit('/').next()
}

/// A schema that is composed of others (`serde(flatten)`), as one schema with all the properties. If the others allow no
/// other properties, it allows none.
pub fn merged(schema: &Value, named: &Schemas) -> Value {
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return schema.clone() };
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    whole.remove("allOf");
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let part = merged(name_of(part).and_then(|name| named.get(name)).unwrap_or(part), named);
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
        if part["additionalProperties"] == false {
            whole.insert("additionalProperties".into(), false.into());
        }
    }
    whole.insert("type".into(), json!("object"));
    whole.insert("properties".into(), properties.into());
    whole.insert("required".into(), required.into());
    whole.into()
}
