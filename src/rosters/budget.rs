//! How much work one posting may be.
//!
//! Everything that an entry costs is counted, whether the entry is right or wrong: else a posting of 32,000 wrong ones
//! would keep the partners after it waiting. What is spent ends the posting.

use std::collections::HashSet;

use crate::error::Fault;
use crate::sessions::listings::{self, Listing};
use crate::sessions::recurrence::Work;
use crate::sessions::store::{Revision, SessionRow};
use crate::sessions::types::SessionStatus;
use crate::sessions::wordings::Wording;

/// The days that all recurrences of a roster may look at: 32,000 sessions of monthly rules take a tenth.
const MOST_DAYS: u32 = 10_000_000;
/// The faults that are looked for. One in each of the most entries, and some.
const MOST_FAULTS: usize = 60_000;
/// The words by which the sessions of a roster are found, those of each text once for each slot of the week.
const MOST_WORDS: usize = 300_000;

/// Most sessions that one roster may write, in the one transaction that applies it. On SQLite everybody's writes wait for
/// that transaction. It takes about a second for so many new sessions, or for as many with another title.
const MOST_WRITES: usize = 32_000;
/// A cancelled session counts as so many. It has a free seat no longer, so its entries in five
/// indexes are written again.
const CANCELLED: usize = 2;
/// A moved session counts as so many. Its entries in nearly all indexes of sessions are written again.
const MOVED: usize = 4;

/// What is left of the work of one posting.
#[derive(Debug)]
pub struct Budget {
    /// The days at which recurrences may still look.
    pub days: Work,
    faults: usize,
    writes: usize,
    words: usize,
    listings: HashSet<Listing>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { days: Work::of(MOST_DAYS), faults: 0, writes: 0, words: 0, listings: HashSet::new() }
    }
}

impl Budget {
    /// Counts the faults of an entry.
    pub fn count_faults(&mut self, faults: usize) {
        self.faults += faults;
    }

    /// Counts a session that is to be added.
    pub fn count_new(&mut self, row: &SessionRow, wording: &Wording) {
        self.writes += 1;
        self.count_words(row, wording);
    }

    /// Counts a session that is to be changed, and what it will say.
    pub fn count_changed(&mut self, revision: &Revision, wording: &Wording) {
        self.writes += weight(revision);
        self.count_words(&revision.to, wording);
    }

    /// Counts sessions that are to be cancelled.
    pub fn count_cancelled(&mut self, sessions: usize) {
        self.writes += sessions * CANCELLED;
    }

    /// Counts sessions that only get another key.
    pub fn count_rekeyed(&mut self, sessions: usize) {
        self.writes += sessions;
    }

    fn count_words(&mut self, row: &SessionRow, wording: &Wording) {
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
        if self.writes > MOST_WRITES {
            return spent("too_many_changes", most_writes());
        }
        if self.words > MOST_WORDS {
            return spent("too_many_words", format!("{MOST_WORDS} words by which its sessions are found"));
        }
        None
    }

    /// The same, after the sessions that the roster doesn't name were counted as cancelled.
    pub fn spent_on_missing(&self, sessions: usize) -> Option<Fault> {
        let detail = format!(
            "The roster doesn't name {sessions} sessions, and would cancel them. With these it has more than {}. Name some \
             of them, so that they stay for now, and leave them out of the next roster.",
            most_writes()
        );
        (self.writes > MOST_WRITES).then(|| Fault::at("", "too_many_changes", detail))
    }
}

/// How much a change of a session is to write, counted in new sessions.
fn weight(Revision { from, to }: &Revision) -> usize {
    let when = |row: &SessionRow| (row.starts_at, row.ends_at);
    let place = |row: &SessionRow| (row.venue_id, row.space_id);
    let is_moved = when(from) != when(to) || place(from) != place(to) || from.publication != to.publication;
    match from.status == SessionStatus::Cancelled || to.status == SessionStatus::Cancelled {
        _ if is_moved => MOVED,
        true => CANCELLED,
        false => 1,
    }
}

fn most_writes() -> String {
    format!("{MOST_WRITES} sessions to write, where a cancelled one counts as two and a moved one as four")
}
