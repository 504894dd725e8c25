//! Identifiers, instants and wall-clock times, with the SQL types of the first two. How each database stores them is
//! said in `db::types`.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::sql_types::{self, SqlType};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// The SQL type of an [`Id`].
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct DbUuid;

/// The SQL type of a [`Timestamp`].
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct DbTimestamp;

/// An identifier: a UUID of version 7 (RFC 9562), so that rows sort by the time they were made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[serde(transparent)]
#[diesel(sql_type = DbUuid)]
pub struct Id(pub Uuid);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Id {
    type Err = uuid::Error;

    /// Reads the hyphenated form only: the one this API writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 36 {
            return Uuid::try_parse("").map(Id);
        }
        Uuid::try_parse(text).map(Id)
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        string_schema(SchemaFormat::KnownFormat(KnownFormat::Uuid), "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41").into()
    }
}

impl ToSchema for Id {}

/// An instant, kept to the microsecond and shown as RFC 3339 in UTC to the second (`2027-01-05T13:00:00Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbTimestamp)]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// This instant moved by so many seconds.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + chrono::TimeDelta::seconds(seconds))
    }

    /// The text of RFC 3339 in UTC to the second, written without chrono's formatter: it is half of the cost of a page.
    fn rfc3339(self) -> [u8; 20] {
        let mut text = [b'Z'; 20];
        text[..19].copy_from_slice(&LocalTime(self.0.naive_utc()).text());
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.rfc3339()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.rfc3339()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Timestamp)
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        string_schema(SchemaFormat::KnownFormat(KnownFormat::DateTime), "2027-01-05T13:00:00Z").into()
    }
}

impl ToSchema for Timestamp {}

/// A date and a time on the wall, without a zone (`2027-01-05T13:00:00`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub struct LocalTime(pub NaiveDateTime);

/// Writes digits into a text of digits, without chrono's formatter: it is half of the cost of a page.
fn put(text: &mut [u8], mut value: u32) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

impl LocalTime {
    fn text(self) -> [u8; 19] {
        use chrono::{Datelike, Timelike};
        let (date, time) = (self.0.date(), self.0.time());
        let mut text = *b"0000-00-00T00:00:00";
        put(&mut text[0..4], date.year().clamp(0, 9999).unsigned_abs());
        put(&mut text[5..7], date.month());
        put(&mut text[8..10], date.day());
        put(&mut text[11..13], time.hour());
        put(&mut text[14..16], time.minute());
        put(&mut text[17..19], time.second());
        text
    }

    /// The value of exactly `YYYY-MM-DDTHH:MM:SS`, where all but the digits is as it must be.
    fn read(text: &[u8]) -> Option<NaiveDateTime> {
        let form = b"0000-00-00T00:00:00";
        let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
        if text.len() != form.len() || !text.iter().zip(form).all(fits) {
            return None;
        }
        let number = |digits: &[u8]| digits.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        let year = i32::try_from(number(&text[0..4])).ok()?;
        let date = chrono::NaiveDate::from_ymd_opt(year, number(&text[5..7]), number(&text[8..10]))?;
        date.and_hms_opt(number(&text[11..13]), number(&text[14..16]), number(&text[17..19]))
    }
}

/// What is no local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoLocalTime;

impl fmt::Display for NoLocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no local date and time such as 2027-01-05T13:00:00")
    }
}

impl std::error::Error for NoLocalTime {}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl std::str::FromStr for LocalTime {
    type Err = NoLocalTime;

    /// Reads exactly `YYYY-MM-DDTHH:MM:SS`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text.as_bytes()).map(LocalTime).ok_or(NoLocalTime)
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("expected a local date and time such as 2027-01-05T13:00:00"))
    }
}

impl PartialSchema for LocalTime {
    fn schema() -> RefOr<Schema> {
        string_schema(SchemaFormat::Custom("date-time-local".into()), "2027-01-05T13:00:00").into()
    }
}

impl ToSchema for LocalTime {}

fn string_schema(format: SchemaFormat, example: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).examples([serde_json::json!(example)])
}
