//! JSON merge patch (RFC 7396): absent leaves, null clears.
//!
//! A change is merged into what the resource would be written as today, and the whole is then checked as if it were
//! new: one set of rules for creating and for changing.

use std::borrow::Cow;
use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use validator::Validate;

use super::body::{BODY_LIMIT, checked, glance, parse, read};
use super::extract::Extractor;
use super::shape;
use crate::error::{Error, Fault, Result};

/// A merge patch of `T`, checked as far as it can be without what it changes.
#[derive(Debug, Clone)]
pub struct MergePatch<T> {
    patch: Map<String, Value>,
    target: std::marker::PhantomData<fn() -> T>,
}

/// The media types of a merge patch.
const TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

impl<T: ToSchema + 'static> Extractor for MergePatch<T> {
    fn glance(request: &HttpRequest) -> Result<()> {
        glance(request, BODY_LIMIT, &TYPES)
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let bytes = read(request, payload, BODY_LIMIT).await?;
        let mut value = parse(&bytes)?;
        let shape = shape::of_patch::<MergePatch<T>>();
        shape.settle(&mut value);
        let faults = shape.faults(&value, "");
        match value {
            Value::Object(patch) if faults.is_empty() => Ok(Self { patch, target: std::marker::PhantomData }),
            _ => Err(Error::invalid(faults)),
        }
    }
}

impl<T> Default for MergePatch<T> {
    /// A patch that changes nothing.
    fn default() -> Self {
        Self { patch: Map::new(), target: std::marker::PhantomData }
    }
}

impl<'de, T> Deserialize<'de> for MergePatch<T> {
    /// A patch inside another body; what is wrong with it is found where that body is checked.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { patch: Map::deserialize(deserializer)?, target: std::marker::PhantomData })
    }
}

impl<T: Serialize + DeserializeOwned + ToSchema + Validate + 'static> MergePatch<T> {
    /// What the resource becomes.
    ///
    /// # Errors
    /// 422 where the whole breaks a rule, such as a required member cleared.
    pub fn apply(&self, current: &T) -> Result<T> {
        let mut whole = serde_json::to_value(current).map_err(Error::internal)?;
        merge(&mut whole, &self.patch);
        prune(&mut whole);
        checked(whole)
    }
}

impl<T> MergePatch<T> {
    /// The names of the members that the patch speaks of, for the audit.
    pub fn names(&self) -> Vec<&str> {
        self.patch.keys().map(String::as_str).collect()
    }

    /// Whether the patch speaks of this member.
    pub fn names_one(&self, name: &str) -> bool {
        self.patch.contains_key(name)
    }

    /// The text that the patch sets this member to, where it sets it to one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.patch.get(name).and_then(Value::as_str)
    }

    /// Refuses members that this caller may not change.
    ///
    /// # Errors
    /// 422 that points at each.
    pub fn refuse(&self, names: &[&str], why: &'static str) -> Result<()> {
        let named = names.iter().filter(|name| self.patch.contains_key(**name));
        let faults: Vec<Fault> = named.map(|name| Fault::at(format!("/{name}"), "not_yours", why)).collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
    }
}

/// The algorithm of RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    for (name, change) in patch {
        match change {
            Value::Null => {
                map.remove(name);
            }
            Value::Object(inner) => merge(map.entry(name.clone()).or_insert(Value::Null), inner),
            value => {
                map.insert(name.clone(), value.clone());
            }
        }
    }
}

/// An absent member and a null one mean the same to the types; absent is what a new resource would be sent with.
fn prune(whole: &mut Value) {
    if let Value::Object(map) = whole {
        map.retain(|_, value| !value.is_null());
    }
}

impl<T: ToSchema> PartialSchema for MergePatch<T> {
    fn schema() -> RefOr<Schema> {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        let mut schema = patch_of(&json_of(&T::schema()), &schemas.into_iter().collect());
        schema["description"] = json!("A JSON merge patch (RFC 7396): absent leaves, null clears.");
        typed(&schema).unwrap_or_else(T::schema)
    }
}

