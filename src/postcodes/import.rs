//! Imports a file of postcodes: CSV, or a zip archive with the CSV in it.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Read, Seek};

use csv::StringRecord;

use super::read::{Columns, without_repeats};
use super::store::{self, PostcodeRow};
use crate::db::Db;
use crate::error::Error;

/// How many rows one transaction writes. Others wait some 50 ms for it.
const BATCH: usize = 5_000;

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many postcodes were written.
    pub postcodes: u64,
    /// How many lines were left out, because they have no postcode, are in no local authority of today, or can't be read.
    pub left_out: u64,
}

/// Why a file can't be imported, as a sentence for the operator.
#[derive(Debug)]
pub enum Failed {
    /// The file can't be read, or isn't such a file.
    File(String),
    /// The database can't write.
    Database(Error),
}

fn unreadable(error: impl Display) -> Failed {
    Failed::File(format!("the file can't be read: {error}"))
}

/// Imports a file. What was written before a failure stays; a second import writes it again.
///
/// # Errors
/// If the file can't be read or lacks a column, or the database can't write.
pub async fn run(db: &Db, path: &str) -> Result<Imported, Failed> {
    let mut file = File::open(path).map_err(unreadable)?;
    let mut head = [0; 4];
    let is_zip = file.read(&mut head).map_err(unreadable)? == head.len() && head == *b"PK\x03\x04";
    file.rewind().map_err(unreadable)?;
    if !is_zip {
        return read(db, BufReader::new(file)).await;
    }
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(unreadable)?;
    let index = largest_csv(&mut archive)?;
    let entry = archive.by_index(index).map_err(unreadable)?;
    read(db, BufReader::new(entry)).await
}

/// The largest CSV in an archive. The archives also hold the directory in parts, and lists of the names of areas.
fn largest_csv(archive: &mut zip::ZipArchive<BufReader<File>>) -> Result<usize, Failed> {
    let mut largest: Option<(u64, usize)> = None;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(unreadable)?;
        let is_csv = entry.name().is_ok_and(|name| name.to_ascii_lowercase().ends_with(".csv"));
        if is_csv && largest.is_none_or(|(size, _)| entry.size() > size) {
            largest = Some((entry.size(), index));
        }
    }
    largest.map(|(_, index)| index).ok_or_else(|| Failed::File("the archive holds no CSV file".to_owned()))
}

async fn read(db: &Db, source: impl Read) -> Result<Imported, Failed> {
    let mut lines = csv::ReaderBuilder::new().flexible(true).from_reader(source);
    let header = StringRecord::from_byte_record_lossy(lines.byte_headers().map_err(unreadable)?.clone());
    let columns = Columns::find(&header).map_err(|names| {
        let names: Vec<String> = names.iter().map(|name| name.replace('*', "25")).collect();
        Failed::File(format!("the file has no column named {}", names.join(", ")))
    })?;
    let (mut done, mut batch) = (Imported::default(), Vec::with_capacity(BATCH));
    for line in lines.byte_records() {
        match columns.row(&line.map_err(unreadable)?) {
            Some(row) => batch.push(row),
            None => done.left_out += 1,
        }
        if batch.len() == BATCH {
            done.postcodes += write(db, std::mem::take(&mut batch)).await?;
        }
    }
    done.postcodes += write(db, batch).await?;
    Ok(done)
}

async fn write(db: &Db, rows: Vec<PostcodeRow>) -> Result<u64, Failed> {
    let rows = without_repeats(rows);
    let count = rows.len() as u64;
    db.write(move |conn| store::put(conn, &rows)).await.map_err(Failed::Database)?;
    Ok(count)
}
