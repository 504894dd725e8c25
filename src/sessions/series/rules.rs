//! When a series takes place.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime};

use super::store::SeriesRow;
use super::types::{SeriesChange, SeriesInput};
use crate::db::{Json, LocalTime};
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

/// The occurrences of a series that exists, after one local date and through another; none from where it was split.
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
    Ok(own(series, &recurrence::expand_between(&recurrence, after, through)?).into_owned())
}

/// Whether a series has an occurrence: where it was split, those before the cut. On that day the rule's own is on the
/// side where it was before the rule moved, unless it moves to an additional time of the series.
fn is_own(series: &SeriesRow, occurrence: &Occurrence) -> bool {
    let Some(LocalTime(cut)) = series.ends_before else { return true };
    let start = occurrence.local_start;
    if start.date() != cut.date() || !occurrence.by_rule {
        return start < cut;
    }
    series.rule_before_cut || (start < cut && series.additional.0.contains(&LocalTime(start)))
}

/// Of the occurrences that were stated, those that the series has; they are counted within their day without the
/// others.
pub fn own<'a>(series: &SeriesRow, stated: &'a [Occurrence]) -> Cow<'a, [Occurrence]> {
    if series.ends_before.is_none() {
        return Cow::Borrowed(stated);
    }
    let mut own: Vec<Occurrence> = stated.iter().filter(|one| is_own(series, one)).copied().collect();
    let mut before: Option<(NaiveDate, i32)> = None;
    for one in &mut own {
        let date = one.local_start.date();
        one.position = before.filter(|(day, _)| *day == date).map_or(0, |(_, position)| position + 1);
        before = Some((date, one.position));
    }
    Cow::Owned(own)
}

/// The occurrences of a series as it is kept, in order, as far as it has sessions or to the horizon where it never
/// ends; none from where it was split.
///
/// # Errors
/// What is wrong with its times or its rule, and which member is at fault.
pub fn occurrences_of(series: &SeriesRow, horizon: NaiveDate) -> Result<Expansion, RecurrenceError> {
    let (excluded, additional) = (plain(&series.excluded.0), plain(&series.additional.0));
    let whole = Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &excluded,
        additional: &additional,
    };
    let horizon = series.expanded_until.unwrap_or(horizon).max(horizon);
    let Expansion { occurrences, until } = recurrence::expand_kept(&whole, horizon)?;
    Ok(Expansion { occurrences: own(series, &occurrences).into_owned(), until })
}

/// Whether the rule of a series gives a session, excluded or not, before a cut on the day of that.
///
/// # Errors
/// As [`occurrences`]; what is kept has been checked.
pub fn gives_before(series: &SeriesRow, LocalTime(cut): LocalTime) -> Result<bool, RecurrenceError> {
    let rule = Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &[],
        additional: &[],
    };
    let day_before = cut.date().pred_opt().unwrap_or(NaiveDate::MIN);
    Ok(recurrence::expand_between(&rule, day_before, cut.date())?.iter().any(|one| one.local_start < cut))
}

/// The series with what its rule and its times give from `from` on, and whether that is still its rule; else an
/// additional time takes the rule's place.
///
/// # Errors
/// What is wrong with its rule, or that nothing is left.
pub fn rest_of(series: &SeriesRow, from: LocalTime) -> Result<(SeriesRow, bool), RecurrenceError> {
    let whole = Recurrence {
        rule: &series.recurrence,
        local_start: series.local_start.0,
        tz: recurrence::parse_time_zone(&series.time_zone)?,
        excluded: &plain(&series.excluded.0),
        additional: &plain(&series.additional.0),
    };
    let rest = recurrence::rest_from(&whole, from.0)?;
    let local = |times: Vec<NaiveDateTime>| Json(times.into_iter().map(LocalTime).collect());
    let row = SeriesRow {
        local_start: LocalTime(rest.local_start),
        recurrence: rest.rule,
        excluded: local(rest.excluded),
        additional: local(rest.additional),
        ..series.clone()
    };
    Ok((row, rest.goes_on))
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
