//! Hostings over HTTP.

use super::store;
use super::types::{Hosting, HostingInput, HostingPatch};
use crate::auth::policy::{AdminOnly, Public};
use crate::http::prelude::*;
use crate::sites::store as sites;

/// List a site's hostings
///
/// The earliest first, a page at a time.
#[utoipa::path(operation_id = "list_hostings", tag = "venues",
    params(("id" = Id, Path, description = "The site"), Paging),
    responses((status = 200, description = "A page of hostings", body = Page<Hosting>), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sites/{id}/hostings")]
pub async fn list_hostings(request: Extract<(Allowed<Public>, Path<Id>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Path(site_id), Query(paging))) = request;
    let slice = Slice::read_public(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read(move |conn| {
        sites::get(conn, site_id)?;
        store::list(conn, site_id, &wanted)
    });
    who.show_page(
        Cache::Minute,
        &slice.page(&who, rows.await?, |hosting| (hosting.written.starts_on, hosting.id), |hosting| hosting),
    )
}

/// Get a hosting
///
/// A hosting says from which day until which day a site is at a venue.
#[utoipa::path(operation_id = "get_hosting", tag = "venues",
    params(("id" = Id, Path, description = "The site"), ("hosting_id" = Id, Path, description = "The hosting")),
    responses((status = 200, description = "The hosting", body = Hosting), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sites/{id}/hostings/{hosting_id}")]
pub async fn get_hosting(request: Extract<(Allowed<Public>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((site_id, id)), _)) = request;
    let row = who.state().db.read_one(move |conn| store::get(conn, site_id, id)).await?;
    who.show(Cache::Minute, row.version, &row)
}

/// Create a hosting
///
/// The hostings of a site must not overlap. The first and the last day belong to the hosting.
#[utoipa::path(operation_id = "create_hosting", tag = "venues",
    params(("id" = Id, Path, description = "The site")), request_body = HostingInput,
    responses((status = 201, description = "Created", body = Hosting), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/sites/{id}/hostings")]
pub async fn create_hosting(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, JsonBody<HostingInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(site_id), _, body)) = request;
    let (context, written) = (who.context(), body.value);
    who.write(&body.bytes, move |conn| {
        sites::lock(conn, site_id)?;
        let row = Hosting::new(context.new_id(), site_id, written.clone(), context.now());
        store::insert(conn, &row)?;
        context.record(conn, &[context.event("create", Subject::other("hosting", row.id), &[])])?;
        Reply::created(format!("/v1/sites/{site_id}/hostings/{}", row.id), row.version, &row)
    })
    .await
}

/// Change a hosting
///
/// A JSON merge patch.
#[utoipa::path(operation_id = "change_hosting", tag = "venues",
    params(("id" = Id, Path, description = "The site"), ("hosting_id" = Id, Path, description = "The hosting")),
    request_body(content = HostingPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Hosting), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/sites/{id}/hostings/{hosting_id}")]
pub async fn change_hosting(
    request: Extract<(Allowed<AdminOnly>, Path<(Id, Id)>, NoQuery, HostingPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((site_id, id)), _, patch)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        sites::lock(conn, site_id)?;
        let old = store::get(conn, site_id, id)?;
        context.require_match(old.version)?;
        let Some(row) = patch.change(&old, |old| old.written.clone(), |new| old.changed(new, context.now()))? else {
            return Reply::ok(old.version, &old);
        };
        store::update(conn, &row)?;
        context.record(conn, &[context.event("change", Subject::other("hosting", id), &patch.names())])?;
        Reply::ok(row.version, &row)
    })
    .await
}
