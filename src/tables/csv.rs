//! Tables as CSV (RFC 4180): UTF-8 without a byte-order mark, lines that end in CRLF.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::{Cell, Writer};
use crate::error::{Error, Result};

/// The signs with which a formula begins, and those that a spreadsheet may take for them: their full-width, small, raised
/// and lowered forms (those that NFKC makes the same).
const BEGINS_FORMULA: [char; 20] = [
    '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{fe66}', '\u{fe62}', '\u{fe63}',
    '\u{fe6b}', '\u{207c}', '\u{207a}', '\u{208c}', '\u{208a}', '\u{207b}', '\u{208b}',
];

/// Whether a text begins like a formula, whatever apostrophes stand before it.
fn is_risky(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(BEGINS_FORMULA)
}

/// A text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe in front, and so does
/// one that begins with apostrophes and then like a formula. [`plain`] takes exactly that one off again.
///
/// Source: OWASP, CSV injection.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_risky(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text of a cell that may be [guarded].
pub fn plain(cell: &str) -> &str {
    if is_risky(cell) { cell.strip_prefix('\'').unwrap_or(cell) } else { cell }
}

/// A table as CSV.
pub struct CsvTable {
    writer: csv::Writer<Vec<u8>>,
}

impl CsvTable {
    /// A table with these names.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn new(names: &[&str]) -> Result<Self> {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(names.iter().map(|name| guarded(name).into_owned())).map_err(Error::internal)?;
        Ok(Self { writer })
    }
}

impl Writer for CsvTable {
    fn row(&mut self, cells: &[Cell]) -> Result<()> {
        self.writer.write_record(cells.iter().map(text_of)).map_err(Error::internal)
    }

    fn end(self: Box<Self>) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(Error::internal)
    }
}

fn text_of(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => guarded(text).into_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => time.format("%Y-%m-%dT%H:%M:%S").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_every_text_comes_back() {
        for cell in ["=1+1", "+44", "-1", "@SUM", "\tx", "\rx", "\u{ff1d}1", "\u{ff0b}1", "'=1", "''=1"] {
            assert_eq!(guarded(cell), format!("'{cell}"));
            assert_eq!(plain(&guarded(cell)), cell);
        }
        for cell in ["Shared Reading = fun", "'tis", "''", "'", "", "0151"] {
            assert_eq!((guarded(cell).as_ref(), plain(cell)), (cell, cell));
        }
        // As people write it who know the apostrophe from a spreadsheet.
        assert_eq!(plain("'+44 151 496 0000"), "+44 151 496 0000");
    }

    #[test]
    fn a_table_has_names_rows_and_typed_numbers() {
        let mut table = Box::new(CsvTable::new(&["name", "number"]).unwrap());
        table.row(&[Cell::from("=a, b"), Cell::Number(-2.98)]).unwrap();
        table.row(&[Cell::Empty, Cell::Number(12.0)]).unwrap();
        assert_eq!(table.end().unwrap(), b"name,number\r\n\"'=a, b\",-2.98\r\n,12\r\n");
    }
}
