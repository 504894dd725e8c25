//! JSON merge patch (RFC 7396): absent leaves, null clears.
//!
//! A change is merged into what the resource would be written as today, and the whole is then checked as if it were
//! new: one set of rules for creating and for changing.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
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
pub(super) const TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

impl<T: ToSchema + 'static> Extractor for MergePatch<T> {
    fn glance(request: &HttpRequest) -> Result<()> {
        glance(request, BODY_LIMIT, &TYPES)
    }

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let bytes = read(request, payload, BODY_LIMIT).await?;
        let value = parse(&bytes)?;
        let faults = shape::of_patch::<MergePatch<T>>().faults(&value, "");
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
    /// What the resource becomes; `None` where it stays what it is.
    ///
    /// Then nothing may be written and no event recorded: the answer is the resource with its old version. `written`
    /// is what a resource would be written as, and `changed` makes the next one. Both documents are compared in the
    /// form in which they are stored, so that another spelling of a postcode is no change either.
    ///
    /// # Errors
    /// 422 where the whole breaks a rule, such as a required member cleared.
    pub fn change<R>(&self, old: &R, written: impl Fn(&R) -> T, changed: impl FnOnce(T) -> R) -> Result<Option<R>> {
        let stands = written(old);
        let next = changed(self.apply(&stands)?);
        Ok(if same(&stands, &written(&next))? { None } else { Some(next) })
    }

    /// What the resource would be written as after the patch, whether or not that is a change.
    ///
    /// # Errors
    /// 422 where the whole breaks a rule, such as a required member cleared.
    pub fn apply(&self, current: &T) -> Result<T> {
        let mut whole = serde_json::to_value(current).map_err(Error::internal)?;
        json_patch::merge(&mut whole, &Value::Object(self.patch.clone()));
        prune(&mut whole);
        checked(&whole)
    }
}

/// Whether two resources would be written as the same document.
///
/// # Errors
/// 500 where one can't be written as JSON.
pub fn same<T: Serialize>(one: &T, other: &T) -> Result<bool> {
    let document = |written: &T| serde_json::to_value(written).map_err(Error::internal);
    Ok(document(one)? == document(other)?)
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

/// An absent member and a null one mean the same to the types; absent is what a new resource would be sent with.
fn prune(whole: &mut Value) {
    if let Value::Object(map) = whole {
        map.retain(|_, value| !value.is_null());
    }
}

impl<T: ToSchema> PartialSchema for MergePatch<T> {
    fn schema() -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
            for property in object.properties.values_mut() {
                *property = nullable(property);
            }
            object.description = Some("A JSON merge patch (RFC 7396): absent leaves, null clears.".into());
            object.examples.clear();
        }
        schema
    }
}

impl<T: ToSchema> ToSchema for MergePatch<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Patch", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

/// The same schema with null allowed, and nested objects patched in their turn left as they are described.
fn nullable(property: &RefOr<Schema>) -> RefOr<Schema> {
    let mut value = serde_json::to_value(property).unwrap_or_default();
    if let Some(name) = value.get("type").and_then(Value::as_str).map(str::to_owned) {
        value["type"] = serde_json::json!([name, "null"]);
    } else if value.get("$ref").is_some() {
        let description = value.as_object_mut().and_then(|map| map.remove("description"));
        value = serde_json::json!({ "oneOf": [{ "type": "null" }, value] });
        if let Some(description) = description {
            value["description"] = description;
        }
    }
    serde_json::from_value(value).unwrap_or_else(|_| property.clone())
}
