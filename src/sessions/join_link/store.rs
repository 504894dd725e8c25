//! Join links in the database.

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::types::JoinLink;
use crate::auth::reach::Reach;
use crate::db::schema::{bookings, sessions};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::sessions::bookings::types::{BookingStatus, SeatDelivery};

/// The states of bookings that hold a seat. Absent members don't: they left theirs empty.
const HOLDS: [BookingStatus; 2] = [BookingStatus::Booked, BookingStatus::Attended];

/// The join link of a session. Members need an online seat in it, or book for somebody in `cared_for` who has one; staff
/// don't.
///
/// # Errors
/// 404 if there is no such session, it has no link, or the member has no online seat in it.
pub fn get(conn: &mut Conn, session_id: Id, reach: Reach, cared_for: &[Id]) -> Result<JoinLink> {
    let columns = (sessions::join_link, sessions::starts_at, sessions::ends_at);
    let found: Option<(Option<String>, Timestamp, Timestamp)> =
        sessions::table.find(session_id).select(columns).first(conn).optional()?;
    let reached = match reach {
        Reach::Everyone => true,
        Reach::Member(member) => holds_online_seat(conn, session_id, &[&[member], cared_for].concat())?,
        Reach::Partner(_) => false,
    };
    match found {
        Some((Some(link), starts_at, ends_at)) if reached => Ok(JoinLink::new(link, starts_at, ends_at)),
        _ => Err(Error::not_found("join link")),
    }
}

fn holds_online_seat(conn: &mut Conn, session_id: Id, members: &[Id]) -> Result<bool> {
    let seat = bookings::table
        .filter(bookings::session_id.eq(session_id))
        .filter(bookings::member_id.eq_any(members))
        .filter(bookings::delivery.eq(SeatDelivery::Online))
        .filter(bookings::status.eq_any(HOLDS));
    Ok(select(exists(seat)).get_result(conn)?)
}
