//! Reads the postcode files of the Office for National Statistics: the ONS Postcode Directory and the National
//! Statistics Postcode Lookup. Their columns stand in another order in each edition, and some carry its year, so they
//! are found by their names.

use std::collections::BTreeMap;

use csv::{ByteRecord, StringRecord};

use super::store::PostcodeRow;
use crate::places::LocalAuthority;
use crate::text::postcode;

/// Where the columns stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    postcode: usize,
    local_authority: usize,
    latitude: Option<usize>,
    longitude: Option<usize>,
    deprivation: Option<usize>,
}

/// The names of each column, the best first. `*` stands for a year of two digits.
const POSTCODE: &[&str] = &["pcds", "pcd8", "pcd2", "pcd7", "pcd", "postcode"];
const LOCAL_AUTHORITY: &[&str] = &["lad*cd", "laua", "oslaua", "ladcd"];
const LATITUDE: &[&str] = &["lat", "latitude"];
const LONGITUDE: &[&str] = &["long", "longitude"];
const DEPRIVATION: &[&str] = &["imd*ind", "imd*rank", "imd"];

impl Columns {
    /// Finds the columns in a header.
    ///
    /// # Errors
    /// The names that one of the two required columns may have, if it is missing.
    pub fn find(header: &StringRecord) -> Result<Self, &'static [&'static str]> {
        let names: Vec<String> = header.iter().map(plain).collect();
        let at = |wanted: &[&str]| wanted.iter().find_map(|name| names.iter().position(|found| fits(name, found)));
        Ok(Self {
            postcode: at(POSTCODE).ok_or(POSTCODE)?,
            local_authority: at(LOCAL_AUTHORITY).ok_or(LOCAL_AUTHORITY)?,
            latitude: at(LATITUDE),
            longitude: at(LONGITUDE),
            deprivation: at(DEPRIVATION),
        })
    }

    /// The row of a line. `None` for a line without a postcode, or in no local authority of today: the Channel Islands,
    /// the Isle of Man, and authorities that were joined to others. A value that isn't UTF-8 counts as missing.
    pub fn row(&self, line: &ByteRecord) -> Option<PostcodeRow> {
        let text = |column: usize| std::str::from_utf8(line.get(column)?).ok();
        let number = |column: Option<usize>| text(column?)?.trim().parse::<f64>().ok();
        let authority = LocalAuthority::by_code(text(self.local_authority)?.trim())?;
        // Nowhere in the country is so far north: the files write this latitude if they don't know the place.
        let latitude = number(self.latitude).filter(|degrees| (49.0..61.0).contains(degrees));
        let longitude = number(self.longitude).filter(|_| latitude.is_some());
        let rank = self.deprivation.and_then(|column| text(column)?.trim().parse().ok());
        Some(PostcodeRow {
            postcode: postcode::read(text(self.postcode)?)?,
            local_authority_code: authority.code.to_owned(),
            latitude: latitude.filter(|_| longitude.is_some()),
            longitude,
            country: country(authority.code).to_owned(),
            // 0 stands for places that have no rank.
            deprivation_rank: rank.filter(|rank: &i32| *rank > 0),
        })
    }
}

/// The country whose local authorities have GSS codes like this.
fn country(code: &str) -> &'static str {
    match code.as_bytes().first() {
        Some(b'S') => "scotland",
        Some(b'W') => "wales",
        Some(b'N') => "northern_ireland",
        _ => "england",
    }
}

/// A column's name without case, the byte-order mark and blanks.
fn plain(name: &str) -> String {
    name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_ascii_lowercase()
}

