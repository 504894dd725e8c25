//! Sets of ordinals such as "the first, the third and the last".

/// A set of ordinals that count from the front (1, 2, …) or from the back (-1, -2, …).
///
/// Absolute values must be below `64 * WORDS`. They are stored as bits, so a lookup costs the same for every set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ordinals<const WORDS: usize> {
    front: [u64; WORDS],
    back: [u64; WORDS],
}

impl<const WORDS: usize> Ordinals<WORDS> {
    /// The empty set.
    pub(super) const EMPTY: Self = Self { front: [0; WORDS], back: [0; WORDS] };

    /// The set of all ordinals.
    pub(super) const ALL: Self = Self { front: [u64::MAX; WORDS], back: [u64::MAX; WORDS] };

    /// Adds an ordinal. One that is too large for the set is ignored.
    pub(super) fn insert(&mut self, ordinal: i16) {
        let words = if ordinal < 0 { &mut self.back } else { &mut self.front };
        let place = usize::from(ordinal.unsigned_abs());
        if let Some(word) = words.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Whether the set holds a place. The place is number `front` from the front and number `back` from the back, both
    /// counted from 1.
    pub(super) fn has(&self, front: u32, back: u32) -> bool {
        has_bit(&self.front, front) || has_bit(&self.back, back)
    }
}

fn has_bit(words: &[u64], place: u32) -> bool {
    let word = words.get(place as usize / 64).copied().unwrap_or(0);
    word >> (place % 64) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_count_from_both_ends() {
        let mut set = Ordinals::<6>::EMPTY;
        set.insert(2);
        set.insert(-1);
        set.insert(-366);
        let of_five: Vec<u32> = (1..=5).filter(|n| set.has(*n, 6 - n)).collect();
        assert_eq!(of_five, [2, 5]);
        assert!(set.has(1, 366));
    }

    #[test]
    fn a_place_or_an_ordinal_beyond_the_set_is_never_in_it() {
        let mut set = Ordinals::<1>::EMPTY;
        set.insert(i16::MAX);
        set.insert(i16::MIN);
        assert_eq!(set, Ordinals::EMPTY);
        assert!(!Ordinals::<1>::ALL.has(64, u32::MAX));
    }
}
