//! Sites over HTTP.

use super::store;
use super::types::{Site, SiteInput, SitePatch};
use crate::auth::policy::{AdminOnly, Public};
use crate::http::prelude::*;

/// List sites
///
/// By name, a page at a time.
#[utoipa::path(operation_id = "list_sites", tag = "venues", params(Paging),
    responses((status = 200, description = "A page of sites", body = Page<Site>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sites")]
pub async fn list_sites(request: Extract<(Allowed<Public>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Query(paging))) = request;
    let slice = Slice::read_public(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read_one(move |conn| store::list(conn, &wanted)).await?;
    who.show_page(Cache::Minute, &slice.page(&who, rows, |site| (site.written.name.clone(), site.id), |site| site))
}

/// Get a site
///
/// A site keeps its name when it moves from venue to venue. Its hostings say at which venue it is, and when.
#[utoipa::path(operation_id = "get_site", tag = "venues", params(("id" = Id, Path, description = "The site")),
    responses((status = 200, description = "The site", body = Site), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sites/{id}")]
pub async fn get_site(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let row = who.state().db.read_one(move |conn| store::get(conn, id)).await?;
    who.show(Cache::Minute, row.version, &row)
}

/// Create a site
///
/// Its slug must be new. Then create a hosting, to say at which venue it is.
#[utoipa::path(operation_id = "create_site", tag = "venues", request_body = SiteInput,
    responses((status = 201, description = "Created", body = Site), BadInput, Conflict, Storage, Problems))]
#[post("/v1/sites")]
pub async fn create_site(request: Extract<(Allowed<AdminOnly>, NoQuery, JsonBody<SiteInput>)>) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, written) = (who.context(), body.value);
    who.write(&body.bytes, move |conn| {
        let row = Site::new(context.new_id(), written.clone(), context.now());
        store::insert(conn, &row)?;
        context.record(conn, &[context.event("create", Subject::other("site", row.id), &[])])?;
        Reply::created(format!("/v1/sites/{}", row.id), row.version, &row)
    })
    .await
}

/// Change a site
///
/// A JSON merge patch.
#[utoipa::path(operation_id = "change_site", tag = "venues", params(("id" = Id, Path, description = "The site")),
    request_body(content = SitePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Site), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/sites/{id}")]
pub async fn change_site(request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, SitePatch)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, id)?;
        context.require_match(old.version)?;
        let Some(row) = patch.change(&old, |old| old.written.clone(), |new| old.changed(new, context.now()))? else {
            return Reply::ok(old.version, &old);
        };
        store::update(conn, &row)?;
        context.record(conn, &[context.event("change", Subject::other("site", id), &patch.names())])?;
        Reply::ok(row.version, &row)
    })
    .await
}
