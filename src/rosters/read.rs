//! From the bytes of a posting to its entries, whichever of the four forms it came in.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sheet;
use super::types::{RosterEntry, UnknownColumns};
use crate::error::{Error, Fault, Kind, Result};
use crate::http::json::{Unambiguous, twice};
use crate::http::{body, shape};

/// Most entries of one roster: as many as it may have sessions.
pub const MOST_ENTRIES: usize = 32_000;

/// The longest entry, in bytes: as long as an ordinary body. What is in memory of a list or an object stays small.
pub const LONGEST_ENTRY: usize = 256 * 1024;

/// How a roster was written, which decides how its faults are pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `{"entries": […]}`
    Json,
    /// One entry a line.
    Lines,
    /// A table of text.
    Csv,
    /// A workbook of Excel.
    Xlsx,
}

impl Form {
    /// The form of a media type that [`body::ROSTER_TYPES`] lists.
    pub fn of_media_type(name: &str) -> Self {
        match name {
            "text/csv" => Self::Csv,
            body::XLSX => Self::Xlsx,
            "application/x-ndjson" => Self::Lines,
            _ => Self::Json,
        }
    }
}

/// One entry as it was sent, nothing about it checked.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEntry {
    /// Its line in the file, from 1; `None` in JSON.
    pub line: Option<i32>,
    /// What it says.
    pub value: Value,
    /// What was wrong with it as a row of a table.
    pub faults: Vec<Fault>,
    /// That it has more cells than the header. Empty cells at the end are no fault by themselves. If the row has other
    /// faults, a stray separator may be their cause.
    pub surplus: Option<Fault>,
    /// Where it was a row of a sheet, its columns that are no members. The names in it are read as people write them.
    pub sheet: Option<Sheet>,
}

/// The columns of a row that members of its entry were made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The column of the start, if it isn't `local_start`.
    pub local_start: Option<&'static str>,
    /// The column of the length, if it isn't `duration_minutes`.
    pub duration_minutes: Option<&'static str>,
    /// The column of the rule, if it isn't `recurrence`.
    pub recurrence: Option<&'static str>,
    /// The column of the price, if it isn't `price_pence`.
    pub price_pence: Option<&'static str>,
    /// The column of the days that are left out, if it isn't `excluded`.
    pub excluded: Option<&'static str>,
}

impl Sheet {
    /// Points a fault at the column, where it points at a member that was made of it.
    pub fn name_the_column(&self, fault: &mut Fault) {
        let made = [
            // The heads of a register have a column each.
            ("/register/headcount", Some("")),
            ("/local_start", self.local_start),
            ("/duration_minutes", self.duration_minutes),
            ("/recurrence", self.recurrence),
            ("/excluded", self.excluded),
            ("/price_pence", self.price_pence),
            ("/image/url", Some("image_url")),
            ("/image/alt", Some("image_alt")),
            ("/public_contact/email", Some("contact_email")),
            ("/public_contact/phone", Some("contact_phone")),
        ];
        for (member, column) in made {
            let rest = fault.pointer.as_deref().and_then(|pointer| pointer.strip_prefix(member));
            let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
            if let (Some(rest), Some(column)) = (rest, column) {
                let column = if column.is_empty() { String::new() } else { format!("/{column}") };
                fault.pointer = Some(format!("{column}{rest}"));
                return;
            }
        }
    }
}

impl RawEntry {
    /// About as many bytes as it is long in JSON.
    pub fn length(&self) -> usize {
        fn length(value: &Value) -> usize {
            match value {
                Value::String(text) => text.len() + 3,
                Value::Array(items) => items.iter().map(length).sum::<usize>() + 2,
                Value::Object(members) => members.iter().map(|(name, value)| name.len() + 4 + length(value)).sum(),
                _ => 5,
            }
        }
        length(&self.value)
    }
}

/// Calls `take` with each entry of a posting, in its order, and says how many there are. Texts come in the one form that is
/// kept. One entry is in memory at a time. `bytes` are those of [`sheet::packed`].
///
/// # Errors
/// 400 where the body is not well-formed; 422 where it is no roster: other members, no entries, too many of them, one that
/// is too long, wrong columns. Some entries may have been taken by then.
pub fn each(form: Form, bytes: &[u8], unknown: UnknownColumns, take: &mut dyn FnMut(RawEntry)) -> Result<usize> {
    let mut count = 0;
    let shape = shape::of::<RosterEntry>();
    let mut counted = |mut entry: RawEntry| {
        count += 1;
        if count <= MOST_ENTRIES {
            shape.settle(&mut entry.value);
            take(entry);
        }
    };
    match form {
        Form::Json => each_in_json(text(bytes)?, &mut counted)?,
        Form::Lines => each_line(text(bytes)?, &mut counted)?,
        Form::Csv => sheet::each_of_csv(text(bytes)?, unknown, &mut counted)?,
        Form::Xlsx => sheet::each_of_workbook(bytes, unknown, &mut counted)?,
    }
    let pointer = if form == Form::Json { "/entries" } else { "" };
    if count == 0 {
        return Err(Error::rule(pointer, "too_few", "Must have at least 1 entry."));
    }
    if count > MOST_ENTRIES {
        let detail = format!("Must have at most {MOST_ENTRIES} entries.");
        return Err(Error::rule(pointer, "too_many", detail));
    }
    Ok(count)
}

