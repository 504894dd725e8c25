//! Whether a seat may be given: to a new booking, to whoever waits, or to whoever accepts an offer.
//!
//! The partner of the session must be active, and its venue open then. What is booked stays booked. Who waits or has an
//! offer waits on, and gets an offer once the venue or the partner [is back](super::waiting::follow_taker).

use diesel::prelude::*;

use super::seats::SessionFacts;
use super::types::SeatDelivery;
use crate::clock::london_day;
use crate::db::schema::{partners, sessions, venues};
use crate::db::{Conn, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::partners::types::PartnerStatus;
use crate::venues::closures::Closure;

/// Checks that the venue and the partner take people for a seat of this kind.
///
/// # Errors
/// 409 that says why not.
pub(super) fn check(conn: &mut Conn, session: &SessionFacts, seat: SeatDelivery, now: Timestamp) -> Result<()> {
    refusal(conn, session, seat, now)?.map_or(Ok(()), Err)
}

/// Why the venue or the partner takes nobody for a seat of this kind; `None` if both do.
pub(super) fn refusal(
    conn: &mut Conn,
    session: &SessionFacts,
    seat: SeatDelivery,
    now: Timestamp,
) -> Result<Option<Error>> {
    let around = sessions::table
        .left_join(venues::table)
        .left_join(partners::table)
        .filter(sessions::id.eq(session.id))
        .select((Option::<Closure>::as_select(), partners::status.nullable()));
    let (closure, partner): (Option<Closure>, Option<PartnerStatus>) = around.first(conn)?;
    if let Some(status) = partner.filter(|status| *status != PartnerStatus::Active) {
        let detail = format!("The session's partner is {status}: it takes no new bookings. What is booked stays.");
        return Ok(Some(Error::new(Kind::PartnerNotActive, detail)));
    }
    let closed = |closure: &Closure| closure.covers(session.starts_at, session.ends_at, london_day(now));
    if seat == SeatDelivery::InPerson && closure.as_ref().is_some_and(closed) {
        let detail =
            "The venue is closed on the day of the session, so nobody gets a seat there. What is booked stays.";
        return Ok(Some(Error::new(Kind::VenueClosed, detail)));
    }
    Ok(None)
}
