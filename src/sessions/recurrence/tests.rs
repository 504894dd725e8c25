//! Tests of whole recurrences: clock changes, real rosters, the standard's own examples.

use chrono::TimeDelta;
use chrono_tz::Europe::London;

use super::*;

pub(super) fn local(text: &str) -> NaiveDateTime {
    parse_local_time("local_start", text).unwrap()
}

fn expand_with(
    rule: &str,
    start: &str,
    excluded: &[&str],
    additional: &[&str],
) -> Result<Vec<Occurrence>, RecurrenceError> {
    let times = |texts: &[&str]| texts.iter().map(|text| local(text)).collect::<Vec<_>>();
    let (excluded, additional) = (times(excluded), times(additional));
    expand_all(&Recurrence {
        rule,
        local_start: local(start),
        tz: London,
        excluded: &excluded,
        additional: &additional,
        work: &Work::of_kept(),
    })
}

/// The occurrences. If the rule has no end, those through 2027.
pub(super) fn expand_all(recurrence: &Recurrence) -> Result<Vec<Occurrence>, RecurrenceError> {
    expand(recurrence, date("2027-12-31")).map(|expansion| expansion.occurrences)
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn expand_rule(rule: &str, start: &str) -> Result<Vec<Occurrence>, RecurrenceError> {
    expand_with(rule, start, &[], &[])
}

fn dates(rule: &str, start: &str) -> Vec<String> {
    let occurrences = expand_rule(rule, start).unwrap();
    let date = |occurrence: &Occurrence| occurrence.local_start.date().to_string();
    occurrences.iter().map(date).collect()
}

fn code(rule: &str, start: &str) -> &'static str {
    expand_rule(rule, start).map_or_else(|error| error.code(), |_| "fine")
}

#[test]
fn ten_o_clock_in_liverpool_stays_ten_o_clock_across_both_clock_changes() {
    let year = expand_rule("FREQ=WEEKLY;COUNT=52", "2027-01-03T10:00:00").unwrap();
    assert_eq!(year.len(), 52);
    for occurrence in &year {
        let wall = occurrence.starts_at.with_timezone(&London).naive_local();
        assert_eq!(wall, occurrence.local_start);
        assert_eq!(wall.format("%a %T").to_string(), "Sun 10:00:00");
    }
    let instant = |date: &str| {
        let found = year.iter().find(|occurrence| occurrence.local_start.date().to_string() == date);
        found.unwrap().starts_at.format("%T").to_string()
    };
    assert_eq!(instant("2027-03-21"), "10:00:00");
    assert_eq!(instant("2027-03-28"), "09:00:00");
    assert_eq!(instant("2027-10-24"), "09:00:00");
    assert_eq!(instant("2027-10-31"), "10:00:00");
}

#[test]
fn an_occurrence_in_the_missing_hour_is_kept_and_moves_forward() {
    let days = expand_rule("FREQ=DAILY;COUNT=3", "2027-03-27T01:30:00").unwrap();
    let instants: Vec<String> = days.iter().map(|day| day.starts_at.to_rfc3339()).collect();
    let expected = ["2027-03-27T01:30:00+00:00", "2027-03-28T01:30:00+00:00", "2027-03-29T00:30:00+00:00"];
    assert_eq!(instants, expected);
    assert_eq!(days[1].local_start, local("2027-03-28T01:30:00"));
}

#[test]
fn an_occurrence_in_the_doubled_hour_takes_place_once_the_first_time() {
    let days = expand_rule("FREQ=DAILY;COUNT=3", "2027-10-30T01:30:00").unwrap();
    let instants: Vec<String> = days.iter().map(|day| day.starts_at.to_rfc3339()).collect();
    let expected = ["2027-10-30T00:30:00+00:00", "2027-10-31T00:30:00+00:00", "2027-11-01T01:30:00+00:00"];
    assert_eq!(instants, expected);
}

