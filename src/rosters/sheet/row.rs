//! From a row of a sheet to an entry.

use chrono::{Datelike, NaiveDate, NaiveTime};
use csv::StringRecord;
use serde_json::{Map, Value, json};

use super::columns::{Column, HEADS, PARTS};
use super::repeats::{read_repeats, until};
use super::times::{read_date, read_span, read_time, read_weekday, wrong_weekday};
use super::words::{choice, language, read_age, read_minutes, read_price, short_name, yes_or_no};
use super::{UNREADABLE, workbook};
use crate::db::LocalTime;
use crate::error::Fault;
use crate::http::shape::Shape;
use crate::rosters::read::{RawEntry, Sheet};
use crate::text::reading::is_blank;

/// Faults of one row.
const MOST_FAULTS: usize = 100;
/// The columns whose lists hold short names.
const SHORT_NAMES: [&str; 2] = ["topics", "accessibility"];
/// The columns that hold an age in years.
const AGES: [&str; 2] = ["min_age", "max_age"];
/// The zone of a row that names none.
const ZONE: &str = "Europe/London";

/// The entry of a row, with what is wrong with its cells.
pub(super) fn entry(line: i32, record: &StringRecord, columns: &[Column<'_>]) -> RawEntry {
    let mut row = Row::default();
    let mut unnamed = None;
    for (column, cell) in columns.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        match column {
            Column::Member(name, shape) => row.member(name, cell, shape),
            Column::When(name) => row.take_when(name, cell),
            Column::Unnamed => unnamed = unnamed.or(Some(cell)),
            Column::Ignored => {}
        }
    }
    row.put_together();
    let Row { mut members, heads, mut faults, sheet, .. } = row;
    if !heads.is_empty() {
        let count = |name: &str| (name.to_owned(), heads.get(name).cloned().unwrap_or_else(|| json!(0)));
        let headcount: Map<String, Value> = HEADS.map(count).into_iter().collect();
        members.insert("register".into(), json!({ "headcount": headcount }));
    }
    members.entry("time_zone").or_insert_with(|| json!(ZONE));
    if let Some(cell) = unnamed {
        let cell: String = cell.chars().take(40).collect();
        let detail = format!("The cell {cell:?} stands in a column without a name in the header.");
        faults.push(Fault::at("", "unnamed_column", detail));
    }
    let mut surplus = surplus(record, columns.len());
    // It comes first, because the faults that follow may only come of it.
    if record.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        faults.splice(0..0, surplus.take());
    }
    RawEntry { line: Some(line), value: Value::Object(members), faults, surplus, sheet: Some(sheet) }
}

/// That a row has more cells than the header.
fn surplus(record: &StringRecord, columns: usize) -> Option<Fault> {
    let detail = format!(
        "The row has {} cells and the header {columns}. Put a cell that holds the separator in quotation marks.",
        record.len(),
    );
    (record.len() > columns).then(|| Fault::at("", "too_many_cells", detail))
}

/// A row as far as it has been read.
#[derive(Default)]
struct Row<'a> {
    members: Map<String, Value>,
    heads: Map<String, Value>,
    faults: Vec<Fault>,
    sheet: Sheet,
    /// The cells of the columns that only a sheet has.
    when: Vec<(&'static str, &'a str)>,
}

