//! The text of a recurrence rule, read and checked.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;

use super::error::quoted;
use super::local_time::resolve;
use super::ordinals::Ordinals;
use super::values::{frequency, months, ordinals, positive, until, week_start, weekdays};
use super::{MAX_RULE_BYTES, Occurrence, RecurrenceError};

type Result<T> = std::result::Result<T, RecurrenceError>;

/// How long a period of the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// Where the rule ends; the last occurrence is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// After this many occurrences, including excluded ones.
    Count(u32),
    Until(Until),
    Never,
}

/// The three forms of UNTIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Instant(DateTime<Utc>),
    Local(NaiveDateTime),
    EndOfDay(NaiveDate),
}

impl End {
    /// Whether the rule's UNTIL is before this occurrence. `false` for a rule with COUNT or without an end.
    pub(super) fn is_before(&self, occurrence: &Occurrence) -> bool {
        match *self {
            Self::Count(_) | Self::Never => false,
            Self::Until(Until::Instant(until)) => until < occurrence.starts_at,
            Self::Until(Until::Local(until)) => until < occurrence.local_start,
            Self::Until(Until::EndOfDay(until)) => until < occurrence.local_start.date(),
        }
    }

    /// Whether the rule has an UNTIL in this year or before.
    pub(super) fn is_within(&self, year: i32) -> bool {
        match *self {
            Self::Count(_) | Self::Never => false,
            Self::Until(Until::Instant(until)) => until.year() <= year,
            Self::Until(Until::Local(until)) => until.year() <= year,
            Self::Until(Until::EndOfDay(until)) => until.year() <= year,
        }
    }
}

/// The weekdays of BYDAY, from Monday. Each has the set of its numbers in the month or year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weekdays(pub(super) [Ordinals<1>; 7]);

impl Weekdays {
    fn every(weekday: Weekday) -> Self {
        let mut days = Self([Ordinals::EMPTY; 7]);
        days.0[weekday.num_days_from_monday() as usize] = Ordinals::ALL;
        days
    }

    /// Whether a day is among the weekdays. It is the `front`-th such weekday of its month or year, and the `back`-th
    /// from the end. `weekday` counts from Monday, 0 to 6.
    pub(super) fn has(&self, weekday: u32, front: u32, back: u32) -> bool {
        self.0[(weekday % 7) as usize].has(front, back)
    }
}

/// The parts of a rule in the order of RFC 5545, section 3.3.10. Some programs expect FREQ first.
const ORDER: [&str; 9] = ["FREQ", "UNTIL", "COUNT", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"];

/// The normal form of a rule: upper case, its parts in one order. A rule that can't be read stays as it is, so that its
/// faults are told in its own words.
pub fn normal(rule: String) -> String {
    if Rule::read(&rule).is_err() {
        return rule;
    }
    let upper = rule.to_ascii_uppercase();
    let mut parts: Vec<&str> = upper.split(';').collect();
    parts.sort_by_key(|part| ORDER.iter().position(|name| part.split('=').next() == Some(name)));
    parts.join(";")
}

/// A rule after its series has moved `from` a time of the day and a zone `to` others. An UNTIL that is a time moves too, so
/// that the rule keeps its last date: calendar programs write the last start as UNTIL.
pub fn moved(rule: &str, from: (NaiveTime, Tz), to: (NaiveTime, Tz)) -> Result<String> {
    let Some(text) = rule.split(';').find_map(|part| part.strip_prefix("UNTIL=")) else { return Ok(rule.to_owned()) };
    let until = until(text)?;
    let latest = match until {
        Until::EndOfDay(_) => return Ok(rule.to_owned()),
        Until::Local(at) => at.date(),
        Until::Instant(at) => at.with_timezone(&from.1).date_naive(),
    };
    // The clock can skip the time of the last occurrence, or show it twice. So the dates are compared as occurrences.
    // It can also skip a whole day: then the last date is two days before.
    let end = End::Until(until);
    let takes_place = |date: &NaiveDate| !end.is_before(&Occurrence::of_rule(date.and_time(from.0), from.1));
    let last = (0..3).map(|days| latest - Days::new(days)).find(takes_place).unwrap_or(latest);
    let moved = match text.strip_suffix('Z') {
        Some(_) => resolve(last.and_time(to.0), to.1).format("%Y%m%dT%H%M%SZ"),
        None => last.and_time(to.0).and_utc().format("%Y%m%dT%H%M%S"),
    };
    Ok(rule.replace(text, &moved.to_string()))
}

/// A rule that follows RFC 5545 and uses only what is supported. A filter that is `None` lets every date pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    /// At least 1. A number too large for the type is replaced by the largest one.
    pub(super) interval: u32,
    pub(super) end: End,
    /// Bit 1 is January.
    pub(super) months: Option<u16>,
    pub(super) month_days: Option<Ordinals<1>>,
    pub(super) weekdays: Option<Weekdays>,
    pub(super) set_positions: Option<Ordinals<6>>,
    pub(super) week_start: Weekday,
}

