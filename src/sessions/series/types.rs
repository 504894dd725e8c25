//! Session series as JSON.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::store::LeftOut;
use crate::db::schema::session_series;
use crate::db::{Id, Json, LocalTime, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::all;
use crate::sessions::activity::Activity;
use crate::sessions::notices::BookingNotice;
use crate::sessions::particulars::{Particulars, ParticularsView};
use crate::sessions::recurrence;
use crate::sessions::types::{
    BookingPolicy, Delivery, PartnerSummary, Pillar, ProgrammeSummary, Publication, SeriesStatus, VenueSummary, reason,
};

/// A series as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesInput {
    /// What each of its sessions is.
    #[serde(flatten)]
    pub activity: Activity,
    /// What people want to know before they come.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// Which of the model's pillars it belongs to.
    pub pillar: Pillar,
    /// When it takes place.
    #[serde(flatten)]
    pub repetition: Repetition,
    /// The partner that it belongs to. Absent: the service, or the partner that writes it.
    pub partner_id: Option<Id>,
    /// The name that the partner's own system gives it. Unique among the partner's sessions and series.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "reader-walton-tue")]
    pub external_id: Option<String>,
}

impl Validate for SeriesInput {
    fn validate(&self) -> Result<(), ValidationErrors> {
        all([self.activity.rules().as_slice(), &self.particulars.rules()].concat())
    }
}

/// When a series takes place, from its first start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = session_series)]
pub struct Repetition {
    /// When it takes place again: the value of an RRULE (RFC 5545), with at most 2,000 occurrences. `local_start` must
    /// be one of them. A weekly 10:00 stays 10:00 on the wall clock. Without COUNT and UNTIL the series never ends. Its
    /// sessions are then made some months ahead (12 unless configured otherwise), and more as time goes on.
    #[serde(deserialize_with = "recurrence::read_normal")]
    #[schema(min_length = 1, max_length = 1000, example = "FREQ=WEEKLY;COUNT=52")]
    pub recurrence: String,
    /// Local starts that don't take place (EXDATE).
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, value_type = Vec<LocalTime>, example = json!(["2027-12-28T13:00:00"]))]
    pub excluded: Json<Vec<LocalTime>>,
    /// Additional local starts (RDATE).
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, value_type = Vec<LocalTime>, example = json!(["2027-12-29T13:00:00"]))]
    pub additional: Json<Vec<LocalTime>>,
}

/// The fields of a series that can be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesChange {
    /// What each of its sessions is.
    #[serde(flatten)]
    pub activity: Activity,
    /// What people want to know before they come.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// Which of the model's pillars it belongs to.
    pub pillar: Pillar,
    /// When it takes place.
    #[serde(flatten)]
    pub repetition: Repetition,
    /// `cancelled` calls off all sessions that are still to come and cancels every booking. This can't be undone.
    #[serde(default)]
    pub status: SeriesStatus,
    /// Why it is called off. Required with `cancelled`.
    #[schema(min_length = 1, max_length = 500, example = "The group has found another home.")]
    pub cancellation_reason: Option<String>,
    /// Why sessions are called off whose dates have left the rule, in words for the people who would have come.
    #[schema(min_length = 1, max_length = 500, write_only, example = "The group meets on Wednesdays from now on.")]
    pub reason: Option<String>,
}

/// A change of a series.
pub type SeriesPatch = MergePatch<SeriesChange>;

impl Validate for SeriesChange {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let reason = reason(self.status == SeriesStatus::Cancelled, self.cancellation_reason.as_deref());
        all([self.activity.rules().as_slice(), &self.particulars.rules(), &[reason]].concat())
    }
}

