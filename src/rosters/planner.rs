//! From a posting to its [`Plan`], some entries at a time: each checked, and compared with what is stored of it.

use super::body::Posting;
use super::budget::Budget;
use super::check::{self, Statement};
use super::current::{Hold, Known, SERIES_AT_ONCE, Stored};
use super::extent::Extent;
use super::lookups::Lookups;
use super::missing::{self, Absent, Withdrawal};
use super::plan::{MOST_FAULTS, Plan};
use super::read::{RawEntry, Sheet};
use super::types::{EntryKind, EntryOutcome, Missing, Outcome, RosterSkip, SkipReason};
use crate::db::{Conn, Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Fault, Result};
use crate::http::context::Context;
use crate::partners::quotas::Growth;
use crate::sessions::bookings::expired_offers::RunOut;
use crate::sessions::recurrence::{Expansion, RecurrenceError};
use crate::sessions::registers::headcounts::{HeadcountChange, HeldHeadcount};
use crate::sessions::registers::types::Headcount;
use crate::sessions::series::reconcile::{self, Difference, Wanted};
use crate::sessions::series::rules;
use crate::sessions::series::store::SeriesRow;
use crate::sessions::series::types::{SeriesInput, Skipped};
use crate::sessions::store::SessionRow;
use crate::sessions::types::{SeriesStatus, SessionInput, SessionStatus};
use crate::sessions::wordings::Wording;

/// Most sessions that the entries of one roster may have together: a year of 600 weekly groups has 31,200. How many of
/// them may be written is counted apart: see [`Budget`].
pub const MOST_SESSIONS: usize = 32_000;

/// Once so many faults of a roster are kept, each further wrong entry keeps only its first. Nobody reads more. Otherwise
/// 32,000 entries with a hundred faults each would keep three million.
const MOST_KEPT: usize = 20_000;

/// Entries that are planned at a time.
const ENTRIES_AT_ONCE: usize = 500;
/// How long they can be together, in bytes, before they are planned: a list of small numbers takes twenty times as much in
/// memory.
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// Plans a roster over what there is.
///
/// # Errors
/// 422 if the roster is more work than its [`Budget`]; the database's, and those of [`Posting::each`].
pub fn plan(conn: &mut Conn, posting: &Posting, lookups: &Lookups, context: &Context, hold: Hold) -> Result<Plan> {
    let (now, known) = (context.now(), Known::load(conn, posting, hold)?);
    // Once they are held: else an offer may be passed on before its session is read.
    let run_out = RunOut::load(conn, now)?;
    let mut planner = Planner {
        posting,
        lookups,
        known,
        run_out,
        context,
        now,
        sessions: 0,
        budget: Budget::default(),
        kept: 0,
        next: Batch::default(),
        plan: Plan::default(),
    };
    let mut taken = Ok(());
    posting.each(|index, raw| {
        if taken.is_ok() {
            taken = planner.gather(conn, index, raw);
        }
    })?;
    taken?;
    planner.take_batch(conn)?;
    if posting.manner.missing == Missing::Cancel && posting.names_all() {
        planner.withdraw(missing::plan(&Absent::load(conn, posting, now, hold)?, now))?;
    }
    Ok(planner.plan)
}

struct Planner<'a> {
    posting: &'a Posting,
    lookups: &'a Lookups,
    known: Known,
    run_out: RunOut,
    context: &'a Context,
    now: Timestamp,
    /// How many sessions the entries so far have together.
    sessions: usize,
    /// The work that is left.
    budget: Budget,
    /// How many faults are kept so far.
    kept: usize,
    /// The entries that are planned next.
    next: Batch,
    plan: Plan,
}

/// Some entries, and what they are already.
#[derive(Default)]
struct Batch {
    entries: Vec<(usize, RawEntry)>,
    series: Vec<Id>,
    singles: Vec<Id>,
    bytes: usize,
}

/// What became of an entry and what it is, or everything that is wrong with it.
type Planned = Result<(Outcome, Option<Id>), Vec<Fault>>;

