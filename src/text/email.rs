//! E-mail addresses.

use validator::ValidateEmail;

use super::reading::read_code;

/// Checks an e-mail address and returns the form in which it is kept. `None` if it isn't an address.
///
/// Invisible characters and outer white space are removed. The domain is written in lower case and in ASCII, because
/// upper and lower case are the same there. The part before the @ keeps its case.
///
/// Source: RFC 5321, section 4.1.2, without quoted texts; RFC 5890 for the ASCII form of a domain.
pub fn read(text: &str) -> Option<String> {
    let bare = read_code(text);
    let (local, domain) = bare.rsplit_once('@')?;
    let address = format!("{local}@{}", idna::domain_to_ascii(domain).ok()?);
    // The validator doesn't check where the dots before the @ stand.
    let dots_stand_between = local.split('.').all(|atom| !atom.is_empty());
    (dots_stand_between && address.len() <= 254 && address.validate_email()).then_some(address)
}
