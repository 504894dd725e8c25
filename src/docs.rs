//! `/docs/`: Swagger UI for this server's OpenAPI document. All its files come from this server.

use std::sync::{Arc, LazyLock};

use actix_web::http::StatusCode;
use actix_web::http::header::{ETag, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::error::Error;

/// Registers the pages, for GET only. [`crate::http::fallback`] answers the other methods.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::redirect("/docs", "/docs/"));
    config.route("/docs/{file:.*}", web::get().to(file));
}

async fn file(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    match read(&path) {
        Ok(Some(file)) => answer(&request, file),
        Ok(None) => HttpResponse::from_error(Error::not_found("page of the documentation")),
        Err(error) => HttpResponse::from_error(error),
    }
}

fn read(path: &str) -> Result<Option<SwaggerFile<'static>>, Error> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::from("/openapi.json").persist_authorization(true).filter(true).doc_expansion("none");
        Arc::new(config)
    });
    let file = utoipa_swagger_ui::serve(path, Arc::clone(&CONFIG)).map_err(Error::internal)?;
    Ok(file.map(|mut file| {
        if path.is_empty() || path == "index.html" {
            let page = String::from_utf8_lossy(&file.bytes).replace("<title>Swagger UI</title>", TITLE);
            file.bytes = page.into_bytes().into();
        }
        file
    }))
}

const TITLE: &str = "<title>Life Rooms API</title>";

/// The file, or 304 if the browser has it already. The browser asks again when the time in `Cache-Control` is over.
fn answer(request: &HttpRequest, file: SwaggerFile<'static>) -> HttpResponse {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &file.bytes);
    let tag: String = hash.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = EntityTag::new_weak(tag);
    let held = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|held| held.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut response = HttpResponse::build(if held { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response.insert_header(ETag(tag)).insert_header(("Cache-Control", "public, max-age=3600"));
    if held {
        return response.finish();
    }
    if file.gzpipped {
        response.insert_header(("Content-Encoding", "gzip"));
    }
    response.content_type(file.content_type).body(file.bytes.into_owned())
}
