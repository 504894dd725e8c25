//! Splits texts into the words that a search compares. This is done here and not in the database, so that a search
//! finds the same on both databases.
//!
//! A word is a run of letters and digits, [folded]. An apostrophe inside a word is dropped; every other character ends
//! the word. Words that hyphens join are also one word: `Tai-Chi` is `tai`, `chi` and `taichi`.

use std::collections::BTreeSet;
use std::fmt;

use pluralizer::pluralize;

use super::fold::{self, folded, is_letter};

/// How many letters of a word are kept.
const LONGEST: usize = 40;
/// The most words of one search.
const MOST: usize = 10;
/// The fewest letters that must stand before a `*`.
const SHORTEST_BEGINNING: usize = 2;

/// The shortest word that is taken for a noun with a singular and a plural. Shorter ones are `as` and `us`.
const SHORTEST_NOUN: usize = 3;
/// The hyphens that a folded text can hold.
const HYPHENS: [char; 2] = ['-', '\u{2010}'];

/// The words of a text.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    runs(text, false).into_iter().flat_map(|run| {
        let whole = run_together(&run);
        run.into_iter().chain(whole)
    })
}

/// The Arabic article, which many people write in one word with the name.
const ARTICLES: [&str; 2] = ["al", "el"];
/// The fewest letters of a name behind an article.
const SHORTEST_NAME: usize = 3;

/// The words that a search finds a name by: each word of the name, all words joined, and what stands behind an article.
/// `Al-Hassan` and `Alhassan` are found by `al`, by `hassan` and by `alhassan`.
pub fn name_words(name: &str) -> BTreeSet<String> {
    let key = fold::name_key(name);
    let own = key.split(' ').map(str::to_owned);
    let mut words: BTreeSet<String> = own.chain([fold::joined_key(name)]).filter(|word| !word.is_empty()).collect();
    let bare = |word: &String| {
        let rest = ARTICLES.iter().find_map(|article| word.strip_prefix(article))?;
        (rest.chars().count() >= SHORTEST_NAME).then(|| rest.to_owned())
    };
    let bare: Vec<String> = words.iter().filter_map(bare).collect();
    words.extend(bare);
    words
}

/// The word that a search uses to find things with a feature such as `step_free`. The colons keep it apart from the
/// words of texts, because a colon in a text separates words.
pub fn word_of_feature(feature: &str) -> String {
    format!(":access:{feature}")
}

/// Why a search can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSearch {
    /// There is no word in it.
    NoWords,
    /// There are too many words.
    TooMany,
    /// There are too few letters before a `*`.
    TooShort,
}

impl NoSearch {
    /// A stable name, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoWords => "no_words",
            Self::TooMany => "too_many",
            Self::TooShort => "too_short",
        }
    }
}

impl fmt::Display for NoSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWords => f.write_str("Must have a word to search for."),
            Self::TooMany => write!(f, "Must have at most {MOST} words."),
            Self::TooShort => write!(f, "Must have at least {SHORTEST_BEGINNING} letters before each *."),
        }
    }
}

/// The range of the words that begin with this text, in the order of bytes: from the first, included, to the second,
/// excluded. No word contains the highest character.
pub fn words_beginning(with: &str) -> (String, String) {
    (with.to_owned(), format!("{with}{}", char::MAX))
}

/// A condition on the words of a text: one of them must be in a list or in a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One of these words.
    OneOf(Vec<String>),
    /// A word in this range, in the order of bytes: from the first, included, to the second, excluded.
    Between(String, String),
    /// One of these words, or a word in this range.
    Either(Vec<String>, String, String),
}

impl Wanted {
    /// Exactly this word.
    pub fn one(word: String) -> Self {
        Self::OneOf(vec![word])
    }

    /// Any word that begins with this text.
    pub fn beginning(with: &str) -> Self {
        let (from, until) = words_beginning(with);
        Self::Between(from, until)
    }

    /// Whether a word meets the condition.
    pub fn fits(&self, word: &str) -> bool {
        let (words, range) = self.parts();
        let within = |(from, until): (&str, &str)| (from..until).contains(&word);
        words.iter().any(|one| one == word) || range.is_some_and(within)
    }

    /// The words, and the range.
    pub fn parts(&self) -> (&[String], Option<(&str, &str)>) {
        match self {
            Self::OneOf(words) => (words, None),
            Self::Between(from, until) => (&[], Some((from, until))),
            Self::Either(words, from, until) => (words, Some((from, until))),
        }
    }

    /// The same, or one of these words.
    pub fn or_one_of(self, more: impl IntoIterator<Item = String>) -> Self {
        let more: Vec<String> = more.into_iter().collect();
        match self {
            Self::OneOf(words) => Self::OneOf([words, more].concat()),
            Self::Between(..) if more.is_empty() => self,
            Self::Between(from, until) => Self::Either(more, from, until),
            Self::Either(words, from, until) => Self::Either([words, more].concat(), from, until),
        }
    }

    /// The same, or any word that begins with this text.
    fn or_beginning(self, with: &str) -> Self {
        match self {
            Self::OneOf(words) => {
                let (from, until) = words_beginning(with);
                Self::Either(words, from, until)
            }
            other => other,
        }
    }
}

/// Reads the words of a search. A text must meet all the conditions.
///
/// A plural also finds its singular, and a singular its plural. A word with a hyphen also finds the word without it. A
/// word that ends in `*` finds every word that begins with it.
///
/// # Errors
/// If there is no word, if there are too many, or if there are too few letters before a `*`.
pub fn wanted(text: &str) -> Result<Vec<Wanted>, NoSearch> {
    Ok(read(text)?.into_iter().map(|(_, one)| one).collect())
}

