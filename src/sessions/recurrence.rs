//! When a series takes place: from an RFC 5545 recurrence rule to occurrences with instants.
//!
//! A rule is expanded on the wall clock, without a time zone. Each local time is turned into an instant afterwards. So
//! a weekly 10:00 stays 10:00 across every clock change.
//!
//! 1. `rule` reads the text into a checked `Rule`.
//! 2. `dates` lists the local dates of that rule, lazily.
//! 3. [`expand`] ends the list at COUNT, UNTIL or the horizon, removes excluded times and adds additional ones.
//! 4. [`resolve`] turns each local time into an instant.
//!
//! A rule without COUNT and UNTIL never ends. It is listed through a local date, the horizon. Later, [`expand_between`]
//! lists it from there through the next horizon.
//!
//! FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS and WKST are
//! supported. The work is bounded for every input: years from [`EARLIEST_YEAR`] to [`LATEST_YEAR`], rules of
//! [`MAX_RULE_BYTES`] bytes, [`MAX_OCCURRENCES`] results, and so many days looked at ([`Work`]).

mod dates;
mod error;
mod key;
mod local_time;
#[cfg(test)]
mod oracle;
mod ordinals;
#[cfg(test)]
mod properties;
mod rule;
mod split;
#[cfg(test)]
mod tests;
mod values;
mod work;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};

use crate::db::{Json, LocalTime};
use dates::Dates;
pub use error::RecurrenceError;
pub use key::OccurrenceKey;
pub use local_time::{parse_local_time, parse_time_zone, resolve};
use rule::{End, Rule};
pub use rule::{moved, normal};
pub use split::{Rest, rest_from};
pub use work::{MAX_DAYS, Work};

/// The most occurrences that are listed of a series at once. Additional ones count, excluded ones don't.
pub const MAX_OCCURRENCES: usize = 2000;

/// The most excluded times a series may have.
pub const MAX_EXCLUDED: usize = 2000;

/// The longest rule that is read, in bytes.
pub const MAX_RULE_BYTES: usize = 1000;

/// The first year in which an occurrence may lie.
pub const EARLIEST_YEAR: i32 = 1900;

/// The last year in which an occurrence may lie. The time-zone tables have no clock changes after it, so a later
/// instant could be an hour wrong.
pub const LATEST_YEAR: i32 = 2099;

/// The last day of [`LATEST_YEAR`].
const LAST_DATE: NaiveDate = match NaiveDate::from_ymd_opt(LATEST_YEAR, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

/// When a series takes place.
#[derive(Debug, Clone, Copy)]
pub struct Recurrence<'a> {
    /// The value of an RRULE (RFC 5545, section 3.3.10), without the `RRULE:` in front. Case doesn't matter.
    pub rule: &'a str,
    /// The first occurrence, on the wall clock of `tz`. It must be an occurrence of `rule`.
    pub local_start: NaiveDateTime,
    /// The time zone of all local times.
    pub tz: Tz,
    /// Local starts that don't take place (EXDATE). One that isn't an occurrence has no effect.
    pub excluded: &'a [NaiveDateTime],
    /// Additional local starts (RDATE). They take place unless they are excluded.
    pub additional: &'a [NaiveDateTime],
    /// The days that it may still look at.
    pub work: &'a Work,
}

/// One time at which a series takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// The start on the wall clock, as the rule gives it, even if the clock skips this time.
    pub local_start: NaiveDateTime,
    /// The instant of the start.
    pub starts_at: DateTime<Utc>,
    /// Which occurrence it is. A time that the rule gives has the key of the rule, even if it is also an additional
    /// time.
    pub key: OccurrenceKey,
}

impl Occurrence {
    /// The occurrence that a rule gives at this local time.
    fn of_rule(local_start: NaiveDateTime, tz: Tz) -> Self {
        Self { local_start, starts_at: resolve(local_start, tz), key: OccurrenceKey::rule(local_start) }
    }
}

