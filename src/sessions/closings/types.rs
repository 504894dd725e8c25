//! A venue's change, and what it does to the sessions there, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::{Id, LocalTime, Timestamp};
use crate::sessions::notices::BookingNotice;
use crate::venues::types::Venue;

/// What becomes of sessions at a venue that is closed then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClosedSessions {
    /// They stand, and take no new bookings of people who would come.
    #[default]
    Keep,
    /// They are called off, with every booking. There is no way back.
    Cancel,
}

/// What became of a session at a venue that is closed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionOutcome {
    /// It stands, and takes no new bookings of people who would come.
    Kept,
    /// It was called off, with every booking.
    Cancelled,
}

impl From<ClosedSessions> for SessionOutcome {
    fn from(wish: ClosedSessions) -> Self {
        match wish {
            ClosedSessions::Keep => Self::Kept,
            ClosedSessions::Cancel => Self::Cancelled,
        }
    }
}

/// What a change of a venue does beside it.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// What becomes of the sessions there that fall into the time when the venue is closed. Without it they are kept.
    #[param(inline)]
    pub sessions: Option<ClosedSessions>,
}

/// A session at a venue that is closed then.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AffectedSession {
    /// The session.
    pub session_id: Id,
    /// What it is called.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// Whose it is; null where it is the service's own.
    pub partner_id: Option<Id>,
    /// Its start on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of `local_start`.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// Its start.
    pub starts_at: Timestamp,
    /// How many places were booked when the venue was changed, guests and offered places included.
    #[schema(example = 9)]
    pub booked: i32,
    /// How many bookings waited for a place.
    #[schema(example = 0)]
    pub waiting: i32,
    /// What became of it.
    pub outcome: SessionOutcome,
}

/// How much a closing concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AffectedCounts {
    /// Sessions.
    #[schema(example = 4)]
    pub sessions: usize,
    /// Places booked in them, guests and offered places included.
    #[schema(example = 31)]
    pub booked: i64,
}

/// A venue that was changed, and the sessions to come that fall into the time when it is closed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangedVenue {
    /// The venue.
    #[serde(flatten)]
    pub venue: Venue,
    /// How much of what is to come there falls into the time when the venue is closed.
    pub affected: AffectedCounts,
    /// The sessions, by start: the first 2,000.
    pub affected_sessions: Vec<AffectedSession>,
    /// The bookings that were cancelled: each person was told.
    pub bookings: Vec<BookingNotice>,
}
