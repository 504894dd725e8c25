//! A page for people about each type of problem.

use strum::IntoEnumIterator;

use crate::error::Spec;
use crate::http::html;
use crate::http::prelude::*;

/// What a type of problem means
///
/// The page at the path that a problem document has as its `type`.
#[utoipa::path(
    operation_id = "get_problem_page",
    tag = "service",
    params(("slug" = String, Path, description = "The last part of a problem's type", max_length = 80, example = "invalid-body")),
    responses((status = 200, description = "A page for people", content_type = "text/html", body = String), Missing, Problems),
    security(())
)]
#[get("/problems/{slug}")]
pub async fn get_problem_page(request: Extract<(Path<String>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((slug, _)) = request;
    let found = Kind::iter().map(Kind::spec).find(|spec| spec.slug == slug.0);
    let Spec { status, slug, title, help } = found.ok_or_else(|| Error::not_found("type of problem"))?;
    let body = format!("<p>{help}</p>\n<p><code>/problems/{slug}</code>, status {status}</p>");
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "public, max-age=3600"))
        .content_type("text/html; charset=utf-8")
        .body(html::page(title, &body)))
}
