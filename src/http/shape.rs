//! Checks JSON against the published schema of a type, and reports every fault at once.
//!
//! serde stops at the first fault and doesn't check bounds. This module checks a value against the schema that stands
//! in the OpenAPI document, so the document and the checks can't differ. It checks types, required and unknown members,
//! enums, lengths, bounds, patterns and formats. The types' `Validate` checks the rules that a schema can't express.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use regex_lite::Regex;
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use super::formats;
use super::schema::{self, Schemas};
use crate::error::Fault;
use crate::text::fold::name_key;
use crate::text::nearest::hint;
use crate::text::reading;

/// The most faults that are listed. Nobody reads more at once, and a small body could ask for a large answer.
pub const MOST_FAULTS: usize = 100;
/// How many characters of an unknown name are repeated in a fault. A longer one is nobody's mistyped name.
const LONGEST_NAME: usize = 100;

/// The format of a text of one line, such as a title: no line breaks, no marks of writing direction.
const ONE_LINE: &str = "one-line";
/// The format of a person's name: one line with a letter or a digit, by which it can be found.
const NAME: &str = "name";

/// A compiled schema.
#[derive(Debug)]
#[expect(missing_docs, reason = "`least` and `most` are the schema's bounds; the variants say the rest")]
pub enum Shape {
    /// Any value.
    Any,
    /// This shape, or null.
    Nullable(Box<Shape>),
    /// `true` or `false`.
    Boolean,
    /// A whole number between two bounds.
    Integer { least: Option<i64>, most: Option<i64> },
    /// A number between two bounds.
    Number { least: Option<f64>, most: Option<f64> },
    /// A text.
    Text(TextShape),
    /// A list.
    Array { items: Box<Shape>, least: Option<u64>, most: Option<u64>, unique: bool },
    /// An object with known members. Another member is a fault, or must have the shape `rest`.
    Object { members: Vec<(String, Shape)>, required: Vec<String>, rest: Option<Box<Shape>> },
}

/// The rules for a text.
#[derive(Debug, Default)]
pub struct TextShape {
    least: Option<u64>,
    most: Option<u64>,
    pattern: Option<Regex>,
    format: Option<String>,
    names: Vec<String>,
}

impl TextShape {
    /// The texts that there can be, if they are listed.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The shape of a type. Compiled only once.
pub fn of<T: ToSchema + 'static>() -> Arc<Shape> {
    cached::<T>(TypeId::of::<T>(), |shape| shape)
}

/// The shape of a merge patch: nothing is required at any depth, and null clears a member. `P` is the patch's type.
pub fn of_patch<P: ToSchema + 'static>() -> Arc<Shape> {
    cached::<P>(TypeId::of::<(P,)>(), Shape::relaxed)
}

fn cached<T: ToSchema>(id: TypeId, change: impl Fn(Shape) -> Shape) -> Arc<Shape> {
    static SHAPES: OnceLock<RwLock<HashMap<TypeId, Arc<Shape>>>> = OnceLock::new();
    let shapes = SHAPES.get_or_init(RwLock::default);
    if let Some(shape) = shapes.read().ok().and_then(|known| known.get(&id).cloned()) {
        return shape;
    }
    let (schema, components) = schema::of::<T>();
    let shape = Arc::new(change(compile(&schema, &components)));
    if let Ok(mut known) = shapes.write() {
        known.insert(id, Arc::clone(&shape));
    }
    shape
}

/// Compiles a JSON schema as utoipa writes it.
pub fn compile(schema: &Value, components: &Schemas) -> Shape {
    if let Some(name) = schema::name_of(schema) {
        return components.get(name).map_or(Shape::Any, |target| compile(target, components));
    }
    if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        return compile_choice(choices, components);
    }
    let schema = &schema::merged(schema, components);
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return Shape::Any,
    };
    let main = names.iter().find(|name| **name != "null").copied().unwrap_or("null");
    let shape = compile_type(main, schema, components);
    if names.contains(&"null") { Shape::Nullable(Box::new(shape)) } else { shape }
}

