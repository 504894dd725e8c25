//! The sessions that the closing of a venue concerns, in the database.

use diesel::prelude::*;

use super::types::{AffectedCounts, AffectedSession, SessionOutcome};
use crate::clock::london_day;
use crate::db::schema::{sessions, wordings};
use crate::db::{Conn, Id, LocalTime, Timestamp};
use crate::error::Result;
use crate::sessions::store;
use crate::sessions::types::{Delivery, SessionStatus};
use crate::sessions::visibility::published_or_not;
use crate::venues::closures::Closure;

/// The columns of a session that are needed to tell whether a closing concerns it, and to list it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct Columns {
    id: Id,
    #[diesel(select_expression = wordings::title)]
    title: String,
    partner_id: Option<Id>,
    local_start: LocalTime,
    time_zone: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
    seats_taken: i32,
    online_seats_taken: i32,
    waitlist_length: i32,
}

/// The sessions that a closing concerns, by start.
#[derive(Debug, Default)]
pub struct Affected(Vec<Columns>);

impl Affected {
    /// The ids of the sessions.
    pub fn ids(&self) -> Vec<Id> {
        self.0.iter().map(|row| row.id).collect()
    }

    /// How many sessions there are, and how many places are booked in them.
    pub fn counts(&self) -> AffectedCounts {
        let booked = self.0.iter().map(|row| i64::from(row.seats_taken + row.online_seats_taken)).sum();
        AffectedCounts { sessions: self.0.len(), booked }
    }

    /// The first `most` sessions, for the answer.
    pub fn show(self, outcome: SessionOutcome, most: usize) -> Vec<AffectedSession> {
        let show = |row: Columns| AffectedSession {
            session_id: row.id,
            title: row.title,
            partner_id: row.partner_id,
            local_start: row.local_start,
            time_zone: row.time_zone,
            starts_at: row.starts_at,
            booked: row.seats_taken + row.online_seats_taken,
            waiting: row.waitlist_length,
            outcome,
        };
        self.0.into_iter().take(most).map(show).collect()
    }
}

/// The sessions to come at a venue, with people present, that fall into the time when it is closed. They are locked
/// until the transaction ends, so that nobody books them after their bookings were counted.
pub fn affected(conn: &mut Conn, venue_id: Id, closure: &Closure, now: Timestamp) -> Result<Affected> {
    if closure.is_always_open() {
        return Ok(Affected::default());
    }
    let read = |conn: &mut Conn| -> Result<Vec<Columns>> {
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
    };
    let found = read(conn)?;
    store::lock(conn, found.iter().map(|row| row.id))?;
    // Read again: the sessions may have changed before they were locked.
    Ok(Affected(read(conn)?))
}
