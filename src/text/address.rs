//! Web addresses.

use fluent_uri::Uri;

/// Checks an `http` or `https` address with a host, and returns the form in which it is kept. `None` if it isn't one: it
/// must have no spaces, control characters or letters outside ASCII.
///
/// Two addresses that differ only in the case of the scheme or the host have one form, as have `%7e`, `%7E` and `~`.
///
/// Source: RFC 3986, section 6.2.2, for the form; RFC 9110, section 4.2, for the two schemes, which need a host.
pub fn read(text: &str) -> Option<String> {
    let uri = Uri::parse(text).ok()?.normalize();
    let web = ["http", "https"].contains(&uri.scheme().as_str());
    let has_host = uri.authority().is_some_and(|authority| !authority.host().is_empty());
    (web && has_host).then(|| uri.into_string())
}
