//! `Idempotency-Key` (IETF draft): a POST that is sent twice is done once, and gets the same answer twice.
//!
//! The record of the answer is written in the transaction of the effect: either both are there or neither.
//!
//! Giving an answer again that holds a member's data is a read of this data, so it is recorded in the audit. A partner
//! doesn't get the answer again if the member has withdrawn the consent to share data with this partner, and a member
//! who booked for another doesn't if they may no longer do so.

use std::collections::HashSet;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use aws_lc_rs::digest::{SHA256, digest};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::context::Context;
use super::reply::Reply;
use crate::audit::KeptSubject;
use crate::auth::caller::{Role, Scope};
use crate::clock::london_day;
use crate::db::pieces::{octet_length, piece};
use crate::db::schema::idempotency_records::dsl as records;
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::text::hex::hex;

/// How long a key is remembered, in seconds.
const KEPT: i64 = 24 * 3600;

#[derive(Queryable, Insertable)]
#[diesel(table_name = crate::db::schema::idempotency_records)]
struct Record {
    scope: String,
    body_hash: String,
    status: i32,
    location: Option<String>,
    etag: Option<String>,
    body: String,
    expires_at: Timestamp,
    about: Json<Vec<KeptSubject>>,
}

impl Context {
    /// Runs one write transaction and answers with its reply. If the request's `Idempotency-Key` was used before with
    /// the same body, gives the first answer again and does nothing.
    ///
    /// # Errors
    /// What `work` returns; 422 if the key was used with another body; 409 if the first request still runs, or if this
    /// caller may no longer see its answer; 410 if the person that it was about was erased since.
    pub async fn write(
        &self,
        body: &Bytes,
        work: impl Fn(&mut Conn) -> Result<Reply> + Send + 'static,
    ) -> Result<HttpResponse> {
        let Some(scope) = self.idempotency_scope() else {
            return Ok(self.write_anew(work).await?.into_response());
        };
        let (context, hash) = (self.clone(), digest_of(body));
        let (reply, replayed) = self.write_anew(move |conn| once(conn, &context, &scope, &hash, &work)).await?;
        let mut response = reply.into_response();
        if replayed {
            let name = actix_web::http::header::HeaderName::from_static("idempotent-replay");
            response.headers_mut().insert(name, actix_web::http::header::HeaderValue::from_static("true"));
        }
        Ok(response)
    }

    /// Whether a request with this `Idempotency-Key` was answered already: then [`write`](Self::write) doesn't call its
    /// `work`, unless the record is deleted in between.
    pub async fn has_answered(&self) -> Result<bool> {
        let Some(scope) = self.idempotency_scope() else { return Ok(false) };
        let kept = records::expires_at.gt(self.now());
        let query = move |conn: &mut Conn| {
            let record = records::idempotency_records.find(&scope).filter(kept);
            Ok(select(exists(record)).get_result(conn)?)
        };
        self.state().db.read_one(query).await
    }

    /// A key counts for one caller, method, path and query. An account that moves to another partner or gets another
    /// role counts as another caller: it may not see the earlier answers any more. So does a token with other scopes.
    fn idempotency_scope(&self) -> Option<String> {
        let key = self.idempotency_key().filter(|_| self.method() == "POST")?;
        let caller = self.anyone()?;
        let of = |id: Option<Id>| id.map(|id| id.to_string()).unwrap_or_default();
        let (id, partner, member) = (caller.id.to_string(), of(caller.partner_id), of(caller.member_id));
        let (role, mut scopes) = (caller.role.to_string(), caller.scopes.clone());
        scopes.sort_unstable();
        let scopes = scopes.into_iter().map(Scope::name).collect::<Vec<_>>().join(" ");
        let parts = [&id, &role, &partner, &member, &scopes, self.method(), self.target(), key];
        Some(digest_of(parts.join("\n").as_bytes()))
    }
}

fn once(
    conn: &mut Conn,
    context: &Context,
    scope: &str,
    hash: &str,
    work: &impl Fn(&mut Conn) -> Result<Reply>,
) -> Result<(Reply, bool)> {
    wait_for_others(conn, scope)?;
    let now = context.now();
    diesel::delete(records::idempotency_records.find(scope).filter(records::expires_at.le(now))).execute(conn)?;
    let known: Option<Record> = records::idempotency_records.find(scope).first(conn).optional()?;
    if let Some(record) = known {
        if record.status == i32::from(Kind::Erased.spec().status) {
            return Err(erased(context));
        }
        let reply = replay(record, hash)?;
        check_shared(conn, context, &reply)?;
        let read = reply.about.iter().flat_map(|subject| context.reads(*subject, &[]));
        context.record(conn, &read.collect::<Vec<_>>())?;
        return Ok((reply, true));
    }
    let reply = work(conn)?;
    let record = Record {
        scope: scope.to_owned(),
        body_hash: hash.to_owned(),
        status: i32::from(reply.status),
        location: reply.location.clone(),
        etag: reply.etag.clone(),
        body: reply.replay.clone().unwrap_or_else(|| reply.body.clone()),
        expires_at: now.plus_seconds(KEPT),
        about: Json(reply.about.iter().filter_map(KeptSubject::of).collect()),
    };
    diesel::insert_into(records::idempotency_records).values(&record).execute(conn)?;
    Ok((reply, false))
}

