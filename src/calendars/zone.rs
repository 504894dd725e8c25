//! Time zones in calendars: VTIMEZONE, made from the clock changes of a zone in the years used.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};
use icalendar::Property;

use crate::sessions::recurrence::LATEST_YEAR;

/// The format of local times in calendars: `20270105T130000`.
pub(super) const LOCAL: &str = "%Y%m%dT%H%M%S";

/// An instant as calendars write it: `20270105T130000Z`.
pub(super) fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Whether a zone is UTC. Times in UTC are written as instants and need no VTIMEZONE.
pub(super) fn is_utc(tz: Tz) -> bool {
    matches!(tz, Tz::UTC | Tz::Etc__UTC)
}

/// The years that the events of a calendar lie in. There is no last year if a rule has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Years {
    /// The first year, in UTC.
    pub first: i32,
    /// The last year, in UTC.
    pub last: Option<i32>,
}

impl Years {
    /// The years from the earlier first to the later last.
    pub(super) fn with(self, other: Self) -> Self {
        let last = self.last.zip(other.last).map(|(one, another)| one.max(another));
        Self { first: self.first.min(other.first), last }
    }
}

/// One change of the clock.
#[derive(Debug, Clone)]
struct Change {
    /// The instant.
    at: DateTime<Utc>,
    /// Seconds east of UTC before the change.
    from: i32,
    after: Clock,
}

/// How a zone's clock runs between two changes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Clock {
    /// Seconds east of UTC.
    east: i32,
    name: String,
    /// How many seconds the clock is ahead of the zone's standard time. Negative in Ireland's winter.
    saved: i64,
}

impl Change {
    /// The local time at which the clock was changed, before the change.
    fn local(&self) -> NaiveDateTime {
        self.at.naive_utc() + TimeDelta::seconds(self.from.into())
    }
}

fn clock(tz: Tz, at: DateTime<Utc>) -> Clock {
    let offset = tz.offset_from_utc_datetime(&at.naive_utc());
    Clock {
        east: offset.fix().local_minus_utc(),
        name: offset.abbreviation().unwrap_or_default().to_owned(),
        saved: offset.dst_offset().num_seconds(),
    }
}

/// Every clock change between two instants. In no zone do two changes within a week undo each other.
fn changes(tz: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Change> {
    let mut found = Vec::new();
    let (mut at, mut before) = (from, clock(tz, from));
    while at < until {
        let next = at + TimeDelta::weeks(1);
        let after = clock(tz, next);
        if after != before {
            found.push(Change { at: first_second(tz, at, next, &before), from: before.east, after: after.clone() });
        }
        (at, before) = (next, after);
    }
    found
}

/// The first second between two instants at which the clock no longer runs like `before`.
fn first_second(tz: Tz, from: DateTime<Utc>, until: DateTime<Utc>, before: &Clock) -> DateTime<Utc> {
    let (mut low, mut high) = (from.timestamp(), until.timestamp());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let at = DateTime::from_timestamp(middle, 0).unwrap_or(until);
        if clock(tz, at) == *before { low = middle } else { high = middle }
    }
    DateTime::from_timestamp(high, 0).unwrap_or(until)
}

/// The VTIMEZONE of a zone for these years, its lines folded. A zone that changes its clock twice a year gets one
/// STANDARD and one DAYLIGHT. There is no further one, since some programs use the first STANDARD and others the last.
pub(super) fn component(tz: Tz, years: Years) -> Result<String, fmt::Error> {
    // Begins a year early: the last change before the first event says how the clock runs at the event.
    let start = new_year(years.first - 1);
    let mut changes = changes(tz, start, new_year(years.last.unwrap_or(LATEST_YEAR) + 1));
    let initial = clock(tz, start);
    let ahead = Ahead::of(&initial, &changes);
    let mut text = "BEGIN:VTIMEZONE\r\n".to_owned();
    line(&mut text, "TZID", tz.name())?;
    // No zone is further than a day from UTC.
    let covered = changes.first().is_some_and(|change| change.at < new_year(years.first) - TimeDelta::days(1));
    if !covered {
        observance(&mut text, ahead.kind(&initial), &initial, initial.east, start.naive_utc(), &[])?;
    }
    while let Some(first) = changes.first().cloned() {
        let (alike, others): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| change.from == first.from && change.after == first.after);
        changes = others;
        let again = repeats(&alike, years.last.is_none());
        observance(&mut text, ahead.kind(&first.after), &first.after, first.from, first.local(), &again)?;
    }
    text.push_str("END:VTIMEZONE\r\n");
    Ok(text)
}

