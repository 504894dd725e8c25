//! How a text that was sent is read, whether it came as JSON, as CSV or in another way, and which texts can be stored.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};

use super::fold::{is_invisible, is_mark};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();

/// A text in the form in which it is stored: without white space around it, composed (NFC), each line end a line feed.
///
/// So the same text is equal whether it comes from a spreadsheet, a form or another system.
pub fn read(text: &str) -> Cow<'_, str> {
    let mut read = NFC.normalize(text);
    if read.contains('\r') {
        read = Cow::Owned(read.replace("\r\n", "\n").replace('\r', "\n"));
    }
    let trimmed = read.trim_matches(is_outer_blank);
    if trimmed.len() == read.len() { read } else { Cow::Owned(trimmed.to_owned()) }
}

/// A number, code or address in the form in which it is checked: without invisible characters, without white space
/// around it, and with wide letters and digits made plain (NFKC).
pub fn read_code(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    NFKC.normalize(&visible).trim().to_owned()
}

/// White space, and the invisible characters that only stand for it: the zero-width space, the byte-order mark.
fn is_outer_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Whether a text has no visible character.
pub fn is_blank(text: &str) -> bool {
    // U+2800 is the empty Braille pattern. Unicode doesn't count it as white space, but it looks blank.
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c) || is_mark(c) || c == '\u{2800}')
}

/// Whether a text has no control characters except tabs and line ends.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Whether a text is one line without control characters and direction marks, as a person's name must be. A direction
/// mark would reverse the text that is shown beside the name.
pub fn is_one_line(text: &str) -> bool {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns(c))
}
