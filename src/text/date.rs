//! Dates and times exactly as RFC 3339 writes them. chrono's own parsers also accept signs, spaces and single digits.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// The date in a text of the form `YYYY-MM-DD`.
///
/// Source: RFC 3339, section 5.6, `full-date`.
pub fn full_date(text: &str) -> Option<NaiveDate> {
    has_form(text, "0000-00-00").then(|| text.parse().ok()).flatten()
}

/// The instant in a text such as `2027-01-05T13:00:00Z`, with or without parts of a second, in any time zone.
///
/// Source: RFC 3339, section 5.6, `date-time`.
pub fn date_time(text: &str) -> Option<DateTime<Utc>> {
    let (start, rest) = text.split_at_checked(19)?;
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let fraction = &rest[..rest.len() - zone.len()];
    let digits = fraction.strip_prefix('.').unwrap_or("0");
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let zoned = matches!(zone, "Z" | "z") || has_form(zone, "+00:00") || has_form(zone, "-00:00");
    let started = has_form(start, "0000-00-00T00:00:00") || has_form(start, "0000-00-00t00:00:00");
    let good = started && zoned && whole && (fraction.is_empty() || fraction.starts_with('.'));
    good.then(|| DateTime::parse_from_rfc3339(text).ok()).flatten().map(|time| time.to_utc())
}

/// Whether the year of a date makes sense for this service: 1900 to 2200.
pub fn is_sane(date: NaiveDate) -> bool {
    (1900..=2200).contains(&date.year())
}

/// Whether a text has this form. A `0` in the form stands for any digit, every other character for itself.
pub fn has_form(text: &str, form: &str) -> bool {
    let fits = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_a_date_a_time_and_a_zone() {
        for text in ["2027-01-05T13:00:00Z", "2027-01-05T13:00:00.25z", "2027-01-05T13:00:00+01:00"] {
            assert!(date_time(text).is_some(), "{text}");
        }
        for text in [
            "2027-01-05 13:00:00Z",
            "2027-01-05T13:00:00",
            "2027-01-05T13:00Z",
            "2027-1-05T13:00:00Z",
            "2027-01-05T13:00:00.Z",
            "2027-01-05T13:00:00+1:00",
            "2027-01-05T13:00:00 Z",
            "2027-01-05T25:00:00Z",
            "2027-01-05T13:00:001Z",
            "é",
            "",
        ] {
            assert!(date_time(text).is_none(), "{text}");
        }
    }
}
