//! Finds the known names that are nearest to a mistyped one.

use super::fold::joined_key;

/// Up to this many known names, a hint lists all of them.
const FEW: usize = 8;

/// The known names, ordered by their edit distance from `wanted` and then by name. One edit adds, removes or changes a
/// character, or swaps two neighbours. Case, accents and separators don't count.
fn by_distance<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = joined_key(wanted);
    let mut ranked: Vec<(usize, &str)> =
        known.map(|name| (strsim::osa_distance(&wanted, &joined_key(name)), name)).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, name)| name).collect()
}

/// The three nearest known names, the nearest first.
pub fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = by_distance(wanted, known);
    all.truncate(3);
    all
}

/// A sentence with the known names, the nearest first: all of them if they are few, otherwise three.
pub fn hint<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    let all = by_distance(wanted, known);
    match all.as_slice() {
        [] => "Nothing is known here.".to_owned(),
        few if few.len() <= FEW => format!("Known, the nearest first: {}.", few.join(", ")),
        many => format!("Nearest: {}.", many[..3].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_nearest_come_nearest_first() {
        let known = ["toxteth-library", "walton-life-rooms", "garston-library", "walton-library", "bootle"];
        assert_eq!(nearest("walton-liferooms", known.into_iter())[0], "walton-life-rooms");
        assert_eq!(nearest("Walton Life Rooms", known.into_iter())[0], "walton-life-rooms");
        assert_eq!(nearest("walton-liferooms", known.into_iter()).len(), 3);
        assert_eq!(nearest("titel", ["title", "pillar", "tile"].into_iter()), ["title", "tile", "pillar"]);
        assert!(nearest("x", std::iter::empty()).is_empty());
    }

    #[test]
    fn few_known_names_are_all_told_and_of_many_the_nearest() {
        assert_eq!(hint("limt", ["cursor", "limit"].into_iter()), "Known, the nearest first: limit, cursor.");
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "limit"];
        assert_eq!(hint("limt", many.into_iter()), "Nearest: limit, a, b.");
        assert_eq!(hint("x", std::iter::empty()), "Nothing is known here.");
    }
}