impl<'a> Row<'a> {
    fn wrong(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        // A cell of a million separators tells no more than one of a hundred.
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault::at(pointer, "wrong_format", detail.into()));
        }
    }

    /// Whether a cell has a value; a fault if it has none that can be read.
    fn is_readable(&mut self, name: &str, cell: &str) -> bool {
        let Some(why) = cell.strip_prefix(UNREADABLE) else { return true };
        self.wrong(format!("/{name}"), workbook::sentence(why));
        false
    }

    fn member(&mut self, name: &'static str, cell: &'a str, shape: &Shape) {
        if !self.is_readable(name, cell) {
            // Its column is there, and its fault is told: it isn't missing.
            return self.put(name, Value::Null);
        }
        // Beside a day, a column "Start" can hold the time.
        if name == "local_start" && read_time(cell).is_err() && read_span(cell).is_ok() {
            return self.when.push(("time", cell));
        }
        let value = match name {
            "local_start" | "excluded" | "additional" => self.times(name, cell, shape),
            "duration_minutes" => match read_minutes(cell) {
                Ok(minutes) => Value::from(minutes),
                Err(detail) => {
                    self.wrong("/duration_minutes", detail);
                    Value::from(cell)
                }
            },
            _ => coerce(name, cell, shape),
        };
        self.faults.extend(not_joined(name, cell, &value));
        self.put(name, value);
    }

    /// Puts a value where the entry has it: some columns are a part of a member.
    fn put(&mut self, name: &'static str, value: Value) {
        if let Some((_, member, part)) = PARTS.iter().find(|(column, ..)| *column == name) {
            let whole = self.members.entry(*member).or_insert_with(|| json!({}));
            if let Some(whole) = whole.as_object_mut() {
                whole.insert((*part).to_owned(), value);
            }
            return;
        }
        if HEADS.contains(&name) { &mut self.heads } else { &mut self.members }.insert(name.to_owned(), value);
    }

    /// The time in a cell, or the times in a list, as an entry has them; a fault for each that is none.
    fn times(&mut self, name: &str, cell: &str, shape: &Shape) -> Value {
        let mut one = |text: &str, pointer: String| match read_time(text) {
            Ok(time) => Value::from(time.to_string()),
            Err(detail) => {
                self.wrong(pointer, detail);
                Value::from(text)
            }
        };
        match shape {
            Shape::Array { most, .. } => {
                items(cell, *most).enumerate().map(|(index, part)| one(part, format!("/{name}/{index}"))).collect()
            }
            _ => one(cell, format!("/{name}")),
        }
    }

    fn take_when(&mut self, name: &'static str, cell: &'a str) {
        if self.is_readable(name, cell) {
            self.when.push((name, cell));
        } else {
            match name {
                "date" | "day" | "time" => self.lacks("local_start", name),
                "ends" => self.lacks("duration_minutes", name),
                _ => {}
            }
        }
    }

    /// States that a member can't be told since a cell is wrong. The cell's fault stands for both.
    fn lacks(&mut self, member: &'static str, column: &'static str) {
        let name = if member == "local_start" { &mut self.sheet.local_start } else { &mut self.sheet.duration_minutes };
        *name = Some(column);
        self.members.entry(member).or_insert(Value::Null);
    }

    fn cell(&self, name: &str) -> Option<&'a str> {
        self.when.iter().find(|(known, _)| *known == name).map(|(_, cell)| *cell)
    }

    /// Makes members of the columns that only a sheet has.
    fn put_together(&mut self) {
        if self.when.is_empty() {
            return;
        }
        let (clock, end) = self.clock();
        self.start(clock);
        self.length(clock.or_else(|| Some(self.local_start()?.0.time())), end);
        self.rule();
        self.not_on();
        self.price();
    }

    /// The price in pence.
    fn price(&mut self) {
        let Some(cell) = self.cell("price") else { return };
        if self.members.contains_key("price_pence") {
            return self.wrong("/price", "The row has price_pence too: leave one of both empty.");
        }
        match read_price(cell) {
            Ok(pence) => {
                self.sheet.price_pence = Some("price");
                self.members.insert("price_pence".to_owned(), Value::from(pence));
            }
            Err(detail) => self.wrong("/price", detail),
        }
    }

    /// The start that the row has, where it is one.
    fn local_start(&self) -> Option<LocalTime> {
        self.members.get("local_start")?.as_str()?.parse().ok()
    }

    /// The time of day of the start, and of the end where it is told.
    fn clock(&mut self) -> (Option<NaiveTime>, Option<NaiveTime>) {
        let mut read = |name: &'static str| match read_span(self.cell(name)?) {
            Ok(span) => Some(span),
            Err(detail) => {
                self.wrong(format!("/{name}"), detail);
                None
            }
        };
        let (start, ends) = (read("time"), read("ends"));
        (start.map(|(start, _)| start), ends.map(|(end, _)| end).or(start.and_then(|(_, end)| end)))
    }

    /// The start, of a date and a time.
    fn start(&mut self, clock: Option<NaiveTime>) {
        let day = self.cell("day");
        let weekday = day.and_then(read_weekday);
        // A day can be the date.
        let (name, cell) = match (self.cell("date"), day) {
            (Some(cell), _) => ("date", Some(cell)),
            (None, cell) => ("day", cell.filter(|_| weekday.is_none())),
        };
        let given = self.members.get("local_start").is_some_and(|start| !start.is_null());
        match cell {
            Some(_) if given => {
                self.wrong(format!("/{name}"), "The row has a local_start too: leave one of both empty.")
            }
            Some(cell) => self.start_on(name, cell, clock),
            None if !given && (day.is_some() || self.cell("time").is_some()) => {
                self.wrong("/date", "Is required, or a local_start.");
                self.lacks("local_start", "date");
            }
            None => {}
        }
        if let (Some(named), Some(start)) = (weekday, self.local_start())
            && named != start.0.weekday()
        {
            self.wrong("/day", wrong_weekday(start.0.date(), named));
        }
    }

    fn start_on(&mut self, name: &'static str, cell: &str, clock: Option<NaiveTime>) {
        let start = match (read_date(cell), clock) {
            (Ok(date), Some(clock)) => Some(date.and_time(clock)),
            (Ok(_), None) => {
                if self.cell("time").is_none() && !self.members.contains_key("local_start") {
                    self.wrong("/time", "Is required beside a date.");
                }
                return self.lacks("local_start", "time");
            }
            // The cell may hold both.
            (Err(detail), _) => match read_time(cell) {
                Ok(time) => Some(clock.map_or(time.0, |clock| time.0.date().and_time(clock))),
                Err(_) => {
                    self.wrong(format!("/{name}"), detail);
                    return self.lacks("local_start", name);
                }
            },
        };
        self.sheet.local_start = Some(name);
        self.members.insert("local_start".to_owned(), json!(start.map(|start| LocalTime(start).to_string())));
    }

    /// The length, from the start to the end.
    fn length(&mut self, start: Option<NaiveTime>, end: Option<NaiveTime>) {
        let given = self.members.get("duration_minutes").cloned();
        let (Some(start), Some(end)) = (start, end) else {
            if given.is_none() && self.cell("ends").is_some() {
                self.lacks("duration_minutes", "ends");
            }
            return;
        };
        let name = if self.cell("ends").is_some() { "ends" } else { "time" };
        let minutes = (end - start).num_minutes();
        if minutes <= 0 {
            self.wrong(format!("/{name}"), "Is not after the start.");
            self.lacks("duration_minutes", name);
        } else if given.is_some_and(|given| given != json!(minutes)) {
            let detail = format!("Is {minutes} minutes after the start, and duration_minutes says something else.");
            self.wrong(format!("/{name}"), detail);
        } else {
            self.sheet.duration_minutes = Some(name);
        }
        self.members.entry("duration_minutes").or_insert_with(|| json!(minutes));
    }

    /// The rule, and its end.
    fn rule(&mut self) {
        let rule = match self.cell("repeats") {
            Some(_) if self.members.contains_key("recurrence") => {
                return self.wrong("/repeats", "The row has a recurrence too: leave one of both empty.");
            }
            Some(cell) => match read_repeats(cell) {
                Ok(rule) => rule,
                Err(detail) => return self.wrong("/repeats", detail),
            },
            None => None,
        };
        let end = self.end_of_rule();
        match rule {
            Some(rule) => {
                self.sheet.recurrence = Some("repeats");
                let rule = rule + &end.unwrap_or_default();
                self.members.insert("recurrence".to_owned(), Value::from(rule));
            }
            // One time is no repetition.
            None if end.as_deref() == Some(";COUNT=1") => {}
            None => {
                let name = if self.cell("until").is_some() { "until" } else { "times" };
                if end.is_some() {
                    self.wrong(format!("/{name}"), "Needs repeats beside it, such as weekly.");
                }
            }
        }
    }

    /// The part of a rule that says when it ends.
    fn end_of_rule(&mut self) -> Option<String> {
        let (last, times) = (self.cell("until"), self.cell("times"));
        match (last, times) {
            (Some(_), Some(_)) => {
                self.wrong("/times", "The row has until too: leave one of both empty.");
                None
            }
            (Some(cell), None) => {
                match read_date(cell).or_else(|detail| read_time(cell).map(|time| time.0.date()).map_err(|_| detail)) {
                    Ok(date) => Some(until(date)),
                    Err(detail) => {
                        self.wrong("/until", detail);
                        None
                    }
                }
            }
            (None, Some(cell)) => match number(cell).as_i64().filter(|times| (1..=9999).contains(times)) {
                Some(times) => Some(format!(";COUNT={times}")),
                None => {
                    self.wrong("/times", "Must be a number of sessions, such as 10.");
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// The starts on the days on which the series doesn't take place.
    fn not_on(&mut self) {
        let Some(cell) = self.cell("not_on") else { return };
        if self.members.contains_key("excluded") {
            return self.wrong("/not_on", "The row has excluded too: leave one of both empty.");
        }
        let start = self.local_start();
        let mut excluded = Vec::new();
        let dates = cell.split(['|', ',', ';', '\n']).flat_map(|part| part.split(" and ")).map(str::trim);
        for (index, part) in dates.filter(|part| !is_blank(part)).take(2001).enumerate() {
            match excluded_on(part, start) {
                Ok(time) => excluded.push(Value::from(time)),
                Err(detail) => self.wrong(format!("/not_on/{index}"), detail),
            }
        }
        self.sheet.excluded = Some("not_on");
        self.members.insert("excluded".to_owned(), Value::Array(excluded));
    }
}

/// The start on a date, at the series' own time of day unless the cell has one.
fn excluded_on(part: &str, start: Option<LocalTime>) -> Result<String, String> {
    let date: NaiveDate = match read_date(part) {
        Ok(date) => date,
        Err(detail) => return read_time(part).map(|time| time.to_string()).map_err(|_| detail),
    };
    let time = start.map_or(NaiveTime::MIN, |start| start.0.time());
    Ok(LocalTime(date.and_time(time)).to_string())
}

/// The items of a list in a cell, and one more than it may have at most. An empty one, such as that behind a last `|`, is
/// none.
fn items(cell: &str, most: Option<u64>) -> impl Iterator<Item = &str> {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    cell.split('|').map(str::trim).filter(|part| !is_blank(part)).take(most.saturating_add(1))
}

/// That a list has no `|` but another sign between its items, as far as its items can't hold that sign.
fn not_joined(name: &str, cell: &str, value: &Value) -> Option<Fault> {
    let wrong = value.is_array() && !cell.contains('|') && cell.contains([',', ';']);
    let detail = "The items of a list are joined by |, for example step_free|hearing_loop.";
    wrong.then(|| Fault::at(format!("/{name}/0"), "wrong_format", detail))
}

fn coerce(name: &str, cell: &str, shape: &Shape) -> Value {
    match shape {
        Shape::Nullable(inner) => coerce(name, cell, inner),
        Shape::Array { items: shape, most, .. } => items(cell, *most).map(|part| coerce(name, part, shape)).collect(),
        Shape::Integer { .. } if AGES.contains(&name) => read_age(cell).map_or_else(|| number(cell), Value::from),
        Shape::Integer { .. } => cell.parse::<i64>().map_or_else(|_| number(cell), Value::from),
        Shape::Boolean => yes_or_no(cell).map_or_else(|| Value::from(cell), Value::from),
        Shape::Text(text) if !text.names().is_empty() => Value::from(choice(name, cell, text.names()).unwrap_or(cell)),
        _ if SHORT_NAMES.contains(&name) => Value::from(short_name(cell)),
        _ if name == "languages" => Value::from(language(cell)),
        _ => Value::from(cell),
    }
}

/// A cell such as `12.0` as the number that it is; anything else as the text that it is.
fn number(cell: &str) -> Value {
    let whole = cell.strip_suffix(".0").unwrap_or(cell);
    serde_json::from_str(whole).ok().filter(Value::is_number).unwrap_or_else(|| Value::from(cell))
}
