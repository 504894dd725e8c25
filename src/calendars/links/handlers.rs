//! Members' own calendars and their addresses over HTTP.

use super::store::{self, LinkRow};
use super::types::{CalendarLink, CalendarLinkInput, IssuedCalendarLink};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::auth::secret;
use crate::calendars::feeds::{self, Manner};
use crate::calendars::handlers::{days_before, publisher, show};
use crate::calendars::store::booked;
use crate::http::prelude::*;
use crate::members::handlers::{list_of_member, read_of_member};
use crate::members::quotas::{self, Written};
use crate::members::store as members;

/// List the addresses of a member's calendar
///
/// In the order in which they were made, without the addresses themselves. Revoked ones are included.
#[utoipa::path(operation_id = "list_calendar_links", tag = "calendars",
    params(("id" = Id, Path, description = "The member"), Paging),
    responses((status = 200, description = "A page of addresses", body = Page<CalendarLink>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/calendar-links")]
pub async fn list_calendar_links(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(paging))) = request;
    let slice = Slice::<Id>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = list_of_member(&who, id, "calendar_links", move |conn| store::list(conn, id, &wanted)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, |row| row.id, CalendarLink::from))
}

/// Get an address of a member's calendar
///
/// The answer never holds the address itself, revoked or not.
#[utoipa::path(operation_id = "get_calendar_link", tag = "calendars",
    params(("id" = Id, Path, description = "The member"), ("link_id" = Id, Path, description = "The id of the address")),
    responses((status = 200, description = "The address", body = CalendarLink), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/calendar-links/{link_id}")]
pub async fn get_calendar_link(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _)) = request;
    let link = Subject::of_member("calendar_link", id, member_id);
    let row = read_of_member(&who, member_id, (link, &[]), move |conn| store::get(conn, member_id, id)).await?;
    who.show(Cache::Never, row.version, &CalendarLink::from(row))
}

/// Make an address of a member's calendar
///
/// The answer holds the address to subscribe to, which is never shown again. Whoever has the address can read the
/// calendar. If it gets lost, revoke it. It stops working if the account that made it is disabled, or is an advisor's no
/// longer.
#[utoipa::path(operation_id = "create_calendar_link", tag = "calendars", params(("id" = Id, Path, description = "The member")),
    request_body = CalendarLinkInput,
    responses((status = 201, description = "Made", body = IssuedCalendarLink), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/members/{id}/calendar-links")]
pub async fn create_calendar_link(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, JsonBody<CalendarLinkInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(member_id), _, body)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let (written, secret, by) = (body.value, secret::new_secret()?, who.caller()?.id);
    let url = publisher(&who).address(&format!("/v1/calendars/{secret}.ics"));
    who.write(&body.bytes, move |conn| {
        members::lock(conn, reach, member_id)?;
        let hash = secret::stored(&secret);
        let row = LinkRow::new(context.new_id(), (member_id, by), written.clone(), hash, context.now());
        store::insert(conn, &row)?;
        quotas::check(conn, &context, member_id, Written::CalendarLink)?;
        let subject = Subject::of_member("calendar_link", row.id, member_id);
        context.record(conn, &[context.event("create", subject, &[])])?;
        let (version, link) = (row.version, CalendarLink::from(row));
        let location = format!("/v1/members/{member_id}/calendar-links/{}", link.id);
        Reply::created(location, version, &IssuedCalendarLink::with_url(link.clone(), url.clone()))?
            .shows(subject)
            .replayed_as(&IssuedCalendarLink::without_url(link))
    })
    .await
}

/// Revoke an address of a member's calendar
///
/// From then on the address is a 404, for good. Revoking it again changes nothing.
#[utoipa::path(operation_id = "revoke_calendar_link", tag = "calendars",
    params(("id" = Id, Path, description = "The member"), ("link_id" = Id, Path, description = "The id of the address")),
    responses((status = 204, description = "Revoked"), Missing, MayBeStale, Storage, Problems))]
#[delete("/v1/members/{id}/calendar-links/{link_id}")]
pub async fn revoke_calendar_link(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        members::get(conn, reach, member_id)?;
        let old = store::get(conn, member_id, id)?;
        context.check_match(old.version)?;
        if old.revoked_at.is_none() {
            store::update(conn, &old.revoked(context.now()))?;
            let subject = Subject::of_member("calendar_link", id, member_id);
            context.record(conn, &[context.event("revoke", subject, &[])])?;
        }
        Ok(Reply::empty())
    })
    .await
}

/// Get a member's own calendar
///
/// The address was made for the member and needs no token. The calendar holds their bookings of sessions from 30 days
/// ago on, at most 2,000: sessions to come first, then the latest past ones. Waiting and offered places are tentative.
/// Bookings cancelled in the last 30 days are shown as cancelled.
#[utoipa::path(operation_id = "get_member_calendar", tag = "calendars",
    params(("secret" = String, Path, description = "The secret of the address", max_length = 100, example = "m3b0YpYwWcK2v9q8lN5xJrT4uE7sA1dFgHjKlZxCvBn")),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar"), (status = 304, description = "Not changed"), Missing, Problems),
    security(()))]
#[get("/v1/calendars/{secret}.ics")]
pub async fn get_member_calendar(request: Extract<(Open, Path<String>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), Path(secret), _)) = request;
    let (publisher, hash) = (publisher(&context), secret::stored(&secret));
    let since = (days_before(context.now()), context.now());
    show(&context, Cache::Never, move |conn| {
        let link = store::by_secret(conn, &hash)?;
        let manner = Manner { name: link.name.clone(), neutral: link.neutral_titles };
        Ok(feeds::of_member(&publisher, &manner, &booked(conn, link.member_id, since)?))
    })
    .await
}
