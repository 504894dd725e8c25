//! Bookings that are set aside because two records of one person are merged, and that come back if this is undone. They
//! are in sessions that have started, so their seats are offered to nobody.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde_json::Value;

use super::rules::Terms;
use super::seats::{CountChange, SessionFacts, adjust_counts, lock_session};
use super::store::{self, BookingRow};
use super::types::BookingStatus;
use super::waiting;
use crate::db::schema::{bookings, prescription_items, walk_ins};
use crate::db::{Conn, Id};
use crate::error::{Error, Result};

/// Brings the waiting lists of these sessions up to date.
pub fn settle(conn: &mut Conn, sessions: &[Id], terms: Terms) -> Result<()> {
    let in_order: BTreeSet<Id> = sessions.iter().copied().collect();
    in_order.into_iter().try_for_each(|id| waiting::settle_one(conn, id, terms))
}

/// The change of a session's counts when a booking comes (`by` is 1) or goes (-1).
fn counts(session: &SessionFacts, row: &BookingRow, by: i32) -> CountChange {
    let mut change = CountChange::default();
    if row.status.holds_seats() {
        change = change.seats(session, row.delivery, by * row.seats());
    }
    if row.status == BookingStatus::Waitlisted {
        change = change.waiting(session, row.delivery, by);
    }
    change.offers += if row.status == BookingStatus::Offered { by } else { 0 };
    change
}

/// Takes bookings away and gives their seats back. Returns them whole, for [`put_back`].
pub fn set_aside(conn: &mut Conn, ids: &[Id], terms: Terms) -> Result<Vec<Value>> {
    let rows = bookings::table.filter(bookings::id.eq_any(ids)).order((bookings::session_id, bookings::id));
    let rows: Vec<BookingRow> = rows.select(BookingRow::as_select()).load(conn)?;
    let mut aside = Vec::with_capacity(rows.len());
    for row in rows {
        let mut session = lock_session(conn, row.session_id)?;
        // Bookings change only under the lock of their session.
        let of_it = bookings::table.find(row.id);
        let row: BookingRow = of_it.select(BookingRow::as_select()).first(conn)?;
        diesel::delete(of_it).execute(conn)?;
        let change = counts(&session, &row, -1);
        adjust_counts(conn, &mut session, change)?;
        waiting::settle(conn, &mut session, terms)?;
        aside.push(serde_json::to_value(&row).map_err(Error::internal)?);
    }
    Ok(aside)
}

/// Puts bookings back that were set aside, with their seats. Returns whether there was room for all of them; otherwise
/// the transaction must not be kept.
pub fn put_back(conn: &mut Conn, aside: &[Value]) -> Result<bool> {
    for value in aside {
        let row: BookingRow = serde_json::from_value(value.clone()).map_err(Error::internal)?;
        let mut session = lock_session(conn, row.session_id)?;
        let needed = if row.status.holds_seats() { row.seats() } else { 0 };
        if session.seats_left(row.delivery).is_some_and(|left| left < needed) || is_there(conn, &row)? {
            return Ok(false);
        }
        let change = counts(&session, &row, 1);
        adjust_counts(conn, &mut session, change)?;
        let item = row.prescription_item_id();
        let item: Option<Id> = match item {
            Some(id) => prescription_items::table.find(id).select(prescription_items::id).first(conn).optional()?,
            None => None,
        };
        store::insert(conn, &[row.for_item(item)])?;
    }
    Ok(true)
}

/// Whether the member of a booking is in the session meanwhile, or its reference was given to somebody else.
fn is_there(conn: &mut Conn, row: &BookingRow) -> Result<bool> {
    let of_session = bookings::table.filter(bookings::session_id.eq(row.session_id));
    let own = bookings::member_id.eq(row.member_id).and(bookings::status.eq_any(BookingStatus::LIVE));
    let booked: i64 = of_session.filter(own.or(bookings::reference.eq(&row.reference))).count().get_result(conn)?;
    let came: i64 = walk_ins::table.find((row.session_id, row.member_id)).count().get_result(conn)?;
    Ok(booked + came > 0)
}
