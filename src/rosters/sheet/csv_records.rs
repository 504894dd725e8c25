//! How the text of a table is cut into records: its separator, its lines, its quotation marks (RFC 4180). Cells are read by
//! [`csv`](super::csv).

use crate::error::{Error, Kind, Result};
use crate::rosters::read::{LONGEST_ENTRY, too_long};

/// How a table begins.
pub(super) struct Opening {
    /// What separates its cells.
    pub(super) separator: u8,
    /// How many bytes stand before its header: those of a line `sep=;`, which Excel reads and writes.
    pub(super) length: usize,
}

impl Opening {
    pub(super) fn of(text: &str) -> Self {
        let blank = text.len() - text.trim_start().len();
        let line = first_line(&text[blank..]);
        // A longer one is refused as soon as the records are looked at.
        let line = &line[..line.floor_char_boundary(LONGEST_ENTRY)];
        match told_separator(line) {
            Some(separator) => Self { separator, length: blank + line.len() },
            None => Self { separator: guessed_separator(line), length: 0 },
        }
    }
}

/// A text up to its first line end outside quotation marks. Line ends are CR LF, LF, or CR alone.
fn first_line(text: &str) -> &str {
    let mut quoted = false;
    let end = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        !quoted && matches!(byte, b'\r' | b'\n')
    });
    &text[..end.unwrap_or(text.len())]
}

/// The separator of a line `sep=;`.
fn told_separator(line: &str) -> Option<u8> {
    let line = line.trim_matches('"');
    let told = line.get(..4).filter(|word| word.eq_ignore_ascii_case("sep=")).and_then(|_| line.as_bytes().get(4..))?;
    match told.trim_ascii() {
        // Written out, or the sign itself.
        b"\\t" => Some(b'\t'),
        [separator @ (b',' | b';' | b'|')] => Some(*separator),
        [] => told.contains(&b'\t').then_some(b'\t'),
        _ => None,
    }
}

/// What a header line has most of outside quotation marks: commas, semicolons, as spreadsheets write in many countries,
/// or tabs.
fn guessed_separator(line: &str) -> u8 {
    let plain: Vec<&str> = line.split('"').step_by(2).collect();
    let count = |sign: u8| plain.iter().flat_map(|part| part.bytes()).filter(|byte| *byte == sign).count();
    let most = [b'\t', b';', b','].into_iter().max_by_key(|sign| count(*sign));
    most.unwrap_or(b',')
}

/// Where a byte of a table stands.
#[derive(Clone, Copy)]
enum At {
    /// Before a cell.
    Cell,
    /// In a cell without quotation marks.
    Plain,
    /// In a cell whose quotation mark opened on this line.
    Quoted(i32),
    /// Behind the quotation mark that closes such a cell, unless another follows it.
    Closed(i32),
    /// Behind the closed cell and a space.
    Behind,
}

/// Finds the line on which each record begins, one record at a time. The reader's own lines are those of the blank lines
/// above.
pub(super) struct RecordLines<'a> {
    bytes: &'a [u8],
    separator: u8,
    /// The next byte.
    place: usize,
    /// Its line.
    line: i32,
    /// How many records have begun.
    begun: usize,
}

impl<'a> RecordLines<'a> {
    pub(super) fn of(text: &'a str, opening: &Opening) -> Self {
        let mut lines = Self { bytes: text.as_bytes(), separator: opening.separator, place: 0, line: 1, begun: 0 };
        while lines.place < opening.length {
            lines.step();
        }
        lines
    }

    /// The line on which the next record begins; `None` at the end.
    ///
    /// # Errors
    /// 400 where quotation marks don't match: the reader would take the rest of the table for one cell. 422 where the
    /// record is too long.
    pub(super) fn next(&mut self) -> Result<Option<i32>> {
        while matches!(self.bytes.get(self.place), Some(b'\r' | b'\n')) {
            self.step();
        }
        let (first, begins) = (self.line, self.place);
        let mut at = At::Cell;
        while let Some(byte) = self.bytes.get(self.place) {
            if self.place - begins > LONGEST_ENTRY {
                // Of the records, the first is the header.
                let pointer = self.begun.checked_sub(1).map(|index| format!("/entries/{index}"));
                return Err(too_long(&pointer.unwrap_or_default(), Some(first)));
            }
            at = match (at, *byte) {
                (At::Quoted(opened), b'"') => At::Closed(opened),
                (At::Quoted(opened), _) | (At::Closed(opened), b'"') => At::Quoted(opened),
                (_, b'\r' | b'\n') => break,
                (_, byte) if byte == self.separator => At::Cell,
                (At::Cell, b'"') => At::Quoted(self.line),
                (At::Closed(_) | At::Behind, b' ') => At::Behind,
                (At::Closed(_) | At::Behind, _) => {
                    return Err(unmatched(self.line, "closes before the end of its cell"));
                }
                _ => At::Plain,
            };
            self.step();
        }
        self.begun += 1;
        match at {
            At::Quoted(opened) => Err(unmatched(opened, "opens a cell and is never closed")),
            _ => Ok((self.place > begins).then_some(first)),
        }
    }

    /// Passes a byte.
    fn step(&mut self) {
        let byte = |place: usize| self.bytes.get(place).copied();
        let follows_cr = self.place.checked_sub(1).and_then(byte) == Some(b'\r');
        self.line += i32::from(match byte(self.place) {
            Some(b'\r') => true,
            Some(b'\n') => !follows_cr,
            _ => false,
        });
        self.place += 1;
    }
}

fn unmatched(line: i32, what: &str) -> Error {
    let detail = format!("A quotation mark on line {line} {what}. Write \"\" for a quotation mark in a quoted cell.");
    Error::new(Kind::MalformedRequest, detail)
}
