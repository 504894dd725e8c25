//! `/docs/`: Swagger UI for this server's OpenAPI document. All its files come from this server.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::read::GzDecoder;
use utoipa_swagger_ui::Config;

use crate::error::{Error, Result};
use crate::http::coding::{Coding, Fixed};

/// Registers the pages, for GET only. [`crate::http::fallback`] answers the other methods.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::redirect("/docs", "/docs/"));
    config.route("/docs/{file:.*}", web::get().to(file));
}

async fn file(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    answer(&request, &path).unwrap_or_else(HttpResponse::from_error)
}

/// The file. The browser asks again when the time in `Cache-Control` is over.
fn answer(request: &HttpRequest, path: &str) -> Result<HttpResponse> {
    let coding = Coding::of(request, request.version())?;
    let File { document, media_type } = kept(path)?;
    let mut response = document.answer(coding);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}

/// One file of the pages.
#[derive(Clone)]
struct File {
    document: Fixed,
    media_type: HeaderValue,
}

/// The file at this path, compressed when it is first asked for.
fn kept(path: &str) -> Result<File> {
    static FILES: LazyLock<RwLock<HashMap<String, File>>> = LazyLock::new(RwLock::default);
    if let Some(file) = FILES.read().unwrap_or_else(PoisonError::into_inner).get(path) {
        return Ok(file.clone());
    }
    let file = read(path)?;
    FILES.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), file.clone());
    Ok(file)
}

fn read(path: &str) -> Result<File> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::from("/openapi.json").persist_authorization(true).filter(true).doc_expansion("none");
        Arc::new(config)
    });
    let file = utoipa_swagger_ui::serve(path, Arc::clone(&CONFIG)).map_err(Error::internal)?;
    let file = file.ok_or_else(|| Error::not_found("page of the documentation"))?;
    let mut bytes = file.bytes.into_owned();
    if file.gzpipped {
        let packed = std::mem::take(&mut bytes);
        GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).map_err(Error::internal)?;
    }
    if path.is_empty() || path == "index.html" {
        bytes = String::from_utf8_lossy(&bytes).replace("<title>Swagger UI</title>", TITLE).into_bytes();
    }
    let media_type = HeaderValue::from_str(&file.content_type).map_err(Error::internal)?;
    Ok(File { document: Fixed::new(bytes), media_type })
}

const TITLE: &str = "<title>Life Rooms API</title>";
