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
            assert!(is_web(text), "{text}");
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
            assert!(!is_web(text), "{text:?}");
        }
    }
}
