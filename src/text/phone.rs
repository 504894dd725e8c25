//! Telephone numbers.

use super::fold::is_separator;
use super::reading::read_code;

/// Checks a telephone number and returns it without separators, in international form if possible.
///
/// - Separators and brackets are removed, and wide digits become plain ones.
/// - A number that begins with one 0 is British: `0151…` becomes `+44151…`. A leading 00 becomes `+`.
/// - The (0) in `+44 (0)151` or `+353 (0)1` is dialled only within the country, so it is removed.
/// - Any other number stays as it is, because nobody knows its area.
///
/// Source: ITU-T E.164 for the length, seven to fifteen digits; E.123 for how numbers are written.
pub fn read(text: &str) -> Option<String> {
    let bare: String = read_code(text).chars().filter(|c| !is_separator(*c)).collect();
    let international = bare.trim_start_matches('(').strip_prefix('+').or_else(|| bare.strip_prefix("00"));
    match international {
        Some(number) => abroad(number),
        None => at_home(&digits(&bare)?),
    }
}

/// Reads the part of a number after its `+`.
fn abroad(number: &str) -> Option<String> {
    let digits = match number.split_once("(0)") {
        Some((country, rest)) if !country.is_empty() => digits(country)? + &digits(rest)?,
        _ => digits(number)?,
    };
    let digits = match digits.strip_prefix("440") {
        Some(national) => format!("44{national}"),
        None => digits,
    };
    (long_enough(&digits) && !digits.starts_with('0')).then(|| format!("+{digits}"))
}

fn at_home(digits: &str) -> Option<String> {
    match digits.strip_prefix('0') {
        Some(national) if long_enough(digits) => abroad(&format!("44{national}")),
        Some(_) => None,
        None => long_enough(digits).then(|| digits.to_owned()),
    }
}

/// The digits of a text that has only digits and brackets.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '(' | ')' | '[' | ']')).collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)
}

fn long_enough(digits: &str) -> bool {
    (7..=15).contains(&digits.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phone_numbers_become_international_where_they_can() {
        for (text, stored) in [
            ("0151 123 4567", "+441511234567"),
            ("(0151) 123-4567", "+441511234567"),
            ("+44 151 123 4567", "+441511234567"),
            ("+44 (0)151 123 4567", "+441511234567"),
            ("+44 0151 123 4567", "+441511234567"),
            ("(+44) 151 123 4567", "+441511234567"),
            ("0044 151 123 4567", "+441511234567"),
            ("0044 (0) 151 123 4567", "+441511234567"),
            ("(0)151 123 4567", "+441511234567"),
            ("0151\u{a0}123\u{202f}4567", "+441511234567"),
            ("0151\u{2011}123\u{2013}4567", "+441511234567"),
            ("\u{202a}0151.123/4567\u{202c}", "+441511234567"),
            ("07700 900123", "+447700900123"),
            ("+353 1 234 5678", "+35312345678"),
            ("+353 (0)1 234 5678", "+35312345678"),
            ("+353\u{a0}(0)\u{a0}1 234 5678", "+35312345678"),
            ("00353 (0)1 234 5678", "+35312345678"),
            ("+39 06 1234 5678", "+390612345678"),
            ("（０１５１）\u{3000}１２３－４５６７", "+441511234567"),
            ("123 4567", "1234567"),
        ] {
            assert_eq!(read(text).as_deref(), Some(stored), "{text}");
        }
    }

    #[test]
    fn what_is_no_phone_number_is_refused() {
        for text in [
            "",
            "+",
            "123456",
            "012345",
            "1234567890123456",
            "012345678901234567",
            "0151 123 4567 ext 2",
            "44+1511234567",
            "++441511234567",
            "+0151 123 4567",
            "0000000",
            "000151 123 4567",
            "+44 0 123",
            "+(0)44 151 123",
            "call me",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_is_stored_the_same_again(text in "\\PC{0,24}|\\+?[0-9 ()-]{0,22}") {
            if let Some(stored) = read(&text) {
                prop_assert_eq!(read(&stored), Some(stored.clone()));
            }
        }
    }
}
