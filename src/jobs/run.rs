//! Runs jobs: takes them up, renews their leases and ends them.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::ops::Bound;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::sync::Semaphore;

use super::store::{self, Claim, Claimed, Due};
use super::types::{Asker, JobKind};
use crate::db::Id;
use crate::error::{self, Error, Result};
use crate::http::state::State;

/// How often the lease of a running job is renewed.
const BEAT: Duration = Duration::from_secs(1);
/// How often a job is tried before it fails for good.
const MOST_ATTEMPTS: i32 = 20;

/// A process runs one job at a time, because planning a roster can take a hundred megabytes.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// The partner whose job this process ran last. The jobs of the other partners come before its next.
static LAST: Mutex<Option<Id>> = Mutex::new(None);

/// A kind of job, with the function that does such a job.
pub struct Kind {
    /// The name of the kind.
    pub name: JobKind,
    /// Does a job and ends it in the transaction of its effect. The counter shows how much is done.
    pub run: fn(State, Claimed, Arc<AtomicUsize>) -> LocalBoxFuture<'static, Result<()>>,
}

/// Runs one job more, without waiting for it: the one whose turn it is, which needn't be the one that was added last.
pub fn start(state: &State, kinds: &'static [Kind]) {
    let state = state.clone();
    actix_web::rt::spawn(async move {
        if let Err(error) = run_next(&state, kinds, &mut HashSet::new()).await {
            // The job is in the database, so it will be taken up again.
            log::error!("a job could not be run and will be tried again: {error}");
        }
    });
}

/// Runs every job that no server runs.
///
/// # Errors
/// A failure of the database.
pub async fn run_due(state: State, kinds: &[Kind]) -> Result<()> {
    // Each is tried once: a job that fails doesn't hold up the others.
    let mut tried = HashSet::new();
    while !state.stopping() {
        let before = tried.len();
        match run_next(&state, kinds, &mut tried).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if tried.len() == before => return Err(error),
            Err(error) => log::error!("a job could not be brought to an end: {error}"),
        }
    }
    Ok(())
}

/// Runs the job whose turn it is. Returns whether there was one that hasn't been `tried`.
///
/// # Errors
/// A failure of the database. If it happens when the job's outcome is written, the job is taken up again.
async fn run_next(state: &State, kinds: &[Kind], tried: &mut HashSet<Id>) -> Result<bool> {
    let _turn = ONE_AT_A_TIME.acquire().await.map_err(Error::internal)?;
    let now = state.clock.now();
    let mut due = state.db.read_one(move |conn| store::due(conn, now)).await?;
    due.retain(|job| !tried.contains(&job.id));
    let next = {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next_in_turn(&due, *last);
        *last = next.map_or(*last, |next| next.partner_id);
        next
    };
    let Some(Due { id, .. }) = next else { return Ok(false) };
    tried.insert(id);
    run(state, id, kinds).await.map(|()| true)
}

/// The oldest job of the partner whose turn it is. Partners come in the order of their ids, beginning after the last one.
fn next_in_turn(due: &[Due], last: Option<Id>) -> Option<Due> {
    let mut oldest: BTreeMap<Option<Id>, Due> = BTreeMap::new();
    for job in due {
        oldest.entry(job.partner_id).and_modify(|known| known.id = known.id.min(job.id)).or_insert(*job);
    }
    let after = oldest.range((Bound::Excluded(last), Bound::Unbounded)).next();
    after.or_else(|| oldest.first_key_value()).map(|(_, job)| *job)
}

/// Runs a job, if no other server runs it.
async fn run(state: &State, id: Id, kinds: &[Kind]) -> Result<()> {
    let (claim, now) = (Claim { id, holder: state.clock.new_id() }, state.clock.now());
    let Some(job) = state.db.write(move |conn| store::take(conn, claim, now)).await? else { return Ok(()) };
    let asker = match Asker::in_work(&job.work) {
        Ok(asker) => asker,
        Err(error) => {
            log::error!("the job {id} can't be read: {error}");
            let problem =
                move |conn: &mut _| store::fail(conn, claim, &error.problem(&format!("/v1/jobs/{id}"), ""), now);
            return state.db.write(problem).await;
        }
    };
    let attempts = job.attempts;
    let done = Arc::new(AtomicUsize::new(0));
    let outcome = beating(state, claim, &done, perform(state, job, &done, kinds)).await;
    let Err(error) = outcome else { return Ok(()) };
    if is_passing(&error) && attempts < MOST_ATTEMPTS {
        let pause = Duration::from_secs(u64::from(attempts.unsigned_abs()));
        let now = state.clock.now();
        log::warn!("request={} a job will be tried again: {error}", asker.request_id);
        return state.db.write(move |conn| store::release(conn, claim, now, pause)).await;
    }
    if error.kind().spec().status >= 500 {
        log::error!("request={} a job failed: {error}", asker.request_id);
    }
    let now = state.clock.now();
    let write = move |conn: &mut _| store::fail(conn, claim, &error.problem(&asker.path, &asker.request_id), now);
    state.db.write(write).await
}

async fn perform(state: &State, job: Claimed, done: &Arc<AtomicUsize>, kinds: &[Kind]) -> Result<()> {
    if job.attempts > MOST_ATTEMPTS {
        return Err(Error::internal("the job has been taken up too often"));
    }
    let Some(kind) = kinds.iter().find(|kind| kind.name == job.kind) else {
        return Err(Error::internal(format!("nothing does jobs of the kind {}", job.kind)));
    };
    (kind.run)(state.clone(), job, Arc::clone(done)).await
}

/// Whether the failure is temporary, so that trying again later may help.
fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), error::Kind::Unavailable | error::Kind::OutcomeUnknown | error::Kind::InsufficientStorage)
}

/// Waits for the work to end and renews the job's lease meanwhile.
async fn beating<T>(state: &State, claim: Claim, done: &AtomicUsize, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Ok(outcome) = tokio::time::timeout(BEAT, &mut work).await {
            return outcome;
        }
        let (now, done) = (state.clock.now(), i32::try_from(done.load(Ordering::Relaxed)).unwrap_or_default());
        // If the lease can't be renewed, the work goes on: the commit checks whether the job is still ours.
        if let Err(error) = state.db.write(move |conn| store::beat(conn, claim, done, now)).await {
            log::warn!("a job's lease was not renewed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Id {
        Id(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn partners_take_turns_however_many_jobs_one_of_them_has() {
        let job = |partner: Option<u128>, number| Due { id: id(number), partner_id: partner.map(id) };
        let mut due: Vec<Due> = (1..=4).map(|number| job(Some(7), number)).collect();
        due.extend([job(Some(9), 11), job(Some(8), 12), job(None, 13), job(Some(8), 10)]);
        let (mut last, mut order) = (None, Vec::new());
        while let Some(next) = next_in_turn(&due, last) {
            due.retain(|job| *job != next);
            last = next.partner_id;
            order.push(next.id.0.as_u128());
        }
        assert_eq!(order, [1, 10, 11, 13, 2, 12, 3, 4]);
    }
}
