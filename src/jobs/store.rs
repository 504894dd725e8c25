//! Jobs in the database.

use std::time::Duration;

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::types::{Job, JobKind, JobProgress, JobStatus};
use crate::auth::reach::Reach;
use crate::db::schema::jobs;
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Problem, Result};

/// How long somebody who runs a job is left alone without a sign of life.
pub const LEASE: Duration = Duration::from_secs(30);
/// How long a job that has ended can be read, in seconds.
const KEPT: i64 = 30 * 24 * 3600;

/// A job to add.
#[derive(Debug, Insertable)]
#[diesel(table_name = jobs)]
struct NewRow<'a> {
    id: Id,
    kind: JobKind,
    partner_id: Option<Id>,
    status: JobStatus,
    work: Json<Value>,
    payload: Option<&'a [u8]>,
    done: i32,
    total: i32,
    attempts: i32,
    due_at: Timestamp,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a job is to do.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id.
    pub id: Id,
    /// What it does.
    pub kind: JobKind,
    /// The partner whose it is.
    pub partner_id: Option<Id>,
    /// How it is to be done, as whoever runs this kind reads it.
    pub work: Value,
    /// How many things there are to do.
    pub total: i32,
}

/// A row of `jobs` without what it works on.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct Row {
    id: Id,
    kind: JobKind,
    partner_id: Option<Id>,
    status: JobStatus,
    done: i32,
    total: i32,
    result: Option<String>,
    problem: Option<String>,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl From<Row> for Job {
    fn from(row: Row) -> Self {
        let read = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Self {
            id: row.id,
            kind: row.kind,
            partner_id: row.partner_id,
            status: row.status,
            progress: JobProgress { done: row.done, total: row.total },
            result: read(row.result),
            problem: read(row.problem),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
        }
    }
}

/// Adds a job with what it works on. It is due at once.
pub fn insert(conn: &mut Conn, job: &NewJob, payload: &[u8], now: Timestamp) -> Result<Job> {
    let row = NewRow {
        id: job.id,
        kind: job.kind,
        partner_id: job.partner_id,
        status: JobStatus::Queued,
        work: Json(job.work.clone()),
        payload: Some(payload),
        done: 0,
        total: job.total,
        attempts: 0,
        due_at: now,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(jobs::table).values(&row).execute(conn)?;
    get(conn, Reach::Everyone, job.id)
}

/// A job within the caller's reach.
///
/// # Errors
/// 404 where there is none, or it is another's.
pub fn get(conn: &mut Conn, reach: Reach, id: Id) -> Result<Job> {
    let row: Option<Row> = jobs::table.find(id).select(Row::as_select()).first(conn).optional()?;
    let row = row.filter(|row| reach.has_partner(row.partner_id));
    row.map(Job::from).ok_or_else(|| Error::not_found("job"))
}

/// Whether a job waits to be taken up.
pub fn is_due(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let due = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_null());
    Ok(select(exists(due)).get_result(conn)?)
}

/// The jobs that nobody is at, the oldest first.
pub fn waiting(conn: &mut Conn, now: Timestamp) -> Result<Vec<Id>> {
    let due = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_null());
    Ok(due.order(jobs::id).limit(100).select(jobs::id).load(conn)?)
}

/// Jobs of one part of the housekeeping.
const PIECE: i64 = 100;

/// Whether jobs that have ended are kept for too long.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let old = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_not_null());
    Ok(select(exists(old)).get_result(conn)?)
}

/// Takes away some jobs that ended long ago. How many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let old = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_not_null());
    let ids: Vec<Id> = old.order(jobs::due_at).limit(PIECE).select(jobs::id).load(conn)?;
    Ok(diesel::delete(jobs::table.filter(jobs::id.eq_any(&ids))).execute(conn)?)
}

/// A job that somebody is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub id: Id,
    /// Who is at it.
    pub holder: Id,
}

/// A job with all that is needed to do it.
#[derive(Debug)]
pub struct Claimed {
    /// Which one, and whose it is to do.
    pub claim: Claim,
    /// What it does.
    pub kind: JobKind,
    /// How it is to be done.
    pub work: Value,
    /// What it works on.
    pub payload: Vec<u8>,
    /// How often it has been taken up, this time included.
    pub attempts: i32,
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    Timestamp(now.0 + pause)
}

