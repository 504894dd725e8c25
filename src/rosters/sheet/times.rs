//! Dates and times of day as people write them in a sheet. Dates are read day first.

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};

use crate::db::LocalTime;

const EXAMPLES: &str = "Must be a local date and time such as 2027-01-05T13:00:00, or with the day first: \
                        05/01/2027 13:00, 5 Jan 2027 1pm.";
const DATES: &str = "Must be a date such as 2027-01-05, or with the day first: 5/1/2027, 5 Jan 2027.";
const CLOCKS: &str = "Must be a time of day such as 13:00, 1:30pm or 1 pm.";
/// Longer cells hold no time.
const LONGEST: usize = 80;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
pub(super) const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// The time in a cell, written as an entry has it: `2027-01-05T13:00:00`.
///
/// # Errors
/// A sentence about what is ambiguous or impossible.
pub fn read_time(cell: &str) -> Result<LocalTime, String> {
    if let Ok(time) = cell.parse::<LocalTime>() {
        return Ok(time);
    }
    if is_number(cell) {
        return Err(format!("Is a spreadsheet's number of days: format the column as a date and a time. {EXAMPLES}"));
    }
    let words = words_of(cell).ok_or(EXAMPLES)?;
    let mut told = None;
    // The time stands behind the date, and either may have several words.
    for end in (1..words.len()).rev() {
        let (date, time) = words.split_at(end);
        match (date_of(date), clock_of(&time.join(" "))) {
            (Ok(date), Ok(time)) => return Ok(LocalTime(date.and_time(time))),
            (Ok(_), Err(detail)) => told = Some(detail),
            (Err(Some(detail)), Ok(_)) => told = Some(detail),
            _ => {}
        }
    }
    Err(match (date_of(&words), told) {
        (Ok(_), _) => format!("Has no time of day. {EXAMPLES}"),
        (_, Some(detail)) | (Err(Some(detail)), _) => detail,
        (Err(None), None) => EXAMPLES.to_owned(),
    })
}

/// The date in a cell.
///
/// # Errors
/// A sentence about what is impossible.
pub fn read_date(cell: &str) -> Result<NaiveDate, String> {
    if is_number(cell) {
        return Err(format!("Is a spreadsheet's number of days: format the column as a date. {DATES}"));
    }
    let words = words_of(cell).ok_or(DATES)?;
    date_of(&words).map_err(|detail| detail.unwrap_or_else(|| DATES.to_owned()))
}

/// The day of the week that a cell names.
pub fn read_weekday(cell: &str) -> Option<Weekday> {
    weekday(&cell.trim().trim_end_matches('.').to_lowercase())
}

/// The time of day in a cell, and the one up to which it reaches, if it is written as `1pm to 2.30pm`.
///
/// # Errors
/// A sentence about what is impossible.
pub fn read_span(cell: &str) -> Result<(NaiveTime, Option<NaiveTime>), String> {
    let text = words_of(cell).ok_or(CLOCKS)?.join(" ").replace(['–', '—', '−'], "-");
    let parts: Vec<&str> = text.split("-").flat_map(|part| part.split(" to ")).map(str::trim).collect();
    match parts.as_slice() {
        [start] => Ok((clock_of(start)?, None)),
        [start, end] => {
            let until = clock_of(end)?;
            Ok((start_before(start, end, until)?, Some(until)))
        }
        _ => Err(CLOCKS.to_owned()),
    }
}

/// The start of a span. In `1-2.30pm` and `11-1pm` it has the half of the day that puts it before the end.
fn start_before(start: &str, end: &str, until: NaiveTime) -> Result<NaiveTime, String> {
    if half_of(start).is_some() || half_of(end).is_none() {
        return clock_of(start);
    }
    let halves = ["pm", "am"].iter().filter_map(|half| clock_of(&format!("{start}{half}")).ok());
    match halves.filter(|time| *time < until).max() {
        Some(time) => Ok(time),
        None => clock_of(start),
    }
}

/// The words of a cell in lower case, without `at`; `None` if the cell is too long to be a time.
fn words_of(cell: &str) -> Option<Vec<String>> {
    (cell.len() <= LONGEST).then(|| {
        let lower = cell.to_lowercase();
        // 2027-01-05T13:00
        let lower = match lower.split_once('t') {
            Some((date, time)) if date.len() == 10 && date.ends_with(|c: char| c.is_ascii_digit()) => {
                format!("{date} {time}")
            }
            _ => lower,
        };
        let words = lower.split(|sign: char| sign.is_whitespace() || sign == ',').map(|word| word.trim_matches('@'));
        words.filter(|word| !word.is_empty() && *word != "at").map(str::to_owned).collect()
    })
}

/// Whether a cell is one number, as a spreadsheet keeps a date.
fn is_number(cell: &str) -> bool {
    let digits = cell.chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ','));
    digits && cell.matches(['.', ',']).count() < 2 && cell.bytes().filter(u8::is_ascii_digit).count() >= 5
}

