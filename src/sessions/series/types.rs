//! Session series as JSON.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::store::LeftOut;
use crate::db::{Id, LocalTime, Timestamp};
use crate::http::patch::MergePatch;
use crate::sessions::notices::BookingNotice;
use crate::sessions::recurrence;
use crate::sessions::types::{
    self as shared, BookingPolicy, Delivery, PartnerSummary, Pillar, ProgrammeSummary, Publication, SeriesStatus,
    VenueSummary,
};
use crate::text::short_name::ShortName;

/// A series as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "has_its_place"))]
#[validate(schema(function = "has_seats_of_its_kind"))]
pub struct SeriesInput {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, example = "Shared Reading at Walton")]
    pub title: String,
    /// What happens there.
    #[schema(
        min_length = 1,
        max_length = 5000,
        example = "We read a story aloud and talk about it. No need to prepare."
    )]
    pub description: Option<String>,
    /// Which of the model's pillars it belongs to.
    pub pillar: Pillar,
    /// What it is about, as short names such as `reading`.
    #[serde(default)]
    #[schema(max_items = 20, value_type = Vec<ShortName>, example = json!(["reading"]))]
    pub topics: Vec<String>,
    /// How people take part.
    pub delivery: Delivery,
    /// Whose it is; the service's own where it is nobody's. A partner's own where it writes.
    pub partner_id: Option<Id>,
    /// Which of the partner's programmes it belongs to.
    pub programme_id: Option<Id>,
    /// Where it is; required unless it is online.
    pub venue_id: Option<Id>,
    /// In which of the venue's spaces.
    pub space_id: Option<Id>,
    /// Where to join online. It is in no answer.
    #[schema(max_length = 500, format = "uri", write_only, example = "https://meet.example.org/j/123")]
    pub join_link: Option<String>,
    /// Who leads it, as it should be shown to everybody.
    #[schema(min_length = 1, max_length = 200, example = "The Reader")]
    pub facilitator: Option<String>,
    /// What makes it accessible beyond its venue, as short names such as `bsl_interpreter`.
    #[serde(default)]
    #[schema(max_items = 30, value_type = Vec<ShortName>, example = json!(["bsl_interpreter"]))]
    pub accessibility: Vec<String>,
    /// The first start, on the wall clock of `time_zone`; an occurrence of `recurrence`.
    pub local_start: LocalTime,
    /// The time zone of all local times; a weekly 10:00 stays 10:00 on its wall.
    #[schema(max_length = 60, format = "time-zone", example = "Europe/London")]
    pub time_zone: String,
    /// How long each takes, in minutes; exact, whatever the clocks do.
    #[schema(minimum = 1, maximum = 10080, example = 90)]
    pub duration_minutes: i32,
    /// When it is again: the value of an RRULE (RFC 5545), 2,000 occurrences at most. Without COUNT and UNTIL it never
    /// ends: its sessions are made some months ahead (12, unless the service says otherwise) and more as time goes on.
    #[serde(deserialize_with = "recurrence::read_normal")]
    #[schema(min_length = 1, max_length = 1000, example = "FREQ=WEEKLY;COUNT=52")]
    pub recurrence: String,
    /// Local starts that don't take place (EXDATE).
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, example = json!(["2027-12-28T13:00:00"]))]
    pub excluded: Vec<LocalTime>,
    /// Local starts that take place too (RDATE).
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, example = json!(["2027-12-29T13:00:00"]))]
    pub additional: Vec<LocalTime>,
    /// How many places each has, face to face where it is hybrid. Absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 12)]
    pub capacity: Option<i32>,
    /// How many can join each online, where it is hybrid. Absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 20)]
    pub online_capacity: Option<i32>,
    /// How people get a place. Absent: `bookable`.
    #[serde(default)]
    pub booking_policy: BookingPolicy,
    /// Who can see it. Absent: `published`.
    #[serde(default)]
    pub publication: Publication,
    /// The name that the partner's own system gives it, unique among the partner's.
    #[schema(min_length = 1, max_length = 100, example = "reader-walton-tue")]
    pub external_id: Option<String>,
}

fn has_its_place(series: &SeriesInput) -> Result<(), ValidationError> {
    shared::place(series.delivery, series.venue_id)
}

fn has_seats_of_its_kind(series: &SeriesInput) -> Result<(), ValidationError> {
    shared::online_seats(series.delivery, series.online_capacity)
}