/// The occurrences of a series, and through which date they are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// Sorted by local start.
    pub occurrences: Vec<Occurrence>,
    /// The local date through which they are listed, if the rule has no end. `None` if these are all.
    pub until: Option<NaiveDate>,
}

/// Which local dates of the rule are listed, and how many occurrences there may be. Additional times are listed however
/// late they are.
struct Window {
    after: Option<NaiveDate>,
    through: Option<NaiveDate>,
    most: usize,
}

impl Window {
    fn begins_before(&self, date: NaiveDate) -> bool {
        self.after.is_none_or(|after| date > after)
    }

    /// The last date that can matter.
    fn last(&self) -> NaiveDate {
        self.through.map_or(LAST_DATE, |through| through.min(LAST_DATE))
    }

    fn too_many(&self) -> RecurrenceError {
        RecurrenceError::TooManyOccurrences { until: self.through }
    }
}

/// Lists the occurrences of a series, sorted by local start. If the rule has no end, it lists those of the rule on local
/// dates through `horizon`, and always the first date.
///
/// - COUNT includes excluded occurrences.
/// - UNTIL with `Z` is an instant, without `Z` it is a local time, and as a date it is the end of that local day. An
///   occurrence at exactly that time still takes place.
/// - BYSETPOS selects from the whole day, week, month or year, even if the series starts within it.
///
/// # Errors
/// A [`RecurrenceError`] that says which field is at fault and what to do about it.
///
/// # Source
///
/// RFC 5545, sections 3.3.10 (the rule), 3.8.5.1 (EXDATE) and 3.8.5.2 (RDATE).
pub fn expand(recurrence: &Recurrence<'_>, horizon: NaiveDate) -> Result<Expansion, RecurrenceError> {
    through(recurrence, horizon, MAX_OCCURRENCES)
}

/// Like [`expand`], for a series that exists already. If its rule has no end, the number of occurrences isn't limited:
/// a series that has run for long may have many.
pub fn expand_kept(recurrence: &Recurrence<'_>, horizon: NaiveDate) -> Result<Expansion, RecurrenceError> {
    through(recurrence, horizon, usize::MAX)
}

fn through(recurrence: &Recurrence<'_>, horizon: NaiveDate, most: usize) -> Result<Expansion, RecurrenceError> {
    let rule = read(recurrence)?;
    let until = rule.is_endless().then(|| horizon.max(recurrence.local_start.date()));
    let window = Window { after: None, through: until, most: until.map_or(MAX_OCCURRENCES, |_| most) };
    Ok(Expansion { occurrences: list(&rule, recurrence, &window)?, until })
}

/// Checks that something takes place, as it must in what is stated anew.
///
/// # Errors
/// [`RecurrenceError::NoOccurrences`] if every time is excluded.
pub fn some(expansion: Expansion) -> Result<Expansion, RecurrenceError> {
    if expansion.occurrences.is_empty() { Err(RecurrenceError::NoOccurrences) } else { Ok(expansion) }
}

/// Checks that no more than [`MAX_OCCURRENCES`] are still to come, which [`expand_kept`] doesn't.
///
/// # Errors
///
/// [`RecurrenceError::TooManyOccurrences`] if there are more.
pub fn check_to_come(expansion: &Expansion, today: NaiveDate) -> Result<(), RecurrenceError> {
    let past = expansion.occurrences.partition_point(|one| one.local_start.date() < today);
    let too_many = expansion.occurrences.len() - past > MAX_OCCURRENCES;
    if too_many { Err(RecurrenceError::TooManyOccurrences { until: expansion.until }) } else { Ok(()) }
}

/// Lists the occurrences of a series on the local dates behind `after`, those of its rule through `through`. Their number
/// isn't limited here: the caller limits the dates.
pub fn expand_between(
    recurrence: &Recurrence<'_>,
    after: NaiveDate,
    through: NaiveDate,
) -> Result<Vec<Occurrence>, RecurrenceError> {
    let window = Window { after: Some(after), through: Some(through), most: usize::MAX };
    list(&read(recurrence)?, recurrence, &window)
}

