//! A roster that is applied after its request was answered, as a job.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};

use super::apply::{self, Application};
use super::body::Posting;
use super::current::Hold;
use super::read::Form;
use super::store;
use super::types::{JobResult, Manner, RosterAnswer};
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

/// Takes a posting in, and starts it.
///
/// # Errors
/// 404 where there is no such partner.
pub async fn accept(context: &Context, posting: &Posting, bytes: &Bytes) -> Result<HttpResponse> {
    let (partner_id, form, manner) = (posting.partner_id, posting.form, posting.manner);
    let work = Work { asker: Asker::of(context)?, partner_id, form, manner };
    let job = NewJob {
        id: context.new_id(),
        kind: JobKind::Roster,
        partner_id: Some(partner_id),
        work: serde_json::to_value(work).map_err(Error::internal)?,
        total: i32::try_from(posting.total()).map_err(Error::internal)?,
    };
    let (id, now, payload) = (job.id, context.now(), bytes.clone());
    let taken = context.write(bytes, move |conn| {
        store::roster_version(conn, partner_id)?;
        let job = jobs::insert(conn, &job, &payload, now)?;
        Ok(Reply { status: 202, ..Reply::created(format!("/v1/jobs/{}", job.id), job.version, &job)? })
    });
    let mut response = taken.await?;
    let applied = (HeaderName::from_static("preference-applied"), HeaderValue::from_static("respond-async"));
    response.headers_mut().insert(applied.0, applied.1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    // Where this was a repeated request, there is no job of this id, and nothing is started.
    run::start(context.state(), id, &[JOB]);
    Ok(response)
}

/// Applies a roster that was taken in, and ends its job in the same transaction.
///
/// # Errors
/// What the request would have been answered with.
pub async fn run(state: &State, job: Claimed, done: Arc<AtomicUsize>) -> Result<()> {
    let Work { asker, partner_id, form, manner } = serde_json::from_value(job.work).map_err(Error::internal)?;
    let (claim, bytes) = (job.claim, Bytes::from(job.payload));
    let context = Context::resumed(state, asker.caller(), asker.request_id, asker.path);
    let reading = actix_web::web::block(move || Posting::read(partner_id, form, manner, bytes));
    let posting = reading.await.map_err(Error::blocking)??.counting(done);
    let posting = Arc::new(posting.keeping([state.plan_turns.for_job().await?]));
    let (planned, planning) = (Arc::clone(&posting), context.clone());
    let draft = state.db.read_long(move |conn| apply::draft(conn, &planned, &planning, Hold::Snapshot)).await?;
    if manner.dry_run {
        let answer = apply::rehearsal(&posting, &draft);
        return state.db.write(move |conn| end(conn, claim, &context, None, answer.clone())).await;
    }
    let application = Application::new(posting, context.clone(), draft);
    let (applying, refused) = (application.clone(), application);
    let ending = context.clone();
    let applied = state.db.write(move |conn| {
        if jobs::hold(conn, claim, ending.now())? {
            let answer = applying.apply(conn)?;
            end(conn, claim, &ending, Some(applying.path()), answer)?;
        }
        Ok(())
    });
    match applied.await {
        Err(refusal) if refusal.kind() == Kind::RosterRefused => {
            let write = move |conn: &mut Conn| {
                if jobs::hold(conn, claim, context.now())? {
                    refused.keep_refused(conn)?;
                    jobs::fail(conn, claim, &refusal.problem(context.path(), context.request_id()), context.now())?;
                }
                Ok(())
            };
            state.db.write(write).await
        }
        outcome => outcome,
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
