//! Bookings that a member made for somebody they may book for, such as a carer. The member reads and changes those
//! bookings while the relationship is in effect, and sees nothing else of the other's record.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::store::BookingRow;
use crate::db::schema::users;
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::members::relationships::booking;
use crate::members::store::ids_of;

/// The accounts of a member: their own, and those of the records that were merged into theirs.
pub(super) fn accounts_of(conn: &mut Conn, member_id: Id) -> Result<Vec<Id>> {
    let people = ids_of(conn, member_id)?;
    Ok(users::table.filter(users::member_id.eq_any(people)).select(users::id).load(conn)?)
}

/// Whether a member made this booking for another, for whom they may book on this day.
pub(super) fn made(conn: &mut Conn, carer: Id, row: &BookingRow, today: NaiveDate) -> Result<bool> {
    let may_book = booking::cared_for(conn, carer, today)?.contains(&row.member_id);
    Ok(may_book && accounts_of(conn, carer)?.contains(&row.booked_by))
}
