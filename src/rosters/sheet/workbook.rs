//! Workbooks (`.xlsx`): the cells of the first sheet become the texts that CSV would have.
//!
//! A workbook is read once. Its rows are kept [packed](rows), as CSV with the row's number in the first cell. So the memory
//! that the workbook takes is free again before anything is planned, and reading the rows again costs as much as CSV does.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use csv::{Reader, ReaderBuilder, StringRecord, Writer, WriterBuilder};

use super::archive::{self, too_large, unreadable};
use super::{Rows, UNREADABLE};
use crate::error::{Error, Kind, Result};
use crate::http::body::ROSTER_LIMIT;
use crate::rosters::read::{LONGEST_ENTRY, too_long};

/// A formula without a value, behind [`UNREADABLE`].
const NO_VALUE: char = 'f';
/// An error such as `#REF!`, behind [`UNREADABLE`].
const ERROR: char = 'e';
/// Columns of a sheet that is read.
const MOST_COLUMNS: usize = 1_000;

/// The sentence for a cell that can't be read, from what stands behind [`UNREADABLE`].
pub(super) fn sentence(why: &str) -> String {
    match why.strip_prefix(ERROR) {
        Some(error) => format!("The cell has the error {error}. Correct its formula."),
        None => {
            "The cell has a formula without a value. Open the workbook in a spreadsheet program and save it, or paste \
                 the values."
                .to_owned()
        }
    }
}

/// The rows of the first sheet that is shown, packed: empty cells at the end and empty rows are left out.
///
/// # Errors
/// 400 where this is no workbook that can be read; 422 where it is too large or has macros.
pub(super) fn rows(bytes: &[u8]) -> Result<Vec<u8>> {
    archive::check(bytes)?;
    // The reader of workbooks is another's, and the workbook is anybody's.
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes)));
    read.unwrap_or_else(|_| Err(unreadable(BROKEN)))
}

const BROKEN: &str = "The workbook is broken. Open it in a spreadsheet program and save it again.";

fn broken(cause: XlsxError) -> Error {
    unreadable(BROKEN).because(cause)
}

fn read(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let sheets = workbook.sheets_metadata().iter();
    let shown =
        sheets.clone().filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
    let name = shown.chain(sheets).next().map(|sheet| sheet.name.clone());
    let name = name.ok_or_else(|| unreadable("The workbook has no sheet."))?;
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(broken)?;
    let mut packing = Packing::default();
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(broken)? {
        if let Some(text) = text_of(&cell.value, cell.formula.is_some()) {
            packing.take(cell.pos, &text)?;
        }
    }
    packing.end()
}

/// The text that a cell would have in CSV; `None` where it is empty.
fn text_of(value: &DataRef<'_>, is_formula: bool) -> Option<String> {
    let text = match value {
        DataRef::Empty if is_formula => format!("{UNREADABLE}{NO_VALUE}"),
        DataRef::Empty => return None,
        DataRef::Error(error) => format!("{UNREADABLE}{ERROR}{error}"),
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(is_true) => if *is_true { "yes" } else { "no" }.to_owned(),
        DataRef::DateTime(time) => time_of(time),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
    };
    (!text.is_empty()).then_some(text)
}

/// A date, a time of day, or both, as an entry has them; a length as hours and minutes.
fn time_of(time: &ExcelDateTime) -> String {
    const DAY: f64 = 86_400.0;
    let serial = time.as_f64();
    // Binary fractions of a day are a little off.
    let seconds = (serial * DAY).round();
    if !(0.0..=2_958_466.0 * DAY).contains(&seconds) {
        return serial.to_string();
    }
    let whole = seconds as i64;
    if time.is_duration() {
        return format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    }
    let clock = NaiveTime::MIN + TimeDelta::seconds(whole % 86_400);
    if whole < 86_400 {
        return clock.format("%H:%M:%S").to_string();
    }
    let (year, month, day, ..) =
        ExcelDateTime::new((whole / 86_400) as f64, calamine::ExcelDateTimeType::DateTime, is_1904(time))
            .to_ymd_hms_milli();
    let Some(date) = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()) else { return serial.to_string() };
    if whole % 86_400 == 0 { date.to_string() } else { date.and_time(clock).format("%Y-%m-%dT%H:%M:%S").to_string() }
}

/// Whether days are counted from 1904, as old Macintoshes did. A day of 2,000 tells.
fn is_1904(time: &ExcelDateTime) -> bool {
    let (year, ..) = time.to_ymd_hms_milli();
    let (usual, ..) =
        ExcelDateTime::new(time.as_f64(), calamine::ExcelDateTimeType::DateTime, false).to_ymd_hms_milli();
    year != usual
}

/// Rows as they are written.
struct Packing {
    writer: Writer<Vec<u8>>,
    record: StringRecord,
    /// The number of the row, from 1.
    line: u32,
    written: usize,
}

impl Default for Packing {
    fn default() -> Self {
        let writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
        Self { writer, record: StringRecord::new(), line: 0, written: 0 }
    }
}

impl Packing {
    fn take(&mut self, (row, column): (u32, u32), text: &str) -> Result<()> {
        let (line, column) = (row.saturating_add(1), column as usize);
        if line > self.line {
            self.flush()?;
            self.line = line;
            self.record.push_field(&line.to_string());
        }
        // Rows and cells stand in their order.
        if line < self.line || column + 1 < self.record.len() {
            return Err(unreadable(BROKEN));
        }
        if column >= MOST_COLUMNS {
            return Err(too_large(format!("has more than {MOST_COLUMNS} columns")));
        }
        while self.record.len() <= column {
            self.record.push_field("");
        }
        self.record.push_field(text);
        if self.record.as_slice().len() > LONGEST_ENTRY {
            return Err(too_long("", i32::try_from(self.line).ok()));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if !self.record.is_empty() {
            self.writer.write_record(&self.record).map_err(Error::internal)?;
            self.written += self.record.as_slice().len() + self.record.len();
            self.record.clear();
        }
        match self.written > ROSTER_LIMIT {
            true => Err(too_large(format!("has more than {ROSTER_LIMIT} bytes of texts"))),
            false => Ok(()),
        }
    }

    fn end(mut self) -> Result<Vec<u8>> {
        self.flush()?;
        self.writer.into_inner().map_err(Error::internal)
    }
}

/// The rows of a workbook that was packed.
pub(super) struct PackedRows<'a> {
    reader: Reader<&'a [u8]>,
    packed: StringRecord,
}

impl<'a> PackedRows<'a> {
    pub(super) fn of(packed: &'a [u8]) -> Self {
        let reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(packed);
        Self { reader, packed: StringRecord::new() }
    }
}

impl Rows for PackedRows<'_> {
    fn next(&mut self, record: &mut StringRecord) -> Result<Option<i32>> {
        let not_packed = |_| Error::new(Kind::MalformedRequest, BROKEN);
        if !self.reader.read_record(&mut self.packed).map_err(not_packed)? {
            return Ok(None);
        }
        let mut cells = self.packed.iter();
        let line = cells.next().and_then(|line| line.parse().ok()).unwrap_or_default();
        record.clear();
        cells.for_each(|cell| record.push_field(cell));
        Ok(Some(line))
    }
}
