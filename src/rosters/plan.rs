//! What a roster would do: every entry's outcome, and the rows to write.

use std::collections::{BTreeSet, HashMap};

use super::missing::Withdrawal;
use super::read::Form;
use super::types::{EntryOutcome, RosterCounts, RosterSessionCounts, RosterSkip};
use crate::db::{Id, Timestamp};
use crate::error::Fault;
use crate::partners::quotas::Growth;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::registers::headcounts::HeadcountChange;
use crate::sessions::series::store::{Extension, LeftOut, SeriesRow};
use crate::sessions::store::{Revision, SessionRow};
use crate::sessions::types::SessionStatus;
use crate::sessions::wordings::Wording;

/// The most faults that the answer to a refused roster lists.
pub const MOST_FAULTS: usize = 1_000;

/// What a roster would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The outcome of each entry, the pointers of its faults beginning at the entry.
    pub entries: Vec<EntryOutcome>,
    /// Entries by outcome.
    pub counts: RosterCounts,
    /// Sessions by what becomes of them.
    pub sessions: RosterSessionCounts,
    /// Sessions that aren't as the roster has them.
    pub skipped: Vec<RosterSkip>,
    /// Series to add.
    pub new_series: Vec<SeriesRow>,
    /// Series to write over the version before.
    pub changed_series: Vec<SeriesRow>,
    /// By how many bytes the texts of all of these become longer.
    pub series_text: i64,
    /// How far they have sessions, and will; to be taken before they are written.
    pub extensions: Vec<Extension>,
    /// Sessions that are another occurrence of their series now, to be written before sessions are added.
    pub rekeyed: Vec<(Id, OccurrenceKey)>,
    /// Of the series that are written, the occurrences that can't be made.
    pub left_out: HashMap<Id, Vec<LeftOut>>,
    /// Sessions to add.
    pub new_sessions: Vec<SessionRow>,
    /// Sessions that are known already and change.
    pub changed_sessions: Vec<Revision>,
    /// What new and changed sessions say.
    pub wordings: HashMap<Id, Wording>,
    /// Of the changed ones, those in which nobody may hold a seat.
    pub unbooked: Vec<Id>,
    /// Every venue that the entries name.
    pub venues: BTreeSet<Id>,
    /// Every space that the entries name.
    pub spaces: BTreeSet<Id>,
    /// Registers to take.
    pub headcounts: Vec<HeadcountChange>,
    /// What is called off since the roster no longer names it.
    pub withdrawal: Withdrawal,
}

impl Plan {
    /// The sessions that are written and say something. A session that is called off keeps what it says.
    pub fn listed(&self) -> impl Iterator<Item = &SessionRow> {
        let changed = self.changed_sessions.iter().map(|revision| &revision.to);
        self.new_sessions.iter().chain(changed.filter(|row| row.status == SessionStatus::Scheduled))
    }

    /// What it adds to what the partner has.
    pub fn growth(&self, now: Timestamp) -> Growth {
        let series = i64::try_from(self.new_series.len()).unwrap_or(i64::MAX);
        let growth = Growth { series, series_text: self.series_text, ..Growth::default() };
        growth.and_sessions(&self.new_sessions, &self.changed_sessions, self.wordings.values(), now)
    }

    /// The outcomes as an answer shows them: where each entry stands, and in JSON its faults from the body's root;
    /// then what was called off, which stands nowhere.
    pub fn shown(&self, form: Form) -> Vec<EntryOutcome> {
        let show = |(index, entry): (usize, &EntryOutcome)| {
            let mut entry = entry.clone();
            if form == Form::Json {
                let at = format!("/entries/{index}");
                for fault in &mut entry.errors.0 {
                    fault.pointer = Some(format!("{at}{}", fault.pointer.as_deref().unwrap_or_default()));
                }
                entry.pointer = Some(at);
            }
            // PostgreSQL keeps no NUL, and a member's name may hold one.
            for fault in &mut entry.errors.0 {
                fault.pointer = fault.pointer.take().map(|pointer| pointer.replace('\0', "\u{fffd}"));
            }
            entry
        };
        let withdrawn = self.withdrawal.entries.iter().cloned();
        self.entries.iter().enumerate().map(show).chain(withdrawn).collect()
    }

    /// The first of all faults, each from the body's root and in CSV and NDJSON with its line.
    pub fn faults(&self, most: usize) -> Vec<Fault> {
        let placed = self.entries.iter().enumerate().flat_map(|(index, entry)| {
            entry.errors.0.iter().map(move |fault| {
                let pointer = format!("/entries/{index}{}", fault.pointer.as_deref().unwrap_or_default());
                let detail = match entry.line {
                    Some(line) => format!("Line {line}: {}", fault.detail).into(),
                    None => fault.detail.clone(),
                };
                Fault::at(pointer, fault.code.clone(), detail)
            })
        });
        placed.take(most).collect()
    }
}