/// What a series can be changed in: all but whose it is, and its name in the partner's own system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "has_its_reason"))]
#[validate(schema(function = "keeps_its_place"))]
#[validate(schema(function = "keeps_seats_of_its_kind"))]
pub struct SeriesChange {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, example = "Shared Reading at Walton")]
    pub title: String,
    /// What happens there.
    #[schema(min_length = 1, max_length = 5000, example = "We read a story aloud and talk about it.")]
    pub description: Option<String>,
    /// Which of the model's pillars it belongs to.
    pub pillar: Pillar,
    /// What it is about, as short names such as `reading`.
    #[serde(default)]
    #[schema(max_items = 20, value_type = Vec<ShortName>, example = json!(["reading"]))]
    pub topics: Vec<String>,
    /// Who leads it, as it should be shown to everybody.
    #[schema(min_length = 1, max_length = 200, example = "The Reader")]
    pub facilitator: Option<String>,
    /// What makes it accessible beyond its venue, as short names.
    #[serde(default)]
    #[schema(max_items = 30, value_type = Vec<ShortName>, example = json!(["bsl_interpreter"]))]
    pub accessibility: Vec<String>,
    /// Where to join online. It is in no answer.
    #[schema(max_length = 500, format = "uri", write_only, example = "https://meet.example.org/j/123")]
    pub join_link: Option<String>,
    /// How people take part. Where somebody has a seat that would be gone, that session stays as it is.
    pub delivery: Delivery,
    /// Which of the partner's programmes it belongs to.
    pub programme_id: Option<Id>,
    /// Where it is; required unless it is online.
    pub venue_id: Option<Id>,
    /// In which of the venue's spaces.
    pub space_id: Option<Id>,
    /// The first start, on the wall clock of `time_zone`; an occurrence of `recurrence`. Where its time of day
    /// changes, the excluded times follow it unless they are changed too.
    pub local_start: LocalTime,
    /// The time zone of all local times.
    #[schema(max_length = 60, format = "time-zone", example = "Europe/London")]
    pub time_zone: String,
    /// How long each takes, in minutes.
    #[schema(minimum = 1, maximum = 10080, example = 90)]
    pub duration_minutes: i32,
    /// When it is again: the value of an RRULE (RFC 5545).
    #[serde(deserialize_with = "recurrence::read_normal")]
    #[schema(min_length = 1, max_length = 1000, example = "FREQ=WEEKLY;COUNT=52")]
    pub recurrence: String,
    /// Local starts that don't take place (EXDATE).
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, example = json!(["2027-12-28T13:00:00"]))]
    pub excluded: Vec<LocalTime>,
    /// Local starts that take place too (RDATE).
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, example = json!(["2027-12-29T13:00:00"]))]
    pub additional: Vec<LocalTime>,
    /// How people get a place. Absent: `bookable`.
    #[serde(default)]
    pub booking_policy: BookingPolicy,
    /// How many places each has, face to face where it is hybrid; not below the seats that are taken in any.
    #[schema(minimum = 1, maximum = 100000, example = 12)]
    pub capacity: Option<i32>,
    /// How many can join each online, where it is hybrid; not below the seats that are taken in any.
    #[schema(minimum = 1, maximum = 100000, example = 20)]
    pub online_capacity: Option<i32>,
    /// Who can see it. Absent: `published`.
    #[serde(default)]
    pub publication: Publication,
    /// `cancelled` calls off all that is still to come, and every booking; there is no way back.
    #[serde(default)]
    pub status: SeriesStatus,
    /// Why it is off; required with `cancelled`.
    #[schema(min_length = 1, max_length = 500, example = "The group has found another home.")]
    pub cancellation_reason: Option<String>,
    /// Why sessions whose dates have left the rule are off, in words for the people who would have come.
    #[schema(min_length = 1, max_length = 500, write_only, example = "The group meets on Wednesdays from now on.")]
    pub reason: Option<String>,
}

/// A change of a series.
pub type SeriesPatch = MergePatch<SeriesChange>;

fn has_its_reason(change: &SeriesChange) -> Result<(), ValidationError> {
    shared::reason(change.status == SeriesStatus::Cancelled, change.cancellation_reason.is_some())
}

fn keeps_its_place(change: &SeriesChange) -> Result<(), ValidationError> {
    shared::place(change.delivery, change.venue_id)
}

