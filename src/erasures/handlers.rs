//! Erasures over HTTP, for admins. They see ids, days and states, and no name.

use super::erase::erase;
use super::store::{self, ErasureRow};
use super::types::{
    Erasure, ErasureBlocker, ErasureExecution, ErasureFilter, ErasureHold, ErasureOrigin, ErasureStatus,
};
use super::view::{self, Views};
use super::{journal, rules};
use crate::audit::Purpose;
use crate::auth::caller::Role;
use crate::auth::policy::{AdminOnly, AdminOrSafeguarding};
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage};
use crate::sessions::bookings::handlers::terms;

fn subject(row: &ErasureRow) -> Subject {
    Subject::of_member("erasure", row.id, row.member_id)
}

/// List erasures
///
/// Requests to erase a member, the oldest first. For admins, and for advisors with the permission `safeguarding`.
#[utoipa::path(operation_id = "list_erasures", tag = "members", params(ErasureFilter),
    responses((status = 200, description = "A page of requests", body = Page<Erasure>), (status = 304, description = "Not changed"), Problems))]
#[get("/v1/erasures")]
pub async fn list_erasures(
    request: Extract<(Allowed<AdminOrSafeguarding>, Query<ErasureFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let (context, wanted) = (who.context(), slice.clone());
    let work = move |conn: &mut Conn| {
        let now = context.now();
        let rows = store::list(conn, filter.status, london_day(now), &wanted)?;
        let views = Views::of(conn, &rows, now)?;
        // The row beyond the page only shows that there is a next page. An executed one is nobody's data any more.
        let shown = wanted.shown(&rows).iter();
        let shown = shown.filter(|row| row.executed_at.is_none());
        let events =
            shown.map(|row| looked(&context, context.event("list", subject(row), &[]))).collect::<Result<_>>()?;
        Ok(((rows, views), events))
    };
    let (rows, views) = who.state().db.read_audited(work).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, ErasureRow::key, |row| views.show(row)))
}

