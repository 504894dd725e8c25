//! Prescriptions over HTTP.

use std::collections::HashSet;

use super::items::store::ItemRow;
use super::store::{self, PrescriptionRow, Whole};
use super::types::{
    MemberPrescriptionFilter, Prescription, PrescriptionFilter, PrescriptionInput, PrescriptionPatch,
    PrescriptionStatus,
};
use super::{checks, rules};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::consents::store as consents;
use crate::members::quotas::{self, Written};
use crate::members::signatures::Signatures;
use crate::members::{activity, store as members};

/// Write a prescription
///
/// A member writes one for themselves, with the origin `self`. An advisor writes one for anybody. It begins as a draft.
#[utoipa::path(operation_id = "create_prescription", tag = "prescriptions", request_body = PrescriptionInput,
    responses((status = 201, description = "Written", body = Prescription), BadInput, Conflict, Storage, Problems))]
#[post("/v1/prescriptions")]
pub async fn create_prescription(
    request: Extract<(Allowed<MemberOrAdvisor>, NoQuery, JsonBody<PrescriptionInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, reach, written) = (who.context(), Reach::to_people(who.caller()?)?, body.value);
    let advisor_id = if !reach.is_member() { Some(who.caller()?.id) } else { None };
    who.write(&body.bytes, move |conn| {
        let now = context.now();
        checks::new(conn, reach, london_day(now), &written)?;
        consents::hold_service(conn, written.member_id)?;
        let row = PrescriptionRow::new(context.new_id(), &written, advisor_id, now);
        let item = |(position, item)| ItemRow::new(context.new_id(), row.id, position, item, reach, now);
        let items = (0..).zip(&written.items).map(item).collect();
        let whole = Whole { row, needs: written.needs.clone(), items };
        store::insert(conn, std::slice::from_ref(&whole))?;
        quotas::check(conn, &context, written.member_id, Written::Prescription)?;
        record(&context, conn, "create", &whole.row, &[])?;
        let (location, version) = (format!("/v1/prescriptions/{}", whole.row.id), whole.row.version);
        let subject = whole.row.subject();
        Ok(Reply::created(location, version, &whole.show(conn, reach)?)?.shows(subject))
    })
    .await
}

/// The audit event of an action on a prescription.
pub(super) fn record(
    context: &Context,
    conn: &mut Conn,
    action: &'static str,
    row: &PrescriptionRow,
    fields: &[&str],
) -> Result<()> {
    activity::note(conn, row.member_id, london_day(context.now()))?;
    context.record(conn, &[context.event(action, row.subject(), fields)])
}

/// List prescriptions
///
/// In the order in which they were written. A member sees only their own.
#[utoipa::path(operation_id = "list_prescriptions", tag = "prescriptions", params(PrescriptionFilter),
    responses((status = 200, description = "A page of prescriptions", body = Page<Prescription>), (status = 304, description = "Not changed"), Problems))]