/// Those of these local dates on which the rule itself gives an occurrence, excluded or not.
pub fn rule_dates(recurrence: &Recurrence<'_>, among: &[NaiveDate]) -> Result<BTreeSet<NaiveDate>, RecurrenceError> {
    let rule = read(recurrence)?;
    let Some(last) = among.iter().max() else { return Ok(BTreeSet::new()) };
    let most = match rule.end {
        End::Count(count) => count as usize,
        End::Until(_) | End::Never => usize::MAX,
    };
    let dates = Dates::new(&rule, recurrence.local_start.date(), LAST_DATE.min(*last), recurrence.work).take(most);
    let until_end = dates.take_while(|date| !rule.end.is_before(&occurrence_on(*date, recurrence)));
    let wanted: BTreeSet<NaiveDate> = among.iter().copied().collect();
    let found = until_end.filter(|date| wanted.contains(date)).collect();
    recurrence.work.check()?;
    Ok(found)
}

/// The excluded times that have no effect: neither the rule nor an additional time gives them.
pub fn idle_exclusions(recurrence: &Recurrence<'_>) -> Result<BTreeSet<NaiveDateTime>, RecurrenceError> {
    let of_day: Vec<NaiveDate> = recurrence.excluded.iter().map(NaiveDateTime::date).collect();
    let dates = rule_dates(recurrence, &of_day)?;
    let by_rule = |time: &NaiveDateTime| time.time() == recurrence.local_start.time() && dates.contains(&time.date());
    let idle = recurrence.excluded.iter().filter(|time| !by_rule(time) && !recurrence.additional.contains(time));
    Ok(idle.copied().collect())
}

/// Whether a rule has no end: neither COUNT nor UNTIL. `false` for a rule that can't be read.
pub fn is_endless(rule: &str) -> bool {
    Rule::parse(rule).is_ok_and(|rule| rule.is_endless())
}

/// Times of a series as a set, which has no order of its own: sorted, each once.
pub fn set_of(times: impl IntoIterator<Item = LocalTime>) -> Vec<LocalTime> {
    times.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Reads the times of a series from JSON, as a set.
pub fn read_set<'de, D: Deserializer<'de>>(json: D) -> Result<Json<Vec<LocalTime>>, D::Error> {
    Vec::deserialize(json).map(set_of).map(Json)
}

/// Reads a rule from JSON, in its [normal form](normal).
pub fn read_normal<'de, D: Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    String::deserialize(json).map(normal)
}

/// Checks that a rule can be read. Its start isn't checked.
///
/// # Errors
/// A [`RecurrenceError`] that says what is wrong with it.
pub fn check_rule(rule: &str) -> Result<(), RecurrenceError> {
    Rule::parse(rule).map(|_| ())
}

/// The rule of a recurrence whose times have been checked.
fn read(recurrence: &Recurrence<'_>) -> Result<Rule, RecurrenceError> {
    check_times(recurrence)?;
    Ok(Rule::parse(recurrence.rule)?.with_defaults_of(recurrence.local_start.date()))
}

fn list(rule: &Rule, recurrence: &Recurrence<'_>, window: &Window) -> Result<Vec<Occurrence>, RecurrenceError> {
    let mut excluded = recurrence.excluded.to_vec();
    excluded.sort_unstable();
    let mut occurrences = rule_occurrences(rule, recurrence, &excluded, window)?;
    add_additional(&mut occurrences, recurrence, &excluded, window)?;
    Ok(occurrences)
}

/// Checks the limits of everything but the rule.
fn check_times(recurrence: &Recurrence<'_>) -> Result<(), RecurrenceError> {
    if recurrence.excluded.len() > MAX_EXCLUDED {
        return Err(RecurrenceError::TooManyExcluded);
    }
    if recurrence.additional.len() > MAX_OCCURRENCES {
        return Err(RecurrenceError::TooManyOccurrences { until: None });
    }
    check_time("local_start", recurrence.local_start)?;
    for time in recurrence.additional {
        check_time("additional", *time)?;
    }
    Ok(())
}

