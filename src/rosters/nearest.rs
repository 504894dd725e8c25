//! The names nearest to one that isn't known, for whoever mistyped it.

/// The three known names that take the fewest changes of single characters to become `wanted`; ties by name.
pub fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = wanted.chars().collect();
    let mut ranked: Vec<(usize, &str)> = known.map(|name| (distance(&wanted, name), name)).collect();
    ranked.sort_unstable();
    ranked.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many characters have to be added, taken away or changed (Levenshtein).
fn distance(wanted: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (at, letter) in name.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(wanted) {
            let best = (*cell + 1).min(left + 1).min(diagonal + usize::from(letter != *other));
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshtein_s() {
        for (one, other, changes) in
            [("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("a", "a", 0)]
        {
            let letters: Vec<char> = one.chars().collect();
            assert_eq!(distance(&letters, other), changes, "{one} {other}");
        }
    }

    #[test]
    fn the_three_nearest_come_nearest_first() {
        let known = ["toxteth-library", "walton-life-rooms", "garston-library", "walton-library", "bootle"];
        assert_eq!(nearest("walton-liferooms", known.into_iter())[0], "walton-life-rooms");
        assert_eq!(nearest("walton-liferooms", known.into_iter()).len(), 3);
        assert!(nearest("x", std::iter::empty()).is_empty());
    }
}
