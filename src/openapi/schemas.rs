//! The two forms of a schema. One Rust type can be used in bodies and in answers, but the two have different rules:
//!
//! - an answer has every property (null if there is no value) and can gain properties later;
//! - a body lists its required properties, allows no others, and says in words what a missing property means.
//!
//! utoipa writes one schema for each type, and this module makes the two forms of it. If a type is used in both ways
//! and the forms differ, the body's form is called `<Name>Input`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::walk::{for_each_operation, for_each_schema, reference_to, referred};
use crate::http::formats;
use crate::http::schema::{Schemas, merged, name_of};

/// Whether a schema is used in answers or in bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Answer,
    Body,
}

/// Replaces the document's schemas by their forms, and drops the schemas that nothing refers to.
pub(super) fn split_into_forms(document: &mut Value) {
    name_inline_schemas(document);
    let raw = schemas_of(document);
    let mut answers = reached(document, &raw, |operation| vec![&operation["responses"]]);
    answers.extend(shared_answers(document, &raw));
    let bodies = reached(document, &raw, |operation| vec![&operation["requestBody"], &operation["parameters"]]);
    let answer_form = |name: &String| (name.clone(), formed(&raw[name], &raw, Form::Answer));
    let mut finished: Schemas = answers.iter().map(answer_form).collect();
    let input_names = input_names(&bodies, &finished, &raw);
    for name in &bodies {
        let mut schema = formed(&raw[name], &raw, Form::Body);
        rename(&mut schema, &input_names);
        finished.insert(input_names.get(name).unwrap_or(name).clone(), schema);
    }
    for_each_operation(document, |_, operation| {
        for part in ["requestBody", "parameters"] {
            if let Some(part) = operation.get_mut(part) {
                rename(part, &input_names);
            }
        }
        for_each_schema(&mut operation["responses"], &mut |schema| *schema = formed(schema, &raw, Form::Answer));
    });
    document["components"]["schemas"] = json!(finished);
}

fn schemas_of(document: &Value) -> Schemas {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    schemas.map(|(name, schema)| (name.clone(), schema.clone())).collect()
}

/// Replaces copies of named schemas by references. Pages and parameters hold such copies.
fn name_inline_schemas(document: &mut Value) {
    let known: Vec<(Value, String)> =
        schemas_of(document).into_iter().filter(|(_, schema)| is_worth_a_name(schema)).map(|(n, s)| (s, n)).collect();
    let name_copy = |value: &mut Value| {
        // A copy has what made its schema worth a name. Nearly all values haven't, and needn't be compared with any.
        if !is_worth_a_name(value) {
            return;
        }
        // Two enums can have the same values. Their descriptions tell them apart.
        let is_said_so = |schema: &Value| value.get("description") == schema.get("description");
        let mut copied = known.iter().filter(|(schema, _)| is_copy(value, schema));
        let found = copied.clone().find(|(schema, _)| is_said_so(schema)).or_else(|| copied.next());
        if let Some((schema, name)) = found {
            let own = value.get("description").filter(|text| Some(*text) != schema.get("description")).cloned();
            *value = reference_to(name);
            if let Some(description) = own {
                value["description"] = description;
            }
        }
    };
    let named = document["components"]["schemas"].as_object_mut().into_iter().flatten();
    for (_, schema) in named {
        for member in ["properties", "items", "allOf", "oneOf"] {
            if let Some(part) = schema.get_mut(member) {
                for_each_value(part, &mut |value| name_copy(value));
            }
        }
    }
    if let Some(paths) = document.get_mut("paths") {
        for_each_value(paths, &mut |value| name_copy(value));
    }
}

fn is_worth_a_name(schema: &Value) -> bool {
    ["properties", "allOf", "enum"].iter().any(|member| schema.get(member).is_some())
}

/// Whether a schema is a copy of this one, apart from its description and from null as another value.
fn is_copy(value: &Value, schema: &Value) -> bool {
    if value == schema {
        return true;
    }
    let names = |schema: &Value| schema.get("enum").and_then(Value::as_array).cloned();
    let (Some(mut own), Some(known)) = (names(value), names(schema)) else { return false };
    own.retain(|name| !name.is_null());
    own == known
}

fn for_each_value(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    change(value);
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| for_each_value(member, change)),
        Value::Array(items) => items.iter_mut().for_each(|item| for_each_value(item, change)),
        _ => {}
    }
}

/// The names of all schemas that these parts of the operations refer to, directly or through other schemas.
fn reached(document: &mut Value, raw: &Schemas, parts: impl Fn(&Value) -> Vec<&Value>) -> BTreeSet<String> {
    let mut names = Vec::new();
    for_each_operation(document, |_, operation| {
        parts(operation).into_iter().for_each(|part| referred(part, &mut names))
    });
    with_what_they_name(names, raw)
}

/// The names of all schemas that the shared answers refer to, directly or through other schemas.
fn shared_answers(document: &Value, raw: &Schemas) -> BTreeSet<String> {
    let mut names = Vec::new();
    referred(&document["components"]["responses"], &mut names);
    with_what_they_name(names, raw)
}

