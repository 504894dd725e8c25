//! How often a series takes place, as people write it: `weekly`, `every 2 weeks`, `2nd Tuesday of the month`.

use chrono::{NaiveDate, Weekday};

use super::times::{DAYS, weekday};
use crate::text::fold::name_key;

const EXAMPLES: &str = "Write it like one of these: weekly; every 2 weeks; monthly on the 2nd Tuesday.";
/// Longer cells hold no rule.
const LONGEST: usize = 200;
const CARDINALS: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
/// Words that say nothing by themselves.
const FILLERS: [&str; 9] = ["every", "each", "on", "the", "of", "and", "a", "in", "at"];

/// The unit of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Year,
}

/// What the words of a rule say.
#[derive(Debug, Default)]
struct Rule {
    unit: Option<Unit>,
    interval: Option<u32>,
    /// `2` of `the 2nd Tuesday`; `-1` for the last.
    ordinals: Vec<i32>,
    weekdays: Vec<Weekday>,
    /// Whether the last word was a `to` between two days.
    reaches: bool,
}

/// The value of an RRULE for a cell, without its end; `None` where the cell says that nothing repeats.
///
/// # Errors
/// A sentence with three examples.
pub fn read_repeats(cell: &str) -> Result<Option<String>, String> {
    // The hyphen of `Mon-Fri` is a `to`; folding would drop it.
    let reaching = cell.replace(['-', '–'], " to ");
    let words = if cell.len() <= LONGEST { name_key(&reaching) } else { String::new() };
    if ["once", "one to off", "one off", "no", "none", "never", "does not repeat", "doesnt repeat"]
        .contains(&words.as_str())
    {
        return Ok(None);
    }
    let mut rule = Rule::default();
    let mut before = "";
    for word in words.split(' ') {
        rule.take(word, before).ok_or(EXAMPLES)?;
        before = word;
    }
    rule.written().map(Some)
}

impl Rule {
    /// Takes a word in; `None` if it is none of a rule.
    fn take(&mut self, word: &str, before: &str) -> Option<()> {
        let cardinal =
            || CARDINALS.iter().position(|known| *known == word).and_then(|index| u32::try_from(index + 1).ok());
        match word {
            "daily" | "day" | "days" => self.set(Unit::Day)?,
            "weekly" | "week" | "weeks" => self.set(Unit::Week)?,
            "fortnightly" | "fortnight" | "alternate" => {
                self.interval = self.interval.xor(Some(2));
                self.interval?;
                if word != "alternate" {
                    self.set(Unit::Week)?;
                }
            }
            "monthly" | "month" | "months" => self.set(Unit::Month)?,
            "yearly" | "annually" | "year" | "years" => self.set(Unit::Year)?,
            "weekday" | "weekdays" => self.weekdays.extend(DAYS[..5].iter().map(|(_, day)| day)),
            "other" if before == "every" => self.interval = Some(2),
            "last" => self.ordinals.push(-1),
            "to" => self.reaches = !self.weekdays.is_empty(),
            _ if FILLERS.contains(&word) => {}
            _ => match weekday(word) {
                Some(day) => self.add(day),
                None => match ordinal(word) {
                    Some(ordinal) => self.ordinals.push(ordinal),
                    None => {
                        self.interval = Some(cardinal().or_else(|| word.parse().ok().filter(|n| (1..=99).contains(n)))?)
                    }
                },
            },
        }
        Some(())
    }

    /// `monthly` can follow with `of the month`, and no other unit.
    fn set(&mut self, unit: Unit) -> Option<()> {
        // Every second week.
        if unit == Unit::Week && self.ordinals == [2] && self.weekdays.is_empty() {
            self.ordinals.clear();
            self.interval = Some(2);
        }
        (self.unit.is_none() || self.unit == Some(unit)).then(|| self.unit = Some(unit))
    }

    fn add(&mut self, day: Weekday) {
        let last = self.weekdays.last().copied();
        if let (true, Some(from)) = (std::mem::take(&mut self.reaches), last) {
            let mut next = from.succ();
            while next != day {
                self.weekdays.push(next);
                next = next.succ();
            }
        }
        self.weekdays.push(day);
    }

