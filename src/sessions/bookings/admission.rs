//! What a session's surroundings say to new bookings: its partner must be active, and its venue open then.
//!
//! What is booked, waits or is offered stays as it is.

use diesel::prelude::*;

use super::seats::SessionFacts;
use super::types::SeatDelivery;
use crate::clock::london_day;
use crate::db::schema::{partners, sessions, venues};
use crate::db::{Conn, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::partners::types::PartnerStatus;
use crate::venues::closures::Closure;

/// Checks that nothing around a session refuses a new booking of this kind of seat.
///
/// # Errors
/// 409 where its partner isn't active, or where somebody would come to a venue that is closed then.
pub(super) fn check(conn: &mut Conn, session: &SessionFacts, seat: SeatDelivery, now: Timestamp) -> Result<()> {
    let around = sessions::table
        .left_join(venues::table)
        .left_join(partners::table)
        .filter(sessions::id.eq(session.id))
        .select((Option::<Closure>::as_select(), partners::status.nullable()));
    let (closure, partner): (Option<Closure>, Option<PartnerStatus>) = around.first(conn)?;
    if let Some(status) = partner.filter(|status| *status != PartnerStatus::Active) {
        let detail = format!("The session's partner is {status}: it takes no new bookings. What is booked stays.");
        return Err(Error::new(Kind::PartnerNotActive, detail));
    }
    let closed = |closure: &Closure| closure.covers(session.starts_at, session.ends_at, london_day(now));
    if seat == SeatDelivery::InPerson && closure.as_ref().is_some_and(closed) {
        let detail = "The venue is closed then: nobody can be booked to come. What is booked stays.";
        return Err(Error::new(Kind::VenueClosed, detail));
    }
    Ok(())
}
