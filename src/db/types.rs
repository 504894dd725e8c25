//! The SQL types and Rust types that SQLite and PostgreSQL share.
//!
//! | concept | PostgreSQL | SQLite | Rust |
//! | --- | --- | --- | --- |
//! | id | `uuid` | `BLOB` (16 bytes) | [`Id`] |
//! | instant | `timestamptz` | `INTEGER`, microseconds since 1970 UTC | [`Timestamp`] |
//! | wall-clock time | `text` | `TEXT`, `YYYY-MM-DDTHH:MM:SS` | [`LocalTime`] |
//! | JSON | `jsonb` | `TEXT` | [`Json`] |
//! | enum | `text` and a CHECK | `TEXT` and a CHECK | an enum with [`text_enum!`](crate::text_enum) |

use std::fmt;

use chrono::DateTime;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, SqlType};
use diesel::sqlite::Sqlite;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use validator::{Validate, ValidationErrors};

use super::conn::MultiBackend;
pub use crate::clock::{DbTimestamp, DbUuid, Id, LocalTime, Timestamp};

/// The SQL type of a [`Json`] value.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct DbJson;

/// A value stored as JSON. No query looks inside it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[serde(transparent)]
#[diesel(sql_type = DbJson)]
pub struct Json<T: fmt::Debug + 'static>(pub T);

impl<T: Validate + fmt::Debug> Validate for Json<T> {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        self.0.validate()
    }
}

/// Lets the common connection type pass a value on to either database.
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

/// Makes a type with `Display` and `FromStr` a value of a text column.
#[macro_export]
macro_rules! text_value {
    ($name:ty) => {
        const _: () = {
            use diesel::backend::Backend;
            use diesel::deserialize::{FromSql, Result as Read};
            use diesel::pg::Pg;
            use diesel::serialize::{IsNull, Output, Result as Written, ToSql};
            use diesel::sql_types::Text;
            use diesel::sqlite::Sqlite;
            use $crate::db::conn::MultiBackend;

            fn read(text: &str) -> Read<$name> {
                text.parse().map_err(|_| format!("{text:?} is no {}", stringify!($name)).into())
            }

            impl ToSql<Text, Pg> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> Written {
                    ToSql::<Text, Pg>::to_sql(&self.to_string(), &mut out.reborrow())
                }
            }
            impl FromSql<Text, Pg> for $name {
                fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> Read<Self> {
                    read(std::str::from_utf8(bytes.as_bytes())?)
                }
            }
            impl ToSql<Text, Sqlite> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> Written {
                    out.set_value(self.to_string());
                    Ok(IsNull::No)
                }
            }
            impl FromSql<Text, Sqlite> for $name {
                fn from_sql(mut bytes: <Sqlite as Backend>::RawValue<'_>) -> Read<Self> {
                    read(bytes.read_text())
                }
            }
            impl ToSql<Text, MultiBackend> for $name {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> Written {
                    out.set_value((Text, self));
                    Ok(IsNull::No)
                }
            }
            impl FromSql<Text, MultiBackend> for $name {
                fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> Read<Self> {
                    bytes.from_sql::<Self, Text>()
                }
            }
        };
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
        // The first byte is the version of the jsonb format. There is only version 1: the rest is text.
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

/// An enum that a text column stores by its API name. [`text_enum!`](crate::text_enum) implements this trait.
pub trait TextEnum: Sized + Copy + 'static {
    /// The name in the API and the database.
    fn name(self) -> &'static str;
}

/// Defines enums whose variants have `snake_case` names. JSON, the OpenAPI document and the `Text` columns of both
/// databases use the same names.
#[macro_export]
macro_rules! text_enum {
    ($($(#[doc = $about:literal])+ $(#[derive($($traits:tt)+)])* pub enum $name:ident { $($variants:tt)* })+) => { $(
        $crate::described! {
            $(#[doc = $about])+
            #[derive(strum::IntoStaticStr, strum::EnumString)]
            #[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
            $(#[derive($($traits)+)])*
            #[diesel(sql_type = diesel::sql_types::Text)]
            pub enum $name { $($variants)* }
        }

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
