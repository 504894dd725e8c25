//! A series as a calendar: a master event with the rule, and a separate event for each session that differs from it.
//!
//! The occurrences of the rule are compared with the sessions that exist:
//!
//! - A session that is as the master says needs no event of its own.
//! - A session that differs (moved, renamed, elsewhere, cancelled) is an event with RECURRENCE-ID at its real time. So
//!   is a session whose local time the clock skips or shows twice, or during which the clock is changed.
//! - An occurrence without a session that the viewer may see is an EXDATE.
//! - A session that the rule doesn't give (any more) is a separate event. So is a session at an additional time: some
//!   programs don't read RDATE, and others ignore the rule when there is one.
//!
//! So every session appears exactly once, at its own instants, whatever the rule says.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use icalendar::{Component, Event, Property};

use super::content::Content;
use super::event::{Calendar, Identity, Publisher, Revision, event, local, runs_evenly, shown_once};
use super::feeds::{self, session_identity};
use super::store::{SessionFacts, Shown, Surroundings};
use super::zone::{self, Years};
use crate::db::LocalTime;
use crate::sessions::recurrence::{self, Occurrence, OccurrenceKey, Recurrence, RecurrenceError, Work};
use crate::sessions::series::rules;
use crate::sessions::series::store::SeriesRow;
use crate::sessions::types::SeriesStatus;

/// The calendar of a series, with those of its sessions that the viewer may see, in the order of their occurrences.
pub(super) fn calendar(publisher: &Publisher, whole: &(SeriesRow, Surroundings), sessions: &[Shown]) -> Calendar {
    let (series, around) = whole;
    let mut calendar = Calendar::new(&series.activity.title);
    let usual = Content::of_series(series, around);
    let excluded = naive(&series.repetition.excluded.0);
    let rule = recurrence::parse_time_zone(&series.activity.time_zone)
        .and_then(|tz| Rule::expand(series, tz, &excluded, off_from(series, sessions)));
    let Ok(rule) = rule else {
        // A rule that this version can't expand: each session is shown as a separate event.
        sessions.iter().for_each(|shown| feeds::push_session(&mut calendar, publisher, shown));
        return calendar;
    };
    let told = rule.compare(series, &usual, sessions);
    if told.kept > 0 {
        calendar.uses(rule.tz, rule.years(series));
        calendar.push(rule.master(publisher, whole, &usual, &told));
    }
    for (occurrence, shown) in told.changed {
        let (session, around) = shown;
        let of_session = session_identity(publisher, shown);
        // Higher than the master's revision, and rises when either of the two changes.
        let revision = of_session.revision.with(master_revision(whole));
        let identity = Identity { uid: publisher.uid(series.id), revision, ..of_session };
        let mut one = event(identity, &Content::of_session(session, around));
        one.append_property(local("RECURRENCE-ID", occurrence.local_start, rule.tz));
        calendar.push_at(one, (session.starts_at, session.ends_at), feeds::zone_of(session));
    }
    told.apart.into_iter().for_each(|shown| feeds::push_session(&mut calendar, publisher, shown));
    calendar
}

fn master_revision((series, around): &(SeriesRow, Surroundings)) -> Revision {
    Revision::of(series.version, series.updated_at).beside(around)
}

fn naive(times: &[LocalTime]) -> Vec<NaiveDateTime> {
    times.iter().map(|time| time.0).collect()
}

/// If the series was called off: the local time from which on its rule no longer holds, although the rule doesn't say
/// so. It is the day after the last session of the rule.
fn off_from(series: &SeriesRow, sessions: &[Shown]) -> Option<NaiveDateTime> {
    let after_last = || {
        let last = sessions.iter().filter_map(rule_date).max();
        let next = last.and_then(|day| day.succ_opt()).unwrap_or_else(|| series.activity.local_start.0.date());
        next.and_time(Default::default())
    };
    (series.status == SeriesStatus::Cancelled).then(after_last)
}

/// The local date of a session of the rule.
fn rule_date((session, _): &Shown) -> Option<NaiveDate> {
    session.occurrence.filter(|key| !key.is_additional).map(OccurrenceKey::date)
}

/// A rule and its occurrences. Additional times are not part of it.
struct Rule {
    tz: Tz,
    /// The occurrences of the rule that the series excludes.
    excluded: Vec<NaiveDateTime>,
    occurrences: Vec<Occurrence>,
    /// The value of RRULE.
    text: String,
    endless: bool,
}

/// The occurrences of the rule compared with the sessions.
struct Comparison<'s> {
    /// How many occurrences have a session.
    kept: usize,
    /// The occurrences that have none.
    missing: Vec<NaiveDateTime>,
    /// The sessions that differ from the master, with their occurrences.
    changed: Vec<(Occurrence, &'s Shown)>,
    /// The sessions that match no occurrence.
    apart: Vec<&'s Shown>,
}

