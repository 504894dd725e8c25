//! Changing a venue over HTTP.

use super::store;
use super::types::{ChangedVenue, ClosedSessions, Closing};
use crate::auth::policy::AdminOnly;
use crate::http::prelude::*;
use crate::sessions::affected::MOST_LISTED;
use crate::sessions::bookings::handlers::terms;
use crate::sessions::bookings::waiting::{self, Taker};
use crate::sessions::notices::Notices;
use crate::venues::closures::Closure;
use crate::venues::store as venues;
use crate::venues::types::{Venue, VenuePatch};

/// Change a venue
///
/// A JSON merge patch. The answer lists the sessions to come on days when the venue is closed, with the number of places
/// booked in each. It is closed on the days that its `status` covers. It is also closed on every weekday without opening
/// hours, if another weekday has some. Only whole days count: a group in the evening, after the hours of an open day, is
/// not concerned.
///
/// By default these sessions stand, but take no new bookings of people who would come (409 `venue_closed`). Who was
/// offered a seat waits again, and is the first to get an offer when the venue is open again. With
/// `sessions=cancel` they are called off with every booking, all or none. Sessions that are only online are not
/// concerned.
///
/// The people whose bookings were cancelled are told by e-mail if they allow it. `bookings` lists these bookings with their
/// ids and references. An admin sees no personal data, so `member_id` is always null here: an advisor finds the people by
/// the ids, and calls those whose `told` is `not_reached`. An event is recorded for each booking.
#[utoipa::path(operation_id = "change_venue", tag = "venues",
    params(("id" = Id, Path, description = "The venue"), Closing),
    request_body(content = VenuePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = ChangedVenue), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = [])))]
#[patch("/v1/venues/{id}")]
pub async fn change_venue(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, Query<Closing>, VenuePatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(Closing { sessions }), patch)) = request;
    let (context, wish) = (who.context(), sessions.unwrap_or_default());
    who.write(&Bytes::new(), move |conn| {
        let old = venues::lock(conn, id)?;
        context.require_match(old.version)?;
        let closure = Closure::of_venue(&old);
        let row = change(conn, &context, old, &patch)?;
        let affected = store::affected(conn, id, &Closure::of_venue(&row), context.now())?;
        let notices = match wish {
            ClosedSessions::Keep => Notices::default(),
            ClosedSessions::Cancel => {
                affected.cancel(conn, &context, &format!("{} is closed then.", row.written.name))?
            }
        };
        if Closure::of_venue(&row) != closure {
            waiting::follow_taker(conn, Taker::Venue(id), terms(&context))?;
        }
        let version = row.version;
        let changed = ChangedVenue {
            venue: row,
            affected: affected.counts(),
            affected_sessions: affected.show(wish.into(), MOST_LISTED),
            bookings: notices.bookings,
        };
        Ok(notices.about.into_iter().fold(Reply::ok(version, &changed)?, Reply::shows))
    })
    .await
}

/// Writes the venue if the patch changes anything.
fn change(conn: &mut Conn, context: &Context, old: Venue, patch: &VenuePatch) -> Result<Venue> {
    let Some(row) = patch.change(&old, |venue| venue.written.clone(), |written| old.changed(written, context.now()))?
    else {
        return Ok(old);
    };
    venues::update(conn, &row)?;
    context.record(conn, &[context.event("change", Subject::other("venue", row.id), &patch.names())])?;
    Ok(row)
}
