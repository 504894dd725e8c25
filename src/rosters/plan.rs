//! What a roster would do: every entry's outcome, and the rows to write.

use std::collections::{BTreeSet, HashMap};

use super::check::{self, Statement};
use super::lookups::Lookups;
use super::read::{Form, RawEntry};
use super::stored::Stored;
use super::types::{EntryKind, EntryOutcome, Outcome, RosterCounts, RosterSessionCounts, RosterSkip, SkipReason};
use crate::db::{Id, LocalTime, Timestamp};
use crate::error::Fault;
use crate::http::context::Context;
use crate::sessions::recurrence::Occurrence;
use crate::sessions::series::reconcile::{self, Difference, Wanted};
use crate::sessions::series::store::SeriesRow;
use crate::sessions::series::types::SeriesInput;
use crate::sessions::store::SessionRow;
use crate::sessions::types::{SeriesStatus, SessionInput};

/// Most sessions that the entries of one roster may have together.
pub const MOST_SESSIONS: usize = 50_000;

/// A posting that has been read.
#[derive(Debug)]
pub struct Posting {
    /// Whose it is.
    pub partner_id: Id,
    /// How it was written.
    pub form: Form,
    /// Its entries.
    pub entries: Vec<RawEntry>,
}

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
    /// Sessions to add.
    pub new_sessions: Vec<SessionRow>,
    /// Sessions to write over the version before.
    pub changed_sessions: Vec<SessionRow>,
    /// Of the changed ones, those in which nobody may hold a seat.
    pub unbooked: Vec<Id>,
    /// The changed ones that are somewhere, or some time, else than before, as they are before.
    pub moved: HashMap<Id, SessionRow>,
    /// Every space that the entries name.
    pub spaces: BTreeSet<Id>,
}

/// Plans a roster over what there is.
pub fn plan(posting: &Posting, lookups: &Lookups, stored: &Stored, context: &Context) -> Plan {
    let mut planner = Planner { stored, context, now: context.now(), plan: Plan::default() };
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut sessions = 0;
    for (index, raw) in posting.entries.iter().enumerate() {
        let mut faults = planner.repeats(posting, index, &mut seen);
        faults.extend(planner.changed_type(raw));
        let statement = match check::check(raw, posting.partner_id, lookups) {
            Ok(statement) => {
                sessions += statement.sessions();
                Some(statement)
            }
            Err(wrong) => {
                faults.extend(wrong);
                None
            }
        };
        if sessions > MOST_SESSIONS && statement.is_some() {
            let detail = format!("The roster has more than {MOST_SESSIONS} sessions. Send it in parts.");
            faults.push(Fault::at("", "too_many_sessions", detail));
        }
        let (outcome, resource_id) = match statement.filter(|_| faults.is_empty()) {
            Some(statement) => planner.entry(statement),
            None => (Outcome::Rejected, None),
        };
        planner.record(raw, outcome, resource_id, faults);
    }
    planner.plan
}

struct Planner<'a> {
    stored: &'a Stored,
    context: &'a Context,
    now: Timestamp,
    plan: Plan,
}