fn check_time(field: &'static str, time: NaiveDateTime) -> Result<(), RecurrenceError> {
    if time.nanosecond() != 0 {
        let value = time.to_string();
        return Err(RecurrenceError::MalformedLocalTime { field, value });
    }
    if !(EARLIEST_YEAR..=LATEST_YEAR).contains(&time.year()) {
        return Err(RecurrenceError::OutOfRange { field });
    }
    Ok(())
}

/// The rule's own occurrences without the excluded ones.
fn rule_occurrences(
    rule: &Rule,
    recurrence: &Recurrence<'_>,
    excluded: &[NaiveDateTime],
    window: &Window,
) -> Result<Vec<Occurrence>, RecurrenceError> {
    let most_counted = window.most.saturating_add(excluded.len());
    let count = match rule.end {
        // Each excluded time can remove one at most: this refuses the absurd before any work.
        End::Count(count) if count as usize > most_counted => {
            return Err(window.too_many());
        }
        End::Count(count) => count as usize,
        End::Until(_) | End::Never => usize::MAX,
    };
    let start = recurrence.local_start.date();
    let first = Dates::new(rule, start, LAST_DATE, recurrence.work).next();
    recurrence.work.check()?;
    check_start(rule, recurrence, first)?;

    let mut dates = Dates::new(rule, start, window.last(), recurrence.work);
    let mut occurrences = Vec::with_capacity(count.min(64));
    for counted in 1.. {
        let next = dates.next();
        recurrence.work.check()?;
        let date = match next {
            Some(date) => date,
            None if window.through.is_some() || rule.end.is_within(LATEST_YEAR) => break,
            None => {
                return Err(RecurrenceError::OutOfRange { field: "recurrence" });
            }
        };
        let occurrence = occurrence_on(date, recurrence);
        if rule.end.is_before(&occurrence) {
            break;
        }
        if window.begins_before(date) && excluded.binary_search(&occurrence.local_start).is_err() {
            occurrences.push(occurrence);
        }
        if occurrences.len() > window.most {
            return Err(window.too_many());
        }
        if counted == count {
            break;
        }
    }
    Ok(occurrences)
}

/// Checks that `first`, the first date of the rule, is the date of `local_start`.
fn check_start(rule: &Rule, recurrence: &Recurrence<'_>, first: Option<NaiveDate>) -> Result<(), RecurrenceError> {
    let first = first
        .map(|date| occurrence_on(date, recurrence))
        .filter(|occurrence| !rule.end.is_before(occurrence))
        .map(|occurrence| occurrence.local_start);
    if first == Some(recurrence.local_start) {
        return Ok(());
    }
    Err(RecurrenceError::StartNotInRule { local_start: recurrence.local_start, first })
}

fn occurrence_on(date: NaiveDate, recurrence: &Recurrence<'_>) -> Occurrence {
    Occurrence::of_rule(date.and_time(recurrence.local_start.time()), recurrence.tz)
}

fn additional_occurrence(local_start: NaiveDateTime, tz: Tz) -> Occurrence {
    Occurrence { local_start, starts_at: resolve(local_start, tz), key: OccurrenceKey::additional(local_start) }
}

/// Adds the additional times that are neither listed already nor excluded, and sorts all.
fn add_additional(
    occurrences: &mut Vec<Occurrence>,
    recurrence: &Recurrence<'_>,
    excluded: &[NaiveDateTime],
    window: &Window,
) -> Result<(), RecurrenceError> {
    if recurrence.additional.is_empty() {
        return Ok(());
    }
    let wanted = recurrence.additional.iter().copied();
    let wanted = wanted.filter(|time| window.begins_before(time.date()) && excluded.binary_search(time).is_err());
    occurrences.extend(wanted.map(|time| additional_occurrence(time, recurrence.tz)));
    // The sort is stable: of two occurrences at the same time, the rule's comes first and is kept.
    occurrences.sort_by_key(|occurrence| occurrence.local_start);
    occurrences.dedup_by_key(|occurrence| occurrence.local_start);
    if occurrences.len() > window.most {
        return Err(window.too_many());
    }
    Ok(())
}