/// Compiles a choice. utoipa writes an optional reference as a choice between null and the reference.
fn compile_choice(choices: &[Value], components: &Schemas) -> Shape {
    let is_null = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("null");
    let real: Vec<&Value> = choices.iter().filter(|schema| !is_null(schema)).collect();
    let shape = match real.as_slice() {
        [only] => compile(only, components),
        _ => Shape::Any,
    };
    if real.len() < choices.len() { Shape::Nullable(Box::new(shape)) } else { shape }
}

fn compile_type(name: &str, schema: &Value, components: &Schemas) -> Shape {
    let whole = |key: &str| schema.get(key).and_then(Value::as_u64);
    match name {
        "boolean" => Shape::Boolean,
        "integer" => {
            let bound = |key: &str| schema.get(key).and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)));
            Shape::Integer { least: bound("minimum"), most: bound("maximum") }
        }
        "number" => {
            let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
            Shape::Number { least: bound("minimum"), most: bound("maximum") }
        }
        "string" => Shape::Text(TextShape {
            least: whole("minLength"),
            most: whole("maxLength"),
            pattern: schema.get("pattern").and_then(Value::as_str).and_then(|text| Regex::new(text).ok()),
            format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
            names: texts(schema.get("enum")),
        }),
        "array" => Shape::Array {
            items: Box::new(schema.get("items").map_or(Shape::Any, |items| compile(items, components))),
            least: whole("minItems"),
            most: whole("maxItems"),
            unique: schema.get("uniqueItems").and_then(Value::as_bool).unwrap_or_default(),
        },
        "object" => compile_object(schema, components),
        _ => Shape::Any,
    }
}

fn compile_object(schema: &Value, components: &Schemas) -> Shape {
    let members = schema.get("properties").and_then(Value::as_object).map(|properties| {
        properties.iter().map(|(name, schema)| (name.clone(), compile(schema, components))).collect()
    });
    let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
    Shape::Object {
        members: members.unwrap_or_default(),
        required: texts(schema.get("required")),
        rest: rest.map(|rest| Box::new(compile(rest, components))),
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned));
    items.map(Iterator::collect).unwrap_or_default()
}

impl Shape {
    /// Every fault of a value. The faults' JSON pointers begin with `pointer`.
    pub fn faults(&self, value: &Value, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check(value, pointer, &mut faults);
        faults.truncate(MOST_FAULTS);
        faults
    }

    /// The shape of a patch of this shape. A list is replaced as a whole, so the shape of its items doesn't change.
    fn relaxed(self) -> Self {
        let nullable = |shape: Self| match shape {
            Self::Nullable(_) => shape,
            shape => Self::Nullable(Box::new(shape)),
        };
        match self {
            Self::Nullable(inner) => Self::Nullable(Box::new(inner.relaxed())),
            Self::Object { members, rest, .. } => Self::Object {
                members: members.into_iter().map(|(name, shape)| (name, nullable(shape.relaxed()))).collect(),
                required: Vec::new(),
                rest,
            },
            shape => shape,
        }
    }

