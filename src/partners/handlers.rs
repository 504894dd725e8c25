//! Partners over HTTP.

use super::store::{self, PartnerRow};
use super::types::{Partner, PartnerInput, PartnerPatch};
use crate::auth::policy::{AdminOnly, Public};
use crate::auth::viewer::Viewer;
use crate::http::prelude::*;

/// List partners
///
/// By name, a page at a time. The public sees active partners. Admins and advisors see all partners,
/// with their contacts.
#[utoipa::path(operation_id = "list_partners", tag = "partners", params(Paging),
    responses((status = 200, description = "A page of partners", body = Page<Partner>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/partners")]
pub async fn list_partners(request: Extract<(Allowed<Public>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Query(paging))) = request;
    let viewer = Viewer::of(who.anyone());
    let slice = Slice::read_public(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read_one(move |conn| store::list(conn, viewer, &wanted)).await?;
    who.show_page(Cache::Minute, &slice.page(&who, rows, PartnerRow::key, |row| row.seen_by(viewer)))
}

/// Get a partner
///
/// Only admins, advisors and the partner itself see its contact.
#[utoipa::path(operation_id = "get_partner", tag = "partners", params(("id" = Id, Path, description = "The partner")),
    responses((status = 200, description = "The partner", body = Partner), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/partners/{id}")]
pub async fn get_partner(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let viewer = Viewer::of(who.anyone());
    let row = who.state().db.read_one(move |conn| store::get(conn, viewer, id)).await?;
    who.show(Cache::Minute, row.tag(viewer), &row.seen_by(viewer))
}

/// Create a partner
///
/// Its slug must be new. To give the partner an API client, create one afterwards.
#[utoipa::path(operation_id = "create_partner", tag = "partners", request_body = PartnerInput,
    responses((status = 201, description = "Created", body = Partner), BadInput, Conflict, Storage, Problems))]
#[post("/v1/partners")]
pub async fn create_partner(
    request: Extract<(Allowed<AdminOnly>, NoQuery, JsonBody<PartnerInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, written) = (who.context(), body.value);
    who.write(&body.bytes, move |conn| {
        let row = PartnerRow::new(context.new_id(), written.clone(), context.now());
        store::insert(conn, &row)?;
        context.record(conn, &[context.event("create", Subject::other("partner", row.id), &[])])?;
        Reply::created(format!("/v1/partners/{}", row.id), row.version, &Partner::from(row))
    })
    .await
}

/// Change a partner
///
/// A JSON merge patch. A partner that is no longer `active` gets no tokens, and its live tokens are refused at once. Its
/// sessions take no new bookings. Who was offered a seat waits again, and is the first to get an offer when the partner
/// is `active` again.
#[utoipa::path(operation_id = "change_partner", tag = "partners", params(("id" = Id, Path, description = "The partner")),
    request_body(content = PartnerPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Partner), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/partners/{id}")]
pub async fn change_partner(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, PartnerPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, Viewer::Staff, id)?;
        context.require_match(old.version)?;
        let old_status = old.status;
        let Some(row) = patch.change(&old, PartnerRow::written, |written| old.changed(written, context.now()))? else {
            return Reply::ok(old.version, &Partner::from(old));
        };
        store::update(conn, &row)?;
        context.record(conn, &[context.event("change", Subject::other("partner", id), &patch.names())])?;
        if row.status != old_status {
            (context.state().hooks.partner_changed)(conn, &context, id)?;
        }
        Reply::ok(row.version, &Partner::from(row))
    })
    .await
}
