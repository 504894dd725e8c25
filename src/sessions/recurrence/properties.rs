//! Properties that hold for every recurrence, checked by code that shares nothing with the expansion.

use chrono::{Days, NaiveTime, TimeDelta, Weekday};
use chrono_tz::Europe::London;
use proptest::prelude::*;

use super::tests::{expand_all, local};
use super::*;

/// British time by its law instead of by tables: an hour ahead from 01:00 UTC on the last Sunday of March to 01:00 UTC
/// on the last Sunday of October (since 1996).
fn british_instant(local: NaiveDateTime) -> NaiveDateTime {
    let last_sunday = |month| {
        let last = NaiveDate::from_ymd_opt(local.year(), month, 31).unwrap();
        last - Days::new(last.weekday().days_since(Weekday::Sun).into())
    };
    let two = NaiveTime::from_hms_opt(2, 0, 0).unwrap();
    let summer = last_sunday(3).and_time(two)..last_sunday(10).and_time(two);
    local - TimeDelta::hours(summer.contains(&local).into())
}

fn some_start() -> impl Strategy<Value = NaiveDateTime> {
    // In five-minute steps, so that the hours of the clock changes are hit often.
    let first = local("1997-01-01T00:00:00");
    let minutes = prop_oneof![0i64..24 * 12, 6i64..36];
    (0u64..365 * 5, minutes).prop_map(move |(day, fives)| first + Days::new(day) + TimeDelta::minutes(5 * fives))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn thirty_years_of_days_or_weeks_are_those_of_plain_stepping(
        start in some_start(), weekly: bool, interval in 1u64..9, excluded in proptest::collection::btree_set(0usize..1500, 0..5),
    ) {
        let (name, step) = if weekly { ("WEEKLY", 7 * interval) } else { ("DAILY", interval * 6) };
        let end = start + Days::new(365 * 30);
        let all: Vec<NaiveDateTime> = (0..).map(|n| start + Days::new(n * step)).take_while(|time| *time <= end).collect();
        let excluded: Vec<NaiveDateTime> = excluded.into_iter().filter_map(|n| all.get(n).copied()).collect();
        let interval = if weekly { interval } else { step };
        for rule_end in [format!("COUNT={}", all.len()), format!("UNTIL={}", end.format("%Y%m%dT%H%M%S"))] {
            let rule = format!("FREQ={name};INTERVAL={interval};{rule_end}");
            let found = expand_all(&Recurrence { rule: &rule, local_start: start, tz: London, excluded: &excluded, additional: &[], work: &Work::of_kept() }).unwrap();
            let expected = all.iter().filter(|time| !excluded.contains(time));
            prop_assert!(found.iter().map(|o| (o.local_start, o.starts_at.naive_utc(), o.key))
                .eq(expected.map(|time| (*time, british_instant(*time), OccurrenceKey::rule(*time)))));
        }
    }

    #[test]
    fn weekdays_of_a_month_are_those_that_a_calendar_shows(start in some_start(), numbers in proptest::collection::btree_set(-5i64..=5, 1..4)) {
        let name = start.weekday().to_string()[..2].to_uppercase();
        let numbers: Vec<i64> = numbers.into_iter().filter(|number| *number != 0).collect();
        let in_rule = |day: NaiveDate| {
            let same = |weeks: u64| (day - Days::new(7 * weeks)).month() == day.month();
            let before = (1..5).filter(|n| same(*n)).count() as i64;
            let after = (1..5).filter(|n| (day + Days::new(7 * n)).month() == day.month()).count() as i64;
            day.weekday() == start.weekday() && (numbers.contains(&(before + 1)) || numbers.contains(&-(after + 1)))
        };
        prop_assume!(in_rule(start.date()));
        let by_day: Vec<String> = numbers.iter().map(|number| format!("{number}{name}")).collect();
        let rule = format!("FREQ=MONTHLY;BYDAY={};COUNT=60", by_day.join(","));
        let found = expand_all(&Recurrence { rule: &rule, local_start: start, tz: London, excluded: &[], additional: &[], work: &Work::of_kept() }).unwrap();
        let expected = start.date().iter_days().filter(|day| in_rule(*day)).take(60);
        prop_assert!(found.iter().map(|o| o.local_start.date()).eq(expected));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_posted_gives_sorted_occurrences_or_an_error(
        parts in proptest::collection::vec(
            "(FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)|INTERVAL=[0-9]{1,12}|COUNT=[0-9]{1,5}|UNTIL=(20|99)[0-9]{2}(0[1-9]|1[0-2])[0-2][1-8](T[0-2]{6}Z?)?|\
             BYDAY=[-+]?[1-5]?(MO|TU|WE)(,[1-5]?(TH|FR))?|BYMONTHDAY=-?[1-3]?[0-9]|BYMONTH=1?[0-2]|BYSETPOS=-?[1-4]|\\PC{0,9})", 1..6),
        start in some_start(),
    ) {
        let rule = parts.join(";");
        let result = expand_all(&Recurrence { rule: &rule, local_start: start, tz: London, excluded: &[], additional: &[], work: &Work::of_kept() });
        match result {
            Ok(found) => {
                prop_assert!(found.len() <= MAX_OCCURRENCES);
                prop_assert_eq!(found[0].local_start, start);
                prop_assert!(found.is_sorted_by(|a, b| a.local_start < b.local_start));
            }
            Err(error) => prop_assert!(error.to_string().ends_with('.'), "{}", error),
        }
    }
}
