//! The form in which passwords are compared.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();

/// A password in the form in which it is hashed, so that a password is the same on every keyboard.
///
/// Letters are composed (NFC), and every kind of space becomes an ASCII space. Nothing is trimmed or folded.
///
/// Source: RFC 8265, section 4.2.2 (OpaqueString).
pub fn normal(password: &str) -> Cow<'_, str> {
    let is_space =
        |c: char| matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}');
    match password.contains(is_space) {
        true => Cow::Owned(NFC.normalize(&password.replace(is_space, " ")).into_owned()),
        false => NFC.normalize(password),
    }
}
