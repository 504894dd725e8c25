//! The sessions that a closing or a cancellation concerns: how they are read, and how an answer lists them.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::Subject;
use crate::db::schema::{sessions, wordings};
use crate::db::{Conn, Id, LocalTime, Timestamp};
use crate::error::Result;
use crate::http::context::Context;
use crate::sessions::notices::{self, Change, Notices};
use crate::sessions::store;

crate::described! {
    /// What becomes of a session.
    pub enum SessionOutcome {
        /// The session stands. While its venue is closed, it takes no new bookings of people who would come.
        Kept,
        /// The session is called off, with every booking.
        Cancelled,
    }
}

/// A session that a closing or a cancellation concerns.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AffectedSession {
    /// The session.
    pub session_id: Id,
    /// The title of the session.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// The partner it belongs to. Null for the service's own sessions.
    pub partner_id: Option<Id>,
    /// The start, on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of `local_start`.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The instant of the start.
    pub starts_at: Timestamp,
    /// How many places were booked, guests and offered places included.
    #[schema(example = 9)]
    pub booked: i32,
    /// How many bookings waited for a place.
    #[schema(example = 0)]
    pub waiting: i32,
    /// What becomes of the session.
    pub outcome: SessionOutcome,
}

/// How much a closing or a cancellation concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AffectedCounts {
    /// How many sessions.
    #[schema(example = 4)]
    pub sessions: usize,
    /// How many places are booked in them, guests and offered places included.
    #[schema(example = 31)]
    pub booked: i64,
}

/// How many sessions an answer lists at most.
pub const MOST_LISTED: usize = 2_000;

/// The columns of a session that are needed to tell whether it is concerned, and to list it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Columns {
    /// Its id.
    pub id: Id,
    #[diesel(select_expression = wordings::title)]
    title: String,
    partner_id: Option<Id>,
    local_start: LocalTime,
    time_zone: String,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    seats_taken: i32,
    online_seats_taken: i32,
    waitlist_length: i32,
}

/// The sessions that are concerned, by start.
#[derive(Debug, Default)]
pub struct Affected(pub Vec<Columns>);

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

    /// Calls the sessions off with their bookings, and records an event for each session and each booking.
    pub fn cancel(&self, conn: &mut Conn, context: &Context, reason: &str) -> Result<Notices> {
        let ids = self.ids();
        store::cancel_these(conn, &ids, reason, context.now())?;
        let events: Vec<_> =
            ids.iter().map(|id| context.event("cancel", Subject::other("session", *id), &[])).collect();
        context.record(conn, &events)?;
        let cancelled = store::cancel_bookings(conn, &ids, reason, context.now())?;
        notices::tell(conn, context, &Change { cancelled, reason: reason.to_owned(), ..Change::default() })
    }
}

/// The sessions that `read` finds, as they are at the moment.
pub fn unlocked(conn: &mut Conn, read: impl Fn(&mut Conn) -> Result<Vec<Columns>>) -> Result<Affected> {
    Ok(Affected(read(conn)?))
}

/// The sessions that `read` finds. They are locked until the transaction ends, so that nobody books them after their
/// bookings were counted.
pub fn locked(conn: &mut Conn, read: impl Fn(&mut Conn) -> Result<Vec<Columns>>) -> Result<Affected> {
    let found = read(conn)?;
    store::lock(conn, found.iter().map(|row| row.id))?;
    // Read again: the sessions may have changed before they were locked.
    Ok(Affected(read(conn)?))
}
