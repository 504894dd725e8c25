//! Reading the document of an export, and releasing one that was reviewed.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue, VARY};

use super::document::types::ExportDocument;
use super::document::withhold;
use super::handlers::KIND;
use super::html;
use super::making::tell;
use super::rules::Reader;
use super::store;
use super::types::{Export, ExportRelease, ExportStatus};
use crate::audit::Purpose;
use crate::auth::policy::{ExportReader, SafeguardingAdvisor};
use crate::http::negotiation::Medium;
use crate::http::prelude::*;
use crate::http::sending;

/// Get the document of an export
///
/// Everything that is kept about the member: as JSON for programs, or as a page to print if the client prefers HTML.
/// Whoever reads it is counted and recorded. A document in review is only for holders of `safeguarding`. Seven days after
/// it is ready it is removed, and the answer is 410.
#[utoipa::path(operation_id = "get_export_document", tag = "members", params(("id" = Id, Path, description = "The export")),
    responses((status = 200, description = "The document", content((ExportDocument = "application/json"), (String = "text/html"))),
        (status = 304, description = "Not changed"), Missing, Gone, Conflict, Storage, Problems))]
#[get("/v1/exports/{id}/document")]
pub async fn get_export_document(
    request: Extract<(Allowed<ExportReader>, Path<Id>, NoQuery, Medium)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, medium)) = request;
    let (context, reader, now) = (who.context(), Reader::of(who.caller()?)?, who.now());
    let turn = who.state().long_answers.for_request(who.owner()).await?;
    // Not in the transaction that counts: on SQLite nobody else could write while megabytes are read.
    let (_, document) = who.state().db.read_long(move |conn| store::document(conn, reader, id, now)).await?;
    let counted = who.write_anew(move |conn| {
        let row = store::count_reading(conn, reader, id, now)?;
        let in_review = row.status_at(now) == ExportStatus::InReview;
        let purpose = if in_review { Purpose::Safeguarding } else { Purpose::SubjectAccess };
        let event = context.event("read", Subject::of_member(KIND, id, row.member_id), &["document"]);
        context.record(conn, &[event.for_purpose(Some(purpose))])
    });
    counted.await?;
    let (kind, body, file) = match medium {
        Medium::Json => ("application/json", document, "attachment; filename=\"life-rooms-export.json\""),
        Medium::Html => {
            let made = actix_web::web::block(move || html::page(&document)).await.map_err(Error::blocking)?;
            ("text/html; charset=utf-8", made?.into_bytes(), "attachment; filename=\"life-rooms-export.html\"")
        }
    };
    let mut response = who.show_text(Cache::Never, kind, body);
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static(file));
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
    Ok(sending::with_turn(turn, response))
}

/// Release the document of an export
///
/// After a review, with all of its sections or without some of them: what is `withheld` leaves the document, which then
/// says so and why. From then on the document can be read for seven days. Needs the permission `safeguarding`.
#[utoipa::path(operation_id = "release_export", tag = "members", params(("id" = Id, Path, description = "The export")),
    request_body = Option<ExportRelease>,
    responses((status = 200, description = "Released", body = Export), BadInput, Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/exports/{id}/release")]
pub async fn release_export(
    request: Extract<(Allowed<SafeguardingAdvisor>, Path<Id>, NoQuery, OptionalJson<ExportRelease>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reader, now) = (who.context(), Reader::of(who.caller()?)?, who.now());
    let ExportRelease { withheld, reason } = body.value;
    let (sections, why) = (withheld.clone(), reason.clone().unwrap_or_default());
    let shortened = who.state().db.read_long(move |conn| {
        let row = store::get(conn, reader, id)?;
        if row.status_at(now) != ExportStatus::InReview {
            // Inside the transaction this is looked at again, and answered.
            return Ok(Vec::new());
        }
        let (_, document) = store::document(conn, reader, id, now)?;
        withhold(&document, &sections, &why)
    });
    let document = shortened.await?;
    who.write(&body.bytes, move |conn| {
        let reviewed = store::get(conn, reader, id)?;
        let shown = reviewed.clone().show(reader, now);
        context.check_live_match(reviewed.version, || Tag::live(shown.version, &shown))?;
        if reviewed.status_at(now) != ExportStatus::InReview || document.is_empty() {
            return Err(Error::state("export", reviewed.status_at(now), "be released"));
        }
        store::release(conn, &reviewed, &document, (&withheld, reason.as_deref()), now)?;
        let event = context.event("release", Subject::of_member(KIND, id, reviewed.member_id), &["document"]);
        context.record(conn, &[event.for_purpose(Some(Purpose::Safeguarding))])?;
        tell(conn, id, reviewed.member_id, now)?;
        let export = store::get(conn, reader, id)?.show(reader, now);
        Ok(Reply::ok(Tag::live(export.version, &export)?, &export)?.about(export.member_id))
    })
    .await
}
