//! The day of a member's last activity: a booking, attendance, prescription, consent or login. Whoever decides whether a
//! record is still needed looks at it.
//!
//! The day moves forward only, at most once a day. It is no change of the record: the version stays, and no event is
//! recorded.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::conn::Prepared;
use crate::db::schema::members;
use crate::db::{AT_ONCE, Conn, Id};
use crate::error::Result;
use crate::members::fate::is_live;

/// Says that a member was active on this day. Nothing is written into a record that was merged or erased meanwhile.
pub fn note(conn: &mut Conn, member_id: Id, day: NaiveDate) -> Result<()> {
    let earlier = members::last_activity_on.is_null().or(members::last_activity_on.lt(day));
    let stale = members::table.filter(members::id.eq(member_id)).filter(earlier).filter(is_live());
    Prepared(diesel::update(stale).set(members::last_activity_on.eq(day))).execute(conn)?;
    Ok(())
}

/// Says that members were active on this day. They are locked in one order first, so that two requests with the same
/// members don't wait for each other in a ring.
pub fn note_all(conn: &mut Conn, members: &[Id], day: NaiveDate) -> Result<()> {
    crate::lock_rows!(conn, members, members.iter().copied());
    for chunk in members.chunks(AT_ONCE) {
        let earlier = members::last_activity_on.is_null().or(members::last_activity_on.lt(day));
        let stale = members::table.filter(members::id.eq_any(chunk)).filter(earlier).filter(is_live());
        diesel::update(stale).set(members::last_activity_on.eq(day)).execute(conn)?;
    }
    Ok(())
}