#[get("/v1/prescriptions")]
pub async fn list_prescriptions(
    request: Extract<(Allowed<MemberOrAdvisor>, Query<PrescriptionFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    show_list(&who, filter, None).await
}

/// List a member's prescriptions
///
/// In the order in which they were written.
#[utoipa::path(operation_id = "list_member_prescriptions", tag = "prescriptions",
    params(("id" = Id, Path, description = "The member"), MemberPrescriptionFilter),
    responses((status = 200, description = "A page of prescriptions", body = Page<Prescription>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/prescriptions")]
pub async fn list_member_prescriptions(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<MemberPrescriptionFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(filter))) = request;
    let MemberPrescriptionFilter { status, limit, cursor } = filter;
    show_list(&who, PrescriptionFilter { member_id: Some(id), status, limit, cursor }, Some(id)).await
}

/// A page of prescriptions. If the path names a `member`, the caller must be allowed to see that member.
async fn show_list(context: &Context, filter: PrescriptionFilter, member: Option<Id>) -> Result<HttpResponse> {
    let slice = Slice::<Id>::read(context, filter.limit, filter.cursor.as_deref())?;
    let (reader, reach, wanted) = (context.clone(), Reach::to_people(context.caller()?)?, slice.clone());
    let work = move |conn: &mut Conn| {
        if let Some(member) = member {
            members::get(conn, reach, member)?;
        }
        // Whoever is asked for in the query may have been merged or erased too: also a member's own old id leads on.
        let of = filter.member_id.map(|id| known(conn, reach, id)).transpose()?.flatten();
        let rows = store::list(conn, reach, &filter, &wanted)?;
        let events = match of {
            _ if reach.is_member() => Vec::new(),
            Some(member) => reader.reads_list(Subject::of_member("member", member, member), &["prescriptions"], &rows),
            None => events(&reader, &rows, &wanted),
        };
        let signatures = Signatures::of(conn, reach, rows.iter().filter_map(|row| row.advisor_id))?;
        Ok(((store::whole(conn, rows)?, signatures), events))
    };
    let (rows, signatures) = context.state().db.read_audited(work).await?;
    context.show_page(Cache::Never, &slice.page(context, rows, |whole| whole.row.id, |whole| whole.signed(&signatures)))
}

/// This member, if there is one within the caller's reach.
///
/// # Errors
/// A redirect if the record was merged into one that the caller reaches; 410 if it was erased and the caller reaches
/// everybody.
fn known(conn: &mut Conn, reach: Reach, id: Id) -> Result<Option<Id>> {
    match members::check(conn, reach, id) {
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        outcome => outcome.map(|()| Some(id)),
    }
}

/// One audit event for each person on the page. The row beyond the page only shows that there is a next page.
fn events(context: &Context, rows: &[PrescriptionRow], slice: &Slice<Id>) -> Vec<Event> {
    let mut seen = HashSet::new();
    let shown = slice.shown(rows).iter();
    let people = shown.map(|row| row.member_id).filter(|member| seen.insert(*member));
    let subject = |member| Subject { kind: "prescription", id: None, member_id: Some(member) };
    people.map(|member| context.event("list", subject(member), &[])).collect()
}

/// Get a prescription
///
/// The answer includes needs and items. A member sees only their own prescriptions, an advisor all.
#[utoipa::path(operation_id = "get_prescription", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    responses((status = 200, description = "The prescription", body = Prescription), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/prescriptions/{id}")]
pub async fn get_prescription(request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        let row = store::get(conn, reach, id)?;
        let events = context.reads(Subject::of_member("prescription", id, row.member_id), &[]);
        Ok((store::whole_one(conn, row)?.show(conn, reach)?, events))
    };
    let prescription = who.state().db.read_audited(work).await?;
    who.show(Cache::Never, prescription.version, &prescription)
}

/// Change a prescription
///
/// A JSON merge patch. `needs` replaces the whole list. Only a draft or an active prescription can be changed. A member
/// may change the site only in a draft that they wrote themselves; otherwise an advisor must.
#[utoipa::path(operation_id = "change_prescription", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    request_body(content = PrescriptionPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Prescription), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/prescriptions/{id}")]
pub async fn change_prescription(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, PrescriptionPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        let old = store::lock(conn, reach, id)?;
        context.require_match(old.version)?;
        if reach.is_member() {
            patch.refuse(&["developed_on"], "Only an advisor may give this. Leave it out.")?;
        }
        let old = store::whole_one(conn, old)?;
        let Some(next) = patch.change(&old, Whole::written, |written| old.changed(written, context.now()))? else {
            let subject = Subject::of_member("prescription", id, old.row.member_id);
            let shown = old.show(conn, reach)?;
            return context.unchanged(conn, subject, shown.version, &shown);
        };
        still_open(&old.row)?;
        checks::change(conn, reach, &old, london_day(context.now()), &next.written())?;
        store::update(conn, &next.row)?;
        if next.needs != old.needs {
            store::replace_needs(conn, id, &next.needs)?;
        }
        record(&context, conn, "change", &next.row, &patch.names())?;
        Reply::ok(next.row.version, &next.show(conn, reach)?)
    })
    .await
}

/// Refuses a prescription that is neither a draft nor active.
pub(super) fn still_open(row: &PrescriptionRow) -> Result<()> {
    if rules::is_open(row.status) { Ok(()) } else { Err(rules::refused(row.status, "changed")) }
}

/// Delete a draft
///
/// Only a draft can be deleted. Decline or close an active prescription instead.
#[utoipa::path(operation_id = "delete_prescription", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    responses((status = 204, description = "Deleted"), Missing, Conflict, MayBeStale, Storage, Problems))]
#[delete("/v1/prescriptions/{id}")]
pub async fn delete_prescription(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        let row = store::lock(conn, reach, id)?;
        context.check_match(row.version)?;
        if row.status != PrescriptionStatus::Draft {
            return Err(rules::refused(row.status, "deleted"));
        }
        store::delete(conn, id)?;
        record(&context, conn, "delete", &row, &[])?;
        Ok(Reply::empty())
    })
    .await
}
