//! Splits a series: the rest from one of its days on becomes a series of its own.

use chrono::{NaiveDate, NaiveDateTime};

use super::dates::Dates;
use super::rule::{End, Rule};
use super::{LAST_DATE, Recurrence, RecurrenceError, occurrence_on};

/// When the rest of a series takes place, in the same zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The first occurrence of `rule`.
    pub local_start: NaiveDateTime,
    /// The rule. Its COUNT is reduced by the occurrences before the split, excluded or not. If the rule has ended, it gives
    /// only the first of the additional times.
    pub rule: String,
    /// The excluded times from the day of the split on.
    pub excluded: Vec<NaiveDateTime>,
    /// The additional times from the day of the split on.
    pub additional: Vec<NaiveDateTime>,
}

/// The rest of a series from the local date `from` on.
///
/// The part before that day and the rest together take place exactly when the whole series did: UNTIL, the days, the
/// interval and the start of the week stay. If the rule has ended by that day, the rest is the additional times.
///
/// # Errors
/// What is wrong with the rule; [`RecurrenceError::StartNotInRule`] if nothing is left.
pub fn rest_from(whole: &Recurrence<'_>, from: NaiveDate) -> Result<Rest, RecurrenceError> {
    let rule = Rule::parse(whole.rule)?.with_defaults_of(whole.local_start.date());
    let still = |times: &[NaiveDateTime]| -> Vec<NaiveDateTime> {
        times.iter().copied().filter(|time| time.date() >= from).collect()
    };
    let (excluded, mut additional) = (still(whole.excluded), still(whole.additional));
    let first = first_from(&rule, whole, from);
    whole.work.check()?;
    if let Some((before, local_start)) = first {
        let rule = match rule.end {
            End::Count(count) => with_count(whole.rule, count.saturating_sub(before)),
            _ => whole.rule.to_owned(),
        };
        return Ok(Rest { local_start, rule, excluded, additional });
    }
    let local_start = additional.iter().min().copied();
    let local_start =
        local_start.ok_or(RecurrenceError::StartNotInRule { local_start: whole.local_start, first: None })?;
    additional.retain(|time| *time != local_start);
    Ok(Rest { local_start, rule: "FREQ=DAILY;COUNT=1".into(), excluded, additional })
}

/// How many occurrences of the rule itself come before `from`, and its first occurrence from `from` on, excluded or
/// not.
fn first_from(rule: &Rule, whole: &Recurrence<'_>, from: NaiveDate) -> Option<(u32, NaiveDateTime)> {
    let dates = Dates::new(rule, whole.local_start.date(), LAST_DATE, whole.work);
    for (before, date) in (0u32..).zip(dates) {
        let occurrence = occurrence_on(date, whole);
        if rule.end.is_before(&occurrence) || rule.end == End::Count(before) {
            return None;
        }
        if date >= from {
            return Some((before, occurrence.local_start));
        }
    }
    None
}

