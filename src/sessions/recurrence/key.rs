//! The key of an occurrence: it says which occurrence of its series a session is.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use serde::{Deserialize, Serialize};

use crate::db::LocalTime;
use crate::text_value;

/// The key of an occurrence: it says which occurrence of its series a session is, and which start it had when it was
/// last stated.
///
/// A rule gives at most one occurrence a day, so its [`place`](Self::place) is the date. The place stays the same if the
/// rule moves to another time of day. The place of an additional time is that time. Neither changes if the session is
/// moved by hand (RFC 5545, section 3.8.4.4: an instance is known by its original start).
///
/// As text, and in the database, a key is `2027-02-09T13:00:00`. The key of an additional time has a `+` behind it. The
/// texts sort in the order of the keys.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[serde(into = "String", try_from = "String")]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct OccurrenceKey {
    /// The local start that was stated last.
    pub start: NaiveDateTime,
    /// Whether it is an additional time, not one of the rule's.
    pub is_additional: bool,
}

impl OccurrenceKey {
    /// The key of the rule's occurrence with this local start.
    pub fn rule(start: NaiveDateTime) -> Self {
        Self { start, is_additional: false }
    }

    /// The key of the additional occurrence with this local start.
    pub fn additional(start: NaiveDateTime) -> Self {
        Self { start, is_additional: true }
    }

    /// The least key on a local date.
    pub fn first_on(date: NaiveDate) -> Self {
        Self::rule(date.and_time(NaiveTime::MIN))
    }

    /// The local date.
    pub fn date(self) -> NaiveDate {
        self.start.date()
    }

    /// What the occurrence is known by: the local date, and the time of day if it is an additional one.
    pub fn place(self) -> (NaiveDate, Option<NaiveTime>) {
        (self.date(), self.is_additional.then(|| self.start.time()))
    }
}

impl fmt::Display for OccurrenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", LocalTime(self.start), if self.is_additional { "+" } else { "" })
    }
}

/// The error for a text that is no [`OccurrenceKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoOccurrenceKey;

impl fmt::Display for NoOccurrenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no local time such as 2027-02-09T10:00:00, with or without a plus sign behind it")
    }
}

impl std::error::Error for NoOccurrenceKey {}

impl FromStr for OccurrenceKey {
    type Err = NoOccurrenceKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let start = text.strip_suffix('+');
        let LocalTime(local) = start.unwrap_or(text).parse().map_err(|_| NoOccurrenceKey)?;
        Ok(Self { start: local, is_additional: start.is_some() })
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
            OccurrenceKey::additional(start),
            OccurrenceKey::first_on(local("2027-02-10T10:00:00").date()),
            OccurrenceKey::rule(start),
        ];
        for key in keys {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        keys.sort();
        let texts = keys.map(|key| key.to_string());
        assert!(texts.is_sorted());
        assert_eq!(texts, ["2027-02-09T10:00:00", "2027-02-09T10:00:00+", "2027-02-10T00:00:00"]);
        for text in ["", "2027-02-09", "2027-02-09T10:00", "2027-02-30T10:00:00", "2027-02-09T10:00:00++", "today"] {
            assert_eq!(text.parse::<OccurrenceKey>(), Err(NoOccurrenceKey), "{text}");
        }
    }
}
