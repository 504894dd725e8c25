//! Cursors. The input is a cursor, and also a name that a list is sorted by.
//!
//! - A cursor that can be read is read again from what it writes.
//! - The cursor behind a name that a row can have is read again, and is no longer than the document allows.

use std::fmt::Debug;

use chrono::NaiveDate;
use life_rooms::db::Id;
use life_rooms::http::cursor::{Cursor, Key, LONGEST};
use life_rooms::text::reading::is_one_line;

/// Runs the target.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    made_up::<Id>(text);
    made_up::<i64>(text);
    made_up::<String>(text);
    made_up::<(String, Id)>(text);
    made_up::<(NaiveDate, Id)>(text);
    made_up::<(i64, Id)>(text);
    made_up::<(i64, Id, i64, Id)>(text);
    if is_one_line(text) {
        let name: String = text.chars().take(200).collect();
        let bytes = text.bytes().chain([0; 16]).take(16).fold(0, |sum, byte| sum << 8 | u128::from(byte));
        let cursor = Cursor { at: (name, Id(uuid::Uuid::from_u128(bytes))), r#for: "0123456789AB".to_owned() };
        let written = cursor.encode();
        assert!(written.len() <= LONGEST, "{} characters", written.len());
        assert_eq!(Cursor::decode(&written), Some(cursor));
    }
}

fn made_up<K: Key + PartialEq + Debug>(text: &str) {
    if let Some(cursor) = Cursor::<K>::decode(text) {
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }
}
