//! Asking for exports and looking at them. Their documents are read in [`super::reading`].

use std::collections::BTreeMap;

use super::rules::{self, Asked, Reader};
use super::store::{self, ExportRow};
use super::types::{Export, ExportFilter, ExportInput, ExportPatch, ExportStatus};
use crate::audit::Purpose;
use crate::auth::policy::{ExportAdvisor, ExportAsker, ExportReader, SubjectAccessAdvisor};
use crate::auth::reach::Reach;
use crate::auth::store as accounts;
use crate::clock::london_day;
use crate::http::patch::unless_same;
use crate::http::prelude::*;
use crate::login::password_login::is_own_password;
use crate::members::requests;
use crate::members::store as members;

/// The kind of these events.
pub(super) const KIND: &str = "export";

/// Ask for everything that is kept about a member
///
/// Members ask for their own data, and type their password once more. An advisor with the permission `subject_access` asks
/// for a member who wrote or said that they want it: then the answer is due within a month of `received_on`. The document
/// is made within minutes. A member's own can be read then; one that an advisor asked for waits until somebody with the
/// permission `safeguarding` releases it. A member with an account is told when it is ready.
///
/// A member has at most three documents of their own at a time.
#[utoipa::path(operation_id = "request_export", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body = ExportInput,
    responses((status = 202, description = "Asked for", body = Export), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/members/{id}/export")]
pub async fn request_export(
    request: Extract<(Allowed<ExportAsker>, Path<Id>, NoQuery, JsonBody<ExportInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(member_id), _, body)) = request;
    let (context, reach, reader) = (who.context(), Reach::to_people(who.caller()?)?, Reader::of(who.caller()?)?);
    let by = who.caller()?.id;
    let account = who.state().db.read(move |conn| {
        members::get(conn, reach, member_id)?;
        accounts::account(conn, by)
    });
    let hash = account.await?.and_then(|account| account.password_hash);
    let today = london_day(who.now());
    let asked = Asked::read(body.value, reach.is_member(), today)?;
    let kind = asked.kind();
    // No digest of a password is kept: it could be guessed with it.
    let mut bytes = body.bytes;
    let (received_on, how) = match asked {
        Asked::Full(received_on, how) => (received_on, Some(how)),
        Asked::Own(password) => {
            if !is_own_password(&who, by, password, hash).await? {
                return Err(Error::rule("/current_password", "wrong_password", "Is not the current password."));
            }
            bytes = Bytes::new();
            (today, None)
        }
    };
    let due_on = requests::due_on(received_on, rules::months(false));
    who.write(&bytes, move |conn| {
        members::lock(conn, reach, member_id)?;
        let now = context.now();
        rules::check_room(kind, &store::unexpired(conn, member_id, now)?)?;
        let came = (received_on, how.clone(), due_on);
        let row = ExportRow::new((context.new_id(), member_id, kind), by, came, now);
        store::insert(conn, &row)?;
        let subject = Subject::of_member(KIND, row.id, member_id);
        context.record(conn, &[context.event("create", subject, &[])])?;
        let export = row.show(reader, now);
        let location = format!("/v1/exports/{}", export.id);
        Ok(Reply::accepted(location, Tag::live(export.version, &export)?, &export)?.shows(subject))
    })
    .await
}

/// List a member's exports
///
/// The newest first. A member sees what they asked for, and what an advisor asked for them once it can be read. An advisor
/// sees what advisors asked for.
#[utoipa::path(operation_id = "list_member_exports", tag = "members",
    params(("id" = Id, Path, description = "The member"), Paging),
    responses((status = 200, description = "A page of exports", body = Page<Export>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/exports")]
pub async fn list_member_exports(
    request: Extract<(Allowed<ExportReader>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(paging))) = request;
    let (context, reach, reader) = (who.context(), Reach::to_people(who.caller()?)?, Reader::of(who.caller()?)?);
    let slice = Slice::<Id>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let work = move |conn: &mut Conn| {
        members::get(conn, reach, id)?;
        let rows = store::of_member(conn, id, reader, &wanted)?;
        let subject = Subject { kind: KIND, id: None, member_id: Some(id) };
        let events = context.reads_list(subject, &[], &rows);
        Ok((rows, events))
    };
    let (rows, now) = (who.state().db.read_audited(work).await?, who.now());
    who.show_page(Cache::Never, &slice.page(&who, rows, ExportRow::key, |row| row.show(reader, now)))
}

/// List exports that advisors asked for
///
/// The oldest first: what is to be answered, and what is to be reviewed (`status=in_review`). For advisors with the
/// permission `subject_access` or `safeguarding`.
#[utoipa::path(operation_id = "list_exports", tag = "members", params(ExportFilter),
    responses((status = 200, description = "A page of exports", body = Page<Export>), (status = 304, description = "Not changed"), Problems))]
