//! The ids of a request: its id on this server, and its place in a trace (W3C Trace Context).

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// A new id of our own. The audit keeps it, so no client may choose it.
pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The client's `X-Request-Id`, if it was sent once and is well-formed.
pub(super) fn given_id(headers: &HeaderMap) -> Option<String> {
    let given = only(headers, "x-request-id")?.to_str().ok()?;
    let fits = (1..=64).contains(&given.len());
    let sane = fits && given.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    sane.then(|| given.to_owned())
}

/// The client's `traceparent`, if it was sent once and is well-formed. Otherwise it is ignored, as the standard asks.
pub(super) fn parent(headers: &HeaderMap) -> Option<HeaderValue> {
    let given = only(headers, "traceparent")?;
    is_parent(given.to_str().ok()?).then(|| given.clone())
}

/// Whether a text is `version-traceid-parentid-flags` in lower-case hexadecimal. Later versions may add more parts.
fn is_parent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags, more @ ..] = parts.as_slice() else { return false };
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let some = |part: &str| part.bytes().any(|byte| byte != b'0');
    hex(version, 2)
        && *version != "ff"
        && (*version != "00" || more.is_empty())
        && hex(trace, 32)
        && some(trace)
        && hex(parent, 16)
        && some(parent)
        && hex(flags, 2)
}

fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(HeaderName::from_static(name));
    let first = values.next()?;
    values.next().is_none().then_some(first)
}
