//! Slugs: the names of things in URLs.

/// Whether a text is a slug: 1 to 80 characters, words of `a` to `z` and `0` to `9` joined by single hyphens
/// (`^[a-z0-9]+(-[a-z0-9]+)*$`).
pub fn is_slug(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let word = |word: &str| !word.is_empty() && word.bytes().all(plain);
    text.len() <= 80 && text.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_are_plain_words_joined_by_single_hyphens() {
        for text in ["a", "7", "liverpool-central-library", "station-masters-house-birkdale", &"a".repeat(80)] {
            assert!(is_slug(text), "{text}");
        }
        for text in ["", "-", "-a", "a-", "a--b", "A", "a b", "a_b", "é", "a/b", "a\n", &"a".repeat(81)] {
            assert!(!is_slug(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_joined_by_hyphens_are_slugs(text in "[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,7}", broken in "[-A-Z _]{1,2}") {
            prop_assert!(is_slug(&text));
            let doubled = format!("{text}-{broken}");
            prop_assert!(!is_slug(&doubled));
        }
    }
}
