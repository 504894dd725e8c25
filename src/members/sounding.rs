//! Finding members whose names sound like what was typed, so that a misspelt name is found too.
//!
//! The names of a record have a sound ([`crate::text::sound`]), which an index holds. Of the members with the same sound,
//! those are shown whose names are spelt in a similar way too, the most similar first.

use strsim::jaro_winkler;

use super::store::MemberRow;
use crate::text::sound::{family_sound, sound_key};

/// How many members with the same sound are compared at most.
pub(super) const MOST_COMPARED: i64 = 200;

/// How similar (Jaro–Winkler) a name must be spelt at least: Reid and Read are, Reid and Wright aren't.
const LEAST: f64 = 0.75;

/// How similar one of the typed words must be to a given name: Leila and Layla are, Zara and Omar aren't.
const LEAST_GIVEN: f64 = 0.7;

/// The sounds to look for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sounds {
    /// Those of whole names.
    pub(super) whole: Vec<String>,
    /// Those of family names alone, each from the first to before the second: a given name that is misspelt can sound
    /// different, as Nadja and Nadia do.
    pub(super) families: Vec<(String, String)>,
}

impl Sounds {
    /// The sounds of typed words. The given name is typed first or last, and there can be middle names.
    pub(super) fn of(typed: &[&str]) -> Self {
        let [first, rest @ .., last] = typed else {
            return Self { whole: Vec::new(), families: typed.iter().map(|word| of_family(word)).collect() };
        };
        let behind = [rest, &[last]].concat().join(" ");
        let before = [&[*first], rest].concat().join(" ");
        let pairs = [(*first, behind.as_str()), (last, before.as_str()), (first, last), (last, first)];
        let mut whole: Vec<String> = pairs.iter().map(|(given, family)| sound_key(given, family)).collect();
        whole.sort_unstable();
        whole.dedup();
        let mut families: Vec<_> = pairs.iter().map(|(_, family)| of_family(family)).collect();
        families.sort_unstable();
        families.dedup();
        Self { whole, families }
    }
}

/// All whole names with the sound of this family name.
fn of_family(name: &str) -> (String, String) {
    let sound = family_sound(name);
    // The character after the `/` between the two names.
    (format!("{sound}/"), format!("{sound}0"))
}

/// How similar the typed words are to a member's names, from 0 to 1.
fn likeness(typed: &[&str], row: &MemberRow) -> f64 {
    let (family, given) = (row.family_key.as_str(), row.given_key.as_str());
    if typed.len() == 1 {
        return jaro_winkler(typed[0], family);
    }
    let preferred = row.preferred_name.as_deref().map(crate::text::fold::name_key);
    let names: Vec<String> = std::iter::once(given.to_owned()).chain(preferred).collect();
    let given_alike = names.iter().flat_map(|name| typed.iter().map(|word| jaro_winkler(word, name)));
    if given_alike.fold(0.0, f64::max) < LEAST_GIVEN {
        return 0.0;
    }
    let typed = typed.join(" ");
    let ways = names.into_iter().flat_map(|given| [format!("{given} {family}"), format!("{family} {given}")]);
    // Some write a name in one word that others write in two.
    let joined = |text: &str| text.replace(' ', "");
    let alike = |way: String| jaro_winkler(&typed, &way).max(jaro_winkler(&joined(&typed), &joined(&way)));
    ways.map(alike).fold(0.0, f64::max)
}

/// Those of these members whose names are similar, the most similar first, and then in the order of names.
pub(super) fn ranked(typed: &[&str], rows: Vec<MemberRow>) -> Vec<MemberRow> {
    let alike = |row: MemberRow| Some((likeness(typed, &row), row)).filter(|(likeness, _)| *likeness >= LEAST);
    let mut found: Vec<(f64, MemberRow)> = rows.into_iter().filter_map(alike).collect();
    found.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.order().cmp(&b.order())));
    found.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_name_is_typed_first_or_last() {
        let keys = |typed: &[&str]| Sounds::of(typed).whole;
        assert_eq!(keys(&["margret", "read"]), keys(&["read", "margret"]));
        assert!(keys(&["margret", "read"]).contains(&sound_key("Margaret", "Reid")));
        assert!(keys(&["margaret", "ann", "read"]).contains(&sound_key("Margaret", "Reid")));
        assert!(keys(&["leila", "al", "hassan"]).contains(&sound_key("Layla", "Al-Hassan")));
        let read = ("RT/".to_owned(), "RT0".to_owned());
        assert_eq!(Sounds::of(&["read"]), Sounds { whole: Vec::new(), families: vec![read.clone()] });
        assert!(Sounds::of(&["margret", "read"]).families.contains(&read));
    }
}
