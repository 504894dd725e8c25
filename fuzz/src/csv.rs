//! A roster from a spreadsheet. The input is the file.
//!
//! - Entries keep their order, and each names a line of the file.
//! - A table that is written from the entries is read as the same entries.

use ::csv::Writer;
use life_rooms::http::shape;
use life_rooms::rosters::read::{Form, RawEntry, each};
use life_rooms::rosters::sheet::columns::COLUMNS;
use life_rooms::rosters::types::{RosterEntry, UnknownColumns};
use serde_json::Value;

/// Runs the target.
pub fn run(data: &[u8]) {
    let Some(entries) = read(data) else { return };
    let lines: Vec<i32> = entries.iter().filter_map(|entry| entry.line).collect();
    assert_eq!(lines.len(), entries.len(), "each entry has a line");
    assert!(lines.is_sorted_by(|a, b| a < b), "the lines ascend: {lines:?}");
    let ends = data.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    assert!(lines.last().is_some_and(|last| usize::try_from(*last).is_ok_and(|last| last <= ends + 1)));
    for entry in &entries {
        shape::of::<RosterEntry>().faults(&entry.value, "");
        let _ = serde_json::from_value::<RosterEntry>(entry.value.clone());
    }
    if entries.iter().all(|entry| entry.faults.is_empty() && !has_fraction(&entry.value)) {
        let again = read(&written(&entries)).expect("what was read can be written and read again");
        let values = |entries: &[RawEntry]| entries.iter().map(|entry| entry.value.clone()).collect::<Vec<_>>();
        assert_eq!(values(&entries), values(&again));
    }
}

fn read(data: &[u8]) -> Option<Vec<RawEntry>> {
    let mut entries = Vec::new();
    let count = each(Form::Csv, data, UnknownColumns::Refuse, &mut |entry| entries.push(entry)).ok()?;
    assert_eq!(count, entries.len());
    Some(entries)
}

/// Whether there is a number that its text may not give back to the last bit.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

fn written(entries: &[RawEntry]) -> Vec<u8> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).expect("memory can be written to");
    for entry in entries {
        let headcount = &entry.value["register"]["headcount"];
        let cells = COLUMNS.map(|name| cell(entry.value.get(name).or(headcount.get(name))));
        writer.write_record(cells).expect("memory can be written to");
    }
    writer.into_inner().expect("memory can be written to")
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        // A list without items isn't an absent one.
        Some(Value::Array(items)) if items.is_empty() => "|".to_owned(),
        Some(Value::Array(items)) => items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join("|"),
        Some(value) => value.to_string(),
    }
}
