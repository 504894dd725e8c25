//! Posting a roster: read, planned over a snapshot, then applied in one write transaction.
//!
//! The transaction checks what the plan was made over. If that has changed, the roster is planned anew. The last time it
//! is planned within the transaction, over rows that it has locked. So two rosters of one partner, or a roster and a
//! booking, end as if one had waited for the other.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::body::Posting;
use super::clashes;
use super::current::{self, Hold};
use super::keeping::{self, MOST_WRONG};
use super::lookups::Lookups;
use super::plan::{MOST_FAULTS, Plan};
use super::planner;
use super::store::{self, RosterRow};
use super::types::{
    EntryOutcome, Manner, Missing, Mode, Outcome, RosterAnswer, RosterCounts, RosterSessionCounts, RosterStatus,
    RosterSummary,
};
use crate::audit::{Event, Subject};
use crate::clock::london_day;
use crate::db::{Conn, Id, Json};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::http::reply::Reply;
use crate::partners::store::bump_roster_version;
use crate::sessions::bookings::handlers::terms;
use crate::sessions::bookings::waiting;
use crate::sessions::clashes::hold;
use crate::sessions::store::{Revision, SessionRow};

/// A plan and what it was made over.
pub struct Draft {
    roster_version: i32,
    lookups: Lookups,
    plan: Plan,
}

/// Plans a posting over what there is.
///
/// # Errors
/// 404 where there is no such partner; 409 where the partner may not have so much.
pub fn draft(conn: &mut Conn, posting: &Posting, context: &Context, hold: Hold) -> Result<Draft> {
    let roster_version = store::roster_version(conn, posting.partner_id)?;
    let lookups = Lookups::load(conn, posting.partner_id)?;
    let mut plan = planner::plan(conn, posting, &lookups, context, hold)?;
    clashes::leave_out(conn, &mut plan, london_day(context.now()))?;
    // Most indexes are by start: rows that come in this order touch each page of them once.
    plan.new_sessions.sort_unstable_by_key(|row| (row.starts_at, row.id));
    if !posting.manner.confirmed && !posting.manner.dry_run && !is_refused(posting, &plan) {
        plan.withdrawal.check_unconfirmed()?;
    }
    // What is planned in the transaction that writes it is checked there.
    if hold == Hold::Snapshot && !is_refused(posting, &plan) {
        plan.growth(context.now()).foresee(conn, context, Some(posting.partner_id))?;
    }
    Ok(Draft { roster_version, lookups, plan })
}

/// What a dry run answers: what posting the roster would do. What would be created has no id yet.
pub fn rehearsal(posting: &Posting, draft: &Draft) -> RosterAnswer {
    let mut answer = answer(posting, None, &draft.plan);
    answer.dry_run = true;
    for entry in answer.entries.iter_mut().filter(|entry| entry.outcome == Outcome::Created) {
        entry.resource_id = None;
    }
    answer
}

/// Whether a roster is refused as a whole. One without a good entry says nothing of what is missing.
fn is_refused(posting: &Posting, plan: &Plan) -> bool {
    let is_wrong = |entry: &EntryOutcome| entry.outcome == Outcome::Rejected;
    match posting.manner {
        Manner { mode: Mode::Atomic, .. } => plan.entries.iter().any(is_wrong),
        Manner { missing: Missing::Cancel, .. } => plan.entries.iter().all(is_wrong),
        Manner { missing: Missing::Keep, .. } => false,
    }
}

/// What a roster does. A refused one changes nothing: what is wrong with its entries is all there is to say.
fn answer(posting: &Posting, id: Option<Id>, plan: &Plan) -> RosterAnswer {
    let mut answer = RosterAnswer {
        id,
        mode: posting.manner.mode,
        dry_run: false,
        counts: plan.counts,
        sessions: plan.sessions,
        skipped: plan.skipped.clone(),
        entries: plan.shown(posting.form),
    };
    if is_refused(posting, plan) {
        answer.counts = RosterCounts { rejected: plan.counts.rejected, ..RosterCounts::default() };
        answer.sessions = RosterSessionCounts::default();
        answer.skipped.clear();
        answer.entries.retain(|entry| !entry.errors.0.is_empty());
    }
    answer
}

