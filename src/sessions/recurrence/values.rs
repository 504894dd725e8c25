//! The values of a rule's parts.

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, Weekday};

use super::RecurrenceError;
use super::error::quoted;
use super::ordinals::Ordinals;
use super::rule::{Frequency, Until, Weekdays};

type Result<T> = std::result::Result<T, RecurrenceError>;

fn wrong(name: &str, wanted: &str, value: &str) -> RecurrenceError {
    RecurrenceError::malformed(format!("{name} must be {wanted}, not {}", quoted(value)))
}

pub(super) fn frequency(value: &str) -> Result<Frequency> {
    match value {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        "SECONDLY" | "MINUTELY" | "HOURLY" => {
            let part = format!("FREQ={value}");
            Err(RecurrenceError::UnsupportedRulePart { part })
        }
        _ => Err(wrong("FREQ", "DAILY, WEEKLY, MONTHLY or YEARLY", value)),
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number from 1. A number too large for the type is replaced by the largest one.
pub(super) fn positive(name: &str, value: &str) -> Result<u32> {
    match value.parse() {
        Ok(0) => {}
        Ok(number) if digits(value) => return Ok(number),
        Err(_) if digits(value) => return Ok(u32::MAX),
        _ => {}
    }
    Err(wrong(name, "a whole number from 1", value))
}

pub(super) fn until(value: &str) -> Result<Until> {
    let read = match value.strip_suffix('Z') {
        Some(utc) => compact_time(utc).map(|time| Until::Instant(time.and_utc())),
        None if value.contains('T') => compact_time(value).map(Until::Local),
        None => compact_date(value).map(Until::EndOfDay),
    };
    read.ok_or_else(|| {
        let wanted = "a date or time such as 20271231, 20271231T235959 or 20271231T235959Z";
        wrong("UNTIL", wanted, value)
    })
}

/// `YYYYMMDD`.
fn compact_date(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !digits(text) {
        return None;
    }
    let year = text.get(..4)?.parse().ok()?;
    NaiveDate::from_ymd_opt(year, number(text, 4..6)?, number(text, 6..8)?)
}

/// `YYYYMMDDTHHMMSS`.
fn compact_time(text: &str) -> Option<NaiveDateTime> {
    let (day, time) = text.split_once('T')?;
    if time.len() != 6 || !digits(time) {
        return None;
    }
    let second = match number(time, 4..6)? {
        // A leap second reads as the second before it (RFC 5545, section 3.3.12).
        60 => 59,
        second => second,
    };
    compact_date(day)?.and_hms_opt(number(time, 0..2)?, number(time, 2..4)?, second)
}

fn number(text: &str, range: Range<usize>) -> Option<u32> {
    text.get(range)?.parse().ok()
}

pub(super) fn months(value: &str) -> Result<u16> {
    let mut months = 0;
    for item in value.split(',') {
        match item.parse() {
            Ok(month @ 1..=12u8) if digits(item) && item.len() <= 2 => months |= 1 << month,
            _ => return Err(wrong("BYMONTH", "months from 1 to 12", item)),
        }
    }
    Ok(months)
}

/// An ordinal with or without a sign. It has at most as many digits as `most`.
fn ordinal(text: &str, most: u16) -> Option<i16> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let short = digits(unsigned) && unsigned.len() <= 3;
    let number = short.then(|| text.parse::<i16>().ok()).flatten()?;
    (1..=most).contains(&number.unsigned_abs()).then_some(number)
}

pub(super) fn ordinals<const WORDS: usize>(name: &str, value: &str, most: u16) -> Result<Ordinals<WORDS>> {
    let mut set = Ordinals::EMPTY;
    for item in value.split(',') {
        let wanted = || wrong(name, &format!("from 1 to {most} or from -{most} to -1"), item);
        set.insert(ordinal(item, most).ok_or_else(wanted)?);
    }
    Ok(set)
}

fn weekday(text: &str) -> Option<Weekday> {
    match text {
        "MO" => Some(Weekday::Mon),
        "TU" => Some(Weekday::Tue),
        "WE" => Some(Weekday::Wed),
        "TH" => Some(Weekday::Thu),
        "FR" => Some(Weekday::Fri),
        "SA" => Some(Weekday::Sat),
        "SU" => Some(Weekday::Sun),
        _ => None,
    }
}

pub(super) fn week_start(value: &str) -> Result<Weekday> {
    weekday(value).ok_or_else(|| wrong("WKST", "a weekday such as MO", value))
}

pub(super) fn weekdays(value: &str) -> Result<(Weekdays, bool)> {
    let mut days = [Ordinals::EMPTY; 7];
    let mut numbered = false;
    for item in value.split(',') {
        let wanted = || wrong("BYDAY", "weekdays such as MO, 2TU or -1FR", item);
        let name_at = item.len().checked_sub(2).ok_or_else(wanted)?;
        let (number, name) = item.split_at_checked(name_at).ok_or_else(wanted)?;
        let day = weekday(name).ok_or_else(wanted)?;
        let day = &mut days[day.num_days_from_monday() as usize];
        if number.is_empty() {
            *day = Ordinals::ALL;
        } else {
            day.insert(ordinal(number, 53).ok_or_else(wanted)?);
            numbered = true;
        }
    }
    Ok((Weekdays(days), numbered))
}
