//! The local dates of a rule, one after the other.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::rule::{Frequency, Rule};
use super::work::Work;

/// The dates of a rule from its start to a last date, in ascending order. The end of the rule doesn't matter here.
///
/// Goes period by period (day, week, month or year). It lists the dates of a period that pass the rule's filters, keeps
/// those that BYSETPOS selects, and returns them one by one. Ends early if there is no [`Work`] left.
pub(super) struct Dates<'a> {
    rule: &'a Rule,
    start: NaiveDate,
    last: NaiveDate,
    /// The first day of the next period.
    period: Option<NaiveDate>,
    /// The dates of the current period. The first `given` of them have been returned.
    set: Vec<NaiveDate>,
    given: usize,
    work: &'a Work,
}

impl<'a> Dates<'a> {
    /// The dates of `rule` from `start` to `last`. The rule's defaults must be filled in.
    pub(super) fn new(rule: &'a Rule, start: NaiveDate, last: NaiveDate, work: &'a Work) -> Self {
        let period = match rule.frequency {
            Frequency::Daily => Some(start),
            Frequency::Weekly => {
                let into_week = start.weekday().days_since(rule.week_start);
                start.checked_sub_days(Days::new(into_week.into()))
            }
            Frequency::Monthly => start.with_day(1),
            Frequency::Yearly => start.with_ordinal(1),
        };
        Self { rule, start, last, period, set: Vec::new(), given: 0, work }
    }

    /// The first day of the next period, by the rule's interval.
    fn period_after(&self, period: NaiveDate) -> Option<NaiveDate> {
        let interval = self.rule.interval;
        let days = u64::from(interval);
        match self.rule.frequency {
            Frequency::Daily => period.checked_add_days(Days::new(days)),
            Frequency::Weekly => period.checked_add_days(Days::new(days * 7)),
            Frequency::Monthly => period.checked_add_months(Months::new(interval)),
            Frequency::Yearly => period.checked_add_months(Months::new(interval.saturating_mul(12))),
        }
    }

    /// The days of the period that begins on `first` at which its [listing](Self::fill) looks. A month that the rule
    /// leaves out counts as one.
    fn days_of(&self, first: NaiveDate) -> u32 {
        let of_month = |month: u32| if has_month(self.rule, month) { 31 } else { 1 };
        match self.rule.frequency {
            Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => of_month(first.month()),
            Frequency::Yearly => (1..=12).map(of_month).sum(),
        }
    }

    /// Lists the dates of the period that begins on `first`.
    fn fill(&mut self, first: NaiveDate) {
        self.set.clear();
        self.given = 0;
        match self.rule.frequency {
            Frequency::Daily => self.fill_days(first, 1),
            Frequency::Weekly => self.fill_days(first, 7),
            Frequency::Monthly => self.fill_month(first, DateRange::month(first)),
            Frequency::Yearly => {
                for month in 1..=12 {
                    let Some(first) = first.with_month(month) else {
                        continue;
                    };
                    // With BYMONTH, numbered weekdays are counted within their month, otherwise within the year.
                    let span = match self.rule.months {
                        Some(_) => DateRange::month(first),
                        None => DateRange::year(first),
                    };
                    self.fill_month(first, span);
                }
            }
        }
        if let Some(positions) = &self.rule.set_positions {
            let length = self.set.len() as u32;
            let mut front = 0;
            self.set.retain(|_| {
                front += 1;
                positions.has(front, length - front + 1)
            });
        }
    }

    /// Adds the days of a week, or a single day, that pass the filters.
    fn fill_days(&mut self, first: NaiveDate, length: u64) {
        let days = (0..length).filter_map(|day| first.checked_add_days(Days::new(day)));
        let rule = self.rule;
        self.set.extend(days.filter(|day| {
            let month_length = u32::from(day.num_days_in_month());
            let weekday = day.weekday().num_days_from_monday();
            has_month(rule, day.month())
                && has_month_day(rule, day.day(), month_length)
                // Weekdays have no numbers in these rules, so any number will do.
                && rule.weekdays.is_none_or(|days| days.has(weekday, 1, 1))
        }));
    }

    /// Adds the days of the month beginning on `first` that pass the filters. Numbered weekdays are counted within
    /// `span`.
    fn fill_month(&mut self, first: NaiveDate, span: DateRange) {
        let rule = self.rule;
        if !has_month(rule, first.month()) {
            return;
        }
        let month_length = u32::from(first.num_days_in_month());
        let first_weekday = first.weekday().num_days_from_monday();
        let days = (0..month_length).filter(|day0| {
            let before = span.before + day0;
            let front = before / 7 + 1;
            let back = (span.length - 1 - before) / 7 + 1;
            let weekday = (first_weekday + day0) % 7;
            has_month_day(rule, day0 + 1, month_length)
                && rule.weekdays.is_none_or(|days| days.has(weekday, front, back))
        });
        self.set.extend(days.filter_map(|day0| first.with_day0(day0)));
    }
}

impl Iterator for Dates<'_> {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        loop {
            while let Some(date) = self.set.get(self.given).copied() {
                self.given += 1;
                if date >= self.start {
                    return (date <= self.last).then_some(date);
                }
            }
            let period = self.period.filter(|day| *day <= self.last)?;
            if !self.work.look_at(self.days_of(period)) {
                return None;
            }
            self.period = self.period_after(period);
            self.fill(period);
        }
    }
}

/// The days within which numbered weekdays are counted.
#[derive(Clone, Copy)]
struct DateRange {
    /// How many of these days lie before the current month.
    before: u32,
    length: u32,
}

impl DateRange {
    fn month(first: NaiveDate) -> Self {
        let length = first.num_days_in_month().into();
        Self { before: 0, length }
    }

    fn year(first: NaiveDate) -> Self {
        let before = first.ordinal0();
        let length = if first.leap_year() { 366 } else { 365 };
        Self { before, length }
    }
}

fn has_month(rule: &Rule, month: u32) -> bool {
    rule.months.is_none_or(|months| months >> month & 1 == 1)
}

fn has_month_day(rule: &Rule, day: u32, month_length: u32) -> bool {
    rule.month_days.is_none_or(|days| days.has(day, month_length - day + 1))
}
