//! Jobs in the database.

use std::time::Duration;

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::types::{Job, JobKind, JobProgress, JobStatus};
use crate::auth::reach::Reach;
use crate::db::pieces::{octet_length, piece};
use crate::db::schema::{job_payloads, jobs};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Kind, Problem, Result};

/// How long a lease on a job lasts without being renewed.
pub const LEASE: Duration = Duration::from_secs(30);
/// The most jobs of one partner that have not ended.
pub const MOST_WAITING: i64 = 5;
/// How long a job that has ended can be read, in seconds.
const KEPT: i64 = 30 * 24 * 3600;

/// A new job.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id.
    pub id: Id,
    /// The kind of work.
    pub kind: JobKind,
    /// The partner that the job belongs to.
    pub partner_id: Option<Id>,
    /// The options of the work, in the form that this kind of job reads.
    pub work: Value,
    /// How many items the job has to do.
    pub total: i32,
}

/// A row of `jobs` without the job's input.
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
        let read = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
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

/// Checks that a partner may have one more job, and lets no other request add one until the transaction ends.
///
/// # Errors
/// 429 if too many of its jobs have not ended.
pub fn check_room(conn: &mut Conn, partner_id: Id) -> Result<()> {
    if let Conn::Postgres(postgres) = conn {
        // Not the partner's row: a roster that is applied holds this row for long.
        let number = partner_id.0.as_u64_pair().1.cast_signed();
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(number).execute(postgres)?;
    }
    let waiting = jobs::table.filter(jobs::partner_id.eq(partner_id)).filter(jobs::ended_at.is_null());
    let waiting: i64 = waiting.count().get_result(conn)?;
    if waiting < MOST_WAITING {
        return Ok(());
    }
    let detail = format!(
        "{waiting} jobs of this partner have not ended; the most is {MOST_WAITING}. Nothing was taken in. Send it again \
         when one of them has ended."
    );
    Err(Error::new(Kind::TooMuchAtOnce, detail).retry_after(10))
}

/// Adds a job with its input. The job is due at once.
pub fn insert(conn: &mut Conn, job: &NewJob, payload: &[u8], now: Timestamp) -> Result<Job> {
    let row = (
        jobs::id.eq(job.id),
        jobs::kind.eq(job.kind),
        jobs::partner_id.eq(job.partner_id),
        jobs::status.eq(JobStatus::Queued),
        jobs::work.eq(Json(job.work.clone())),
        jobs::done.eq(0),
        jobs::total.eq(job.total),
        jobs::attempts.eq(0),
        jobs::due_at.eq(now),
        jobs::version.eq(1),
        jobs::created_at.eq(now),
        jobs::updated_at.eq(now),
    );
    diesel::insert_into(jobs::table).values(row).execute(conn)?;
    for (position, piece) in (0..).zip(payload.chunks(PAYLOAD_PIECE)) {
        let piece = (job_payloads::position.eq(position), job_payloads::piece.eq(piece));
        diesel::insert_into(job_payloads::table).values((job_payloads::job_id.eq(job.id), piece)).execute(conn)?;
    }
    get(conn, Reach::Everyone, job.id)
}

/// The bytes of one piece of a job's input.
const PAYLOAD_PIECE: usize = 1024 * 1024;

/// What a job works on.
fn payload(conn: &mut Conn, id: Id) -> Result<Vec<u8>> {
    let pieces = job_payloads::table.filter(job_payloads::job_id.eq(id));
    let count: i64 = pieces.count().get_result(conn)?;
    let mut payload = Vec::with_capacity(usize::try_from(count).map_err(Error::internal)? * PAYLOAD_PIECE);
    for position in 0..i32::try_from(count).map_err(Error::internal)? {
        let piece = job_payloads::table.find((id, position)).select(job_payloads::piece);
        payload.extend(piece.first::<Vec<u8>>(conn)?);
    }
    Ok(payload)
}

/// A job within the caller's reach.
///
/// # Errors
/// 404 if there is no such job, or if it is out of the caller's reach.
pub fn get(conn: &mut Conn, reach: Reach, id: Id) -> Result<Job> {
    let row: Option<Row> = jobs::table.find(id).select(Row::as_select()).first(conn).optional()?;
    let row = row.filter(|row| reach.has_partner(row.partner_id));
    row.map(Job::from).ok_or_else(|| Error::not_found("job"))
}