/// Takes up a job that is due and that nobody is at.
pub fn take(conn: &mut Conn, claim: Claim, now: Timestamp) -> Result<Option<Claimed>> {
    let due = jobs::table.find(claim.id).filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_null());
    let changes = (
        jobs::status.eq(JobStatus::Running),
        jobs::holder.eq(claim.holder),
        jobs::due_at.eq(after(now, LEASE)),
        jobs::attempts.eq(jobs::attempts + 1),
        jobs::version.eq(jobs::version + 1),
        jobs::updated_at.eq(now),
    );
    if diesel::update(due).set(changes).execute(conn)? == 0 {
        return Ok(None);
    }
    let columns = (jobs::kind, jobs::work, jobs::payload, jobs::attempts);
    let (kind, work, payload, attempts): (JobKind, Json<Value>, Option<Vec<u8>>, i32) =
        jobs::table.find(claim.id).select(columns).first(conn)?;
    Ok(Some(Claimed { claim, kind, work: work.0, payload: payload.unwrap_or_default(), attempts }))
}

/// Shows how far a job has come, and that somebody is still at it. Whether it is still theirs.
pub fn beat(conn: &mut Conn, claim: Claim, done: i32, now: Timestamp) -> Result<bool> {
    let mine = jobs::table.find(claim.id).filter(jobs::holder.eq(claim.holder)).filter(jobs::ended_at.is_null());
    let changes = (
        jobs::done.eq(done),
        jobs::due_at.eq(after(now, LEASE)),
        jobs::version.eq(jobs::version + 1),
        jobs::updated_at.eq(now),
    );
    Ok(diesel::update(mine.filter(jobs::total.ge(done))).set(changes).execute(conn)? == 1)
}

/// Holds a job until the transaction ends, so that what it does is done by one alone. Whether it is still theirs.
pub fn hold(conn: &mut Conn, claim: Claim, now: Timestamp) -> Result<bool> {
    let mine = jobs::table.find(claim.id).filter(jobs::holder.eq(claim.holder)).filter(jobs::ended_at.is_null());
    Ok(diesel::update(mine).set(jobs::updated_at.eq(now)).execute(conn)? == 1)
}

/// Leaves a job to be tried again from an instant on.
pub fn release(conn: &mut Conn, claim: Claim, now: Timestamp, pause: Duration) -> Result<()> {
    let mine = jobs::table.find(claim.id).filter(jobs::holder.eq(claim.holder)).filter(jobs::ended_at.is_null());
    let changes = (
        jobs::status.eq(JobStatus::Queued),
        jobs::done.eq(0),
        jobs::due_at.eq(after(now, pause)),
        jobs::version.eq(jobs::version + 1),
        jobs::updated_at.eq(now),
    );
    diesel::update(mine).set(changes).execute(conn)?;
    Ok(())
}

/// Ends a job that is [held](hold) with what it did.
pub fn succeed(conn: &mut Conn, claim: Claim, result: &impl Serialize, now: Timestamp) -> Result<()> {
    let result = serde_json::to_string(result).map_err(Error::internal)?;
    let all = jobs::done.eq(jobs::total);
    diesel::update(jobs::table.find(claim.id)).set((all, jobs::result.eq(result))).execute(conn)?;
    end(conn, claim, JobStatus::Succeeded, now)
}

/// Ends a job with the problem that its request would have been answered with; nothing where it isn't theirs.
pub fn fail(conn: &mut Conn, claim: Claim, problem: &Problem, now: Timestamp) -> Result<()> {
    let problem = serde_json::to_string(problem).map_err(Error::internal)?;
    let mine = jobs::table.find(claim.id).filter(jobs::holder.eq(claim.holder)).filter(jobs::ended_at.is_null());
    if diesel::update(mine).set(jobs::problem.eq(problem)).execute(conn)? == 0 {
        return Ok(());
    }
    end(conn, claim, JobStatus::Failed, now)
}

fn end(conn: &mut Conn, claim: Claim, status: JobStatus, now: Timestamp) -> Result<()> {
    let changes = (
        jobs::status.eq(status),
        jobs::payload.eq(None::<Vec<u8>>),
        jobs::due_at.eq(now.plus_seconds(KEPT)),
        jobs::ended_at.eq(now),
        jobs::version.eq(jobs::version + 1),
        jobs::updated_at.eq(now),
    );
    diesel::update(jobs::table.find(claim.id)).set(changes).execute(conn)?;
    Ok(())
}
