//! Cancellations of many sessions as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors};

use crate::db::Id;
use crate::http::rule::{all, at, fits};
use crate::sessions::affected::{AffectedCounts, AffectedSession};
use crate::sessions::notices::BookingNotice;

/// Which of a partner's sessions to call off.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerCancellation {
    /// Sessions that start on this day (in London) or later. Those that have begun stay as they are.
    #[schema(example = "2027-02-15")]
    pub from: NaiveDate,
    /// Sessions that start on this day (in London) or earlier. Not before `from`.
    #[schema(example = "2027-02-19")]
    pub to: NaiveDate,
    /// Only sessions at this venue. Absent: wherever they are.
    pub venue_id: Option<Id>,
    /// Only sessions of this series. Absent: of all series, and single ones.
    pub series_id: Option<Id>,
    /// Why, in words for the people who would have come.
    #[schema(min_length = 1, max_length = 500, example = "It is half term.")]
    pub reason: String,
    /// `true`: change nothing, and say what would be called off. Absent: call them off.
    #[serde(default)]
    #[schema(example = true)]
    pub dry_run: bool,
}

/// Which of the sessions at a venue to call off. Sessions that are only online aren't concerned.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VenueCancellation {
    /// Sessions that start on this day (in London) or later. Those that have begun stay as they are.
    #[schema(example = "2027-02-15")]
    pub from: NaiveDate,
    /// Sessions that start on this day (in London) or earlier. Not before `from`.
    #[schema(example = "2027-02-19")]
    pub to: NaiveDate,
    /// Only sessions of this series. Absent: all.
    pub series_id: Option<Id>,
    /// Why, in words for the people who would have come.
    #[schema(min_length = 1, max_length = 500, example = "The heating is being mended.")]
    pub reason: String,
    /// `true`: change nothing, and say what would be called off. Absent: call them off.
    #[serde(default)]
    #[schema(example = true)]
    pub dry_run: bool,
}

impl Validate for PartnerCancellation {
    fn validate(&self) -> Result<(), ValidationErrors> {
        all([in_order(self.from, self.to)])
    }
}

impl Validate for VenueCancellation {
    fn validate(&self) -> Result<(), ValidationErrors> {
        all([in_order(self.from, self.to)])
    }
}

fn in_order(from: NaiveDate, to: NaiveDate) -> Result<(), ValidationError> {
    fits(from <= to, "before_from", "Must not be before `from`.").map_err(|error| at(error, "/to"))
}

/// How many people have bookings in the sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeopleCounts {
    /// How many are told by e-mail.
    #[schema(example = 23)]
    pub told: usize,
    /// How many can't be reached by e-mail, so that somebody has to call them.
    #[schema(example = 8)]
    pub not_reached: usize,
}

/// What a cancellation calls off, or in a dry run what it would call off.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Cancellation {
    /// Whether this was a dry run, in which nothing was changed.
    pub dry_run: bool,
    /// How many sessions there are, and how many places are booked in them.
    pub affected: AffectedCounts,
    /// How many people have a booking in them.
    pub people: PeopleCounts,
    /// The sessions, by start.
    pub sessions: Vec<AffectedSession>,
    /// The bookings that were cancelled: call those whose `told` is `not_reached`. None in a dry run.
    pub bookings: Vec<BookingNotice>,
}
