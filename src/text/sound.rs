//! What a name sounds like, to look up names that are spelt in another way.

use rphonetic::{DoubleMetaphone, Encoder};

use super::fold::{joined_key, name_key};

/// How many sounds of a family name and of a given name count.
const FAMILY: usize = 6;
const GIVEN: usize = 4;

/// The sound of a name: at most `most` sounds of it (Double Metaphone). A name in another script than the Latin, or
/// without a sound, is its own sound. This is the only place that knows the crate.
fn sound(name: &str, most: usize) -> String {
    let key = joined_key(name);
    // The crate knows the sounds of Latin letters only.
    if !key.chars().all(|c| c.is_ascii_alphanumeric()) {
        return key;
    }
    let letters: String = key.chars().filter(char::is_ascii_alphabetic).collect();
    match DoubleMetaphone::new(Some(most)).encode(&letters) {
        none if none.is_empty() => key,
        sound => sound,
    }
}

/// What a family name sounds like.
pub fn family_sound(name: &str) -> String {
    sound(name, FAMILY)
}

/// What the first of somebody's given names sounds like.
pub fn given_sound(names: &str) -> String {
    sound(name_key(names).split(' ').next().unwrap_or_default(), GIVEN)
}

/// The sounds of a whole name: of the family name, and of the first given name after a `/`. Names that sound the same
/// have the same key: `NFRTL/NT` is Nadia Neverdale and Nadia Neverdail.
pub fn sound_key(given: &str, family: &str) -> String {
    format!("{}/{}", family_sound(family), given_sound(given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_sound_the_same_have_one_key() {
        for (one, other) in [
            (("Stephen", "Stevenson"), ("Steven", "Stephenson")),
            (("Katherine", "Reid"), ("Catherine", "Read")),
            (("Layla", "Al-Hassan"), ("Leila", "Alhassan")),
            (("Siân Mair", "O’Brien"), ("Sian", "Obrian")),
        ] {
            assert_eq!(sound_key(one.0, one.1), sound_key(other.0, other.1), "{one:?} {other:?}");
        }
        assert_ne!(sound_key("Amy", "Reid"), sound_key("Amy", "Walker"));
    }

    #[test]
    fn names_without_a_sound_are_their_own_sound() {
        assert_eq!(sound_key("Андрей", "Иванов"), "иванов/андреи");
        assert_eq!(sound_key("Suharto", ""), "/SHRT");
        assert_eq!(sound_key("H", "李"), "李/h");
    }

    proptest! {
        #[test]
        fn every_name_has_a_sound(given in "\\PC{1,24}", family in "\\PC{0,24}") {
            let key = sound_key(&given, &family);
            prop_assert_eq!(given_sound(&given).is_empty(), name_key(&given).is_empty(), "{}", key);
            let (_, sound) = key.rsplit_once('/').unwrap();
            prop_assert_eq!(sound, given_sound(&given));
        }

        #[test]
        fn ascii_names_are_read_too(given in "[ -~]{1,24}", family in "[ -~]{0,24}") {
            let key = sound_key(&given, &family);
            prop_assert!(key.is_ascii() && key.contains('/'), "{}", key);
        }
    }
}
