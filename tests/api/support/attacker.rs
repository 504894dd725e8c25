//! Somebody who knows how counts are rounded, has every answer, and solves all of them together.

use std::collections::{BTreeMap, BTreeSet};

use microlp::{ComparisonOp, Error, OptimizationDirection, Problem, SolveOutcome, Variable};

/// More than a single cell holds in any world that a test makes.
const MOST: i32 = 1_000;

/// What an answer says of the count behind it: the least and the most it can be.
pub fn range_of(answer: Option<i64>) -> (i64, i64) {
    match answer {
        None => (1, 7),
        Some(0) => (0, 0),
        Some(shown) => ((shown - 2).max(8), shown + 2),
    }
}

fn sum(cells: &BTreeSet<usize>, world: &[i64]) -> i64 {
    cells.iter().map(|cell| world[*cell]).sum()
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

    /// How many counts are hidden, which are those of 1 to 7, and which of them are told. A count is told where it has
    /// one value in all worlds that would have given the same answers. Whether there is another is an integer program,
    /// and it is solved exactly.
    pub fn told(&self, truth: &[i64]) -> (usize, Vec<BTreeSet<usize>>) {
        assert!(self.fits(truth), "an answer isn't what the world holds");
        let hidden = self.sums.iter().filter(|(_, range)| **range == (1, 7)).map(|(cells, _)| cells);
        let hidden: Vec<&BTreeSet<usize>> = hidden.collect();
        // One other world shows of many counts at once that they can be something else.
        let mut open: BTreeSet<&BTreeSet<usize>> = hidden.iter().copied().collect();
        let mut told = Vec::new();
        while let Some(target) = open.pop_first() {
            match self.other_world(target, truth) {
                Some(other) => open.retain(|cells| sum(cells, &other) == sum(cells, truth)),
                None => told.push(target.clone()),
            }
        }
        (hidden.len(), told)
    }

    fn fits(&self, world: &[i64]) -> bool {
        self.sums.iter().all(|(cells, (least, most))| (*least..=*most).contains(&sum(cells, world)))
    }

    /// A world that would have given the same answers, and in which this hidden count is another.
    fn other_world(&self, target: &BTreeSet<usize>, truth: &[i64]) -> Option<Vec<i64>> {
        let is = sum(target, truth);
        let less = (is > 1).then(|| self.world(target, OptimizationDirection::Minimize, (1, is - 1), truth.len()));
        let more = || self.world(target, OptimizationDirection::Maximize, (is + 1, 7), truth.len());
        less.flatten().or_else(|| if is < 7 { more() } else { None })
    }

    /// A world of `size` cells that would have given the same answers, and in which this count is in this range.
    fn world(
        &self,
        target: &BTreeSet<usize>,
        direction: OptimizationDirection,
        range: (i64, i64),
        size: usize,
    ) -> Option<Vec<i64>> {
        let mut problem = Problem::new(direction);
        let weight = |cell| if target.contains(&cell) { 1.0 } else { 0.0 };
        let cells: Vec<Variable> = (0..size).map(|cell| problem.add_integer_var(weight(cell), (0, MOST))).collect();
        for (summands, known) in self.sums.iter().filter(|(summands, _)| !summands.is_empty()) {
            let (least, most) = if summands == target { range } else { *known };
            let terms: Vec<(Variable, f64)> = summands.iter().map(|cell| (cells[*cell], 1.0)).collect();
            problem.add_constraint(&terms, ComparisonOp::Ge, least as f64);
            problem.add_constraint(&terms, ComparisonOp::Le, most as f64);
        }
        match problem.solve() {
            Ok(SolveOutcome::Solution(found)) => {
                let world: Vec<i64> = cells.iter().map(|cell| found.var_value(*cell).round() as i64).collect();
                assert!(self.fits(&world), "the solver's world would have given other answers");
                Some(world)
            }
            Err(Error::Infeasible) => None,
            other => panic!("the solver gave up: {other:?}"),
        }
    }
}
