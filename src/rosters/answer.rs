//! The answer to a posted roster as the sheet that was posted: every row, with what became of it.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;

use super::body::Posting;
use super::export::cells;
use super::read::Form as Posted;
use super::sheet::UNREADABLE;
use super::sheet::columns::{ANSWERED, named};
use super::types::{EntryOutcome, Outcome, RosterAnswer};
use crate::error::{Error, Fault, Result};
use crate::tables::{Cell, Form, Writer, writer};
use crate::text::fold::name_key;

/// What a JSON answer says of the entries.
#[derive(Deserialize)]
struct Told {
    entries: Vec<EntryOutcome>,
}

/// An answer in JSON as the sheet that is wanted, with its status and headers.
///
/// # Errors
/// 406 where a text is too long for a cell of a workbook.
pub async fn given(form: Option<Form>, posting: Arc<Posting>, response: HttpResponse) -> Result<HttpResponse> {
    let Some(form) = form else { return Ok(response) };
    let (response, body) = response.into_parts();
    let bytes = body.try_into_bytes().map_err(|_| Error::internal("the answer of a write is in memory"))?;
    let told: Told = serde_json::from_slice(&bytes).map_err(Error::internal)?;
    let mut response = response.set_body(sheet(form, posting, told.entries).await?).map_into_boxed_body();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    Ok(response)
}

/// The answer to a roster that was refused.
///
/// # Errors
/// As [`given`].
pub async fn refused(form: Form, posting: Arc<Posting>, answer: RosterAnswer) -> Result<HttpResponse> {
    let bytes = sheet(form, posting, answer.entries).await?;
    let mut response = HttpResponse::build(StatusCode::UNPROCESSABLE_ENTITY);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((CONTENT_TYPE, form.media_type()));
    Ok(response.body(bytes))
}

async fn sheet(form: Form, posting: Arc<Posting>, entries: Vec<EntryOutcome>) -> Result<Vec<u8>> {
    let making = actix_web::web::block(move || Sheet::of(entries).write(form, &posting));
    making.await.map_err(Error::blocking)?
}

/// Where an entry stands: its line, or in JSON its index.
type Place = i64;

/// The columns of a sheet; `None` for one that isn't known.
type Columns = Vec<Option<&'static str>>;

/// What became of the rows.
struct Sheet {
    by_place: HashMap<Place, EntryOutcome>,
    /// What the roster doesn't name and was called off.
    beyond: Vec<EntryOutcome>,
}

impl Sheet {
    fn of(entries: Vec<EntryOutcome>) -> Self {
        let (mut by_place, mut beyond) = (HashMap::new(), Vec::new());
        for entry in entries {
            let index = entry.pointer.as_deref().and_then(|pointer| pointer.rsplit('/').next()?.parse::<Place>().ok());
            match entry.line.map(Place::from).or(index) {
                Some(place) => drop(by_place.insert(place, entry)),
                None => beyond.push(entry),
            }
        }
        Self { by_place, beyond }
    }

    fn write(self, form: Form, posting: &Posting) -> Result<Vec<u8>> {
        let (mut table, names) = match posting.form {
            Posted::Csv | Posted::Xlsx => self.of_sheet(form, posting)?,
            Posted::Json | Posted::Lines => self.of_entries(form, posting)?,
        };
        for entry in &self.beyond {
            let cell = |column: &Option<&str>| match column {
                Some("external_id") => Cell::text(entry.external_id.clone()),
                _ => Cell::Empty,
            };
            let mut cells: Vec<Cell> = names.iter().map(cell).collect();
            cells.extend(self::cells_of(Some(entry)));
            table.row(&cells)?;
        }
        table.end()
    }

    /// The rows as they were posted.
    fn of_sheet(&self, form: Form, posting: &Posting) -> Result<(Box<dyn Writer>, Columns)> {
        let mut columns = Columns::new();
        let mut made: Option<(Box<dyn Writer>, Vec<usize>)> = None;
        posting.each_row(&mut |line, record| {
            let Some((table, kept)) = &mut made else {
                // The sheet may be one that was answered before.
                let is_new = |name: &str| !ANSWERED.contains(&name_key(name).as_str());
                let kept: Vec<usize> =
                    record.iter().enumerate().filter(|(_, name)| is_new(name)).map(|(at, _)| at).collect();
                let names: Vec<&str> = kept.iter().filter_map(|at| record.get(*at)).collect();
                columns = names.iter().map(|name| named(name)).collect();
                made = Some((writer(form, &names.into_iter().chain(ANSWERED).collect::<Vec<_>>())?, kept));
                return Ok(());
            };
            let cell = |text: &str| match text.strip_prefix(UNREADABLE) {
                Some(error) => Cell::text(error.chars().skip(1).collect::<String>()),
                None => Cell::from(text),
            };
            let cells = kept.iter().map(|at| record.get(*at).map_or(Cell::Empty, cell)).collect();
            self.add(table.as_mut(), cells, Place::from(line))
        })?;
        let (table, _) = made.ok_or_else(|| Error::internal("a sheet has a header"))?;
        Ok((table, columns))
    }

    /// The entries of JSON, with the columns of a sheet.
    fn of_entries(&self, form: Form, posting: &Posting) -> Result<(Box<dyn Writer>, Columns)> {
        let names = cells::names();
        let mut table = writer(form, &names.into_iter().chain(ANSWERED).collect::<Vec<_>>())?;
        let mut written = Ok(());
        posting.each(|index, raw| {
            let place = raw.line.map_or_else(|| Place::try_from(index).unwrap_or_default(), Place::from);
            if written.is_ok() {
                written = self.add(table.as_mut(), cells::of(&raw.value, form), place);
            }
        })?;
        written?;
        Ok((table, names.into_iter().map(Some).collect()))
    }

    fn add(&self, table: &mut dyn Writer, mut cells: Vec<Cell>, place: Place) -> Result<()> {
        let entry = self.by_place.get(&place);
        cells.extend(cells_of(entry));
        match entry {
            Some(entry) if entry.outcome == Outcome::Rejected => table.wrong_row(&cells),
            _ => table.row(&cells),
        }
    }
}

/// What became of an entry, and what is wrong with it. Of a refused roster only the wrong entries are told of.
fn cells_of(entry: Option<&EntryOutcome>) -> [Cell; 2] {
    let Some(entry) = entry else { return [Cell::Empty, Cell::Empty] };
    let wrong: Vec<String> = entry.errors.0.iter().map(sentence).collect();
    [Cell::text(entry.outcome.to_string()), Cell::text(wrong.join("\n"))]
}

/// A fault in words: the column, and what is wrong with it.
fn sentence(fault: &Fault) -> String {
    let pointer = fault.pointer.as_deref().unwrap_or_default();
    let mut parts = pointer.split('/').skip(1);
    let column = match parts.next() {
        // In JSON a pointer begins at the body.
        Some("entries") => parts.nth(1),
        column => column,
    };
    match column.filter(|column| !column.is_empty()) {
        Some(column) => format!("{column}: {}", fault.detail),
        None => fault.detail.to_string(),
    }
}