fn keeps_seats_of_its_kind(change: &SeriesChange) -> Result<(), ValidationError> {
    shared::online_seats(change.delivery, change.online_capacity)
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
    /// Whose it is; null where it is the service's own.
    pub partner_id: Option<Id>,
    /// Which programme it belongs to.
    pub programme_id: Option<Id>,
    /// Where it is.
    pub venue_id: Option<Id>,
    /// In which of the venue's spaces.
    pub space_id: Option<Id>,
    /// Who leads it.
    pub facilitator: Option<String>,
    /// What makes it accessible beyond its venue.
    pub accessibility: Vec<String>,
    /// The first start, on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of all local times.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// How long each takes, in minutes.
    #[schema(example = 90)]
    pub duration_minutes: i32,
    /// When it is again (RFC 5545), in upper case and with its parts in one order.
    #[schema(example = "FREQ=WEEKLY;COUNT=52")]
    pub recurrence: String,
    /// Local starts that don't take place.
    pub excluded: Vec<LocalTime>,
    /// Local starts that take place too.
    pub additional: Vec<LocalTime>,
    /// It has nothing on this local date or later, whatever its rule says. Either it was split there, and another series
    /// goes on. Or its partner's roster no longer named it, and it has no session that day or later.
    #[schema(example = "2027-01-26")]
    pub ends_before: Option<NaiveDate>,
    /// The series that it was split from.
    pub split_from: Option<Id>,
    /// How many places each has, face to face where it is hybrid; null: no limit.
    #[schema(example = 12)]
    pub capacity: Option<i32>,
    /// How many can join each online, where it is hybrid; null: no limit.
    pub online_capacity: Option<i32>,
    /// How people get a place.
    pub booking_policy: BookingPolicy,
    /// Who can see it.
    pub publication: Publication,
    /// Whether it goes on.
    pub status: SeriesStatus,
    /// Whether nothing more comes of it: its rule has an end, or it was cut short or called off, and none of its sessions
    /// is to come or on.
    #[schema(example = false)]
    pub ended: bool,
    /// Why it is off.
    pub cancellation_reason: Option<String>,
    /// Where the recurrence never ends: the local date through which its sessions have been made.
    #[schema(example = "2028-01-05")]
    pub expanded_until: Option<NaiveDate>,
    /// Sessions still to come that could not be made, when the series was written or as time went on, and why. Only where
    /// one series is read, and only for whoever may write it.
    pub left_out: Option<Vec<Skipped>>,
    /// The name that the partner's own system gives it.
    pub external_id: Option<String>,
    /// The venue.
    pub venue: Option<VenueSummary>,
    /// The partner.
    pub partner: Option<PartnerSummary>,
    /// The programme.
    pub programme: Option<ProgrammeSummary>,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A new series, and what became of its occurrences.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreatedSeries {
    /// The series.
    #[serde(flatten)]
    pub series: Series,
    /// What was made of it.
    pub sessions: SessionCounts,
    /// Which occurrences were not made, and why.
    pub skipped: Vec<Skipped>,
}

/// How many sessions came of a series.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct SessionCounts {
    /// New ones.
    #[schema(example = 52)]
    pub created: usize,
}

/// Why a session isn't as its series or roster has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// People hold seats in it.
    Booked,
    /// It was called off by hand, or with its venue, and stays off.
    Cancelled,
    /// It was changed by hand.
    Edited,
    /// An excluded time that neither the rule nor an additional time has: nothing was left out.
    NotAnOccurrence,
    /// It has begun, or would have.
    Past,
    /// The series ends before that day: it was split, or its partner's roster no longer names it.
    SeriesEnded,
    /// Another session has the space at that time.
    SpaceTaken,
    /// Another session of the series, which stays, is at that time.
    TimeTaken,
    /// The venue is closed that day.
    VenueClosed,
}

/// A session that isn't as its series has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Skipped {
    /// Which one.
    pub local_start: LocalTime,
    /// Why.
    pub reason: SkipReason,
}

impl From<&LeftOut> for Skipped {
    fn from(left_out: &LeftOut) -> Self {
        Self { local_start: left_out.local_start, reason: left_out.reason }
    }
}

/// What became of a series' sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionOutcomes {
    /// New ones.
    #[schema(example = 0)]
    pub created: usize,
    /// Ones changed in place, with their bookings, and ones that are on again.
    #[schema(example = 49)]
    pub updated: usize,
    /// Ones that are off now.
    #[schema(example = 0)]
    pub cancelled: usize,
}

/// A series that was changed, split or called off, and what became of its sessions and of the people booked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangedSeries {
    /// The series.
    #[serde(flatten)]
    pub series: Series,
    /// What became of its sessions.
    pub sessions: SessionOutcomes,
    /// Which of its sessions aren't as it has them now, and why.
    pub skipped: Vec<Skipped>,
    /// The bookings of sessions that were moved or called off, and those that waited for more seats than there are now:
    /// each person was told.
    pub bookings: Vec<BookingNotice>,
}

/// Where to split a series.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SplitInput {
    /// The local start of one of its sessions. What is on that day, and all that follows, goes to the new series.
    pub from: LocalTime,
    /// What is different from then on: a JSON merge patch of the series. Absent: nothing.
    #[serde(default)]
    pub changes: SeriesPatch,
}

/// Which series to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SeriesFilter {
    /// Only of this partner.
    #[param(inline)]
    pub partner_id: Option<Id>,
    /// Only of this programme.
    #[param(inline)]
    pub programme_id: Option<Id>,
    /// Only at this venue.
    #[param(inline)]
    pub venue_id: Option<Id>,
    /// Only of this pillar.
    #[param(inline)]
    pub pillar: Option<Pillar>,
    /// Items of a page.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: from `next` of the one before.
    #[param(max_length = 1000)]
    pub cursor: Option<String>,
}
