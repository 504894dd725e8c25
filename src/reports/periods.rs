//! Which days a period has, and from which day its figures are published.
//!
//! The figures of a month are published from the 8th of the next month on, when its registers have been taken. The
//! current financial year and `all` end with the last published month. So every period consists of whole, published
//! months.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::period::Period;

/// The figures of a month are published from this day of the next month on.
const GIVEN_FROM: u32 = 8;

/// Why a period is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The period lies before the first figures.
    BeforeAll,
    /// The figures of the period are published from this day on.
    GivenFrom(NaiveDate),
}

/// The first and the last day of a period. Figures begin on `since`, the first of a month.
///
/// # Errors
/// The reason if there are no figures for the period.
pub fn days(period: Period, since: NaiveDate, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Refusal> {
    let until = given_until(today);
    let (first, last) = match period {
        Period::All => return Ok((since, until)),
        Period::Month(first) => (first, end_of_month(first)),
        Period::FinancialYear(year) => (april(year), april(year + 1) - Days::new(1)),
    };
    if last < since {
        return Err(Refusal::BeforeAll);
    }
    let first = first.max(since);
    if until < end_of_month(first) {
        return Err(Refusal::GivenFrom(given_from(first)));
    }
    Ok((first, last.min(until)))
}

/// The last day of the last month whose figures are published.
pub fn given_until(today: NaiveDate) -> NaiveDate {
    let back = if today.day() >= GIVEN_FROM { 0 } else { 1 };
    first_of_month(today).checked_sub_months(Months::new(back)).unwrap_or(today) - Days::new(1)
}

/// The day from which on the figures of a month are published.
fn given_from(month: NaiveDate) -> NaiveDate {
    end_of_month(month) + Days::new(u64::from(GIVEN_FROM))
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn end_of_month(day: NaiveDate) -> NaiveDate {
    first_of_month(day).checked_add_months(Months::new(1)).unwrap_or(day) - Days::new(1)
}

fn april(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 4, 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(period: &str, today: &str) -> Result<(String, String), Refusal> {
        let found = super::days(period.parse().unwrap(), day("2021-10-01"), day(today));
        found.map(|(first, last)| (first.to_string(), last.to_string()))
    }

    #[test]
    fn a_month_is_given_from_the_8th_of_the_next() {
        let november = Ok(("2026-11-01".to_owned(), "2026-11-30".to_owned()));
        assert_eq!(days("2026-11", "2026-12-07"), Err(Refusal::GivenFrom(day("2026-12-08"))));
        assert_eq!(days("2026-11", "2026-12-08"), november);
        assert_eq!(days("2026-11", "2031-01-01"), november);
        assert_eq!(days("2026-12", "2026-12-31"), Err(Refusal::GivenFrom(day("2027-01-08"))));
        assert_eq!(days("2024-02", "2026-12-31"), Ok(("2024-02-01".to_owned(), "2024-02-29".to_owned())));
    }

    #[test]
    fn the_running_year_and_all_end_with_the_last_month_that_is_given() {
        let span = |first: &str, last: &str| Ok((first.to_owned(), last.to_owned()));
        assert_eq!(days("2026-27", "2026-11-23"), span("2026-04-01", "2026-10-31"));
        assert_eq!(days("2026-27", "2026-11-07"), span("2026-04-01", "2026-09-30"));
        assert_eq!(days("2026-27", "2027-04-07"), span("2026-04-01", "2027-02-28"));
        assert_eq!(days("2026-27", "2027-04-08"), span("2026-04-01", "2027-03-31"));
        assert_eq!(days("2025-26", "2026-11-23"), span("2025-04-01", "2026-03-31"));
        assert_eq!(days("2027-28", "2027-04-08"), Err(Refusal::GivenFrom(day("2027-05-08"))));
        assert_eq!(days("all", "2026-11-23"), span("2021-10-01", "2026-10-31"));
    }

    #[test]
    fn figures_begin_with_the_first_month_of_all() {
        assert_eq!(days("2021-10", "2026-11-23"), Ok(("2021-10-01".to_owned(), "2021-10-31".to_owned())));
        assert_eq!(days("2021-22", "2026-11-23"), Ok(("2021-10-01".to_owned(), "2022-03-31".to_owned())));
        for before in ["2021-09", "2020-21", "2011-12", "1999-12"] {
            assert_eq!(days(before, "2026-11-23"), Err(Refusal::BeforeAll), "{before}");
        }
    }

    proptest! {
        #[test]
        fn every_period_is_whole_months_that_are_given(offset in 0u64..6_000, year in 2012i32..2035, month in 1u32..=12) {
            let (since, today) = (day("2021-10-01"), day("2020-01-01") + Days::new(offset));
            let month = Period::Month(NaiveDate::from_ymd_opt(year, month, 1).unwrap());
            for period in [month, Period::FinancialYear(year)] {
                if let Ok((first, last)) = super::days(period, since, today) {
                    prop_assert!(first.day() == 1 && (last + Days::new(1)).day() == 1 && first <= last);
                    prop_assert!(since <= first && last <= given_until(today));
                }
            }
            let until = given_until(today);
            prop_assert!(today >= given_from(until) && today < given_from(until + Days::new(1)));
        }
    }
}
