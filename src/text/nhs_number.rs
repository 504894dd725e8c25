//! NHS numbers.

use super::fold::is_separator;
use super::reading::read_code;

/// Why a text isn't an NHS number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It doesn't have ten digits, or the last one isn't the right check digit.
    Malformed,
    /// All ten digits are the same. Such a number passes the check but is never issued: people type it if they don't
    /// know the number.
    NotIssued,
}

/// Checks an NHS number and returns its ten digits. Any separators may stand between the digits.
///
/// The tenth digit is a check digit, modulus 11. The first nine digits have the weights 10 down to 2. The remainder of
/// the weighted sum is taken from 11. A result of 11 gives the check digit 0. A result of 10 is never issued.
///
/// Source: NHS Data Dictionary, "NHS NUMBER".
///
/// # Errors
/// Why the text isn't an NHS number.
pub fn read(text: &str) -> Result<String, Wrong> {
    let text = read_code(text);
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(Wrong::Malformed);
    }
    let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let (body, check) = digits.split_at_checked(9).ok_or(Wrong::Malformed)?;
    if check.len() != 1 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Malformed);
    }
    let weighted = body.bytes().zip((2..=10).rev());
    let sum: u32 = weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let expected = match 11 - sum % 11 {
        11 => 0,
        value => value,
    };
    // A result of 10 has two digits, so it never equals the check digit.
    if check != expected.to_string() {
        return Err(Wrong::Malformed);
    }
    if digits.bytes().all(|digit| digit == digits.as_bytes()[0]) {
        return Err(Wrong::NotIssued);
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nhs_numbers_are_written_as_ten_digits_whatever_separates_them() {
        for text in [
            "9434765919",
            "943 476 5919",
            "943-476-5919",
            " 943 4765919\n",
            "943\u{a0}476\u{a0}5919",
            "943\u{2011}476\u{2013}5919",
            "\u{202d}943\u{2009}476\u{200b}5919\u{202c}",
            "943.476.5919",
            "943  476 - 5919",
            "94 34765919",
            "９４３\u{3000}４７６\u{3000}５９１９",
        ] {
            assert_eq!(read(text).as_deref(), Ok("9434765919"), "{text}");
        }
    }

    #[test]
    fn nhs_numbers_with_a_wrong_digit_or_form_are_refused() {
        for text in [
            "",
            "9434765918",
            "943476591",
            "94347659190",
            "943 476 5919 1",
            "943476591X",
            "-9434765919",
            "9434765919-",
            "943é476é5919",
            "éééééé",
        ] {
            assert_eq!(read(text), Err(Wrong::Malformed), "{text}");
        }
    }

    #[test]
    fn ten_equal_digits_were_never_issued() {
        for digit in 0..10 {
            assert_eq!(read(&digit.to_string().repeat(10)), Err(Wrong::NotIssued), "{digit}");
        }
        assert_eq!(read("000 000 0000"), Err(Wrong::NotIssued));
    }

    #[test]
    fn a_check_value_of_eleven_reads_as_nought_and_one_of_ten_is_invalid() {
        assert!(read("4000000020").is_ok());
        let ten = |check: u8| read(&format!("400000008{check}"));
        assert!((0..10).all(|check| ten(check).is_err()));
        assert!(read("40000000810").is_err());
    }

    /// The numbers with the right check digit, found by trying all ten.
    fn with_check_digit(body: u32) -> Vec<String> {
        let divides = |number: &String| {
            let digits = number.chars().map(|c| c.to_digit(10).unwrap());
            let sum: u32 = digits.zip((1..=10).rev()).map(|(digit, weight)| digit * weight).sum();
            sum.is_multiple_of(11)
        };
        let issued = |number: &String| number.chars().any(|c| !number.starts_with(c));
        (0..10).map(|check| format!("{body:09}{check}")).filter(divides).filter(issued).collect()
    }

    proptest! {
        #[test]
        fn a_body_of_nine_digits_has_the_check_digits_that_make_the_sum_divisible(body in 0u32..1_000_000_000) {
            let valid = with_check_digit(body);
            prop_assert!(valid.len() <= 1);
            for check in 0..10 {
                let number = format!("{body:09}{check}");
                let grouped = format!("{} {}-{}", &number[..3], &number[3..6], &number[6..]);
                prop_assert_eq!(read(&number).is_ok(), valid.contains(&number));
                prop_assert_eq!(read(&grouped), read(&number));
            }
        }

        #[test]
        fn one_mistyped_digit_or_two_swapped_neighbours_never_pass(body in 0u32..1_000_000_000, place in 0usize..9, by in 1u8..10) {
            for number in with_check_digit(body) {
                let mut typed = number.clone().into_bytes();
                typed[place] = (typed[place] - b'0' + by) % 10 + b'0';
                prop_assert!(read(std::str::from_utf8(&typed).unwrap()).is_err());
                let mut swapped = number.clone().into_bytes();
                swapped.swap(place, place + 1);
                if swapped != number.as_bytes() {
                    prop_assert!(read(std::str::from_utf8(&swapped).unwrap()).is_err());
                }
            }
        }

        #[test]
        fn what_is_stored_is_stored_the_same_again(text in "\\PC{0,24}|[0-9 -]{10,14}") {
            if let Ok(stored) = read(&text) {
                prop_assert_eq!(read(&stored), Ok(stored.clone()));
            }
        }
    }
}
