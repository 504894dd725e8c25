//! How much work a recurrence may be.
//!
//! A rule can look at many days and find nothing, such as every 30 February. So the days are counted, not the
//! occurrences.

use std::cell::Cell;

use super::RecurrenceError;

/// The most days that a recurrence may look at when it is stated: more than a hundred years of single days.
pub const MAX_DAYS: u32 = 40_000;

/// The days that recurrences may still look at, together.
#[derive(Debug)]
pub struct Work {
    left: Cell<u32>,
    spent: Cell<u32>,
    over: Cell<bool>,
}

impl Work {
    /// So many days.
    pub fn of(days: u32) -> Self {
        Self { left: Cell::new(days), spent: Cell::new(0), over: Cell::new(false) }
    }

    /// What a recurrence may look at when it is stated.
    pub fn of_one() -> Self {
        Self::of(MAX_DAYS)
    }

    /// For a series that is kept, which was bounded when it was stated. The years in which an occurrence may lie are the
    /// bound.
    pub fn of_kept() -> Self {
        Self::of(u32::MAX)
    }

    /// A part of this work: at most so many days. Give it [back](Work::take) when it is done.
    pub fn part(&self, days: u32) -> Self {
        Self::of(days.min(self.left.get()))
    }

    /// Counts what was done in a part.
    pub fn take(&self, part: &Self) {
        self.look_at(part.spent.get());
    }

    /// Whether more days were wanted than there were.
    pub fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Counts days that are looked at now. Whether there were as many left.
    pub(super) fn look_at(&self, days: u32) -> bool {
        let left = self.left.get().checked_sub(days);
        self.over.set(self.over.get() || left.is_none());
        self.left.set(left.unwrap_or_default());
        self.spent.set(self.spent.get().saturating_add(days));
        left.is_some()
    }

    /// Checks that there were days enough.
    ///
    /// # Errors
    /// [`RecurrenceError::TooManyDays`] if there weren't.
    pub(super) fn check(&self) -> Result<(), RecurrenceError> {
        if self.is_over() { Err(RecurrenceError::TooManyDays) } else { Ok(()) }
    }
}
