//! How much work one posting may be.
//!
//! Everything that an entry costs is counted, whether the entry is right or wrong: else a posting of 32,000 wrong ones
//! would keep the partners after it waiting. What is spent ends the posting.

use std::collections::HashSet;

use crate::error::Fault;
use crate::sessions::listings::{self, Listing};
use crate::sessions::recurrence::Work;
use crate::sessions::store::SessionRow;
use crate::sessions::wordings::Wording;

/// The days that all recurrences of a roster may look at: 32,000 sessions of monthly rules take a tenth.
const MOST_DAYS: u32 = 10_000_000;
/// The faults that are looked for. One in each of the most entries, and some.
const MOST_FAULTS: usize = 60_000;
/// The words by which the sessions of a roster are found, those of each text once for each slot of the week.
const MOST_WORDS: usize = 300_000;

/// What is left of the work of one posting.
#[derive(Debug)]
pub struct Budget {
    /// The days at which recurrences may still look.
    pub days: Work,
    faults: usize,
    words: usize,
    listings: HashSet<Listing>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { days: Work::of(MOST_DAYS), faults: 0, words: 0, listings: HashSet::new() }
    }
}

impl Budget {
    /// Counts the faults of an entry.
    pub fn count_faults(&mut self, faults: usize) {
        self.faults += faults;
    }

    /// Counts a session that is to be written.
    pub fn count_session(&mut self, row: &SessionRow, wording: &Wording) {
        if self.words <= MOST_WORDS && self.listings.insert((row.wording_id, row.slot)) {
            self.words += listings::count_words(wording, row);
        }
    }

    /// What is spent, if anything is.
    pub fn spent(&self) -> Option<Fault> {
        let spent = |code: &'static str, what: String| {
            Some(Fault::at("", code, format!("Up to here, the roster has more than {what}. Send it in parts.")))
        };
        if self.days.is_over() {
            return spent("too_many_days", format!("{MOST_DAYS} days that its recurrences look at"));
        }
        if self.faults > MOST_FAULTS {
            return spent("too_many_faults", format!("{MOST_FAULTS} faults. Correct these first"));
        }
        if self.words > MOST_WORDS {
            return spent("too_many_words", format!("{MOST_WORDS} words by which its sessions are found"));
        }
        None
    }
}
