//! What the service is, its health, and the OpenAPI document.

use actix_web::http::header::{HeaderValue, VARY};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::coding::Coding;
use crate::http::html;
use crate::http::negotiation::Medium;
use crate::http::prelude::*;

/// What this server is, with links for more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Service {
    /// The product.
    #[schema(example = "Life Rooms API")]
    pub name: &'static str,
    /// The release.
    #[schema(example = "0.1.0")]
    pub version: &'static str,
    /// Links for more.
    pub links: ServiceLinks,
}

/// Paths on this server.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLinks {
    /// The OpenAPI document as JSON.
    #[schema(example = "/openapi.json")]
    pub openapi: &'static str,
    /// The OpenAPI document as YAML.
    #[schema(example = "/openapi.yaml")]
    pub openapi_yaml: &'static str,
    /// The documentation, for people.
    #[schema(example = "/docs/")]
    pub documentation: &'static str,
    /// How to get tokens (RFC 8414).
    #[schema(example = "/.well-known/oauth-authorization-server")]
    pub authorization_server: &'static str,
    /// Whether the server can take requests.
    #[schema(example = "/health/ready")]
    pub health: &'static str,
}

const SERVICE: Service = Service {
    name: "Life Rooms API",
    version: env!("CARGO_PKG_VERSION"),
    links: ServiceLinks {
        openapi: "/openapi.json",
        openapi_yaml: "/openapi.yaml",
        documentation: "/docs/",
        authorization_server: "/.well-known/oauth-authorization-server",
        health: "/health/ready",
    },
};

/// What this server is
///
/// The name, the release, and links for more. The answer is JSON, or a page if the client prefers HTML, as browsers do.
#[utoipa::path(operation_id = "get_service", tag = "service",
    responses((status = 200, description = "The service", content((Service = "application/json"), (String = "text/html"))),
        (status = 304, description = "Not changed"), Problems), security(()))]
#[get("/")]
pub async fn get_service(request: Extract<(Open, NoQuery, Medium)>) -> Result<HttpResponse> {
    let Extract((Open(context), _, medium)) = request;
    let mut response = match medium {
        Medium::Json => context.show_plain(Cache::Minute, &SERVICE)?,
        Medium::Html => context.show_text(Cache::Minute, "text/html; charset=utf-8", service_page()),
    };
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

fn service_page() -> String {
    let Service { name, version, links } = SERVICE;
    let body = format!(
        "<p>Release {version}. This address is for programs.</p>\n<ul>\n\
         <li><a href=\"{}\">Documentation</a></li>\n\
         <li><a href=\"{}\">OpenAPI document</a>, <a href=\"{}\">as YAML</a></li>\n\
         <li><a href=\"{}\">Whether it runs</a></li>\n</ul>",
        links.documentation, links.openapi, links.openapi_yaml, links.health
    );
    html::page(name, &body)
}

/// The server's health.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`. A server that isn't healthy answers with a problem.
    #[schema(example = "ok")]
    pub status: &'static str,
}

/// Whether the server runs
///
/// Doesn't check the database. A server that answers here needs no restart.
#[utoipa::path(operation_id = "check_live", tag = "service",
    responses((status = 200, description = "It runs", body = Health), Problems), security(()))]
#[get("/health/live")]
pub async fn check_live(request: Extract<(Open, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), _)) = request;
    context.show_plain(Cache::Never, &Health { status: "ok" })
}

/// Whether the server can take requests
///
/// 503 while the database doesn't answer, and after the server has been told to stop.
#[utoipa::path(operation_id = "check_ready", tag = "service",
    responses((status = 200, description = "It takes requests", body = Health), Problems), security(()))]
#[get("/health/ready")]
pub async fn check_ready(request: Extract<(Open, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), _)) = request;
    if context.state().stopping() {
        return Err(Error::unavailable("The server is stopping."));
    }
    context.state().db.read(|conn| Ok(diesel::sql_query("SELECT 1").execute(conn).map(|_| ())?)).await?;
    context.show_plain(Cache::Never, &Health { status: "ok" })
}

/// This document as JSON
///
/// The OpenAPI 3.1 description of every operation.
#[utoipa::path(operation_id = "get_document", tag = "service",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/json", body = Object), (status = 304, description = "Not changed"), Problems), security(()))]
#[get("/openapi.json")]
pub async fn get_document(request: Extract<(Open, NoQuery, Coding)>) -> Result<HttpResponse> {
    let Extract((Open(context), _, coding)) = request;
    let document = (context.state().hooks.document_json)();
    Ok(context.show_fixed(Cache::Minute, "application/json", document, coding))
}

/// This document as YAML
///
/// The same description as `/openapi.json`, in YAML.
#[utoipa::path(operation_id = "get_document_as_yaml", tag = "service",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/yaml", body = Object), (status = 304, description = "Not changed"), Problems), security(()))]
#[get("/openapi.yaml")]
pub async fn get_document_as_yaml(request: Extract<(Open, NoQuery, Coding)>) -> Result<HttpResponse> {
    let Extract((Open(context), _, coding)) = request;
    let document = (context.state().hooks.document_yaml)();
    Ok(context.show_fixed(Cache::Minute, "application/yaml", document, coding))
}
