//! Checks the formats that the OpenAPI document names, such as `uuid` and `date`.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::Regex;

use crate::db::{Id, LocalTime};
use crate::period::{self, Period};
use crate::places::{self, LocalAuthority};
use crate::text::{address, date, email, language, password, postcode, reading};

/// The pattern of `place`: degrees north and east, a postcode, or its first half.
const PLACE: &str = "^(-?([0-8]?[0-9]([.][0-9]{1,20})?|90([.]0{1,20})?),-?((1[0-7][0-9]|[0-9]{1,2})([.][0-9]{1,20})?|180([.]0{1,20})?)| *[A-Za-z]{1,2}[0-9][A-Za-z0-9]? *([0-9][A-Za-z]{2} *)?)$";

/// The formats that a pattern defines: the format, its pattern for programs, and the same as a sentence for people. A
/// fault holds the sentence, never the pattern.
const PATTERNS: [(&str, &str, &str); 7] = [
    (
        "slug",
        "^[a-z0-9]+(-[a-z0-9]+)*$",
        "Must be words of small letters a to z and digits, joined by single hyphens, such as walton-life-rooms.",
    ),
    (
        "short-name",
        "^[a-z0-9_]+$",
        "Must be small letters a to z, digits and underscores only, without spaces, such as step_free.",
    ),
    (
        "time-of-day",
        "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        "Must be a time from 00:00 to 23:59, with two digits for the hour and two for the minute, such as 09:30.",
    ),
    (
        "openactive-activity",
        "^https://openactive[.]io/activity-list#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        "Must be the address of an activity in OpenActive's list, such as \
         https://openactive.io/activity-list#c16df6ed-a4a0-4275-a8c3-1c8cff56856f.",
    ),
    ("uprn", "^[0-9]{1,12}$", "Must be a unique property reference number: 1 to 12 digits, such as 38233522."),
    (
        "charity-number",
        "^(SC|NIC)?[0-9]{5,8}$",
        "Must be 5 to 8 digits, such as 1126806, with SC before them in Scotland and NIC in Northern Ireland.",
    ),
    (
        "degrees",
        "^-?([0-8]?[0-9]([.][0-9]{1,20})?|90([.]0{1,20})?),-?((1[0-7][0-9]|[0-9]{1,2})([.][0-9]{1,20})?|180([.]0{1,20})?)$",
        "Must be degrees north and east with a comma between them and no space, such as 53.4097,-2.9795.",
    ),
];

/// The compiled patterns, each with its format and its sentence.
static COMPILED: LazyLock<Vec<(&str, Regex, &str)>> = LazyLock::new(|| {
    let compiled = |(format, pattern, sentence)| Some((format, Regex::new(pattern).ok()?, sentence));
    PATTERNS.into_iter().filter_map(compiled).collect()
});

/// The form of a text of this format in which it is checked and stored. `None` if the format has no form of its own.
pub fn normal<'a>(format: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match format {
        "password" => Some(password::normal(value)),
        "email" => email::read(value).map(Cow::Owned),
        "uri" | "https-uri" => address::read(value).map(Cow::Owned),
        "language-tag" => language::tag(value).map(Cow::Owned),
        "time-zone" => Some(reading::read(value)),
        format if PATTERNS.iter().any(|(known, ..)| *known == format) => Some(reading::read(value)),
        "phone" | "uk-postcode" | "nhs-number" | "gp-practice-code" => Some(Cow::Owned(reading::read_code(value))),
        "language" => Some(Cow::Owned(reading::read_code(value).to_ascii_lowercase())),
        _ => None,
    }
}

