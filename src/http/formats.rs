//! The formats of texts that the document names, and how each is checked.

use chrono::{DateTime, NaiveDate, Utc};
use validator::{ValidateEmail, ValidateUrl};

use crate::db::{Id, LocalTime};
use crate::period::{self, Period};
use crate::places::{self, LocalAuthority};

/// What is wrong with a text of this format; `None` where nothing is, or the format is only a hint (`password`).
pub fn fault(format: &str, value: &str) -> Option<&'static str> {
    let (good, detail) = match format {
        "uuid" => (value.parse::<Id>().is_ok(), "Must be a UUID such as 0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41."),
        "date" => (date(value), "Must be a date such as 2027-01-05, between the years 1900 and 2200."),
        "date-time" => (value.parse::<DateTime<Utc>>().is_ok(), "Must be an instant such as 2027-01-05T13:00:00Z."),
        "local-date-time" => (
            value.parse::<LocalTime>().is_ok_and(|local| year_is_sane(local.0.date())),
            "Must be a local date and time such as 2027-01-05T13:00:00, between the years 1900 and 2200.",
        ),
        "report-period" => (value.parse::<Period>().is_ok(), period::FORMAT),
        "time-zone" => (value.parse::<chrono_tz::Tz>().is_ok(), "Must be a time zone such as Europe/London."),
        "email" => (value.validate_email(), "Must be an e-mail address."),
        "uri" => (
            value.validate_url() && (value.starts_with("https://") || value.starts_with("http://")),
            "Must be an address that begins with https:// or http://.",
        ),
        _ => return None,
    };
    (!good).then_some(detail)
}

/// What is wrong with a name of a vocabulary that is too long for an enum: a code, and a sentence with the nearest names.
pub fn unknown(format: &str, value: &str) -> Option<(&'static str, String)> {
    match format {
        places::FORMAT => {
            let refused = value.parse::<LocalAuthority>().err()?;
            Some(("unknown_local_authority", refused.to_string()))
        }
        _ => None,
    }
}

fn date(value: &str) -> bool {
    value.len() == 10 && value.parse::<NaiveDate>().is_ok_and(year_is_sane)
}

fn year_is_sane(date: NaiveDate) -> bool {
    use chrono::Datelike;
    (1900..=2200).contains(&date.year())
}