impl<T: ToSchema> ToSchema for MergePatch<T> {
    /// `VenuePatch` of `VenueInput`, `SessionPatch` of `SessionChange`.
    fn name() -> Cow<'static, str> {
        let name = T::name();
        let bare = name.strip_suffix("Input").or_else(|| name.strip_suffix("Change")).unwrap_or(&name);
        Cow::Owned(format!("{bare}Patch"))
    }

    /// What `T` refers to, and a patch of each object among them.
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let mut of_target = Vec::new();
        T::schemas(&mut of_target);
        let known: HashMap<String, RefOr<Schema>> = of_target.iter().cloned().collect();
        for (name, schema) in &of_target {
            let schema = json_of(schema);
            if schema.get("properties").is_some() {
                schemas.extend(typed(&patch_of(&schema, &known)).map(|patch| (format!("{name}Patch"), patch)));
            }
        }
        schemas.extend(of_target);
    }
}

fn json_of(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

fn typed(schema: &Value) -> Option<RefOr<Schema>> {
    serde_json::from_value(schema.clone()).ok()
}

/// The schema of a patch: nothing is required, nothing has a default, what may be absent may be cleared, and an object
/// inside is patched in its turn. A list is replaced whole, so what it holds stays as it is.
fn patch_of(schema: &Value, known: &HashMap<String, RefOr<Schema>>) -> Value {
    let mut patch = schema.clone();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(map) = patch.as_object_mut() {
        map.retain(|name, _| !["required", "example", "examples"].contains(&name.as_str()));
    }
    for (name, property) in patch.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        name_patches(property, known);
        if let Some(map) = property.as_object_mut() {
            map.remove("default");
        }
        if !required.contains(&name.as_str()) {
            nullable(property);
        }
    }
    patch
}

/// Turns the reference to an object into one to its patch.
fn name_patches(property: &mut Value, known: &HashMap<String, RefOr<Schema>>) {
    for choice in property.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        name_patches(choice, known);
    }
    let Some(path) = property.get("$ref").and_then(Value::as_str).map(str::to_owned) else { return };
    let target = path.rsplit('/').next().and_then(|name| known.get(name)).map(json_of);
    if target.is_some_and(|target| target.get("properties").is_some()) {
        property["$ref"] = format!("{path}Patch").into();
    }
}

/// Allows null too.
fn nullable(property: &mut Value) {
    if let Some(name) = property.get("type").and_then(Value::as_str).map(str::to_owned) {
        property["type"] = json!([name, "null"]);
    } else if property.get("$ref").is_some() {
        let description = property.as_object_mut().and_then(|map| map.remove("description"));
        *property = json!({ "oneOf": [{ "type": "null" }, property.take()] });
        if let Some(description) = description {
            property["description"] = description;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any JSON, three levels deep at most, over few names, so that patches meet what they patch.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn object() -> impl Strategy<Value = Map<String, Value>> {
        prop::collection::btree_map("[a-c]", anything(), 0..4).prop_map(|map| map.into_iter().collect())
    }

    /// What RFC 7396 says of a member: its target, where it had one, and its patch, where it has one.
    fn holds(before: Option<&Value>, patch: Option<&Value>, after: Option<&Value>) -> bool {
        match patch {
            None => before == after,
            Some(Value::Null) => after.is_none(),
            Some(Value::Object(patch)) => {
                let before = before.and_then(Value::as_object);
                let Some(after) = after.and_then(Value::as_object) else { return false };
                let names = patch.keys().chain(after.keys()).chain(before.into_iter().flat_map(Map::keys));
                names
                    .into_iter()
                    .all(|name| holds(before.and_then(|map| map.get(name)), patch.get(name), after.get(name)))
            }
            Some(value) => after == Some(value),
        }
    }

    proptest! {
        #[test]
        fn every_member_is_kept_cleared_or_replaced_and_a_second_time_changes_nothing(
            target in anything(), patch in object(),
        ) {
            let mut once = target.clone();
            merge(&mut once, &patch);
            prop_assert!(holds(Some(&target), Some(&Value::Object(patch.clone())), Some(&once)), "{target} {once}");
            let mut twice = once.clone();
            merge(&mut twice, &patch);
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn the_examples_of_rfc_7396_merge_as_it_says() {
        let cases = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (mut target, patch, expected) in cases {
            merge(&mut target, patch.as_object().unwrap());
            assert_eq!(target, expected, "{patch}");
        }
    }
}
