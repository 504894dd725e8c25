//! When a series takes place.

use std::collections::HashSet;

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use super::store::SeriesRow;
use super::types::{Repetition, SeriesChange, SeriesInput};
use crate::db::{Json, LocalTime, Timestamp};
use crate::sessions::activity::Activity;
use crate::sessions::recurrence::{self, Expansion, Occurrence, Recurrence, RecurrenceError, Work};

/// The occurrences of a new series, in order. If the series never ends, those up to the horizon.
///
/// # Errors
/// What is wrong with its times or its rule, and which field is at fault. Also if nothing would take place.
pub fn occurrences(series: &SeriesInput, horizon: NaiveDate) -> Result<Expansion, RecurrenceError> {
    let times = Times::of(&series.activity, &series.repetition)?;
    recurrence::some(recurrence::expand(&times.recurrence(&Work::of_one()), horizon)?)
}

/// The parsed times of a series.
struct Times<'a> {
    rule: &'a str,
    local_start: NaiveDateTime,
    tz: Tz,
    excluded: Vec<NaiveDateTime>,
    additional: Vec<NaiveDateTime>,
}

impl<'a> Times<'a> {
    fn of(activity: &Activity, repetition: &'a Repetition) -> Result<Self, RecurrenceError> {
        let plain = |times: &Json<Vec<LocalTime>>| times.0.iter().map(|time| time.0).collect();
        Ok(Self {
            rule: &repetition.recurrence,
            local_start: activity.local_start.0,
            tz: recurrence::parse_time_zone(&activity.time_zone)?,
            excluded: plain(&repetition.excluded),
            additional: plain(&repetition.additional),
        })
    }

    fn of_row(series: &'a SeriesRow) -> Result<Self, RecurrenceError> {
        Self::of(&series.activity, &series.repetition)
    }

    fn recurrence<'w>(&'w self, work: &'w Work) -> Recurrence<'w> {
        Recurrence {
            rule: self.rule,
            local_start: self.local_start,
            tz: self.tz,
            excluded: &self.excluded,
            additional: &self.additional,
            work,
        }
    }
}

/// The occurrences of an existing series after the local date `after`, through the date `through`, but not from the day
/// on which the series ends.
///
/// # Errors
/// As [`occurrences`], though a series that is kept has been checked.
pub fn occurrences_between(
    series: &SeriesRow,
    after: NaiveDate,
    through: NaiveDate,
) -> Result<Vec<Occurrence>, RecurrenceError> {
    let mut stated = recurrence::expand_between(&Times::of_row(series)?.recurrence(&Work::of_kept()), after, through)?;
    stated.truncate(own(series, &stated).len());
    Ok(stated)
}

/// The stated occurrences of a series that lie before the day on which it ends. `stated` must be in order.
pub fn own<'a>(series: &SeriesRow, stated: &'a [Occurrence]) -> &'a [Occurrence] {
    let Some(end) = series.ending.0.before() else { return stated };
    stated.get(..stated.partition_point(|one| one.local_start.date() < end)).unwrap_or(stated)
}

/// The occurrences that an existing series states, in order. If the series never ends, those up to the horizon, or as
/// far as it has sessions. `work` bounds the days to look at.
///
/// # Errors
/// What is wrong with its times or its rule, and which field is at fault.
pub fn stated_by(series: &SeriesRow, horizon: NaiveDate, work: &Work) -> Result<Expansion, RecurrenceError> {
    let horizon = series.expanded_until.unwrap_or(horizon).max(horizon);
    recurrence::expand_kept(&Times::of_row(series)?.recurrence(work), horizon)
}

/// The occurrences that an existing series states, in order, for which sessions have been made so far.
///
/// # Errors
/// As [`stated_by`], though a series that is kept has been checked.
pub fn stated_so_far(series: &SeriesRow) -> Result<Expansion, RecurrenceError> {
    stated_by(series, NaiveDate::MIN, &Work::of_kept())
}

