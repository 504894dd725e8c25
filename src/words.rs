//! The words of a text as they are searched: the same on every database, because they are made here.
//!
//! A word is a run of letters and digits, in lower case and without accents. Apostrophes and combining marks vanish
//! inside it; everything else ends it.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::members::rules::folded;

/// The letters of a word that are kept.
const LONGEST: usize = 40;
/// The most words of one search.
const MOST: usize = 10;
/// The fewest letters before a `*`.
const SHORTEST_BEGINNING: usize = 2;

/// The words of a text.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    pieces(text, false).filter(|word| !word.is_empty())
}

/// What must be among the words: any of some, or any of a stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One of these words.
    OneOf(Vec<String>),
    /// A word from the first of these on and before the second, in the order of their bytes.
    Between(String, String),
}

impl Wanted {
    /// One word, as it is.
    pub fn one(word: String) -> Self {
        Self::OneOf(vec![word])
    }

    /// A word that begins with this.
    pub fn beginning(with: &str) -> Self {
        // No word holds a character as high as this one.
        Self::Between(with.to_owned(), format!("{with}{}", char::MAX))
    }

    /// Whether a word is what is wanted.
    pub fn fits(&self, word: &str) -> bool {
        match self {
            Self::OneOf(words) => words.iter().any(|one| one == word),
            Self::Between(from, until) => (from.as_str()..until.as_str()).contains(&word),
        }
    }
}

/// Reads the words of a search. All of them are wanted; a plural finds its singular and the other way round, and a word
/// that ends in `*` finds all that begin with it.
///
/// # Errors
/// 400 where there is no word, or too many, or too little before a `*`.
pub fn wanted(parameter: &'static str, text: &str) -> Result<Vec<Wanted>> {
    let mut all: Vec<Wanted> = Vec::new();
    for piece in pieces(text, true).filter(|piece| !piece.is_empty()) {
        let one = match piece.strip_suffix('*') {
            None => Wanted::OneOf(numbers(&piece)),
            Some(beginning) if beginning.chars().count() >= SHORTEST_BEGINNING => Wanted::beginning(beginning),
            Some(_) => {
                let detail = format!("Must have {SHORTEST_BEGINNING} letters or more before each *.");
                return Err(Error::parameter(parameter, "too_short", detail));
            }
        };
        if !all.contains(&one) {
            all.push(one);
        }
    }
    match all.len() {
        0 => Err(Error::parameter(parameter, "no_words", "Must hold a word to search for.")),
        1..=MOST => Ok(all),
        _ => Err(Error::parameter(parameter, "too_many", format!("Must hold at most {MOST} words."))),
    }
}

/// The words of a text, with the stars that end them where those matter; empty ones between.
fn pieces(text: &str, stars: bool) -> impl Iterator<Item = String> {
    let mut chars = text.chars().flat_map(char::to_lowercase);
    let mut over = false;
    std::iter::from_fn(move || {
        if over {
            return None;
        }
        let (mut word, mut letters) = (String::new(), 0);
        for c in chars.by_ref() {
            match c {
                '*' if stars => {
                    word.push('*');
                    return Some(word);
                }
                _ if vanishes(c) => {}
                _ if !c.is_alphanumeric() => return Some(word),
                _ if letters == LONGEST => {}
                _ => {
                    match folded(c) {
                        Some(plain) => word.push_str(plain),
                        None => word.push(c),
                    }
                    letters += 1;
                }
            }
        }
        over = true;
        Some(word)
    })
}

/// Apostrophes, and accents that stand apart from their letter.
fn vanishes(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{2bc}' | '\u{300}'..='\u{36f}')
}

/// A word with its English singular or plural.
fn numbers(word: &str) -> Vec<String> {
    let mut all = BTreeSet::from([word.to_owned()]);
    let sibilant = |stem: &str| ["s", "x", "z", "ch", "sh", "o"].iter().any(|end| stem.ends_with(end));
    let consonant = |stem: &str| stem.chars().last().is_some_and(|c| !"aeiou".contains(c));
    if word.chars().count() >= 3 {
        all.insert(match word.strip_suffix('y') {
            Some(stem) if consonant(stem) => format!("{stem}ies"),
            _ if sibilant(word) => format!("{word}es"),
            _ => format!("{word}s"),
        });
    }
    if let Some(singular) = word.strip_suffix('s').filter(|rest| rest.chars().count() >= 3 && !rest.ends_with('s')) {
        all.insert(singular.to_owned());
        if let Some(stem) = word.strip_suffix("ies").filter(|stem| consonant(stem)) {
            all.insert(format!("{stem}y"));
        }
        if let Some(stem) = word.strip_suffix("es").filter(|stem| sibilant(stem)) {
            all.insert(stem.to_owned());
        }
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn words_are_in_lower_case_without_accents_and_apostrophes() {
        for (text, found) in [
            ("Tea/coffee & CAKE", vec!["tea", "coffee", "cake"]),
            ("Women\u{2019}s group, 2nd", vec!["womens", "group", "2nd"]),
            ("Caf\u{e9} e\u{301}clair Siân", vec!["cafe", "eclair", "sian"]),
            ("arts_and_culture", vec!["arts", "and", "culture"]),
            ("Łódź-Straße", vec!["lodz", "strasse"]),
            ("read*ing", vec!["read", "ing"]),
            (" -!* ", vec![]),
        ] {
            assert_eq!(of(text), found, "{text}");
        }
        assert_eq!(of(&"x".repeat(100)), ["x".repeat(40)]);
    }

    #[test]
    fn a_plural_finds_its_singular_and_the_other_way_round() {
        for (one, many) in [
            ("book", "books"),
            ("story", "stories"),
            ("class", "classes"),
            ("walk", "walks"),
            ("box", "boxes"),
            ("church", "churches"),
            ("day", "days"),
            ("hero", "heroes"),
            ("art", "arts"),
        ] {
            for (asked, stored) in [(one, many), (many, one), (one, one), (many, many)] {
                assert!(wanted("q", asked).unwrap()[0].fits(stored), "{asked} {stored}");
            }
        }
        for (asked, stored) in [("class", "clas"), ("bus", "bu"), ("art", "article"), ("care", "car")] {
            assert!(!wanted("q", asked).unwrap()[0].fits(stored), "{asked} {stored}");
        }
    }

    #[test]
    fn a_star_finds_what_begins_like_it() {
        let read = wanted("q", "shared Réad*").unwrap();
        assert_eq!(read[1], Wanted::beginning("read"));
        assert!(read[1].fits("reading") && read[1].fits("read") && !read[1].fits("rea") && !read[1].fits("bread"));
        for wrong in ["", " ", "*", "a*", "a b*", "!!", "a b c d e f g h i j k"] {
            assert!(wanted("q", wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_word_of_a_text_is_found_by_itself_and_by_its_beginning(text in "\\PC{0,60}", at in 0usize..60) {
            for word in words(&text) {
                prop_assert_eq!(of(&word), vec![word.clone()]);
                prop_assert!(wanted("q", &word).unwrap()[0].fits(&word));
                let beginning: String = word.chars().take(2 + at % 38).collect();
                prop_assert!(Wanted::beginning(&beginning).fits(&word));
                if beginning.chars().count() >= 2 {
                    let asked = beginning + "*";
                    prop_assert!(wanted("q", &asked).unwrap()[0].fits(&word));
                }
            }
        }
    }
}