/// Get an erasure
///
/// A request to erase a member, with what stands in its way, or what was done.
#[utoipa::path(operation_id = "get_erasure", tag = "members", params(("id" = Id, Path, description = "The request")),
    responses((status = 200, description = "The request", body = Erasure), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/erasures/{id}")]
pub async fn get_erasure(request: Extract<(Allowed<AdminOrSafeguarding>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let context = who.context();
    let work = move |conn: &mut Conn| {
        let row = store::get(conn, id)?;
        // An executed one is nobody's data any more.
        let read = if row.executed_at.is_none() { context.reads(subject(&row), &[]) } else { Vec::new() };
        let read = read.into_iter().map(|event| looked(&context, event)).collect::<Result<_>>()?;
        Ok((show(conn, &context, row)?, read))
    };
    let erasure = who.state().db.read_audited(work).await?;
    who.show_live(Cache::Never, erasure.version, &erasure)
}

/// That somebody looked at a request. An advisor looks at one only because of safeguarding: the member's access log leaves
/// that out, or it would tell of a flag.
fn looked(context: &Context, event: Event) -> Result<Event> {
    let is_admin = context.caller()?.role == Role::Admin;
    Ok(if is_admin { event } else { event.for_purpose(Some(Purpose::Safeguarding)) })
}

fn show(conn: &mut Conn, context: &Context, row: ErasureRow) -> Result<Erasure> {
    Ok(Views::of(conn, std::slice::from_ref(&row), context.now())?.show(row))
}

fn answer(conn: &mut Conn, context: &Context, row: ErasureRow) -> Result<Reply> {
    let erasure = show(conn, context, row)?;
    Reply::ok(view::tag(&erasure)?, &erasure)
}

/// A request that is to be changed, with what is looked up beside it.
///
/// # Errors
/// 404 if there is none. 412 if the client has read another state. 409 if it has ended.
fn locked(conn: &mut Conn, context: &Context, id: Id, change: &str) -> Result<(ErasureRow, Views)> {
    let row = store::lock(conn, id)?;
    let views = Views::of(conn, std::slice::from_ref(&row), context.now())?;
    context.check_live_match(row.version, || view::tag(&views.show(row.clone())))?;
    if !row.is_open() {
        return Err(Error::state("request", views.status(&row), change).at_its_end());
    }
    Ok((row, views))
}

/// Erase a member
///
/// Deletes everything that tells who the person is, and their account. Bookings and prescriptions stay without a name, so
/// that reports count them. Nothing brings the person back. What stands in the way is listed in `blockers`; with `force:
/// true` bookings of sessions to come are cancelled and active prescriptions closed first. The body may be left out.
#[utoipa::path(operation_id = "execute_erasure", tag = "members", params(("id" = Id, Path, description = "The request")),
    request_body = Option<ErasureExecution>,
    responses((status = 200, description = "Erased", body = Erasure), BadInput, Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/erasures/{id}/execute")]
pub async fn execute_erasure(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, OptionalJson<ErasureExecution>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, force) = (who.context(), body.value.force);
    let done = who.write(&body.bytes, move |conn| {
        let (row, views) = locked(conn, &context, id, "be executed")?;
        let mut blockers = views.blockers(&row);
        if force {
            blockers.retain(|blocker| *blocker == ErasureBlocker::Held);
        }
        if !blockers.is_empty() {
            return Err(rules::blocked(&blockers, views.waits_for_lead(&row)));
        }
        let row = execute(conn, &context, &row)?;
        answer(conn, &context, row)
    });
    let response = done.await?;
    if let Err(error) = journal::write_down(who.state()).await {
        log::error!("the erased id isn't in the file {} yet, and will be tried again: {error}", journal::FILE);
    }
    Ok(response)
}

/// Erases the member of a request, and tells them if they have asked for it.
fn execute(conn: &mut Conn, context: &Context, row: &ErasureRow) -> Result<ErasureRow> {
    let (now, asked) = (context.now(), matches!(row.origin, ErasureOrigin::Member | ErasureOrigin::Advisor));
    let tells = asked && context.state().config.mail.is_some();
    let address = if tells { store::address_of(conn, row.member_id)? } else { None };
    let event = |action, subject, fields: &[&str]| context.event(action, subject, fields);
    let rows = erase(conn, row.member_id, terms(context), &event)?;
    let done = row.executed(rows, now);
    store::update(conn, &done)?;
    context.record(conn, &[context.event("erase", subject(row), &[])])?;
    let told = address
        .map(|address| NewMessage::to_former(MessageKind::ErasureDone, address, now).once(store::message_key(row.id)));
    messages::queue(conn, told.into_iter().collect(), now)?;
    Ok(done)
}

/// Hold an erasure
///
/// It can't be executed until somebody resumes it, or until its last day is over. The member can read the reason.
#[utoipa::path(operation_id = "hold_erasure", tag = "members", params(("id" = Id, Path, description = "The request")),
    request_body = ErasureHold,
    responses((status = 200, description = "Held", body = Erasure), BadInput, Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/erasures/{id}/hold")]
pub async fn hold_erasure(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, JsonBody<ErasureHold>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, hold) = (who.context(), body.value);
    who.write(&body.bytes, move |conn| {
        let (row, _) = locked(conn, &context, id, "be held")?;
        if hold.until.is_some_and(|last| last < london_day(context.now())) {
            return Err(Error::rule("/until", "in_the_past", "Must not be in the past."));
        }
        let row = row.held(hold.reason.clone(), hold.until, context.now());
        store::update(conn, &row)?;
        context.record(conn, &[context.event("hold", subject(&row), &["reason", "hold_until"])])?;
        answer(conn, &context, row)
    })
    .await
}

/// Resume an erasure
///
/// An admin ends a hold. A request that is held because of safeguarding is released only by an advisor with the permission
/// `safeguarding`, who decides that it may be executed in spite of the open flag.
#[utoipa::path(operation_id = "resume_erasure", tag = "members", params(("id" = Id, Path, description = "The request")),
    responses((status = 200, description = "No longer held", body = Erasure), Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/erasures/{id}/resume")]
pub async fn resume_erasure(
    request: Extract<(Allowed<AdminOrSafeguarding>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let context = who.context();
    let is_admin = who.caller()?.role == Role::Admin;
    who.write(&Bytes::new(), move |conn| {
        let (row, views) = locked(conn, &context, id, "be resumed")?;
        let (row, event) = match (is_admin, views.waits_for_lead(&row)) {
            // The access log leaves this out, or it would tell of the flag.
            (false, true) => {
                let event = context.event("release", subject(&row), &[]);
                let event = event.for_purpose(Some(Purpose::Safeguarding));
                (store::release(conn, &row, context.now())?, event)
            }
            (true, true) => return Err(Error::new(Kind::InvalidState, rules::SEE_THE_LEAD)),
            (true, false) if views.status(&row) == ErasureStatus::Held => {
                let row = row.resumed(context.now());
                store::update(conn, &row)?;
                let event = context.event("resume", subject(&row), &[]);
                (row, event)
            }
            _ => return Err(Error::new(Kind::InvalidState, "Nothing that you can end holds this request.")),
        };
        context.record(conn, &[event])?;
        answer(conn, &context, row)
    })
    .await
}
