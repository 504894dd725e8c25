//! Sessions over HTTP.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, patch, post};

use super::bookings::seats::lock_session;
use super::finding::filter::{SessionFilter, SessionOrder};
use super::finding::search::Search;
use super::finding::{self, ByDistance, ByStart};
use super::references::{self, References};
use super::rules;
use super::shown::{self, Shown};
use super::store::{self, SessionRow};
use super::types::{CancelInput, Session, SessionInput, SessionPatch, SessionStatus};
use super::viewer::{Viewer, owner, scope};
use crate::audit::{Event, Subject};
use crate::auth::policy::{Allowed, Public, SessionWriter};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::http::context::Context;
use crate::http::extract::{JsonBody, NoQuery, Ordered, Path, Query};
use crate::http::page::{Page, Slice};
use crate::http::reply::{Cache, Reply};
use crate::openapi::{BadInput, Conflict, MayBeStale, Missing, Problems, Stale, Storage};

/// List sessions
///
/// What's on, by start, from now on unless `from` says otherwise. Everything that is asked for must fit. Cancelled ones
/// are in it with their status, so that people see that they are off.
#[utoipa::path(operation_id = "list_sessions", tag = "sessions", params(SessionFilter),
    responses((status = 200, description = "A page of sessions", body = Page<Session>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sessions")]
pub async fn list_sessions(taken: Ordered<(Allowed<Public>, Query<SessionFilter>)>) -> Result<HttpResponse> {
    let Ordered((who, Query(filter))) = taken;
    let (order, limit, cursor) = (filter.sort.unwrap_or_default(), filter.limit, filter.cursor.clone());
    let now = who.now();
    let search = Search::read(Viewer::of(who.anyone()), filter, now)?;
    let page = match order {
        SessionOrder::Start => {
            let slice = Slice::<ByStart>::read(&who, limit, cursor.as_deref())?;
            let (after, many) = (slice.after, slice.fetch());
            let work = move |conn: &mut Conn| finding::by_start(conn, &search, after, many);
            slice.page(&who, who.state().db.read(work).await?, Shown::key, |row| row.at(now))
        }
        SessionOrder::Distance => {
            let slice = Slice::<ByDistance>::read(&who, limit, cursor.as_deref())?;
            let (after, many) = (slice.after, slice.fetch());
            let work = move |conn: &mut Conn| finding::by_distance(conn, &search, after, many);
            slice.page(&who, who.state().db.read(work).await?, |(key, _)| *key, |(_, row)| row.at(now))
        }
    };
    who.show_page(Cache::Revalidate, &page)
}

/// Get a session
#[utoipa::path(operation_id = "get_session", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sessions/{id}")]
pub async fn get_session(taken: Ordered<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Ordered((who, Path(id), _)) = taken;
    let viewer = Viewer::of(who.anyone());
    let session = who.state().db.read(move |conn| shown::get(conn, id, viewer)).await?.at(who.now());
    who.show_live(Cache::Revalidate, session.version, &session)
}

/// Create a session
///
/// A single one, without a series. It may lie in the past.
#[utoipa::path(operation_id = "create_session", tag = "sessions", request_body = SessionInput,
    responses((status = 201, description = "Created", body = Session), BadInput, Conflict, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/sessions")]
pub async fn create_session(
    taken: Ordered<(Allowed<SessionWriter>, NoQuery, JsonBody<SessionInput>)>,
) -> Result<HttpResponse> {
    let Ordered((who, _, body)) = taken;
    let (context, bytes) = (who.context(), body.bytes);
    let written = SessionInput { partner_id: owner(who.caller()?, body.value.partner_id)?, ..body.value };
    let row = SessionRow::single(context.new_id(), written, context.now())?;
    who.write(&bytes, move |conn| {
        references::check(conn, &References::of_session(&row))?;
        store::check_external_id(conn, row.partner_id, row.external_id.as_deref())?;
        store::insert_many(conn, std::slice::from_ref(&row))?;
        context.record(conn, &[context.event("create", Subject::other("session", row.id), &[])])?;
        let session = read_back(conn, &context, row.id)?;
        Reply::created(format!("/v1/sessions/{}", row.id), session.version, &session)
    })
    .await
}

/// Change a session
///
/// A JSON merge patch of its texts, capacities, publication and status. A session of a series is edited from then on:
/// changes of the series leave it alone.
#[utoipa::path(operation_id = "change_session", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    request_body(content = SessionPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Session), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[patch("/v1/sessions/{id}")]
pub async fn change_session(
    taken: Ordered<(Allowed<SessionWriter>, Path<Id>, NoQuery, SessionPatch)>,
) -> Result<HttpResponse> {
    let Ordered((who, Path(id), _, patch)) = taken;
    let (context, scope) = (who.context(), scope(who.caller()?));
    who.write(&Bytes::new(), move |conn| {
        let old = store::get_in(conn, scope, id)?;
        context.require_match(old.version)?;
        let change = patch.apply(&old.changeable())?;
        rules::check_change(old.delivery, change.online_capacity)?;
        let cancels = change.status == SessionStatus::Cancelled && old.status == SessionStatus::Scheduled;
        if change.status == SessionStatus::Scheduled {
            rules::check_uncancelled(old.status == SessionStatus::Cancelled, change.cancellation_reason.as_deref())?;
        }
        let reason = change.cancellation_reason.clone().unwrap_or_default();
        store::update(conn, &old.changed(change, context.now()))?;
        let names = patch.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        context.record(conn, &[context.event("change", Subject::other("session", id), &names)])?;
        if cancels {
            cancel(conn, &context, &old, &reason)?;
        }
        let session = read_back(conn, &context, id)?;
        Reply::ok(session.version, &session)
    })
    .await
}

/// What a cancellation takes.
pub type Cancelling = (Allowed<SessionWriter>, Path<Id>, NoQuery, JsonBody<CancelInput>);

/// Cancel a session
///
/// And every booking of it. There is no way back.
#[utoipa::path(operation_id = "cancel_session", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    request_body = CancelInput,
    responses((status = 200, description = "Cancelled", body = Session), BadInput, Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/sessions/{id}/cancel")]
pub async fn cancel_session(taken: Ordered<Cancelling>) -> Result<HttpResponse> {
    let Ordered((who, Path(id), _, body)) = taken;
    let (context, scope, reason) = (who.context(), scope(who.caller()?), body.value.reason);
    who.write(&body.bytes, move |conn| {
        // Locked first: what is checked is what is cancelled.
        lock_session(conn, id)?;
        let old = store::get_in(conn, scope, id)?;
        context.check_match(old.version)?;
        cancel(conn, &context, &old, &reason)?;
        let session = read_back(conn, &context, id)?;
        Reply::ok(session.version, &session)
    })
    .await
}

/// Cancels a session that is still to end, and its bookings, with an event for each person whose booking it was.
fn cancel(conn: &mut Conn, context: &Context, old: &SessionRow, reason: &str) -> Result<()> {
    rules::check_cancellable(rules::state(old.status, old.ends_at, context.now()))?;
    store::cancel(conn, old.id, reason, context.now())?;
    let mut events = vec![context.event("cancel", Subject::other("session", old.id), &[])];
    events.extend(cancel_bookings(conn, context, &[old.id], reason)?);
    context.record(conn, &events)
}

/// Cancels the bookings of cancelled sessions; the events say whose they were.
pub(super) fn cancel_bookings(conn: &mut Conn, context: &Context, ids: &[Id], reason: &str) -> Result<Vec<Event>> {
    let cancelled = store::cancel_bookings(conn, ids, reason, context.now())?;
    let event = |(id, member)| context.event("cancel", Subject::of_member("booking", id, member), &["status"]);
    Ok(cancelled.into_iter().map(event).collect())
}

/// The session as its writer sees it.
fn read_back(conn: &mut Conn, context: &Context, id: Id) -> Result<Session> {
    Ok(shown::get(conn, id, Viewer::of(context.anyone()))?.at(context.now()))
}
