//! The steps of the machine that edits series (`occurrence_machine`).

use chrono::{Days, NaiveDate, NaiveDateTime};
use life_rooms::db::LocalTime;
use proptest::prelude::*;

/// Two of these are one instant on 28 March 2027, when the clock in London skips an hour.
pub const TIMES: [&str; 3] = ["01:30:00", "02:30:00", "10:00:00"];
pub const ZONES: [&str; 2] = ["Europe/London", "Europe/Paris"];
/// A Sunday.
pub const FIRST: &str = "2027-03-07";
pub const TITLES: [&str; 2] = ["Reading", "Poems"];
/// No longer than from one of the times to the next.
pub const MINUTES: [i64; 2] = [60, 45];
/// When somebody else's session is in the space: the day and the time.
pub const TAKEN: (u64, usize) = (7, 2);
pub const NOW: &str = "2027-03-01T09:00:00Z";

#[derive(Debug, Clone)]
pub enum Step {
    Patch {
        series: usize,
        change: Change,
    },
    Roster {
        change: Change,
    },
    Split {
        series: usize,
        day: usize,
    },
    Edit {
        session: usize,
        day: u64,
        time: usize,
    },
    Cancel {
        session: usize,
    },
    Book {
        session: usize,
    },
    Unbook {
        session: usize,
    },
    Clock {
        days: u64,
    },
    /// A roster that doesn't name the series, with `missing=cancel`.
    Missing,
}

/// How often the rule gives a date. The last one reaches beyond what is made of a rule without an end.
pub const RULES: [&str; 3] = ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=9"];

/// What is stated anew; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub time: Option<usize>,
    /// Which of [`RULES`], and the count, if it has an end.
    pub rule: Option<(usize, Option<u32>)>,
    pub additional: Option<Vec<(u64, usize)>>,
    pub excluded: Option<Vec<(u64, usize)>>,
    pub zone: Option<usize>,
    pub title: Option<usize>,
    pub minutes: Option<usize>,
    /// Whether the series takes place in the space.
    pub in_space: Option<bool>,
}

fn day() -> impl Strategy<Value = u64> {
    prop_oneof![4 => (0..5u64).prop_map(|week| week * 7), 1 => 0..35u64]
}

fn changes() -> impl Strategy<Value = Change> {
    let times = |most| prop::option::weighted(0.5, prop::collection::vec((day(), 0..TIMES.len()), 0..most));
    let with_end = (prop_oneof![1 => Just(0), 4 => Just(1), 2 => Just(2)], (1..10u32).prop_map(Some));
    let rule = prop_oneof![3 => with_end, 1 => (1..RULES.len(), Just(None))];
    let rule = prop::option::weighted(0.4, rule);
    let (time, zone) = (prop::option::weighted(0.4, 0..TIMES.len()), prop::option::weighted(0.15, 0..ZONES.len()));
    let said = (
        prop::option::weighted(0.15, 0..TITLES.len()),
        prop::option::weighted(0.1, 0..MINUTES.len()),
        prop::option::weighted(0.25, any::<bool>()),
    );
    (time, rule, times(4), times(3), zone, said).prop_map(
        |(time, rule, additional, excluded, zone, (title, minutes, in_space))| Change {
            time,
            rule,
            additional,
            excluded,
            zone,
            title,
            minutes,
            in_space,
        },
    )
}

pub fn step() -> impl Strategy<Value = Step> {
    let any = 0..100usize;
    prop_oneof![
        8 => (any.clone(), changes()).prop_map(|(series, change)| Step::Patch { series, change }),
        5 => changes().prop_map(|change| Step::Roster { change }),
        2 => (any.clone(), 1..5usize).prop_map(|(series, day)| Step::Split { series, day }),
        2 => (any.clone(), day(), 0..TIMES.len()).prop_map(|(session, day, time)| Step::Edit { session, day, time }),
        1 => any.clone().prop_map(|session| Step::Cancel { session }),
        5 => any.clone().prop_map(|session| Step::Book { session }),
        2 => any.prop_map(|session| Step::Unbook { session }),
        2 => (1..12u64).prop_map(|days| Step::Clock { days }),
        1 => Just(Step::Missing),
    ]
}

pub fn local(day: u64, time: usize) -> NaiveDateTime {
    let first: NaiveDate = FIRST.parse().unwrap();
    (first + Days::new(day)).and_time(TIMES[time].parse().unwrap())
}

pub fn texts(times: &[(u64, usize)]) -> Vec<String> {
    times.iter().map(|(day, time)| LocalTime(local(*day, *time)).to_string()).collect()
}
