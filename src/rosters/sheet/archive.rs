//! Bounds of a workbook, which is a zip archive. They are looked at before anything of it is read into memory.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::error::{Error, Kind, Result};

/// Most files in the archive.
const MOST_FILES: usize = 1_000;
/// Most bytes of all files together, unpacked.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Most bytes of the parts that are kept in memory whole: the texts, the styles, the list of sheets.
const MOST_KEPT: u64 = 24 * 1024 * 1024;
/// Most elements of a part that is kept.
const MOST_ELEMENTS: usize = 2_000_000;
/// Most elements of the styles: Excel has at most 65,490 formats, of a few elements each.
const MOST_STYLES: usize = 400_000;
/// The longest tag or text of a part. A cell of Excel has at most 32,767 characters.
const LONGEST_TEXT: usize = 512 * 1024;

/// Checks the archive of a workbook by unpacking it once, piece by piece.
///
/// # Errors
/// 400 where it is no archive of a workbook that can be read, 422 where it is too large or has macros.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(unreadable(
            "The body is an old workbook (.xls) or one with a password. Save it as .xlsx without a password.",
        ));
    }
    let not_zip = "The body is not a workbook (.xlsx). Send CSV as text/csv.";
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| unreadable(not_zip).because(e))?;
    if archive.len() > MOST_FILES {
        return Err(too_large(format!("has more than {MOST_FILES} files in it")));
    }
    let mut left = MOST_BYTES;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|e| unreadable(BROKEN).because(e))?;
        let name = part.name().map_err(|e| unreadable(BROKEN).because(e))?.to_ascii_lowercase();
        if name.ends_with("vbaproject.bin") {
            let detail = "The workbook has macros. Save it as .xlsx, without macros.";
            return Err(Error::rule("", "has_macros", detail));
        }
        // What it declares is looked at first, and then what comes: it may declare less.
        if part.size() > left {
            return Err(too_large_unpacked());
        }
        left -= Part::of(&name).read(part, left)?;
    }
    Ok(())
}

const BROKEN: &str = "The workbook is broken: it can't be unpacked.";

pub(super) fn unreadable(detail: &'static str) -> Error {
    Error::new(Kind::MalformedRequest, detail)
}

pub(super) fn too_large(what: impl std::fmt::Display) -> Error {
    Error::rule("", "too_large", format!("The workbook {what}. Send the roster alone, or in parts."))
}

fn too_large_unpacked() -> Error {
    too_large(format!("has more than {MOST_BYTES} bytes when it is unpacked"))
}

/// What is counted of one file of the archive.
struct Part {
    is_xml: bool,
    is_kept: bool,
    is_styles: bool,
    is_texts: bool,
    elements: usize,
    /// How many bytes ago the last tag began.
    stretch: usize,
}

impl Part {
    fn of(name: &str) -> Self {
        let is_sheet = name.contains("worksheets/");
        Self {
            is_xml: name.ends_with(".xml") || name.ends_with(".rels"),
            is_kept: !is_sheet && !name.contains("media/"),
            is_styles: name.ends_with("styles.xml"),
            is_texts: name.ends_with("sharedstrings.xml"),
            elements: 0,
            stretch: 0,
        }
    }

    /// Reads the file through and says how many bytes it has.
    fn read(mut self, mut file: impl Read, left: u64) -> Result<u64> {
        let mut piece = vec![0; 64 * 1024];
        let (mut read, mut is_first) = (0u64, true);
        loop {
            let length = file.read(&mut piece).map_err(|e| unreadable(BROKEN).because(e))?;
            if length == 0 {
                return Ok(read);
            }
            read += length as u64;
            if read > left {
                return Err(too_large_unpacked());
            }
            if self.is_xml {
                self.look_at(&piece[..length], std::mem::take(&mut is_first))?;
            }
            if self.is_xml && self.is_kept && read > MOST_KEPT {
                return Err(too_large(format!("has more than {MOST_KEPT} bytes of texts")));
            }
        }
    }

    fn look_at(&mut self, piece: &[u8], is_first: bool) -> Result<()> {
        // UTF-16 would hide the elements. No program writes it.
        if piece.contains(&0) {
            return Err(unreadable("The workbook is not in UTF-8."));
        }
        // The reader takes memory for as many texts as this declares.
        if self.is_texts && is_first && declared_texts(piece).is_none_or(|texts| texts > MOST_ELEMENTS) {
            return Err(too_large(format!("declares more than {MOST_ELEMENTS} texts")));
        }
        for byte in piece {
            self.stretch += 1;
            if *byte == b'<' {
                self.elements += 1;
                self.stretch = 0;
            }
            if self.stretch > LONGEST_TEXT {
                return Err(too_large(format!("has a cell of more than {LONGEST_TEXT} bytes")));
            }
        }
        let most = if self.is_styles { MOST_STYLES } else { MOST_ELEMENTS };
        if self.is_kept && self.elements > most {
            return Err(too_large("has too many different texts or formats"));
        }
        Ok(())
    }
}

/// How many texts the part of texts declares; `None` if that can't be told from its beginning.
fn declared_texts(piece: &[u8]) -> Option<usize> {
    let begins = piece.windows(4).position(|at| at == b"<sst" || at == b":sst")?;
    let tag = &piece[begins..];
    let tag = &tag[..tag.iter().position(|byte| *byte == b'>')?];
    let name = b"uniqueCount";
    let Some(at) = tag.windows(name.len()).position(|at| at == name) else { return Some(0) };
    let digits: Vec<u8> = tag[at + name.len()..]
        .iter()
        .copied()
        .skip_while(|byte| !byte.is_ascii_digit())
        .take_while(u8::is_ascii_digit)
        .collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}