/// UTF-8, without a byte-order mark.
fn text(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let detail = "The body is not UTF-8. In a spreadsheet, save it as \"CSV UTF-8\".";
        Error::new(Kind::MalformedRequest, detail).because(e)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn each_in_json(text: &str, take: &mut dyn FnMut(RawEntry)) -> Result<()> {
    body::check_nesting(text.as_bytes())?;
    if let Some(index) = first_too_long(text.as_bytes()) {
        return Err(too_long(&format!("/entries/{index}"), None));
    }
    let mut walk = Walk { take, inside: false, names: HashSet::new(), faults: Vec::new() };
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_any(&mut walk).and_then(|()| json.end()).map_err(body::not_json)?;
    let Walk { names, mut faults, .. } = walk;
    if !names.contains("entries") && faults.iter().all(|fault| fault.pointer.as_deref() != Some("")) {
        faults.push(Fault::at("/entries", "required", "Is required."));
    }
    Error::unless_none(faults)
}

/// Walks `{"entries": […]}` without ever holding more of it than an entry.
struct Walk<'a> {
    take: &'a mut dyn FnMut(RawEntry),
    /// Whether this is what stands at `entries`, not the body itself.
    inside: bool,
    /// The members that have come.
    names: HashSet<String>,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    /// Reports a value of the wrong type. The body must be an object, and its member `entries` a list.
    fn wrong(&mut self) {
        self.faults.push(match self.inside {
            true => Fault::at("/entries", "wrong_type", "Must be a list."),
            false => Fault::at("", "wrong_type", "Must be an object with the member entries."),
        });
    }

    /// Whether these are the entries; a fault where they aren't.
    fn is_entries(&mut self, name: &str) -> bool {
        let pointer = format!("/{}", shape::escape(name));
        match name {
            "entries" => return true,
            _ if self.faults.len() >= shape::MOST_FAULTS => {}
            _ => self.faults.push(Fault::at(pointer, "unknown_field", "Is not known here. Known: entries.")),
        }
        false
    }
}

impl<'de> DeserializeSeed<'de> for &mut Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! wrong {
    ($($visit:ident: $type:ty),+) => { $(
        fn $visit<E>(self, _: $type) -> Result<(), E> {
            self.wrong();
            Ok(())
        }
    )+ };
}

