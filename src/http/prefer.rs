//! The part of `Prefer` (RFC 7240) that the service knows.

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;

use super::extract::Extractor;
use crate::error::Result;

/// A client's preferences. None is binding, and unknown ones are ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prefer {
    /// Answer at once, and do the work afterwards.
    pub respond_async: bool,
}

impl Extractor for Prefer {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let headers = request.headers().get_all(HeaderName::from_static("prefer"));
        let respond_async = headers.filter_map(|value| value.to_str().ok()).any(asks_to_respond_async);
        Ok(Self { respond_async })
    }
}

fn asks_to_respond_async(header: &str) -> bool {
    // A preference may have a value and parameters: `respond-async; wait=10`.
    let names = header.split(',').map(|one| one.split([';', '=']).next().unwrap_or_default().trim());
    names.into_iter().any(|name| name.eq_ignore_ascii_case("respond-async"))
}
