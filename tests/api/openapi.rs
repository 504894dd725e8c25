//! The document is current, complete, and enforced: every bound in it is tried from both sides.

use serde_json::{Map, Value, json};

use crate::support::{App, Client};
use crate::{access, auth};

pub fn document() -> Value {
    serde_json::from_str(&life_rooms::app::document_json()).expect("the document is JSON")
}

/// Method, path template and operation of everything in the document.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().expect("a path item").clone();
        let path = path.clone();
        methods
            .into_iter()
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_committed_document_is_current() {
    let committed = crate::support::committed();
    assert!(committed == life_rooms::app::document_json(), "run: cargo run -- openapi > openapi/openapi.json");
    let app = App::start();
    assert_eq!(app.anonymous().get("/openapi.json").text, committed);
    assert!(app.anonymous().get("/openapi.yaml").text.starts_with("openapi: 3.1"));
}

#[test]
fn every_operation_says_what_it_does_who_may_and_how_it_fails() {
    let document = document();
    let mut ids = Vec::new();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        ids.push(operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no operationId")).to_owned());
        assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{at} has no summary");
        let description = operation["description"].as_str().unwrap_or_default();
        // A list of conflicts is added to what the operation's author wrote.
        assert!(!description.is_empty() && !description.starts_with("Conflicts"), "{at} has no description");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{at} needs one tag");
        assert!(operation["security"].is_array(), "{at} states no security");
        let answers = operation["responses"].as_object().unwrap();
        for (status, answer) in answers {
            let answer = shared(&document, answer);
            assert!(answer["description"].as_str().is_some_and(|d| !d.is_empty()), "{at} {status} has no description");
            if status.starts_with('4') || status.starts_with('5') || status == "default" {
                let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                let is_own = status.starts_with('4') && !["406", "429"].contains(&status.as_str());
                let name = if path == "/v1/oauth/token" && is_own { "TokenProblem" } else { "Problem" };
                assert_eq!(schema, &format!("#/components/schemas/{name}"), "{at} {status}");
            }
        }
        let needs = |status: &str| assert!(answers.contains_key(status), "{at} does not say {status}");
        ["400", "406", "429", "500", "503", "default"].into_iter().for_each(needs);
        if operation.get("requestBody").is_some() {
            ["408", "413", "415", "422"].into_iter().for_each(needs);
        }
        if path.contains("{id}") {
            needs("404");
        }
        if method == "PATCH" {
            ["412", "428"].into_iter().for_each(needs);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].as_str().is_some_and(|d| !d.is_empty()), "{at}: {parameter}");
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "operation ids repeat");
}