/// The series with only the occurrences from a local date on. If its rule has ended, an additional time takes the rule's
/// place.
///
/// # Errors
/// What is wrong with its rule, or that nothing is left.
pub fn rest_of(series: &SeriesRow, from: NaiveDate) -> Result<SeriesRow, RecurrenceError> {
    let rest = recurrence::rest_from(&Times::of_row(series)?.recurrence(&Work::of_kept()), from)?;
    let local = |times: Vec<NaiveDateTime>| Json(times.into_iter().map(LocalTime).collect());
    Ok(SeriesRow {
        activity: Activity { local_start: LocalTime(rest.local_start), ..series.activity.clone() },
        repetition: Repetition {
            recurrence: rest.rule,
            excluded: local(rest.excluded),
            additional: local(rest.additional),
        },
        ..series.clone()
    })
}

/// If the rule moves to another time of day, moves the excluded times too. Excluded additional times stay, because
/// additional times don't move. An excluded time that the rule doesn't give now moves as well: a later rule may give it.
///
/// # Errors
/// What is wrong with the old rule, though a series that is kept has been checked.
pub fn move_excluded(change: &mut SeriesChange, old: &SeriesRow) -> Result<(), RecurrenceError> {
    let (was, is) = (old.activity.local_start.0.time(), change.activity.local_start.0.time());
    let of_rule = |time: &&LocalTime| time.0.time() == was;
    let days: Vec<NaiveDate> = change.repetition.excluded.0.iter().filter(of_rule).map(|time| time.0.date()).collect();
    if was == is || days.is_empty() {
        return Ok(());
    }
    let days = recurrence::rule_dates(&Times::of_row(old)?.recurrence(&Work::of_kept()), &days)?;
    let (stays, moves): (Vec<LocalTime>, Vec<LocalTime>) = change
        .repetition
        .excluded
        .0
        .iter()
        .partition(|time| time.0.time() != was || change.repetition.additional.0.contains(time));
    let gives = |time: &&LocalTime| time.0.time() == was && days.contains(&time.0.date());
    let moved = moves.iter().chain(stays.iter().filter(gives));
    let moved = moved.map(|time| LocalTime(time.0.date().and_time(is)));
    change.repetition.excluded = Json(recurrence::set_of(stays.iter().copied().chain(moved)));
    Ok(())
}

/// If the series moves to another time of day or to another zone, moves the UNTIL of its rule too.
///
/// # Errors
/// What is wrong with the old rule or the new zone.
pub fn move_until(change: &mut SeriesChange, old: &SeriesRow) -> Result<(), RecurrenceError> {
    let zone = recurrence::parse_time_zone;
    let from = (old.activity.local_start.0.time(), zone(&old.activity.time_zone)?);
    let to = (change.activity.local_start.0.time(), zone(&change.activity.time_zone)?);
    if from != to {
        change.repetition.recurrence = recurrence::moved(&old.repetition.recurrence, from, to)?;
    }
    Ok(())
}

/// Whether a local start of a series is still to come.
pub fn is_to_come(series: &SeriesRow, local_start: LocalTime, now: Timestamp) -> bool {
    let zone = recurrence::parse_time_zone(&series.activity.time_zone);
    zone.is_ok_and(|zone| recurrence::resolve(local_start.0, zone) > now.0)
}

/// The excluded times of a series that exclude nothing. `work` bounds the days to look at.
///
/// # Errors
/// As [`occurrences`], though a series that is kept has been checked.
pub fn idle_exclusions(series: &SeriesRow, work: &Work) -> Result<Vec<LocalTime>, RecurrenceError> {
    let idle = recurrence::idle_exclusions(&Times::of_row(series)?.recurrence(work))?;
    Ok(idle.into_iter().map(LocalTime).collect())
}

/// The occurrences among these that the version before didn't state. A time isn't new if it was stated before, whether
/// by the rule or as an additional time.
pub fn newly_stated<'a>(old: &SeriesRow, among: &[&'a Occurrence]) -> Vec<&'a Occurrence> {
    let last = among.iter().map(|one| one.local_start.date()).max();
    let stated = last.and_then(|last| {
        let times = Times::of_row(old).ok()?;
        recurrence::expand_between(&times.recurrence(&Work::of_kept()), NaiveDate::MIN, last).ok()
    });
    let places: HashSet<_> = stated.iter().flatten().map(|one| one.key.place()).collect();
    let starts: HashSet<NaiveDateTime> = stated.iter().flatten().map(|one| one.local_start).collect();
    let new = among.iter().copied();
    let new = new.filter(|one| !places.contains(&one.key.place()) && !starts.contains(&one.local_start));
    new.collect()
}