/// The date that these words are. The error is a sentence where they are a date that can't be.
fn date_of(words: &[String]) -> Result<NaiveDate, Option<String>> {
    let named = words.first().and_then(|word| weekday(word.trim_end_matches('.')));
    let rest = if named.is_some() { &words[1..] } else { words };
    let parts: Vec<&str> = match rest {
        [one] => one.split(['/', '-', '.']).collect(),
        many => many.iter().map(String::as_str).filter(|word| *word != "of").collect(),
    };
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 && rest.len() == 1 => (number(year), number(month), number(day)),
        [day, month, year] if month_named(month).is_some() => (number(year), month_named(month), day_number(day)),
        [month, day, year] if month_named(month).is_some() => (number(year), month_named(month), day_number(day)),
        [day, month] | [month, day] if month_named(month).is_some() && day_number(day).is_some() => {
            return Err(Some(format!("Has no year. {DATES}")));
        }
        [day, month, year] if rest.len() == 1 && matches!(year.len(), 2 | 4) => {
            (number(year), number(month), number(day))
        }
        _ => return Err(None),
    };
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return Err(None) };
    let date = dated(year, month, day).map_err(Some)?;
    match named {
        Some(named) if named != date.weekday() => Err(Some(wrong_weekday(date, named))),
        _ => Ok(date),
    }
}

/// That a date is another day of the week than the sheet says.
pub(super) fn wrong_weekday(date: NaiveDate, named: Weekday) -> String {
    let name = |day: Weekday| DAYS.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name);
    let capital = |name: &str| name[..1].to_uppercase() + &name[1..];
    format!("{} is a {}, not a {}.", date.format("%-d %B %Y"), capital(name(date.weekday())), capital(name(named)))
}

fn dated(year: u32, month: u32, day: u32) -> Result<NaiveDate, String> {
    let year = if year < 100 { 2000 + year } else { year };
    if !(1..=12).contains(&month) {
        return Err(format!("There is no month {month}: dates are read day first, 31/01/2027 being in January."));
    }
    let date = i32::try_from(year)
        .ok()
        .filter(|year| *year >= 1000)
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    date.ok_or_else(|| format!("There is no day {day} in month {month} of {year}; dates are read day first."))
}

fn month_named(word: &str) -> Option<u32> {
    let word = word.trim_end_matches('.');
    let index = MONTHS.iter().position(|month| {
        *month == word || (word.len() >= 3 && month[..3] == *word) || word == "sept" && *month == "september"
    })?;
    u32::try_from(index + 1).ok()
}

/// `tuesday`, `tuesdays`, `tue`, `tues`.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    let one = word.strip_suffix('s').unwrap_or(word);
    let known = |name: &str| name == one || ((3..=5).contains(&one.len()) && name.starts_with(one));
    DAYS.iter().find(|(name, _)| known(name)).map(|(_, day)| *day)
}

/// `5`, `05`, `5th`.
fn day_number(word: &str) -> Option<u32> {
    let plain = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    number(plain).filter(|_| plain.len() <= 2)
}

/// The half of the day that a time names, and the time before it.
fn half_of(text: &str) -> Option<(&str, bool)> {
    let ends = [("a.m.", false), ("p.m.", true), ("a.m", false), ("p.m", true), ("am", false), ("pm", true)];
    ends.iter().find_map(|(end, late)| Some((text.strip_suffix(end)?.trim_end(), *late)))
}

/// `13:00`, `13.00`, `13:00:00`, `1300`, `1pm`, `1:30 pm`, `noon`.
fn clock_of(text: &str) -> Result<NaiveTime, String> {
    let impossible = || "There is no such time of day: hours are 0 to 23, minutes and seconds 0 to 59.".to_owned();
    if matches!(text, "noon" | "midday" | "12 noon" | "12noon" | "12 midday") {
        return NaiveTime::from_hms_opt(12, 0, 0).ok_or_else(impossible);
    }
    let half = half_of(text);
    let plain = half.map_or(text, |(plain, _)| plain);
    let parts: Option<Vec<u32>> = plain.split([':', '.']).map(number).collect();
    let (hour, minute, second) = match parts.as_deref() {
        Some([hour]) if half.is_some() && plain.len() <= 2 => (*hour, 0, 0),
        Some([both]) if plain.len() == 4 => (both / 100, both % 100, 0),
        Some([_]) if plain.len() <= 2 => {
            return Err(format!("Can't be told from morning or evening. {CLOCKS}"));
        }
        Some([hour, minute]) => (*hour, *minute, 0),
        Some([hour, minute, second]) => (*hour, *minute, *second),
        _ => return Err(CLOCKS.to_owned()),
    };
    let hour = match half {
        Some((_, late)) if (1..=12).contains(&hour) => hour % 12 + if late { 12 } else { 0 },
        // 13:00 PM
        Some((_, true)) if (13..=23).contains(&hour) => hour,
        Some(_) => return Err(impossible()),
        None => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, second).ok_or_else(impossible)
}

