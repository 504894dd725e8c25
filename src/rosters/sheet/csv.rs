//! CSV: its rows, and the template.
//!
//! The separator is the sign that the header line has most of, or the one that a first line `sep=;` names
//! ([`super::csv_records`]).

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::Rows;
use super::columns::COLUMNS;
use super::csv_records::{Opening, RecordLines};
use crate::error::{Error, Kind, Result};
use crate::tables::csv::plain;
use crate::tables::{Cell, Form, writer};

/// The rows of a text in UTF-8 without a byte-order mark.
pub(super) struct CsvRows<'a> {
    reader: Reader<&'a [u8]>,
    lines: RecordLines<'a>,
}

impl<'a> CsvRows<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let opening = Opening::of(text);
        let reader = ReaderBuilder::new()
            .delimiter(opening.separator)
            .flexible(true)
            .has_headers(false)
            .trim(Trim::All)
            .from_reader(text.as_bytes().get(opening.length..).unwrap_or_default());
        Self { reader, lines: RecordLines::of(text, &opening) }
    }
}

impl Rows for CsvRows<'_> {
    fn next(&mut self, record: &mut StringRecord) -> Result<Option<i32>> {
        // Before the reader takes the record in: it may be too long.
        let line = self.lines.next()?.unwrap_or_default();
        let is_there = self.reader.read_record(record).map_err(malformed)?;
        // A file of the service guards texts against formulas.
        if record.iter().any(|cell| cell.starts_with('\'') && plain(cell) != cell) {
            *record = record.iter().map(plain).collect();
        }
        Ok(is_there.then_some(line))
    }
}

fn malformed(error: csv::Error) -> Error {
    Error::new(Kind::MalformedRequest, "The body is not a well-formed CSV table.").because(error)
}

/// A header row and one example, to be filled in.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn template() -> Result<String> {
    let example = |name: &&str| match *name {
        "external_id" => "reader-walton-tue",
        "type" => "series",
        "title" => "Shared Reading at Walton",
        "description" => "Read a story and a poem aloud together.",
        "programme" => "shared-reading",
        "pillar" => "community",
        "topics" => "reading|wellbeing",
        "delivery" => "in_person",
        "venue" => "walton-life-rooms",
        "accessibility" => "step_free|hearing_loop",
        "local_start" => "2027-01-05T13:00:00",
        "time_zone" => "Europe/London",
        "duration_minutes" => "90",
        "recurrence" => "FREQ=WEEKLY;COUNT=52",
        "excluded" => "2027-03-30T13:00:00",
        "capacity" => "12",
        "booking_policy" => "bookable",
        "publication" => "published",
        "image_url" => "https://images.example.org/reading.jpg",
        "image_alt" => "Six people around a table with open books.",
        "price" => "free",
        "min_age" => "18",
        "what_to_bring" => "Glasses if you need them.",
        "languages" => "English",
        "contact_email" => "walton@example.org",
        "contact_phone" => "0151 496 0000",
        _ => "",
    };
    // Whoever fills a sheet thinks in pounds.
    let columns = COLUMNS.map(|name| if name == "price_pence" { "price" } else { name });
    let mut table = writer(Form::Csv, &columns)?;
    table.row(&columns.map(|name| Cell::from(example(&name))))?;
    String::from_utf8(table.end()?).map_err(Error::internal)
}
