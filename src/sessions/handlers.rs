//! Sessions over HTTP.

use super::bookings::seats::lock_session;
use super::clashes::{self, Placing};
use super::listings;
use super::notices::{self, Change, Notices};
use super::references::{self, References};
use super::registers::missing;
use super::rules;
use super::search::filter::{SessionFilter, SessionOrder};
use super::search::query::Search;
use super::search::{self, ByDistance, ByStart};
use super::store::{self, SessionRow};
use super::types::{CancelInput, ChangedSession, Session, SessionInput};
use super::view::{self, SessionView};
use super::visibility::owner;
use super::wordings::Wording;
use crate::auth::policy::{Public, SessionWriter};
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::partners::quotas::{self, Growth};

/// List sessions
///
/// What's on, by start, from now on unless `from` says otherwise. Everything that is asked for must fit. Cancelled ones
/// are in it with their status, so that people see that they are off.
///
/// With `register=missing`, the sessions of whoever asks whose registers are still to be taken.
#[utoipa::path(operation_id = "list_sessions", tag = "sessions", params(SessionFilter),
    responses((status = 200, description = "A page of sessions", body = Page<Session>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sessions")]
pub async fn list_sessions(request: Extract<(Allowed<Public>, Query<SessionFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    if filter.register.is_some() {
        return missing::answer(&who, filter).await;
    }
    let (order, limit, cursor) = (filter.sort.unwrap_or_default(), filter.limit, filter.cursor.clone());
    let now = who.now();
    let search = Search::read(Viewer::of(who.anyone()), filter, now)?;
    let page = match order {
        SessionOrder::Start => {
            let slice = Slice::<ByStart>::read_public(&who, limit, cursor.as_deref())?;
            let (after, many) = (slice.after, slice.fetch());
            let (db, long) = (&who.state().db, search.may_be_long());
            let work = move |conn: &mut Conn| search::by_start(conn, &search, after, many);
            let rows = if long { db.read_long(work).await? } else { db.read(work).await? };
            slice.page(&who, rows, SessionView::key, |row| row.as_of(now))
        }
        SessionOrder::Distance => {
            let slice = Slice::<ByDistance>::read_public(&who, limit, cursor.as_deref())?;
            let (after, many) = (slice.after, slice.fetch());
            let work = move |conn: &mut Conn| search::by_distance(conn, &search, after, many);
            slice.page(&who, who.state().db.read_long(work).await?, |(key, _)| *key, |(_, row)| row.as_of(now))
        }
    };
    who.show_page(Cache::Revalidate, &page)
}

/// Get a session
///
/// What is published is for everybody. A draft is shown to admins, to advisors and to its own
/// partner.
#[utoipa::path(operation_id = "get_session", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sessions/{id}")]
pub async fn get_session(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let viewer = Viewer::of(who.anyone());
    let (db, work) = (&who.state().db, move |conn: &mut Conn| view::get(conn, id, viewer));
    let session = if let Viewer::Member(_) = viewer { db.read(work).await? } else { db.read_one(work).await? };
    let session = session.as_of(who.now());
    who.show_live(Cache::Revalidate, session.version, &session)
}

/// Create a session
///
/// A single one, without a series. It may lie in the past. A space holds one session at a time, and a venue none on
/// days on which it is closed. A draft holds no space: it takes its space when it is published. A space that is kept for
/// other partners is a fault (`space_kept`).
///
/// A partner has quotas of series, sessions to come and text. They bind staff too when they write for the partner.
#[utoipa::path(operation_id = "create_session", tag = "sessions", request_body = SessionInput,
    responses((status = 201, description = "Created", body = Session), BadInput, Conflict, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/sessions")]
pub async fn create_session(
    request: Extract<(Allowed<SessionWriter>, NoQuery, JsonBody<SessionInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, bytes) = (who.context(), body.bytes);
    let written = SessionInput { partner_id: owner(who.caller()?, body.value.partner_id)?, ..body.value };
    let wording = Wording::from(&written);
    let row = SessionRow::single(context.new_id(), written, context.now())?;
    who.write(&bytes, move |conn| {
        references::check(conn, &References::of_session(&row, wording.programme_id))?;
        quotas::hold(conn, row.partner_id)?;
        store::check_external_id(conn, row.partner_id, row.external_id.as_deref())?;
        let viewer = Viewer::of(context.anyone());
        clashes::check_one(conn, Placing { to: &row, from: None }, viewer, london_day(context.now()))?;
        let growth = Growth::default().and_sessions(std::slice::from_ref(&row), &[], [&wording], context.now());
        growth.check(conn, &context, row.partner_id)?;
        listings::ensure_stored(conn, [&wording], [&row])?;
        store::insert_many(conn, std::slice::from_ref(&row))?;
        context.record(conn, &[context.event("create", Subject::other("session", row.id), &[])])?;
        let session = read_back(conn, &context, row.id)?;
        Reply::created(format!("/v1/sessions/{}", row.id), Tag::live(session.version, &session)?, &session)
    })
    .await
}

/// What a cancellation takes.
pub type Cancelling = (Allowed<SessionWriter>, Path<Id>, NoQuery, JsonBody<CancelInput>);

/// Cancel a session
///
/// Its bookings are cancelled too. A cancelled session can't be restored.
///
/// The people booked are told by e-mail if they allow it. `bookings` lists the cancelled bookings: call those whose `told`
/// is `not_reached`. An admin sees no personal data: `member_id` is null, and an advisor finds the people by the ids of the
/// bookings. An event is recorded for each booking.
#[utoipa::path(operation_id = "cancel_session", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    request_body = CancelInput,
    responses((status = 200, description = "Cancelled", body = ChangedSession), BadInput, Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/sessions/{id}/cancel")]
pub async fn cancel_session(request: Extract<Cancelling>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, reason) = (who.context(), Reach::of(who.caller()?)?, body.value.reason);
    who.write(&body.bytes, move |conn| {
        // Locked first: what is checked is what is cancelled.
        lock_session(conn, id)?;
        let old = store::get_in(conn, reach, id)?;
        context.check_session_match(old.version)?;
        let told = cancel(conn, &context, &old, &reason)?;
        answer(conn, &context, id, told)
    })
    .await
}

/// Cancels a session that is still to end, and its bookings, and records an event for each booking.
pub(super) fn cancel(conn: &mut Conn, context: &Context, old: &SessionRow, reason: &str) -> Result<Notices> {
    rules::check_cancellable(rules::state(old.status, old.ends_at, context.now()))?;
    store::cancel(conn, old.id, reason, context.now())?;
    context.record(conn, &[context.event("cancel", Subject::other("session", old.id), &[])])?;
    let cancelled = store::cancel_bookings(conn, &[old.id], reason, context.now())?;
    notices::tell(conn, context, &Change { cancelled, reason: reason.to_owned(), ..Change::default() })
}

/// The session as it is now, and what became of its bookings.
pub(super) fn answer(conn: &mut Conn, context: &Context, id: Id, told: Notices) -> Result<Reply> {
    let session = read_back(conn, context, id)?;
    let tag = Tag::live(session.version, &session)?;
    let reply = Reply::ok(tag, &ChangedSession { session, bookings: told.bookings })?;
    Ok(told.about.into_iter().fold(reply, Reply::shows))
}

/// The session as its writer sees it.
fn read_back(conn: &mut Conn, context: &Context, id: Id) -> Result<Session> {
    Ok(view::get(conn, id, Viewer::of(context.anyone()))?.as_of(context.now()))
}
