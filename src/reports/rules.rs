//! Who may see which figures, and the suppression of small numbers.

use chrono::{Datelike, NaiveDate};

use crate::error::{Error, Result};

/// Counts from 1 to this one are suppressed.
pub const LARGEST_SUPPRESSED: i64 = 7;

/// One row of a report: what it is about and its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<C> {
    /// The site's id, the local authority's name or the month; `None` for what has none.
    pub key: Option<String>,
    /// The key as people know it.
    pub label: Option<String>,
    /// The counts.
    pub counts: C,
}

/// What a report counted, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<const N: usize> {
    /// All that fit the filters.
    pub totals: [i64; N],
    /// By group.
    pub rows: Vec<Line<[i64; N]>>,
}

/// Counts as they may be shown, and the names of those that may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<const N: usize> {
    /// `None` where suppressed.
    pub values: [Option<i64>; N],
    /// The names of the suppressed ones.
    pub suppressed: Vec<&'static str>,
}

/// Checks the period of a report.
///
/// # Errors
/// 400 that names the parameter: an end before the start, or, where figures are to be published, a period that isn't
/// made of whole calendar months.
pub fn check(published: bool, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<()> {
    if matches!((from, to), (Some(from), Some(to)) if to < from) {
        return Err(Error::parameter("to", "ends_first", "Must not be before from."));
    }
    if !published {
        return Ok(());
    }
    if from.is_none_or(|day| day.day() != 1) {
        let detail = "Is required, and must be the first day of a month: figures are given for whole months.";
        return Err(Error::parameter("from", "whole_months", detail));
    }
    if to.is_none_or(|day| day.succ_opt().is_none_or(|next| next.day() != 1)) {
        let detail = "Is required, and must be the last day of a month: figures are given for whole months.";
        return Err(Error::parameter("to", "whole_months", detail));
    }
    Ok(())
}

/// The totals and the rows as they may be shown.
pub type Shown<const N: usize> = (Named<N>, Vec<Line<Named<N>>>);

/// Shows every count as it is.
pub fn exact<const N: usize>(counted: Counted<N>) -> Shown<N> {
    show(counted, &[], &[])
}

/// Leaves out small counts, and others from which they could be worked out. `names` names the columns.
pub fn suppress<const N: usize>(counted: Counted<N>, names: [&'static str; N]) -> Shown<N> {
    let column = |at: usize| {
        let cells: Vec<i64> = counted.rows.iter().map(|row| row.counts[at]).collect();
        hide(counted.totals[at], &cells)
    };
    let columns: Vec<Hidden> = (0..N).map(column).collect();
    let columns = joined(&columns, &counted);
    show(counted, &columns, &names)
}

/// What one column leaves out, the others do too: there are never fewer attendances than people, so a count that is
/// shown in one column bounds the one left out in the other. Nought stays: it says that nobody was there.
fn joined<const N: usize>(columns: &[Hidden], counted: &Counted<N>) -> Vec<Hidden> {
    let total = columns.iter().any(|column| column.total);
    let hides = |row: usize| columns.iter().any(|column| column.cells.get(row) == Some(&true));
    let column = |at: usize| Hidden {
        total: total && counted.totals[at] > 0,
        cells: counted.rows.iter().enumerate().map(|(row, line)| hides(row) && line.counts[at] > 0).collect(),
    };
    (0..N).map(column).collect()
}

fn show<const N: usize>(counted: Counted<N>, columns: &[Hidden], names: &[&'static str]) -> Shown<N> {
    let named = |counts: [i64; N], hides: &dyn Fn(&Hidden) -> bool| {
        let hidden = |at: usize| columns.get(at).is_some_and(hides);
        let values = std::array::from_fn(|at| (!hidden(at)).then_some(counts[at]));
        let suppressed = names.iter().enumerate().filter(|(at, _)| hidden(*at)).map(|(_, name)| *name).collect();
        Named { values, suppressed }
    };
    let totals = named(counted.totals, &|column| column.total);
    let row = |(number, line): (usize, Line<[i64; N]>)| {
        let counts = named(line.counts, &|column| column.cells.get(number) == Some(&true));
        Line { key: line.key, label: line.label, counts }
    };
    (totals, counted.rows.into_iter().enumerate().map(row).collect())
}

/// What of a column is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// The total.
    pub total: bool,
    /// Each cell.
    pub cells: Vec<bool>,
}

/// Decides what of a column has to be left out.
///
/// Small cells are. Where the total is shown, subtracting the other cells from it gives the sum of what is left
/// out; while that sum leaves no choice (one cell only, or every cell at an end of its range), the next smallest
/// cell is left out too, and when there is none left, the total. Somebody who knows this procedure gains nothing:
/// a small cell is known to be 1 to 7, one that was left out for its sake 8 up to the smallest that is shown.
///
/// Columns of distinct people are treated alike, though their rows can add up to more than the total.
pub fn hide(total: i64, cells: &[i64]) -> Hidden {
    let small = |count: i64| (1..=LARGEST_SUPPRESSED).contains(&count);
    let mut hidden = Hidden { total: small(total), cells: cells.iter().map(|cell| small(*cell)).collect() };
    if hidden.total || !hidden.cells.contains(&true) {
        return hidden;
    }
    let mut rest: Vec<usize> = (0..cells.len()).filter(|at| cells[*at] > LARGEST_SUPPRESSED).collect();
    rest.sort_by_key(|at| (cells[*at], *at));
    let mut rest = rest.into_iter();
    while !leaves_a_choice(cells, &hidden.cells) {
        match rest.next() {
            Some(next) => hidden.cells[next] = true,
            None => {
                hidden.total = true;
                break;
            }
        }
    }
    hidden
}

/// Whether the sum of the hidden cells, with what is known of each, leaves more than one value for every small one.
fn leaves_a_choice(cells: &[i64], hidden: &[bool]) -> bool {
    let shown = cells.iter().zip(hidden).filter(|(cell, hidden)| !**hidden && **cell > 0);
    let smallest_shown = shown.map(|(cell, _)| *cell).min();
    let of = |wanted: bool| {
        let part =
            cells.iter().zip(hidden).filter(move |(cell, hidden)| **hidden && (**cell <= LARGEST_SUPPRESSED) == wanted);
        part.map(|(cell, _)| *cell).collect::<Vec<i64>>()
    };
    let (small, others) = (of(true), of(false));
    let sum: i64 = small.iter().chain(&others).sum();
    let (few, more) = (small.len() as i64, others.len() as i64);
    let least = few + more * (LARGEST_SUPPRESSED + 1);
    // Without a shown cell nothing bounds those that were left out for the small ones' sake.
    let bound = smallest_shown.unwrap_or(i64::MAX / 1_000_000);
    let most = few * LARGEST_SUPPRESSED + more * bound;
    // A cell whose range is a single value can't take up what another one gives.
    let loose = few + if bound > LARGEST_SUPPRESSED + 1 { more } else { 0 };
    loose >= 2 && least < sum && sum < most
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hidden(total: bool, cells: &[u8]) -> Hidden {
        Hidden { total, cells: cells.iter().map(|cell| *cell == 1).collect() }
    }

    #[test]
    fn zero_and_eight_are_shown_and_one_to_seven_are_not() {
        assert_eq!(hide(0, &[]), hidden(false, &[]));
        assert_eq!(hide(8, &[]), hidden(false, &[]));
        for small in 1..=7 {
            assert_eq!(hide(small, &[]), hidden(true, &[]));
        }
        assert_eq!(hide(20, &[0, 8, 12]), hidden(false, &[0, 0, 0]));
    }

    #[test]
    fn a_single_small_cell_takes_the_next_smallest_with_it() {
        assert_eq!(hide(154, &[50, 4, 0, 100]), hidden(false, &[1, 1, 0, 0]));
    }

    #[test]
    fn two_small_cells_hide_each_other_unless_their_sum_gives_them_away() {
        assert_eq!(hide(107, &[3, 4, 100]), hidden(false, &[1, 1, 0]));
        assert_eq!(hide(152, &[1, 1, 50, 100]), hidden(false, &[1, 1, 1, 0]));
        assert_eq!(hide(164, &[7, 7, 50, 100]), hidden(false, &[1, 1, 1, 0]));
    }

    #[test]
    fn the_total_goes_when_nothing_else_is_left() {
        assert_eq!(hide(9, &[1, 8]), hidden(true, &[1, 1]));
        assert_eq!(hide(14, &[7, 7]), hidden(true, &[1, 1]));
    }

    #[test]
    fn a_tie_with_a_shown_cell_gives_nothing_away() {
        // 7 and 20 hidden beside a shown 20: the hidden 20 can't be more than 20, so the 7 could be nothing else.
        assert_eq!(hide(47, &[7, 20, 20]), hidden(false, &[1, 1, 1]));
    }

    #[test]
    fn published_periods_are_whole_months() {
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        assert!(check(true, day("2024-02-01"), day("2024-02-29")).is_ok());
        assert!(check(true, day("2023-02-01"), day("2023-12-31")).is_ok());
        for (from, to) in [
            (None, day("2024-02-29")),
            (day("2024-02-01"), None),
            (day("2024-02-02"), day("2024-02-29")),
            (day("2024-02-01"), day("2024-02-28")),
        ] {
            assert!(check(true, from, to).is_err());
            assert!(check(false, from, to).is_ok());
        }
        assert!(check(false, day("2024-02-02"), day("2024-02-01")).is_err());
    }

    /// Every value a hidden small cell can have, found by trying: what an attacker who knows the procedure would do.
    fn possible(cells: &[i64], hidden: &[bool], target: usize) -> usize {
        let shown = cells.iter().zip(hidden).filter(|(c, h)| !**h && **c > 0).map(|(c, _)| *c).min();
        let sum: i64 = cells.iter().zip(hidden).filter(|(_, h)| **h).map(|(c, _)| *c).sum();
        let range = |cell: i64| if cell <= 7 { (1, 7) } else { (8, shown.unwrap_or(1_000)) };
        let others = cells.iter().zip(hidden).enumerate().filter(|(at, (_, h))| **h && *at != target);
        let (low, high) = others.fold((0, 0), |(low, high), (_, (cell, _))| {
            let (least, most) = range(*cell);
            (low + least, high + most)
        });
        (1..=7).filter(|value| (low..=high).contains(&(sum - value))).count()
    }

    proptest! {
        #[test]
        fn no_small_count_can_be_worked_out_from_the_total(cells in prop::collection::vec(0i64..40, 0..8)) {
            let total = cells.iter().sum();
            let hidden = hide(total, &cells);
            prop_assert_eq!(hidden.cells.len(), cells.len());
            for (at, cell) in cells.iter().enumerate() {
                let small = (1..=7).contains(cell);
                prop_assert!(!small || hidden.cells[at]);
                prop_assert!(*cell != 0 || !hidden.cells[at]);
                if small && !hidden.total {
                    prop_assert!(possible(&cells, &hidden.cells, at) > 1, "{:?} {:?}", cells, hidden);
                }
            }
            prop_assert!(hidden.total || !(1..=7).contains(&total));
        }

        #[test]
        fn a_column_without_small_counts_is_shown_whole(cells in prop::collection::vec(8i64..400, 0..8)) {
            let hidden = hide(cells.iter().sum(), &cells);
            prop_assert!(!hidden.total && !hidden.cells.contains(&true));
        }
    }
}
