//! Bookings over HTTP.

use std::collections::HashSet;

use super::lists::{self, Made, MemberBookingKey, Sessions};
use super::related::Related;
use super::rules::Terms;
use super::seats::SessionFacts;
use super::store::{self, BookedRow, Booker};
use super::telling::{self, News};
use super::types::{
    BookedBy, BookedWhen, Booking, BookingInput, BookingStatus, Cancellation, CancelledBy, MemberBookings,
};
use crate::auth::policy::{BookingReader, MemberOrAdvisor};
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::activity;
use crate::members::quotas::{self, Written};
use crate::members::sharing::read_shared;
use crate::messages::kinds::MessageKind;

/// The time of a request, and how long offered seats are held.
pub(crate) fn terms(context: &Context) -> Terms {
    Terms { now: context.now(), hours: context.state().config.offers }
}

/// The booking as it is shown to this caller, with its place in a waiting list.
fn shown(conn: &mut Conn, reach: Reach, booked: BookedRow) -> Result<Booking> {
    let related = Related::of(conn, std::slice::from_ref(&booked))?;
    Ok(show(&related, reach, booked))
}

fn show(related: &Related, reach: Reach, booked: BookedRow) -> Booking {
    let for_other = reach.is_member() && !is_own(reach, &booked);
    let booking = related.show(booked);
    if for_other { booking.without_item() } else { booking }
}

/// Checks `If-Match` against the booking as it is shown now, with its place in a waiting list.
fn check_match(conn: &mut Conn, context: &Context, reach: Reach, booked: &BookedRow) -> Result<()> {
    context.check_live_match(booked.0.version, || {
        let booking = shown(conn, reach, booked.clone())?;
        Tag::live(booking.version, &booking)
    })
}

/// Book a place
///
/// Members book for themselves, and for somebody whose relationship with them says so (`may_book`). An advisor books for
/// any member. A party gets all its seats or none. If there are too
/// few seats or others already wait, `if_full: wait` puts the booking on the waiting list. When a seat is offered to a
/// booking that waits, its `status` becomes `offered`, and the member is told.
#[utoipa::path(operation_id = "create_booking", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    request_body = BookingInput,
    responses((status = 201, description = "Booked, or waitlisted", body = Booking), BadInput, Missing, Conflict, Storage, Problems),
    security(("bearer" = [])))]
#[post("/v1/sessions/{id}/bookings")]
pub async fn create_booking(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, JsonBody<BookingInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), _, body)) = request;
    let (context, wish) = (who.context(), body.value);
    let (reach, account) = (Reach::to_people(who.caller()?)?, who.caller()?.id);
    who.write(&body.bytes, move |conn| {
        let by = Booker { reach, account, id: context.new_id(), terms: terms(&context) };
        let booked = store::book(conn, session_id, &wish, by)?;
        quotas::check(conn, &context, booked.0.member_id, Written::Booking)?;
        activity::note(conn, booked.0.member_id, london_day(context.now()))?;
        context.record(conn, &[event(&context, "create", &booked, &[])])?;
        tell(conn, &context, &booked)?;
        let (subject, booking) = (subject(&booked), shown(conn, reach, booked)?);
        let location = format!("/v1/bookings/{}", booking.id);
        Ok(Reply::created(location, Tag::live(booking.version, &booking)?, &booking)?.shows(subject))
    })
    .await
}

/// List a session's bookings
///
/// The oldest first, a page at a time. A partner sees the bookings of its own sessions, with their references. It sees
/// who booked only if the member consents to share data with it. Members see their own bookings, and those they made for
/// somebody for whom they may book.
#[utoipa::path(operation_id = "list_session_bookings", tag = "sessions",
    params(("id" = Id, Path, description = "The session"), Paging),
    responses((status = 200, description = "A page of bookings", body = Page<Booking>), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["bookings:read"])))]