impl<'de> Visitor<'de> for &mut Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a roster")
    }

    wrong! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.wrong();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if !self.inside {
            self.wrong();
            return IgnoredAny.visit_seq(items).map(|_| ());
        }
        while let Some(Unambiguous(value)) = items.next_element()? {
            (self.take)(entry(None, value));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if self.inside {
            self.wrong();
            return IgnoredAny.visit_map(members).map(|_| ());
        }
        while let Some(name) = members.next_key::<String>()? {
            if self.names.contains(&name) {
                return Err(twice(&name));
            }
            if self.names.len() < shape::MOST_FAULTS || name == "entries" {
                self.names.insert(name.clone());
            }
            if self.is_entries(&name) {
                self.inside = true;
                members.next_value_seed(&mut *self)?;
                self.inside = false;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The index of the first item that is too long to be an entry, in a list that is a member of the body. It is looked for
/// before anything is read: the items of a list take more memory than its text.
fn first_too_long(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    // Where the item begins, if this is inside such a list, and which one it is.
    let (mut begins, mut index) = (None, 0);
    for (place, byte) in text.iter().enumerate() {
        if begins.is_some_and(|begins| place - begins > LONGEST_ENTRY) {
            return Some(index);
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                if depth == 2 && *byte == b'[' {
                    (begins, index) = (Some(place + 1), 0);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                begins = begins.filter(|_| depth >= 2);
            }
            b',' if depth == 2 && begins.is_some() => (begins, index) = (Some(place + 1), index + 1),
            _ => {}
        }
    }
    None
}

/// The refusal of a body with an entry that is too long.
pub(super) fn too_long(pointer: &str, line: Option<i32>) -> Error {
    let place = line.map(|line| format!("Line {line}: ")).unwrap_or_default();
    Error::rule(pointer, "too_long", format!("{place}An entry must be at most {LONGEST_ENTRY} bytes long."))
}

fn each_line(text: &str, take: &mut dyn FnMut(RawEntry)) -> Result<()> {
    // A text may end its lines with CR alone.
    let end = if text.contains('\n') { '\n' } else { '\r' };
    let mut index = 0;
    for (number, line) in (1..).zip(text.split(end)) {
        if line.trim().is_empty() {
            continue;
        }
        if line.len() > LONGEST_ENTRY {
            return Err(too_long(&format!("/entries/{index}"), Some(number)));
        }
        index += 1;
        if index > MOST_ENTRIES + 1 {
            break;
        }
        let value = body::parse(line.as_bytes())
            .map_err(|e| Error::new(Kind::MalformedRequest, format!("Line {number} is not well-formed JSON. {e}")))?;
        take(entry(Some(number), value));
    }
    Ok(())
}

fn entry(line: Option<i32>, value: Value) -> RawEntry {
    RawEntry { line, value, faults: Vec::new(), surplus: None, sheet: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entries(form: Form, bytes: &[u8]) -> Result<Vec<RawEntry>> {
        let mut found = Vec::new();
        let count = each(form, bytes, UnknownColumns::Refuse, &mut |entry| found.push(entry))?;
        assert_eq!(count, found.len());
        Ok(found)
    }

    fn lines_of(form: Form, text: &str) -> Vec<Option<i32>> {
        entries(form, text.as_bytes()).unwrap().into_iter().map(|entry| entry.line).collect()
    }

    #[test]
    fn blank_lines_of_ndjson_count_and_hold_nothing() {
        assert_eq!(lines_of(Form::Lines, "\u{feff}{}\r\n\r\n{}\n\n  \n"), [Some(1), Some(3)]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = entries(Form::Lines, b"{}\n{\n").unwrap_err();
        assert_eq!(error.kind(), Kind::MalformedRequest);
        assert!(error.to_string().starts_with("Line 2 "), "{error}");
    }

    #[test]
    fn json_is_an_object_with_entries_and_nothing_else() {
        let read = |value: Value| entries(Form::Json, value.to_string().as_bytes());
        assert_eq!(read(json!({ "entries": [{}, 7] })).unwrap().len(), 2);
        for (value, pointers) in [
            (json!([]), vec![""]),
            (json!({}), vec!["/entries"]),
            (json!({ "entries": {} }), vec!["/entries"]),
            (json!({ "entries": [] }), vec!["/entries"]),
            (json!({ "entries": [{}], "a/b": 1 }), vec!["/a~1b"]),
            (json!({ "entries": 7, "more": [] }), vec!["/entries", "/more"]),
            (json!("entries"), vec![""]),
        ] {
            let faults = read(value).unwrap_err().into_faults();
            let found: Vec<_> = faults.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
            assert_eq!(found, pointers);
        }
    }

    #[test]
    fn an_entry_may_be_so_long_and_no_longer_in_each_form() {
        let object = |length: usize| format!("{{\"a\": \"{}\"}}", "x".repeat(length - 9));
        let json = |length| format!("{{\"entries\": [1,{}, 2]}}", object(length));
        let lines = |length| format!("1\n{}\n2", object(length));
        let columns = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes";
        let csv = |length: usize| format!("{columns}\na,x\n{},\n", "x".repeat(length - 1));
        let forms: [(Form, &dyn Fn(usize) -> String); 3] =
            [(Form::Json, &json), (Form::Lines, &lines), (Form::Csv, &csv)];
        for (form, text) in forms {
            assert!(entries(form, text(LONGEST_ENTRY).as_bytes()).is_ok(), "{form:?}");
            let fault = entries(form, text(LONGEST_ENTRY + 1).as_bytes()).unwrap_err().into_faults().remove(0);
            assert_eq!((fault.pointer.as_deref(), &*fault.code), (Some("/entries/1"), "too_long"), "{form:?}");
            let line = match form {
                Form::Json => "An entry",
                Form::Lines => "Line 2: ",
                Form::Csv | Form::Xlsx => "Line 3: ",
            };
            assert!(fault.detail.starts_with(line), "{}", fault.detail);
        }
        // Brackets and commas in a text are none, and neither is what stands in no list.
        let texts = json!({ "entries": ["],[{,", 1], "more": { "a": "x".repeat(LONGEST_ENTRY + 1) } }).to_string();
        assert_eq!(first_too_long(texts.as_bytes()), None);
    }

    #[test]
    fn entries_stand_once_and_a_broken_end_is_seen() {
        for broken in [
            r#"{"entries": [1], "entries": [2]}"#,
            r#"{"entries": [1], "a": 1, "a": 1}"#,
            r#"{"entries": [{"a": 1, "a": 2}]}"#,
            r#"{"entries": [1]"#,
            r#"{"entries": [1]} x"#,
            r#"{"entries": [1, "#,
            r#"{"entries": [{"a": 1e999}]}"#,
        ] {
            assert_eq!(entries(Form::Json, broken.as_bytes()).unwrap_err().kind(), Kind::MalformedRequest, "{broken}");
        }
    }

    #[test]
    fn more_entries_than_a_roster_may_have_are_counted_and_not_taken() {
        let text = "{}\n".repeat(MOST_ENTRIES + 1);
        let mut taken = 0;
        let error = each(Form::Lines, text.as_bytes(), UnknownColumns::Refuse, &mut |_| taken += 1).unwrap_err();
        assert_eq!((taken, &*error.into_faults()[0].code), (MOST_ENTRIES, "too_many"));
    }

    #[test]
    fn what_is_not_utf_8_is_malformed() {
        for form in [Form::Json, Form::Lines, Form::Csv] {
            assert_eq!(entries(form, b"\xff\xfe").unwrap_err().kind(), Kind::MalformedRequest);
        }
    }
}
