//! When a series takes place.

use chrono::NaiveDateTime;

use super::types::SeriesInput;
use crate::sessions::recurrence::{self, Occurrence, Recurrence, RecurrenceError};

/// Every occurrence of a series, in order.
///
/// # Errors
/// What is wrong with its times or its rule, and which member is at fault.
pub fn occurrences(series: &SeriesInput) -> Result<Vec<Occurrence>, RecurrenceError> {
    let excluded: Vec<NaiveDateTime> = series.excluded.iter().map(|time| time.0).collect();
    let additional: Vec<NaiveDateTime> = series.additional.iter().map(|time| time.0).collect();
    recurrence::expand(&Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &excluded,
        additional: &additional,
    })
}
