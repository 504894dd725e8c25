//! What the document promises to the tools that read it, for every operation and schema that it has.

use serde_json::{Map, Value, json};

use crate::access::People;
use crate::openapi::{document, operations};
use crate::support::App;

/// Every object schema inside a part of the document, with where it stands.
fn objects<'a>(part: &'a Value, at: &str, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    match part {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                found.push((at.to_owned(), members));
            }
            members.iter().for_each(|(name, member)| objects(member, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| objects(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// The schemas that a part of each operation leads to, by name.
fn reached(document: &Value, part: &str) -> Vec<String> {
    let mut ahead: Vec<Value> =
        operations(document).iter().filter_map(|(_, _, operation)| operation.get(part).cloned()).collect();
    let mut names = Vec::new();
    while let Some(part) = ahead.pop() {
        for path in part.to_string().split("\"#/").skip(1).filter_map(|rest| rest.split('"').next()) {
            if !names.contains(&path.to_owned()) {
                names.push(path.to_owned());
                ahead.push(document.pointer(&format!("/{path}")).expect("the reference leads somewhere").clone());
            }
        }
    }
    names.into_iter().filter_map(|path| path.strip_prefix("components/schemas/").map(str::to_owned)).collect()
}

#[test]
fn every_answer_states_every_property_and_may_gain_more() {
    let document = document();
    for name in reached(&document, "responses") {
        let mut found = Vec::new();
        objects(&document["components"]["schemas"][&name], &name, &mut found);
        for (at, object) in found {
            let names: Vec<&String> = object["properties"].as_object().unwrap().keys().collect();
            assert_eq!(object["required"], json!(names), "{at}");
            assert!(!object.contains_key("additionalProperties"), "{at}");
        }
    }
}

#[test]
fn no_body_has_a_default_and_each_says_what_absence_means() {
    let document = document();
    let patches = |name: &String| name.ends_with("Patch");
    for name in reached(&document, "requestBody") {
        let mut found = Vec::new();
        objects(&document["components"]["schemas"][&name], &name, &mut found);
        for (at, object) in found {
            for (property, schema) in object["properties"].as_object().unwrap() {
                assert!(schema.get("default").is_none(), "{at} {property}");
                let required = object.get("required").is_some_and(|r| r.as_array().unwrap().contains(&json!(property)));
                let nullable = schema.to_string().contains("\"null\"");
                if !required && !nullable && !patches(&name) {
                    let text = schema["description"].as_str().unwrap_or_default();
                    assert!(text.contains("Absent: "), "{at} {property} doesn't say what its absence means: {text}");
                }
            }
        }
    }
}

#[test]
fn a_patch_requires_nothing_at_any_depth_and_clears_only_what_may_be_empty() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let patches: Vec<&String> = schemas.keys().filter(|name| name.ends_with("Patch")).collect();
    assert!(patches.len() > 12, "{patches:?}");
    for name in &patches {
        let text = schemas[*name].to_string();
        assert!(!text.contains("\"required\"") && !text.contains("\"default\""), "{name}: {text}");
        for path in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let is_object = schemas[path].get("properties").is_some();
            let in_list = text.contains(&format!("\"items\":{{\"$ref\":\"#/components/schemas/{path}\""));
            assert!(!is_object || path.ends_with("Patch") || in_list, "{name} → {path}");
        }
    }
    let clears = |patch: &str, property: &str| schemas[patch]["properties"][property].to_string().contains("\"null\"");
    assert!(clears("VenuePatch", "capacity") && clears("VenuePatch", "address") && clears("AddressPatch", "town"));
    assert!(!clears("VenuePatch", "name") && !clears("MemberPatch", "roles") && !clears("SessionPatch", "delivery"));
}

#[test]
fn pages_and_parameters_name_what_has_a_name() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(of) = name.strip_prefix("Page_") {
            let item = schema["properties"]["items"]["items"]["$ref"].as_str();
            assert_eq!(item, Some(&*format!("#/components/schemas/{}", of)), "{name}");
        }
    }
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let text = parameter["schema"].to_string();
            assert!(!text.contains("\"null\""), "{method} {path} {parameter}");
            assert!(!text.contains("\"enum\""), "an enum without a name: {method} {path} {parameter}");
        }
    }
}

#[test]
fn every_conflict_has_its_codes() {
    for (method, path, operation) in operations(&document()) {
        let Some(conflict) = operation["responses"].get("409") else { continue };
        let named = conflict["description"].as_str().is_some_and(|text| text.contains('`'));
        assert!(named, "{method} {path} doesn't name its conflicts: see src/openapi/conflicts.rs");
        assert!(operation["description"].as_str().unwrap().contains("Conflicts (409): `"), "{method} {path}");
    }
}

/// A default is what absence means: sent alone it says nothing.
#[test]
fn a_default_that_is_sent_is_as_good_as_none() {
    let (app, document) = (App::start(), document());
    let people = People::new(&app);
    let mut tried = 0;
    for (method, path, operation) in operations(&document).into_iter().filter(|(method, _, _)| method == "GET") {
        let client = people.somebody_who_may(operation["operationId"].as_str().unwrap());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let Some(default) = parameter["schema"].get("default") else { continue };
            let path = path.replace("{id}", "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41");
            let sent = format!("{path}?{}={default}", parameter["name"].as_str().unwrap());
            let answer = |path: &str| {
                let mut answer = client.get(path);
                answer.json["request_id"] = json!(null);
                answer
            };
            let (without, with) = (answer(&path), answer(&sent));
            assert_eq!((with.status, &with.json), (without.status, &without.json), "{method} {sent}");
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried} defaults were tried");
}

/// What the documentation page fills in works as it stands, where it needs no id of something.
#[test]
fn examples_of_bodies_are_accepted() {
    let (app, document) = (App::start(), document());
    let people = People::new(&app);
    let mut tried = 0;
    for (method, path, operation) in operations(&document) {
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        let names_something = example.to_string().contains("0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41");
        // Nobody has the refresh token of an example.
        let names_something = names_something || path == "/v1/auth/refresh";
        if method != "POST" || path.contains('{') || example.is_null() || names_something {
            continue;
        }
        let client = people.somebody_who_may(operation["operationId"].as_str().unwrap());
        let answer = client.post(&path, example);
        assert!(matches!(answer.status, 200 | 201 | 204), "{method} {path}: {}", answer.text);
        tried += 1;
    }
    assert!(tried > 7, "{tried} examples were tried");
}

#[test]
fn the_documentation_is_the_products_own_and_kept_by_browsers() {
    let app = App::start();
    let page = app.anonymous().get("/docs/");
    assert!(page.text.contains("<title>Life Rooms API</title>"), "{}", page.text);
    let settings = app.anonymous().get("/docs/swagger-initializer.js").text;
    for setting in ["\"persistAuthorization\": true", "\"filter\": true", "/openapi.json"] {
        assert!(settings.contains(setting), "{settings}");
    }
    let script = app.anonymous().get("/docs/swagger-ui-bundle.js");
    assert!(script.header("cache-control").starts_with("public, max-age="), "{:?}", script.headers);
    let again = app.anonymous().send("GET", "/docs/swagger-ui-bundle.js", &[("if-none-match", script.etag())], b"");
    assert_eq!((again.status, again.text.len()), (304, 0));
    for (name, parameter) in operations(&document()).iter().flat_map(|(_, path, operation)| {
        operation["parameters"].as_array().into_iter().flatten().map(move |parameter| (path.clone(), parameter.clone()))
    }) {
        assert!(parameter.get("example").is_none(), "a form would be filled with it: {name} {parameter}");
    }
}
