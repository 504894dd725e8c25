//! Named areas over HTTP.

use super::store;
use super::types::{ReportArea, ReportAreaInput};
use crate::auth::policy::{AdminOnly, Reports};
use crate::error::Fault;
use crate::http::patch::unless_same;
use crate::http::prelude::*;
use crate::text::slug::is_slug;

/// List named areas
///
/// The areas that reports can count together, by slug. `liverpool-and-sefton` exists from the start.
#[utoipa::path(operation_id = "list_report_areas", tag = "reports", params(Paging),
    responses((status = 200, description = "A page of areas", body = Page<ReportArea>), (status = 304, description = "Not changed"), Problems))]
#[get("/v1/report-areas")]
pub async fn list_report_areas(request: Extract<(Allowed<Reports>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Query(paging))) = request;
    let slice = Slice::<String>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read_one(move |conn| store::list(conn, &wanted)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, ReportArea::key, |area| area))
}

/// Get a named area
///
/// By its slug, with the local authorities that it counts together.
#[utoipa::path(operation_id = "get_report_area", tag = "reports",
    params(("slug" = String, Path, description = "The area's slug", max_length = 80, example = "liverpool-and-sefton")),
    responses((status = 200, description = "The area", body = ReportArea), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/report-areas/{slug}")]
pub async fn get_report_area(request: Extract<(Allowed<Reports>, Path<String>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(slug), _)) = request;
    let row = who.state().db.read_one(move |conn| store::find(conn, &slug)).await?;
    let row = row.ok_or_else(|| Error::not_found("area"))?;
    who.show(Cache::Never, row.version, &row)
}

/// Name an area, or change one
///
/// Send the whole area. To create one, send `If-None-Match: *`. There can be at most five: with many combinations of
/// places, small counts could be worked out. Sending what the area already holds changes nothing.
#[utoipa::path(operation_id = "put_report_area", tag = "reports",
    params(("slug" = String, Path, description = "The area's slug: words of a to z and 0 to 9 joined by hyphens", max_length = 80, example = "liverpool-and-sefton")),
    request_body = ReportAreaInput,
    responses((status = 200, description = "As it stands now", body = ReportArea), (status = 201, description = "Named", body = ReportArea), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[put("/v1/report-areas/{slug}")]
pub async fn put_report_area(
    request: Extract<(Allowed<AdminOnly>, Path<String>, NoQuery, JsonBody<ReportAreaInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(slug), _, body)) = request;
    if !is_slug(&slug) {
        let detail = "Must be words of a to z and 0 to 9 joined by hyphens, such as liverpool-and-sefton.";
        return Err(Error::parameter("slug", "wrong_format", detail));
    }
    let (context, written) = (who.context(), checked(body.value)?);
    who.write(&Bytes::new(), move |conn| {
        let event = |action, id| context.event(action, Subject::other("report_area", id), &[]);
        let Some(old) = store::find(conn, &slug)? else {
            context.require_absence()?;
            let number = store::free_number(conn)?;
            let row = ReportArea::new(context.new_id(), number, slug.clone(), written.clone(), context.now());
            store::insert(conn, &row)?;
            context.record(conn, &[event("create", row.id)])?;
            return Reply::created(format!("/v1/report-areas/{slug}"), row.version, &row);
        };
        context.require_match(old.version)?;
        let Some(row) = unless_same(&old, old.changed(written.clone(), context.now()), ReportArea::written)? else {
            return Reply::ok(old.version, &old);
        };
        store::update(conn, &row)?;
        context.record(conn, &[event("change", row.id)])?;
        Reply::ok(row.version, &row)
    })
    .await
}

/// The area with the official names of its local authorities. Each may be given once, under whatever name.
///
/// # Errors
/// 422 with every fault.
fn checked(written: ReportAreaInput) -> Result<ReportAreaInput> {
    let mut faults = Vec::new();
    for (index, name) in written.local_authorities.iter().enumerate() {
        if written.local_authorities[..index].contains(name) {
            let at = format!("/local_authorities/{index}");
            faults.push(Fault::at(at, "repeated", "This local authority is already in the list."));
        }
    }
    if faults.is_empty() { Ok(written) } else { Err(Error::invalid(faults)) }
}
