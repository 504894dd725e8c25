//! Bookings in the database, a page at a time.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate};
use diesel::prelude::*;

use super::care;
use super::seats::{may_see, session};
use super::store::{BookedRow, BookingRow, SESSION_LINE, booked};
use crate::auth::reach::Reach;
use crate::db::schema::{bookings, sessions};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::http::page::Slice;
use crate::members::relationships::booking as relationships;
use crate::members::store::{self as member_store, NAMES};

/// A page of a session's bookings, the oldest first, and the members among them whom the caller may see. A member gets
/// their own booking, and those they made for others.
///
/// # Errors
/// 404 if the caller may not see the session.
pub fn of_session(
    conn: &mut Conn,
    session_id: Id,
    (reach, today): (Reach, NaiveDate),
    slice: &Slice<Id>,
) -> Result<(Vec<BookedRow>, HashSet<Id>)> {
    session(conn, session_id, reach)?;
    let cared_for = reach.member().map(|own| relationships::cared_for(conn, own, today)).transpose()?;
    let cared_for = cared_for.unwrap_or_default();
    let mut query = booked()
        .filter(bookings::session_id.eq(session_id))
        .select((BookingRow::as_select(), SESSION_LINE, NAMES))
        .into_boxed();
    if let Reach::Member(own) = reach {
        let mine = bookings::member_id.eq(own);
        query = if cared_for.is_empty() {
            query.filter(mine)
        } else {
            let accounts = care::accounts_of(conn, own)?;
            let made = bookings::member_id.eq_any(cared_for.clone()).and(bookings::booked_by.eq_any(accounts));
            query.filter(mine.or(made))
        };
    }
    if let Some(id) = slice.after {
        query = query.filter(bookings::id.gt(id));
    }
    let rows: Vec<BookedRow> = query.order(bookings::id).limit(slice.fetch()).load(conn)?;
    let members: Vec<Id> = rows.iter().map(|(row, ..)| row.member_id).collect();
    let mut seen = may_see(conn, reach, &members)?;
    seen.extend(cared_for);
    Ok((rows, seen))
}

/// The keys that a member's bookings are listed by: the session's start in microseconds since 1970, and the id.
pub type MemberBookingKey = (i64, Id);

/// A booking's place in its member's list.
pub fn member_key((row, session, _): &BookedRow) -> MemberBookingKey {
    (session.starts_at.0.timestamp_micros(), row.id)
}

/// Which bookings of a member are listed.
#[derive(Debug, Clone, Copy)]
pub enum Made {
    /// All of them.
    ByAnybody,
    /// Those that the owner of this account made. `today` decides for whom the owner may book.
    By {
        /// The account.
        account: Id,
        /// The day.
        today: NaiveDate,
    },
}

/// Of which sessions the bookings are listed, and in which order.
#[derive(Debug, Clone, Copy)]
pub enum Sessions {
    /// Of all, the latest first.
    All,
    /// Of those that end later, the soonest first.
    Upcoming(Timestamp),
    /// Of those that have ended then, the latest first.
    Past(Timestamp),
}

/// A page of a member's bookings. A member reaches their own, and those they made for somebody
/// for whom they may book on this day.
///
/// # Errors
/// 404 if there is no such member whom the caller may reach. As [`member_store::check`].
pub fn of_member(
    conn: &mut Conn,
    member_id: Id,
    (reach, made, of): (Reach, Made, Sessions),
    slice: &Slice<MemberBookingKey>,
) -> Result<Vec<BookedRow>> {
    let makers = match (made, reach) {
        (Made::ByAnybody, _) => None,
        // The owner may have had another account before records were merged.
        (Made::By { .. }, Reach::Member(own)) => Some(care::accounts_of(conn, own)?),
        (Made::By { account, .. }, _) => Some(vec![account]),
    };
    let cares = match (made, reach) {
        (Made::By { today, .. }, Reach::Member(own)) => {
            relationships::cared_for(conn, own, today)?.contains(&member_id)
        }
        _ => false,
    };
    member_store::check(conn, if cares { Reach::Everyone } else { reach }, member_id)?;
    let mut query = booked()
        .filter(bookings::member_id.eq(member_id))
        .select((BookingRow::as_select(), SESSION_LINE, NAMES))
        .into_boxed();
    if let Some(makers) = makers {
        query = query.filter(bookings::booked_by.eq_any(makers));
    }
    query = match of {
        Sessions::All => query,
        Sessions::Upcoming(now) => query.filter(sessions::ends_at.gt(now)),
        Sessions::Past(now) => query.filter(sessions::ends_at.le(now)),
    };
    let after =
        slice.after.map(|(micros, id)| (Timestamp(DateTime::from_timestamp_micros(micros).unwrap_or_default()), id));
    if let Sessions::Upcoming(_) = of {
        if let Some((at, id)) = after {
            let same = sessions::starts_at.eq(at).and(bookings::id.gt(id));
            query = query.filter(sessions::starts_at.gt(at).or(same));
        }
        return Ok(query.order((sessions::starts_at, bookings::id)).limit(slice.fetch()).load(conn)?);
    }
    if let Some((at, id)) = after {
        let same = sessions::starts_at.eq(at).and(bookings::id.lt(id));
        query = query.filter(sessions::starts_at.lt(at).or(same));
    }
    Ok(query.order((sessions::starts_at.desc(), bookings::id.desc())).limit(slice.fetch()).load(conn)?)
}
