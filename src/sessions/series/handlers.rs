//! Session series over HTTP.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, patch, post};

use super::shown::{self, Shown};
use super::store::{self, SeriesRow};
use super::types::{CreatedSeries, Series, SeriesFilter, SeriesInput, SeriesPatch, SessionCounts};
use crate::audit::Subject;
use crate::auth::policy::{Allowed, Public, SessionWriter};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::http::context::Context;
use crate::http::extract::{JsonBody, NoQuery, Ordered, Path, Query};
use crate::http::page::{Page, Slice};
use crate::http::reply::{Cache, Reply};
use crate::openapi::{BadInput, Conflict, MayBeStale, Missing, Problems, Stale, Storage};
use crate::sessions::bookings::handlers::terms;
use crate::sessions::bookings::waiting;
use crate::sessions::handlers::{Cancelling, cancel_bookings};
use crate::sessions::references::{self, References};
use crate::sessions::rules;
use crate::sessions::store::{self as sessions, SessionRow};
use crate::sessions::types::{CancelInput, SeriesStatus};
use crate::sessions::viewer::{Viewer, owner, scope};

/// List session series
///
/// In the order in which they were made.
#[utoipa::path(operation_id = "list_series", tag = "sessions", params(SeriesFilter),
    responses((status = 200, description = "A page of series", body = Page<Series>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/session-series")]
pub async fn list_series(taken: Ordered<(Allowed<Public>, Query<SeriesFilter>)>) -> Result<HttpResponse> {
    let Ordered((who, Query(filter))) = taken;
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let (wanted, viewer) = (slice.clone(), Viewer::of(who.anyone()));
    let rows = who.state().db.read(move |conn| shown::list(conn, viewer, &filter, &wanted)).await?;
    who.show_page(Cache::Revalidate, &slice.page(&who, rows, Shown::key, Series::from))
}

/// Get a session series
#[utoipa::path(operation_id = "get_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    responses((status = 200, description = "The series", body = Series), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/session-series/{id}")]
pub async fn get_series(taken: Ordered<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Ordered((who, Path(id), _)) = taken;
    let viewer = Viewer::of(who.anyone());
    let series = Series::from(who.state().db.read(move |conn| shown::get(conn, id, viewer)).await?);
    who.show_live(Cache::Revalidate, series.version, &series)
}

/// Create a session series
///
/// With all of its sessions; they may lie in the past. The answer says how many were created, and which were skipped
/// and why.
#[utoipa::path(operation_id = "create_series", tag = "sessions", request_body = SeriesInput,
    responses((status = 201, description = "Created", body = CreatedSeries), BadInput, Conflict, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/session-series")]
pub async fn create_series(
    taken: Ordered<(Allowed<SessionWriter>, NoQuery, JsonBody<SeriesInput>)>,
) -> Result<HttpResponse> {
    let Ordered((who, _, body)) = taken;
    let (context, bytes) = (who.context(), body.bytes);
    let written = SeriesInput { partner_id: owner(who.caller()?, body.value.partner_id)?, ..body.value };
    let occurrences = super::rules::occurrences(&written)?;
    let row = SeriesRow::new(context.new_id(), written, context.now());
    let each = |occurrence| SessionRow::of_series(&row, occurrence, context.new_id(), context.now());
    let rows: Vec<SessionRow> = occurrences.iter().map(each).collect();
    who.write(&bytes, move |conn| {
        references::check(conn, &References::of_series(&row))?;
        sessions::check_external_id(conn, row.partner_id, row.external_id.as_deref())?;
        store::insert(conn, &row)?;
        sessions::insert_many(conn, &rows)?;
        context.record(conn, &[context.event("create", Subject::other("series", row.id), &[])])?;
        let series = read_back(conn, &context, row.id)?;
        let (path, version) = (format!("/v1/session-series/{}", row.id), series.version);
        let sessions = SessionCounts { created: rows.len() };
        Reply::created(path, version, &CreatedSeries { series, sessions, skipped: Vec::new() })
    })
    .await
}

/// Change a session series
///
/// A JSON merge patch of its texts, capacities, publication and status. Its sessions that are still to come, scheduled
/// and not edited by hand change in place: their ids and bookings stay.
#[utoipa::path(operation_id = "change_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    request_body(content = SeriesPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Series), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[patch("/v1/session-series/{id}")]
pub async fn change_series(
    taken: Ordered<(Allowed<SessionWriter>, Path<Id>, NoQuery, SeriesPatch)>,
) -> Result<HttpResponse> {
    let Ordered((who, Path(id), _, patch)) = taken;
    let (context, scope) = (who.context(), scope(who.caller()?));
    who.write(&Bytes::new(), move |conn| {
        let old = store::get_in(conn, scope, id)?;
        context.require_match(old.version)?;
        let change = patch.apply(&old.changeable())?;
        rules::check_change(old.delivery, change.online_capacity)?;
        let cancels = change.status == SeriesStatus::Cancelled && old.status == SeriesStatus::Active;
        if change.status == SeriesStatus::Active {
            rules::check_uncancelled(old.status == SeriesStatus::Cancelled, change.cancellation_reason.as_deref())?;
        }
        let reason = change.cancellation_reason.clone().unwrap_or_default();
        let row = old.changed(change, context.now());
        store::update(conn, &row)?;
        let listed = sessions::following_with_a_list(conn, id, context.now())?;
        waiting::lapse_offers(conn, &listed, context.now())?;
        sessions::follow_series(conn, &row, context.now())?;
        let names = patch.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        context.record(conn, &[context.event("change", Subject::other("series", id), &names)])?;
        match cancels {
            true => cancel_sessions(conn, &context, id, &reason)?,
            false => {
                // Looked up again: they are locked now, and somebody may have joined a list before.
                let listed = sessions::following_with_a_list(conn, id, context.now())?;
                waiting::offer_freed(conn, &listed, terms(&context))?;
            }
        }
        let series = read_back(conn, &context, id)?;
        Reply::ok(series.version, &series)
    })
    .await
}

/// Cancel a session series
///
/// All of its sessions that are still to come, and every booking of them. There is no way back.
#[utoipa::path(operation_id = "cancel_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    request_body = CancelInput,
    responses((status = 200, description = "Cancelled", body = Series), BadInput, Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/session-series/{id}/cancel")]
pub async fn cancel_series(taken: Ordered<Cancelling>) -> Result<HttpResponse> {
    let Ordered((who, Path(id), _, body)) = taken;
    let (context, scope, reason) = (who.context(), scope(who.caller()?), body.value.reason);
    who.write(&body.bytes, move |conn| {
        let old = store::get_in(conn, scope, id)?;
        context.check_match(old.version)?;
        store::update(conn, &old.cancelled(&reason, context.now())?)?;
        cancel_sessions(conn, &context, id, &reason)?;
        let series = read_back(conn, &context, id)?;
        Reply::ok(series.version, &series)
    })
    .await
}

/// Cancels what is still to come of a series, with an event for each person whose booking it was.
fn cancel_sessions(conn: &mut Conn, context: &Context, id: Id, reason: &str) -> Result<()> {
    let cancelled = sessions::cancel_future(conn, id, reason, context.now())?;
    let mut events = vec![context.event("cancel", Subject::other("series", id), &[])];
    events.extend(cancel_bookings(conn, context, &cancelled, reason)?);
    context.record(conn, &events)
}

/// The series as its writer sees it.
fn read_back(conn: &mut Conn, context: &Context, id: Id) -> Result<Series> {
    Ok(shown::get(conn, id, Viewer::of(context.anyone()))?.into())
}