/// Whether a job waits for a server to run it.
pub fn is_due(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let due = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_null());
    Ok(select(exists(due)).get_result(conn)?)
}

/// A job that no server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct Due {
    /// The job.
    pub id: Id,
    /// The partner that it belongs to.
    pub partner_id: Option<Id>,
}

/// The jobs that no server runs: each partner has only [a few](MOST_WAITING).
pub fn due(conn: &mut Conn, now: Timestamp) -> Result<Vec<Due>> {
    let due = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_null());
    Ok(due.select(Due::as_select()).load(conn)?)
}

/// How many jobs the housekeeping deletes in one transaction at most. The result of a dry run has megabytes, so
/// [fewer](piece) of those.
const PIECE: i64 = 100;

/// Whether there are jobs that ended too long ago to be kept.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let old = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_not_null());
    Ok(select(exists(old)).get_result(conn)?)
}

/// Deletes some jobs that ended long ago and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let old = jobs::table.filter(jobs::due_at.le(now)).filter(jobs::ended_at.is_not_null());
    let sizes = (jobs::id, octet_length(jobs::result), octet_length(jobs::problem));
    let sizes: Vec<(Id, Option<i32>, Option<i32>)> = old.order(jobs::due_at).limit(PIECE).select(sizes).load(conn)?;
    let bytes = |size: Option<i32>| i64::from(size.unwrap_or_default());
    let ids = piece(sizes.into_iter().map(|(id, result, problem)| (id, bytes(result) + bytes(problem))).collect());
    Ok(diesel::delete(jobs::table.filter(jobs::id.eq_any(&ids))).execute(conn)?)
}

/// A job that a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub id: Id,
    /// The holder of its lease.
    pub holder: Id,
}

/// A job with everything that is needed to run it.
#[derive(Debug)]
pub struct Claimed {
    /// The job's id and the holder of its lease.
    pub claim: Claim,
    /// The kind of work.
    pub kind: JobKind,
    /// The options of the work.
    pub work: Value,
    /// The job's input.
    pub payload: Vec<u8>,
    /// How often it has been taken up, including this time.
    pub attempts: i32,
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    Timestamp(now.0 + pause)
}

/// Takes up a job, if it is due and no server runs it.
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
    let columns = (jobs::kind, jobs::work, jobs::attempts);
    let (kind, work, attempts): (JobKind, Json<Value>, i32) = jobs::table.find(claim.id).select(columns).first(conn)?;
    Ok(Some(Claimed { claim, kind, work: work.0, payload: payload(conn, claim.id)?, attempts }))
}

/// Renews the lease on a job and writes its progress. Returns whether the lease is still this holder's.
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

/// Locks a job until the transaction ends, so that only one holder can write its effect. Returns whether the lease is
/// still this holder's.
pub fn hold(conn: &mut Conn, claim: Claim, now: Timestamp) -> Result<bool> {
    let mine = jobs::table.find(claim.id).filter(jobs::holder.eq(claim.holder)).filter(jobs::ended_at.is_null());
    Ok(diesel::update(mine).set(jobs::updated_at.eq(now)).execute(conn)? == 1)
}

/// Gives a job back to be tried again after a pause.
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

/// Ends a [held](hold) job with its result.
pub fn succeed(conn: &mut Conn, claim: Claim, result: &impl Serialize, now: Timestamp) -> Result<()> {
    let result = serde_json::to_string(result).map_err(Error::internal)?;
    let all = jobs::done.eq(jobs::total);
    diesel::update(jobs::table.find(claim.id)).set((all, jobs::result.eq(result))).execute(conn)?;
    end(conn, claim, JobStatus::Succeeded, now)
}

/// Ends a job with the problem that would have answered its request. Does nothing if the lease isn't this holder's.
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
        jobs::due_at.eq(now.plus_seconds(KEPT)),
        jobs::ended_at.eq(now),
        jobs::version.eq(jobs::version + 1),
        jobs::updated_at.eq(now),
    );
    diesel::update(jobs::table.find(claim.id)).set(changes).execute(conn)?;
    diesel::delete(job_payloads::table.filter(job_payloads::job_id.eq(claim.id))).execute(conn)?;
    Ok(())
}
