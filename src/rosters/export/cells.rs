//! The cells of an entry in a sheet. [`crate::rosters::sheet`] reads them back into the same entry.

use chrono::NaiveTime;
use serde_json::Value;

use crate::db::LocalTime;
use crate::rosters::sheet::columns::{COLUMNS, HEADS, PARTS};
use crate::tables::{Cell, Form};

/// The columns of a sheet, in their order. Whoever reads a sheet thinks in pounds.
pub fn names() -> [&'static str; COLUMNS.len()] {
    COLUMNS.map(|name| if name == "price_pence" { "price" } else { name })
}

/// The columns whose values have a label for people in a workbook.
const LABELLED: [&str; 5] = ["type", "pillar", "delivery", "booking_policy", "publication"];

/// The cells of an entry. `entry` is an object, but its members needn't be right.
pub fn of(entry: &Value, form: Form) -> Vec<Cell> {
    COLUMNS.iter().map(|name| cell(name, member(entry, name), form)).collect()
}

/// The member, or the part of a member, that a column is of.
fn member<'a>(entry: &'a Value, name: &str) -> &'a Value {
    let part = PARTS.iter().find(|(column, ..)| *column == name);
    match part {
        Some((_, member, part)) => &entry[member][part],
        None if HEADS.contains(&name) => &entry["register"]["headcount"][name],
        None => &entry[name],
    }
}

fn cell(name: &str, value: &Value, form: Form) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::String(text) if name == "local_start" && form == Form::Xlsx => time(text),
        Value::String(text) if LABELLED.contains(&name) && form == Form::Xlsx => Cell::text(label(text)),
        Value::String(text) => Cell::text(text.clone()),
        Value::Number(number) if name == "price_pence" && number.is_u64() => {
            Cell::text(price(number.as_u64().unwrap_or_default()))
        }
        Value::Number(number) => number.as_f64().map_or(Cell::Empty, Cell::Number),
        Value::Bool(is_true) => Cell::from(if *is_true { "yes" } else { "no" }),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            Cell::text(texts.collect::<Vec<_>>().join("|"))
        }
        Value::Object(_) => Cell::text(value.to_string()),
    }
}

/// A time, as far as a cell can hold it: a spreadsheet reads one at midnight as a date alone.
fn time(text: &str) -> Cell {
    match text.parse::<LocalTime>() {
        Ok(time) if time.0.time() != NaiveTime::MIN => Cell::Time(time.0),
        _ => Cell::text(text.to_owned()),
    }
}

/// `In person` for `in_person`.
pub fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A price as people write it.
fn price(pence: u64) -> String {
    if pence == 0 { "free".to_owned() } else { format!("£{}.{:02}", pence / 100, pence % 100) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_written_as_people_write_them() {
        let entry = json!({
            "pillar": "social_prescribing", "topics": ["a", "b"], "price_pence": 205, "local_start": "2027-01-05T13:00:00",
            "image": { "url": "https://a.example/" }, "register": { "headcount": { "family": 3 } }, "capacity": 12
        });
        let cell = |name: &str, form| cell(name, member(&entry, name), form);
        for (name, text) in [
            ("pillar", "Social prescribing"),
            ("topics", "a|b"),
            ("price_pence", "£2.05"),
            ("image_url", "https://a.example/"),
        ] {
            assert_eq!(cell(name, Form::Xlsx), Cell::from(text));
        }
        assert_eq!(cell("pillar", Form::Csv), Cell::from("social_prescribing"));
        assert_eq!((cell("family", Form::Csv), cell("capacity", Form::Csv)), (Cell::Number(3.0), Cell::Number(12.0)));
        assert_eq!(cell("local_start", Form::Csv), Cell::from("2027-01-05T13:00:00"));
        assert!(matches!(cell("local_start", Form::Xlsx), Cell::Time(_)));
        assert_eq!((cell("image_alt", Form::Csv), price(0)), (Cell::Empty, "free".to_owned()));
    }
}
