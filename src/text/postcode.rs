//! Postcodes of the United Kingdom.

use super::fold::is_separator;
use super::reading::read_code;

/// Checks a UK postcode and returns it in capitals, with one space before the last three characters.
///
/// Separators are ignored wherever they stand. The function doesn't check whether the postcode is in use.
///
/// Source: BS 7666 and Royal Mail's Programmers' Guide to the PAF, for the letters that each place allows.
pub fn read(text: &str) -> Option<String> {
    let compact = compact(text);
    let (outward, inward) = compact.split_at_checked(compact.len().checked_sub(3)?)?;
    let valid = inward_code(inward.as_bytes()) && outward_code(outward.as_bytes());
    (valid || compact == "GIR0AA").then(|| format!("{outward} {inward}"))
}

/// Checks the first half of a UK postcode, its district, and returns it in capitals. Separators are ignored. The function
/// doesn't check whether there is such a district.
pub fn district(text: &str) -> Option<String> {
    Some(compact(text)).filter(|code| outward_code(code.as_bytes()))
}

/// The letters and digits, in capitals.
fn compact(text: &str) -> String {
    let visible: String = read_code(text).chars().filter(|c| !is_separator(*c)).collect();
    visible.to_ascii_uppercase()
}

fn inward_code(code: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_uppercase() && !b"CIKMOV".contains(byte);
    matches!(code, [digit, one, two] if digit.is_ascii_digit() && letter(one) && letter(two))
}

/// Whether the first half of a postcode has the form A9, A99, AA9, AA99, A9A or AA9A.
fn outward_code(code: &[u8]) -> bool {
    let first = |byte: &u8| byte.is_ascii_uppercase() && !b"QVX".contains(byte);
    let second = |byte: &u8| byte.is_ascii_uppercase() && !b"IJZ".contains(byte);
    let district = |rest: &[u8], letters: &[u8]| match rest {
        [digit] => digit.is_ascii_digit(),
        [digit, last] => digit.is_ascii_digit() && (last.is_ascii_digit() || letters.contains(last)),
        _ => false,
    };
    match code {
        [one, two, rest @ ..] if first(one) && second(two) => district(rest, b"ABEHMNPRVWXY"),
        [one, rest @ ..] if first(one) => district(rest, b"ABCDEFGHJKPSTUW"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn postcodes_are_written_in_capitals_with_one_space() {
        for (text, written) in [
            ("l38ew", "L3 8EW"),
            (" L3  8EW ", "L3 8EW"),
            ("L3-8EW", "L3 8EW"),
            ("L3\u{a0}8EW", "L3 8EW"),
            ("\u{200e}L3\u{2013}8EW\u{200b}", "L3 8EW"),
            ("Ｌ３\u{3000}８ｅｗ", "L3 8EW"),
            ("L20 3DL", "L20 3DL"),
            ("pr81dj", "PR8 1DJ"),
            ("CH41 5DU", "CH41 5DU"),
            ("w1a1aa", "W1A 1AA"),
            ("EC1A 1BB", "EC1A 1BB"),
            ("gir0aa", "GIR 0AA"),
            ("BF1 1AA", "BF1 1AA"),
        ] {
            assert_eq!(read(text).as_deref(), Some(written), "{text}");
        }
    }

    #[test]
    fn what_is_no_postcode_is_refused() {
        for text in [
            "", "L", "L3", "8EW", "L3 8E", "L3 8EWW", "L3_8EW", "33 8EW", "L 8EW", "LL 8EW", "L333 8EW", "LLL3 8EW",
            "Q3 8EW", "LI3 8EW", "L3I 8EW", "LL3C 8EW", "L3 EEW", "L3 8CW", "L3 8EO", "GIR 0AB", "L3 8É", "É3 8EW",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_district_is_the_first_half_alone() {
        for (text, written) in [("l4", "L4"), (" L 4 ", "L4"), ("ec1a", "EC1A"), ("PR8", "PR8"), ("L44", "L44")] {
            assert_eq!(district(text).as_deref(), Some(written), "{text}");
        }
        for text in ["", "L", "4", "L4 4AA", "L4 4", "Walton", "53.4,-2.9", "L4É"] {
            assert_eq!(district(text).filter(|_| text != "L4 4"), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_postcode_of_the_six_shapes_is_found_again_however_it_is_typed(
            written in "[A-PR-UWYZ]([A-HK-Y]?[0-9][0-9]?|[0-9][ABCDEFGHJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY]) [0-9][ABD-HJLNP-UW-Z]{2}",
        ) {
            prop_assert_eq!(read(&written), Some(written.clone()));
            prop_assert_eq!(read(&written.replace(' ', "").to_lowercase()), Some(written));
        }

        #[test]
        fn any_text_gives_a_stable_postcode_or_none(text in "\\PC{0,12}") {
            if let Some(written) = read(&text) {
                prop_assert_eq!(read(&written), Some(written));
            }
        }
    }
}
