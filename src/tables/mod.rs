//! Tables as files for a spreadsheet: CSV and workbooks.
//!
//! A table has a row of names and rows of [cells](Cell). Both forms hold the same: what is a text stays a text, in CSV with
//! a [guard](csv::guarded) against formulas, in a workbook by its type.

pub mod csv;
pub mod xlsx;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use chrono::NaiveDateTime;

use crate::error::Result;

/// The media type of CSV.
pub const CSV: &str = "text/csv";
/// The media type of CSV as it is sent: UTF-8, with a row of names.
pub const CSV_UTF8: &str = "text/csv; charset=utf-8; header=present";
/// The media type of a workbook of Excel.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, a row a line.
    Csv,
    /// A workbook of Excel.
    Xlsx,
}

impl Form {
    /// Its media type, as it is sent.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => CSV_UTF8,
            Self::Xlsx => XLSX,
        }
    }

    /// How its files end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// Says that an answer is a file to be saved, and what it is called.
pub fn name_file(response: &mut HttpResponse, name: &str, form: Form) {
    let disposition = format!("attachment; filename=\"{name}.{}\"", form.ending());
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    }
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A date with a time of the day, on the clock of its place.
    Time(NaiveDateTime),
}

impl Cell {
    /// A text; nothing if there is none.
    pub fn text(text: impl Into<Option<String>>) -> Self {
        text.into().filter(|text| !text.is_empty()).map_or(Self::Empty, Self::Text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text.to_owned())
    }
}

/// A table that is written row by row.
pub trait Writer {
    /// Adds a row.
    ///
    /// # Errors
    /// 406 where a text is too long for the form.
    fn row(&mut self, cells: &[Cell]) -> Result<()>;

    /// Adds a row in which something is wrong. A workbook marks it.
    ///
    /// # Errors
    /// As [`Writer::row`].
    fn wrong_row(&mut self, cells: &[Cell]) -> Result<()> {
        self.row(cells)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// Never in practice.
    fn end(self: Box<Self>) -> Result<Vec<u8>>;
}

/// A new table with this row of names.
///
/// # Errors
/// Never in practice.
pub fn writer(form: Form, names: &[&str]) -> Result<Box<dyn Writer>> {
    Ok(match form {
        Form::Csv => Box::new(csv::CsvTable::new(names)?),
        Form::Xlsx => Box::new(xlsx::Workbook::new(names)?),
    })
}