#[get("/v1/sessions/{id}/bookings")]
pub async fn list_session_bookings(
    request: Extract<(Allowed<BookingReader>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), Query(filter))) = request;
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let (context, wanted, reach) = (who.context(), slice.clone(), Reach::to_people(who.caller()?)?);
    let page = read_shared(&who.state().db, reach, move |conn| {
        let (rows, seen) = lists::of_session(conn, session_id, (reach, london_day(context.now())), &wanted)?;
        let (events, related) = (reads(&context, wanted.shown(&rows), &seen), Related::of(conn, &rows)?);
        let line = |row: BookedRow| match seen.contains(&row.0.member_id) {
            true => show(&related, reach, row),
            false => related.show(row).without_member(),
        };
        Ok((wanted.page(&context, rows, |row| row.0.id, line), events))
    });
    who.show_page(Cache::Never, &page.await?)
}

/// Get a booking
///
/// Members see their own bookings, and those they made for somebody for whom they may book. Advisors see all bookings.
#[utoipa::path(operation_id = "get_booking", tag = "sessions", params(("id" = Id, Path, description = "The booking")),
    responses((status = 200, description = "The booking", body = Booking), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = [])))]
#[get("/v1/bookings/{id}")]
pub async fn get_booking(request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let booked = who.state().db.read_audited(move |conn| {
        let booked = store::get(conn, id, reach, london_day(context.now()))?;
        let read = event(&context, "read", &booked, &[]);
        let events = if is_own(reach, &booked) { Vec::new() } else { vec![read] };
        Ok((shown(conn, reach, booked)?, events))
    });
    let booked = booked.await?;
    who.show_live(Cache::Never, booked.version, &booked)
}

/// Cancel a booking
///
/// A booking can be cancelled until the session starts. Its seats are free at once, and offered to the next person who
/// waits. A booking that waits leaves the list. A booking with an offer declines the offer. The member is told, unless an
/// advisor says `tell=false`.
#[utoipa::path(operation_id = "cancel_booking", tag = "sessions",
    params(("id" = Id, Path, description = "The booking"), Cancellation),
    responses((status = 200, description = "Cancelled", body = Booking), Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = [])))]
#[delete("/v1/bookings/{id}")]
pub async fn cancel_booking(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<Cancellation>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(Cancellation { by, tell: is_told }))) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let is_told = is_told.unwrap_or(true);
    if !is_told && reach != Reach::Everyone {
        return Err(Error::forbidden("Only an advisor cancels without telling the member."));
    }
    let status = match by.unwrap_or_default() {
        CancelledBy::Member => BookingStatus::CancelledByMember,
        CancelledBy::Provider if reach == Reach::Everyone => BookingStatus::CancelledByProvider,
        CancelledBy::Provider => return Err(Error::forbidden("Only an advisor cancels for the provider.")),
    };
    who.write(&Bytes::new(), move |conn| {
        let held = store::get_locked(conn, id, reach, london_day(context.now()))?;
        check_match(conn, &context, reach, &held.0)?;
        let booked = store::cancel(conn, held, status, terms(&context))?;
        let fields: &[&str] = if is_told { &["status"] } else { &["status", "not_told"] };
        context.record(conn, &[event(&context, "cancel", &booked, fields)])?;
        if is_told {
            tell(conn, &context, &booked)?;
        }
        let booking = shown(conn, reach, booked)?;
        Reply::ok(Tag::live(booking.version, &booking)?, &booking)
    })
    .await
}

/// Accept an offered seat
///
/// An offer can be accepted until `offer_expires_at`.
#[utoipa::path(operation_id = "accept_booking", tag = "sessions", params(("id" = Id, Path, description = "The booking")),
    responses((status = 200, description = "Booked", body = Booking), Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = [])))]
#[post("/v1/bookings/{id}/accept")]
pub async fn accept_booking(request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    answer_offer(&who, id, "accept", store::accept).await
}

/// Decline an offered seat
///
/// The seat is offered to the next person who waits.
#[utoipa::path(operation_id = "decline_booking", tag = "sessions", params(("id" = Id, Path, description = "The booking")),
    responses((status = 200, description = "Declined", body = Booking), Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = [])))]
#[post("/v1/bookings/{id}/decline")]
pub async fn decline_booking(request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    answer_offer(&who, id, "decline", store::decline).await
}

type Answer = fn(&mut Conn, (BookedRow, SessionFacts), Terms) -> Result<BookedRow>;