impl Rule {
    /// Reads the value of an RRULE.
    pub(super) fn parse(text: &str) -> Result<Self> {
        Self::read(text).map_err(|error| error.meaning(text))
    }

    fn read(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(RecurrenceError::malformed("it is empty"));
        }
        if text.len() > MAX_RULE_BYTES {
            let detail = format!("it is longer than {MAX_RULE_BYTES} bytes");
            return Err(RecurrenceError::malformed(detail));
        }
        let text = text.to_ascii_uppercase();
        if text.starts_with("RRULE:") {
            return Err(RecurrenceError::malformed("leave out \"RRULE:\" and begin with FREQ"));
        }
        let mut parts = Parts::default();
        for part in text.split(';') {
            let Some((name, value)) = part.split_once('=') else {
                let detail = format!("{} isn't NAME=value", quoted(part));
                return Err(RecurrenceError::malformed(detail));
            };
            parts.set(name, value)?;
        }
        parts.into_rule()
    }

    /// Whether the rule has no end.
    pub(super) fn is_endless(&self) -> bool {
        self.end == End::Never
    }

    /// Fills in what the rule leaves to its start: the weekday, the day of the month, the month.
    pub(super) fn with_defaults_of(mut self, start: NaiveDate) -> Self {
        if self.weekdays.is_some() || self.month_days.is_some() {
            return self;
        }
        match self.frequency {
            Frequency::Daily => {}
            Frequency::Weekly => self.weekdays = Some(Weekdays::every(start.weekday())),
            Frequency::Monthly | Frequency::Yearly => {
                self.month_days = Some(only(start.day0() as i16 + 1));
            }
        }
        if self.frequency == Frequency::Yearly {
            self.months = self.months.or(Some(1 << start.month()));
        }
        self
    }
}

fn only<const WORDS: usize>(ordinal: i16) -> Ordinals<WORDS> {
    let mut set = Ordinals::EMPTY;
    set.insert(ordinal);
    set
}

/// The parts of a rule as they are read, each at most once.
#[derive(Default)]
struct Parts {
    frequency: Option<Frequency>,
    interval: Option<u32>,
    count: Option<u32>,
    until: Option<Until>,
    months: Option<u16>,
    month_days: Option<Ordinals<1>>,
    /// The weekdays, and whether any of them has a number.
    weekdays: Option<(Weekdays, bool)>,
    set_positions: Option<Ordinals<6>>,
    week_start: Option<Weekday>,
}

