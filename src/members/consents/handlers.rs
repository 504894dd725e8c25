//! Consents over HTTP.

use super::store::{self, ConsentKey, ConsentRow};
use super::types::{Consent, ConsentInput};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::activity;
use crate::members::handlers::{list_of_member, read_of_member};
use crate::members::store as members;

/// List a member's consents
///
/// In the order in which they were recorded. The one recorded last for a purpose (and partner) decides.
#[utoipa::path(operation_id = "list_consents", tag = "members",
    params(("id" = Id, Path, description = "The member"), Paging),
    responses((status = 200, description = "A page of consents", body = Page<Consent>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/consents")]
pub async fn list_consents(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(filter))) = request;
    let slice = Slice::<ConsentKey>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = list_of_member(&who, id, "consents", move |conn| store::list(conn, id, &wanted)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, ConsentRow::key, Consent::from))
}

/// Get a consent
///
/// As it was recorded: a consent never changes. One that was recorded later for the same purpose takes its place.
#[utoipa::path(operation_id = "get_consent", tag = "members",
    params(("id" = Id, Path, description = "The member"), ("consent_id" = Id, Path, description = "The consent")),
    responses((status = 200, description = "The consent", body = Consent), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/consents/{consent_id}")]
pub async fn get_consent(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _)) = request;
    let consent = Subject::of_member("consent", id, member_id);
    let row = read_of_member(&who, member_id, (consent, &[]), move |conn| store::get(conn, member_id, id)).await?;
    who.show_plain(Cache::Never, &Consent::from(row))
}

/// Record a consent
///
/// Consents are only ever added: to withdraw one, record another with `withdrawn`. It takes effect at once.
#[utoipa::path(operation_id = "record_consent", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body = ConsentInput,
    responses((status = 201, description = "Recorded", body = Consent), BadInput, Missing, Storage, Problems))]
#[post("/v1/members/{id}/consents")]
pub async fn record_consent(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, JsonBody<ConsentInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, written) = (who.context(), Reach::to_people(who.caller()?)?, body.value);
    let recorder = who.caller()?.id;
    who.write(&body.bytes, move |conn| {
        members::lock(conn, reach, id)?;
        if let Some(partner_id) = written.partner_id
            && !store::partner_exists(conn, partner_id, reach, written.decision)?
        {
            return Err(Error::rule("/partner_id", "unknown_partner", "There is no such partner."));
        }
        let at = store::next_instant(conn, id, context.now())?;
        let row = ConsentRow::new(context.new_id(), id, written.clone(), recorder, at);
        store::insert(conn, std::slice::from_ref(&row))?;
        activity::note(conn, id, london_day(context.now()))?;
        let subject = Subject::of_member("consent", row.id, id);
        context.record(conn, &[context.event("create", subject, &["purpose", "partner_id", "decision"])])?;
        let consent = Consent::from(row);
        let location = format!("/v1/members/{id}/consents/{}", consent.id);
        Ok(Reply::created(location, Tag::of(&consent)?, &consent)?.about(id))
    })
    .await
}