/// Reads the words of a search that somebody may still be typing: the last one may be the beginning of a word.
///
/// # Errors
/// Those of [`wanted`].
pub fn wanted_so_far(text: &str) -> Result<Vec<Wanted>, NoSearch> {
    let mut all = read(text)?;
    let last = runs(text, true).last().and_then(|run| run.last().cloned()).unwrap_or_default();
    let is_typed = folded(text).chars().last().is_some_and(is_letter);
    if is_typed && last.chars().count() >= SHORTEST_BEGINNING {
        for one in all.iter_mut().filter(|(word, _)| *word == last) {
            one.1 = one.1.clone().or_beginning(&last);
        }
    }
    Ok(all.into_iter().map(|(_, one)| one).collect())
}

/// The words of a search, each with what it finds.
fn read(text: &str) -> Result<Vec<(String, Wanted)>, NoSearch> {
    let mut all: Vec<(String, Wanted)> = Vec::new();
    for run in runs(text, true) {
        let whole = run_together(&run).filter(|whole| !whole.ends_with('*'));
        for word in &run {
            let one = match word.strip_suffix('*') {
                None => Wanted::OneOf(std::iter::once(word).chain(&whole).flat_map(|word| numbers(word)).collect()),
                Some(beginning) if beginning.chars().count() >= SHORTEST_BEGINNING => Wanted::beginning(beginning),
                Some(_) => return Err(NoSearch::TooShort),
            };
            if all.iter().all(|(_, other)| *other != one) {
                all.push((word.clone(), one));
            }
        }
    }
    match all.len() {
        0 => Err(NoSearch::NoWords),
        1..=MOST => Ok(all),
        _ => Err(NoSearch::TooMany),
    }
}

/// The runs of letters and hyphens of a text, each as the words between its hyphens. With `stars`, the last word of a
/// run keeps a `*` that ends it.
fn runs(text: &str, stars: bool) -> Vec<Vec<String>> {
    let folded = folded(text);
    let ends = |c: char| !(is_letter(c) || HYPHENS.contains(&c) || stars && c == '*');
    let runs = folded.split(ends).flat_map(|run| run.split_inclusive('*'));
    runs.map(|run| run.split(HYPHENS).map(shortened).filter(|word| !word.is_empty()).collect()).collect()
}

/// The words of a run as one word. `None` if there is only one.
fn run_together(run: &[String]) -> Option<String> {
    (run.len() > 1).then(|| shortened(&run.concat()))
}

/// A word cut to the number of letters that are kept.
fn shortened(word: &str) -> String {
    let (letters, star) = word.strip_suffix('*').map_or((word, ""), |letters| (letters, "*"));
    let kept: String = letters.chars().take(LONGEST).collect();
    kept + star
}

/// A word, its English singular and its plural.
fn numbers(word: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([word.to_owned()]);
    if word.chars().count() >= SHORTEST_NOUN {
        all.extend([1, 2].map(|count| pluralize(word, count, false)));
    }
    all
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
            ("Łódź\u{2011}Straße", vec!["lodz", "strasse", "lodzstrasse"]),
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
            ("child", "children"),
            ("leaf", "leaves"),
            ("knife", "knives"),
            ("woman", "women"),
        ] {
            for (asked, stored) in [(one, many), (many, one), (one, one), (many, many)] {
                assert!(wanted(asked).unwrap()[0].fits(stored), "{asked} {stored}");
            }
        }
        for (asked, stored) in [("class", "clas"), ("bus", "bu"), ("art", "article"), ("care", "car")] {
            assert!(!wanted(asked).unwrap()[0].fits(stored), "{asked} {stored}");
        }
    }

    #[test]
    fn the_last_word_may_still_be_typed() {
        let read = |text: &str| wanted_so_far(text).unwrap();
        let last = |text: &str| read(text).pop().unwrap();
        assert!(last("shared rea").fits("reading") && last("rea").fits("rea") && !last("rea").fits("bread"));
        assert!(last("stori").fits("stories") && last("story").fits("stories") && last("book").fits("bookshop"));
        assert!(!read("rea group")[0].fits("reading"));
        // A blank ends a word, and one letter is no beginning.
        assert!(!last("rea ").fits("reading") && !last("a").fits("art"));
        assert_eq!(last("rea*"), Wanted::beginning("rea"));
        assert_eq!((read("tea tea").len(), read("tea tea")[0].fits("team")), (1, true));
        let named = last("rea").or_one_of([":venue:1".to_owned()]);
        assert!(named.fits(":venue:1") && named.fits("reading") && !named.fits("venue"));
    }

    #[test]
    fn a_star_finds_what_begins_like_it() {
        let read = wanted("shared Réad*").unwrap();
        assert_eq!(read[1], Wanted::beginning("read"));
        assert!(read[1].fits("reading") && read[1].fits("read") && !read[1].fits("rea") && !read[1].fits("bread"));
        for wrong in ["", " ", "*", "a*", "a b*", "!!", "a b c d e f g h i j k"] {
            assert!(wanted(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_word_of_a_text_is_found_by_itself_and_by_its_beginning(text in "\\PC{0,60}", at in 0usize..60) {
            for word in words(&text) {
                prop_assert_eq!(of(&word), vec![word.clone()]);
                prop_assert!(wanted(&word).unwrap()[0].fits(&word));
                let beginning: String = word.chars().take(2 + at % 38).collect();
                prop_assert!(Wanted::beginning(&beginning).fits(&word));
                if beginning.chars().count() >= 2 {
                    let asked = beginning + "*";
                    prop_assert!(wanted(&asked).unwrap()[0].fits(&word));
                }
            }
        }
    }
}
