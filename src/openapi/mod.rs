//! The OpenAPI 3.1 document. It is generated from the handlers and their types, and then completed here.

mod access;
mod conflicts;
mod examples;
mod fates;
mod headers;
mod parameters;
mod problems;
mod schemas;
mod security;
mod vocabularies;
mod walk;

use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Life Rooms API",
        description = include_str!("info.md"),
        license(name = "MIT", identifier = "MIT"),
        contact(name = "Life Rooms API", url = "https://life-rooms.invalid")
    ),
    servers((url = "/", description = "The server that this document came from, in production, staging or locally")),
    // These schemas are named because no answer leads to them: the problem, the results of jobs, and the types of
    // parameters.
    components(schemas(
        crate::error::Problem,
        crate::error::Fault,
        crate::members::duplicates::types::DuplicateCandidate,
        crate::members::merges::types::MergeConflict,
        crate::rosters::types::JobResult,
        crate::rosters::types::Confirmed,
        crate::rosters::types::Missing,
        crate::rosters::types::UnknownColumns,
        crate::reports::types::GroupBy,
        crate::sessions::bookings::types::BookedBy,
        crate::sessions::bookings::types::BookedWhen,
        crate::sessions::bookings::types::CancelledBy,
        crate::sessions::closings::types::ClosedSessions,
        crate::sessions::facets::types::Facet,
        crate::sessions::search::filter::RegisterState,
        crate::sessions::search::filter::SessionOrder,
        crate::sessions::search::filter::SeriesOrder,
        crate::sessions::search::filter::Weekday,
    )),
    tags(
        (name = "auth", description = "Logging in, tokens, keys"),
        (name = "users", description = "Accounts"),
        (name = "venues", description = "Buildings, their rooms, and the sites they host"),
        (name = "partners", description = "Organisations, their programmes and API clients"),
        (name = "rosters", description = "Many series and sessions in one upload"),
        (name = "jobs", description = "Long work that goes on after its request was answered"),
        (name = "sessions", description = "What's on, bookings and registers"),
        (name = "calendars", description = "Calendars to subscribe to (iCalendar)"),
        (name = "members", description = "People, their consents, and what they need"),
        (name = "prescriptions", description = "Social prescriptions"),
        (name = "reports", description = "Counts, never a person"),
        (name = "service", description = "Health, this document, problem pages")
    )
)]
struct Base;

/// The document of these operations, with the parts that belong to no single operation.
pub fn document(operations: Document) -> Document {
    let mut document = Base::openapi();
    document.merge(operations);
    security::add_schemes(&mut document);
    document
}

/// The document as it is published: as the handlers and types describe it, and then completed.
pub struct Published(Value);

impl Published {
    /// Completes a document.
    pub fn of(document: &Document) -> Self {
        let mut document = serde_json::to_value(document).unwrap_or_default();
        complete(&mut document);
        Self(document)
    }

    /// As JSON: the bytes of `openapi/openapi.json`.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&InOrder(&self.0)).unwrap_or_default() + "\n"
    }

    /// Its vocabularies, as JSON.
    pub fn vocabularies(&self) -> String {
        serde_json::to_string(&vocabularies::of(&self.0)).unwrap_or_default()
    }

    /// As YAML.
    pub fn yaml(&self) -> String {
        yaml_serde::to_string(&InOrder(&self.0)).unwrap_or_default()
    }
}

/// Completes every operation according to its method, its security and its types.
fn complete(document: &mut Value) {
    document["components"]["headers"] = headers::components();
    document["components"]["responses"] = problems::components();
    problems::name_candidates(document);
    problems::split_off_token_problem(document);
    // `x-internal: false` says that the server isn't for internal use only.
    document["servers"][0]["x-internal"] = Value::Bool(false);
    walk::for_each_operation_at(document, |path, method, operation| {
        access::complete(operation);
        fates::complete(path, method, operation);
        problems::complete(path, method, operation);
        problems::complete_token_request(operation);
        problems::complete_refused_roster(operation);
        parameters::complete(method, operation);
        examples::complete(operation);
    });
    schemas::split_into_forms(document);
    walk::for_each_operation(document, headers::complete);
}

/// The document with its parts in the usual order of OpenAPI documents.
struct InOrder<'a>(&'a Value);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = ["openapi", "info", "servers", "tags", "paths", "components"];
        serializer.collect_map(parts.map(|part| (part, &self.0[part])))
    }
}
