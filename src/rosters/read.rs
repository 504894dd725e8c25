//! From the bytes of a posting to its entries, whichever of the three forms it came in.

use serde_json::{Map, Value};

use super::read_csv;
use crate::error::{Error, Fault, Kind, Result};
use crate::http::body;

/// Most entries of one roster: as many as it may have sessions.
pub const MOST_ENTRIES: usize = 50_000;

/// How a roster was written, which decides how its faults are pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"entries": […]}`
    Json,
    /// One entry a line.
    Lines,
    /// A spreadsheet.
    Csv,
}

impl Form {
    /// The form of a media type that [`body::ROSTER_TYPES`] lists.
    pub fn of_media_type(name: &str) -> Self {
        match name {
            "text/csv" => Self::Csv,
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
}

/// The entries of a posting, in its order.
///
/// # Errors
/// 400 where the body is not well-formed; 422 where it is no roster: other members, no entries, too many of them,
/// wrong columns.
pub fn entries(form: Form, bytes: &[u8]) -> Result<Vec<RawEntry>> {
    let entries = match form {
        Form::Json => from_json(bytes)?,
        Form::Lines => from_lines(bytes)?,
        Form::Csv => read_csv::entries(text(bytes)?)?,
    };
    if entries.is_empty() {
        return Err(Error::rule("/entries", "too_few", "Must have at least 1 items."));
    }
    if entries.len() > MOST_ENTRIES {
        let detail = format!("Must have at most {MOST_ENTRIES} items.");
        return Err(Error::rule("/entries", "too_many", detail));
    }
    Ok(entries)
}

/// UTF-8, without a byte-order mark.
fn text(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let detail = "The body is not UTF-8. In a spreadsheet, save it as \"CSV UTF-8\".";
        Error::new(Kind::MalformedRequest, detail).because(e)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn from_json(bytes: &[u8]) -> Result<Vec<RawEntry>> {
    let Value::Object(roster) = body::parse(bytes)? else {
        return Err(Error::rule("", "wrong_type", "Must be an object with the member entries."));
    };
    let (entries, faults) = envelope(roster);
    match entries {
        Some(entries) if faults.is_empty() => Ok(entries.into_iter().map(|value| entry(None, value)).collect()),
        _ => Err(Error::invalid(faults)),
    }
}

fn envelope(roster: Map<String, Value>) -> (Option<Vec<Value>>, Vec<Fault>) {
    let (mut entries, mut faults) = (None, Vec::new());
    let mut missing = true;
    for (name, value) in roster {
        match (name.as_str(), value) {
            ("entries", value) => {
                missing = false;
                match value {
                    Value::Array(values) => entries = Some(values),
                    _ => faults.push(Fault::at("/entries", "wrong_type", "Must be a list.")),
                }
            }
            (other, _) => {
                let pointer = format!("/{}", crate::http::shape::escape(other));
                faults.push(Fault::at(pointer, "unknown_member", "Is not known here. Known: entries."));
            }
        }
    }
    if missing {
        faults.push(Fault::at("/entries", "required", "Is required."));
    }
    (entries, faults)
}

fn from_lines(bytes: &[u8]) -> Result<Vec<RawEntry>> {
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(text(bytes)?.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let value = body::parse(line.as_bytes())
            .map_err(|e| Error::new(Kind::MalformedRequest, format!("Line {number} is not well-formed JSON. {e}")))?;
        entries.push(entry(Some(number), value));
    }
    Ok(entries)
}

fn entry(line: Option<i32>, value: Value) -> RawEntry {
    RawEntry { line, value, faults: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        ] {
            let faults = read(value).unwrap_err().into_faults();
            let found: Vec<_> = faults.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
            assert_eq!(found, pointers);
        }
    }

    #[test]
    fn what_is_not_utf_8_is_malformed() {
        for form in [Form::Json, Form::Lines, Form::Csv] {
            assert_eq!(entries(form, b"\xff\xfe").unwrap_err().kind(), Kind::MalformedRequest);
        }
    }
}
