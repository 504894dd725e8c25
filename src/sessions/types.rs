//! Sessions as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::notices::BookingNotice;
use super::rules;
pub use super::words::{BookingPolicy, Delivery, Pillar, Publication, SeriesStatus, SessionState, SessionStatus};
use crate::db::{Id, LocalTime, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, rule};
use crate::text::short_name::ShortName;

/// A single session as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "has_its_place"))]
#[validate(schema(function = "has_seats_of_its_kind"))]
pub struct SessionInput {
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
    /// The first minute, on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of `local_start`.
    #[schema(max_length = 60, format = "time-zone", example = "Europe/London")]
    pub time_zone: String,
    /// How long it takes, in minutes; exact, whatever the clocks do.
    #[schema(minimum = 1, maximum = 10080, example = 90)]
    pub duration_minutes: i32,
    /// How many places there are, face to face where it is hybrid. Absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 12)]
    pub capacity: Option<i32>,
    /// How many can join online, where it is hybrid. Absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 20)]
    pub online_capacity: Option<i32>,
    /// How people get a place. Absent: `bookable`.
    #[serde(default)]
    pub booking_policy: BookingPolicy,
    /// Who can see it. Absent: `published`.
    #[serde(default)]
    pub publication: Publication,
    /// The name that the partner's own system gives it, unique among the partner's.
    #[schema(min_length = 1, max_length = 100, example = "reader-2026-06-03")]
    pub external_id: Option<String>,
}

fn has_its_place(session: &SessionInput) -> Result<(), ValidationError> {
    place(session.delivery, session.venue_id)
}

fn has_seats_of_its_kind(session: &SessionInput) -> Result<(), ValidationError> {
    online_seats(session.delivery, session.online_capacity)
}

/// In person and hybrid need a venue.
pub(super) fn place(delivery: Delivery, venue_id: Option<Id>) -> Result<(), ValidationError> {
    if rules::lacks_venue(delivery, venue_id) {
        return Err(at(rule("required", "Is required unless delivery is online."), "/venue_id"));
    }
    Ok(())
}

/// Only hybrid has online seats beside the others.
pub(super) fn online_seats(delivery: Delivery, online_capacity: Option<i32>) -> Result<(), ValidationError> {
    if rules::misplaces_online_capacity(delivery, online_capacity) {
        return Err(at(rule("not_hybrid", rules::NOT_HYBRID), "/online_capacity"));
    }
    Ok(())
}

/// What a session can be changed in: all but whose it is and what it is a part of. Once it has started, when, where and
/// how it takes place stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "has_its_reason"))]
#[validate(schema(function = "keeps_its_place"))]
#[validate(schema(function = "keeps_seats_of_its_kind"))]
pub struct SessionChange {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, example = "Shared Reading at Walton")]
    pub title: String,
    /// What happens there.
    #[schema(min_length = 1, max_length = 5000, example = "We read a story aloud and talk about it.")]
    pub description: Option<String>,
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
    /// How people take part. Bookings of a kind of seat that it no longer has are cancelled.
    pub delivery: Delivery,
    /// Which of the partner's programmes it belongs to.
    pub programme_id: Option<Id>,
    /// Where it is; required unless it is online.
    pub venue_id: Option<Id>,
    /// In which of the venue's spaces.
    pub space_id: Option<Id>,
    /// The first minute, on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of `local_start`.
    #[schema(max_length = 60, format = "time-zone", example = "Europe/London")]
    pub time_zone: String,
    /// How long it takes, in minutes; exact, whatever the clocks do.
    #[schema(minimum = 1, maximum = 10080, example = 90)]
    pub duration_minutes: i32,
    /// How people get a place. Who has one keeps it. Absent: `bookable`.
    #[serde(default)]
    pub booking_policy: BookingPolicy,
    /// How many places there are, face to face where it is hybrid; not below the seats that are taken. Parties that wait
    /// and are larger than that are cancelled.
    #[schema(minimum = 1, maximum = 100000, example = 12)]
    pub capacity: Option<i32>,
    /// How many can join online, where it is hybrid; not below the seats that are taken. As for `capacity`.
    #[schema(minimum = 1, maximum = 100000, example = 20)]
    pub online_capacity: Option<i32>,
    /// Who can see it. Absent: `published`.
    #[serde(default)]
    pub publication: Publication,
    /// `cancelled` calls it off, and every booking with it. A session that was called off so stays off.
    #[serde(default)]
    pub status: SessionStatus,
    /// Why it is off; required with `cancelled`.
    #[schema(min_length = 1, max_length = 500, example = "The library is closed that day.")]
    pub cancellation_reason: Option<String>,
    /// Why bookings that no longer fit are cancelled, in words for the people whose they are.
    #[schema(min_length = 1, max_length = 500, write_only, example = "We meet on Zoom this week.")]
    pub reason: Option<String>,
}