/// A posting on its way into the database. Cheap to clone into transactions.
#[derive(Clone)]
pub struct Application {
    posting: Arc<Posting>,
    context: Context,
    /// The roster's id, whatever becomes of it.
    id: Id,
    /// Planned over a snapshot, before the transaction.
    snapshot: Arc<Draft>,
    /// The latest draft, to remember a refusal by. A transaction never begins with it: the one that it was made in may
    /// not have been kept.
    latest: Arc<Mutex<Arc<Draft>>>,
    /// Whether the transaction may plan again.
    replans: bool,
    /// Whether it would have had to.
    stale: Arc<AtomicBool>,
}

impl Application {
    /// Of a posting that was planned over a snapshot.
    pub fn new(posting: Arc<Posting>, context: Context, draft: Draft) -> Self {
        let id = context.new_id();
        let snapshot = Arc::new(draft);
        let latest = Arc::new(Mutex::new(Arc::clone(&snapshot)));
        Self { posting, context, id, latest, snapshot, replans: true, stale: Arc::default() }
    }

    /// The same, but if something has changed since it was planned, it fails and is [stale](Self::is_stale).
    pub fn without_replanning(self) -> Self {
        Self { replans: false, ..self }
    }

    /// Whether something has changed since it was planned, so that nothing was applied.
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// The roster's id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The sessions that it adds, unless it is refused.
    pub fn new_sessions(&self) -> &[SessionRow] {
        self.plan_to_apply().map(|plan| plan.new_sessions.as_slice()).unwrap_or_default()
    }

    /// The sessions that it changes, unless it is refused.
    pub fn changed_sessions(&self) -> &[Revision] {
        self.plan_to_apply().map(|plan| plan.changed_sessions.as_slice()).unwrap_or_default()
    }

    /// How many sessions it writes.
    pub fn sessions(&self) -> usize {
        let plan = &self.snapshot.plan;
        plan.new_sessions.len() + plan.changed_sessions.len() + plan.withdrawal.sessions.len()
    }

    /// The plan that was made over a snapshot, unless it is refused.
    pub fn plan_to_apply(&self) -> Option<&Plan> {
        Some(&self.snapshot.plan).filter(|plan| !is_refused(&self.posting, plan))
    }

    fn latest(&self) -> MutexGuard<'_, Arc<Draft>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies the roster and keeps it with its outcome.
    ///
    /// # Errors
    /// 422 `roster-refused` if a wrong entry refuses the roster; then [`Application::keep_refused`] remembers it.
    pub fn run(&self, conn: &mut Conn) -> Result<Reply> {
        Reply::created(self.path(), 1, &self.apply(conn)?)
    }

    /// The same, and says what it did.
    ///
    /// # Errors
    /// As [`Application::run`].
    pub fn apply(&self, conn: &mut Conn) -> Result<RosterAnswer> {
        let partner_id = self.posting.partner_id;
        let roster_version = store::lock_roster_version(conn, partner_id)?;
        let mut draft = Arc::clone(&self.snapshot);
        hold(conn, draft.plan.venues.iter().copied(), draft.plan.spaces.iter().copied())?;
        let fresh = roster_version == draft.roster_version && Lookups::load(conn, partner_id)?.same_as(&draft.lookups);
        let applied = fresh && self.try_apply(conn, &draft.plan, Some(self.id))?;
        self.stale.store(!applied && !self.replans, Ordering::Relaxed);
        if self.is_stale() {
            return Err(Error::overloaded());
        }
        if !applied {
            draft = Arc::new(self::draft(conn, &self.posting, &self.context, Hold::Lock)?);
            *self.latest() = Arc::clone(&draft);
            // It may name venues and spaces that the one before didn't know of; what clashes in them is looked at again.
            hold(conn, draft.plan.venues.iter().copied(), draft.plan.spaces.iter().copied())?;
            if !self.try_apply(conn, &draft.plan, None)? {
                return Err(Error::overloaded());
            }
        }
        bump_roster_version(conn, partner_id)?;
        clashes::tell(conn, &self.context, &draft.plan)?;
        let answer = answer(&self.posting, Some(self.id), &draft.plan);
        self.keep(conn, RosterStatus::Applied, &answer)?;
        self.context.record(conn, &self.registers_taken(&draft.plan))?;
        Ok(answer)
    }