async fn answer_offer(who: &Context, id: Id, action: &'static str, answer: Answer) -> Result<HttpResponse> {
    let (context, reach) = (who.clone(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        let held = store::get_locked(conn, id, reach, london_day(context.now()))?;
        check_match(conn, &context, reach, &held.0)?;
        let booked = answer(conn, held, terms(&context))?;
        context.record(conn, &[event(&context, action, &booked, &["status"])])?;
        tell(conn, &context, &booked)?;
        let (subject, booking) = (subject(&booked), shown(conn, reach, booked)?);
        Ok(Reply::ok(Tag::live(booking.version, &booking)?, &booking)?.shows(subject))
    })
    .await
}

/// List a member's bookings
///
/// The latest session first, a page at a time; with `when=upcoming` the soonest first. A member lists their own bookings.
/// With `booked_by=me` they also list those that they made for somebody for whom they may book.
#[utoipa::path(operation_id = "list_member_bookings", tag = "members",
    params(("id" = Id, Path, description = "The member"), MemberBookings),
    responses((status = 200, description = "A page of bookings", body = Page<Booking>), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = [])))]
#[get("/v1/members/{id}/bookings")]
pub async fn list_member_bookings(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<MemberBookings>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(member_id), Query(filter))) = request;
    let by = filter.booked_by.map(|BookedBy::Me| who.caller().map(|caller| caller.id)).transpose()?;
    let slice = Slice::<MemberBookingKey>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let (context, wanted, reach) = (who.context(), slice.clone(), Reach::to_people(who.caller()?)?);
    let rows = who.state().db.read_audited(move |conn| {
        let made = by.map_or(Made::ByAnybody, |account| Made::By { account, today: london_day(context.now()) });
        let of = match filter.when {
            None => Sessions::All,
            Some(BookedWhen::Upcoming) => Sessions::Upcoming(context.now()),
            Some(BookedWhen::Past) => Sessions::Past(context.now()),
        };
        let rows = lists::of_member(conn, member_id, (reach, made, of), &wanted)?;
        let events = match reach {
            Reach::Member(own) if own != member_id => reads(&context, wanted.shown(&rows), &HashSet::from([member_id])),
            _ => context.reads_list(Subject::of_member("member", member_id, member_id), &["bookings"], &rows),
        };
        let related = Related::of(conn, &rows)?;
        Ok(((rows, related), events))
    });
    let (rows, related) = rows.await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, lists::member_key, |row| show(&related, reach, row)))
}

/// An event of a booking. Its actor is whoever asks: also a member who books for the member whom the event is about.
fn event(context: &Context, action: &'static str, booked: &BookedRow, fields: &[&str]) -> Event {
    context.event(action, subject(booked), fields)
}

fn subject((row, ..): &BookedRow) -> Subject {
    Subject::of_member("booking", row.id, row.member_id)
}

/// Tells the member how their booking stands now.
fn tell(conn: &mut Conn, context: &Context, (row, ..): &BookedRow) -> Result<()> {
    let kind = match row.status {
        BookingStatus::Booked => MessageKind::Booked,
        BookingStatus::Waitlisted => MessageKind::Waitlisted,
        BookingStatus::CancelledByMember | BookingStatus::CancelledByProvider => MessageKind::BookingCancelled,
        BookingStatus::Offered | BookingStatus::Attended | BookingStatus::Absent => return Ok(()),
    };
    let news = News::new(row.id, row.session_id, row.member_id);
    telling::tell(conn, kind, &[news], context.now()).map(drop)
}

fn is_own(reach: Reach, (row, ..): &BookedRow) -> bool {
    reach == Reach::Member(row.member_id)
}

/// One event for each person whose data these rows show, except the reader's own data.
fn reads(context: &Context, shown: &[BookedRow], seen: &HashSet<Id>) -> Vec<Event> {
    let own = context.anyone().and_then(|caller| caller.member_id);
    let mut told = HashSet::new();
    shown
        .iter()
        .filter(|(row, ..)| seen.contains(&row.member_id) && own != Some(row.member_id) && told.insert(row.member_id))
        .map(|booked| event(context, "list", booked, &[]))
        .collect()
}