impl Rule {
    fn expand(
        series: &SeriesRow,
        tz: Tz,
        excluded: &[NaiveDateTime],
        off_from: Option<NaiveDateTime>,
    ) -> Result<Self, RecurrenceError> {
        let (rule, local_start) = (series.repetition.recurrence.as_str(), series.activity.local_start.0);
        let work = Work::of_kept();
        let alone = Recurrence { rule, local_start, tz, excluded, additional: &[], work: &work };
        // The sessions of a rule without an end exist only up to this day.
        let made = series.expanded_until.unwrap_or(local_start.date());
        let mut occurrences = recurrence::expand_kept(&alone, made)?.occurrences;
        occurrences.truncate(rules::own(series, &occurrences).len());
        occurrences.retain(|occurrence| off_from.is_none_or(|end| occurrence.local_start < end));
        // In a time zone, UNTIL must be an instant (RFC 5545). It is that of the last occurrence, however UNTIL was
        // written.
        let has_until = series.repetition.recurrence.contains("UNTIL=");
        let ends = has_until || off_from.is_some() || series.ending.0.before().is_some();
        let until = ends.then(|| match occurrences.last() {
            Some(last) => last.starts_at,
            None => recurrence::resolve(local_start, tz),
        });
        // An EXDATE stands only for a time that the rule, as it is written, gives.
        let days: Vec<NaiveDate> = excluded.iter().map(NaiveDateTime::date).collect();
        let days = recurrence::rule_dates(&alone, &days)?;
        let is_given = |time: &NaiveDateTime| {
            time.time() == local_start.time()
                && days.contains(&time.date())
                && until.is_none_or(|until| recurrence::resolve(*time, tz) <= until)
        };
        Ok(Self {
            tz,
            excluded: excluded.iter().copied().filter(is_given).collect(),
            text: rule_until(&series.repetition.recurrence, until),
            endless: until.is_none() && recurrence::is_endless(&series.repetition.recurrence),
            occurrences,
        })
    }

    /// Compares the occurrences with the sessions.
    fn compare<'s>(&self, series: &SeriesRow, usual: &Content, sessions: &'s [Shown]) -> Comparison<'s> {
        let mut left: HashMap<NaiveDate, &Shown> =
            sessions.iter().filter_map(|shown| Some((rule_date(shown)?, shown))).collect();
        let last = left.keys().max().copied();
        let mut told = Comparison { kept: 0, missing: Vec::new(), changed: Vec::new(), apart: Vec::new() };
        for occurrence in &self.occurrences {
            let day = occurrence.local_start.date();
            match left.remove(&day) {
                // The rule has no end, and this day is beyond the last session: its session is still to be made.
                None if self.endless && last.is_none_or(|last| day > last) => {}
                None => told.missing.push(occurrence.local_start),
                Some(shown) => {
                    told.kept += 1;
                    let as_usual = Content::of_session(&shown.0, &shown.1) == *usual;
                    if !as_usual || !self.tells_time(occurrence, series.activity.duration_minutes, &shown.0) {
                        told.changed.push((*occurrence, shown));
                    }
                }
            }
        }
        let is_apart = |shown: &&Shown| rule_date(shown).is_none_or(|date| left.contains_key(&date));
        told.apart = sessions.iter().filter(is_apart).collect();
        told
    }

    /// Whether every program gets the session's instants from the master's local time and duration.
    fn tells_time(&self, occurrence: &Occurrence, minutes: i32, session: &SessionFacts) -> bool {
        let (starts, ends) = (session.starts_at.0, session.ends_at.0);
        starts == occurrence.starts_at
            && ends - starts == TimeDelta::minutes(minutes.into())
            && shown_once(starts, self.tz) == Some(occurrence.local_start)
            && runs_evenly(starts, ends, self.tz)
    }

    fn master(
        &self,
        publisher: &Publisher,
        whole: &(SeriesRow, Surroundings),
        usual: &Content,
        told: &Comparison<'_>,
    ) -> Event {
        let (series, _) = whole;
        let identity = Identity {
            uid: publisher.uid(series.id),
            revision: master_revision(whole),
            url: Some(publisher.address(&format!("/v1/session-series/{}", series.id))),
        };
        let mut master = event(identity, usual);
        master.append_property(local("DTSTART", series.activity.local_start.0, self.tz));
        // DURATION is exact whatever the clock does. An end as a local time could be ambiguous.
        master.add_property("DURATION", format!("PT{}M", series.activity.duration_minutes));
        master.append_property(Property::new("RRULE", &self.text));
        let mut excluded: Vec<NaiveDateTime> = self.excluded.iter().chain(&told.missing).copied().collect();
        excluded.sort_unstable();
        excluded.dedup();
        for time in excluded {
            master.append_multi_property(local("EXDATE", time, self.tz));
        }
        master
    }

    /// The years in which the zone is used.
    fn years(&self, series: &SeriesRow) -> Years {
        let times = self.occurrences.iter().map(|occurrence| occurrence.local_start.year());
        let start = series.activity.local_start.0.year();
        let first = times.clone().min().unwrap_or(start).min(start);
        // An occurrence can last a week, and so reach into the next year.
        Years { first, last: (!self.endless).then(|| times.max().unwrap_or(first) + 1) }
    }
}

/// The value of RRULE. If `until` is given, it replaces the end that was written.
fn rule_until(rule: &str, until: Option<DateTime<Utc>>) -> String {
    let Some(until) = until else { return rule.to_owned() };
    let is_end = |part: &&str| part.starts_with("UNTIL=") || part.starts_with("COUNT=");
    let mut parts: Vec<&str> = rule.split(';').filter(|part| !is_end(part)).collect();
    let until = format!("UNTIL={}", zone::utc(until));
    parts.insert(1, &until);
    parts.join(";")
}
