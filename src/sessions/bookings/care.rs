//! Bookings that a member made for somebody they may book for, such as a carer. The member reads and changes those
//! bookings while the relationship is in effect, and sees nothing else of the other's record.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::store::BookingRow;
use crate::db::schema::users;
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::members::relationships::booking;

/// The account of a member, if they have one.
pub(super) fn account_of(conn: &mut Conn, member_id: Id) -> Result<Option<Id>> {
    Ok(users::table.filter(users::member_id.eq(member_id)).select(users::id).first(conn).optional()?)
}

/// Whether a member made this booking for another, for whom they may book on this day.
pub(super) fn made(conn: &mut Conn, carer: Id, row: &BookingRow, today: NaiveDate) -> Result<bool> {
    let may_book = booking::cared_for(conn, carer, today)?.contains(&row.member_id);
    Ok(may_book && account_of(conn, carer)? == Some(row.booked_by))
}