/// The same rule with another COUNT.
fn with_count(rule: &str, count: u32) -> String {
    let parts = rule.split(';').map(|part| match part.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("COUNT") => format!("{name}={count}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::super::tests::local;
    use super::super::{Occurrence, Work, expand_kept};
    use super::*;
    use chrono::{Datelike, Days, TimeDelta};
    use chrono_tz::Europe::London;
    use proptest::prelude::*;

    fn rest(rule: &str, excluded: &[&str], additional: &[&str], from: &str) -> Result<Rest, RecurrenceError> {
        let times = |texts: &[&str]| -> Vec<NaiveDateTime> { texts.iter().map(|text| local(text)).collect() };
        let (excluded, additional) = (times(excluded), times(additional));
        let local_start = local("2027-01-05T13:00:00");
        rest_from(
            &Recurrence {
                rule,
                local_start,
                tz: London,
                excluded: &excluded,
                additional: &additional,
                work: &Work::of_kept(),
            },
            local(from).date(),
        )
    }

    #[test]
    fn a_count_is_less_by_what_came_before_excluded_or_not() {
        let found = rest("wkst=SU;count=10;freq=WEEKLY", &["2027-01-12T13:00:00"], &[], "2027-01-26T13:00:00").unwrap();
        assert_eq!(
            (found.rule.as_str(), found.local_start),
            ("wkst=SU;count=7;freq=WEEKLY", local("2027-01-26T13:00:00"))
        );
        assert!(found.excluded.is_empty());
    }

    #[test]
    fn an_until_stays_and_times_are_divided() {
        let excluded = ["2027-01-12T13:00:00", "2027-02-09T13:00:00"];
        let additional = ["2027-01-13T10:00:00", "2027-02-10T10:00:00"];
        let found = rest("FREQ=WEEKLY;UNTIL=20270401", &excluded, &additional, "2027-01-26T13:00:00").unwrap();
        assert_eq!(found.rule, "FREQ=WEEKLY;UNTIL=20270401");
        assert_eq!((found.excluded, found.additional), (vec![local(excluded[1])], vec![local(additional[1])]));
    }

    #[test]
    fn a_rule_that_has_ended_leaves_its_additional_times() {
        let additional = ["2027-03-02T10:00:00", "2027-02-10T10:00:00", "2027-01-13T10:00:00"];
        let found = rest("FREQ=WEEKLY;COUNT=2", &[], &additional, "2027-02-10T10:00:00").unwrap();
        assert_eq!((found.rule.as_str(), found.local_start), ("FREQ=DAILY;COUNT=1", local(additional[1])));
        assert_eq!(found.additional, [local(additional[0])]);
        let nothing = rest("FREQ=WEEKLY;COUNT=2", &[], &[], "2027-02-10T10:00:00");
        assert_eq!(nothing.unwrap_err().code(), "start_not_in_rule");
    }

    /// A start, a rule that gives this start, and times to exclude and to add.
    fn some_series() -> impl Strategy<Value = (NaiveDateTime, String, Vec<NaiveDateTime>, Vec<NaiveDateTime>)> {
        let start = (0u64..2000, 0i64..24 * 12)
            .prop_map(|(day, fives)| local("2024-01-01T00:00:00") + Days::new(day) + TimeDelta::minutes(5 * fives));
        let end = prop_oneof![(1u32..15).prop_map(|n| format!("COUNT={n}")), (0u64..900).prop_map(|n| format!("+{n}"))];
        let times = || proptest::collection::vec((0u64..400, 0u32..3), 0..6);
        (start, 0usize..8, 1u32..5, end, times(), times()).prop_map(|(start, shape, interval, end, out, also)| {
            let day = start.weekday().to_string()[..2].to_uppercase();
            let shape = match shape {
                0 => "FREQ=DAILY".to_owned(),
                1 => "FREQ=WEEKLY".to_owned(),
                2 => format!("FREQ=WEEKLY;BYDAY={day},MO,FR;WKST=SU"),
                3 => "FREQ=MONTHLY".to_owned(),
                4 => format!("FREQ=MONTHLY;BYDAY={}{day}", (start.day() - 1) / 7 + 1),
                5 => "FREQ=YEARLY".to_owned(),
                6 => format!("FREQ=MONTHLY;BYDAY={day};BYSETPOS={},-1", (start.day() - 1) / 7 + 1),
                _ => format!("FREQ=DAILY;BYDAY={day},TU,SA"),
            };
            let end = match end.strip_prefix('+') {
                Some(days) => format!("UNTIL={}", (start + Days::new(days.parse().unwrap())).format("%Y%m%dT%H%M%S")),
                None => end,
            };
            let at = |(days, shift): (u64, u32)| start + Days::new(days) + TimeDelta::minutes(i64::from(shift) * 45);
            let rule = format!("{shape};INTERVAL={interval};{end}");
            (start, rule, out.into_iter().map(at).collect(), also.into_iter().map(at).collect())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn what_came_before_and_the_rest_are_the_whole((start, rule, excluded, additional) in some_series(), at in 0usize..60) {
            let whole = Recurrence { rule: &rule, local_start: start, tz: London, excluded: &excluded, additional: &additional, work: &Work::of_kept() };
            let all = match expand_kept(&whole, LAST_DATE) {
                Err(error) => {
                    // There are too few leap years until the tables end.
                    prop_assert_eq!(error.code(), "date_out_of_range");
                    return Ok(());
                }
                Ok(all) => all.occurrences,
            };
            prop_assume!(!all.is_empty());
            let from = all[at % all.len()].local_start.date();
            let rest = rest_from(&whole, from).unwrap();
            let rest = Recurrence {
                rule: &rest.rule, local_start: rest.local_start, tz: London, excluded: &rest.excluded, additional: &rest.additional, work: &Work::of_kept()
            };
            let rest = expand_kept(&rest, LAST_DATE).unwrap().occurrences;
            let bare = |times: &[Occurrence]| times.iter().map(|o| (o.local_start, o.starts_at)).collect::<Vec<_>>();
            let before: Vec<Occurrence> = all.iter().copied().filter(|o| o.local_start.date() < from).collect();
            prop_assert_eq!(rest[0].local_start.date(), from);
            prop_assert_eq!([bare(&before), bare(&rest)].concat(), bare(&all));
        }
    }
}
