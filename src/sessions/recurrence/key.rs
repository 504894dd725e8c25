//! The key of an occurrence: it says which occurrence of its series a session is.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use serde::{Deserialize, Serialize};

use crate::db::LocalTime;
use crate::text::date::full_date;
use crate::text_value;

/// The key of an occurrence: it says which occurrence of its series a session is.
///
/// A rule gives at most one occurrence a day, so the date is the key. The key stays the same if the rule moves to
/// another time of day. The key of an additional time is that time. Neither key changes if the session is moved by hand
/// (RFC 5545, section 3.8.4.4: an instance is known by its original start).
///
/// As text, and in the database, a key is `2027-02-09` or `2027-02-09T10:00:00`. The texts sort in the order of the
/// keys.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[serde(into = "String", try_from = "String")]
#[diesel(sql_type = diesel::sql_types::Text)]
pub enum OccurrenceKey {
    /// The rule's occurrence on this local date.
    Rule(NaiveDate),
    /// The additional occurrence with this local start.
    Additional(NaiveDateTime),
}

impl OccurrenceKey {
    /// The local date.
    pub fn date(self) -> NaiveDate {
        match self {
            Self::Rule(date) => date,
            Self::Additional(start) => start.date(),
        }
    }
}

impl fmt::Display for OccurrenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(date) => write!(f, "{date}"),
            Self::Additional(start) => LocalTime(*start).fmt(f),
        }
    }
}

/// The error for a text that is no [`OccurrenceKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoOccurrenceKey;

impl fmt::Display for NoOccurrenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is neither a date such as 2027-02-09 nor a local time such as 2027-02-09T10:00:00")
    }
}

impl std::error::Error for NoOccurrenceKey {}

impl FromStr for OccurrenceKey {
    type Err = NoOccurrenceKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = match text.len() {
            10 => full_date(text).map(Self::Rule),
            _ => text.parse().ok().map(|LocalTime(local)| Self::Additional(local)),
        };
        key.ok_or(NoOccurrenceKey)
    }
}

impl From<OccurrenceKey> for String {
    fn from(key: OccurrenceKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for OccurrenceKey {
    type Error = NoOccurrenceKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

text_value!(OccurrenceKey);

#[cfg(test)]
mod tests {
    use super::super::tests::local;
    use super::*;

    #[test]
    fn a_key_reads_back_and_sorts_as_its_text_does() {
        let start = local("2027-02-09T10:00:00");
        let mut keys = [
            OccurrenceKey::Additional(start),
            OccurrenceKey::Rule(local("2027-02-10T00:00:00").date()),
            OccurrenceKey::Rule(start.date()),
        ];
        for key in keys {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        keys.sort_by_key(ToString::to_string);
        assert_eq!(keys.map(|key| key.to_string()), ["2027-02-09", "2027-02-09T10:00:00", "2027-02-10"]);
        for text in ["", "2027-2-9", "2027-02-09T10:00", "2027-02-30", "today"] {
            assert_eq!(text.parse::<OccurrenceKey>(), Err(NoOccurrenceKey), "{text}");
        }
    }
}
