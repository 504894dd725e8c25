//! A roster that is applied after its request was answered, as a job.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};

use super::ahead;
use super::apply::{self, Application};
use super::body::Posting;
use super::current::Hold;
use super::read::Form;
use super::store;
use super::types::{JobResult, Manner, RosterAnswer};
use crate::auth::caller::{Caller, Scope};
use crate::auth::policy::{self, Policy, RosterWriter};
use crate::auth::reach::Reach;
use crate::auth::right::Right;
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::http::reply::Reply;
use crate::http::state::State;
use crate::jobs::run::{self, Kind as JobRunner};
use crate::jobs::store::{self as jobs, Claim, Claimed, NewJob};
use crate::jobs::types::{Asker, JobKind};

/// How jobs that apply rosters are done.
pub const JOB: JobRunner =
    JobRunner { name: JobKind::Roster, run: |state, job, done| Box::pin(async move { run(&state, job, done).await }) };

/// What is to be done with a posting, as a job keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Work {
    asker: Asker,
    partner_id: Id,
    form: Form,
    manner: Manner,
}

/// Checks, in the transaction that writes, that whoever asked for a roster may still post it. Their right may have ended
/// since they were let in. From here on it can't end before the transaction does.
///
/// # Errors
/// 403 if they may not.
pub fn still_may_post(conn: &mut Conn, right: &Right, partner_id: Id, has_registers: bool) -> Result<()> {
    right.hold(conn)?;
    may_post(conn, right, partner_id, has_registers).map(drop)
}

/// Whoever asked for a roster, if they may post it now.
///
/// # Errors
/// 403 if they may not.
fn may_post(conn: &mut Conn, right: &Right, partner_id: Id, has_registers: bool) -> Result<Caller> {
    let caller = right.caller(conn)?;
    RosterWriter::check(Some(&caller))?;
    if has_registers {
        policy::scope(&caller, Scope::RegistersWrite)?;
    }
    match Reach::of(&caller)?.has_partner(Some(partner_id)) {
        true => Ok(caller),
        false => Err(Error::forbidden("The roster is another partner's.")),
    }
}

