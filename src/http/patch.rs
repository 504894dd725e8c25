//! JSON merge patch (RFC 7396): an absent member stays as it is, null clears a member.
//!
//! Creating and changing follow the same rules. A patch is merged into the body that would create the resource as it is
//! now, and the result is then checked like the body of a new resource.

use std::borrow::Cow;

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
use super::schema::{self, Schemas};
use super::shape;
use crate::error::{Error, Fault, Result};

/// A merge patch of `T`. Its own shape has been checked; the merged result is checked later.
#[derive(Debug, Clone)]
pub struct MergePatch<T> {
    patch: Map<String, Value>,
    target: std::marker::PhantomData<fn() -> T>,
}

/// The media types of a merge patch.
pub(super) const TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

impl<T: ToSchema + 'static> Extractor for MergePatch<T> {
    const READS_BODY: bool = true;

    fn glance(request: &HttpRequest) -> Result<()> {
        glance(request, BODY_LIMIT, &TYPES)
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let bytes = read(request, payload, BODY_LIMIT).await?;
        Self::parse(&bytes)
    }
}

impl<T: ToSchema + 'static> MergePatch<T> {
    /// Reads a patch from the bytes of a body, and checks its shape.
    ///
    /// # Errors
    /// 400 if the bytes aren't well-formed JSON, 422 if the JSON isn't a patch of `T`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut value = parse(bytes)?;
        let shape = shape::of_patch::<Self>();
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
    /// Reads a patch inside another body. Its shape is checked together with that body.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { patch: Map::deserialize(deserializer)?, target: std::marker::PhantomData })
    }
}

impl<T: Serialize + DeserializeOwned + ToSchema + Validate + 'static> MergePatch<T> {
    /// The changed resource; `None` if the patch changes nothing. `written` gives the body that would create a resource,
    /// and `changed` makes the changed resource from such a body. See [`unless_same`].
    ///
    /// # Errors
    /// 422 if the result breaks a rule, for example because the patch clears a required member.
    pub fn change<R>(&self, old: &R, written: impl Fn(&R) -> T, changed: impl FnOnce(T) -> R) -> Result<Option<R>> {
        unless_same(old, changed(self.apply(&written(old))?), written)
    }

    /// The body of the resource after the patch, whether or not anything changed.
    ///
    /// # Errors
    /// 422 if the result breaks a rule, for example because the patch clears a required member.
    pub fn apply(&self, current: &T) -> Result<T> {
        let mut whole = serde_json::to_value(current).map_err(Error::internal)?;
        json_patch::merge(&mut whole, &Value::Object(self.patch.clone()));
        prune(&mut whole);
        checked(whole)
    }
}

/// The changed resource; `None` if the change changes nothing. Every PATCH and PUT of a whole resource asks here.
///
/// If nothing changes, nothing may be written and no event recorded: the answer is the resource with its old version.
/// `written` gives the body that would create a resource, and the bodies of both resources are compared. So another
/// spelling of a postcode, which is stored in one spelling, is no change.
///
/// # Errors
/// 500 if a body can't be written as JSON.
pub fn unless_same<R, T: Serialize>(old: &R, next: R, written: impl Fn(&R) -> T) -> Result<Option<R>> {
    let body = |resource: &R| serde_json::to_value(written(resource)).map_err(Error::internal);
    Ok(if body(old)? == body(&next)? { None } else { Some(next) })
}

impl<T> MergePatch<T> {
    /// The names of the members that the patch sets or clears, for the audit.
    pub fn names(&self) -> Vec<&str> {
        self.patch.keys().map(String::as_str).collect()
    }

    /// Whether the patch sets or clears this member.
    pub fn names_one(&self, name: &str) -> bool {
        self.patch.contains_key(name)
    }

    /// The text that the patch gives this member, if it gives it a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.patch.get(name).and_then(Value::as_str)
    }

    /// Refuses the patch if it names members that this caller may not change.
    ///
    /// # Errors
    /// 422 with a fault for each.
    pub fn refuse(&self, names: &[&str], why: &'static str) -> Result<()> {
        let named = names.iter().filter(|name| self.patch.contains_key(**name));
        let faults: Vec<Fault> = named.map(|name| Fault::at(format!("/{name}"), "not_yours", why)).collect();
        Error::unless_none(faults)
    }
}

/// Removes null members. An absent member and a null one mean the same, and the body of a new resource would leave such
/// a member out.
fn prune(whole: &mut Value) {
    if let Value::Object(map) = whole {
        map.retain(|_, value| !value.is_null());
    }
}

impl<T: ToSchema> PartialSchema for MergePatch<T> {
    fn schema() -> RefOr<Schema> {
        let (schema, named) = schema::of::<T>();
        let mut schema = patch_of(&schema, &named);
        schema["description"] = json!("A JSON merge patch (RFC 7396): absent properties stay, null clears.");
        typed(&schema).unwrap_or_else(T::schema)
    }
}

impl<T: ToSchema> ToSchema for MergePatch<T> {
    /// The schema's name: `VenuePatch` for `VenueInput`, `SessionPatch` for `SessionChange`.
    fn name() -> Cow<'static, str> {
        let name = T::name();
        let bare = name.strip_suffix("Input").or_else(|| name.strip_suffix("Change")).unwrap_or(&name);
        Cow::Owned(format!("{bare}Patch"))
    }

    /// The schemas that `T` refers to, and a patch of each object among them.
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let (_, named) = schema::of::<T>();
        for (name, schema) in named.iter().filter(|(_, schema)| schema.get("properties").is_some()) {
            schemas.extend(typed(&patch_of(schema, &named)).map(|patch| (format!("{name}Patch"), patch)));
        }
        T::schemas(schemas);
    }
}

fn typed(schema: &Value) -> Option<RefOr<Schema>> {
    serde_json::from_value(schema.clone()).ok()
}

/// The schema of a patch. Nothing is required or has a default. An optional member can be cleared with null. An object
/// inside is patched too; a list is replaced as a whole, so the schema of its items doesn't change.
fn patch_of(schema: &Value, named: &Schemas) -> Value {
    let mut patch = schema::merged(schema, named);
    let required = patch["required"].as_array().cloned().unwrap_or_default();
    if let Some(map) = patch.as_object_mut() {
        map.retain(|name, _| !["required", "example", "examples"].contains(&name.as_str()));
    }
    for (name, property) in patch.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        name_patches(property, named);
        if let Some(map) = property.as_object_mut() {
            map.remove("default");
        }
        if !required.iter().any(|required| required == name) {
            nullable(property);
        }
    }
    patch
}

/// Replaces a reference to an object's schema with a reference to the schema of its patch.
fn name_patches(property: &mut Value, named: &Schemas) {
    for choice in property.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        name_patches(choice, named);
    }
    let Some(path) = property.get("$ref").and_then(Value::as_str).map(str::to_owned) else { return };
    let target = schema::name_of(property).and_then(|name| named.get(name));
    if target.is_some_and(|target| target.get("properties").is_some()) {
        property["$ref"] = format!("{path}Patch").into();
    }
}

/// Makes a property's schema allow null.
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
