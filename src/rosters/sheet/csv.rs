//! CSV: its rows, and the template.
//!
//! The separator is the sign that the header line has most of, or the one that a first line `sep=;` names
//! ([`super::csv_records`]).

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::Rows;
use super::columns::COLUMNS;
use super::csv_records::{Opening, RecordLines};
use crate::error::{Error, Kind, Result};

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
        Ok(self.reader.read_record(record).map_err(malformed)?.then_some(line))
    }
}

fn malformed(error: csv::Error) -> Error {
    Error::new(Kind::MalformedRequest, "The body is not a well-formed CSV table.").because(error)
}

/// A cell that no spreadsheet takes for a formula: one that begins with `=`, `+`, `-`, `@`, tab or carriage return
/// gets an apostrophe in front.
///
/// Source: OWASP, CSV injection.
pub fn neutral(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
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
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Whoever fills a sheet thinks in pounds.
    let columns = COLUMNS.map(|name| if name == "price_pence" { "price" } else { name });
    writer.write_record(columns).map_err(Error::internal)?;
    let cells = columns.iter().map(|name| neutral(example(name)));
    writer.write_record(cells).map_err(Error::internal)?;
    String::from_utf8(writer.into_inner().map_err(Error::internal)?).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised_and_plain_texts_are_not() {
        for cell in ["=1+1", "+44", "-1", "@SUM", "\tx", "\rx"] {
            assert_eq!(neutral(cell), format!("'{cell}"));
        }
        assert_eq!(neutral("Shared Reading = fun"), "Shared Reading = fun");
    }
}