/// Takes a posting in, and starts it. Its entries are read again then: nothing of them stays in memory while the bytes are
/// written.
///
/// # Errors
/// 404 where there is no such partner; 429 where too many of its jobs have not ended.
pub async fn accept(context: &Context, posting: Posting, bytes: &Bytes) -> Result<HttpResponse> {
    let (partner_id, form, manner) = (posting.partner_id, posting.form, posting.manner);
    let total = i32::try_from(posting.total()).map_err(Error::internal)?;
    drop(posting);
    let (id, now, payload, asking) = (context.new_id(), context.now(), bytes.clone(), context.clone());
    let taken = context.write(bytes, move |conn| {
        store::roster_version(conn, partner_id)?;
        jobs::check_room(conn, partner_id)?;
        let work = Work { asker: Asker::of(&asking)?, partner_id, form, manner };
        let work = serde_json::to_value(work).map_err(Error::internal)?;
        let job = NewJob { id, kind: JobKind::Roster, partner_id: Some(partner_id), work, total };
        let job = jobs::insert(conn, &job, &payload, now)?;
        Ok(Reply { status: 202, ..Reply::created(format!("/v1/jobs/{}", job.id), job.version, &job)? })
    });
    let mut response = taken.await?;
    let applied = (HeaderName::from_static("preference-applied"), HeaderValue::from_static("respond-async"));
    response.headers_mut().insert(applied.0, applied.1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    run::start(context.state(), &[JOB]);
    Ok(response)
}

/// Applies a roster that was taken in, and ends its job in the same transaction.
///
/// # Errors
/// What the request would have been answered with; 403 if whoever asked for it may no longer post it.
pub async fn run(state: &State, job: Claimed, done: Arc<AtomicUsize>) -> Result<()> {
    let running = Running::take_up(state, job, done).await?;
    if running.work.manner.dry_run { running.rehearse().await } else { running.apply().await }
}

/// A posting whose job this server has taken up.
#[derive(Clone)]
struct Running {
    claim: Claim,
    work: Arc<Work>,
    context: Context,
    posting: Arc<Posting>,
}

impl Running {
    async fn take_up(state: &State, job: Claimed, done: Arc<AtomicUsize>) -> Result<Self> {
        let work: Work = serde_json::from_value(job.work).map_err(Error::internal)?;
        let (claim, bytes, work) = (job.claim, Bytes::from(job.payload), Arc::new(work));
        let asked = Arc::clone(&work);
        let caller = state.db.read(move |conn| may_post(conn, &asked.asker.right, asked.partner_id, false)).await?;
        let Asker { request_id, path, .. } = work.asker.clone();
        let context = Context::resumed(state, caller, request_id, path);
        let (partner_id, form, manner) = (work.partner_id, work.form, work.manner);
        let reading = actix_web::web::block(move || Posting::read(partner_id, form, manner, bytes));
        let posting = reading.await.map_err(Error::blocking)??.counting(done);
        let turn = state.plan_turns.for_job(context.owner()).await?;
        Ok(Self { claim, work, context, posting: Arc::new(posting.holding(turn)) })
    }

    /// Checks, where the job ends, that whoever asked for it may still do so. Their right may have ended while the roster
    /// was planned.
    fn check_right(&self, conn: &mut Conn) -> Result<()> {
        still_may_post(conn, &self.work.asker.right, self.work.partner_id, self.posting.has_registers())
    }

    async fn rehearse(self) -> Result<()> {
        let db = self.context.state().db.clone();
        let running = self.clone();
        let plan = move |conn: &mut Conn| apply::draft(conn, &running.posting, &running.context, Hold::Snapshot);
        let draft = db.read_long(plan).await?;
        let answer = apply::rehearsal(&self.posting, &draft);
        let write = move |conn: &mut Conn| {
            self.check_right(conn)?;
            end(conn, self.claim, &self.context, None, answer.clone())
        };
        db.write(write).await
    }

    async fn apply(self) -> Result<()> {
        let db = &self.context.state().db;
        let write = async |application: Application| {
            let running = self.clone();
            db.write(move |conn| running.apply_in(conn, &application)).await
        };
        let (refused, outcome) = ahead::apply(&self.posting, &self.context, write).await?;
        match outcome {
            Err(refusal) if refusal.kind() == Kind::RosterRefused => {
                let running = self.clone();
                db.write(move |conn| running.refuse_in(conn, &refused, &refusal)).await
            }
            outcome => outcome,
        }
    }

    fn apply_in(&self, conn: &mut Conn, application: &Application) -> Result<()> {
        if jobs::hold(conn, self.claim, self.context.now())? {
            let answer = application.apply(conn)?;
            // Last, so that as little time as can be is left until the commit. An error undoes what was written.
            self.check_right(conn)?;
            end(conn, self.claim, &self.context, Some(application.path()), answer)?;
        }
        Ok(())
    }

    fn refuse_in(&self, conn: &mut Conn, refused: &Application, refusal: &Error) -> Result<()> {
        let (context, now) = (&self.context, self.context.now());
        if jobs::hold(conn, self.claim, now)? {
            self.check_right(conn)?;
            refused.keep_refused(conn)?;
            jobs::fail(conn, self.claim, &refusal.problem(context.path(), context.request_id()), now)?;
        }
        Ok(())
    }
}

/// Ends the job with what the roster did, unless another server has taken it over.
fn end(conn: &mut Conn, claim: Claim, context: &Context, location: Option<String>, answer: RosterAnswer) -> Result<()> {
    // The job may have gone on for a while: it ends by the clock, not when it was begun.
    let now = context.state().clock.now();
    if !jobs::hold(conn, claim, now)? {
        return Ok(());
    }
    let RosterAnswer { id, counts, sessions, dry_run, .. } = answer;
    let rehearsal = dry_run.then_some(answer);
    jobs::succeed(conn, claim, &JobResult { location, roster_id: id, counts, sessions, rehearsal }, now)
}
