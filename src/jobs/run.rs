//! Runs jobs: takes them up, renews their leases and ends them.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::sync::Semaphore;

use super::store::{self, Claim, Claimed};
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

/// A kind of job, with the function that does such a job.
pub struct Kind {
    /// The name of the kind.
    pub name: JobKind,
    /// Does a job and ends it in the transaction of its effect. The counter shows how much is done.
    pub run: fn(State, Claimed, Arc<AtomicUsize>) -> LocalBoxFuture<'static, Result<()>>,
}

/// Starts a new job of one of these kinds, without waiting for it.
pub fn start(state: &State, id: Id, kinds: &'static [Kind]) {
    let state = state.clone();
    actix_web::rt::spawn(async move {
        if let Err(error) = run(&state, id, kinds).await {
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
    let now = state.clock.now();
    for id in state.db.read_one(move |conn| store::waiting(conn, now)).await? {
        if state.stopping() {
            break;
        }
        // A job that fails doesn't hold up the others.
        if let Err(error) = run(&state, id, kinds).await {
            log::error!("the job {id} could not be brought to an end: {error}");
        }
    }
    Ok(())
}

/// Runs a job, if no other server runs it.
///
/// # Errors
/// A failure of the database when the job's outcome can't be written. The job is then taken up again.
pub async fn run(state: &State, id: Id, kinds: &[Kind]) -> Result<()> {
    let _turn = ONE_AT_A_TIME.acquire().await.map_err(Error::internal)?;
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
