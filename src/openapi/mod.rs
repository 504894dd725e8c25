//! The OpenAPI 3.1 document, generated from the handlers and their types, and the answers that operations share.

mod access;
mod answers;
mod conflicts;
mod examples;
mod headers;
mod parameters;
mod problems;
mod schemas;
mod security;
mod walk;

use std::sync::LazyLock;

use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

pub use answers::{BadInput, Conflict, MayBeStale, Missing, Problems, Stale, Storage};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Life Rooms API",
        description = include_str!("info.md"),
        license(name = "MIT", identifier = "MIT"),
        contact(name = "Life Rooms API", url = "https://life-rooms.invalid")
    ),
    servers((url = "/", description = "The server that this document came from, be it in production, staging or local")),
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

/// The operations as their handlers and types describe them. Made once.
pub fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(described);
    &DOCUMENT
}

fn described() -> Document {
    use utoipa_actix_web::AppExt;
    let (_, paths) = actix_web::App::new().into_utoipa_app().configure(crate::app::configure).split_for_parts();
    let mut document = Base::openapi();
    document.merge(paths);
    security::add_schemes(&mut document);
    document
}

/// The published document: what the handlers and types say, with everything that follows from it.
fn published() -> &'static Value {
    static PUBLISHED: LazyLock<Value> = LazyLock::new(|| {
        let mut document = serde_json::to_value(document()).unwrap_or_default();
        complete(&mut document);
        document
    });
    &PUBLISHED
}

/// Adds to every operation what follows from its method, its security and its types.
fn complete(document: &mut Value) {
    document["components"]["headers"] = headers::components();
    document["components"]["responses"] = problems::components();
    problems::name_candidates(document);
    // Whoever can reach the server may use it.
    document["servers"][0]["x-internal"] = Value::Bool(false);
    walk::for_each_operation(document, |method, operation| {
        access::complete(operation);
        problems::complete(method, operation);
        parameters::complete(method, operation);
        examples::complete(operation);
    });
    schemas::split_into_forms(document);
    walk::for_each_operation(document, headers::complete);
}

/// The document with its parts in the order in which people read them.
#[derive(serde::Serialize)]
struct InOrder<'a> {
    openapi: &'a Value,
    info: &'a Value,
    servers: &'a Value,
    tags: &'a Value,
    paths: &'a Value,
    components: &'a Value,
}

impl InOrder<'static> {
    fn published() -> Self {
        let document = published();
        Self {
            openapi: &document["openapi"],
            info: &document["info"],
            servers: &document["servers"],
            tags: &document["tags"],
            paths: &document["paths"],
            components: &document["components"],
        }
    }
}

/// The bytes of `openapi/openapi.json`.
pub fn json() -> &'static str {
    static JSON: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string_pretty(&InOrder::published()).unwrap_or_default() + "\n");
    &JSON
}

/// The same document as YAML.
pub fn yaml() -> &'static str {
    static YAML: LazyLock<String> = LazyLock::new(|| yaml_serde::to_string(&InOrder::published()).unwrap_or_default());
    &YAML
}