#[test]
fn every_member_of_every_schema_is_described() {
    let document = document();
    let mut missing = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (member, shape) in schema["properties"].as_object().into_iter().flatten() {
            let choices = shape["oneOf"].as_array().into_iter().flatten();
            let described = std::iter::once(shape).chain(choices).any(|shape| shape["description"].is_string());
            if !described {
                missing.push(format!("{name}.{member}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// The choices in a part of the document that describe what they refer to.
fn described_choices(part: &Value, at: &str, found: &mut Vec<String>) {
    for (name, inner) in part.as_object().into_iter().flatten() {
        described_choices(inner, &format!("{at}/{name}"), found);
    }
    for (place, inner) in part.as_array().into_iter().flatten().enumerate() {
        if at.ends_with("/oneOf") && inner.get("$ref").is_some() && inner.get("description").is_some() {
            found.push(at.to_owned());
        }
        described_choices(inner, &format!("{at}/{place}"), found);
    }
}

#[test]
fn what_can_be_null_is_described_where_generators_of_types_read_it() {
    let document = document();
    let mut found = Vec::new();
    described_choices(&document["components"]["schemas"], "", &mut found);
    assert_eq!(found, [""; 0]);
    let property = &document["components"]["schemas"]["AccessNeeds"]["properties"]["created_at"];
    assert_eq!(property["description"], "When they were first written. Null before.");
    assert_eq!(property["oneOf"], json!([{ "$ref": "#/components/schemas/Timestamp" }, { "type": "null" }]));
}

#[test]
fn a_body_that_may_be_left_out_is_said_to_be_optional() {
    let document = document();
    let body = |path: &str| &document["paths"][path]["post"]["requestBody"];
    for path in ["/v1/exports/{id}/release", "/v1/prescriptions/{id}/close", "/v1/prescriptions/{id}/decline"] {
        assert_ne!(body(path)["required"], true, "{path}");
        assert!(body(path)["content"]["application/json"]["schema"].is_object(), "{path}");
    }
    assert_eq!(body("/v1/members/{id}/erasure")["required"], true);
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for part in text.split("\"#/").skip(1) {
        let path = part.split('"').next().unwrap();
        assert!(document.pointer(&format!("/{path}")).is_some(), "there is no {path}");
    }
}

/// An answer, or the shared one that it refers to.
fn shared<'a>(document: &'a Value, answer: &'a Value) -> &'a Value {
    match answer["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).expect("the reference leads somewhere"),
        None => answer,
    }
}

/// One wrong value: the body (or query) that holds it, and where the fault must be.
struct Wrong {
    value: Value,
    pointer: String,
    /// The code that the fault must have, where it is this kind of fault that is tried.
    code: Option<&'static str>,
}

impl Wrong {
    fn at(pointer: impl Into<String>, value: Value) -> Self {
        Self { value, pointer: pointer.into(), code: None }
    }
}

/// Texts without a visible character.
const BLANKS: [&str; 4] = ["", "  \n", "\u{200b}", "\u{202e}\u{a0}\u{3164}"];

/// Whether a text is words for people: no name from a list, no pattern, no format.
fn is_free(schema: &Value) -> bool {
    ["enum", "pattern", "const"].iter().all(|name| schema.get(*name).is_none())
        && (schema.get("format").is_none() || is_one_line(schema))
}

/// Whether it is free text of one line.
fn is_one_line(schema: &Value) -> bool {
    schema["format"].as_str().is_some_and(|format| ["one-line", "name"].contains(&format))
}

/// Formats that a rule checks once the shape of the whole body is right: the tests of members try them.
const RULES: [&str; 4] = ["phone", "uk-postcode", "nhs-number", "gp-practice-code"];

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return resolve(document, &document["components"]["schemas"][name]);
    }
    match schema["oneOf"].as_array() {
        Some(choices) => choices.iter().find(|c| c["type"] != "null").map_or(schema, |c| resolve(document, c)),
        None => schema,
    }
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default(),
        other => other.as_str().unwrap_or_default(),
    }
}

/// Values just outside the bounds of a schema, and of the wrong type, name, pattern or format.
fn wrong_values(document: &Value, schema: &Value, pointer: &str) -> Vec<Wrong> {
    let schema = resolve(document, schema);
    let mut wrong = Vec::new();
    let mut add = |value: Value| wrong.push(Wrong::at(pointer, value));
    match kind(schema) {
        "string" => {
            add(json!(17));
            add(json!("a\u{0}b"));
            if let Some(most) = schema["maxLength"].as_u64() {
                add(json!("x".repeat(most as usize + 1)));
            }
            if schema["minLength"].as_u64().is_some_and(|least| least > 0) {
                add(json!("x".repeat(schema["minLength"].as_u64().unwrap() as usize - 1)));
            }
            if schema["format"].as_str().is_some_and(|format| RULES.contains(&format)) {
                return wrong;
            }
            if schema.get("enum").is_some() || schema.get("pattern").is_some() {
                add(json!("No Such Value!"));
            }
            let formatted = schema["format"].as_str().is_some_and(|format| format != "password" && format != "binary");
            if formatted && !is_one_line(schema) {
                add(json!("no such format"));
            }
            match schema["format"].as_str() {
                Some("date") => ["1980- 1- 1", "+198-01-01"].into_iter().for_each(|date| add(json!(date))),
                Some("uri") => ["https://a.example/\r\nx", "https://a.example/\u{202e}"]
                    .into_iter()
                    .for_each(|uri| add(json!(uri))),
                _ => {}
            }
            if is_free(schema) {
                let blank = |text: &&str| Wrong { code: Some("blank"), ..Wrong::at(pointer, json!(text)) };
                wrong.extend(BLANKS.iter().map(blank));
                let unfit = ["a\u{1b}b", "a\nb", "a\u{202e}b"].iter().take(if is_one_line(schema) { 3 } else { 1 });
                wrong.extend(unfit.map(|text| Wrong { code: Some("not_text"), ..Wrong::at(pointer, json!(text)) }));
            }
        }
        "integer" | "number" => {
            add(json!("7"));
            if let Some(least) = schema["minimum"].as_f64() {
                add(json!(least as i64 - 1));
            }
            if let Some(most) = schema["maximum"].as_f64() {
                add(json!(most as i64 + 1));
            }
        }
        "boolean" => add(json!("yes")),
        "array" => {
            add(json!({}));
            if let Some(most) = schema["maxItems"].as_u64() {
                add(Value::Array(vec![json!("x"); most as usize + 1]));
            }
            for inner in wrong_values(document, &schema["items"], &format!("{pointer}/0")) {
                wrong.push(Wrong { value: json!([inner.value]), ..inner });
            }
        }
        "object" => {
            add(json!([]));
            add(json!("text"));
            if schema.get("additionalProperties").is_none_or(|rest| !rest.is_object()) {
                let at = format!("{pointer}/no_such_member");
                wrong.push(Wrong { code: Some("unknown_field"), ..Wrong::at(at, json!({ "no_such_member": 1 })) });
            }
            for (name, member) in schema["properties"].as_object().into_iter().flatten() {
                for inner in wrong_values(document, member, &format!("{pointer}/{name}")) {
                    wrong.push(Wrong { value: json!({ name: inner.value }), ..inner });
                }
            }
        }
        _ => {}
    }
    wrong
}

/// The path with ids that nothing has.
fn concrete(path: &str) -> String {
    let part = |part: &str| match part.split_once('}') {
        Some((_, after)) => format!("0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41{after}"),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_bound_of_every_body_is_enforced_and_pointed_at() {
    let (app, document) = (App::start(), document());
    let people = access::People::new(&app);
    let mut tried = 0;
    for (method, path, operation) in operations(&document) {
        let content = operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
        let Some(kind) =
            ["application/json", "application/merge-patch+json"].into_iter().find(|k| content.contains_key(*k))
        else {
            continue;
        };
        if operation["operationId"] == "post_roster" {
            continue; // Its entries are judged one by one, with their lines: see the tests of rosters.
        }
        let client = people.somebody_who_may(operation["operationId"].as_str().unwrap());
        for Wrong { value, pointer, code } in wrong_values(&document, &content[kind]["schema"], "") {
            let answer =
                client.send(&method, &concrete(&path), &[("content-type", kind)], value.to_string().as_bytes());
            let at = format!("{method} {path} {pointer} {:.200}", value.to_string());
            assert_eq!(answer.status, 422, "{at}: {}", answer.text);
            let faults = answer.json["errors"].as_array().unwrap_or_else(|| panic!("{at}: {}", answer.text));
            let fits = |fault: &&Value| fault["pointer"] == pointer && code.is_none_or(|code| fault["code"] == code);
            assert!(faults.iter().any(|fault| fits(&fault)), "{at} {code:?}: {}", answer.text);
            tried += 1;
        }
    }
    assert!(tried > 500, "only {tried} wrong values were tried");
}

#[test]
fn every_bound_of_every_query_is_enforced_and_named() {
    let (app, document) = (App::start(), document());
    let people = access::People::new(&app);
    let credentials = auth::credentials(&app);
    for (method, path, operation) in operations(&document) {
        let client = people.somebody_who_may(operation["operationId"].as_str().unwrap());
        let kind = operation["requestBody"]["content"].as_object().and_then(|content| content.keys().next().cloned());
        let send = |query: &str| {
            let mut headers = vec![("content-type", kind.as_deref().unwrap_or("application/json"))];
            if operation["security"].to_string().contains("client_basic") {
                headers.push(("authorization", &credentials));
            }
            let body: &[u8] = if kind.is_some() { b"{}" } else { b"" };
            client.send(&method, &format!("{}?{query}", concrete(&path)), &headers, body)
        };
        // A token request ignores what it doesn't know (RFC 6749, section 3.2).
        if !path.starts_with("/docs") && path != "/v1/oauth/token" {
            send("no_such_parameter=1").wrong_parameter("no_such_parameter");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let schema = resolve(&document, &parameter["schema"]);
            let one = if self::kind(schema) == "array" { resolve(&document, &schema["items"]) } else { schema };
            for wrong in wrong_values(&document, one, "") {
                let text = wrong.value.as_str().map_or_else(|| wrong.value.to_string(), str::to_owned);
                if wrong.value == json!(17) || (wrong.value == json!("7") && self::kind(one) != "boolean") {
                    continue; // A query has no types: 17 is a text as good as any.
                }
                let query: Map<String, Value> = Map::from_iter([(name.to_owned(), json!(text))]);
                let query = query
                    .iter()
                    .map(|(name, text)| format!("{name}={}", encode(text.as_str().unwrap())))
                    .collect::<String>();
                let problem = send(&query).problem(400, "invalid-parameter");
                let named = problem["errors"].as_array().unwrap().iter().any(|fault| fault["parameter"] == name);
                assert!(named, "{method} {path}?{query}: {problem}");
            }
        }
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A path whose id is none is 400, whoever may ask.
#[test]
fn every_id_in_a_path_is_checked() {
    let (app, document) = (App::start(), document());
    let people = access::People::new(&app);
    for (method, path, operation) in operations(&document) {
        if !path.contains("id}") {
            continue;
        }
        let client: Client = people.somebody_who_may(operation["operationId"].as_str().unwrap());
        let kind = operation["requestBody"]["content"].as_object().and_then(|content| content.keys().next().cloned());
        let wrong: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "no-id" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let headers = [("content-type", kind.as_deref().unwrap_or("application/json"))];
        let body: &[u8] = if kind.is_some() { b"{}" } else { b"" };
        let problem = client.send(&method, &wrong, &headers, body).problem(400, "invalid-parameter");
        assert!(
            problem["errors"][0]["parameter"].as_str().is_some_and(|name| path.contains(&format!("{{{name}}}"))),
            "{problem}"
        );
    }
}
