//! A change of a venue, and its effect on the sessions there, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::sessions::affected::{AffectedCounts, AffectedSession, SessionOutcome};
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
    /// The bookings that were cancelled. Call those whose `told` is `not_reached`.
    pub bookings: Vec<BookingNotice>,
}
