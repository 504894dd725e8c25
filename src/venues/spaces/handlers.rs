//! Spaces over HTTP.

use super::store;
use super::types::{Space, SpaceInput, SpacePatch};
use crate::auth::policy::{AdminOnly, Public};
use crate::http::prelude::*;
use crate::venues::store as venues;

/// List a venue's spaces
///
/// By name, a page at a time.
#[utoipa::path(operation_id = "list_spaces", tag = "venues",
    params(("id" = Id, Path, description = "The venue"), Paging),
    responses((status = 200, description = "A page of spaces", body = Page<Space>), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/venues/{id}/spaces")]
pub async fn list_spaces(request: Extract<(Allowed<Public>, Path<Id>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Path(venue_id), Query(paging))) = request;
    let slice = Slice::read_public(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read(move |conn| {
        venues::get(conn, venue_id)?;
        store::list(conn, venue_id, &wanted)
    });
    who.show_page(
        Cache::Minute,
        &slice.page(&who, rows.await?, |space| (space.written.name.clone(), space.id), |space| space),
    )
}

/// Get a space
///
/// A space is a room of a venue that holds one session at a time.
#[utoipa::path(operation_id = "get_space", tag = "venues",
    params(("id" = Id, Path, description = "The venue"), ("space_id" = Id, Path, description = "The space")),
    responses((status = 200, description = "The space", body = Space), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/venues/{id}/spaces/{space_id}")]
pub async fn get_space(request: Extract<(Allowed<Public>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((venue_id, id)), _)) = request;
    let row = who.state().db.read_one(move |conn| store::get(conn, venue_id, id)).await?;
    who.show(Cache::Minute, row.version, &row)
}

/// Create a space
///
/// Its name must be new in the venue.
///
/// A space can be kept for up to 50 partners. Sessions of other partners can't be planned in it. The service's own can.
#[utoipa::path(operation_id = "create_space", tag = "venues",
    params(("id" = Id, Path, description = "The venue")), request_body = SpaceInput,
    responses((status = 201, description = "Created", body = Space), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/venues/{id}/spaces")]
pub async fn create_space(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, JsonBody<SpaceInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(venue_id), _, body)) = request;
    let (context, written) = (who.context(), body.value);
    who.write(&body.bytes, move |conn| {
        venues::get(conn, venue_id)?;
        let row = Space::new(context.new_id(), venue_id, written.clone(), context.now());
        store::insert(conn, &row)?;
        context.record(conn, &[context.event("create", Subject::other("space", row.id), &[])])?;
        Reply::created(format!("/v1/venues/{venue_id}/spaces/{}", row.id), row.version, &row)
    })
    .await
}

/// Change a space
///
/// A JSON merge patch.
///
/// If it is kept for partners from now on, what others have planned there stays, and can be changed without leaving it.
#[utoipa::path(operation_id = "change_space", tag = "venues",
    params(("id" = Id, Path, description = "The venue"), ("space_id" = Id, Path, description = "The space")),
    request_body(content = SpacePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Space), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/venues/{id}/spaces/{space_id}")]
pub async fn change_space(
    request: Extract<(Allowed<AdminOnly>, Path<(Id, Id)>, NoQuery, SpacePatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((venue_id, id)), _, patch)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, venue_id, id)?;
        context.require_match(old.version)?;
        let Some(row) = patch.change(&old, |old| old.written.clone(), |new| old.changed(new, context.now()))? else {
            return Reply::ok(old.version, &old);
        };
        store::update(conn, &row)?;
        context.record(conn, &[context.event("change", Subject::other("space", id), &patch.names())])?;
        Reply::ok(row.version, &row)
    })
    .await
}

/// Delete a space
///
/// A space can be deleted only while no session or series takes place in it.
#[utoipa::path(operation_id = "delete_space", tag = "venues",
    params(("id" = Id, Path, description = "The venue"), ("space_id" = Id, Path, description = "The space")),
    responses((status = 204, description = "Deleted"), Missing, Conflict, MayBeStale, Storage, Problems))]
#[delete("/v1/venues/{id}/spaces/{space_id}")]
pub async fn delete_space(request: Extract<(Allowed<AdminOnly>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((venue_id, id)), _)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        context.check_match(store::get(conn, venue_id, id)?.version)?;
        store::delete(conn, id)?;
        context.record(conn, &[context.event("delete", Subject::other("space", id), &[])])?;
        Ok(Reply::empty())
    })
    .await
}