    /// Normalises a value before it is checked and stored: texts and names lose the white space around them
    /// ([`reading::read`]), those of some formats get their one form ([`formats::normal`]), and a whole number such as
    /// `90.0` becomes `90`.
    pub fn settle(&self, value: &mut Value) {
        match (self, value) {
            (Shape::Nullable(inner), value) => inner.settle(value),
            (Shape::Text(text), Value::String(value)) => text.settle(value),
            (Shape::Integer { .. }, Value::Number(number)) => settle_integer(number),
            (Shape::Array { items, .. }, Value::Array(values)) => {
                values.iter_mut().for_each(|value| items.settle(value))
            }
            (Shape::Object { members, rest, .. }, Value::Object(map)) => {
                for (name, value) in map.iter_mut() {
                    let known = members.iter().find(|(known, _)| known == name).map(|(_, shape)| shape);
                    if let Some(shape) = known.or(rest.as_deref()) {
                        shape.settle(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn check(&self, value: &Value, at: &str, faults: &mut Vec<Fault>) {
        if faults.len() >= MOST_FAULTS {
            return;
        }
        match (self, value) {
            (Shape::Any, _) | (Shape::Boolean, Value::Bool(_)) | (Shape::Nullable(_), Value::Null) => {}
            (Shape::Nullable(inner), value) => inner.check(value, at, faults),
            (Shape::Text(text), Value::String(value)) => text.check(value, at, faults),
            (Shape::Integer { least, most }, Value::Number(number)) => match number.as_i64() {
                Some(value) => check_bounds(value, *least, *most, at, faults),
                None => faults.push(Fault::at(at, "wrong_type", "Must be a whole number that fits in 64 bits.")),
            },
            (Shape::Number { least, most }, Value::Number(number)) => {
                check_bounds(number.as_f64().unwrap_or(f64::NAN), *least, *most, at, faults);
            }
            (Shape::Array { items, least, most, unique }, Value::Array(values)) => {
                check_count(values.len() as u64, *least, *most, at, faults);
                if *unique {
                    check_unique(values, at, faults);
                }
                // What is too much isn't looked at.
                let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
                for (index, value) in values.iter().enumerate().take(most) {
                    items.check(value, &format!("{at}/{index}"), faults);
                }
            }
            (Shape::Object { .. }, Value::Object(map)) => self.check_object(map, at, faults),
            (expected, found) => {
                let detail = format!("Must be {}, not {}.", expected.noun(), noun(found));
                faults.push(Fault::at(at, "wrong_type", detail));
            }
        }
    }

    fn check_object(&self, map: &Map<String, Value>, at: &str, faults: &mut Vec<Fault>) {
        let Shape::Object { members, required, rest } = self else { return };
        for name in required.iter().filter(|name| !map.contains_key(*name)) {
            faults.push(Fault::at(format!("{at}/{}", escape(name)), "required", "Is required."));
        }
        for (name, value) in map {
            if faults.len() >= MOST_FAULTS {
                return;
            }
            let known = members.iter().find(|(known, _)| known == name).map(|(_, shape)| shape);
            match known.or(rest.as_deref()) {
                Some(shape) => shape.check(value, &format!("{at}/{}", escape(name)), faults),
                None => {
                    let known = members.iter().map(|(name, _)| name.as_str());
                    let name = beginning(name);
                    let detail = format!("Is not known here. {}", hint(&name, known));
                    faults.push(Fault::at(format!("{at}/{}", escape(&name)), "unknown_field", detail));
                }
            }
        }
    }

    fn noun(&self) -> &'static str {
        match self {
            Shape::Any => "anything",
            Shape::Nullable(inner) => inner.noun(),
            Shape::Boolean => "true or false",
            Shape::Integer { .. } => "a whole number",
            Shape::Number { .. } => "a number",
            Shape::Text(_) => "a text",
            Shape::Array { .. } => "a list",
            Shape::Object { .. } => "an object",
        }
    }
}

/// A name, or the beginning of one that is too long.
fn beginning(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Makes a number without a fraction an integer, if it fits. JSON Schema counts `90.0` as an integer.
fn settle_integer(number: &mut Number) {
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
    // Beyond 2^53, a float can't tell neighbouring whole numbers apart.
    if let Some(float) = float.filter(|float| float.abs() <= 9_007_199_254_740_992.0) {
        *number = Number::from(float as i64);
    }
}

impl TextShape {
    /// Whether the text is free text for people: without a list of names, a pattern or a format.
    fn is_free(&self) -> bool {
        let format = self.format.as_deref().is_none_or(|format| [ONE_LINE, NAME].contains(&format));
        self.names.is_empty() && self.pattern.is_none() && format
    }

    /// Why a text can't be shown, or a name not found.
    fn unreadable(&self, value: &str) -> Option<(&'static str, &'static str)> {
        match self.format.as_deref() {
            Some(NAME) if name_key(value).is_empty() => Some(("blank", "Must hold a letter or a digit.")),
            Some(_) if !reading::is_one_line(value) => {
                Some(("not_text", "Must be one line, without control characters or direction marks."))
            }
            None if !reading::is_plain(value) => Some(("not_text", "Must not hold control characters.")),
            _ => None,
        }
    }

    fn settle(&self, value: &mut String) {
        let settled = match self.format.as_deref() {
            None | Some(ONE_LINE | NAME) => Some(reading::read(value)),
            Some(format) => formats::normal(format, value),
        };
        if let Some(settled) = settled.filter(|settled| settled != value.as_str()) {
            *value = settled.into_owned();
        }
    }

    fn check(&self, value: &str, at: &str, faults: &mut Vec<Fault>) {
        if value.contains('\0') {
            faults.push(Fault::at(at, "nul", "Must not hold the character NUL."));
        }
        if !self.names.is_empty() && !self.names.iter().any(|name| name == value) {
            let detail = format!("Must be one of {}.", self.names.join(", "));
            return faults.push(Fault::at(at, "not_allowed", detail));
        }
        if self.is_free() && reading::is_blank(value) {
            return faults.push(Fault::at(at, "blank", "Must hold a visible character."));
        }
        if self.is_free() && !value.contains('\0') {
            faults.extend(self.unreadable(value).map(|(code, detail)| Fault::at(at, code, detail)));
        }
        let length = value.chars().count() as u64;
        if self.least.is_some_and(|least| length < least) {
            let least = self.least.unwrap_or_default();
            let detail =
                if least == 1 { "Must not be empty.".into() } else { format!("Must be at least {least} characters.") };
            return faults.push(Fault::at(at, "too_short", detail));
        }
        if let Some(most) = self.most.filter(|most| length > *most) {
            return faults.push(Fault::at(at, "too_long", format!("Must be at most {most} characters.")));
        }
        // The format comes before the pattern, because it has a sentence of its own.
        if let Some(detail) = self.format.as_deref().and_then(|format| formats::fault(format, value)) {
            return faults.push(Fault::at(at, "wrong_format", detail));
        }
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(value)) {
            let detail = "Must have the form that the OpenAPI document states.";
            return faults.push(Fault::at(at, "wrong_format", detail));
        }
        if let Some((code, detail)) = self.format.as_deref().and_then(|format| formats::unknown(format, value)) {
            faults.push(Fault::at(at, code, detail));
        }
    }
}

fn check_bounds<N: PartialOrd + std::fmt::Display>(
    value: N,
    least: Option<N>,
    most: Option<N>,
    at: &str,
    faults: &mut Vec<Fault>,
) {
    if let Some(least) = least.filter(|least| value < *least) {
        faults.push(Fault::at(at, "too_small", format!("Must be at least {least}.")));
    }
    if let Some(most) = most.filter(|most| value > *most) {
        faults.push(Fault::at(at, "too_large", format!("Must be at most {most}.")));
    }
}

fn check_count(count: u64, least: Option<u64>, most: Option<u64>, at: &str, faults: &mut Vec<Fault>) {
    if let Some(least) = least.filter(|least| count < *least) {
        faults.push(Fault::at(at, "too_few", format!("Must have at least {least} items.")));
    }
    if let Some(most) = most.filter(|most| count > *most) {
        faults.push(Fault::at(at, "too_many", format!("Must have at most {most} items.")));
    }
}

fn check_unique(values: &[Value], at: &str, faults: &mut Vec<Fault>) {
    for (index, value) in values.iter().enumerate().filter(|(index, value)| values[..*index].contains(value)) {
        faults.push(Fault::at(format!("{at}/{index}"), "repeated", format!("{value} is already in the list.")));
    }
}

fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A member's name inside a JSON pointer (RFC 6901).
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
