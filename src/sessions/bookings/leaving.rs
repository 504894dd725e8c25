//! Cancels what a member has booked who leaves the service.

use diesel::prelude::*;

use super::rules::Terms;
use super::seats::lock_session;
use super::store::{get, move_to};
use super::types::BookingStatus;
use super::waiting;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::db::schema::{bookings, sessions};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// The states of a booking that holds a place in a session to come, waits for one or is offered one.
const OPEN: [BookingStatus; 3] = [BookingStatus::Booked, BookingStatus::Waitlisted, BookingStatus::Offered];

/// Of these members, those who have a booking of a session to come.
pub fn with_bookings(conn: &mut Conn, members: &[Id], now: Timestamp) -> Result<Vec<Id>> {
    let open = bookings::table.inner_join(sessions::table).filter(bookings::member_id.eq_any(members));
    let open = open.filter(bookings::status.eq_any(OPEN)).filter(sessions::starts_at.gt(now));
    Ok(open.select(bookings::member_id).distinct().load(conn)?)
}

/// Cancels every booking of a member for a session to come, as the member would. The freed seats are offered to the next
/// people who wait. Returns the bookings that were cancelled.
pub fn cancel_all(conn: &mut Conn, member_id: Id, terms: Terms) -> Result<Vec<Id>> {
    let open = bookings::table.inner_join(sessions::table).filter(bookings::member_id.eq(member_id));
    let open = open.filter(bookings::status.eq_any(OPEN)).filter(sessions::starts_at.gt(terms.now));
    // Every writer locks sessions in the order of their ids.
    let found = open.order((bookings::session_id, bookings::id)).select((bookings::id, bookings::session_id));
    let mut cancelled = Vec::new();
    for (id, session_id) in found.load::<(Id, Id)>(conn)? {
        let mut session = lock_session(conn, session_id)?;
        // Ends an offer that has expired.
        waiting::settle(conn, &mut session, terms)?;
        let booked = get(conn, id, Reach::Everyone, london_day(terms.now))?;
        if OPEN.contains(&booked.0.status) {
            move_to(conn, booked, session, BookingStatus::CancelledByMember, terms)?;
            cancelled.push(id);
        }
    }
    Ok(cancelled)
}
