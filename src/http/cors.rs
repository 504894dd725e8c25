//! Which web pages may read an answer: the CORS protocol of the Fetch standard.
//!
//! Every page may read an answer that needs no token (`*`). Such an answer is the same for everybody, so caches keep
//! one copy. Only pages of the configured origins may read the other answers. The only cookie is that of a refresh token,
//! so only requests below `/v1/auth/` may be sent with cookies, and only from those pages.
//!
//! This isn't a library's middleware, because the guard must add these headers also to the answers that it makes
//! itself, such as the answer after a panic.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The methods that pages may use.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// The headers that pages may read, besides the ones that the Fetch standard always allows.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Location, Link, Allow, Accept, Accept-Patch, Content-Disposition, Deprecation, Idempotent-Replay, \
     Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Request-Id, traceparent",
);
/// How long a browser keeps the answer to a preflight, in seconds.
const KEPT: HeaderValue = HeaderValue::from_static("3600");

/// Which pages may read the answer to one request.
#[derive(Debug)]
enum Readers {
    /// Every page.
    Everyone,
    /// Pages of this origin: it is one of the configured ones.
    Origin(HeaderValue),
    /// No page of another origin.
    Nobody,
}

/// The CORS headers for the answer to one request.
#[derive(Debug)]
pub struct Cors {
    readers: Readers,
    /// Whether the page may send the request with cookies.
    with_cookies: bool,
    preflight: Option<Preflight>,
}

/// A preflight: a browser asks whether a page may send a request.
#[derive(Debug)]
struct Preflight {
    /// The headers that the page wants to send.
    headers: Option<HeaderValue>,
}

impl Cors {
    /// Reads a request. `origins` are the configured ones.
    pub fn of(request: &ServiceRequest, origins: &[String]) -> Self {
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN);
        let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| request.method() == Method::OPTIONS);
        let preflight = asked.filter(|_| origin.is_some()).map(|method| {
            let headers = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
            (method == "GET" || method == "HEAD", Preflight { headers })
        });
        let open = match &preflight {
            Some((reads, preflight)) => *reads && !preflight.names(&header::AUTHORIZATION),
            None => reads(request.method()) && !headers.contains_key(header::AUTHORIZATION),
        };
        let known = origin.filter(|origin| origins.iter().any(|known| known.as_bytes() == origin.as_bytes()));
        let readers = match known {
            _ if open => Readers::Everyone,
            Some(origin) => Readers::Origin(origin.clone()),
            None => Readers::Nobody,
        };
        let with_cookies = request.path().starts_with("/v1/auth/") && matches!(readers, Readers::Origin(_));
        Self { readers, with_cookies, preflight: preflight.map(|(_, preflight)| preflight) }
    }

    /// The answer, if the request is a preflight. [`Cors::apply`] adds which pages may read it.
    pub fn preflight(&self) -> Option<HttpResponse> {
        let asked = self.preflight.as_ref()?;
        let mut response = HttpResponse::NoContent().finish();
        if !matches!(self.readers, Readers::Nobody) {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, KEPT);
            // Every header is allowed: tools for tracing, monitoring and caching add their own. Trust is in the origin.
            if let Some(names) = &asked.headers {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
            }
        }
        Some(response)
    }

    /// Adds to an answer the headers that say which pages may read it.
    pub fn apply(&self, headers: &mut HeaderMap) {
        let origin = match &self.readers {
            Readers::Everyone => HeaderValue::from_static("*"),
            Readers::Origin(origin) => origin.clone(),
            Readers::Nobody => return,
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.with_cookies {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if self.preflight.is_none() {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    /// The request's headers that decide which pages may read the answer. `Vary` names them.
    pub fn decided_by(&self) -> &'static [&'static str] {
        match (&self.preflight, &self.readers) {
            (Some(_), _) => &["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"],
            (None, Readers::Everyone) => &[],
            (None, _) => &["Origin"],
        }
    }
}

fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

impl Preflight {
    fn names(&self, wanted: &HeaderName) -> bool {
        let text = self.headers.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        text.split(',').any(|name| name.trim().eq_ignore_ascii_case(wanted.as_str()))
    }
}
