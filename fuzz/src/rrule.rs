//! Recurrence rules. The lines of the input are: the rule, the first local start, the time zone, excluded times,
//! additional times (separated by commas), another time zone, and the horizon. A line that is missing or can't be read
//! has a default.
//!
//! - The normal form of a rule means the same as the rule, and is its own normal form.
//! - Occurrences ascend and are bounded in number and work.
//! - The parts of a series that is split take place exactly when the series did.
//! - A series that moves to another time of day and zone keeps its days.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use life_rooms::sessions::recurrence::{
    self as recurrence, Expansion, MAX_OCCURRENCES, Occurrence, Recurrence, Work, check_rule, expand, expand_kept,
    is_endless, moved, normal, parse_local_time, parse_time_zone, resolve, rest_from,
};

/// A rule with the rest of its series.
struct Series {
    rule: String,
    local_start: NaiveDateTime,
    tz: Tz,
    excluded: Vec<NaiveDateTime>,
    additional: Vec<NaiveDateTime>,
}

impl Series {
    fn recurrence<'a>(&'a self, work: &'a Work) -> Recurrence<'a> {
        Recurrence {
            rule: &self.rule,
            local_start: self.local_start,
            tz: self.tz,
            excluded: &self.excluded,
            additional: &self.additional,
            work,
        }
    }

    fn kept(&self, horizon: NaiveDate) -> Expansion {
        expand_kept(&self.recurrence(&Work::of_kept()), horizon).expect("a series that was taken can be kept")
    }
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let time = |text: &str| parse_local_time("local_start", text).ok();
    let times = |text: &str| text.split(',').filter_map(time).collect();
    let mut series = Series {
        rule: line().to_owned(),
        local_start: time(line()).unwrap_or_else(|| time("2027-01-05T13:00:00").expect("a time")),
        tz: parse_time_zone(line()).unwrap_or(chrono_tz::Europe::London),
        excluded: times(line()),
        additional: times(line()),
    };
    let other_zone = parse_time_zone(line()).unwrap_or(chrono_tz::America::New_York);
    let horizon = line().parse().unwrap_or(series.local_start.date() + TimeDelta::days(365));

    let written = normal(series.rule.clone());
    assert_eq!(normal(written.clone()), written);
    assert_eq!(check_rule(&series.rule).is_ok(), check_rule(&written).is_ok());
    assert_eq!(is_endless(&series.rule), is_endless(&written));
    let found = expand(&series.recurrence(&Work::of_one()), horizon);
    series.rule = written;
    let work = Work::of_one();
    assert_eq!(expand(&series.recurrence(&work), horizon), found);
    if let Ok(found) = found {
        assert!(!work.is_over());
        ascending(&series, &found.occurrences);
        assert_eq!(series.kept(horizon), found);
        let _ = recurrence::idle_exclusions(&series.recurrence(&Work::of_kept()));
        split(&series, &found, horizon);
        move_away(&series, &found, other_zone, horizon);
    }
}

fn ascending(series: &Series, found: &[Occurrence]) {
    assert!(found.len() <= MAX_OCCURRENCES);
    assert!(found.is_sorted_by(|a, b| a.local_start < b.local_start));
    assert!(found.iter().all(|one| one.starts_at == resolve(one.local_start, series.tz)));
    if series.excluded.is_empty() && series.additional.is_empty() {
        assert_eq!(found.first().map(|one| one.local_start), Some(series.local_start));
    }
}

/// Splits the series in the middle of its occurrences.
fn split(series: &Series, whole: &Expansion, horizon: NaiveDate) {
    let Some(middle) = whole.occurrences.get(whole.occurrences.len() / 2) else { return };
    let from = middle.local_start.date();
    let rest = rest_from(&series.recurrence(&Work::of_kept()), from).expect("something takes place from that day on");
    let rest = Series {
        rule: rest.rule,
        local_start: rest.local_start,
        tz: series.tz,
        excluded: rest.excluded,
        additional: rest.additional,
    };
    // A series always has its first date, even behind the horizon.
    let horizon = horizon.max(rest.local_start.date());
    let starts = |of: &Series| of.kept(horizon).occurrences.into_iter().map(|one| one.local_start);
    let still: Vec<NaiveDateTime> = starts(series).filter(|start| start.date() >= from).collect();
    assert_eq!(starts(&rest).collect::<Vec<_>>(), still);
}

/// Moves the series to another time of day in another zone.
fn move_away(series: &Series, whole: &Expansion, other_zone: Tz, horizon: NaiveDate) {
    if !series.excluded.is_empty() || !series.additional.is_empty() {
        return;
    }
    let local_start = series.local_start.date().and_hms_opt(9, 30, 0).expect("a time");
    let (from, to) = ((series.local_start.time(), series.tz), (local_start.time(), other_zone));
    let rule = moved(&series.rule, from, to).expect("a rule that was taken can be moved");
    let next = Series { rule, local_start, tz: other_zone, excluded: Vec::new(), additional: Vec::new() };
    let days = |found: &[Occurrence]| found.iter().map(|one| one.local_start.date()).collect::<Vec<_>>();
    assert_eq!(days(&next.kept(horizon).occurrences), days(&whole.occurrences), "{}", next.rule);
}