    /// Whether the plan could be applied; not where what it was made over has changed, and then nothing is kept.
    fn try_apply(&self, conn: &mut Conn, plan: &Plan, staged: Option<Id>) -> Result<bool> {
        if is_refused(&self.posting, plan) {
            return Err(self.refusal(plan));
        }
        let changed: Vec<Id> = plan.changed_sessions.iter().map(|revision| revision.to.id).collect();
        let apply = |conn: &mut Conn| {
            clashes::check(conn, plan, london_day(self.context.now()))?;
            plan.growth(self.context.now()).check(conn, &self.context, Some(self.posting.partner_id))?;
            current::apply(conn, plan, staged, &self.context)?;
            waiting::follow(conn, &changed, terms(&self.context)).map(drop)
        };
        match diesel::Connection::transaction(conn, apply) {
            Ok(()) => Ok(true),
            Err(error) if current::is_stale(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a roster that was refused is answered.
    pub fn refused(&self) -> RosterAnswer {
        let latest = Arc::clone(&self.latest());
        answer(&self.posting, Some(self.id), &latest.plan)
    }

    fn refusal(&self, plan: &Plan) -> Error {
        let (wrong, all) = (plan.counts.rejected, plan.entries.len());
        let detail = format!(
            "{wrong} of {all} entries are wrong, and nothing was changed; see errors. Row by row: {}",
            self.path()
        );
        let faults = plan.faults(MOST_FAULTS);
        faults.into_iter().fold(Error::new(Kind::RosterRefused, detail), Error::with)
    }

    /// As when a register is taken by itself.
    fn registers_taken(&self, plan: &Plan) -> Vec<Event> {
        let taken = plan.headcounts.iter().map(|change| Subject::other("register", change.session_id));
        taken.map(|register| self.context.event("change", register, &["headcount"])).collect()
    }

    /// Where the roster can be read, once it is kept.
    pub fn path(&self) -> String {
        format!("/v1/partners/{}/rosters/{}", self.posting.partner_id, self.id)
    }

    /// Keeps a roster that was refused, in a transaction of its own: the refusal wrote nothing.
    pub fn keep_refused(&self, conn: &mut Conn) -> Result<()> {
        store::lock_roster_version(conn, self.posting.partner_id)?;
        let latest = Arc::clone(&self.latest());
        self.keep(conn, RosterStatus::Refused, &answer(&self.posting, Some(self.id), &latest.plan))
    }

    fn keep(&self, conn: &mut Conn, status: RosterStatus, answer: &RosterAnswer) -> Result<()> {
        let summary = RosterSummary {
            id: self.id,
            partner_id: self.posting.partner_id,
            mode: self.posting.manner.mode,
            status,
            counts: Json(answer.counts),
            sessions: Json(answer.sessions),
            version: 1,
            created_at: self.context.now(),
            updated_at: self.context.now(),
        };
        let skipped = Json(answer.skipped.clone());
        let row = RosterRow { summary, posted_by: self.context.caller()?.id, skipped };
        store::insert(conn, &row, &kept(&answer.entries))?;
        keeping::forget_pushed_out(conn, self.posting.partner_id, self.context.now())?;
        let action = if status == RosterStatus::Applied { "create" } else { "refuse" };
        self.context.record(conn, &[self.context.event(action, Subject::other("roster", self.id), &[])])
    }
}

/// The entries whose outcome is kept: of the wrong ones the first.
fn kept(entries: &[EntryOutcome]) -> Cow<'_, [EntryOutcome]> {
    let is_wrong = |entry: &EntryOutcome| entry.outcome == Outcome::Rejected;
    if entries.iter().filter(|entry| is_wrong(entry)).count() <= MOST_WRONG {
        return Cow::Borrowed(entries);
    }
    let mut wrong = 0;
    let is_kept = |entry: &&EntryOutcome| {
        wrong += usize::from(is_wrong(entry));
        !is_wrong(entry) || wrong <= MOST_WRONG
    };
    entries.iter().filter(is_kept).cloned().collect()
}
