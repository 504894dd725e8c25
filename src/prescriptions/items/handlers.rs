//! Items of prescriptions over HTTP.

use super::rules;
use super::store::{self, ItemRow};
use super::types::{
    PrescriptionItem, PrescriptionItemChange, PrescriptionItemInput, PrescriptionItemKind, PrescriptionItemPatch,
    PrescriptionItemStatus,
};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::http::prelude::*;
use crate::members::consents::store as consents;
use crate::prescriptions::handlers::still_open;
use crate::prescriptions::{checks, store as prescriptions};

/// Add an item to a prescription
///
/// The prescription must be a draft or active. Advice can always be added; an item that refers to something can't while the
/// member wants no support.
#[utoipa::path(operation_id = "add_prescription_item", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    request_body = PrescriptionItemInput,
    responses((status = 201, description = "Added", body = PrescriptionItem), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/prescriptions/{id}/items")]
pub async fn add_prescription_item(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, JsonBody<PrescriptionItemInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, written) = (who.context(), Reach::to_people(who.caller()?)?, body.value);
    who.write(&body.bytes, move |conn| {
        let row = prescriptions::lock(conn, reach, id)?;
        still_open(&row)?;
        let whole = prescriptions::whole_one(conn, row)?;
        checks::item(conn, reach, &whole, &written)?;
        if written.kind != PrescriptionItemKind::Advice {
            consents::hold_service(conn, whole.row.member_id)?;
        }
        let position = i32::try_from(whole.items.len()).map_err(Error::internal)?;
        let item = ItemRow::new(context.new_id(), id, position, &written, reach, context.now());
        prescriptions::update(conn, &whole.row.touched(context.now()))?;
        store::insert(conn, std::slice::from_ref(&item))?;
        let subject = Subject::of_member("prescription_item", item.id, whole.row.member_id);
        context.record(conn, &[context.event("create", subject, &[])])?;
        let location = format!("/v1/prescriptions/{id}/items/{}", item.id);
        Ok(Reply::created(location, item.version, &PrescriptionItem::from(item))?.shows(subject))
    })
    .await
}

/// Get an item of a prescription
///
/// With its own version, which changing it needs.
#[utoipa::path(operation_id = "get_prescription_item", tag = "prescriptions",
    params(("id" = Id, Path, description = "The prescription"), ("item_id" = Id, Path, description = "The item")),
    responses((status = 200, description = "The item", body = PrescriptionItem), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/prescriptions/{id}/items/{item_id}")]
pub async fn get_prescription_item(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((id, item_id)), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        let prescription = prescriptions::get(conn, reach, id)?;
        let item = store::get(conn, id, item_id)?;
        let subject = Subject::of_member("prescription_item", item_id, prescription.member_id);
        Ok((item, context.reads(subject, &[])))
    };
    let item = who.state().db.read_audited(work).await?;
    who.show(Cache::Never, item.version, &PrescriptionItem::from(item))
}

/// Change an item of a prescription
///
/// A JSON merge patch. `If-Match` holds the version of the item, not of the prescription.
///
/// An item that isn't a referral begins as `proposed`, a referral to a partner as `requested`. Then `status` can change:
///
/// - from `proposed` to `accepted`, `declined`, `disengaged` or `unavailable`;
/// - from `requested` to `accepted`, `rejected`, `declined`, `disengaged` or `unavailable`;
/// - from `accepted` to `engaged`, `declined`, `disengaged` or `unavailable`;
/// - from `engaged` to `completed`, `declined`, `disengaged` or `unavailable`.
///
/// The other states are the last. `rejected` needs a `reason`; with every other state it may be given. Only an advisor
/// records the partner's answer to a referral: a member can't set it from `requested` to `accepted` or `rejected`. A
/// step that isn't in this list is 409 `invalid_state`, and its `detail` says what the item can become.
#[utoipa::path(operation_id = "change_prescription_item", tag = "prescriptions",
    params(("id" = Id, Path, description = "The prescription"), ("item_id" = Id, Path, description = "The item")),
    request_body(content = PrescriptionItemPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = PrescriptionItem), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/prescriptions/{id}/items/{item_id}")]
pub async fn change_prescription_item(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<(Id, Id)>, NoQuery, PrescriptionItemPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((id, item_id)), _, patch)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        let prescription = prescriptions::lock(conn, reach, id)?;
        let old = store::get(conn, id, item_id)?;
        context.require_match(old.version)?;
        let subject = Subject::of_member("prescription_item", item_id, prescription.member_id);
        let Some(item) = patch.change(&old, ItemRow::written, |written| old.changed(written, context.now()))? else {
            return context.unchanged(conn, subject, old.version, &PrescriptionItem::from(old));
        };
        still_open(&prescription)?;
        may_change(&old, &item.written(), reach)?;
        prescriptions::update(conn, &prescription.touched(context.now()))?;
        store::update(conn, &item)?;
        context.record(conn, &[context.event("change", subject, &patch.names())])?;
        Reply::ok(item.version, &PrescriptionItem::from(item))
    })
    .await
}

/// Whether the caller may make this change. Keeping the state is always allowed. A rejection needs a reason. A member
/// may not record what a partner answered.
fn may_change(old: &ItemRow, written: &PrescriptionItemChange, reach: Reach) -> Result<()> {
    if reach.is_member() && rules::is_partners_answer(old.status, written.status) {
        return Err(Error::rule("/status", "not_yours", "Only an advisor records the partner's answer."));
    }
    if written.status != old.status {
        rules::check_step(old.status, written.status, reach.is_member())?;
    }
    if written.status == PrescriptionItemStatus::Rejected && written.reason.is_none() {
        return Err(Error::rule("/reason", "required", "Say why the partner rejected it."));
    }
    Ok(())
}