/// The answer to a repeated request whose first answer went with the erasure of the person that it was about. It is done
/// only once, so it isn't done again. Who doesn't reach everybody isn't told of an erasure.
fn erased(context: &Context) -> Error {
    match context.anyone().map(|caller| caller.role) {
        Some(Role::Advisor | Role::Admin) => {
            let detail = "The request was done when it was first sent, and nothing was done now. Its answer named somebody \
                          whose record was erased since, so it isn't repeated.";
            Error::new(Kind::Erased, detail)
        }
        _ => withheld(None),
    }
}

/// Withholds an earlier answer from a partner after a member has withdrawn consent, and from a member who may no longer
/// book for another. The end of either works at once, also on answers that were given before.
///
/// # Errors
/// 409 if the reply holds data of a member whose data the caller may not see now.
fn check_shared(conn: &mut Conn, context: &Context, reply: &Reply) -> Result<()> {
    let Some(caller) = context.anyone() else { return Ok(()) };
    let hooks = context.state().hooks;
    let members: Vec<Id> = reply.about.iter().filter_map(|subject| subject.member_id).collect();
    let shared: HashSet<Id> = match (caller.role, caller.partner_id, caller.member_id) {
        (Role::Partner, Some(partner), _) => (hooks.shared_with)(conn, partner, &members)?,
        (Role::Member, _, Some(own)) if members.iter().any(|member| *member != own) => {
            let cared_for = (hooks.cared_for)(conn, own, london_day(context.now()))?;
            cared_for.into_iter().chain([own]).collect()
        }
        _ => return Ok(()),
    };
    if members.iter().all(|member| shared.contains(member)) {
        return Ok(());
    }
    Err(withheld(reply.location.as_deref()))
}

/// That an earlier answer isn't repeated. `location` is where the caller can read what they may see.
fn withheld(location: Option<&str>) -> Error {
    let read_at = location.map(|path| format!(" Read its result at {path}."));
    let detail = format!(
        "The request was done when it was first sent, and nothing was done now.{} The first answer isn't repeated: it \
         held data of somebody that you may no longer see.",
        read_at.unwrap_or_default()
    );
    Error::new(Kind::AnswerWithheld, detail)
}

/// How many records the housekeeping deletes in one transaction at most. The answer of a roster has megabytes, so
/// [fewer](piece) of those.
const PIECE: i64 = 500;

/// Whether there are expired records.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    Ok(select(exists(records::idempotency_records.filter(records::expires_at.le(now)))).get_result(conn)?)
}

/// Deletes some expired records and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let expired = records::idempotency_records.filter(records::expires_at.le(now));
    let sizes = expired.order(records::expires_at).limit(PIECE);
    let sizes = sizes.select((records::scope, octet_length(records::body.nullable())));
    let sizes: Vec<(String, Option<i32>)> = sizes.load(conn)?;
    let scopes = piece(sizes.into_iter().map(|(scope, bytes)| (scope, bytes.unwrap_or_default().into())).collect());
    Ok(diesel::delete(expired.filter(records::scope.eq_any(&scopes))).execute(conn)?)
}

fn replay(record: Record, hash: &str) -> Result<Reply> {
    if record.body_hash != hash {
        return Err(Error::new(
            Kind::IdempotencyMismatch,
            "This Idempotency-Key was used with another body. Use a new key for a new request.",
        ));
    }
    let status = u16::try_from(record.status).map_err(Error::internal)?;
    Ok(Reply {
        status,
        location: record.location,
        etag: record.etag,
        body: record.body,
        replay: None,
        about: record.about.0.iter().map(KeptSubject::subject).collect(),
    })
}

/// On PostgreSQL, two requests with the same key could run at the same time. The second waits for the first, up to the
/// time limit for locks. On SQLite there is only one writer.
fn wait_for_others(conn: &mut Conn, scope: &str) -> Result<()> {
    let Conn::Postgres(postgres) = conn else { return Ok(()) };
    let number = i64::from_str_radix(scope.get(..15).unwrap_or_default(), 16).unwrap_or_default();
    let lock = diesel::sql_query("SELECT pg_advisory_xact_lock($1)").bind::<diesel::sql_types::BigInt, _>(number);
    lock.execute(postgres).map_err(|e| match Error::from(e) {
        error if error.is_blocked() => Error::new(
            Kind::InProgress,
            "A request with the same Idempotency-Key is still running. Wait and send this again.",
        )
        .retry_after(1)
        .blocked(),
        error => error,
    })?;
    Ok(())
}

/// The digest of bytes, in digits.
fn digest_of(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}
