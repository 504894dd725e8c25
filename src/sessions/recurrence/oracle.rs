//! Compares thousands of recurrences over 30 years with a table that dateutil and zoneinfo made.
//!
//! `tests/oracle/recurrence.py` makes the table and says how.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::Months;

use super::tests::local;
use super::*;

const TABLE: &str = include_str!("../../../tests/oracle/recurrence.tsv");

/// Rules without an end are cut after this many years.
const YEARS: u32 = 30;

/// What is compared: the count, the first and last local start, and digests of all local starts and of all instants.
type Found = (usize, String, String, String, String);

#[test]
fn every_rule_of_the_table_is_expanded_as_the_oracle_has_it() {
    let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= 3000, "{} rules", lines.len());
    let wrong: Vec<String> = lines.iter().filter_map(|line| fault(line)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} rules differ:\n{}",
        wrong.len(),
        lines.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
}

#[test]
fn a_line_that_differs_is_shown_with_its_rule() {
    let line = TABLE.lines().nth(1).unwrap();
    assert_eq!(fault(line), None);
    let (zone, rest) = line.split_once('\t').unwrap();
    let rule = line.split('\t').nth(2).unwrap();
    assert_ne!(zone, "Asia/Tokyo");
    assert!(fault(&format!("Asia/Tokyo\t{rest}")).unwrap().starts_with(rule));
}

/// What is wrong with a line of the table.
fn fault(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [zone, start, rule, excluded, additional, count, first, last, locals, instants] = fields[..] else {
        return Some(format!("a line of {} fields: {line}", fields.len()));
    };
    let expected: Found =
        (count.parse().unwrap(), first.to_owned(), last.to_owned(), locals.to_owned(), instants.to_owned());
    let found = found(zone, start, rule, excluded, additional);
    let shown = || format!("{rule}\n  {zone} {start}, without {excluded:?}, with {additional:?}");
    match found {
        Ok(found) if found == expected => None,
        found => Some(format!("{}\n  expected {expected:?}\n  found    {found:?}", shown())),
    }
}

fn found(zone: &str, start: &str, rule: &str, excluded: &str, additional: &str) -> Result<Found, RecurrenceError> {
    let times = |list: &str| list.split(',').filter(|time| !time.is_empty()).map(local).collect::<Vec<_>>();
    let (excluded, additional) = (times(excluded), times(additional));
    let recurrence = Recurrence {
        rule,
        local_start: local(start),
        tz: parse_time_zone(zone)?,
        excluded: &excluded,
        additional: &additional,
        work: &Work::of_kept(),
    };
    let rule = read(&recurrence)?;
    let cut = local(start).date().checked_add_months(Months::new(12 * YEARS));
    let window = Window { after: None, through: cut.filter(|_| rule.end == End::Never), most: usize::MAX };
    let mut all = list(&rule, &recurrence, &window)?;
    // The table cuts everything. We list additional times whatever the horizon is.
    all.retain(|occurrence| occurrence.local_start.date() <= window.last());
    let shown = |occurrence: Option<&Occurrence>| {
        occurrence.map_or(String::new(), |o| o.local_start.format("%FT%T").to_string())
    };
    Ok((
        all.len(),
        shown(all.first()),
        shown(all.last()),
        digest_of(all.iter().map(|occurrence| occurrence.local_start.and_utc())),
        digest_of(all.iter().map(|occurrence| occurrence.starts_at)),
    ))
}

/// The first eight bytes of a SHA-256. Its input is the seconds since 1970, each as eight bytes, the lowest byte first.
fn digest_of(times: impl Iterator<Item = DateTime<Utc>>) -> String {
    let bytes: Vec<u8> = times.flat_map(|time| time.timestamp().to_le_bytes()).collect();
    digest(&SHA256, &bytes).as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