fn new_year(year: i32) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(Default::default()).and_utc()
}

/// Which clock of a zone is the one ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ahead {
    /// The one that saves daylight.
    Saving,
    /// The one on standard time: Ireland's winter time is behind it.
    Standard,
}

impl Ahead {
    fn of(initial: &Clock, changes: &[Change]) -> Self {
        let mut clocks = std::iter::once(initial).chain(changes.iter().map(|change| &change.after));
        if clocks.any(|clock| clock.saved < 0) { Self::Standard } else { Self::Saving }
    }

    /// The name of an observance. The clock ahead is DAYLIGHT (RFC 5545 §3.6.5), and all programs expect this.
    fn kind(self, clock: &Clock) -> &'static str {
        let ahead = match self {
            Self::Saving => clock.saved > 0,
            Self::Standard => clock.saved == 0,
        };
        if ahead { "DAYLIGHT" } else { "STANDARD" }
    }
}

/// One STANDARD or DAYLIGHT: when it begins, and when it begins again.
fn observance(
    text: &mut String,
    kind: &str,
    clock: &Clock,
    from: i32,
    onset: NaiveDateTime,
    again: &[(&'static str, String)],
) -> Result<(), fmt::Error> {
    text.push_str(&format!("BEGIN:{kind}\r\n"));
    line(text, "DTSTART", &onset.format(LOCAL).to_string())?;
    for (name, value) in again {
        line(text, name, value)?;
    }
    line(text, "TZOFFSETFROM", &offset(from))?;
    line(text, "TZOFFSETTO", &offset(clock.east))?;
    // Zones such as Africa/Casablanca have no abbreviation.
    if !clock.name.is_empty() {
        line(text, "TZNAME", &clock.name)?;
    }
    text.push_str(&format!("END:{kind}\r\n"));
    Ok(())
}

fn line(text: &mut String, name: &str, value: &str) -> Result<(), fmt::Error> {
    let written: String = Property::new(name, value).try_into()?;
    text.push_str(&written);
    Ok(())
}

/// `+0100`; with seconds where a zone has them.
fn offset(east: i32) -> String {
    let (sign, east) = (if east < 0 { '-' } else { '+' }, east.abs());
    let (hours, minutes, seconds) = (east / 3600, east / 60 % 60, east % 60);
    let tail = if seconds == 0 { String::new() } else { format!("{seconds:02}") };
    format!("{sign}{hours:02}{minutes:02}{tail}")
}

/// How changes of one kind repeat after the first: by a yearly rule if one fits, else as a list of dates.
fn repeats(alike: &[Change], forever: bool) -> Vec<(&'static str, String)> {
    let ([_, rest @ ..], Some(last)) = (alike, alike.last()) else { return Vec::new() };
    if rest.is_empty() {
        return Vec::new();
    }
    match yearly(alike) {
        Some(rule) if forever && last.at.year() >= LATEST_YEAR => vec![("RRULE", rule)],
        // The end of the year, because some programs read UNTIL as a local time.
        Some(rule) => vec![("RRULE", format!("{rule};UNTIL={}1231T235959Z", last.local().year()))],
        // The first one too: some programs count no DTSTART beside RDATE.
        None => alike.iter().map(|change| ("RDATE", change.local().format(LOCAL).to_string())).collect(),
    }
}

/// The yearly rule of these changes, if there is one. They must come once a year on the same weekday of a month (its
/// n-th or its last), at the same time of day.
fn yearly(alike: &[Change]) -> Option<String> {
    let locals: Vec<NaiveDateTime> = alike.iter().map(Change::local).collect();
    let first = *locals.first()?;
    let each_year = locals.windows(2).all(|two| two[1].year() == two[0].year() + 1);
    let same = |local: &NaiveDateTime| {
        (local.month(), local.weekday(), local.time()) == (first.month(), first.weekday(), first.time())
    };
    if !each_year || !locals.iter().all(same) {
        return None;
    }
    let is_last = |local: &NaiveDateTime| (*local + TimeDelta::weeks(1)).month() != local.month();
    let nth = |local: &NaiveDateTime| local.day0() / 7 + 1;
    let which = match nth(&first) {
        _ if locals.iter().all(is_last) => "-1".to_owned(),
        n if locals.iter().all(|local| nth(local) == n) => n.to_string(),
        _ => return None,
    };
    let weekday = first.weekday().to_string().get(..2)?.to_uppercase();
    Some(format!("FREQ=YEARLY;BYMONTH={};BYDAY={which}{weekday}", first.month()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Africa, America, Asia, Europe};

    fn lines(tz: Tz, first: i32, last: Option<i32>) -> Vec<String> {
        let text = component(tz, Years { first, last }).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn london_changes_on_the_last_sundays_of_march_and_october() {
        let lines = lines(Europe::London, 2027, Some(2027));
        let summer = [
            "BEGIN:DAYLIGHT",
            "DTSTART:20260329T010000",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20271231T235959Z",
            "TZOFFSETFROM:+0000",
            "TZOFFSETTO:+0100",
            "TZNAME:BST",
            "END:DAYLIGHT",
        ];
        let winter = [
            "BEGIN:STANDARD",
            "DTSTART:20261025T020000",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20271231T235959Z",
            "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0000",
            "TZNAME:GMT",
            "END:STANDARD",
        ];
        assert!(lines.windows(summer.len()).any(|window| window == summer), "{lines:#?}");
        assert!(lines.windows(winter.len()).any(|window| window == winter), "{lines:#?}");
    }

    #[test]
    fn every_zone_says_how_its_clock_runs_before_the_first_event() {
        for tz in chrono_tz::TZ_VARIANTS.into_iter().filter(|tz| !is_utc(*tz)) {
            let lines = lines(tz, 2027, Some(2027));
            let first = new_year(2027) - TimeDelta::days(1);
            let onsets = lines.iter().filter_map(|line| line.strip_prefix("DTSTART:"));
            let earliest = onsets.map(|text| NaiveDateTime::parse_from_str(text, LOCAL).unwrap()).min().unwrap();
            assert!(earliest <= first.naive_utc(), "{tz}: {lines:#?}");
            assert!(!lines.iter().any(|line| line == "TZNAME:"), "{tz}: {lines:#?}");
        }
    }

    #[test]
    fn a_zone_without_end_has_rules_without_end() {
        let all = lines(America::New_York, 2027, None);
        assert!(all.contains(&"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU".to_owned()), "{all:#?}");
        assert!(all.contains(&"RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU".to_owned()), "{all:#?}");
    }

    #[test]
    fn a_zone_whose_changes_follow_no_rule_lists_them_and_one_without_changes_has_one_observance() {
        let all = lines(Africa::Casablanca, 2027, Some(2029));
        assert!(all.iter().filter(|line| line.starts_with("RDATE:")).count() >= 4, "{all:#?}");
        let mut onsets = all.iter().filter_map(|line| line.strip_prefix("DTSTART:"));
        assert!(onsets.all(|onset| all.contains(&format!("RDATE:{onset}"))), "{all:#?}");
        let all = lines(Asia::Kolkata, 2027, None);
        assert_eq!(all.iter().filter(|line| line.starts_with("BEGIN:")).count(), 2, "{all:#?}");
        assert!(all.contains(&"TZOFFSETTO:+0530".to_owned()), "{all:#?}");
    }

    #[test]
    fn offsets_have_a_sign_and_seconds_only_where_there_are_some() {
        assert_eq!([0, 3600, -12600, -75].map(offset), ["+0000", "+0100", "-0330", "-000115"]);
    }

    #[test]
    fn years_join() {
        let bounded = Years { first: 2027, last: Some(2028) };
        assert_eq!(bounded.with(Years { first: 2026, last: Some(2027) }), Years { first: 2026, last: Some(2028) });
        assert_eq!(bounded.with(Years { first: 2029, last: None }), Years { first: 2027, last: None });
    }
}
