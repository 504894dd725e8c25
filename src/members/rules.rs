//! What a member's identifiers and contact details must look like, and how they are stored.
//!
//! Each function takes what somebody typed and gives the one form that is stored and compared, or
//! `None` if it can't be right.

/// Checks an NHS number and writes it as ten digits.
///
/// It may be grouped as 3-3-4 by single spaces or hyphens. The tenth digit is a check digit, modulus
/// 11: the first nine are weighted 10 down to 2, the sum's remainder is taken from 11, 11 reads as 0,
/// and no number with a check value of 10 is issued.
///
/// Source: NHS Data Dictionary, "NHS NUMBER".
pub fn nhs_number(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(10);
    let mut after_separator = false;
    for c in text.trim().chars() {
        match c {
            '0'..='9' => {
                digits.push(c);
                after_separator = false;
            }
            ' ' | '-' if !after_separator && matches!(digits.len(), 3 | 6) => after_separator = true,
            _ => return None,
        }
    }
    let (body, check) = digits.split_at_checked(9)?;
    let weighted = body.bytes().zip((2..=10).rev());
    let sum: u32 = weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let expected = match 11 - sum % 11 {
        11 => 0,
        value => value,
    };
    // A check value of 10 has two digits, and so never equals the one that stands there.
    (check == expected.to_string() && digits.len() == 10).then_some(digits)
}

/// Checks the ODS code of a GP practice and writes it in capitals, such as `N82001`: a letter and five digits.
///
/// Whether such a practice exists isn't checked.
///
/// Source: NHS Data Dictionary, "ORGANISATION CODE", GP practices in England and Wales.
pub fn gp_practice_code(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    let (first, rest) = code.as_bytes().split_first()?;
    let fits = first.is_ascii_uppercase() && rest.len() == 5 && rest.iter().all(u8::is_ascii_digit);
    fits.then_some(code)
}

/// Checks a telephone number and writes it without separators, in international form where that is known.
///
/// Spaces, hyphens and brackets are dropped. A number that begins with a single 0 is British and
/// becomes `+44…`; 00 in front reads as `+`; the (0) of `+44 (0)151` goes. What begins with neither
/// stays as it is: a local number can't be completed. Seven to fifteen digits.
///
/// Source: ITU-T E.164 for the length.
pub fn phone(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(15);
    let mut plus = false;
    for c in text.trim().chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if !plus && digits.is_empty() => plus = true,
            ' ' | '-' | '(' | ')' => {}
            _ => return None,
        }
    }
    let long_enough = |number: &str| (7..=15).contains(&number.len());
    let international = match (plus, digits.strip_prefix("00"), digits.strip_prefix('0')) {
        (true, ..) => digits,
        (false, Some(number), _) => number.to_owned(),
        (false, None, Some(number)) if long_enough(&digits) => format!("44{number}"),
        (false, None, Some(_)) => return None,
        (false, None, None) => return long_enough(&digits).then_some(digits),
    };
    let number = match international.strip_prefix("440") {
        Some(national) => format!("+44{national}"),
        None => format!("+{international}"),
    };
    let digits = number.trim_start_matches('+');
    (long_enough(digits) && !digits.starts_with('0')).then_some(number)
}

/// The key under which a name is searched: lower case, accents of Latin letters folded, punctuation
/// removed, each run of white space and hyphens one space.
///
/// Two names with one key are alike to somebody who types in a hurry: `O'Brien` and `obrien`, `Siân` and
/// `sian`. Letters of other scripts stay. An empty key is possible.
pub fn name_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_whitespace() || is_hyphen(c) {
            if !key.is_empty() && !key.ends_with(' ') {
                key.push(' ');
            }
        } else if let Some(folded) = folded(c) {
            key.push_str(folded);
        } else if c.is_alphanumeric() {
            key.push(c);
        }
    }
    key.truncate(key.trim_end().len());
    key
}

/// A double-barrelled name is searched as its parts.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}')
}

/// The name to show for somebody: the preferred name, with the family name where it is a single word.
pub fn display_name(preferred: Option<&str>, given: &str, family: &str) -> String {
    match preferred.map(str::trim) {
        Some(whole) if whole.contains(char::is_whitespace) => whole.to_owned(),
        Some(first) => format!("{first} {family}"),
        None => format!("{given} {family}"),
    }
}

