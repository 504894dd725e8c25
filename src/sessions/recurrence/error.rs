//! What can be wrong with a recurrence.

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime};

use super::{EARLIEST_YEAR, LATEST_YEAR, MAX_DAYS, MAX_EXCLUDED, MAX_OCCURRENCES};

/// Why a recurrence can't be expanded. Displayed as a sentence for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecurrenceError {
    /// The rule doesn't follow RFC 5545.
    MalformedRule {
        /// What is wrong, as a clause.
        detail: String,
        /// The frequency that was probably meant, for an example of a correct rule.
        frequency: &'static str,
    },
    /// The rule follows the standard, but has a part that this service doesn't support.
    UnsupportedRulePart {
        /// The part, such as `BYHOUR` or `FREQ=HOURLY`.
        part: String,
    },
    /// More occurrences than [`MAX_OCCURRENCES`].
    TooManyOccurrences {
        /// The last date that was to be listed, if the rule has no end.
        until: Option<NaiveDate>,
    },
    /// It looks at more days than it may, such as [`MAX_DAYS`].
    TooManyDays,
    /// Every occurrence is excluded.
    NoOccurrences,
    /// More excluded times than [`MAX_EXCLUDED`].
    TooManyExcluded,
    /// The local start isn't an occurrence of its own rule.
    StartNotInRule {
        /// The given start.
        local_start: NaiveDateTime,
        /// The rule's first occurrence after it, if it has one.
        first: Option<NaiveDateTime>,
    },
    /// No time zone of the IANA database has this name.
    UnknownTimeZone {
        /// The given name, shortened if it is long.
        name: String,
    },
    /// A local time that isn't written as `YYYY-MM-DDTHH:MM:SS`, or that doesn't exist on any calendar.
    MalformedLocalTime {
        /// The field of the series: `local_start`, `excluded` or `additional`.
        field: &'static str,
        /// The given text, shortened if it is long.
        value: String,
    },
    /// A time before [`EARLIEST_YEAR`] or after [`LATEST_YEAR`].
    OutOfRange {
        /// The field of the series: `recurrence`, `local_start` or `additional`.
        field: &'static str,
    },
}

impl RecurrenceError {
    /// The stable name of the error, in snake_case, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MalformedRule { .. } => "malformed_rule",
            Self::UnsupportedRulePart { .. } => "unsupported_rule_part",
            Self::TooManyOccurrences { .. } => "too_many_occurrences",
            Self::TooManyDays => "too_many_days",
            Self::NoOccurrences => "no_occurrences",
            Self::TooManyExcluded => "too_many_excluded",
            Self::StartNotInRule { .. } => "start_not_in_rule",
            Self::UnknownTimeZone { .. } => "unknown_time_zone",
            Self::MalformedLocalTime { .. } => "malformed_local_time",
            Self::OutOfRange { .. } => "date_out_of_range",
        }
    }

    /// The field of a series that is at fault: `recurrence`, `local_start`, `time_zone`, `excluded` or `additional`.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::MalformedRule { .. }
            | Self::UnsupportedRulePart { .. }
            | Self::TooManyOccurrences { .. }
            | Self::TooManyDays
            | Self::NoOccurrences => "recurrence",
            Self::TooManyExcluded => "excluded",
            Self::StartNotInRule { .. } => "local_start",
            Self::UnknownTimeZone { .. } => "time_zone",
            Self::MalformedLocalTime { field, .. } | Self::OutOfRange { field } => field,
        }
    }

    /// A malformed rule, with what is wrong as a clause.
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::MalformedRule { detail: detail.into(), frequency: "WEEKLY" }
    }

    /// The same, with the frequency that the rule's text names, if it names one.
    pub(super) fn meaning(self, rule: &str) -> Self {
        let rule = rule.to_ascii_uppercase();
        let named = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].into_iter().find(|name| rule.contains(name));
        match self {
            Self::MalformedRule { detail, frequency } => {
                Self::MalformedRule { detail, frequency: named.unwrap_or(frequency) }
            }
            other => other,
        }
    }
}

impl fmt::Display for RecurrenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedRule { detail, frequency } => {
                write!(f, "The recurrence is malformed: {detail}. Write it like FREQ={frequency};COUNT=10.")
            }
            Self::UnsupportedRulePart { part } => write!(
                f,
                "{part} isn't supported in a recurrence. Use DAILY, WEEKLY, MONTHLY or YEARLY with INTERVAL, \
                 BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS or WKST; list other times as additional."
            ),
            Self::TooManyOccurrences { until: Some(until) } => write!(
                f,
                "The recurrence has more than {MAX_OCCURRENCES} occurrences from its start to {until}. Start it later, or split it into several series."
            ),
            Self::TooManyOccurrences { until: None } => write!(
                f,
                "The recurrence has more than {MAX_OCCURRENCES} occurrences. End it earlier, or split it into several series."
            ),
            Self::TooManyDays => write!(
                f,
                "The recurrence goes through more than {MAX_DAYS} days to find its occurrences. Start it later, end it earlier, or choose a FREQ that comes nearer to it."
            ),
            Self::NoOccurrences => {
                write!(f, "Nothing would take place: every time of the recurrence is excluded. Exclude fewer times.")
            }
            Self::TooManyExcluded => {
                write!(f, "There are more than {MAX_EXCLUDED} excluded times. List only those that the rule gives.")
            }
            Self::StartNotInRule { local_start, first: Some(first) } => write!(
                f,
                "The start {} isn't an occurrence of its recurrence. Start at {}, the next one, or change the recurrence.",
                local_start.format("%FT%T"),
                first.format("%FT%T")
            ),
            Self::StartNotInRule { local_start, first: None } => write!(
                f,
                "The start {} isn't an occurrence of its recurrence, which has none from then on. \
                 Change the start or the recurrence.",
                local_start.format("%FT%T")
            ),
            Self::UnknownTimeZone { name } => write!(
                f,
                "{name} isn't a time zone. Use a name of the IANA database with its exact case, such as Europe/London."
            ),
            Self::MalformedLocalTime { value, .. } => write!(
                f,
                "{value} isn't a local time. Write it as 2027-01-05T13:00:00, in whole seconds and without an offset."
            ),
            Self::OutOfRange { .. } => write!(
                f,
                "Occurrences must lie in the years {EARLIEST_YEAR} to {LATEST_YEAR}, and some don't. Choose other dates, or end the recurrence earlier."
            ),
        }
    }
}

impl std::error::Error for RecurrenceError {}

/// The value in quotation marks, cut after 40 characters, control characters escaped.
pub(super) fn quoted(value: &str) -> String {
    match value.char_indices().nth(40) {
        Some((end, _)) => format!("{:?} …", &value[..end]),
        None => format!("{value:?}"),
    }
}