fn fits(name: &str, found: &str) -> bool {
    let Some((before, after)) = name.split_once('*') else { return name == found };
    let year = found.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    year.is_some_and(|year| year.len() == 2 && year.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Drops the rows whose postcode a later row has: a statement can write each row only once. The last counts, as it does
/// if the two are written one after the other.
pub fn without_repeats(rows: Vec<PostcodeRow>) -> Vec<PostcodeRow> {
    let last: BTreeMap<String, PostcodeRow> = rows.into_iter().map(|row| (row.postcode.clone(), row)).collect();
    last.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> StringRecord {
        line.split(',').collect::<Vec<_>>().into()
    }

    #[test]
    fn columns_are_found_by_name_in_the_files_of_several_years() {
        for (header, line) in [
            (
                "\u{feff}pcd,pcd2,pcds,dointr,oslaua,ctry,lat,long,imd",
                "L9  1AA,L9   1AA,L9 1AA,198001,E08000012,E92000001,53.4,-2.9,17",
            ),
            ("pcd7,pcd8,pcds,lat,long,lad25cd,imd20ind", "L9 1AA,L9  1AA,L9 1AA,53.4,-2.9,E08000012,17"),
            ("LAUA,PCD,LAT,LONG,IMD", "E08000012,L91AA,53.4,-2.9,17"),
        ] {
            let row = Columns::find(&record(header)).unwrap().row(record(line).as_byte_record()).unwrap();
            let expected = PostcodeRow {
                postcode: "L9 1AA".into(),
                local_authority_code: "E08000012".into(),
                latitude: Some(53.4),
                longitude: Some(-2.9),
                country: "england".into(),
                deprivation_rank: Some(17),
            };
            assert_eq!(row, expected, "{header}");
        }
        assert_eq!(Columns::find(&record("pcds,lat,long")), Err(LOCAL_AUTHORITY));
        assert_eq!(Columns::find(&record("laua,ladwcd")), Err(POSTCODE));
    }

    #[test]
    fn what_a_line_does_not_know_is_left_out() {
        let columns = Columns::find(&record("pcds,laua,lat,long,imd")).unwrap();
        let row = |line: &str| columns.row(record(line).as_byte_record());
        let nowhere = row("G1 1AA,S12000049,99.999999,0.000000,0").unwrap();
        assert_eq!((nowhere.latitude, nowhere.longitude, nowhere.deprivation_rank), (None, None, None));
        assert_eq!(nowhere.country, "scotland");
        for line in [
            "JE2 3AB,L99999999,99.999999,0,0",
            "CA14 1AA,E07000026,54.6,-3.5,9",
            "LIVERPOOL,E08000012,,,",
            "L9 1AA,,,,",
            "",
        ] {
            assert_eq!(row(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_not_utf_8_counts_as_missing() {
        let columns = Columns::find(&record("pcds,laua,lat,long,name")).unwrap();
        let row = |fields: [&[u8]; 5]| columns.row(&ByteRecord::from(fields.to_vec()));
        let (code, here) = (&b"E08000012"[..], &b"53.4"[..]);
        let good = row([b"L9 1AA", code, here, b"-2.9", b"M\xf4n"]).unwrap();
        assert_eq!((good.latitude, good.longitude), (Some(53.4), Some(-2.9)));
        let nowhere = row([b"L9 1AA", code, b"53.4\xff", b"-2.9", b""]).unwrap();
        assert_eq!((nowhere.latitude, nowhere.longitude), (None, None));
        assert_eq!(row([b"L9\xff1AA", code, here, b"-2.9", b""]), None);
        assert_eq!(row([b"L9 1AA", b"E08000012\xff", here, b"-2.9", b""]), None);
    }

    #[test]
    fn the_last_of_repeated_rows_counts() {
        let columns = Columns::find(&record("pcds,laua")).unwrap();
        let lines = ["L9 1AA,E08000012", "L20 3AA,E08000014", "l91aa,E08000011"];
        let rows = lines.iter().filter_map(|line| columns.row(record(line).as_byte_record())).collect();
        let kept = without_repeats(rows).into_iter().map(|row| (row.postcode, row.local_authority_code));
        let pair = |postcode: &str, code: &str| (postcode.to_owned(), code.to_owned());
        assert_eq!(kept.collect::<Vec<_>>(), [pair("L20 3AA", "E08000014"), pair("L9 1AA", "E08000011")]);
    }
}