/// What is wrong with a text of this format; `None` if it is right, or if the format is only a hint (`password`).
pub fn fault(format: &str, value: &str) -> Option<&'static str> {
    if let Some((_, pattern, sentence)) = COMPILED.iter().find(|(known, ..)| *known == format) {
        return (!pattern.is_match(value)).then_some(*sentence);
    }
    let (good, detail) = match format {
        "uuid" => (value.parse::<Id>().is_ok(), "Must be a UUID such as 0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41."),
        "date" => (
            date::full_date(value).is_some_and(date::is_sane),
            "Must be a date such as 2027-01-05, between the years 1900 and 2200.",
        ),
        "date-time" => (date::date_time(value).is_some(), "Must be an instant such as 2027-01-05T13:00:00Z."),
        "date-time-local" => (
            value.parse::<LocalTime>().is_ok_and(|local| date::is_sane(local.0.date())),
            "Must be a local date and time such as 2027-01-05T13:00:00, between the years 1900 and 2200.",
        ),
        "date-or-local" => (
            fault("date", value).is_none() || fault("date-time-local", value).is_none(),
            "Must be a date such as 2027-01-05, or a local date and time such as 2027-01-05T13:00:00.",
        ),
        "report-period" => (value.parse::<Period>().is_ok(), period::FORMAT),
        "time-zone" => (value.parse::<chrono_tz::Tz>().is_ok(), "Must be a time zone such as Europe/London."),
        "place" => (
            fault("degrees", value).is_none() || postcode::read(value).or_else(|| postcode::district(value)).is_some(),
            "Must be a postcode such as L4 4AA, its first half such as L4, or degrees north and east with a comma \
             between them and no space, such as 53.4097,-2.9795.",
        ),
        "email" => (
            email::read(value).as_deref() == Some(value),
            "Must be an e-mail address such as advisor@example.org (RFC 5321).",
        ),
        "uri" => (
            address::read(value).as_deref() == Some(value),
            "Must be a web address such as https://www.example.org/what%20is%20on: http:// or https://, no spaces, and \
             letters outside ASCII percent-encoded (RFC 3986).",
        ),
        "https-uri" => (
            value.starts_with("https://") && address::read(value).as_deref() == Some(value),
            "Must be a web address such as https://images.example.org/reading.jpg: https://, no spaces, and letters \
             outside ASCII percent-encoded (RFC 3986).",
        ),
        "language-tag" => (
            language::tag(value).as_deref() == Some(value),
            "Must be the tag of a language such as en, pl or zh-Hant (BCP 47). British Sign Language is bfi.",
        ),
        _ => return None,
    };
    (!good).then_some(detail)
}

/// The pattern of a format for the OpenAPI document; `None` if no pattern can describe the format.
pub fn pattern(format: &str) -> Option<&'static str> {
    if let Some((_, pattern, _)) = PATTERNS.iter().find(|(known, ..)| *known == format) {
        return Some(*pattern);
    }
    match format {
        "date" => Some("^(19[0-9]{2}|2[01][0-9]{2}|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
        "date-time-local" => Some(
            "^(19[0-9]{2}|2[01][0-9]{2}|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
        ),
        "place" => Some(PLACE),
        "date-or-local" => Some(
            "^(19[0-9]{2}|2[01][0-9]{2}|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?$",
        ),
        "uk-postcode" => Some("^ *[A-Za-z]{1,2}[0-9][A-Za-z0-9]? *[0-9][A-Za-z]{2} *$"),
        "nhs-number" => Some("^[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}$"),
        "gp-practice-code" => Some("^[A-Za-z][0-9]{5}$"),
        "phone" => Some("^[+]?[0-9 ().-]{6,29}$"),
        "https-uri" => Some("^[Hh][Tt][Tt][Pp][Ss]://"),
        "language-tag" => Some("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
        _ => None,
    }
}

/// What is wrong with a name that isn't in a long list of names, such as the local authorities: a code, and a sentence
/// with the nearest names.
pub fn unknown(format: &str, value: &str) -> Option<(&'static str, String)> {
    match format {
        places::FORMAT => {
            let refused = value.parse::<LocalAuthority>().err()?;
            Some(("unknown_local_authority", refused.to_string()))
        }
        "language" if value != "prefer_not_to_say" && !language::is_code(value) => {
            let detail = "Must be the two letters of a language in ISO 639-1, such as pl, or prefer_not_to_say.";
            Some(("unknown_language", detail.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_has_a_sentence_without_a_pattern_whose_example_fits_it() {
        assert_eq!(COMPILED.len(), PATTERNS.len());
        for (format, pattern, sentence) in COMPILED.iter() {
            let example = sentence.split("such as ").nth(1).unwrap();
            let example = example.split(' ').next().unwrap().trim_end_matches(['.', ',']);
            assert!(pattern.is_match(example), "{format}: {example}");
            assert!(!sentence.contains(['^', '[', '$', '\\']), "{format}: {sentence}");
            assert_eq!(fault(format, "No!"), Some(*sentence));
        }
    }
}
