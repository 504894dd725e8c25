//! Rules for members only: the code of their GP practice and the name to show. Names, telephone numbers, NHS numbers
//! and postcodes are read by [`crate::text`].

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
/// with one name have no family name.
pub fn display_name(preferred: Option<&str>, given: &str, family: &str) -> String {
    match preferred.map(str::trim) {
        Some(whole) if whole.contains(char::is_whitespace) => whole.to_owned(),
        first => format!("{} {family}", first.unwrap_or(given)).trim_end().to_owned(),
    }
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

    proptest! {
        #[test]
        fn what_is_stored_is_stored_the_same_again(text in "\\PC{0,8}|[a-zA-Z][0-9]{5}") {
            if let Some(stored) = gp_practice_code(&text) {
                prop_assert_eq!(gp_practice_code(&stored), Some(stored));
            }
        }
    }
}
