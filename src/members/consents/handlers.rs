//! Consents over HTTP.

use super::store::{self, ConsentKey, ConsentRow};
use super::types::{Consent, ConsentDecision, ConsentFilter, ConsentInput, ConsentPurpose, RecordedConsent};
use super::withdrawal;
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::error::Fault;
use crate::http::prelude::*;
use crate::members::activity;
use crate::members::handlers::{list_of_member, read_of_member};
use crate::members::quotas::{self, Written};
use crate::members::signatures::Signatures;
use crate::members::store as members;

/// List a member's consents
///
/// In the order in which they were recorded. The one recorded last for a purpose (and partner) decides: `current=true`
/// lists only those. What isn't in that list was never decided.
#[utoipa::path(operation_id = "list_consents", tag = "members",
    params(("id" = Id, Path, description = "The member"), ConsentFilter),
    responses((status = 200, description = "A page of consents", body = Page<Consent>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/consents")]
pub async fn list_consents(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<ConsentFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(filter))) = request;
    let slice = Slice::<ConsentKey>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let wanted = slice.clone();
    let reach = Reach::to_people(who.caller()?)?;
    let read = move |conn: &mut Conn| {
        let rows = store::list(conn, id, filter.current, &wanted)?;
        let signatures = Signatures::of(conn, reach, rows.iter().flat_map(ConsentRow::accounts))?;
        Ok(rows.into_iter().map(|row| (row.key(), row.show(&signatures))).collect())
    };
    let rows: Vec<(ConsentKey, Consent)> = list_of_member(&who, id, "consents", read).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, |(key, _)| *key, |(_, consent)| consent))
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
    let reach = Reach::to_people(who.caller()?)?;
    let read = move |conn: &mut Conn| {
        let row = store::get(conn, member_id, id)?;
        let signatures = Signatures::of(conn, reach, row.accounts())?;
        Ok(row.show(&signatures))
    };
    who.show_plain(Cache::Never, &read_of_member(&who, member_id, (consent, &[]), read).await?)
}

/// Record a consent
///
/// Consents are only ever added: to withdraw one, record another with `withdrawn`. It takes effect at once. Without
/// `service_delivery` nothing new can be booked, prescribed or referred (409 `no-consent`), and no messages are sent. What
/// stands already stays, and the answer lists it. A booking that waits keeps its turn, and gets no offer until the consent
/// is given again; an offer is taken back. What a partner has seen isn't called back.
///
/// Withdrawing what is withdrawn already adds nothing: 200 with the consent that stands.
#[utoipa::path(operation_id = "record_consent", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body = ConsentInput,
    responses((status = 200, description = "It was withdrawn already", body = RecordedConsent), (status = 201, description = "Recorded", body = RecordedConsent), BadInput, Missing, Storage, Problems))]
#[post("/v1/members/{id}/consents")]
pub async fn record_consent(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, JsonBody<ConsentInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, written) = (who.context(), Reach::to_people(who.caller()?)?, body.value);
    let recorder = who.caller()?.id;
    who.write(&body.bytes, move |conn| {
        members::lock(conn, reach, id)?;
        Error::unless_none(faults(conn, reach, &written)?)?;
        if let Some(stands) = store::withdrawn_already(conn, id, &written)? {
            let subject = Subject::of_member("consent", stands.id, id);
            let answer = withdrawal::recorded(conn, (id, reach), stands, context.now())?;
            context.record(conn, &context.reads(subject, &["purpose", "decision"]))?;
            return Ok(Reply::ok(Tag::of(&answer.consent)?, &answer)?.shows(subject));
        }
        let evidence = written.evidence.clone().filter(|_| !reach.is_member());
        let (written, now) = (ConsentInput { evidence, ..written.clone() }, context.now());
        let row = ConsentRow::new(context.new_id(), id, written, recorder, store::next_instant(conn, id, now)?);
        store::insert(conn, std::slice::from_ref(&row))?;
        // A consent can always be withdrawn.
        if row.decision == ConsentDecision::Given {
            quotas::check(conn, &context, id, Written::Consent)?;
        }
        if row.purpose == ConsentPurpose::ServiceDelivery {
            (context.state().hooks.may_be_offered_changed)(conn, &context, id)?;
        }
        activity::note(conn, id, london_day(now))?;
        let subject = Subject::of_member("consent", row.id, id);
        context.record(conn, &[context.event("create", subject, &["purpose", "partner_id", "decision"])])?;
        let answer = withdrawal::recorded(conn, (id, reach), row, now)?;
        let left = [("bookings", answer.bookings.len()), ("prescriptions", answer.prescriptions.len())];
        let left: Vec<&str> = left.iter().filter(|(_, count)| *count > 0).map(|(name, _)| *name).collect();
        context.record(conn, &context.reads_list(Subject::of_member("member", id, id), &left, &left))?;
        let location = format!("/v1/members/{id}/consents/{}", answer.consent.id);
        Ok(Reply::created(location, Tag::of(&answer.consent)?, &answer)?.shows(subject))
    })
    .await
}

/// What is wrong with a consent that a caller with this reach records.
fn faults(conn: &mut Conn, reach: Reach, written: &ConsentInput) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    if let Some(partner) = written.partner_id
        && !store::partner_exists(conn, partner, reach, written.decision)?
    {
        faults.push(Fault::at("/partner_id", "unknown_partner", "There is no such partner."));
    }
    match (written.told_by, reach.is_member()) {
        (Some(_), true) => {
            faults.push(Fault::at("/told_by", "not_yours", "Only an advisor may give this. Leave it out."));
        }
        (Some(account), false) if !store::is_staff(conn, account)? => {
            let detail = "There is no such account of an advisor or an admin.";
            faults.push(Fault::at("/told_by", "unknown_user", detail));
        }
        _ => {}
    }
    if written.evidence.is_none() && !reach.is_member() {
        faults.push(Fault::at("/evidence", "required", "Say how the decision is known."));
    }
    Ok(faults)
}
