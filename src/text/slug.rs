//! Slugs: the names of things in URLs.

/// Whether a text is a slug: 1 to 80 characters, words of `a` to `z` and `0` to `9` joined by single hyphens
/// (`^[a-z0-9]+(-[a-z0-9]+)*$`).
pub fn is_slug(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let word = |word: &str| !word.is_empty() && word.bytes().all(plain);
    text.len() <= 80 && text.split('-').all(word)
}