impl Parts {
    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let fresh = match name {
            "FREQ" => self.frequency.replace(frequency(value)?).is_none(),
            "INTERVAL" => self.interval.replace(positive(name, value)?).is_none(),
            "COUNT" => self.count.replace(positive(name, value)?).is_none(),
            "UNTIL" => self.until.replace(until(value)?).is_none(),
            "BYMONTH" => self.months.replace(months(value)?).is_none(),
            "BYMONTHDAY" => self.month_days.replace(ordinals(name, value, 31)?).is_none(),
            "BYDAY" => self.weekdays.replace(weekdays(value)?).is_none(),
            "BYSETPOS" => self.set_positions.replace(ordinals(name, value, 366)?).is_none(),
            "WKST" => self.week_start.replace(week_start(value)?).is_none(),
            "BYSECOND" | "BYMINUTE" | "BYHOUR" | "BYYEARDAY" | "BYWEEKNO" | "BYEASTER" | "RSCALE" | "SKIP" => {
                let part = name.to_owned();
                return Err(RecurrenceError::UnsupportedRulePart { part });
            }
            _ => {
                let detail = format!("{} isn't a part of a rule", quoted(name));
                return Err(RecurrenceError::malformed(detail));
            }
        };
        if !fresh {
            return Err(RecurrenceError::malformed(format!("{name} is given twice")));
        }
        Ok(())
    }

    fn into_rule(self) -> Result<Rule> {
        let frequency = self.frequency.ok_or_else(|| RecurrenceError::malformed("FREQ is missing"))?;
        self.check_together(frequency)?;
        let end = match (self.count, self.until) {
            (Some(count), None) => End::Count(count),
            (None, Some(until)) => End::Until(until),
            (None, None) => End::Never,
            (Some(_), Some(_)) => {
                return Err(RecurrenceError::malformed("COUNT and UNTIL can't be given together; keep one"));
            }
        };
        Ok(Rule {
            frequency,
            interval: self.interval.unwrap_or(1),
            end,
            months: self.months,
            month_days: self.month_days,
            weekdays: self.weekdays.map(|(weekdays, _)| weekdays),
            set_positions: self.set_positions,
            week_start: self.week_start.unwrap_or(Weekday::Mon),
        })
    }

    /// Refuses parts that the standard doesn't allow with this frequency, or that need another part.
    fn check_together(&self, frequency: Frequency) -> Result<()> {
        let numbered = self.weekdays.is_some_and(|(_, numbered)| numbered);
        let short = matches!(frequency, Frequency::Daily | Frequency::Weekly);
        if numbered && short {
            return Err(RecurrenceError::malformed("a numbered weekday such as 1MO needs FREQ=MONTHLY or FREQ=YEARLY"));
        }
        if self.month_days.is_some() && frequency == Frequency::Weekly {
            return Err(RecurrenceError::malformed("BYMONTHDAY can't be given with FREQ=WEEKLY"));
        }
        let filtered = self.months.is_some() || self.month_days.is_some() || self.weekdays.is_some();
        if self.set_positions.is_some() && !filtered {
            return Err(RecurrenceError::malformed("BYSETPOS needs BYDAY, BYMONTHDAY or BYMONTH"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Rule::parse(text).map_or_else(|error| error.code(), |_| "fine")
    }

    #[test]
    fn rules_are_read_in_any_case_and_order() {
        let rule = Rule::parse("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=5;WKST=SU");
        assert!(rule.is_ok());
        assert_eq!(rule, Rule::parse("wkst=su;count=5;byday=we,mo;interval=02;freq=weekly"));
    }

    #[test]
    fn a_malformed_rule_is_answered_with_one_that_would_do() {
        for (text, example) in [
            ("weekly", "FREQ=WEEKLY;COUNT=10"),
            ("every month, monthly", "FREQ=MONTHLY;COUNT=10"),
            ("RRULE:FREQ=DAILY", "FREQ=DAILY;COUNT=10"),
            ("", "FREQ=WEEKLY;COUNT=10"),
        ] {
            let told = Rule::parse(text).unwrap_err().to_string();
            assert!(told.ends_with(&format!("Write it like {example}.")), "{told}");
            assert!(Rule::parse(example).is_ok());
        }
    }

    #[test]
    fn rules_against_the_grammar_are_malformed() {
        for text in [
            "",
            ";",
            "=",
            "FREQ",
            "WEEKLY",
            "FREQ=;COUNT=1",
            "FREQ=WEEKLY;COUNT=1;",
            "FREQ=WEEKLY;;COUNT=1",
            " FREQ=WEEKLY;COUNT=1",
            "RRULE:FREQ=WEEKLY;COUNT=1",
            "rrule:freq=weekly;count=1",
            "COUNT=3",
            "FREQ=FORTNIGHTLY;COUNT=1",
            "FREQ=WEEKLY;COUNT=0",
            "FREQ=WEEKLY;COUNT=-1",
            "FREQ=WEEKLY;COUNT=+1",
            "FREQ=WEEKLY;COUNT=1.5",
            "FREQ=WEEKLY;COUNT=",
            "FREQ=WEEKLY;INTERVAL=0;COUNT=1",
            "FREQ=WEEKLY;FREQ=DAILY;COUNT=1",
            "FREQ=WEEKLY;COUNT=1;COUNT=1",
            "FREQ=WEEKLY;COUNT=1;UNTIL=20270101",
            "FREQ=WEEKLY;COUNT=1;BYDAY=",
            "FREQ=WEEKLY;COUNT=1;BYDAY=MON",
            "FREQ=WEEKLY;COUNT=1;BYDAY=M",
            "FREQ=WEEKLY;COUNT=1;BYDAY=MO,",
            "FREQ=WEEKLY;COUNT=1;BYDAY=1MO",
            "FREQ=DAILY;COUNT=1;BYDAY=-1MO",
            "FREQ=MONTHLY;COUNT=1;BYDAY=0MO",
            "FREQ=MONTHLY;COUNT=1;BYDAY=54MO",
            "FREQ=MONTHLY;COUNT=1;BYDAY=+-1MO",
            "FREQ=MONTHLY;COUNT=1;BYDAY=é",
            "FREQ=WEEKLY;COUNT=1;BYMONTHDAY=1",
            "FREQ=MONTHLY;COUNT=1;BYMONTHDAY=32",
            "FREQ=MONTHLY;COUNT=1;BYMONTHDAY=0",
            "FREQ=YEARLY;COUNT=1;BYMONTH=13",
            "FREQ=YEARLY;COUNT=1;BYMONTH=-1",
            "FREQ=YEARLY;COUNT=1;BYMONTH=5L",
            "FREQ=MONTHLY;COUNT=1;BYSETPOS=1",
            "FREQ=WEEKLY;COUNT=1;WKST=1",
            "FREQ=MONTHLY;COUNT=1;BYDAY=MO;BYSETPOS=367",
            "FREQ=WEEKLY;COUNT=1;X-NAME=1",
            "FREQ=WEEKLY;COUNT=1;É=1",
        ] {
            assert_eq!(code(text), "malformed_rule", "{text}");
        }
    }

    #[test]
    fn an_until_that_is_no_date_is_malformed() {
        for value in [
            "",
            "T",
            "Z",
            "2027",
            "20270229",
            "20271301",
            "2027-01-01",
            "20270101Z",
            "20270101T",
            "20270101T10",
            "20270101T240000",
            "20270101T106000Z",
            "20270101T101010+0100",
            "+2270101",
            "20270101T101010ZZ",
            "2027010é",
        ] {
            assert_eq!(code(&format!("FREQ=DAILY;UNTIL={value}")), "malformed_rule", "{value}");
        }
        assert_eq!(code("FREQ=DAILY;UNTIL=20161231T235960Z"), "fine");
        assert_eq!(code("FREQ=DAILY;UNTIL=99991231"), "fine");
    }

    #[test]
    fn what_the_standard_has_and_we_do_not_is_unsupported() {
        for part in ["BYSECOND=1", "BYMINUTE=1", "BYHOUR=1", "BYYEARDAY=1", "BYWEEKNO=1", "RSCALE=HEBREW", "SKIP=OMIT"]
        {
            assert_eq!(code(&format!("FREQ=YEARLY;COUNT=1;{part}")), "unsupported_rule_part");
        }
        for frequency in ["SECONDLY", "MINUTELY", "HOURLY"] {
            assert_eq!(code(&format!("FREQ={frequency};COUNT=1")), "unsupported_rule_part");
        }
    }

    #[test]
    fn a_rule_without_count_and_until_never_ends() {
        assert_eq!(Rule::parse("FREQ=WEEKLY;BYDAY=MO").map(|rule| rule.end), Ok(End::Never));
    }

    #[test]
    fn a_rule_longer_than_the_bound_is_malformed() {
        let long = |bytes: usize| {
            let stem = "FREQ=WEEKLY;COUNT=";
            format!("{stem}{}1", "0".repeat(bytes - stem.len() - 1))
        };
        assert_eq!(code(&long(MAX_RULE_BYTES)), "fine");
        assert_eq!(code(&long(MAX_RULE_BYTES + 1)), "malformed_rule");
    }

    #[test]
    fn an_error_says_what_is_wrong_and_quotes_little() {
        let error = Rule::parse("FREQ=WEEKLY;INTERVAL=0;COUNT=1").unwrap_err();
        let expected = "The recurrence is malformed: INTERVAL must be a whole number from 1, not \"0\". \
                        Write it like FREQ=WEEKLY;COUNT=10.";
        assert_eq!(error.to_string(), expected);
        let error = Rule::parse(&format!("FREQ={};COUNT=1", "É".repeat(300))).unwrap_err();
        assert!(error.to_string().chars().count() < 200, "{error}");
    }
}
