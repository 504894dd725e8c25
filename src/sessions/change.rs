//! Changing one session: its texts, and when, where and how it takes place.

use std::collections::HashMap;

use super::bookings::handlers::terms;
use super::bookings::rules::seat;
use super::bookings::seats::{counts_online, lock_session};
use super::bookings::types::{BookingStatus, SeatDelivery};
use super::bookings::waiting;
use super::clashes::{self, Placing};
use super::handlers::{answer, cancel};
use super::listings;
use super::notices::{self, Change, Move, Notices, Pending};
use super::references::{self, References};
use super::rules;
use super::store::{self, Revision, SessionRow};
use super::types::{ChangedSession, Delivery, SessionChange, SessionPatch, SessionStatus};
use super::wordings::Wording;
use crate::auth::policy::SessionWriter;
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::clock::london_day;
use crate::http::patch::MergePatch;
use crate::http::prelude::*;
use crate::partners::quotas::Growth;

/// Change a session
///
/// A JSON merge patch of the session's texts, capacities, publication and status. Until the session starts, the patch
/// can also change when, where and how it takes place. A draft that is published takes its space, if the space is free.
/// A space that is kept for other partners is a fault (`space_kept`).
///
/// The id stays, and so do the bookings that still fit. Bookings of a kind of seat that it no longer has are cancelled.
///
/// A patch with `status: cancelled` cancels the session, and ignores everything but `status` and `cancellation_reason`.
///
/// The people booked are told by e-mail of a move or a cancellation if they allow it. `bookings` lists their bookings: call
/// those whose `told` is `not_reached`. An admin sees no personal data: `member_id` is null, and an advisor finds the people
/// by the ids of the bookings. An event is recorded for each booking.
///
/// A capacity can't be below the places that are taken. Waiting parties that are larger than the new capacity are
/// cancelled. A session that becomes a drop-in loses its waiting list, and booked members keep their places.
///
/// A session of a series no longer follows changes of the series. A patch that changes nothing leaves the session as it
/// is.
#[utoipa::path(operation_id = "change_session", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    request_body(content = SessionPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = ChangedSession), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[patch("/v1/sessions/{id}")]
pub async fn change_session(request: Extract<Patching<SessionChange>>) -> Result<HttpResponse> {
    change_own(request, store::get_in, |conn, context, old, patch| {
        context.require_if_match()?;
        context.check_session_match(old.version)?;
        let wording = Wording::of(conn, old)?;
        // The reason belongs to the change, not to the session.
        let lasting = |change: &SessionChange| SessionChange { reason: None, ..change.clone() };
        let Some(change) = patch.change(&old.changeable(&wording), lasting, |change| change)? else {
            return answer(conn, context, old.id, Notices::default());
        };
        let told = apply(conn, context, (old, &wording), change, patch.names())?;
        answer(conn, context, old.id, told)
    })
    .await
}

/// What a request to change a session or a series brings.
pub(super) type Patching<T> = (Allowed<SessionWriter>, Path<Id>, NoQuery, MergePatch<T>);

/// Changes a session or a series of the caller's own. Reading it and changing it is one transaction.
///
/// # Errors
/// 404 if there is none, or if it belongs to somebody else. The errors of `change`.
pub(super) async fn change_own<Row: 'static, T: 'static>(
    request: Extract<Patching<T>>,
    own: fn(&mut Conn, Reach, Id) -> Result<Row>,
    change: fn(&mut Conn, &Context, &Row, &MergePatch<T>) -> Result<Reply>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let (context, reach) = (who.context(), Reach::of(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        let row = own(conn, reach, id)?;
        change(conn, &context, &row, &patch)
    })
    .await
}

/// The members that a patch changes if it cancels the session.
const OF_CANCELLING: [&str; 2] = ["status", "cancellation_reason"];

/// A session with what it says.
type Said<'a> = (&'a SessionRow, &'a Wording);

fn apply(
    conn: &mut Conn,
    context: &Context,
    (old, wording): Said<'_>,
    change: SessionChange,
    mut names: Vec<&str>,
) -> Result<Notices> {
    if change.status == SessionStatus::Cancelled && old.status == SessionStatus::Scheduled {
        // The rest of the patch is ignored.
        names.retain(|name| OF_CANCELLING.contains(name));
        return call_off(conn, context, old, &change.cancellation_reason.unwrap_or_default(), &names);
    }
    if change.status == SessionStatus::Scheduled {
        rules::check_uncancelled(old.status == SessionStatus::Cancelled, change.cancellation_reason.as_deref())?;
    }
    let why = change.reason.clone();
    // A change by hand leaves the pillar alone.
    let said = Wording::new(&change.activity, &change.particulars, wording.pillar);
    let mut next = old.changed(change, said.id(), context.now())?;
    check_place(conn, context, (old, wording), (&next, &said))?;
    // Nobody books from here on. If somebody has changed the session in between, it isn't written.
    lock_session(conn, old.id)?;
    waiting::lapse_offers(conn, &[old.id], context.now())?;
    let held = store::get(conn, old.id)?;
    let mut news = refit(conn, context, (old, &held), &mut next, why)?;
    // Columns that stay aren't written. Bookings change the counts, and not the version.
    let from = SessionRow {
        seats_taken: held.seats_taken,
        online_seats_taken: held.online_seats_taken,
        waitlist_length: held.waitlist_length,
        ..old.clone()
    };
    let revision = [Revision { from: Box::new(from), to: next.clone() }];
    Growth::default().and_sessions(&[], &revision, [&said], context.now()).check(conn, context, old.partner_id)?;
    listings::ensure_stored(conn, [&said], [&next])?;
    store::update_many(conn, &revision)?;
    context.record(conn, &[context.event("change", Subject::other("session", old.id), &names)])?;
    news.turn_away(waiting::follow(conn, &[old.id], terms(context))?);
    notices::tell(conn, context, &news)
}

