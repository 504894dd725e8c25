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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_rfc_3986_says() {
        for text in [
            "https://a.example",
            "HTTPS://A.example/",
            "Http://a.example:8080/x?y=1#z",
            "https://[2001:db8::1]/",
            "https://a.example/%E2%80%AE",
        ] {
            assert!(read(text).is_some(), "{text}");
        }
        for text in [
            "https://a.example/\r\nATTENDEE:x",
            "https://a.example/a b",
            "https://a.example/\u{202e}",
            "https://a.example/\t",
            " https://a.example",
            "https://a.example\n",
            "https://a.example/café",
            "https://a.example/%zz",
            "https:///x",
            "https:x",
            "ftp://a.example",
            "javascript:alert(1)",
            "//a.example",
            "a.example",
            "",
            "https://a.example/<x>",
        ] {
            assert!(read(text).is_none(), "{text:?}");
        }
    }
}