#[test]
fn the_outreach_timetable_of_2022_has_1098_sessions_all_at_half_past_nine() {
    let series = [
        ("MO,TU", "2022-02-14"),    // Garston Library
        ("WE,TH", "2022-02-16"),    // Kensington Library
        ("MO,TU", "2022-02-14"),    // Kirkdale One Stop Shop
        ("MO,WE,TH", "2022-02-14"), // Liverpool Central Library
        ("WE,FR", "2022-02-16"),    // Norris Green Library
        ("FR", "2022-02-18"),       // Parklands Library
        ("MO,FR", "2022-02-14"),    // Toxteth Library
        ("MO,TH", "2022-02-14"),    // Wavertree Children's Centre
        ("MO,TH", "2022-02-14"),    // Tuebrook Children's Centre
        ("TU", "2022-02-15"),       // County Children's Centre
        ("WE,FR", "2022-02-16"),    // Kensington Children's Centre
    ];
    let mut total = 0;
    for (days, first) in series {
        let rule = format!("FREQ=WEEKLY;BYDAY={days};UNTIL=20230213T235959Z");
        let sessions = expand_rule(&rule, &format!("{first}T09:30:00")).unwrap();
        for session in &sessions {
            let wall = session.starts_at.with_timezone(&London);
            assert_eq!(wall.format("%T").to_string(), "09:30:00");
        }
        total += sessions.len();
    }
    assert_eq!(total, 1098);
}

#[test]
fn four_shared_reading_groups_of_2027_have_208_sessions() {
    let starts = ["2027-01-04T16:00:00", "2027-01-05T14:00:00", "2027-01-06T11:00:00", "2027-01-07T19:00:00"];
    let groups = starts.map(|start| expand_rule("FREQ=WEEKLY;COUNT=52", start).unwrap());
    assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 208);
}

#[test]
fn a_rule_without_count_and_until_goes_on() {
    assert!(is_endless("FREQ=WEEKLY;BYDAY=TU") && is_endless("freq=daily"));
    assert!(!is_endless("freq=weekly;count=52") && !is_endless("FREQ=WEEKLY;UNTIL=20271231"));
    assert!(!is_endless("FREQ=WEEKLY;") && !is_endless(""), "what can't be read doesn't go on");
}

#[test]
fn until_in_utc_is_an_instant() {
    // 10:00 on 6 July is 09:00 UTC.
    let last = |until| dates(&format!("FREQ=WEEKLY;UNTIL={until}"), "2027-06-29T10:00:00");
    assert_eq!(last("20270706T090000Z"), ["2027-06-29", "2027-07-06"]);
    assert_eq!(last("20270706T085959Z"), ["2027-06-29"]);
}

#[test]
fn until_without_z_is_wall_time_and_as_a_date_the_end_of_that_day() {
    let last = |until| dates(&format!("FREQ=WEEKLY;UNTIL={until}"), "2027-06-29T10:00:00");
    assert_eq!(last("20270706T100000"), ["2027-06-29", "2027-07-06"]);
    assert_eq!(last("20270706T095959"), ["2027-06-29"]);
    assert_eq!(last("20270706"), ["2027-06-29", "2027-07-06"]);
    assert_eq!(last("20270705"), ["2027-06-29"]);
    let late = dates("FREQ=DAILY;UNTIL=20270706", "2027-07-05T23:59:59");
    assert_eq!(late, ["2027-07-05", "2027-07-06"]);
}

#[test]
fn count_counts_before_exclusions() {
    let excluded = ["2027-01-05T13:00:00", "2027-01-12T13:00:00", "2027-01-13T13:00:00"];
    let left = expand_with("FREQ=WEEKLY;COUNT=3", "2027-01-05T13:00:00", &excluded, &[]).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].local_start, local("2027-01-19T13:00:00"));
}

