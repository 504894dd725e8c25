//! Holds every answer that the suite receives to the committed document.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, OnceLock};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use super::Answer;

/// The document, with its answers' objects closed: what isn't in it must not be sent.
static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);

/// The name under which the validators find the components.
const DOCUMENT: &str = "life-rooms:/openapi.json";

struct Contract {
    components: Value,
    /// The components again, read once for all validators.
    registry: Registry<'static>,
    /// The names of the headers that any answer of the document has.
    headers: BTreeSet<String>,
    /// Method, parts of the path, and the operation; fixed paths before those with parameters.
    operations: Vec<(String, Vec<String>, Value)>,
    /// The schemas of the answers, by their text. Each is compiled when the first answer needs it; tests that need
    /// others don't wait.
    validators: HashMap<String, OnceLock<Validator>>,
}

/// Statuses that any operation can answer without saying so one by one: they have nothing to do with what it does.
const ANYWHERE: [u16; 9] = [405, 408, 413, 415, 429, 431, 500, 503, 507];

/// The bytes of the committed document.
pub fn committed() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    std::fs::read_to_string(path).expect("the document is there")
}

/// Fails the test where an answer isn't one that the document has.
#[track_caller]
pub fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    if method == "OPTIONS"
        || path.starts_with("/docs")
        || ["/account/", "/examples/"].iter().any(|pages| path.starts_with(pages))
    {
        return;
    }
    if let Err(fault) = CONTRACT.fault(method, path, answer) {
        panic!("{method} {path} {}: {fault}\n{:.3000}", answer.status, answer.text);
    }
}

/// People read the detail of a fault, so it never holds a regular expression.
fn in_plain_words(detail: &str) -> Result<(), String> {
    let signs = ["^[", "^(", "^-?", "[a-z", "[0-9", "]+", "]{", ")*$", ")?$"];
    match signs.iter().any(|sign| detail.contains(sign)) {
        true => Err(format!("a fault holds a regular expression: {detail}")),
        false => Ok(()),
    }
}

