//! Venues over HTTP.

use super::near::Circle;
use super::store;
use super::types::{Venue, VenueFilter, VenueInput};
use crate::auth::policy::{AdminOnly, Public};
use crate::http::prelude::*;
use crate::http::query::search_words;

/// List venues
///
/// By name, a page at a time.
#[utoipa::path(operation_id = "list_venues", tag = "venues", params(VenueFilter),
    responses((status = 200, description = "A page of venues", body = Page<Venue>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/venues")]
pub async fn list_venues(request: Extract<(Allowed<Public>, Query<VenueFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let slice = Slice::read_public(&who, filter.limit, filter.cursor.as_deref())?;
    let (wanted, circle) = (slice.clone(), Circle::read(filter.near.as_deref(), filter.within_km)?);
    let search = search_words(filter.q.as_deref())?;
    let work = move |conn: &mut Conn| store::list(conn, &filter, &search, circle.as_ref(), &wanted);
    let rows = who.state().db.read(work).await?;
    who.show_page(Cache::Minute, &slice.page(&who, rows, Venue::key, |venue| venue))
}

/// Get a venue
///
/// Everybody sees every venue, open or closed.
#[utoipa::path(operation_id = "get_venue", tag = "venues", params(("id" = Id, Path, description = "The venue")),
    responses((status = 200, description = "The venue", body = Venue), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/venues/{id}")]
pub async fn get_venue(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let row = who.state().db.read_one(move |conn| store::get(conn, id)).await?;
    who.show(Cache::Minute, row.version, &row)
}

/// Create a venue
///
/// Its slug must be new. The code of its local authority is filled in.
#[utoipa::path(operation_id = "create_venue", tag = "venues", request_body = VenueInput,
    responses((status = 201, description = "Created", body = Venue), BadInput, Conflict, Storage, Problems))]
#[post("/v1/venues")]
pub async fn create_venue(
    request: Extract<(Allowed<AdminOnly>, NoQuery, JsonBody<VenueInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, written) = (who.context(), body.value);
    who.write(&body.bytes, move |conn| {
        let row = Venue::new(context.new_id(), written.clone(), context.now());
        store::insert(conn, &row)?;
        context.record(conn, &[context.event("create", Subject::other("venue", row.id), &[])])?;
        Reply::created(format!("/v1/venues/{}", row.id), row.version, &row)
    })
    .await
}

/// Delete a venue
///
/// A venue can be deleted only while nothing refers to it. Otherwise close it.
#[utoipa::path(operation_id = "delete_venue", tag = "venues", params(("id" = Id, Path, description = "The venue")),
    responses((status = 204, description = "Deleted"), Missing, Conflict, MayBeStale, Storage, Problems))]
#[delete("/v1/venues/{id}")]
pub async fn delete_venue(request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        context.check_match(store::get(conn, id)?.version)?;
        store::delete(conn, id)?;
        context.record(conn, &[context.event("delete", Subject::other("venue", id), &[])])?;
        Ok(Reply::empty())
    })
    .await
}