impl Planner<'_> {
    /// Takes an entry in, and plans those that have been taken in once they are many.
    fn gather(&mut self, conn: &mut Conn, index: usize, raw: RawEntry) -> Result<()> {
        self.next.series.extend(self.known.series(index));
        self.next.singles.extend(self.known.single(index));
        self.next.bytes += raw.length();
        self.next.entries.push((index, raw));
        let next = &self.next;
        let room = next.bytes < BYTES_AT_ONCE && next.entries.len() < ENTRIES_AT_ONCE;
        if room && next.series.len() < SERIES_AT_ONCE { Ok(()) } else { self.take_batch(conn) }
    }

    fn take_batch(&mut self, conn: &mut Conn) -> Result<()> {
        let Batch { entries, series, singles, .. } = std::mem::take(&mut self.next);
        let stored = Stored::load(conn, &series, &singles, &self.run_out)?;
        for (index, raw) in entries {
            self.take_entry(index, raw, &stored)?;
        }
        Ok(())
    }

    fn take_entry(&mut self, index: usize, raw: RawEntry, stored: &Stored) -> Result<()> {
        let (external_id, line, sheet) = (check::external_id(&raw).map(str::to_owned), raw.line, raw.sheet);
        let mut faults: Vec<Fault> = self.repeats(index, external_id.as_deref()).into_iter().collect();
        faults.extend(self.changed_type(&raw));
        // Once there are too many, nothing is expanded any more: the work stays bounded.
        let statement = if self.sessions > MOST_SESSIONS {
            Err(Vec::new())
        } else {
            let extent = Extent::of(self.known.series(index), stored, self.context);
            let held = self.space_held(index, stored);
            check::check(raw, self.posting.partner_id, self.lookups, (extent, held), &self.budget.days)
        };
        self.sessions += statement.as_ref().map_or(0, Statement::sessions);
        if self.sessions > MOST_SESSIONS {
            let detail = format!("The roster has more than {MOST_SESSIONS} sessions. Send it in parts.");
            faults.push(Fault::at("", "too_many_sessions", detail));
        }
        let planned = match statement {
            Ok(statement) if faults.is_empty() => self.entry(index, statement, stored),
            Ok(_) => Err(faults),
            Err(wrong) => {
                faults.extend(wrong);
                Err(faults)
            }
        };
        self.budget.count_faults(planned.as_ref().err().map_or(0, Vec::len));
        self.record(external_id, (line, sheet), planned);
        self.budget.spent().map_or(Ok(()), |spent| Err(self.refusal(index, line, spent)))
    }

    /// Takes what the roster no longer names.
    fn withdraw(&mut self, withdrawal: Withdrawal) -> Result<()> {
        self.budget.count_cancelled(withdrawal.sessions.len());
        if let Some(spent) = self.budget.spent_on_missing(withdrawal.sessions.len()) {
            return Err(Error::invalid([spent].into_iter().chain(self.plan.faults(MOST_FAULTS - 1)).collect()));
        }
        self.plan.counts.cancelled += withdrawal.entries.len() as u32;
        self.plan.sessions.cancelled += withdrawal.sessions.len() as u32;
        self.plan.skipped.extend(withdrawal.skipped.iter().cloned());
        self.plan.withdrawal = withdrawal;
        Ok(())
    }

    /// The space that an entry's series or session holds already.
    fn space_held(&self, index: usize, stored: &Stored) -> Option<Id> {
        let series = self.known.series(index).and_then(|id| stored.series.get(&id)?.space_held());
        series.or_else(|| self.known.single(index).and_then(|id| stored.singles.get(&id)?.space_held()))
    }

    /// The refusal of a roster that is too much work, with the faults that were found until then.
    fn refusal(&self, index: usize, line: Option<i32>, spent: Fault) -> Error {
        let detail = line.map_or(spent.detail.to_string(), |line| format!("Line {line}: {}", spent.detail));
        let spent = Fault::at(format!("/entries/{index}"), spent.code, detail);
        Error::invalid([spent].into_iter().chain(self.plan.faults(MOST_FAULTS - 1)).collect())
    }

    /// An `external_id` that an entry before has used.
    fn repeats(&self, index: usize, external_id: Option<&str>) -> Option<Fault> {
        let first = self.posting.place(external_id?).filter(|first| first.index != index)?;
        let place = match first.line {
            Some(line) => format!("on line {line}"),
            None => format!("in entry {}", first.index),
        };
        Some(Fault::at("/external_id", "repeated", format!("Stands {place} already.")))
    }

    /// What is a series in one roster can't be a session in the next.
    fn changed_type(&self, raw: &RawEntry) -> Option<Fault> {
        let index = self.posting.place(check::external_id(raw)?)?.index;
        let was = match check::kind(raw) {
            EntryKind::Session => self.known.series(index).map(|_| "series"),
            EntryKind::Series => self.known.single(index).map(|_| "session"),
        }?;
        let detail = format!("This external_id is a {was} already. Use another for something else.");
        Some(Fault::at("/type", "changed_type", detail))
    }

    fn entry(&mut self, index: usize, statement: Statement, stored: &Stored) -> Planned {
        self.plan.venues.extend(statement.venue_id());
        self.plan.spaces.extend(statement.space_id());
        match statement {
            Statement::Series(written, times) => match self.known.series(index).and_then(|id| stored.series.get(&id)) {
                Some(held) => self.known_series(held, *written, &times, stored),
                None => self.new_series(*written, &times),
            },
            Statement::Session(written, headcount) => {
                match self.known.single(index).and_then(|id| stored.singles.get(&id)) {
                    Some(held) => self.known_session(held, *written, headcount, stored),
                    None => self.new_session(*written, headcount),
                }
            }
        }
    }

    fn new_series(&mut self, written: SeriesInput, times: &Expansion) -> Planned {
        let row = SeriesRow::new(self.context.new_id(), written, self.now);
        let row = SeriesRow { expanded_until: times.until, ..row };
        let (wording, now) = (Wording::from(&row), self.now);
        let (wording_id, new_id) = (wording.id(), || self.context.new_id());
        let new = |occurrence| SessionRow::of_series(&row, wording_id, occurrence, new_id(), now);
        let sessions: Vec<SessionRow> = times.occurrences.iter().map(new).collect();
        sessions.iter().for_each(|row| self.budget.count_new(row, &wording));
        self.plan.new_sessions.extend(sessions);
        self.plan.sessions.created += times.occurrences.len() as u32;
        self.plan.wordings.insert(wording.id(), wording);
        for excluded in rules::idle_exclusions(&row, &self.budget.days).map_err(faults)? {
            self.skip(row.external_id.as_deref().unwrap_or_default(), excluded, SkipReason::NotAnOccurrence);
        }
        let id = row.id;
        self.plan.series_text += Growth::of_series(&row).series_text;
        self.plan.new_series.push(row);
        Ok((Outcome::Created, Some(id)))
    }

    fn known_series(&mut self, held: &SeriesRow, written: SeriesInput, times: &Expansion, stored: &Stored) -> Planned {
        let stated = SeriesRow { expanded_until: times.until, ..SeriesRow::new(held.id, written, self.now) };
        let (next, changed) = reconcile::restated(held, stated, self.now);
        let external_id = held.external_id.clone().unwrap_or_default();
        if next.status == SeriesStatus::Cancelled {
            // Said each time: there is no way back, and a partner who named it again must know that it is off.
            self.skip(&external_id, held.activity.local_start, SkipReason::Cancelled);
            return Ok((Outcome::Unchanged, Some(held.id)));
        }
        let sessions = stored.sessions.get(&held.id).map(Vec::as_slice).unwrap_or_default();
        let left = "It is no longer in the partner's roster.";
        let (occurrences, work) = (&times.occurrences, &self.budget.days);
        let wanted = Wanted { series: &next, before: held, occurrences, changed, left, work };
        let difference = reconcile::series(wanted, sessions, self.now, || self.context.new_id()).map_err(faults)?;
        let outcome = if changed || !difference.is_empty() { Outcome::Updated } else { Outcome::Unchanged };
        self.take(&external_id, difference, || Wording::from(&next));
        if changed {
            self.plan.extensions.push(held.extension(next.expanded_until));
            self.plan.series_text += Growth::of_changed_series(&next, held).series_text;
            self.plan.changed_series.push(next);
        }
        Ok((outcome, Some(held.id)))
    }

    fn new_session(&mut self, written: SessionInput, headcount: Option<Headcount>) -> Planned {
        let wording = Wording::from(&written);
        let row = single(self.context.new_id(), written, self.now)?;
        let register = self.register(&row, headcount, None)?;
        let id = row.id;
        self.plan.sessions.created += 1;
        self.budget.count_new(&row, &wording);
        self.plan.new_sessions.push(row);
        self.plan.wordings.insert(wording.id(), wording);
        self.plan.headcounts.extend(register);
        Ok((Outcome::Created, Some(id)))
    }

    fn known_session(
        &mut self,
        held: &SessionRow,
        written: SessionInput,
        headcount: Option<Headcount>,
        stored: &Stored,
    ) -> Planned {
        let (external_id, wording) = (held.external_id.clone().unwrap_or_default(), Wording::from(&written));
        let difference = reconcile::single(single(held.id, written, self.now)?, held, self.now);
        // The register is that of the session as it will stand, whatever the entry says of its time.
        let standing = difference.update.first().map_or(held, |revision| &revision.to);
        let register = self.register(standing, headcount, stored.headcounts.get(&held.id))?;
        let same = difference.is_empty() && register.is_none();
        self.take(&external_id, difference, || wording);
        self.plan.headcounts.extend(register);
        Ok((if same { Outcome::Unchanged } else { Outcome::Updated }, Some(held.id)))
    }

    /// The register to take, where its headcount is another than the one that is known.
    fn register(
        &self,
        session: &SessionRow,
        stated: Option<Headcount>,
        held: Option<&HeldHeadcount>,
    ) -> Result<Option<HeadcountChange>, Vec<Fault>> {
        let Some(headcount) = stated else { return Ok(None) };
        let wrong = |code: &'static str, detail: String| Err(vec![Fault::at("/register", code, detail)]);
        if session.status == SessionStatus::Cancelled {
            return wrong("cancelled", "The session is cancelled: it has no register.".to_owned());
        }
        if session.starts_at > self.now {
            let detail = format!("The session starts at {}. Send its register after that.", session.starts_at);
            return wrong("not_started", detail);
        }
        let change = HeadcountChange { session_id: session.id, headcount, before: held.map(|held| held.version) };
        Ok(held.is_none_or(|held| held.headcount != headcount).then_some(change))
    }

    /// Takes what is to be done to sessions that say this.
    fn take(&mut self, external_id: &str, mut difference: Difference, wording: impl FnOnce() -> Wording) {
        if !(difference.create.is_empty() && difference.update.is_empty()) {
            let wording = wording();
            difference.create.iter().for_each(|row| self.budget.count_new(row, &wording));
            difference.update.iter().for_each(|revision| self.budget.count_changed(revision, &wording));
            self.plan.wordings.insert(wording.id(), wording);
        }
        self.budget.count_cancelled(difference.cancel.len());
        self.budget.count_rekeyed(difference.rekeyed.len());
        self.plan.sessions.created += difference.create.len() as u32;
        self.plan.sessions.updated += difference.update.len() as u32;
        self.plan.sessions.cancelled += difference.cancel.len() as u32;
        self.plan.new_sessions.extend(difference.create);
        self.plan.rekeyed.extend(difference.rekeyed);
        self.plan.changed_sessions.extend(difference.update);
        self.plan.changed_sessions.extend(difference.cancel);
        self.plan.unbooked.extend(difference.unbooked);
        difference.skipped.sort_by_key(|skipped| skipped.local_start);
        for Skipped { local_start, reason } in difference.skipped {
            self.skip(external_id, local_start, reason);
        }
    }

    fn skip(&mut self, external_id: &str, local_start: LocalTime, reason: SkipReason) {
        self.plan.skipped.push(RosterSkip { external_id: external_id.to_owned(), local_start, reason });
    }

    fn record(&mut self, external_id: Option<String>, (line, sheet): (Option<i32>, Option<Sheet>), planned: Planned) {
        let (outcome, resource_id, mut errors) = match planned {
            Ok((outcome, resource_id)) => (outcome, resource_id, Vec::new()),
            Err(faults) => (Outcome::Rejected, None, faults),
        };
        if self.kept > MOST_KEPT {
            errors.truncate(1);
        }
        self.kept += errors.len();
        if let Some(sheet) = sheet {
            errors.iter_mut().for_each(|fault| sheet.name_the_column(fault));
        }
        self.plan.counts.add(outcome);
        self.plan.entries.push(EntryOutcome {
            external_id,
            line,
            pointer: None,
            outcome,
            resource_id,
            errors: Json(errors),
        });
    }
}

/// A single session as it is written; its times have been checked.
fn single(id: Id, written: SessionInput, now: Timestamp) -> Result<SessionRow, Vec<Fault>> {
    SessionRow::single(id, written, now).map_err(faults)
}

/// What is wrong with the times of an entry.
fn faults(error: RecurrenceError) -> Vec<Fault> {
    vec![Fault::at(format!("/{}", error.field()), error.code(), error.to_string())]
}
