//! Health and the document.

use actix_web::{HttpResponse, get};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::http::answers::Problems;
use crate::http::context::Open;
use crate::http::extract::{Extract, NoQuery};
use crate::http::reply::Cache;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`: a server that isn't answers with a problem.
    #[schema(example = "ok")]
    pub status: &'static str,
}

/// Whether the server runs
///
/// Says nothing of the database: a server that answers needs no restart.
#[utoipa::path(operation_id = "check_live", tag = "service",
    responses((status = 200, description = "It runs", body = Health), Problems), security(()))]
#[get("/health/live")]
pub async fn check_live(request: Extract<(Open, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), _)) = request;
    context.show_plain(Cache::Never, &Health { status: "ok" })
}

/// Whether the server can take requests
///
/// 503 while the database doesn't answer, and from the moment the server has been told to stop.
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
#[utoipa::path(operation_id = "get_document", tag = "service",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/json", body = Object), Problems), security(()))]
#[get("/openapi.json")]
pub async fn get_document(request: Extract<(Open, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), _)) = request;
    let document = (context.state().hooks.document_json)();
    Ok(HttpResponse::Ok().content_type("application/json").body(document))
}

/// This document as YAML
#[utoipa::path(operation_id = "get_document_as_yaml", tag = "service",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/yaml", body = String), Problems), security(()))]
#[get("/openapi.yaml")]
pub async fn get_document_as_yaml(request: Extract<(Open, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), _)) = request;
    let document = (context.state().hooks.document_yaml)();
    Ok(HttpResponse::Ok().content_type("application/yaml").body(document))
}
