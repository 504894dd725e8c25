//! When a series takes place.

use chrono::NaiveDateTime;

use super::store::SeriesRow;
use super::types::{SeriesChange, SeriesInput};
use crate::db::{Json, LocalTime};
use crate::sessions::recurrence::{self, Occurrence, Recurrence, RecurrenceError};

/// Every occurrence of a series, in order.
///
/// # Errors
/// What is wrong with its times or its rule, and which member is at fault.
pub fn occurrences(series: &SeriesInput) -> Result<Vec<Occurrence>, RecurrenceError> {
    recurrence::expand(&Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &plain(&series.excluded),
        additional: &plain(&series.additional),
    })
}

/// Every occurrence of a series as it is kept, in order; none from where it was split.
///
/// # Errors
/// What is wrong with its times or its rule, and which member is at fault.
pub fn occurrences_of(series: &SeriesRow) -> Result<Vec<Occurrence>, RecurrenceError> {
    let mut occurrences = recurrence::expand(&Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &plain(&series.excluded.0),
        additional: &plain(&series.additional.0),
    })?;
    occurrences.retain(|occurrence| series.ends_before.is_none_or(|cut| occurrence.local_start < cut.0));
    Ok(occurrences)
}

/// The series with what its rule and its times give from `from` on.
///
/// # Errors
/// What is wrong with its rule, or that nothing is left.
pub fn rest_of(series: &SeriesRow, from: LocalTime) -> Result<SeriesRow, RecurrenceError> {
    let whole = Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &plain(&series.excluded.0),
        additional: &plain(&series.additional.0),
    };
    let rest = recurrence::rest_from(&whole, from.0)?;
    let local = |times: Vec<NaiveDateTime>| Json(times.into_iter().map(LocalTime).collect());
    Ok(SeriesRow {
        local_start: LocalTime(rest.local_start),
        recurrence: rest.rule,
        excluded: local(rest.excluded),
        additional: local(rest.additional),
        ..series.clone()
    })
}

/// Where the time of day changes, what was excluded is excluded at the new one.
pub fn move_excluded(change: &mut SeriesChange, old: &SeriesRow) {
    let (was, is) = (old.local_start.0.time(), change.local_start.0.time());
    for time in change.excluded.iter_mut().filter(|time| time.0.time() == was) {
        *time = LocalTime(time.0.date().and_time(is));
    }
}

fn plain(times: &[LocalTime]) -> Vec<NaiveDateTime> {
    times.iter().map(|time| time.0).collect()
}
