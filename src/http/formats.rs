//! Checks the formats that the OpenAPI document names, such as `uuid` and `date`.

use std::borrow::Cow;

use crate::db::{Id, LocalTime};
use crate::period::{self, Period};
use crate::places::{self, LocalAuthority};
use crate::text::{address, date, email, password, reading};

/// The form of a text of this format in which it is checked and stored. `None` if the format has no form of its own.
pub fn normal<'a>(format: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match format {
        "password" => Some(password::normal(value)),
        "email" => email::read(value).map(Cow::Owned),
        "uri" => address::read(value).map(Cow::Owned),
        "time-zone" => Some(reading::read(value)),
        "phone" | "uk-postcode" | "nhs-number" | "gp-practice-code" => Some(Cow::Owned(reading::read_code(value))),
        _ => None,
    }
}

/// What is wrong with a text of this format; `None` if it is right, or if the format is only a hint (`password`).
pub fn fault(format: &str, value: &str) -> Option<&'static str> {
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
        "report-period" => (value.parse::<Period>().is_ok(), period::FORMAT),
        "time-zone" => (value.parse::<chrono_tz::Tz>().is_ok(), "Must be a time zone such as Europe/London."),
        "email" => (
            email::read(value).as_deref() == Some(value),
            "Must be an e-mail address such as advisor@example.org (RFC 5321).",
        ),
        "uri" => (
            address::read(value).as_deref() == Some(value),
            "Must be a web address such as https://www.example.org/what%20is%20on: http:// or https://, no spaces, and \
             letters outside ASCII percent-encoded (RFC 3986).",
        ),
        _ => return None,
    };
    (!good).then_some(detail)
}

/// The pattern of a format for the OpenAPI document; `None` if no pattern can describe the format.
pub fn pattern(format: &str) -> Option<&'static str> {
    match format {
        "date" => Some("^(19[0-9]{2}|2[01][0-9]{2}|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
        "date-time-local" => Some(
            "^(19[0-9]{2}|2[01][0-9]{2}|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
        ),
        "uk-postcode" => Some("^ *[A-Za-z]{1,2}[0-9][A-Za-z0-9]? *[0-9][A-Za-z]{2} *$"),
        "nhs-number" => Some("^[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}$"),
        "gp-practice-code" => Some("^[A-Za-z][0-9]{5}$"),
        "phone" => Some("^[+]?[0-9 ().-]{6,29}$"),
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
        _ => None,
    }
}