/// A series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Series {
    /// Its id.
    pub id: Id,
    /// What it is called.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// What happens there.
    pub description: Option<String>,
    /// Which of the model's pillars it belongs to.
    pub pillar: Pillar,
    /// What it is about.
    #[schema(example = json!(["reading"]))]
    pub topics: Vec<String>,
    /// How people take part.
    pub delivery: Delivery,
    /// The partner that it belongs to. Null for the service's own.
    pub partner_id: Option<Id>,
    /// The programme that it belongs to.
    pub programme_id: Option<Id>,
    /// The venue.
    pub venue_id: Option<Id>,
    /// The space in the venue.
    pub space_id: Option<Id>,
    /// Who leads it.
    pub facilitator: Option<String>,
    /// What makes it accessible beyond its venue.
    pub accessibility: Vec<String>,
    /// What people want to know before they come.
    #[serde(flatten)]
    pub particulars: ParticularsView,
    /// The first start, on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of all local times.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The duration of each session in minutes.
    #[schema(example = 90)]
    pub duration_minutes: i32,
    /// When it takes place again (RFC 5545), in upper case and with its parts in one order.
    #[schema(example = "FREQ=WEEKLY;COUNT=52")]
    pub recurrence: String,
    /// Local starts that don't take place.
    pub excluded: Vec<LocalTime>,
    /// Additional local starts.
    pub additional: Vec<LocalTime>,
    /// The series has no sessions on this local date or later, whatever its rule says. Either it was split on this date,
    /// or its partner's roster no longer names it.
    #[schema(example = "2027-01-26")]
    pub ends_before: Option<NaiveDate>,
    /// The series that it was split from.
    pub split_from: Option<Id>,
    /// How many places each session has. For a hybrid series, how many in person. Null: no limit.
    #[schema(example = 12)]
    pub capacity: Option<i32>,
    /// How many people can join each session of a hybrid series online. Null: no limit.
    pub online_capacity: Option<i32>,
    /// How people get a place.
    pub booking_policy: BookingPolicy,
    /// Who can see it.
    pub publication: Publication,
    /// Whether it goes on.
    pub status: SeriesStatus,
    /// Whether the series is over: no more sessions will be made, and none of its sessions is running or still to come.
    #[schema(example = false)]
    pub ended: bool,
    /// Why it was called off.
    pub cancellation_reason: Option<String>,
    /// The local date up to which sessions have been made. Null if the recurrence has an end.
    #[schema(example = "2028-01-05")]
    pub expanded_until: Option<NaiveDate>,
    /// Sessions still to come that could not be made, and why. Only in the answer for one series, and only for callers
    /// who may write it.
    pub left_out: Option<Vec<Skipped>>,
    /// The name that the partner's own system gives it.
    pub external_id: Option<String>,
    /// The venue.
    pub venue: Option<VenueSummary>,
    /// The partner.
    pub partner: Option<PartnerSummary>,
    /// The programme.
    pub programme: Option<ProgrammeSummary>,
    /// Rises with each change.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A new series, and the sessions that were made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreatedSeries {
    /// The series.
    #[serde(flatten)]
    pub series: Series,
    /// How many sessions were made.
    pub sessions: SessionCounts,
    /// The occurrences for which no session was made, and why.
    pub skipped: Vec<Skipped>,
}

/// How many sessions of a new series were made.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct SessionCounts {
    /// New sessions.
    #[schema(example = 52)]
    pub created: usize,
}

crate::described! {
    /// Why a session differs from its series or roster.
    pub enum SkipReason {
        /// People hold seats in it.
        Booked,
        /// It was called off by hand, or with its venue, and stays off.
        Cancelled,
        /// It was changed by hand.
        Edited,
        /// The series has no session at this excluded time, so excluding the time changes nothing.
        NotAnOccurrence,
        /// The session has begun, or would have begun by now.
        Past,
        /// The series ends before that day: it was split, or its partner's roster no longer names it.
        SeriesEnded,
        /// Another session has the space at that time.
        SpaceTaken,
        /// Another session of the series stays at that time.
        TimeTaken,
        /// The venue is closed that day.
        VenueClosed,
    }
}

/// A session that differs from its series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Skipped {
    /// The local start of the session.
    pub local_start: LocalTime,
    /// Why.
    pub reason: SkipReason,
}

impl From<&LeftOut> for Skipped {
    fn from(left_out: &LeftOut) -> Self {
        Self { local_start: left_out.local_start, reason: left_out.reason }
    }
}

/// What happened to the sessions of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionOutcomes {
    /// New sessions.
    #[schema(example = 0)]
    pub created: usize,
    /// Sessions that were changed and keep their bookings, and sessions that are on again.
    #[schema(example = 49)]
    pub updated: usize,
    /// Sessions that were called off.
    #[schema(example = 0)]
    pub cancelled: usize,
}

/// A series that was changed, split or called off, and what happened to its sessions and their bookings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangedSeries {
    /// The series.
    #[serde(flatten)]
    pub series: Series,
    /// What happened to its sessions.
    pub sessions: SessionOutcomes,
    /// The sessions that don't follow the series as it is now, each with the reason.
    pub skipped: Vec<Skipped>,
    /// The bookings of sessions that were moved or called off, and bookings that no longer wait because a session now
    /// has too few seats for them. Call those whose `told` is `not_reached`.
    pub bookings: Vec<BookingNotice>,
}

/// Where to split a series.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SplitInput {
    /// The day of the cut: the local start of one of its sessions, or a date. With a date, the cut is on the first day
    /// from then on that has a session. The sessions of that day and all later ones go to the new series.
    #[schema(value_type = String, format = "date-or-local", example = "2027-01-26")]
    pub from: SplitFrom,
    /// The name that the partner's own system gives the new series. Absent: that of the old series with a number, such as
    /// `reader-walton-tue-2`, if the old one has any.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "reader-walton-tue-poems")]
    pub external_id: Option<String>,
    /// What is different from then on: a JSON merge patch of the series. Absent: nothing.
    #[serde(default)]
    pub changes: SeriesPatch,
}

/// Where a series is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SplitFrom {
    /// On the day of this start.
    Start(LocalTime),
    /// On the first day from this one on that has a session.
    Day(NaiveDate),
}
