//! Sessions as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors};

use super::activity::Activity;
pub use super::kinds::{BookingPolicy, Delivery, Pillar, Publication, SeriesStatus, SessionState, SessionStatus};
use super::notices::BookingNotice;
use super::particulars::{Particulars, ParticularsView};
use crate::db::schema::{partners, programmes, venues};
use crate::db::{Id, LocalTime, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{all, at, rule};
use crate::partners::types::PartnerStatus;

/// A single session as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionInput {
    /// What it is.
    #[serde(flatten)]
    pub activity: Activity,
    /// What people want to know before they come.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// Which of the model's pillars it belongs to.
    pub pillar: Pillar,
    /// The partner that it belongs to. Absent: the service, or the partner that writes it.
    pub partner_id: Option<Id>,
    /// The name that the partner's own system gives it. Unique among the partner's sessions and series.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "reader-2026-06-03")]
    pub external_id: Option<String>,
}

impl Validate for SessionInput {
    fn validate(&self) -> Result<(), ValidationErrors> {
        all([self.activity.rules().as_slice(), &self.particulars.rules()].concat())
    }
}

/// The fields of a session that can be changed. Once it has started, its time, place and delivery can't be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionChange {
    /// What it is.
    #[serde(flatten)]
    pub activity: Activity,
    /// What people want to know before they come.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// `cancelled` calls the session off and cancels every booking. It stays off.
    #[serde(default)]
    pub status: SessionStatus,
    /// Why it is called off. Required with `cancelled`.
    #[schema(min_length = 1, max_length = 500, example = "The library is closed that day.")]
    pub cancellation_reason: Option<String>,
    /// Why bookings that no longer fit are cancelled, in words for the people who are booked.
    #[schema(min_length = 1, max_length = 500, write_only, example = "We meet on Zoom this week.")]
    pub reason: Option<String>,
}

/// A change of a session.
pub type SessionPatch = MergePatch<SessionChange>;

impl Validate for SessionChange {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let reason = reason(self.status == SessionStatus::Cancelled, self.cancellation_reason.as_deref());
        all([self.activity.rules().as_slice(), &self.particulars.rules(), &[reason]].concat())
    }
}

/// A cancellation needs a reason.
pub(super) fn reason(is_cancelled: bool, reason: Option<&str>) -> Result<(), ValidationError> {
    if is_cancelled && reason.is_none() {
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

/// The part of a venue that is shown with a session.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = venues)]
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

/// The part of a partner that is shown with a session.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = partners)]
pub struct PartnerSummary {
    /// Its id.
    pub id: Id,
    /// Its short name for addresses.
    #[schema(example = "the-reader")]
    pub slug: String,
    /// Its name.
    #[schema(example = "The Reader")]
    pub name: String,
    /// Decides who may see what is the partner's.
    #[serde(skip)]
    pub(crate) status: PartnerStatus,
}

impl PartnerSummary {
    /// The partner's id and status. They decide who may see the partner's sessions.
    pub fn standing(&self) -> (Id, PartnerStatus) {
        (self.id, self.status)
    }
}

/// The part of a programme that is shown with a session.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = programmes)]
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
    /// The start on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of `local_start`.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The duration in minutes.
    #[schema(example = 90)]
    pub duration_minutes: i32,
    /// The instant of its start.
    pub starts_at: Timestamp,
    /// The instant of its end.
    pub ends_at: Timestamp,
    /// How many places there are. For a hybrid session, how many in person. Null: no limit.
    #[schema(example = 12)]
    pub capacity: Option<i32>,
    /// How many people can join a hybrid session online. Null: no limit.
    pub online_capacity: Option<i32>,
    /// How many seats are taken. For a hybrid session, how many in person.
    #[schema(example = 5)]
    pub seats_taken: i32,
    /// How many seats are left. For a hybrid session, how many in person. Null: no limit.
    #[schema(example = 7)]
    pub seats_left: Option<i32>,
    /// How many online seats of a hybrid session are taken.
    pub online_seats_taken: Option<i32>,
    /// How many online seats of a hybrid session are left. Null: no limit.
    pub online_seats_left: Option<i32>,
    /// How many bookings wait for a seat.
    #[schema(example = 0)]
    pub waitlist_length: i32,
    /// How people get a place.
    pub booking_policy: BookingPolicy,
    /// Who can see it.
    pub publication: Publication,
    /// Whether it takes place.
    pub status: SessionState,
    /// Why it was called off.
    pub cancellation_reason: Option<String>,
    /// The name that the partner's own system gives it.
    pub external_id: Option<String>,
    /// The venue.
    pub venue: Option<VenueSummary>,
    /// The partner.
    pub partner: Option<PartnerSummary>,
    /// The programme.
    pub programme: Option<ProgrammeSummary>,
    /// Rises with each change of the session, but not with bookings.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A session that was changed or called off, and what happened to its bookings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangedSession {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// The bookings of a session that was moved or called off, and bookings that no longer wait because the session now
    /// has too few seats for them. Call those whose `told` is `not_reached`.
    pub bookings: Vec<BookingNotice>,
}
