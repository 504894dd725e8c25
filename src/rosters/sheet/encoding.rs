//! The characters of a CSV file: UTF-8, or what spreadsheets on Windows write, UTF-16 and Windows-1252.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::{Error, Kind, Result};
use crate::http::body::ROSTER_LIMIT;

/// The text in UTF-8, if it isn't already.
///
/// A byte-order mark counts more than the `charset` of the media type. Without both, a text that isn't UTF-8 is
/// Windows-1252, which Excel writes as "CSV".
///
/// # Errors
/// 400 where the text is not of its character set, or is a workbook; 415 where the set is unknown; 413 where it is too long
/// in UTF-8.
pub fn utf8(charset: Option<&str>, bytes: &[u8]) -> Result<Option<String>> {
    if bytes.starts_with(b"PK\x03\x04") {
        let detail = "The body is a workbook, not CSV. Send it as \
                      application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.";
        return Err(Error::new(Kind::MalformedRequest, detail));
    }
    let told = charset.map(|name| known(name).ok_or_else(|| unknown(name))).transpose()?;
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => told.unwrap_or_else(|| guessed(bytes)),
    };
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(_) => Ok(None),
            Err(e) => {
                Err(Error::new(Kind::MalformedRequest, "The body is not UTF-8, as its media type says.").because(e))
            }
        };
    }
    let (text, _, is_broken) = encoding.decode(bytes);
    if is_broken {
        return Err(Error::new(Kind::MalformedRequest, format!("The body is not {}.", encoding.name())));
    }
    if text.len() > ROSTER_LIMIT {
        let detail = format!("In UTF-8 the body is longer than {ROSTER_LIMIT} bytes.");
        return Err(Error::new(Kind::PayloadTooLarge, detail));
    }
    Ok(Some(text.into_owned()))
}

/// The character sets in which CSV is taken, by the names that the web has for them.
fn known(charset: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(charset.as_bytes())?;
    // The label us-ascii is one of Windows-1252, and UTF-8 holds it too.
    if charset.eq_ignore_ascii_case("us-ascii") {
        return Some(UTF_8);
    }
    [UTF_8, UTF_16LE, UTF_16BE, WINDOWS_1252].into_iter().find(|known| *known == encoding)
}

fn unknown(charset: &str) -> Error {
    let name: String = charset.chars().take(40).collect();
    let detail = format!("CSV is taken in UTF-8, UTF-16 or Windows-1252, not in {name:?}.");
    Error::new(Kind::UnsupportedMediaType, detail)
}

/// What a text without a mark is. Text in UTF-16 has a zero byte beside each letter of a header.
fn guessed(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [0, second, ..] if *second != 0 => UTF_16BE,
        [first, 0, ..] if *first != 0 => UTF_16LE,
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(charset: Option<&str>, bytes: &[u8]) -> Result<String> {
        Ok(utf8(charset, bytes)?.unwrap_or_else(|| String::from_utf8(bytes.to_vec()).unwrap()))
    }

    #[test]
    fn texts_are_read_in_the_character_set_that_they_have() {
        let wide = |mark: bool, swap: bool| -> Vec<u8> {
            let units = mark.then_some(0xfeff).into_iter().chain("Café".encode_utf16());
            units.flat_map(|unit: u16| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        for (charset, bytes) in [
            (None, "Café".as_bytes().to_vec()),
            (None, b"Caf\xe9".to_vec()),
            (Some("windows-1252"), b"Caf\xe9".to_vec()),
            (Some("ISO-8859-1"), b"Caf\xe9".to_vec()),
            (None, wide(true, false)),
            (None, wide(true, true)),
            (None, wide(false, false)),
            (None, wide(false, true)),
            (Some("utf-16le"), wide(false, false)),
            (Some("utf-8"), wide(true, false)),
        ] {
            assert_eq!(text(charset, &bytes).unwrap(), "Café", "{charset:?} {bytes:?}");
        }
        assert_eq!(text(None, b"\x80 5").unwrap(), "€ 5");
    }

    #[test]
    fn what_is_not_of_its_character_set_is_refused() {
        let kind = |charset, bytes: &[u8]| text(charset, bytes).unwrap_err().kind();
        assert_eq!(kind(Some("utf-8"), b"Caf\xe9"), Kind::MalformedRequest);
        assert_eq!(kind(Some("utf-16"), b"Caf"), Kind::MalformedRequest);
        assert_eq!(kind(Some("koi8-r"), b"Cafe"), Kind::UnsupportedMediaType);
        assert_eq!(kind(None, b"PK\x03\x04"), Kind::MalformedRequest);
    }
}
