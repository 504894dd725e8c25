//! Checks of new bookings outside the session itself: its partner must be active, and its venue open at that time.
//!
//! Bookings that exist already stay as they are.

use diesel::prelude::*;

use super::seats::SessionFacts;
use super::types::SeatDelivery;
use crate::clock::london_day;
use crate::db::schema::{partners, sessions, venues};
use crate::db::{Conn, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::partners::types::PartnerStatus;
use crate::venues::closures::Closure;

/// Checks that the partner and the venue allow a new booking of this kind of seat.
///
/// # Errors
/// 409 if the partner isn't active, or if the seat is in a venue that is closed at that time.
pub(super) fn check(conn: &mut Conn, session: &SessionFacts, seat: SeatDelivery, now: Timestamp) -> Result<()> {
    let around = sessions::table
        .left_join(venues::table)
        .left_join(partners::table)
        .filter(sessions::id.eq(session.id))
        .select((Option::<Closure>::as_select(), partners::status.nullable()));
    let (closure, partner): (Option<Closure>, Option<PartnerStatus>) = around.first(conn)?;
    if let Some(status) = partner.filter(|status| *status != PartnerStatus::Active) {
        let detail =
            format!("The session's partner is {status}, so the session takes no new bookings. Existing bookings stay.");
        return Err(Error::new(Kind::PartnerNotActive, detail));
    }
    let closed = |closure: &Closure| closure.covers(session.starts_at, session.ends_at, london_day(now));
    if seat == SeatDelivery::InPerson && closure.as_ref().is_some_and(closed) {
        let detail = "The venue is closed at that time, so no seat there can be booked. Existing bookings stay.";
        return Err(Error::new(Kind::VenueClosed, detail));
    }
    Ok(())
}