fn with_what_they_name(mut ahead: Vec<String>, raw: &Schemas) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    while let Some(name) = ahead.pop() {
        let Some(schema) = raw.get(&name) else { continue };
        if found.insert(name) {
            // A schema that is merged into another leaves the document, but the schemas that it refers to stay.
            referred(&merged(schema, raw), &mut ahead);
        }
    }
    found
}

/// The names of the bodies' forms that differ from the answers' form of the same type, in themselves or in a schema
/// that they refer to.
fn input_names(bodies: &BTreeSet<String>, answers: &Schemas, raw: &Schemas) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let before = names.len();
        for name in bodies.iter().filter(|name| answers.contains_key(*name)) {
            let body = formed(&raw[name], raw, Form::Body);
            let mut inner = Vec::new();
            referred(&body, &mut inner);
            if body != answers[name] || inner.iter().any(|inner| names.contains_key(inner)) {
                names.insert(name.clone(), format!("{name}Input"));
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

fn rename(part: &mut Value, names: &BTreeMap<String, String>) {
    for_each_value(part, &mut |value| {
        if let Some(new) = name_of(value).and_then(|name| names.get(name)) {
            value["$ref"] = reference_to(new)["$ref"].take();
        }
    });
}

/// This form of a schema and of the schemas inside it.
fn formed(schema: &Value, raw: &Schemas, form: Form) -> Value {
    let mut schema = merged(schema, raw);
    say_its_spelling(&mut schema);
    if form == Form::Answer {
        state_everything(&mut schema);
    }
    for member in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(member).filter(|inner| inner.is_object()) {
            *inner = formed(inner, raw, form);
        }
    }
    for inner in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        *inner = formed(inner, raw, form);
    }
    let required: Vec<String> = texts(&schema["required"]);
    for (name, inner) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if form == Form::Body && !required.contains(name) {
            say_what_absence_means(inner);
        }
        *inner = formed(inner, raw, form);
    }
    describe_from_outside(&mut schema);
    if let Some(map) = schema.as_object_mut() {
        map.remove("default");
    }
    if form == Form::Body {
        say_what_goes_together(&mut schema);
    }
    schema
}

/// Moves the description of a property that can be null from beside the `$ref` of its choice to the property itself:
/// generators of types leave out what stands in the choice.
fn describe_from_outside(schema: &mut Value) {
    if schema.get("description").is_some() {
        return;
    }
    let choices = schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
    let mut named = choices.filter(|choice| choice.get("$ref").is_some());
    if let Some(text) = named.next().and_then(|choice| choice.as_object_mut()?.remove("description")) {
        schema["description"] = text;
    }
}

/// Properties that mean nothing without each other.
const TOGETHER: [[&str; 2]; 1] = [["latitude", "longitude"]];

/// Adds which properties must be sent together, both other than null. Not in a patch, because the other property can be
/// there already.
fn say_what_goes_together(schema: &mut Value) {
    let names = schema["properties"].as_object().cloned().unwrap_or_default();
    let is_patch = schema["required"].as_array().is_none_or(Vec::is_empty);
    for [one, other] in TOGETHER.iter().filter(|pair| !is_patch && pair.iter().all(|name| names.contains_key(*name))) {
        // Some checkers read a part of a schema as closed unless it says that it is open.
        let given = |name: &str| json!({ "properties": { name: { "not": { "type": "null" } } }, "required": [name], "additionalProperties": true });
        schema["allOf"] = json!([
            { "if": given(one), "then": given(other) },
            { "if": given(other), "then": given(one) }
        ]);
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn state_everything(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|_, property| property.get("writeOnly") != Some(&json!(true)));
        let names: Vec<&String> = properties.keys().collect();
        let names = json!(names);
        map.insert("required".into(), names);
    }
    if map.get("additionalProperties") == Some(&json!(false)) {
        map.remove("additionalProperties");
    }
}

/// Adds the pattern of a text whose format has one spelling, for generators that don't know the format. Adds the format
/// of a whole number.
fn say_its_spelling(schema: &mut Value) {
    if schema["type"] == "integer" && schema.get("format").is_none() {
        schema["format"] = json!("int64");
    }
    let format = schema.get("format").and_then(Value::as_str).and_then(formats::pattern);
    if let Some(pattern) = format.filter(|_| schema.get("pattern").is_none()) {
        schema["pattern"] = json!(pattern);
    }
}

/// Moves a body's defaults into the descriptions, because generated clients would send or require a default.
fn say_what_absence_means(property: &mut Value) {
    let words = match (&property["default"], property["type"].as_str()) {
        (Value::Array(_), _) | (Value::Null, Some("array")) => "Absent: none.".to_owned(),
        (Value::Null, Some("boolean")) => "Absent: false.".to_owned(),
        (Value::Null, _) => return,
        (value, _) => format!("Absent: {value}."),
    };
    let said = property["description"].as_str().unwrap_or_default().to_owned();
    property["description"] = json!(format!("{said} {words}").trim());
}
