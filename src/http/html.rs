//! HTML pages for people, and what a browser may do with any answer.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The policy of our own pages: they have text and one inline style, and nothing else.
const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// The policy of the documentation: it runs its own scripts and calls this server.
const DOCUMENTATION: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// The policy of the pages about accounts: they run their own script, which calls this server. Their form sends nothing by
/// itself, so a password never stands in an address.
const ACCOUNT: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);
/// The policy of the pages for unsubscribing: their forms are sent to this server.
const UNSUBSCRIBE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// The policy of the example pages: they run their own script, which calls this server, and show pictures of any site.
const EXAMPLE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src https: data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);
/// The policy of everything that isn't a page.
const DATA: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A page with a title and a body. Both must already be HTML.
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en-GB\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}</style>\n\
         <h1>{title}</h1>\n{body}\n</html>\n"
    )
}

/// Adds the headers that tell a browser how to treat an answer that somebody opens in it.
///
/// No page of another site may show an answer in a frame, and no address is told to another site. An answer that is no
/// page may load nothing and run nothing. An answer that pages of every site may read (CORS) may also be loaded by them
/// as a picture or a script would be, and the others may not.
pub(super) fn protect(path: &str, is_https: bool, headers: &mut HeaderMap) {
    let documentation = path.starts_with("/docs/");
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = match (is_page, documentation) {
        (true, true) => DOCUMENTATION,
        (true, false) if path == "/account/unsubscribe" || path.starts_with("/v1/unsubscribe/") => UNSUBSCRIBE,
        (true, false) if path.starts_with("/account/") => ACCOUNT,
        (true, false) if path.starts_with("/examples/") => EXAMPLE,
        (true, false) => PAGE,
        (false, _) => DATA,
    };
    let is_public = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(|origin| origin == "*");
    let readers = if is_public { "cross-origin" } else { "same-origin" };
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static(readers));
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if documentation && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    }
}
