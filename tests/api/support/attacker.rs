//! Somebody who knows how counts are rounded, has every answer, and solves all of them together.

use std::collections::{BTreeMap, BTreeSet};

/// What an answer says of the count behind it: the least and the most it can be.
pub fn range_of(answer: Option<i64>) -> (i64, i64) {
    match answer {
        None => (1, 7),
        Some(0) => (0, 0),
        Some(shown) => ((shown - 2).max(8), shown + 2),
    }
}

/// Answers about sums of cells, which are the smallest groups that any question tells apart.
#[derive(Default)]
pub struct Puzzle {
    /// By the cells that are added up.
    sums: BTreeMap<BTreeSet<usize>, (i64, i64)>,
}

impl Puzzle {
    /// Takes in an answer.
    pub fn learn(&mut self, cells: BTreeSet<usize>, answer: Option<i64>) {
        let (least, most) = range_of(answer);
        let known = self.sums.entry(cells).or_insert((least, most));
        *known = (known.0.max(least), known.1.min(most));
        assert!(known.0 <= known.1, "two answers to one question contradict each other");
    }

    /// The sums that are hidden: those of 1 to 7.
    pub fn hidden(&self) -> Vec<BTreeSet<usize>> {
        let hidden = self.sums.iter().filter(|(cells, range)| !cells.is_empty() && range.0 >= 1 && range.1 <= 7);
        hidden.map(|(cells, _)| cells.clone()).collect()
    }

    /// The hidden sums, and those of them for which no other value was found that fits all answers, given what is true.
    /// A value that is found fits for certain. Where none is found there may be one all the same, so what this calls
    /// told is at least what can be.
    pub fn told(&self, truth: &[i64]) -> (usize, Vec<BTreeSet<usize>>) {
        let hidden = self.hidden();
        let mut search = Search::new(self, truth);
        let told = hidden.iter().filter(|target| !search.finds_another_value(target)).cloned().collect();
        (hidden.len(), told)
    }
}

/// Looks for another world that would have given the same answers, by repairing the true one.
struct Search<'a> {
    truth: &'a [i64],
    sums: Vec<(Vec<usize>, i64, i64)>,
    /// For each cell the sums that it is in.
    of_cell: Vec<Vec<usize>>,
    /// Cells that are nought for certain.
    empty: Vec<bool>,
    chance: u64,
}

impl<'a> Search<'a> {
    fn new(puzzle: &Puzzle, truth: &'a [i64]) -> Self {
        let sums: Vec<_> =
            puzzle.sums.iter().map(|(cells, range)| (cells.iter().copied().collect(), range.0, range.1)).collect();
        let mut search =
            Self { truth, sums, of_cell: vec![Vec::new(); truth.len()], empty: vec![false; truth.len()], chance: 7 };
        for (number, (cells, least, most)) in search.sums.iter().enumerate() {
            let sum: i64 = cells.iter().map(|cell| truth[*cell]).sum();
            assert!((*least..=*most).contains(&sum), "an answer says {least} to {most}, and it is {sum}");
            for cell in cells {
                search.of_cell[*cell].push(number);
                search.empty[*cell] |= *most == 0;
            }
        }
        search
    }

    fn below(&mut self, bound: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance % bound as u64) as usize
    }

    fn finds_another_value(&mut self, target: &BTreeSet<usize>) -> bool {
        let is: i64 = target.iter().map(|cell| self.truth[*cell]).sum();
        let Some(at) = self.sums.iter().position(|(cells, ..)| cells.iter().copied().eq(target.iter().copied())) else {
            return true;
        };
        let (least, most) = (self.sums[at].1, self.sums[at].2);
        let mut others: Vec<i64> = (least..=most).filter(|value| *value != is).collect();
        others.sort_by_key(|value| (value - is).abs());
        let found = others.into_iter().any(|value| {
            (self.sums[at].1, self.sums[at].2) = (value, value);
            (0..4).any(|_| self.repairs())
        });
        (self.sums[at].1, self.sums[at].2) = (least, most);
        found
    }

    /// Whether the true world can be changed until every sum is in its range: one cell by one at a time, always one
    /// that a broken sum needs, and mostly the one that breaks the least elsewhere.
    fn repairs(&mut self) -> bool {
        let mut world = self.truth.to_vec();
        let mut sums: Vec<i64> =
            self.sums.iter().map(|(cells, ..)| cells.iter().map(|cell| world[*cell]).sum()).collect();
        let off = |sum: i64, range: &(Vec<usize>, i64, i64)| (range.1 - sum).max(sum - range.2).max(0);
        let mut broken: BTreeSet<usize> =
            (0..sums.len()).filter(|number| off(sums[*number], &self.sums[*number]) > 0).collect();
        let mut last = usize::MAX;
        for _ in 0..4_000 {
            if broken.is_empty() {
                return true;
            }
            let pick = self.below(broken.len());
            let number = *broken.iter().nth(pick).unwrap_or(&0);
            let step = if sums[number] < self.sums[number].1 { 1 } else { -1 };
            let can = |cell: &usize| *cell != last && !self.empty[*cell] && world[*cell] + step >= 0;
            let cells: Vec<usize> = self.sums[number].0.iter().copied().filter(can).collect();
            if cells.is_empty() {
                last = usize::MAX;
                continue;
            }
            let cost = |cell: usize| -> i64 {
                let sums_of = self.of_cell[cell].iter();
                sums_of.map(|at| off(sums[*at] + step, &self.sums[*at]) - off(sums[*at], &self.sums[*at])).sum()
            };
            let wild = self.chance.is_multiple_of(10);
            let start = if wild { 0 } else { (self.chance >> 20) as usize % cells.len() };
            let turned = cells.iter().cycle().skip(start).take(cells.len());
            let cell = if wild {
                cells[(self.chance >> 20) as usize % cells.len()]
            } else {
                turned.min_by_key(|cell| cost(**cell)).copied().unwrap_or(cells[0])
            };
            world[cell] += step;
            last = cell;
            for at in self.of_cell[cell].clone() {
                sums[at] += step;
                if off(sums[at], &self.sums[at]) > 0 {
                    broken.insert(at)
                } else {
                    broken.remove(&at)
                };
            }
        }
        false
    }
}