/// A change of a session.
pub type SessionPatch = MergePatch<SessionChange>;

fn has_its_reason(change: &SessionChange) -> Result<(), ValidationError> {
    reason(change.status == SessionStatus::Cancelled, change.cancellation_reason.is_some())
}

fn keeps_its_place(change: &SessionChange) -> Result<(), ValidationError> {
    place(change.delivery, change.venue_id)
}

fn keeps_seats_of_its_kind(change: &SessionChange) -> Result<(), ValidationError> {
    online_seats(change.delivery, change.online_capacity)
}

/// Whoever cancels says why.
pub(super) fn reason(cancelled: bool, given: bool) -> Result<(), ValidationError> {
    if cancelled && !given {
        return Err(at(rule("required", "Is required with the status cancelled."), "/cancellation_reason"));
    }
    Ok(())
}

/// Why something is called off.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CancelInput {
    /// Why, in words for the people who would have come.
    #[schema(min_length = 1, max_length = 500, example = "The library is closed that day.")]
    pub reason: String,
}

/// A venue, as far as a list of sessions shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VenueSummary {
    /// Its id.
    pub id: Id,
    /// Its short name for addresses.
    #[schema(example = "liverpool-central-library")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Liverpool Central Library")]
    pub name: String,
    /// The post town.
    #[schema(example = "Liverpool")]
    pub town: Option<String>,
    /// The postcode.
    #[schema(example = "L3 8EW")]
    pub postcode: Option<String>,
    /// The local authority.
    #[schema(example = "Liverpool")]
    pub local_authority: String,
    /// Degrees north (WGS 84).
    #[schema(example = 53.4097)]
    pub latitude: Option<f64>,
    /// Degrees east (WGS 84).
    #[schema(example = -2.9795)]
    pub longitude: Option<f64>,
}

/// A partner, as far as a list of sessions shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartnerSummary {
    /// Its id.
    pub id: Id,
    /// Its short name for addresses.
    #[schema(example = "the-reader")]
    pub slug: String,
    /// Its name.
    #[schema(example = "The Reader")]
    pub name: String,
}

/// A programme, as far as a list of sessions shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProgrammeSummary {
    /// Its id.
    pub id: Id,
    /// Its short name for addresses.
    #[schema(example = "shared-reading")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Shared Reading")]
    pub name: String,
}

/// A session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: Id,
    /// The series that it is an occurrence of.
    pub series_id: Option<Id>,
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
    /// The start on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of `local_start`.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// How long it takes, in minutes.
    #[schema(example = 90)]
    pub duration_minutes: i32,
    /// The instant of its start.
    pub starts_at: Timestamp,
    /// The instant of its end.
    pub ends_at: Timestamp,
    /// How many places there are, face to face where it is hybrid; null: no limit.
    #[schema(example = 12)]
    pub capacity: Option<i32>,
    /// How many can join online, where it is hybrid; null: no limit.
    pub online_capacity: Option<i32>,
    /// Seats that are taken, face to face where it is hybrid.
    #[schema(example = 5)]
    pub seats_taken: i32,
    /// Seats that are left; null where there is no limit.
    #[schema(example = 7)]
    pub seats_left: Option<i32>,
    /// Online seats that are taken, where it is hybrid.
    pub online_seats_taken: Option<i32>,
    /// Online seats that are left, where it is hybrid; null where there is no limit.
    pub online_seats_left: Option<i32>,
    /// How many are waiting for a seat.
    #[schema(example = 0)]
    pub waitlist_length: i32,
    /// How people get a place.
    pub booking_policy: BookingPolicy,
    /// Who can see it.
    pub publication: Publication,
    /// Whether it takes place.
    pub status: SessionState,
    /// Why it is off.
    pub cancellation_reason: Option<String>,
    /// The name that the partner's own system gives it.
    pub external_id: Option<String>,
    /// The venue.
    pub venue: Option<VenueSummary>,
    /// The partner.
    pub partner: Option<PartnerSummary>,
    /// The programme.
    pub programme: Option<ProgrammeSummary>,
    /// Rises with each change but not with bookings; part of the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A session that was changed or called off, and what became of the people booked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangedSession {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// Its bookings, where it was moved or called off, and those that waited for more seats than there are now: each
    /// person was told.
    pub bookings: Vec<BookingNotice>,
}
