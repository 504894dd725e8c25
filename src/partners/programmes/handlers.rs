//! Programmes over HTTP.

use super::store;
use super::types::{Programme, ProgrammeInput, ProgrammePatch};
use crate::auth::policy::{ProgrammeWriter, Public};
use crate::auth::viewer::Viewer;
use crate::http::prelude::*;
use crate::partners::store::{self as partners};

/// List a partner's programmes
///
/// By name, a page at a time.
#[utoipa::path(operation_id = "list_programmes", tag = "partners",
    params(("id" = Id, Path, description = "The partner"), Paging),
    responses((status = 200, description = "A page of programmes", body = Page<Programme>), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/partners/{id}/programmes")]
pub async fn list_programmes(request: Extract<(Allowed<Public>, Path<Id>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Path(partner_id), Query(paging))) = request;
    let viewer = Viewer::of(who.anyone());
    let slice = Slice::read_public(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read(move |conn| {
        partners::get(conn, viewer, partner_id)?;
        store::list(conn, partner_id, &wanted)
    });
    who.show_page(
        Cache::Minute,
        &slice.page(
            &who,
            rows.await?,
            |programme| (programme.written.name.clone(), programme.id),
            |programme| programme,
        ),
    )
}

/// Get a programme
///
/// A programme groups the sessions of a partner under one name.
#[utoipa::path(operation_id = "get_programme", tag = "partners",
    params(("id" = Id, Path, description = "The partner"), ("programme_id" = Id, Path, description = "The programme")),
    responses((status = 200, description = "The programme", body = Programme), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/partners/{id}/programmes/{programme_id}")]
pub async fn get_programme(request: Extract<(Allowed<Public>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((partner_id, id)), _)) = request;
    let viewer = Viewer::of(who.anyone());
    let row = who.state().db.read(move |conn| {
        partners::get(conn, viewer, partner_id)?;
        store::get(conn, partner_id, id)
    });
    let row = row.await?;
    who.show(Cache::Minute, row.version, &row)
}

/// Create a programme
///
/// An admin or the partner itself may create one.
#[utoipa::path(operation_id = "create_programme", tag = "partners",
    params(("id" = Id, Path, description = "The partner")), request_body = ProgrammeInput,
    responses((status = 201, description = "Created", body = Programme), BadInput, Missing, Conflict, Storage, Problems),
    security(("bearer" = []), ("client" = ["programmes:write"])))]
#[post("/v1/partners/{id}/programmes")]
pub async fn create_programme(
    request: Extract<(Allowed<ProgrammeWriter>, Path<Id>, NoQuery, JsonBody<ProgrammeInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(partner_id), _, body)) = request;
    let (context, written) = (who.context(), body.value);
    who.write(&body.bytes, move |conn| {
        partners::reach(conn, context.caller()?, partner_id)?;
        let row = Programme::new(context.new_id(), partner_id, written.clone(), context.now());
        store::insert(conn, &row)?;
        context.record(conn, &[context.event("create", Subject::other("programme", row.id), &[])])?;
        let location = format!("/v1/partners/{partner_id}/programmes/{}", row.id);
        Reply::created(location, row.version, &row)
    })
    .await
}

/// Change a programme
///
/// A JSON merge patch. An admin or the partner itself may change it.
#[utoipa::path(operation_id = "change_programme", tag = "partners",
    params(("id" = Id, Path, description = "The partner"), ("programme_id" = Id, Path, description = "The programme")),
    request_body(content = ProgrammePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Programme), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["programmes:write"])))]
#[patch("/v1/partners/{id}/programmes/{programme_id}")]
pub async fn change_programme(
    request: Extract<(Allowed<ProgrammeWriter>, Path<(Id, Id)>, NoQuery, ProgrammePatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((partner_id, id)), _, patch)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        partners::reach(conn, context.caller()?, partner_id)?;
        let old = store::get(conn, partner_id, id)?;
        context.require_match(old.version)?;
        let Some(row) = patch.change(&old, |old| old.written.clone(), |new| old.changed(new, context.now()))? else {
            return Reply::ok(old.version, &old);
        };
        store::update(conn, &row)?;
        context.record(conn, &[context.event("change", Subject::other("programme", id), &patch.names())])?;
        Reply::ok(row.version, &row)
    })
    .await
}
