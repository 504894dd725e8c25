//! The OpenAPI 3.1 document, generated from the handlers and their types, and the answers that operations share.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use strum::IntoEnumIterator;
use utoipa::openapi::security::{
    ClientCredentials, Flow, Http, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, OpenApi};

use crate::auth::caller::Scope;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Life Rooms API",
        description = "Social prescriptions, sessions, venues and partners of a wellbeing service.\n\nEvery failure is a problem document (RFC 9457) whose `type` is a page on this server. Lists are read page by page through `next`. A change needs `If-Match` with the `ETag` of what was read.",
        license(name = "MIT", identifier = "MIT"),
        contact(name = "Life Rooms API", url = "https://life-rooms.invalid")
    ),
    servers((url = "/", description = "This server")),
    components(schemas(crate::error::Problem, crate::error::Fault)),
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

/// The document, with everything that all operations share filled in. Made once.
pub fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(make_document);
    &DOCUMENT
}

fn make_document() -> Document {
    use utoipa_actix_web::AppExt;
    let (_, paths) = actix_web::App::new().into_utoipa_app().configure(crate::app::configure).split_for_parts();
    let mut document = Base::openapi();
    document.merge(paths);
    add_security_schemes(&mut document);
    let mut value = serde_json::to_value(&document).unwrap_or_default();
    for_each_operation(&mut value, complete);
    serde_json::from_value(value).unwrap_or(document)
}

/// The bytes of `openapi/openapi.json`.
pub fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| document().to_pretty_json().unwrap_or_default() + "\n");
    &JSON
}

/// The same document as YAML.
pub fn yaml() -> &'static str {
    static YAML: LazyLock<String> = LazyLock::new(|| document().to_yaml().unwrap_or_default());
    &YAML
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

fn problem(description: &str) -> Response {
    let schema = utoipa::openapi::Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

fn problems(rows: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    rows.iter().map(|(status, text)| ((*status).to_owned(), RefOr::T(problem(text)))).collect()
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($status:literal: $text:literal),+ $(,)? })+) => { $(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problems(&[$(($status, $text)),+])
            }
        }
    )+ };
}

answers! {
    /// What every operation can answer.
    Problems {
        "400": "The request can't be read, or a path or query value is wrong",
        "406": "The client accepts no format that this operation answers in",
        "500": "Something went wrong on our side",
        "503": "Not available just now; Retry-After says when",
        "default": "Any other failure",
    }
    /// Operations that take a body.
    BadInput {
        "408": "The body came too slowly",
        "413": "The body is too large",
        "415": "The body is of another type",
        "422": "The body breaks a rule; errors lists each",
    }
    /// Operations on something that may not exist.
    Missing { "404": "It does not exist, or it is another's" }
    /// Operations that the present state may not allow.
    Conflict { "409": "The present state doesn't allow it, or something unique is taken" }
    /// Changes: If-Match is required.
    Stale { "412": "It has changed since it was read", "428": "If-Match is missing" }
    /// Deletions and actions: If-Match is checked where it is sent.
    MayBeStale { "412": "It has changed since it was read" }
    /// Writes to a disk that may be full.
    Storage { "507": "The disk is full; nothing was changed" }
}
