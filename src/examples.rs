//! `/examples/`: pages that anybody can put on a site of their own. Only the demo serves them.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::{Error, Result};
use crate::http::context::state;

const PAGE: &str = include_str!("../examples/whats-on/index.html");
const STYLE: &str = include_str!("../examples/whats-on/whats-on.css");
const SCRIPT: &str = include_str!("../examples/whats-on/whats-on.js");

/// Registers the pages, for GET only. [`crate::http::fallback`] answers the other methods.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::redirect("/examples/whats-on", "/examples/whats-on/"));
    config.route("/examples/whats-on/{file:.*}", web::get().to(show));
}

async fn show(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    answer(&request, &file).unwrap_or_else(HttpResponse::from_error)
}

fn answer(request: &HttpRequest, file: &str) -> Result<HttpResponse> {
    let shown = state(request)?.config.shows_examples;
    let (kind, body) = match file {
        "" | "index.html" if shown => ("text/html; charset=utf-8", PAGE),
        "whats-on.css" if shown => ("text/css; charset=utf-8", STYLE),
        "whats-on.js" if shown => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return Err(Error::not_found("page")),
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, kind)).insert_header((CACHE_CONTROL, "no-cache"));
    Ok(response.body(body))
}
