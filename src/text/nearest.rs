//! The known names nearest to one that isn't known, for whoever mistyped it.

use super::fold::joined_key;

/// Of more known names than this only the nearest are told.
const FEW: usize = 8;

/// The known names in the order of how many single characters have to be added, taken away, changed or swapped with their
/// neighbour to make them of `wanted`; ties by name. Case, accents and separators don't count.
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

/// A sentence that names the known names, the nearest first: all where they are few, else three.
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
