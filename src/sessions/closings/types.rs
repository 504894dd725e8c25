//! A change of a venue, and its effect on the sessions there, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::{Id, LocalTime, Timestamp};
use crate::sessions::notices::BookingNotice;
use crate::venues::types::Venue;

crate::described! {
    /// What to do with sessions on days when their venue is closed.
    #[derive(Default)]
    pub enum ClosedSessions {
        /// The sessions stand, but take no new bookings of people who would come.
        #[default]
        Keep,
        /// The sessions are called off, with every booking. This can't be undone.
        Cancel,
    }
}

crate::described! {
    /// What happened to a session on a day when its venue is closed.
    pub enum SessionOutcome {
        /// The session stands, but takes no new bookings of people who would come.
        Kept,
        /// The session was called off, with every booking.
        Cancelled,
    }
}

impl From<ClosedSessions> for SessionOutcome {
    fn from(wish: ClosedSessions) -> Self {
        match wish {
            ClosedSessions::Keep => Self::Kept,
            ClosedSessions::Cancel => Self::Cancelled,
        }
    }
}

/// What a change of a venue does to the sessions there.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// What to do with sessions to come on days when the venue is closed. Absent: they are kept.
    #[param(inline)]
    pub sessions: Option<ClosedSessions>,
}

/// A session on a day when its venue is closed. A session outside the opening hours of a day that has some isn't one.
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
    /// How many places were booked when the venue was changed, guests and offered places included.
    #[schema(example = 9)]
    pub booked: i32,
    /// How many bookings waited for a place.
    #[schema(example = 0)]
    pub waiting: i32,
    /// What happened to the session.
    pub outcome: SessionOutcome,
}

/// How much a closing concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AffectedCounts {
    /// How many sessions.
    #[schema(example = 4)]
    pub sessions: usize,
    /// How many places are booked in them, guests and offered places included.
    #[schema(example = 31)]
    pub booked: i64,
}

/// A venue that was changed, and the sessions to come on days when it is closed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangedVenue {
    /// The venue.
    #[serde(flatten)]
    pub venue: Venue,
    /// How many sessions to come are on days when the venue is closed, and how many places are booked in them.
    pub affected: AffectedCounts,
    /// These sessions, by start: at most the first 2,000.
    pub affected_sessions: Vec<AffectedSession>,
    /// The bookings that were cancelled. Nothing was sent to these people: tell them.
    pub bookings: Vec<BookingNotice>,
}
