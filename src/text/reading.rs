//! The one reading of a text, whatever it came in, and what makes a text fit to be kept.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};

use super::fold::{is_invisible, is_mark};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();

/// What is kept of a text: no blanks around it, composed (NFC), and line ends as a single line feed.
///
/// A text from a spreadsheet, a form or another system so is the same text as one sent as JSON.
pub fn read(text: &str) -> Cow<'_, str> {
    let mut read = NFC.normalize(text);
    if read.contains('\r') {
        read = Cow::Owned(read.replace("\r\n", "\n").replace('\r', "\n"));
    }
    let trimmed = read.trim_matches(is_outer_blank);
    if trimmed.len() == read.len() { read } else { Cow::Owned(trimmed.to_owned()) }
}

/// White space, and the invisible characters that only stand for it: the zero-width space, the byte-order mark.
fn is_outer_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Whether a text has no visible character.
pub fn is_blank(text: &str) -> bool {
    // U+2800 is the empty pattern of Braille: a letter to Unicode, nothing to the eye.
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c) || is_mark(c) || c == '\u{2800}')
}

/// Whether a text has no control characters but tabs and line ends.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Whether a text is one line without control characters and without marks of direction, as a person's name is. Such
/// marks would turn around what is shown beside the name.
pub fn is_one_line(text: &str) -> bool {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_one_way() {
        for (sent, kept) in [
            ("reader-1", "reader-1"),
            (" reader-1\t\n", "reader-1"),
            ("\u{a0}\u{200b}reader-1\u{feff}\u{3000}", "reader-1"),
            ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
            ("Cafe\u{301}", "Café"),
            ("  ", ""),
            ("a  b", "a  b"),
        ] {
            assert_eq!(read(sent), kept, "{sent:?}");
            assert_eq!(read(kept), kept, "{kept:?}");
        }
    }

    #[test]
    fn a_text_without_a_visible_character_is_blank() {
        for text in [
            "",
            " ",
            "\u{200b}",
            "\u{200d}\u{2060}",
            "\u{ad}",
            "\u{3164}",
            "\u{2800}",
            "\u{202e}",
            "\u{301}",
            "\u{a0}\t\n",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", ".", "\u{200b}x", "李", "🎃", "हि"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn names_are_one_line_and_descriptions_may_have_several() {
        assert!(is_plain("one\n\ttwo") && is_plain("שלום\u{200f}!") && !is_plain("bell\u{7}") && !is_plain("\u{85}"));
        assert!(is_one_line("Ann-Marie O’Neil") && is_one_line("می\u{200c}نا"));
        for name in ["Ann\nReid", "Ann\u{202e}", "Ann\u{200f}", "Ann\u{2028}", "A\tB", "A\u{1b}"] {
            assert!(!is_one_line(name), "{name:?}");
        }
    }
}
