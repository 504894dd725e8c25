//! Calling off many sessions over HTTP.

use super::store::{self, Wanted};
use super::types::{Cancellation, PartnerCancellation, VenueCancellation};
use crate::auth::policy::{AdminOnly, SessionWriter};
use crate::auth::reach::Reach;
use crate::http::prelude::*;
use crate::partners::store as partners;
use crate::sessions::affected::{MOST_LISTED, SessionOutcome};
use crate::sessions::notices::Notices;
use crate::sessions::references;
use crate::venues::store as venues;

/// Call off a partner's sessions
///
/// Calls off all sessions of the partner that start between two days and haven't begun, with every booking. All of them or
/// none. The series go on afterwards. A session that was called off stays off: a roster that names it again reports it as
/// skipped. At most 2,000 sessions with 5,000 booked places in one request.
///
/// With `dry_run` nothing is changed: the answer lists the sessions, and says how many people would be told.
///
/// The people booked are told by e-mail if they allow it. `bookings` lists the cancelled bookings: call those whose `told`
/// is `not_reached`. An event is recorded for each session and each booking.
#[utoipa::path(operation_id = "cancel_partner_sessions", tag = "sessions",
    params(("id" = Id, Path, description = "The partner")), request_body = PartnerCancellation,
    responses((status = 200, description = "Called off, or what would be", body = Cancellation), BadInput, Missing, Conflict, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/partners/{id}/cancellations")]
pub async fn cancel_partner_sessions(
    request: Extract<(Allowed<SessionWriter>, Path<Id>, NoQuery, JsonBody<PartnerCancellation>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, written) = (who.context(), Reach::of(who.caller()?)?, body.value);
    let dry_run = written.dry_run;
    let work = move |conn: &mut Conn| {
        if !reach.has_partner(Some(id)) || !partners::exists(conn, id)? {
            return Err(Error::not_found("partner"));
        }
        let PartnerCancellation { from, to, venue_id, series_id, reason, dry_run } = &written;
        let wanted = Wanted { partner_id: Some(id), venue_id: *venue_id, series_id: *series_id, from: *from, to: *to };
        if !dry_run {
            partners::lock(conn, id)?;
            references::replan_rosters(conn, Some(id))?;
        }
        cancel(conn, &context, &wanted, reason, *dry_run)
    };
    answer(&who, &body.bytes, dry_run, work).await
}

/// Call off the sessions at a venue
///
/// Calls off all sessions with people present at the venue that start between two days and haven't begun, whoever runs
/// them, with every booking. All of them or none. At most 2,000 sessions with 5,000 booked places in one request. To close
/// a venue for good or until a day, change its status instead.
///
/// With `dry_run` nothing is changed: the answer lists the sessions, and says how many people would be told.
///
/// The people booked are told by e-mail if they allow it. `bookings` lists the cancelled bookings with their ids and
/// references. An admin sees no personal data, so `member_id` is always null here: an advisor finds the people by the ids.
/// An event is recorded for each session and each booking.
#[utoipa::path(operation_id = "cancel_venue_sessions", tag = "venues",
    params(("id" = Id, Path, description = "The venue")), request_body = VenueCancellation,
    responses((status = 200, description = "Called off, or what would be", body = Cancellation), BadInput, Missing, Conflict, Storage, Problems),
    security(("bearer" = [])))]
#[post("/v1/venues/{id}/cancellations")]
pub async fn cancel_venue_sessions(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, JsonBody<VenueCancellation>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, written) = (who.context(), body.value);
    let dry_run = written.dry_run;
    let work = move |conn: &mut Conn| {
        let VenueCancellation { from, to, series_id, reason, dry_run } = &written;
        if *dry_run {
            venues::get(conn, id)?;
        } else {
            venues::lock(conn, id)?;
        }
        let wanted = Wanted { partner_id: None, venue_id: Some(id), series_id: *series_id, from: *from, to: *to };
        cancel(conn, &context, &wanted, reason, *dry_run)
    };
    answer(&who, &body.bytes, dry_run, work).await
}

/// Answers what `work` does. A dry run only reads, so nobody waits for it, and its answer isn't kept for a repeated
/// `Idempotency-Key`: doing it again is no harm.
async fn answer(
    context: &Context,
    body: &Bytes,
    dry_run: bool,
    work: impl Fn(&mut Conn) -> Result<Reply> + Send + 'static,
) -> Result<HttpResponse> {
    if dry_run {
        return Ok(context.state().db.read_long(work).await?.into_response());
    }
    context.write(body, work).await
}

/// Calls the wanted sessions off, unless it is a dry run, and says which they are.
fn cancel(conn: &mut Conn, context: &Context, wanted: &Wanted, reason: &str, dry_run: bool) -> Result<Reply> {
    let affected = store::affected(conn, wanted, dry_run, context.now())?;
    let people = store::people(conn, context, &affected.ids())?;
    let notices = if dry_run { Notices::default() } else { affected.cancel(conn, context, reason)? };
    let answer = Cancellation {
        dry_run,
        affected: affected.counts(),
        people,
        sessions: affected.show(SessionOutcome::Cancelled, MOST_LISTED),
        bookings: notices.bookings,
    };
    Ok(notices.about.into_iter().fold(Reply::plain(200, &answer)?, Reply::shows))
}
