//! SQL types and Rust values that mean the same on SQLite and on PostgreSQL.
//!
//! | concept | PostgreSQL | SQLite | Rust |
//! | --- | --- | --- | --- |
//! | id | `uuid` | `BLOB` (16 bytes) | [`Id`] |
//! | instant | `timestamptz` | `INTEGER`, microseconds since 1970 UTC | [`Timestamp`] |
//! | wall-clock time | `text` | `TEXT`, `YYYY-MM-DDTHH:MM:SS` | [`LocalTime`] |
//! | JSON | `jsonb` | `TEXT` | [`Json`] |
//! | enum | `text` and a CHECK | `TEXT` and a CHECK | an enum with [`text_enum!`](crate::text_enum) |

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, SqlType};
use diesel::sqlite::Sqlite;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::conn::MultiBackend;

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

/// The SQL type of a [`Json`] value.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct DbJson;

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
        use chrono::{Datelike, Timelike};
        let (date, time) = (self.0.date_naive(), self.0.time());
        let mut text = *b"0000-00-00T00:00:00Z";
        put(&mut text[0..4], date.year().clamp(0, 9999).unsigned_abs());
        put(&mut text[5..7], date.month());
        put(&mut text[8..10], date.day());
        put(&mut text[11..13], time.hour());
        put(&mut text[14..16], time.minute());
        put(&mut text[17..19], time.second());
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
        string_schema(SchemaFormat::Custom("local-date-time".into()), "2027-01-05T13:00:00").into()
    }
}

impl ToSchema for LocalTime {}

fn string_schema(format: SchemaFormat, example: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).examples([serde_json::json!(example)])
}

/// A value stored as JSON and never queried inside.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbJson)]
pub struct Json<T: fmt::Debug + 'static>(pub T);

/// Makes a type that has one text (`Display`) and is read from it (`FromStr`) a value of a text column.
#[macro_export]
macro_rules! text_value {
    ($name:ty) => {
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                let text = self.to_string();
                diesel::serialize::ToSql::<diesel::sql_types::Text, diesel::pg::Pg>::to_sql(&text, &mut out.reborrow())
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(
                bytes: <diesel::pg::Pg as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                let text = std::str::from_utf8(bytes.as_bytes())?;
                text.parse().map_err(|_| format!("{text:?} is no {}", stringify!($name)).into())
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
            ) -> diesel::serialize::Result {
                out.set_value(self.to_string());
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $name {
            fn from_sql(
                mut bytes: <diesel::sqlite::Sqlite as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                let text = bytes.read_text();
                text.parse().map_err(|_| format!("{text:?} is no {}", stringify!($name)).into())
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, $crate::db::conn::MultiBackend> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, $crate::db::conn::MultiBackend>,
            ) -> diesel::serialize::Result {
                out.set_value((diesel::sql_types::Text, self));
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, $crate::db::conn::MultiBackend> for $name {
            fn from_sql(
                bytes: <$crate::db::conn::MultiBackend as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                bytes.from_sql::<Self, diesel::sql_types::Text>()
            }
        }
    };
}

macro_rules! through_multi {
    ($value:ty, $sql:path) => {
        impl ToSql<$sql, MultiBackend> for $value {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($sql, self));
                Ok(IsNull::No)
            }
        }
        impl FromSql<$sql, MultiBackend> for $value {
            fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                bytes.from_sql::<$value, $sql>()
            }
        }
    };
}

through_multi!(Id, DbUuid);
through_multi!(Timestamp, DbTimestamp);

impl ToSql<DbUuid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<DbUuid, Pg> for Id {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Uuid, Pg>::from_sql(bytes).map(Id)
    }
}

impl ToSql<DbUuid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(&self.0.as_bytes()[..]);
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Sqlite> for Id {
    fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Id(Uuid::from_slice(bytes.read_blob())?))
    }
}

impl ToSql<DbTimestamp, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Timestamptz, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<DbTimestamp, Pg> for Timestamp {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Timestamptz, Pg>::from_sql(bytes).map(Timestamp)
    }
}

impl ToSql<DbTimestamp, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.timestamp_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<DbTimestamp, Sqlite> for Timestamp {
    fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = bytes.read_long();
        DateTime::from_timestamp_micros(micros)
            .map(Timestamp)
            .ok_or_else(|| format!("no instant at {micros} µs").into())
    }
}

text_value!(LocalTime);

impl<T: Serialize + fmt::Debug> ToSql<DbJson, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(&self.0)?;
        ToSql::<sql_types::Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
    }
}

impl<T: DeserializeOwned + fmt::Debug> FromSql<DbJson, Pg> for Json<T> {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        // One byte says in which form jsonb comes, and there is one form: text.
        match bytes.as_bytes().split_first() {
            Some((1, text)) => Ok(Json(serde_json::from_slice(text)?)),
            _ => Err("jsonb of an unknown form".into()),
        }
    }
}

impl<T: Serialize + fmt::Debug> ToSql<DbJson, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned + fmt::Debug> FromSql<DbJson, Sqlite> for Json<T> {
    fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Json(serde_json::from_str(bytes.read_text())?))
    }
}

impl<T: Serialize + fmt::Debug + Send + Sync + 'static> ToSql<DbJson, MultiBackend> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((DbJson, self));
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned + fmt::Debug + 'static> FromSql<DbJson, MultiBackend> for Json<T> {
    fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        bytes.from_sql::<Json<T>, DbJson>()
    }
}

/// An enum kept in a text column by its API name. Implemented by [`text_enum!`](crate::text_enum).
pub trait TextEnum: Sized + Copy + 'static {
    /// The name in the API and the database.
    fn name(self) -> &'static str;
}

/// Defines enums that have one `snake_case` name for each variant: in JSON, in the document and in a `Text` column on
/// both databases.
#[macro_export]
macro_rules! text_enum {
    ($($(#[$about:meta])* pub enum $name:ident { $($variants:tt)* })+) => { $(
        $(#[$about])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            serde::Serialize,
            serde::Deserialize,
            utoipa::ToSchema,
            strum::IntoStaticStr,
            strum::EnumString,
            diesel::expression::AsExpression,
            diesel::deserialize::FromSqlRow,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $($variants)* }

        impl $crate::db::types::TextEnum for $name {
            fn name(self) -> &'static str {
                self.into()
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::db::types::TextEnum::name(*self))
            }
        }
        $crate::text_value!($name);
    )+ };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_instant_is_written_as_chrono_writes_it(micros in 0i64..253_402_300_800_000_000) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            prop_assert_eq!(Timestamp(at).to_string(), at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        }

        #[test]
        fn a_local_time_reads_back(seconds in 0i64..253_402_300_800) {
            let local = LocalTime(DateTime::from_timestamp(seconds, 0).unwrap().naive_utc());
            prop_assert_eq!(local.to_string(), local.0.format("%Y-%m-%dT%H:%M:%S").to_string());
            prop_assert_eq!(local.to_string().parse::<LocalTime>().unwrap(), local);
        }
    }

    #[test]
    fn a_local_time_has_one_form() {
        for text in [
            "2027-01-05",
            "2027-01-05T13:00",
            "2027-01-05T13:00:00Z",
            "2027-01-05 13:00:00",
            "2027-1-05T13:00:00",
            "2027-02-29T13:00:00",
            "2027-01-05T24:00:00",
            "+027-01-05T13:00:00",
        ] {
            assert!(text.parse::<LocalTime>().is_err(), "{text}");
        }
    }
}