/// Cancels a session by a patch.
fn call_off(conn: &mut Conn, context: &Context, old: &SessionRow, reason: &str, names: &[&str]) -> Result<Notices> {
    lock_session(conn, old.id)?;
    if store::get(conn, old.id)?.version != old.version {
        return Err(Error::changed_meanwhile());
    }
    context.record(conn, &[context.event("change", Subject::other("session", old.id), names)])?;
    cancel(conn, context, old, reason)
}

/// Checks that a session may move, and that it can take place where it is to be. This locks the venue and the space:
/// they are locked before sessions.
fn check_place(conn: &mut Conn, context: &Context, (old, wording): Said<'_>, (next, said): Said<'_>) -> Result<()> {
    let moves = !next.moved_members(old).is_empty();
    if moves || next.booking_policy != old.booking_policy {
        let state = rules::state(old.status, old.ends_at, context.now());
        rules::check_movable(state, old.starts_at, context.now())?;
    }
    let placing = Placing { to: next, from: Some(old) };
    if moves || said.programme_id != wording.programme_id || placing.takes_space() {
        let named = References::of_session(next, said.programme_id).holding(old.space_held());
        references::check(conn, &named)?;
    }
    clashes::check_one(conn, placing, Viewer::of(context.anyone()), london_day(context.now()))
}

/// Cancels the bookings that no longer fit a moved session, and counts the seats of the others.
fn refit(
    conn: &mut Conn,
    context: &Context,
    (old, now): (&SessionRow, &SessionRow),
    next: &mut SessionRow,
    why: Option<String>,
) -> Result<Change> {
    let fields = next.moved_members(old);
    (next.seats_taken, next.online_seats_taken) = (now.seats_taken, now.online_seats_taken);
    next.waitlist_length = now.waitlist_length;
    if fields.is_empty() {
        return Ok(Change::default());
    }
    if next.starts_at != old.starts_at && now.is_booked() {
        rules::check_new_start(next.starts_at, context.now())?;
    }
    let moves = HashMap::from([(old.id, Move { fields, was: old.starts_at })]);
    let pending = notices::pending(conn, &[old.id])?;
    if next.delivery == old.delivery {
        return Ok(Change { kept: pending, moves, ..Change::default() });
    }
    let fits = |booking: &Pending| seat(next.delivery, Some(booking.delivery)).is_some();
    let (kept, cancelled): (Vec<Pending>, Vec<Pending>) = pending.into_iter().partition(fits);
    let reason = why.unwrap_or_else(|| gone(next.delivery).to_owned());
    notices::cancel(conn, &cancelled, &reason, context.now())?;
    let kept_as = |status| kept.iter().filter(move |booking| booking.status == status);
    let waiting_online =
        kept_as(BookingStatus::Waitlisted).filter(|booking| counts_online(next.delivery, booking.delivery));
    store::recount(conn, old.id, kept_as(BookingStatus::Offered).count(), waiting_online.count())?;
    count(next, &kept, &cancelled);
    Ok(Change { kept, cancelled, reason, moves, ..Change::default() })
}

/// The reason of bookings that are cancelled because their kind of seat is gone, if the request gives none.
fn gone(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Online => "The session takes place online only now.",
        Delivery::InPerson => "The session takes place face to face only now.",
        Delivery::Hybrid => "The session has changed.",
    }
}

/// Sets the counts of seats and of waiting bookings. Only a hybrid session counts its online seats separately.
fn count(next: &mut SessionRow, kept: &[Pending], cancelled: &[Pending]) {
    let seats = |kind: SeatDelivery| {
        let of_kind = kept.iter().filter(|booking| booking.status.holds_seats() && booking.delivery == kind);
        of_kind.map(|booking| booking.seats).sum::<i32>()
    };
    let (in_person, online) = (seats(SeatDelivery::InPerson), seats(SeatDelivery::Online));
    let apart = next.delivery == Delivery::Hybrid;
    next.seats_taken = if apart { in_person } else { in_person + online };
    next.online_seats_taken = if apart { online } else { 0 };
    let waiting = cancelled.iter().filter(|booking| booking.status == BookingStatus::Waitlisted).count();
    next.waitlist_length -= i32::try_from(waiting).unwrap_or_default();
}
