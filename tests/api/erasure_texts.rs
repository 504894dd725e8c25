//! The texts that the API takes of a member: each is written in the proof of erasing.

use serde_json::{Value, json};

use crate::openapi::{document, operations};

/// The texts of a record.
const OF_A_RECORD: &[&str] = &[
    "/preferred_name",
    "/given_name",
    "/family_name",
    "/former_names/{}",
    "/pronouns",
    "/email",
    "/phone",
    "/line_1",
    "/line_2",
    "/town",
    "/postcode",
    "/nhs_number",
    "/gp_practice_code",
    "/emergency_contact/name",
    "/emergency_contact/phone",
    "/emergency_contact/relationship",
];

/// The texts that somebody can write about a member, by operation and place in the body. `{…}` stands for a place in a
/// list. The life below writes each of them.
const WRITTEN: &[(&str, &[&str])] = &[
    ("register_member", OF_A_RECORD),
    ("record_consent", &["/evidence", "/form_version"]),
    ("put_access_needs", &["/needs/{}/detail"]),
    ("create_relationship", &["/evidence"]),
    ("raise_safeguarding_flag", &["/summary"]),
    ("request_export", &["/how"]),
    ("change_safeguarding_flag", &["/closed_reason"]),
    ("create_prescription", &["/what_matters", "/needs/{}/note", "/items/{}/goal", "/items/{}/note"]),
    ("change_prescription_item", &["/reason"]),
    ("close_prescription", &["/reason"]),
    ("invite_member", &["/email"]),
    ("login", &["/client_name"]),
    ("create_calendar_link", &["/name"]),
    ("ask_for_email_change", &["/new_email"]),
    ("register_myself", &["/given_name"]),
];

/// The same, where the column is one of those above: written by another operation.
const ALSO: &[(&str, &[&str])] = &[
    ("change_member", OF_A_RECORD),
    ("register_myself", &["/email", "/family_name", "/preferred_name", "/phone", "/postcode", "/pronouns"]),
    ("change_relationship", &["/evidence"]),
    ("change_safeguarding_flag", &["/summary"]),
    ("change_prescription", &["/what_matters", "/needs/{}/note"]),
    ("add_prescription_item", &["/goal", "/note"]),
    ("change_prescription_item", &["/goal", "/note"]),
    ("decline_prescription", &["/reason"]),
    ("login", &["/email"]),
    ("ask_for_password_reset", &["/email"]),
];

/// Texts that nothing keeps, or that are words from a list.
const NOT_KEPT: &[(&str, &[&str])] = &[
    ("search_members", &["/name", "/nhs_number", "/postcode", "/phone", "/email"]),
    ("register_member", &["/local_authority"]),
    ("change_member", &["/local_authority"]),
    ("put_access_needs", &["/needs/{}/code"]),
    ("change_equality_answers", &["/main_language"]),
    ("confirm_registration", &["/token"]),
    ("confirm_invitation", &["/token"]),
    ("confirm_password_reset", &["/token"]),
    ("confirm_email_change", &["/token"]),
    ("refresh_login", &["/refresh_token"]),
    ("log_out", &["/refresh_token"]),
    // Written into the database by the test itself, as they need another state.
    ("hold_erasure", &["/reason"]),
    // Rows of exports go whole.
    ("change_export", &["/reason"]),
    ("release_export", &["/reason"]),
    ("decide_retention_review", &["/reason"]),
];

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return resolve(document, &document["components"]["schemas"][name]);
    }
    let choices = schema["oneOf"].as_array().or(schema["allOf"].as_array());
    match choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null")) {
        Some(choice) => resolve(document, choice),
        None => schema,
    }
}

/// The places of texts in a body.
fn texts(document: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    let schema = resolve(document, schema);
    let is =
        |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.contains(&json!(kind)));
    let fixed = ["uuid", "date", "date-time", "password"];
    if is("string") && schema.get("enum").is_none() && !schema["format"].as_str().is_some_and(|f| fixed.contains(&f)) {
        found.push(at.to_owned());
    }
    if is("array") {
        texts(document, &schema["items"], &format!("{at}/{{}}"), found);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        texts(document, member, &format!("{at}/{name}"), found);
    }
}

#[test]
fn every_text_that_the_api_takes_of_a_member_is_written_in_this_proof() {
    let document = document();
    let mut missing = Vec::new();
    for (_, _, operation) in operations(&document) {
        let tag = operation["tags"][0].as_str().unwrap();
        if !["auth", "members", "prescriptions", "calendars"].contains(&tag) {
            continue;
        }
        let name = operation["operationId"].as_str().unwrap();
        let mut found = Vec::new();
        for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            if media_type.ends_with("json") {
                texts(&document, &content["schema"], "", &mut found);
            }
        }
        let known: Vec<&str> = [WRITTEN, ALSO, NOT_KEPT]
            .into_iter()
            .flatten()
            .filter(|(operation, _)| *operation == name)
            .flat_map(|(_, places)| places.iter().copied())
            .collect();
        found.sort();
        found.dedup();
        missing.extend(found.into_iter().filter(|at| !known.contains(&at.as_str())).map(|at| format!("{name} {at}")));
    }
    assert_eq!(missing, Vec::<String>::new());
}
