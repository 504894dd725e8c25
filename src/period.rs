//! The period of a report: a calendar month, a financial year, or all.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// The period of a report. It is written as `2026-11`, `2026-27` or `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Period {
    /// A calendar month, by its first day.
    Month(NaiveDate),
    /// A financial year, by the year in which it begins in April.
    FinancialYear(i32),
    /// Everything since the first day of the reports' periods.
    All,
}

/// The sentence for a text that isn't a period.
pub const FORMAT: &str =
    "Must be a month such as 2026-11, a financial year from April to March such as 2026-27, or all.";

impl FromStr for Period {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::All);
        }
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (year, rest) = text.split_once('-').filter(|(a, b)| a.len() == 4 && b.len() == 2).ok_or(FORMAT)?;
        if !digits(year) || !digits(rest) {
            return Err(FORMAT);
        }
        let (year, number): (i32, u32) = (year.parse().map_err(|_| FORMAT)?, rest.parse().map_err(|_| FORMAT)?);
        if !(1900..=2199).contains(&year) {
            return Err(FORMAT);
        }
        // A text that could be a month or a financial year, such as 2011-12, is read as a month. Reports can't begin
        // before April 2012, so this never matters.
        if let Some(first) = NaiveDate::from_ymd_opt(year, number, 1) {
            return Ok(Self::Month(first));
        }
        if (year + 1) % 100 == number as i32 { Ok(Self::FinancialYear(year)) } else { Err(FORMAT) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month(first) => write!(f, "{}", first.format("%Y-%m")),
            Self::FinancialYear(year) => write!(f, "{year}-{:02}", (year + 1) % 100),
            Self::All => f.write_str("all"),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl PartialSchema for Period {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("report-period".into())))
            .pattern(Some("^(all|[0-9]{4}-[0-9]{2})$"))
            .description(Some("A month (`2026-11`), a financial year from April to March (`2026-27`), or `all`."))
            .examples(["2026-27"])
            .into()
    }
}

impl ToSchema for Period {
    fn name() -> std::borrow::Cow<'static, str> {
        "ReportPeriod".into()
    }
}
