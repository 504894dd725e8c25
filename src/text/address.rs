//! Web addresses.

use fluent_uri::Uri;

/// Whether a text is an `http` or `https` address with a host. It must have no spaces, control characters or letters
/// outside ASCII. The scheme can be in upper or lower case.
///
/// Source: RFC 3986; RFC 9110, section 4.2, for the two schemes, which need a host.
pub fn is_web(text: &str) -> bool {
    Uri::parse(text).is_ok_and(|uri| {
        let web = ["http", "https"].iter().any(|scheme| uri.scheme().as_str().eq_ignore_ascii_case(scheme));
        web && uri.authority().is_some_and(|authority| !authority.host().is_empty())
    })
}
