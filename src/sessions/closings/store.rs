//! The sessions that the closing of a venue concerns, in the database.

use diesel::prelude::*;

use crate::clock::london_day;
use crate::db::schema::{sessions, wordings};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::sessions::affected::{self, Affected, Columns};
use crate::sessions::types::{Delivery, SessionStatus};
use crate::sessions::visibility::published_or_not;
use crate::venues::closures::Closure;

/// The sessions to come at a venue, with people present, that fall into the time when it is closed. They are locked
/// until the transaction ends, so that nobody books them after their bookings were counted.
pub fn affected(conn: &mut Conn, venue_id: Id, closure: &Closure, now: Timestamp) -> Result<Affected> {
    if closure.is_always_open() {
        return Ok(Affected::default());
    }
    affected::locked(conn, |conn| {
        let to_come = sessions::table
            .filter(sessions::venue_id.eq(venue_id))
            .filter(published_or_not())
            .filter(sessions::starts_at.gt(now))
            .filter(sessions::status.eq(SessionStatus::Scheduled))
            .filter(sessions::delivery.ne(Delivery::Online))
            .inner_join(wordings::table)
            .order((sessions::starts_at, sessions::id))
            .select(Columns::as_select());
        let mut rows: Vec<Columns> = to_come.load(conn)?;
        rows.retain(|row| closure.covers(row.starts_at, row.ends_at, london_day(now)));
        Ok(rows)
    })
}
