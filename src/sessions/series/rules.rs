//! When a series takes place.

use chrono::{NaiveDate, NaiveDateTime};

use super::store::SeriesRow;
use super::types::SeriesInput;
use crate::db::LocalTime;
use crate::sessions::recurrence::{self, Expansion, Occurrence, Recurrence, RecurrenceError};

/// The occurrences of a series, in order: all of them, or through the horizon where it never ends.
///
/// # Errors
/// What is wrong with its times or its rule, and which member is at fault.
pub fn occurrences(series: &SeriesInput, horizon: NaiveDate) -> Result<Expansion, RecurrenceError> {
    recurrence::expand(
        &Recurrence {
            rule: &series.recurrence,
            local_start: series.local_start.0,
            tz: recurrence::parse_time_zone(&series.time_zone)?,
            excluded: &plain(&series.excluded),
            additional: &plain(&series.additional),
        },
        horizon,
    )
}

/// The occurrences of a series that exists, after one local date and through another.
///
/// # Errors
/// As [`occurrences`]; what is kept has been checked.
pub fn occurrences_between(
    series: &SeriesRow,
    after: NaiveDate,
    through: NaiveDate,
) -> Result<Vec<Occurrence>, RecurrenceError> {
    let recurrence = Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &plain(&series.excluded.0),
        additional: &plain(&series.additional.0),
    };
    recurrence::expand_between(&recurrence, after, through)
}

fn plain(times: &[LocalTime]) -> Vec<NaiveDateTime> {
    times.iter().map(|time| time.0).collect()
}
