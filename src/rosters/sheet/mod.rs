//! Rosters from a sheet, CSV or a workbook: a header row, then an entry a row.
//!
//! - A sheet is first made one text: [`packed`] gives CSV in UTF-8 ([`encoding`]) or the rows of a workbook's first sheet
//!   ([`workbook`], whose bounds stand in [`archive`]). From there on both are read in the same way.
//! - Columns can stand in any order and case, under other names too ([`columns`]). An empty cell is absent. A column
//!   without a name and without values is ignored. The items of a list are joined by `|`.
//! - A cell becomes what the schema of an entry says of its column ([`row`]). So a row is checked exactly like an entry in
//!   JSON. It can be written as people write it: [`times`], [`repeats`], [`words`].

pub mod archive;
pub mod columns;
pub mod csv;
mod csv_records;
pub mod encoding;
pub mod repeats;
mod row;
#[cfg(test)]
mod tests;
pub mod times;
pub mod words;
pub mod workbook;

use ::csv::StringRecord;

use super::read::{Form, MOST_ENTRIES, RawEntry};
use super::types::RosterEntry;
pub use super::types::UnknownColumns;
use crate::error::{Error, Result};
use crate::http::shape::{self, Shape};
use crate::text::reading::is_blank;

/// A cell that begins with this sign has no value that can be read. What follows says why.
pub(super) const UNREADABLE: char = '\0';
/// So many rows below the first are looked at for the header.
const ROWS_ABOVE_HEADER: usize = 20;

/// The rows of a sheet, one after the other.
trait Rows {
    /// Reads the next row, which may be empty, and gives its line in the sheet; `None` at the end.
    fn next(&mut self, record: &mut StringRecord) -> Result<Option<i32>>;
}

/// A body as it is read, again and again: the rows of a workbook, or CSV in UTF-8. `None` if it can be read as it is.
///
/// # Errors
/// 400 where the body is no workbook or no text; 422 where it is too much.
pub fn packed(form: Form, charset: Option<&str>, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    match form {
        Form::Xlsx => workbook::rows(bytes).map(Some),
        Form::Csv => Ok(encoding::utf8(charset, bytes)?.map(String::into_bytes)),
        Form::Json | Form::Lines => Ok(None),
    }
}

/// Calls `take` with each row of CSV, up to one more than a roster may have. `text` has no byte-order mark.
///
/// # Errors
/// 400 where a quoted cell doesn't end; 422 where a column is unknown, there twice, or missing.
pub fn each_of_csv(text: &str, unknown: UnknownColumns, take: &mut dyn FnMut(RawEntry)) -> Result<()> {
    each(&mut csv::CsvRows::of(text), unknown, take)
}

/// The same with the [`packed`] rows of a workbook.
///
/// # Errors
/// 422 where a column is unknown, there twice, or missing.
pub fn each_of_workbook(packed: &[u8], unknown: UnknownColumns, take: &mut dyn FnMut(RawEntry)) -> Result<()> {
    each(&mut workbook::PackedRows::of(packed), unknown, take)
}

/// Calls `take` with each row of a [`packed`] sheet and its line: first the header, then the rows that hold something.
///
/// # Errors
/// None that reading the entries wouldn't have met.
pub fn each_row(form: Form, bytes: &[u8], take: &mut dyn FnMut(i32, &StringRecord) -> Result<()>) -> Result<()> {
    let text = std::str::from_utf8(bytes).map_err(Error::internal)?;
    let mut rows: Box<dyn Rows> = match form {
        Form::Xlsx => Box::new(workbook::PackedRows::of(bytes)),
        _ => Box::new(csv::CsvRows::of(text.strip_prefix('\u{feff}').unwrap_or(text))),
    };
    let mut record = StringRecord::new();
    while let Some(line) = next_row(rows.as_mut(), &mut record)? {
        take(line, &record)?;
    }
    Ok(())
}

fn each(rows: &mut dyn Rows, unknown: UnknownColumns, take: &mut dyn FnMut(RawEntry)) -> Result<()> {
    let shape = shape::of::<RosterEntry>();
    let Shape::Object { members, required, .. } = &*shape else {
        return Err(Error::internal("an entry is an object"));
    };
    let mut record = StringRecord::new();
    let Some(line) = next_row(rows, &mut record)? else {
        return Err(Error::rule("", "required", "Must begin with a header row that names the columns."));
    };
    if !columns::is_header(&record) {
        look_below(rows, &record, line)?;
    }
    let columns = columns::header(&record, members, required, unknown)?;
    let mut taken = 0;
    while taken <= MOST_ENTRIES {
        let Some(line) = next_row(rows, &mut record)? else { break };
        taken += 1;
        take(row::entry(line, &record, &columns));
    }
    Ok(())
}

/// Reads the next row that isn't empty.
fn next_row(rows: &mut dyn Rows, record: &mut StringRecord) -> Result<Option<i32>> {
    while let Some(line) = rows.next(record)? {
        // A cell without a visible character is empty.
        if record.iter().any(|cell| !cell.is_empty() && is_blank(cell)) {
            *record = record.iter().map(|cell| if is_blank(cell) { "" } else { cell }).collect();
        }
        if !record.iter().all(str::is_empty) {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

/// Looks for the header below a title.
///
/// # Errors
/// 422 that names the row that looks like the header, if there is one.
fn look_below(rows: &mut dyn Rows, first: &StringRecord, line: i32) -> Result<()> {
    let mut record = StringRecord::new();
    for _ in 0..ROWS_ABOVE_HEADER {
        let Some(below) = next_row(rows, &mut record)? else { break };
        if columns::is_above_header(first, &record) {
            let place = format!(" Row {below} looks like the header: take away what stands above it, from row {line}.");
            return Err(columns::no_header(&place));
        }
    }
    Ok(())
}