impl Contract {
    fn read() -> Self {
        let mut document: Value = serde_json::from_str(&committed()).expect("the document is JSON");
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("a path item") {
                let parts = path.split('/').map(str::to_owned).collect();
                operations.push((method.to_uppercase(), parts, operation.clone()));
            }
        }
        operations
            .sort_by_key(|(_, parts, _): &(_, Vec<String>, _)| parts.iter().filter(|part| part.contains('{')).count());
        let mut components = document["components"].take();
        close(&mut components);
        let own =
            operations.iter().flat_map(|(_, _, operation)| operation["responses"].as_object().into_iter().flatten());
        let answers = || own.clone().chain(components["responses"].as_object().into_iter().flatten());
        let members = |value: &'static str| {
            move |(_, answer): (&String, &Value)| answer[value].as_object().cloned().into_iter().flatten()
        };
        let headers = answers().flat_map(members("headers")).map(|(name, _)| name).collect();
        let schemas = answers().flat_map(members("content")).map(|(_, content)| text_of(&content["schema"]));
        let schemas = schemas.chain([text_of(&problem())]);
        let validators = schemas.map(|schema| (schema, OnceLock::new())).collect();
        let document = json!({ "components": components });
        let registry = Registry::new().draft(Draft::Draft202012).add(DOCUMENT, document).expect("a name");
        let registry = registry.prepare().expect("every reference leads somewhere");
        Self { components, registry, headers, operations, validators }
    }

    fn fault(&self, method: &str, path: &str, answer: &Answer) -> Result<(), String> {
        let Some(operation) = self.operation(method, path) else {
            let known = [404, 405, 406, 307, 308, 301, 302];
            if !known.contains(&answer.status) {
                return Err("no operation has this path and method".into());
            }
            return if answer.status >= 400 { self.is_problem(answer) } else { Ok(()) };
        };
        let responses = &operation["responses"];
        let status = answer.status.to_string();
        let response = match responses.get(&status) {
            Some(response) => response,
            None if ANYWHERE.contains(&answer.status) => return self.is_problem(answer),
            None => return Err("the status is not documented".into()),
        };
        self.conflict(response, answer)?;
        let response = self.resolve(response);
        self.headers(response, answer)?;
        if answer.text.is_empty() {
            let empty = response.get("content").is_none() || method == "HEAD" || answer.status == 304;
            return if empty { Ok(()) } else { Err("the body is missing".into()) };
        }
        let media = answer.header("content-type").split(';').next().unwrap_or_default().trim();
        let content = response["content"].get(media);
        let content = content.ok_or_else(|| format!("the media type {media:?} is not documented"))?;
        self.body(&content["schema"], media, answer)
    }

    /// The code of a 409 must be one that the operation names.
    fn conflict(&self, response: &Value, answer: &Answer) -> Result<(), String> {
        let code = answer.json["code"].as_str().unwrap_or_default();
        let named = response["description"].as_str().unwrap_or_default();
        match answer.status != 409 || answer.text.is_empty() || named.contains(&format!("`{code}`")) {
            true => Ok(()),
            false => Err(format!("the operation doesn't name the conflict {code}: see src/openapi/conflicts.rs")),
        }
    }

    /// Of the headers that the document knows, an answer carries those that are named, and always those that must be.
    fn headers(&self, response: &Value, answer: &Answer) -> Result<(), String> {
        for (name, _) in &answer.headers {
            let known = self.headers.iter().find(|known| known.eq_ignore_ascii_case(name.as_str()));
            if known.is_some_and(|known| response["headers"].get(known).is_none()) {
                return Err(format!("the header {name} is not documented here"));
            }
        }
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            if self.resolve(header)["required"] == true && !answer.headers.contains_key(name.as_str()) {
                return Err(format!("the header {name} is missing"));
            }
        }
        Ok(())
    }

    fn is_problem(&self, answer: &Answer) -> Result<(), String> {
        if answer.text.is_empty() {
            return Ok(());
        }
        let media = answer.header("content-type");
        if media != "application/problem+json" {
            return Err(format!("{media:?} is not a problem"));
        }
        self.body(&problem(), media, answer)
    }

    fn body(&self, schema: &Value, media: &str, answer: &Answer) -> Result<(), String> {
        if !media.ends_with("json") {
            return Ok(());
        }
        let value: Value = serde_json::from_str(&answer.text).map_err(|e| format!("it is no JSON: {e}"))?;
        let faults: Vec<String> = self
            .validator(&text_of(schema))
            .iter_errors(&value)
            .take(5)
            .map(|fault| format!("{} at {:?}", fault, fault.instance_path().to_string()))
            .collect();
        if !faults.is_empty() {
            return Err(format!("not as documented: {}", faults.join("; ")));
        }
        for fault in value["errors"].as_array().into_iter().flatten() {
            in_plain_words(fault["detail"].as_str().unwrap_or_default())?;
        }
        Ok(())
    }

    fn validator(&self, schema: &str) -> &Validator {
        self.validators[schema].get_or_init(|| {
            let mut schema = serde_json::from_str(schema).expect("the schema is JSON");
            close(&mut schema);
            let options = jsonschema::options().with_draft(Draft::Draft202012).with_registry(&self.registry);
            let options = options
                .should_validate_formats(true)
                .with_format("date-time-local", |text: &str| text.parse::<life_rooms::db::LocalTime>().is_ok())
                .with_format("time-zone", |text: &str| text.parse::<chrono_tz::Tz>().is_ok());
            options.build(&schema).unwrap_or_else(|e| panic!("{schema}: {e}"))
        })
    }

    /// The operation that answers here; HEAD is answered as GET is.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let method = if method == "HEAD" { "GET" } else { method };
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |(template, part): (&String, &&str)| match template.split_once('}') {
            Some((_, after)) => part.strip_suffix(after).is_some_and(|value| !value.is_empty()),
            None => template == part,
        };
        let here = |template: &Vec<String>| template.len() == parts.len() && template.iter().zip(&parts).all(fits);
        self.operations.iter().find(|(known, template, _)| known == method && here(template)).map(|(_, _, found)| found)
    }

    fn resolve<'a>(&'a self, part: &'a Value) -> &'a Value {
        match part["$ref"].as_str().and_then(|path| path.strip_prefix("#/components")) {
            Some(pointer) => self.components.pointer(pointer).expect("the reference leads somewhere"),
            None => part,
        }
    }
}

/// The schema of an answer that no operation documents.
fn problem() -> Value {
    json!({ "$ref": "#/components/schemas/Problem" })
}

/// A schema's text, in which its references lead to the registry's document.
fn text_of(schema: &Value) -> String {
    schema.to_string().replace("\"#/", &format!("\"{DOCUMENT}#/"))
}

/// Forbids properties that a schema doesn't name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("properties").is_some_and(Value::is_object) && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
