//! Query strings, checked against the parameters in the OpenAPI document.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use super::extract::Extractor;
use super::schema::Schemas;
use super::shape::{self, Shape};
use crate::error::{Error, Fault, Kind, Result};
use crate::text::nearest::hint;
use crate::text::words::{self, Wanted};

/// The query string as a type. Unknown names, repeated single values and values out of bounds are refused with 400.
pub struct Query<T>(pub T);

/// An operation that takes no query.
pub struct NoQuery;

impl<T: IntoParams + DeserializeOwned + 'static> Extractor for Query<T> {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let parameters = parameters_of::<T>();
        let map = read(request.query_string(), &parameters)?;
        let value = serde_json::from_value(Value::Object(map))
            .map_err(|e| Error::new(Kind::InvalidParameter, "The query string can't be read.").because(e))?;
        Ok(Query(value))
    }
}

impl Extractor for NoQuery {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        read(request.query_string(), &[]).map(|_| NoQuery)
    }
}

/// The words of the parameter `q`; none if the parameter is missing.
///
/// # Errors
/// 400 if it has no word, too many words, or too few letters before a `*`.
pub fn search_words(q: Option<&str>) -> Result<Vec<Wanted>> {
    let wanted = q.map(words::wanted).transpose();
    Ok(wanted.map_err(|no| Error::parameter("q", no.code(), no.to_string()))?.unwrap_or_default())
}

/// The same for a search that somebody may still be typing: the last word may be the beginning of one.
///
/// # Errors
/// Those of [`search_words`].
pub fn search_words_so_far(q: Option<&str>) -> Result<Vec<Wanted>> {
    let wanted = q.map(words::wanted_so_far).transpose();
    Ok(wanted.map_err(|no| Error::parameter("q", no.code(), no.to_string()))?.unwrap_or_default())
}

/// One query parameter, as the OpenAPI document describes it.
struct Parameter {
    name: String,
    required: bool,
    /// Whether a list can be written as one value with commas.
    commas: bool,
    shape: Shape,
}

fn parameters_of<T: IntoParams + 'static>() -> Arc<Vec<Parameter>> {
    static KNOWN: OnceLock<RwLock<HashMap<TypeId, Arc<Vec<Parameter>>>>> = OnceLock::new();
    let known = KNOWN.get_or_init(RwLock::default);
    let id = TypeId::of::<T>();
    if let Some(found) = known.read().ok().and_then(|known| known.get(&id).cloned()) {
        return found;
    }
    let parameters = T::into_params(|| Some(ParameterIn::Query));
    let compiled = Arc::new(parameters.into_iter().map(compile).collect::<Vec<_>>());
    if let Ok(mut known) = known.write() {
        known.insert(id, Arc::clone(&compiled));
    }
    compiled
}

fn compile(parameter: utoipa::openapi::path::Parameter) -> Parameter {
    let value = serde_json::to_value(&parameter).unwrap_or_default();
    let required = value.get("required").and_then(Value::as_bool).unwrap_or_default();
    let commas = value.get("explode").and_then(Value::as_bool) == Some(false);
    let schema = value.get("schema").cloned().unwrap_or_default();
    Parameter { name: parameter.name, required, commas, shape: shape::compile(&schema, &Schemas::new()) }
}

fn read(query: &str, parameters: &[Parameter]) -> Result<Map<String, Value>> {
    let mut map = Map::new();
    let mut faults = Vec::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let Some(parameter) = parameters.iter().find(|p| p.name == name) else {
            faults.push(unknown(&name, parameters));
            continue;
        };
        if text.contains('\0') || text.contains(char::REPLACEMENT_CHARACTER) {
            faults.push(Fault::in_parameter(name, "wrong_format", "Must be UTF-8 text without NUL."));
            continue;
        }
        add(&mut map, parameter, &text, &mut faults);
    }
    for parameter in parameters {
        check(&map, parameter, &mut faults);
    }
    if faults.is_empty() {
        return Ok(map);
    }
    let detail = faults.iter().filter_map(|f| f.parameter.as_deref().map(|name| format!("{name}: {}", f.detail)));
    let mut error = Error::new(Kind::InvalidParameter, detail.collect::<Vec<_>>().join(" "));
    for fault in faults {
        error = error.with(fault);
    }
    Err(error)
}

fn unknown(name: &str, parameters: &[Parameter]) -> Fault {
    let known: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    let detail = match known.as_slice() {
        [] => "This operation takes no query parameters.".to_owned(),
        known => format!("Is not a parameter here. {}", hint(name, known.iter().copied())),
    };
    Fault::in_parameter(name, "unknown_parameter", detail)
}

/// Puts one value into the map, converted to the type in the parameter's schema.
fn add(map: &mut Map<String, Value>, parameter: &Parameter, text: &str, faults: &mut Vec<Fault>) {
    let shape = real(&parameter.shape);
    if let Shape::Array { items, .. } = shape {
        let list = map.entry(parameter.name.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            let texts: Vec<&str> = if parameter.commas { text.split(',').collect() } else { vec![text] };
            list.extend(texts.into_iter().map(|text| coerce(text, items)));
        }
    } else if map.insert(parameter.name.clone(), coerce(text, shape)).is_some() {
        faults.push(Fault::in_parameter(parameter.name.clone(), "repeated", "May be given only once."));
    }
}

fn real(shape: &Shape) -> &Shape {
    match shape {
        Shape::Nullable(inner) => inner,
        shape => shape,
    }
}

fn coerce(text: &str, shape: &Shape) -> Value {
    let parsed = match real(shape) {
        Shape::Integer { .. } => json(text).filter(|value| value.is_i64() || value.is_u64()),
        Shape::Number { .. } => json(text).filter(Value::is_number),
        Shape::Boolean => json(text).filter(Value::is_boolean),
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

/// The value of a text that is a number or a boolean exactly as JSON writes it: without a `+`, spaces or leading zeros.
fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|_| !text.contains(char::is_whitespace))
}

fn check(map: &Map<String, Value>, parameter: &Parameter, faults: &mut Vec<Fault>) {
    match map.get(&parameter.name) {
        Some(value) => {
            let shape = real(&parameter.shape);
            let wrong = shape.faults(value, "").into_iter().map(|fault| match (shape, fault.code.as_ref()) {
                // Everything in a query is a text: what counts is how the number is written.
                (Shape::Integer { .. }, "wrong_type") => {
                    Fault { detail: "Must be a whole number in plain digits, such as 50.".into(), ..fault }
                }
                _ => fault,
            });
            faults.extend(wrong.map(|f| Fault::in_parameter(parameter.name.clone(), f.code, f.detail)));
        }
        None if parameter.required => {
            faults.push(Fault::in_parameter(parameter.name.clone(), "required", "Is required."));
        }
        None => {}
    }
}