    fn written(self) -> Result<String, String> {
        let Self { unit, interval, ordinals, mut weekdays, .. } = self;
        let interval = interval.filter(|n| *n != 1).map(|n| format!(";INTERVAL={n}")).unwrap_or_default();
        weekdays.sort_by_key(Weekday::num_days_from_monday);
        weekdays.dedup();
        let days =
            |ordinal: &str| weekdays.iter().map(|day| format!("{ordinal}{}", code(*day))).collect::<Vec<_>>().join(",");
        let by_day = || if weekdays.is_empty() { String::new() } else { format!(";BYDAY={}", days("")) };
        match unit {
            Some(Unit::Month) if ordinals.is_empty() => {
                Err("Say on which day of the month: monthly on the 2nd Tuesday; last Friday of the month; monthly on the 15th.".to_owned())
            }
            Some(Unit::Month) if weekdays.is_empty() => Ok(format!("FREQ=MONTHLY{interval};BYMONTHDAY={}", joined(&ordinals))),
            Some(Unit::Month) if ordinals.iter().all(|n| (-1..=5).contains(n)) => {
                let each: Vec<String> = ordinals.iter().map(|ordinal| days(&ordinal.to_string())).collect();
                Ok(format!("FREQ=MONTHLY{interval};BYDAY={}", each.join(",")))
            }
            _ if !ordinals.is_empty() => Err(format!("Say whether that is of the month: 2nd Tuesday of the month. {EXAMPLES}")),
            Some(Unit::Day) if weekdays.is_empty() => Ok(format!("FREQ=DAILY{interval}")),
            Some(Unit::Year) if weekdays.is_empty() => Ok(format!("FREQ=YEARLY{interval}")),
            Some(Unit::Week) => Ok(format!("FREQ=WEEKLY{interval}{}", by_day())),
            None if !weekdays.is_empty() => Ok(format!("FREQ=WEEKLY{interval}{}", by_day())),
            _ => Err(EXAMPLES.to_owned()),
        }
    }
}

fn joined(numbers: &[i32]) -> String {
    numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

/// `2nd`, `second`.
fn ordinal(word: &str) -> Option<i32> {
    let named = ORDINALS.iter().position(|known| *known == word).and_then(|index| i32::try_from(index + 1).ok());
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)?.parse::<i32>().ok());
    named.or(digits.filter(|number| (1..=31).contains(number)))
}

/// The two letters of a day in an RRULE.
fn code(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    }
}

/// The part of an RRULE that says that a date is the last day.
pub fn until(date: NaiveDate) -> String {
    format!(";UNTIL={}", date.format("%Y%m%d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_people_write_them() {
        for (cell, rule) in [
            ("weekly", "FREQ=WEEKLY"),
            ("Every week", "FREQ=WEEKLY"),
            ("every 2 weeks", "FREQ=WEEKLY;INTERVAL=2"),
            ("Every two weeks", "FREQ=WEEKLY;INTERVAL=2"),
            ("every other week", "FREQ=WEEKLY;INTERVAL=2"),
            ("every second week", "FREQ=WEEKLY;INTERVAL=2"),
            ("Fortnightly", "FREQ=WEEKLY;INTERVAL=2"),
            ("fortnightly on Tuesdays", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
            ("alternate Fridays", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"),
            ("daily", "FREQ=DAILY"),
            ("every day", "FREQ=DAILY"),
            ("Every 3 days", "FREQ=DAILY;INTERVAL=3"),
            ("Mondays and Thursdays", "FREQ=WEEKLY;BYDAY=MO,TH"),
            ("Thu, Mon & Wed", "FREQ=WEEKLY;BYDAY=MO,WE,TH"),
            ("every Tuesday", "FREQ=WEEKLY;BYDAY=TU"),
            ("Weekly on a Tuesday", "FREQ=WEEKLY;BYDAY=TU"),
            ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            ("Monday to Friday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            ("Mon-Fri", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            ("monthly on the 2nd Tuesday", "FREQ=MONTHLY;BYDAY=2TU"),
            ("2nd Tuesday of the month", "FREQ=MONTHLY;BYDAY=2TU"),
            ("First and third Monday of every month", "FREQ=MONTHLY;BYDAY=1MO,3MO"),
            ("last Friday of each month", "FREQ=MONTHLY;BYDAY=-1FR"),
            ("every 2 months on the 1st Wednesday", "FREQ=MONTHLY;INTERVAL=2;BYDAY=1WE"),
            ("monthly on the 15th", "FREQ=MONTHLY;BYMONTHDAY=15"),
            ("yearly", "FREQ=YEARLY"),
        ] {
            assert_eq!(read_repeats(cell), Ok(Some(rule.to_owned())), "{cell}");
        }
        assert_eq!(read_repeats("One-off"), Ok(None));
    }

    #[test]
    fn what_is_no_rule_is_told_three_examples() {
        for cell in [
            "now and then",
            "monthly",
            "every 2nd Tuesday",
            "2",
            "bi-weekly",
            "weekly in term time",
            "",
            "every",
            "weekly monthly",
            "FREQ=WEEKLY",
            "7th Tuesday of the month",
        ] {
            let told = read_repeats(cell).unwrap_err();
            assert!(
                told.contains("monthly on the 2nd Tuesday") || told.contains("2nd Tuesday of the month"),
                "{cell}: {told}"
            );
        }
    }
}