#[test]
fn additional_times_are_added_once_and_in_order_and_one_that_the_rule_gives_too_is_the_rules() {
    let additional = [
        "2027-01-12T09:00:00",
        "2027-01-12T13:00:00",
        "2027-01-12T15:00:00",
        "2027-01-12T15:00:00",
        "2027-01-01T13:00:00",
        "2027-01-14T13:00:00",
    ];
    let excluded = ["2027-01-14T13:00:00"];
    let all = expand_with("FREQ=WEEKLY;COUNT=2", "2027-01-05T13:00:00", &excluded, &additional).unwrap();
    let keys: Vec<String> = all.iter().map(|occurrence| occurrence.key.to_string()).collect();
    let expected = [
        "2027-01-01T13:00:00+",
        "2027-01-05T13:00:00",
        "2027-01-12T09:00:00+",
        "2027-01-12T13:00:00",
        "2027-01-12T15:00:00+",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn the_start_must_be_an_occurrence_and_the_error_names_the_next_one() {
    let error = expand_rule("FREQ=WEEKLY;BYDAY=WE;COUNT=3", "2027-01-05T13:00:00").unwrap_err();
    assert_eq!((error.code(), error.field()), ("start_not_in_rule", "local_start"));
    assert!(error.to_string().contains("Start at 2027-01-06T13:00:00"), "{error}");
    for rule in [
        "FREQ=DAILY;UNTIL=20270104",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2;COUNT=3",
        "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2;UNTIL=99991231T235959Z",
        "FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=2;COUNT=3",
        "FREQ=WEEKLY;BYDAY=TU;BYSETPOS=2;COUNT=2",
    ] {
        assert_eq!(code(rule, "2027-01-05T13:00:00"), "start_not_in_rule", "{rule}");
    }
}

#[test]
fn two_thousand_occurrences_are_allowed_and_one_more_is_not() {
    let start = "2027-01-05T13:00:00";
    assert_eq!(expand_rule("FREQ=DAILY;COUNT=2000", start).unwrap().len(), MAX_OCCURRENCES);
    for rule in [
        "FREQ=DAILY;COUNT=2001",
        "FREQ=DAILY;COUNT=999999999",
        "FREQ=YEARLY;COUNT=99999999999999999999999",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
        "FREQ=WEEKLY;UNTIL=99991231",
    ] {
        assert_eq!(code(rule, start), "too_many_occurrences", "{rule}");
    }
    let with = |excluded: &[&str], additional: &[&str]| {
        let result = expand_with("FREQ=DAILY;COUNT=2000", start, excluded, additional);
        result.map_or_else(|error| error.code(), |_| "fine")
    };
    assert_eq!(with(&[], &["2027-01-05T13:00:00"]), "fine");
    assert_eq!(with(&[], &["2027-01-05T14:00:00"]), "too_many_occurrences");
    assert_eq!(with(&["2027-01-06T13:00:00"], &["2027-01-05T14:00:00"]), "fine");
    assert_eq!(with(&[start; 2001], &[]), "too_many_excluded");
    assert_eq!(with(&[], &[start; 2001]), "too_many_occurrences");
}

#[test]
fn occurrences_end_with_the_years_that_the_time_zones_know() {
    assert_eq!(code("FREQ=YEARLY;COUNT=73", "2027-01-05T13:00:00"), "fine");
    assert_eq!(code("FREQ=YEARLY;COUNT=74", "2027-01-05T13:00:00"), "date_out_of_range");
    assert_eq!(code("FREQ=YEARLY;UNTIL=20991231", "2027-01-05T13:00:00"), "fine");
    assert_eq!(code("FREQ=YEARLY;UNTIL=21000101", "2027-01-05T13:00:00"), "date_out_of_range");
    assert_eq!(code("FREQ=DAILY;COUNT=1", "2099-12-31T23:59:59"), "fine");
    assert_eq!(code("FREQ=DAILY;COUNT=1", "2100-01-01T00:00:00"), "date_out_of_range");
    assert_eq!(code("FREQ=DAILY;COUNT=1", "1899-12-31T23:59:59"), "date_out_of_range");
    for frequency in ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"] {
        let rule = format!("FREQ={frequency};INTERVAL=99999999999999999999;COUNT=");
        assert_eq!(code(&format!("{rule}1"), "2027-01-05T13:00:00"), "fine");
        assert_eq!(code(&format!("{rule}2"), "2027-01-05T13:00:00"), "date_out_of_range");
    }
}

#[test]
fn times_of_the_calendars_ends_and_fractions_of_a_second_are_refused() {
    let fraction = local("2027-01-05T13:00:00") + TimeDelta::microseconds(1);
    for time in [NaiveDateTime::MIN, NaiveDateTime::MAX, fraction] {
        let whole = local("2027-01-05T13:00:00");
        let with = |local_start, additional: &[NaiveDateTime]| {
            let excluded = &[time];
            expand_all(&Recurrence {
                rule: "FREQ=DAILY;COUNT=1",
                local_start,
                tz: London,
                excluded,
                additional,
                work: &Work::of_kept(),
            })
        };
        assert_eq!(with(time, &[]).unwrap_err().field(), "local_start");
        assert_eq!(with(whole, &[time]).unwrap_err().field(), "additional");
        assert_eq!(with(whole, &[]).unwrap().len(), 1);
    }
}

#[test]
fn examples_of_the_standard_give_the_dates_that_it_lists() {
    for (rule, start, expected) in [
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
            "1997-09-02",
            "09-02 09-04 09-16 09-18 09-30 10-02 10-14 10-16",
        ),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "08-05 08-10 08-19 08-24"),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "08-05 08-17 08-19 08-31"),
        ("FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "1997-09-05", "09-05 10-03 11-07 12-05"),
        ("FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "1997-09-07", "09-07 09-28 11-02 11-30"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22", "09-22 10-20 11-17"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", "1997-09-28", "09-28 10-29 11-28"),
        ("FREQ=MONTHLY;COUNT=5;BYMONTHDAY=1,-1", "1997-09-30", "09-30 10-01 10-31 11-01 11-30"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09-13", "09-13 10-11 11-08"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "09-04 10-07 11-06"),
        ("FREQ=MONTHLY;COUNT=4;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29", "09-29 10-30 11-27 12-30"),
        ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15", "01-15 01-30 02-15 03-15 03-30"),
        ("FREQ=MONTHLY;COUNT=4", "2027-01-31", "01-31 03-31 05-31 07-31"),
        ("FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "1997-06-10", "06-10 07-10 06-10 07-10"),
        ("FREQ=YEARLY;COUNT=3;BYDAY=20MO", "1997-05-19", "05-19 05-18 05-17"),
        ("FREQ=YEARLY;COUNT=3;BYMONTH=10;BYDAY=-1SU", "1997-10-26", "10-26 10-25 10-31"),
        ("FREQ=YEARLY;COUNT=3", "2024-02-29", "02-29 02-29 02-29"),
        ("FREQ=YEARLY;INTERVAL=4;COUNT=2;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05", "11-05 11-07"),
        ("FREQ=DAILY;COUNT=3;BYMONTH=1;BYDAY=MO", "2027-01-25", "01-25 01-03 01-10"),
    ] {
        let found = dates(rule, &format!("{start}T09:00:00"));
        let short: Vec<&str> = found.iter().map(|date| &date[5..]).collect();
        assert_eq!(short.join(" "), expected, "{rule}");
    }
}

#[test]
fn a_rule_without_an_end_is_listed_through_the_horizon_and_from_there_to_the_next() {
    let (excluded, additional) = (
        [local("2027-02-02T13:00:00"), local("2027-03-30T13:00:00")],
        [local("2027-02-09T09:00:00"), local("2027-03-09T09:00:00")],
    );
    let recurrence = Recurrence {
        rule: "FREQ=WEEKLY",
        local_start: local("2027-01-05T13:00:00"),
        tz: London,
        excluded: &excluded,
        additional: &additional,
        work: &Work::of_kept(),
    };
    let year = expand(&recurrence, date("2028-01-05")).unwrap();
    assert_eq!((year.occurrences.len(), year.until), (53 - 2 + 2, Some(date("2028-01-05"))));
    // Wherever the horizons lie, the parts together are the whole, even if a horizon is a day with two occurrences. The
    // first part has all additional times, also later ones.
    for horizon in ["2027-01-05", "2027-02-08", "2027-02-09", "2027-03-08", "2027-03-09", "2027-12-31"] {
        let first = expand(&recurrence, date(horizon)).unwrap();
        assert_eq!(first.until, Some(date(horizon)));
        let rest = expand_between(&recurrence, date(horizon), date("2028-01-05")).unwrap();
        let (rule, early): (Vec<_>, Vec<_>) = first.occurrences.iter().partition(|one| !one.key.is_additional);
        assert_eq!(early.len(), 2, "{horizon}");
        let mut parts: Vec<_> = [rule, early].concat();
        parts.extend(rest.into_iter().filter(|one| !parts.contains(one)).collect::<Vec<_>>());
        parts.sort_by_key(|one| one.local_start);
        assert_eq!(parts, year.occurrences, "{horizon}");
    }
    assert_eq!(expand_between(&recurrence, date("2028-01-04"), date("2028-01-10")), Ok(Vec::new()));
}

#[test]
fn a_rule_without_an_end_has_its_first_date_whatever_the_horizon_and_ends_with_the_time_zones() {
    let far = |rule, start, horizon| {
        let recurrence = Recurrence {
            rule,
            local_start: local(start),
            tz: London,
            excluded: &[],
            additional: &[],
            work: &Work::of_kept(),
        };
        expand(&recurrence, date(horizon))
    };
    let first = far("FREQ=DAILY", "2030-01-05T13:00:00", "2027-12-31").unwrap();
    assert_eq!((first.occurrences.len(), first.until), (1, Some(date("2030-01-05"))));
    let sparse = far("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "2096-02-29T13:00:00", "2120-01-01").unwrap();
    assert_eq!(sparse.occurrences.len(), 1);
    let error = far("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2025-01-01T13:00:00", "2027-12-31").unwrap_err();
    assert!(error.to_string().contains("Start at 2028-02-29T13:00:00"), "{error}");
}

#[test]
fn a_rule_without_an_end_has_two_thousand_occurrences_to_the_horizon_at_most() {
    let daily = |start: &str| {
        let rule = "FREQ=DAILY";
        let recurrence = Recurrence {
            rule,
            local_start: local(start),
            tz: London,
            excluded: &[],
            additional: &[],
            work: &Work::of_kept(),
        };
        expand(&recurrence, date("2027-12-31"))
    };
    assert_eq!(daily("2022-07-11T13:00:00").map(|found| found.occurrences.len()), Ok(2000));
    let error = daily("2022-07-10T13:00:00").unwrap_err();
    assert_eq!((error.code(), error.field()), ("too_many_occurrences", "recurrence"));
    assert!(error.to_string().contains("from its start to 2027-12-31. Start it later"), "{error}");
}

#[test]
fn a_rule_may_look_at_so_many_days_for_its_occurrences() {
    let error = |rule, start, days| {
        let work = Work::of(days);
        let (local_start, excluded) = (local(start), [local("2099-12-31T10:00:00")]);
        let stated = Recurrence { rule, local_start, tz: London, excluded: &excluded, additional: &[], work: &work };
        let expansion = expand_all(&stated).err();
        assert_eq!(work.is_over(), expansion == Some(RecurrenceError::TooManyDays));
        expansion.map(|error| error.code())
    };
    let never = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30";
    assert_eq!(error(never, "1900-01-01T10:00:00", MAX_DAYS), Some("too_many_days"));
    assert_eq!(error(never, "1900-01-01T10:00:00", u32::MAX), Some("start_not_in_rule"));
    // The first day is looked at twice: once to see whether it is the rule's.
    for (rule, days) in [
        ("FREQ=DAILY;COUNT=10", 11),
        ("FREQ=WEEKLY;COUNT=10", 77),
        ("FREQ=MONTHLY;COUNT=10", 341),
        ("FREQ=YEARLY;COUNT=10", 462),
    ] {
        assert_eq!(error(rule, "2027-01-01T10:00:00", days), None, "{rule}");
        assert_eq!(error(rule, "2027-01-01T10:00:00", days - 1), Some("too_many_days"), "{rule}");
    }
}