impl Planner<'_> {
    /// An `external_id` that an entry before has used.
    fn repeats<'a>(&self, posting: &'a Posting, index: usize, seen: &mut HashMap<&'a str, usize>) -> Vec<Fault> {
        let Some(external_id) = posting.entries.get(index).and_then(check::external_id) else { return Vec::new() };
        let first = *seen.entry(external_id).or_insert(index);
        if first == index {
            return Vec::new();
        }
        let place = match posting.entries.get(first).and_then(|entry| entry.line) {
            Some(line) => format!("on line {line}"),
            None => format!("in entry {first}"),
        };
        vec![Fault::at("/external_id", "repeated", format!("Stands {place} already."))]
    }

    /// What is a series in one roster can't be a session in the next.
    fn changed_type(&self, raw: &RawEntry) -> Option<Fault> {
        let external_id = check::external_id(raw)?;
        let was = match check::kind(raw) {
            EntryKind::Session => self.stored.series.get(external_id).map(|_| "series"),
            EntryKind::Series => self.stored.singles.get(external_id).map(|_| "session"),
        }?;
        let detail = format!("This external_id is a {was} already. Use another for something else.");
        Some(Fault::at("/type", "changed_type", detail))
    }

    fn entry(&mut self, statement: Statement) -> (Outcome, Option<Id>) {
        self.plan.spaces.extend(statement.space_id());
        let stored = self.stored;
        match statement {
            Statement::Series(written, occurrences) => {
                match stored.series.get(written.external_id.as_deref().unwrap_or_default()) {
                    Some(held) => self.known_series(held, *written, &occurrences),
                    None => self.new_series(*written, &occurrences),
                }
            }
            Statement::Session(written) => {
                match stored.singles.get(written.external_id.as_deref().unwrap_or_default()) {
                    Some(held) => self.known_session(held, *written),
                    None => self.new_session(*written),
                }
            }
        }
    }

    fn new_series(&mut self, written: SeriesInput, occurrences: &[Occurrence]) -> (Outcome, Option<Id>) {
        let row = SeriesRow::new(self.context.new_id(), written, self.now);
        let sessions = occurrences
            .iter()
            .map(|occurrence| SessionRow::of_series(&row, occurrence, self.context.new_id(), self.now));
        self.plan.sessions.created += occurrences.len() as u32;
        self.plan.new_sessions.extend(sessions);
        let id = row.id;
        self.plan.new_series.push(row);
        (Outcome::Created, Some(id))
    }

    fn known_series(
        &mut self,
        held: &SeriesRow,
        written: SeriesInput,
        occurrences: &[Occurrence],
    ) -> (Outcome, Option<Id>) {
        let (next, changed) = reconcile::restated(held, SeriesRow::new(held.id, written, self.now), self.now);
        let external_id = held.external_id.clone().unwrap_or_default();
        if held.status == SeriesStatus::Cancelled {
            if changed {
                self.skip(&external_id, held.local_start, SkipReason::Cancelled);
            }
            return (Outcome::Unchanged, Some(held.id));
        }
        let sessions = self.stored.sessions.get(&held.id).map(Vec::as_slice).unwrap_or_default();
        // What was split off is another series' now, whatever is still stated here.
        let own = occurrences.iter().filter(|o| held.ends_before.is_none_or(|cut| o.local_start < cut.0));
        let own: Vec<Occurrence> = own.copied().collect();
        let left = "It is no longer in the partner's roster.";
        let wanted = Wanted { series: &next, occurrences: &own, changed, left };
        let difference = reconcile::series(wanted, sessions, self.now, || self.context.new_id());
        let outcome = if changed || !difference.is_empty() { Outcome::Updated } else { Outcome::Unchanged };
        if changed {
            self.plan.changed_series.push(next);
        }
        self.take(&external_id, difference);
        (outcome, Some(held.id))
    }

    fn new_session(&mut self, written: SessionInput) -> (Outcome, Option<Id>) {
        // Its times have been checked.
        let Ok(row) = SessionRow::single(self.context.new_id(), written, self.now) else {
            return (Outcome::Rejected, None);
        };
        let id = row.id;
        self.plan.sessions.created += 1;
        self.plan.new_sessions.push(row);
        (Outcome::Created, Some(id))
    }

    fn known_session(&mut self, held: &SessionRow, written: SessionInput) -> (Outcome, Option<Id>) {
        let external_id = held.external_id.clone().unwrap_or_default();
        let Ok(wanted) = SessionRow::single(held.id, written, self.now) else {
            return (Outcome::Rejected, None);
        };
        let difference = reconcile::single(wanted, held, self.now);
        let outcome = if difference.is_empty() { Outcome::Unchanged } else { Outcome::Updated };
        self.take(&external_id, difference);
        (outcome, Some(held.id))
    }

    fn take(&mut self, external_id: &str, difference: Difference) {
        self.plan.sessions.created += difference.create.len() as u32;
        self.plan.sessions.updated += difference.update.len() as u32;
        self.plan.sessions.cancelled += difference.cancel.len() as u32;
        self.plan.new_sessions.extend(difference.create);
        self.plan.changed_sessions.extend(difference.update);
        self.plan.changed_sessions.extend(difference.cancel);
        self.plan.unbooked.extend(difference.unbooked);
        for (local_start, reason) in difference.skipped {
            self.skip(external_id, local_start, reason);
        }
    }

    fn skip(&mut self, external_id: &str, local_start: LocalTime, reason: SkipReason) {
        self.plan.skipped.push(RosterSkip { external_id: external_id.to_owned(), local_start, reason });
    }

    fn record(&mut self, raw: &RawEntry, outcome: Outcome, resource_id: Option<Id>, errors: Vec<Fault>) {
        self.plan.counts.add(outcome);
        self.plan.entries.push(EntryOutcome {
            external_id: check::external_id(raw).map(str::to_owned),
            line: raw.line,
            pointer: None,
            outcome,
            resource_id,
            errors,
        });
    }
}

impl Plan {
    /// The outcomes as an answer shows them: where each entry stands, and in JSON its faults from the body's root.
    pub fn shown(&self, form: Form) -> Vec<EntryOutcome> {
        let show = |(index, entry): (usize, &EntryOutcome)| {
            let mut entry = entry.clone();
            if form == Form::Json {
                let at = format!("/entries/{index}");
                for fault in &mut entry.errors {
                    fault.pointer = Some(format!("{at}{}", fault.pointer.as_deref().unwrap_or_default()));
                }
                entry.pointer = Some(at);
            }
            // PostgreSQL keeps no NUL, and a member's name may hold one.
            for fault in &mut entry.errors {
                fault.pointer = fault.pointer.take().map(|pointer| pointer.replace('\0', "\u{fffd}"));
            }
            entry
        };
        self.entries.iter().enumerate().map(show).collect()
    }

    /// The first of all faults, each from the body's root and in CSV and NDJSON with its line.
    pub fn faults(&self, most: usize) -> Vec<Fault> {
        let placed = self.entries.iter().enumerate().flat_map(|(index, entry)| {
            entry.errors.iter().map(move |fault| {
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
