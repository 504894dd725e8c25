//! How counts are shown: exactly to admins, rounded to everybody else.
//!
//! A count from the database is [`Exact`] and can't be written into an answer. Only [`Disclosure::show`] turns it into
//! something that can.
//!
//! Rounding alone can be undone with enough questions, so [`super::rules`] limits the questions. Three things can still
//! be learnt, by decision:
//!
//! - Zero is shown, so an answer can tell that nobody was there.
//! - Groups that all lie at one end of their range give themselves away. An example: seven groups of one, under a total
//!   that is hidden too.
//! - A question repeated later may show that one more person was counted.
//!
//! How much the second point gives away depends on the size of the service. The test of random worlds
//! (`tests/api/disclosure.rs`) solves all answers about one financial year together. With 16 or more prescriptions a
//! month no small count is told by one dimension, and at most 2 % by two. With 5 a month it is none and 15 %, with 2 a
//! month 6 % and 36 %. A year of which only two or three months are given yet adds to that.
//!
//! Source: NHS Digital, "Disclosure control methodology for Hospital Episode Statistics and the Emergency Care Data
//! Set", 2018: 1 to 7 are not shown and everything else is rounded to the nearest 5, instead of hiding further cells.

/// Counts from 1 to this one are not shown.
pub const LARGEST_SUPPRESSED: i64 = 7;
/// All other counts are shown as the nearest multiple of this.
pub const ROUNDED_TO: i64 = 5;

/// A count as the database gave it. It can't be serialised into an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exact(i64);

impl Exact {
    /// Adds to the count.
    pub(super) fn add(&mut self, more: i64) {
        self.0 += more;
    }
}

impl From<i64> for Exact {
    fn from(count: i64) -> Self {
        Self(count)
    }
}

/// One row of a report: its key and its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<C> {
    /// The site's id, the local authority's name or the month. `None` for counts that have none.
    pub key: Option<String>,
    /// The key in words for people.
    pub label: Option<String>,
    /// The counts.
    pub counts: C,
}

/// The counts of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<C> {
    /// The counts of everything that matches the filters.
    pub totals: C,
    /// The counts by group.
    pub rows: Vec<Line<C>>,
}

/// Counts as they are shown, and the names of those that are suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed<const N: usize> {
    /// The counts; `None` if suppressed.
    pub values: [Option<i64>; N],
    /// The names of the suppressed counts.
    pub suppressed: Vec<&'static str>,
}

/// How counts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disclosure {
    /// Exactly: for the service's own managers.
    Exact,
    /// 1 to 7 as null, everything else rounded to the nearest 5.
    Rounded,
}

impl Disclosure {
    /// Turns the counts of a report into what is shown. `names` names the columns. Each total is counted and then
    /// rounded by itself: a total is never the sum of rounded rows.
    pub fn show<const N: usize>(self, counted: Counted<[Exact; N]>, names: [&'static str; N]) -> Counted<Disclosed<N>> {
        let line = |line: Line<[Exact; N]>| Line {
            key: line.key,
            label: line.label,
            counts: self.show_all(line.counts, names),
        };
        Counted { totals: self.show_all(counted.totals, names), rows: counted.rows.into_iter().map(line).collect() }
    }

    fn show_all<const N: usize>(self, counts: [Exact; N], names: [&'static str; N]) -> Disclosed<N> {
        let values = counts.map(|count| self.show_one(count));
        let hidden = values.iter().zip(names).filter(|(value, _)| value.is_none());
        Disclosed { values, suppressed: hidden.map(|(_, name)| name).collect() }
    }

    fn show_one(self, Exact(count): Exact) -> Option<i64> {
        match (self, count) {
            (Self::Exact, count) => Some(count),
            (Self::Rounded, 1..=LARGEST_SUPPRESSED) => None,
            (Self::Rounded, count) => Some((count + ROUNDED_TO / 2) / ROUNDED_TO * ROUNDED_TO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rounded(count: i64) -> Option<i64> {
        Disclosure::Rounded.show_one(Exact(count))
    }

    #[test]
    fn one_to_seven_are_hidden_zero_is_shown_and_all_else_is_rounded() {
        assert_eq!(rounded(0), Some(0));
        for small in 1..=7 {
            assert_eq!(rounded(small), None);
        }
        for (count, shown) in [(8, 10), (9, 10), (12, 10), (13, 15), (17, 15), (18, 20), (6147, 6145), (8507, 8505)] {
            assert_eq!(rounded(count), Some(shown), "{count}");
        }
    }

    proptest! {
        #[test]
        fn a_rounded_count_is_the_nearest_multiple_of_five(count in 8i64..10_000_000) {
            let shown = rounded(count).unwrap();
            prop_assert!(shown % 5 == 0 && (shown - count).abs() <= 2);
        }
    }
}
