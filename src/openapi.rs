//! The OpenAPI 3.1 document, completed from what the handlers and their types say.

use serde_json::{Value, json};
use strum::IntoEnumIterator;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{
    ClientCredentials, Flow, Http, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};

use crate::auth::caller::Scope;
use crate::http::answers::problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Life Rooms API",
        description = "Social prescriptions, sessions, venues and partners of a wellbeing service.\n\nEvery failure is a problem document (RFC 9457) whose `type` is a page on this server. Lists are read page by page through `next`. A change needs `If-Match` with the `ETag` of what was read.",
        license(name = "MIT", identifier = "MIT"),
        contact(name = "Life Rooms API", url = "https://life-rooms.invalid")
    ),
    servers((url = "/", description = "This server")),
    components(schemas(crate::error::Problem, crate::error::Fault, crate::rosters::types::JobResult)),
    tags(
        (name = "auth", description = "Logging in, tokens, keys"),
        (name = "users", description = "Accounts"),
        (name = "venues", description = "Buildings, their rooms, and the sites they host"),
        (name = "partners", description = "Organisations, their programmes and API clients"),
        (name = "rosters", description = "Many series and sessions in one posting"),
        (name = "jobs", description = "Long work that goes on after its request was answered"),
        (name = "sessions", description = "What's on, bookings and registers"),
        (name = "calendars", description = "Calendars to subscribe to (iCalendar)"),
        (name = "members", description = "People and their consents"),
        (name = "prescriptions", description = "Social prescriptions"),
        (name = "reports", description = "Counts, never a person"),
        (name = "service", description = "Health, this document, problem pages")
    )
)]
struct Base;

/// The document of these operations, with everything that all operations share filled in.
pub fn document(operations: Document) -> Document {
    let mut document = Base::openapi();
    document.merge(operations);
    add_security_schemes(&mut document);
    let mut value = serde_json::to_value(&document).unwrap_or_default();
    for_each_operation(&mut value, complete);
    serde_json::from_value(value).unwrap_or(document)
}

fn add_security_schemes(document: &mut Document) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token of an account, from /v1/auth/login."))
        .build();
    let scopes = Scopes::from_iter(Scope::iter().map(|scope| (scope.name().to_owned(), describe(scope).to_owned())));
    let flow = Flow::ClientCredentials(ClientCredentials::new("/v1/oauth/token", scopes));
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some("The id and the secret of an API client.".into());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("client", SecurityScheme::OAuth2(OAuth2::new([flow])));
    components.add_security_scheme("client_basic", SecurityScheme::Http(basic));
}

fn describe(scope: Scope) -> &'static str {
    match scope {
        Scope::RostersRead => "Read rosters and their outcomes",
        Scope::RostersWrite => "Post rosters",
        Scope::SessionsWrite => "Create and change sessions and series",
        Scope::ProgrammesWrite => "Create and change programmes",
        Scope::BookingsRead => "Read the bookings of own sessions",
        Scope::RegistersRead => "Read the registers of own sessions",
        Scope::RegistersWrite => "Take the registers of own sessions",
    }
}

fn for_each_operation(document: &mut Value, change: impl Fn(&str, &mut Value)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete") {
                change(method, operation);
            }
        }
    }
}

/// Adds what follows from an operation's method, security and answers: headers to send, and 401 and 403.
fn complete(method: &str, operation: &mut Value) {
    let secured = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|ways| ways.iter().any(|way| way.as_object().is_some_and(|way| !way.is_empty())));
    let needs_token = secured
        && !operation["security"].as_array().into_iter().flatten().any(|way| *way == json!({}))
        && operation["operationId"] != "issue_client_token";
    let has = |operation: &Value, status: &str| operation["responses"].get(status).is_some();
    if secured {
        operation["responses"]["401"] = problem_json("Credentials are missing or not valid");
        operation["responses"]["403"] = problem_json("The role or the scope may never do this");
    }
    if method == "post" && needs_token {
        let text = "Send the same key with the same request to have it done once, however often it is sent. Kept for 24 hours.";
        add_header(operation, "Idempotency-Key", false, text, "9f1b7f3e-roster-2027-01", 255);
    }
    if has(operation, "412") {
        let required = has(operation, "428");
        add_header(operation, "If-Match", required, "The ETag of what was read.", "\"1\"", 200);
    }
    if method == "get" && has(operation, "304") {
        add_header(operation, "If-None-Match", false, "The ETag of what the client holds.", "\"1\"", 200);
    }
}

fn add_header(operation: &mut Value, name: &str, required: bool, text: &str, example: &str, most: u64) {
    let header = json!({
        "name": name, "in": "header", "required": required, "description": text, "example": example,
        "schema": { "type": "string", "minLength": 1, "maxLength": most }
    });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(header),
        None => operation["parameters"] = json!([header]),
    }
}

fn problem_json(description: &str) -> Value {
    serde_json::to_value(problem(description)).unwrap_or_default()
}