/// The plain letters for a small Latin letter with an accent, or a ligature.
///
/// Latin-1, Latin Extended-A, and of the later blocks what Romanian, Vietnamese and Welsh need.
pub(crate) fn folded(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ'..='ặ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ'..='ệ' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' | 'ỉ'..='ị' => "i",
        'ĳ' => "ij",
        'ĵ' => "j",
        'ķ' | 'ĸ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŉ' | 'ŋ' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ǒ' | 'ọ'..='ợ' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' | 'ſ' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ǔ' | 'ụ'..='ự' => "u",
        'ŵ' | 'ẁ' | 'ẃ' | 'ẅ' => "w",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ'..='ỹ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nhs_numbers_are_written_as_ten_digits() {
        for text in ["9434765919", "943 476 5919", "943-476-5919", " 943 4765919\n"] {
            assert_eq!(nhs_number(text).as_deref(), Some("9434765919"), "{text}");
        }
    }

    #[test]
    fn nhs_numbers_with_a_wrong_digit_or_form_are_refused() {
        for text in [
            "",
            "9434765918",
            "943476591",
            "94347659190",
            "94 34765919",
            "943  476 5919",
            "943 476 5919 1",
            "943.476.5919",
            "９434765919",
            "943476591X",
            "-9434765919",
            "9434765919-",
        ] {
            assert_eq!(nhs_number(text), None, "{text}");
        }
    }

    #[test]
    fn a_check_value_of_eleven_reads_as_nought_and_one_of_ten_is_invalid() {
        assert!(nhs_number("4000000020").is_some());
        let ten = |check: u8| nhs_number(&format!("400000008{check}"));
        assert!((0..10).all(|check| ten(check).is_none()));
        assert_eq!(nhs_number("40000000810"), None);
    }

    #[test]
    fn practice_codes_are_a_letter_and_five_digits() {
        assert_eq!(gp_practice_code(" n82001 ").as_deref(), Some("N82001"));
        for text in ["", "N8200", "N820011", "882001", "NN2001", "N82 001", "É82001", "N8200１"] {
            assert_eq!(gp_practice_code(text), None, "{text}");
        }
    }

    #[test]
    fn phone_numbers_become_international_where_they_can() {
        for (text, stored) in [
            ("0151 123 4567", "+441511234567"),
            ("(0151) 123-4567", "+441511234567"),
            ("+44 151 123 4567", "+441511234567"),
            ("+44 (0)151 123 4567", "+441511234567"),
            ("(+44) 151 123 4567", "+441511234567"),
            ("0044 151 123 4567", "+441511234567"),
            ("07700 900123", "+447700900123"),
            ("+353 1 234 5678", "+35312345678"),
            ("00353 1 234 5678", "+35312345678"),
            ("123 4567", "1234567"),
        ] {
            assert_eq!(phone(text).as_deref(), Some(stored), "{text}");
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
            "012345678901234",
            "0151 123 4567 ext 2",
            "44+1511234567",
            "++441511234567",
            "+0151 123 4567",
            "0000000",
            "000151 123 4567",
            "+44 0 123",
            "０151 123 4567",
        ] {
            assert_eq!(phone(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_searched_without_case_accents_and_punctuation() {
        for (name, key) in [
            ("O'Brien", "obrien"),
            ("O’Brien", "obrien"),
            ("  Siân \t Ŵyn-Jones ", "sian wyn jones"),
            ("Smith – Jones", "smith jones"),
            ("Łukasz Żółć", "lukasz zolc"),
            ("BJÖRK Guðmundsdóttir", "bjork gudmundsdottir"),
            ("Straße", "strasse"),
            ("İpek Çağlar", "ipek caglar"),
            ("Nguyễn Thị Hương", "nguyen thi huong"),
            ("e\u{301}milie", "emilie"),
            ("Ольга 李", "ольга 李"),
            ("Marks 2nd", "marks 2nd"),
            ("' -", ""),
        ] {
            assert_eq!(name_key(name), key, "{name}");
        }
    }

    #[test]
    fn a_preferred_name_of_one_word_is_shown_with_the_family_name() {
        assert_eq!(display_name(None, "Margaret", "Reid"), "Margaret Reid");
        assert_eq!(display_name(Some("Peg"), "Margaret", "Reid"), "Peg Reid");
        assert_eq!(display_name(Some("Peg Smith"), "Margaret", "Reid"), "Peg Smith");
    }

    /// The number with the right check digit, worked out by trying all ten.
    fn with_check_digit(body: u32) -> Vec<String> {
        let divides = |number: &String| {
            let digits = number.chars().map(|c| c.to_digit(10).unwrap());
            let sum: u32 = digits.zip((1..=10).rev()).map(|(digit, weight)| digit * weight).sum();
            sum.is_multiple_of(11)
        };
        (0..10).map(|check| format!("{body:09}{check}")).filter(divides).collect()
    }

    proptest! {
        #[test]
        fn a_body_of_nine_digits_has_the_check_digits_that_make_the_sum_divisible(body in 0u32..1_000_000_000) {
            let valid = with_check_digit(body);
            prop_assert!(valid.len() <= 1);
            for check in 0..10 {
                let number = format!("{body:09}{check}");
                let grouped = format!("{} {}-{}", &number[..3], &number[3..6], &number[6..]);
                prop_assert_eq!(nhs_number(&number).is_some(), valid.contains(&number));
                prop_assert_eq!(nhs_number(&grouped), nhs_number(&number));
            }
        }

        #[test]
        fn one_mistyped_digit_or_two_swapped_neighbours_never_pass(body in 0u32..1_000_000_000, place in 0usize..9, by in 1u8..10) {
            for number in with_check_digit(body) {
                let mut typed = number.clone().into_bytes();
                typed[place] = (typed[place] - b'0' + by) % 10 + b'0';
                prop_assert_eq!(nhs_number(std::str::from_utf8(&typed).unwrap()), None);
                let mut swapped = number.clone().into_bytes();
                swapped.swap(place, place + 1);
                if swapped != number.as_bytes() {
                    prop_assert_eq!(nhs_number(std::str::from_utf8(&swapped).unwrap()), None);
                }
            }
        }

        #[test]
        fn what_is_stored_is_stored_the_same_again(text in "\\PC{0,24}", dialled in "\\+?[0-9 ()-]{0,22}") {
            let key = name_key(&text);
            prop_assert_eq!(name_key(&key), key);
            for typed in [text, dialled] {
                for rule in [nhs_number, gp_practice_code, phone] {
                    if let Some(stored) = rule(&typed) {
                        prop_assert_eq!(rule(&stored), Some(stored));
                    }
                }
            }
        }
    }
}
