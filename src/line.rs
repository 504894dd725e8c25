//! A line in which owners take turns.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use crate::clock::Id;
use crate::text::network::Network;

/// Whose share of the server's work something takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The service itself.
    Service,
    /// A partner, or an account without one.
    Caller(Id),
    /// Everybody in a network who has no token.
    Network(Network),
}

/// What waits, by owner. The next thing of an owner comes after one of each other owner, however many things an owner has
/// brought. The things of one owner stay in their order.
#[derive(Debug)]
pub struct Line<K, T> {
    waiting: BTreeMap<K, VecDeque<T>>,
    /// The owner who had the turn last.
    last: Option<K>,
    count: usize,
}

impl<K, T> Default for Line<K, T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), last: None, count: 0 }
    }
}

impl<K: Ord + Copy, T> Line<K, T> {
    /// Adds a thing behind the others of its owner.
    pub fn push_back(&mut self, owner: K, thing: T) {
        self.waiting.entry(owner).or_default().push_back(thing);
        self.count += 1;
    }

    /// Adds a thing before the others of its owner.
    pub fn push_front(&mut self, owner: K, thing: T) {
        self.waiting.entry(owner).or_default().push_front(thing);
        self.count += 1;
    }

    /// Takes out the first thing of the owner whose turn it is.
    pub fn take_next(&mut self) -> Option<T> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.waiting.range((after, Bound::Unbounded)).next().or_else(|| self.waiting.first_key_value());
        let owner = *next?.0;
        self.last = Some(owner);
        let queue = self.waiting.get_mut(&owner)?;
        let first = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&owner);
        }
        self.count -= usize::from(first.is_some());
        first
    }

    /// An owner had a turn without having waited.
    pub fn was_served(&mut self, owner: K) {
        self.last = Some(owner);
    }

    /// Takes out what an owner has given up, and returns how many things of it are left.
    pub fn keep_of(&mut self, owner: K, is_wanted: impl Fn(&T) -> bool) -> usize {
        let Some(queue) = self.waiting.get_mut(&owner) else { return 0 };
        let before = queue.len();
        queue.retain(is_wanted);
        let left = queue.len();
        self.count -= before - left;
        if left == 0 {
            self.waiting.remove(&owner);
        }
        left
    }

    /// How many things of an owner wait.
    pub fn count_of(&self, owner: K) -> usize {
        self.waiting.get(&owner).map_or(0, VecDeque::len)
    }

    /// How many things wait.
    pub fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emptied(line: &mut Line<u8, u8>) -> Vec<u8> {
        std::iter::from_fn(|| line.take_next()).collect()
    }

    #[test]
    fn owners_take_turns_however_much_one_has_brought() {
        let mut line = Line::default();
        line.was_served(1);
        for (owner, thing) in [(1, 10), (1, 11), (1, 12), (2, 20), (3, 30), (2, 21)] {
            line.push_back(owner, thing);
        }
        line.push_front(2, 19);
        assert_eq!((line.count(), line.count_of(2)), (6 + 1, 3));
        assert_eq!(line.keep_of(1, |thing| *thing != 11), 2);
        assert_eq!(emptied(&mut line), [19, 30, 10, 20, 12, 21]);
        assert_eq!((line.count(), line.count_of(2)), (0, 0));
    }
}
