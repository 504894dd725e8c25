//! Times on the wall as spreadsheets write them.

use chrono::{NaiveDate, NaiveTime};

use crate::db::LocalTime;

const EXAMPLES: &str =
    "Must be a local date and time such as 2027-01-05T13:00:00, or 05/01/2027 13:00 with the day first.";

/// The time in a cell, written as an entry has it: `2027-01-05T13:00:00`.
///
/// Beside that form it reads `2027-01-05 13:00` and, the day first, `05/01/2027 13:00` and `5/1/2027 9:30`, each with
/// or without seconds.
///
/// # Errors
/// A sentence about what is ambiguous or impossible.
pub fn read_time(cell: &str) -> Result<String, String> {
    if cell.parse::<LocalTime>().is_ok() {
        return Ok(cell.to_owned());
    }
    let Some((date, time)) = cell.split_once(|sign: char| sign == 'T' || sign.is_whitespace()) else {
        return Err(without_time(cell));
    };
    let local = read_date(date)?.and_time(read_clock(time.trim())?);
    Ok(LocalTime(local).to_string())
}

/// Why a cell of one word is no date with a time.
fn without_time(cell: &str) -> String {
    let number = !cell.is_empty() && cell.chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ','));
    if number && cell.matches('.').count() < 2 {
        return format!("Is a spreadsheet's number of days: format the column as a date and a time. {EXAMPLES}");
    }
    match read_date(cell) {
        Ok(_) => format!("Has no time of day. {EXAMPLES}"),
        Err(_) => EXAMPLES.to_owned(),
    }
}

fn read_date(text: &str) -> Result<NaiveDate, String> {
    let parts = |sign: char| -> Option<[u32; 3]> {
        let numbers: Vec<u32> = text.split(sign).map(number).collect::<Option<_>>()?;
        numbers.try_into().ok()
    };
    let (year, month, day) = match (parts('/'), parts('-')) {
        (Some([day, month, year]), _) if day < 1000 => (year, month, day),
        (_, Some([year, month, day])) if year >= 1000 => (year, month, day),
        _ => return Err(EXAMPLES.to_owned()),
    };
    if year < 1000 {
        return Err(format!("Must have a year of four digits: whose century it is can't be told. {EXAMPLES}"));
    }
    if !(1..=12).contains(&month) {
        return Err(format!("There is no month {month}: dates are read day first, 31/01/2027 being in January."));
    }
    let date = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    date.ok_or_else(|| format!("There is no day {day} in month {month} of {year}; dates are read day first."))
}

fn read_clock(text: &str) -> Result<NaiveTime, String> {
    let lower = text.to_ascii_lowercase();
    if lower.ends_with("am") || lower.ends_with("pm") {
        return Err("Must be on the 24-hour clock, such as 05/01/2027 13:00.".to_owned());
    }
    let parts: Option<Vec<u32>> = text.split(':').map(number).collect();
    let (hour, minute, second) = match parts.as_deref() {
        Some([hour, minute]) => (*hour, *minute, 0),
        Some([hour, minute, second]) => (*hour, *minute, *second),
        _ => return Err(EXAMPLES.to_owned()),
    };
    let clock = NaiveTime::from_hms_opt(hour, minute, second);
    clock.ok_or_else(|| "There is no such time of day: hours are 0 to 23, minutes and seconds 0 to 59.".to_owned())
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
        ] {
            assert_eq!(read_time(cell).as_deref(), Ok(time), "{cell}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_impossible_says_so() {
        for (cell, words) in [
            ("05/01/27 13:00", "year of four digits"),
            ("1/13/2027 9:30", "no month 13"),
            ("31/02/2027 9:30", "no day 31 in month 2 of 2027"),
            ("29/02/2027 9:30", "no day 29"),
            ("0/1/2027 9:30", "no day 0"),
            ("5/1/2027", "no time of day"),
            ("2027-01-05", "no time of day"),
            ("5/1/2027 24:00", "no such time"),
            ("5/1/2027 13:60", "no such time"),
            ("5/1/2027 1:00 PM", "24-hour clock"),
            ("46392.5416666667", "number of days"),
            ("46392", "number of days"),
            ("05-01-2027 13:00", "such as 2027-01-05T13:00:00"),
            ("05.01.2027 13:00", "such as 2027-01-05T13:00:00"),
            ("5 January 2027", "such as 2027-01-05T13:00:00"),
            ("2027-01-05T13:00:00Z", "such as 2027-01-05T13:00:00"),
            ("2027-01-05T13:00:00+00:00", "such as 2027-01-05T13:00:00"),
            ("tomorrow", "such as 2027-01-05T13:00:00"),
        ] {
            let told = read_time(cell).unwrap_err();
            assert!(told.contains(words), "{cell}: {told}");
        }
    }
}