/// A plain number of one to four digits.
fn number(text: &str) -> Option<u32> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_spreadsheets_are_read_day_first() {
        for (cell, time) in [
            ("2027-01-05T13:00:00", "2027-01-05T13:00:00"),
            ("2027-01-05T13:00", "2027-01-05T13:00:00"),
            ("2027-01-05 13:00", "2027-01-05T13:00:00"),
            ("2027-01-05  13:00:30", "2027-01-05T13:00:30"),
            ("05/01/2027 13:00", "2027-01-05T13:00:00"),
            ("05/01/2027 13:00:00", "2027-01-05T13:00:00"),
            ("5/1/2027 9:30", "2027-01-05T09:30:00"),
            ("31/12/2027\u{a0}0:00", "2027-12-31T00:00:00"),
            ("29/02/2028 9:05", "2028-02-29T09:05:00"),
            ("5/1/27 13:00", "2027-01-05T13:00:00"),
            ("5/1/27 1:00 PM", "2027-01-05T13:00:00"),
            ("05-01-2027 13.00", "2027-01-05T13:00:00"),
            ("05.01.2027 1pm", "2027-01-05T13:00:00"),
            ("5 Jan 2027 13:00", "2027-01-05T13:00:00"),
            ("5th January 2027 at 1 p.m.", "2027-01-05T13:00:00"),
            ("Tue 5 Jan 2027, 1pm", "2027-01-05T13:00:00"),
            ("Tuesday, 5th of January 2027, 12 noon", "2027-01-05T12:00:00"),
            ("January 5, 2027 12am", "2027-01-05T00:00:00"),
            ("5-Jan-27 1300", "2027-01-05T13:00:00"),
            ("Sept 1 2027 12:15pm", "2027-09-01T12:15:00"),
        ] {
            assert_eq!(read_time(cell).map(|time| time.to_string()).as_deref(), Ok(time), "{cell}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_impossible_says_so() {
        for (cell, words) in [
            ("1/13/2027 9:30", "no month 13: dates are read day first"),
            ("31/02/2027 9:30", "no day 31 in month 2 of 2027"),
            ("29/02/2027 9:30", "no day 29"),
            ("31 Feb 27 9:30", "no day 31 in month 2 of 2027"),
            ("0/1/2027 9:30", "no day 0"),
            ("5/1/2027", "no time of day"),
            ("2027-01-05", "no time of day"),
            ("5 January 2027", "no time of day"),
            ("5 January 1pm", "no year"),
            ("5/1/2027 24:00", "no such time"),
            ("5/1/2027 13:60", "no such time"),
            ("5/1/2027 0:30 pm", "no such time"),
            ("5/1/2027 9", "morning or evening"),
            ("Wed 5 Jan 2027 1pm", "5 January 2027 is a Tuesday, not a Wednesday."),
            ("46392.5416666667", "number of days"),
            ("46392", "number of days"),
            ("2027-01-05T13:00:00Z", "such as"),
            ("2027-01-05T13:00:00+00:00", "such as"),
            ("tomorrow", "such as 2027-01-05T13:00:00"),
            ("", "such as 2027-01-05T13:00:00"),
        ] {
            let told = read_time(cell).unwrap_err();
            assert!(told.contains(words), "{cell}: {told}");
        }
    }

    #[test]
    fn times_of_day_reach_up_to_another_or_not() {
        let clock = |text: &str| text.parse::<NaiveTime>().unwrap();
        for (cell, start, end) in [
            ("13:00", "13:00:00", None),
            ("9.30am", "09:30:00", None),
            ("1pm-2.30pm", "13:00:00", Some("14:30:00")),
            ("1 - 2.30 pm", "13:00:00", Some("14:30:00")),
            ("11am to 1pm", "11:00:00", Some("13:00:00")),
            ("11–1pm", "11:00:00", Some("13:00:00")),
            ("10:00 – 12:00", "10:00:00", Some("12:00:00")),
            ("10-11.30am", "10:00:00", Some("11:30:00")),
        ] {
            assert_eq!(read_span(cell), Ok((clock(start), end.map(clock))), "{cell}");
        }
        for cell in ["1", "morning", "1pm-2pm-3pm", "", "-"] {
            assert!(read_span(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn weekdays_are_known_by_their_beginnings() {
        for word in ["Tuesday", "tuesdays", "Tue", "Tues", "tue."] {
            assert_eq!(read_weekday(word), Some(Weekday::Tue), "{word}");
        }
        for word in ["t", "tu", "tuxday", "day", "thurso"] {
            assert_eq!(read_weekday(word), None, "{word}");
        }
        assert_eq!(read_weekday("thurs"), Some(Weekday::Thu));
    }
}
