//! Rules for members only: the code of their GP practice, the name to show, and hints of how to reach them. Names,
//! telephone numbers, NHS numbers and postcodes are read by [`crate::text`].

use crate::text::reading::read_code;

/// Checks the ODS code of a GP practice and writes it in capitals, such as `N82001`: a letter and five digits.
///
/// It doesn't check whether the practice exists.
///
/// Source: NHS Data Dictionary, "ORGANISATION CODE", GP practices in England and Wales.
pub fn gp_practice_code(text: &str) -> Option<String> {
    let code = read_code(text).to_ascii_uppercase();
    let (first, rest) = code.as_bytes().split_first()?;
    let fits = first.is_ascii_uppercase() && rest.len() == 5 && rest.iter().all(u8::is_ascii_digit);
    fits.then_some(code)
}

/// The name to show: the preferred name, followed by the family name if the preferred name is a single word. People
/// with one name have no family name. People who were erased have none at all.
pub fn display_name(preferred: Option<&str>, given: &str, family: &str) -> String {
    match preferred.map(str::trim) {
        None if given.is_empty() && family.is_empty() => "Erased".to_owned(),
        Some(whole) if whole.contains(char::is_whitespace) => whole.to_owned(),
        first => format!("{} {family}", first.unwrap_or(given)).trim_end().to_owned(),
    }
}

/// The form in which e-mail addresses are compared.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The end of a telephone number, which tells people apart and can't be called.
pub fn phone_ends(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().collect();
    let last = digits[digits.len().saturating_sub(3)..].iter();
    std::iter::once(&'…').chain(last).collect()
}

/// The first letter and the domain of an e-mail address, which tell people apart and can't be written to.
pub fn email_hint(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    Some(format!("{}…@{domain}", local.chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn practice_codes_are_a_letter_and_five_digits() {
        assert_eq!(gp_practice_code(" n8２001\u{a0}").as_deref(), Some("N82001"));
        for text in ["", "N8200", "N820011", "882001", "NN2001", "N82 001", "É82001"] {
            assert_eq!(gp_practice_code(text), None, "{text}");
        }
    }

    #[test]
    fn a_preferred_name_of_one_word_is_shown_with_the_family_name() {
        assert_eq!(display_name(None, "Margaret", "Reid"), "Margaret Reid");
        assert_eq!(display_name(Some("Peg"), "Margaret", "Reid"), "Peg Reid");
        assert_eq!(display_name(Some("Peg Smith"), "Margaret", "Reid"), "Peg Smith");
        assert_eq!(display_name(None, "Suharto", ""), "Suharto");
        assert_eq!(display_name(Some("Harto"), "Suharto", ""), "Harto");
    }

    #[test]
    fn hints_tell_people_apart_without_telling_the_whole() {
        assert_eq!(phone_ends("+441514960123"), "…123");
        assert_eq!(phone_ends("12"), "…12");
        assert_eq!(email_hint("Peg.Reid@example.org").as_deref(), Some("P…@example.org"));
        assert_eq!(email_hint("nobody"), None);
        assert_eq!(email_key(" Peg@Example.org"), "peg@example.org");
    }

    proptest! {
        #[test]
        fn what_is_stored_is_stored_the_same_again(text in "\\PC{0,8}|[a-zA-Z][0-9]{5}") {
            if let Some(stored) = gp_practice_code(&text) {
                prop_assert_eq!(gp_practice_code(&stored), Some(stored));
            }
        }
    }
}