#[get("/v1/exports")]
pub async fn list_exports(request: Extract<(Allowed<ExportAdvisor>, Query<ExportFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let (context, reader, now) = (who.context(), Reader::of(who.caller()?)?, who.now());
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let wanted = slice.clone();
    let work = move |conn: &mut Conn| {
        let rows = store::list(conn, &filter, &wanted, now)?;
        let events = events(&context, &rows, &wanted);
        Ok((rows, events))
    };
    let rows = who.state().db.read_audited(work).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, ExportRow::key, |row| row.show(reader, now)))
}

/// One audit event for each person on the page. The row beyond the page only shows that there is a next page.
fn events(context: &Context, rows: &[ExportRow], slice: &Slice<Id>) -> Vec<Event> {
    let mut people: BTreeMap<Id, &ExportRow> = BTreeMap::new();
    for row in slice.shown(rows) {
        // One in review decides what the event of its person is for.
        if row.status_at(context.now()) == ExportStatus::InReview || !people.contains_key(&row.member_id) {
            people.insert(row.member_id, row);
        }
    }
    let subject = |row: &ExportRow| Subject { kind: KIND, id: None, member_id: Some(row.member_id) };
    let event = |row| looked(context, context.event("list", subject(row), &[]), row);
    people.into_values().map(event).collect()
}

/// That somebody looked how far an export has come. Of one in review the member's access log shows nothing, or it would
/// tell that there was a review.
fn looked(context: &Context, event: Event, row: &ExportRow) -> Event {
    match row.status_at(context.now()) {
        ExportStatus::InReview => event.for_purpose(Some(Purpose::Safeguarding)),
        _ => event,
    }
}

/// Get an export
///
/// How far it has come. Its document is at `/v1/exports/{id}/document`.
#[utoipa::path(operation_id = "get_export", tag = "members", params(("id" = Id, Path, description = "The export")),
    responses((status = 200, description = "The export", body = Export), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/exports/{id}")]
pub async fn get_export(request: Extract<(Allowed<ExportReader>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (context, reader) = (who.context(), Reader::of(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        let row = store::get(conn, reader, id)?;
        let events = context.reads(Subject::of_member(KIND, id, row.member_id), &[]);
        let events = events.into_iter().map(|event| looked(&context, event, &row)).collect();
        Ok((row, events))
    };
    let export = who.state().db.read_audited(work).await?.show(reader, who.now());
    who.show_live(Cache::Never, export.version, &export)
}

/// Extend the time to answer
///
/// A JSON merge patch. `extended: true` with a `reason` gives three months instead of one, for a complex request (ICO).
/// `extended: false` takes that back. Only until the document can be read. Needs the permission `subject_access`.
#[utoipa::path(operation_id = "change_export", tag = "members", params(("id" = Id, Path, description = "The export")),
    request_body(content = ExportPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Export), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/exports/{id}")]
pub async fn change_export(
    request: Extract<(Allowed<SubjectAccessAdvisor>, Path<Id>, NoQuery, ExportPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let (context, reader) = (who.context(), Reader::of(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        let (old, now) = (store::get(conn, reader, id)?, context.now());
        let shown = old.clone().show(reader, now);
        let tag = || Tag::live(shown.version, &shown);
        context.require_if_match()?;
        context.check_live_match(old.version, tag)?;
        let subject = Subject::of_member(KIND, id, old.member_id);
        let written = patch.apply(&old.written())?;
        let Some(row) = unless_same(&old, old.changed(written, now), ExportRow::written)? else {
            return context.unchanged(conn, subject, tag()?, &shown);
        };
        if !old.status.is_open() {
            return Err(Error::state("export", old.status_at(now), "be extended"));
        }
        store::update(conn, &row)?;
        context.record(conn, &[context.event("change", subject, &patch.names())])?;
        let export = row.show(reader, now);
        Reply::ok(Tag::live(export.version, &export)?, &export)
    })
    .await
}
