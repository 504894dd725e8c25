//! The row of a session, as it is made, changed and told from another version of itself.

use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;

use super::recurrence::{Occurrence, OccurrenceKey, RecurrenceError};
use super::rules;
use super::series::store::SeriesRow;
use super::types::{BookingPolicy, Delivery, Pillar, Publication, SessionChange, SessionInput, SessionStatus};
use crate::clock::london_day;
use crate::db::schema::sessions;
use crate::db::{Id, Json, LocalTime, Timestamp};

/// A row of `sessions`. Writing it over an older one leaves the seats alone: they are the bookings' to change.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = sessions, treat_none_as_null = true)]
pub struct SessionRow {
    pub(crate) id: Id,
    pub(crate) series_id: Option<Id>,
    /// Which occurrence of its series it is; none where it is a single session.
    pub(crate) occurrence: Option<OccurrenceKey>,
    pub(crate) partner_id: Option<Id>,
    pub(crate) programme_id: Option<Id>,
    pub(crate) venue_id: Option<Id>,
    pub(crate) space_id: Option<Id>,
    pub(crate) external_id: Option<String>,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) pillar: Pillar,
    pub(crate) topics: Json<Vec<String>>,
    pub(crate) delivery: Delivery,
    pub(crate) join_link: Option<String>,
    pub(crate) facilitator: Option<String>,
    pub(crate) accessibility: Json<Vec<String>>,
    pub(crate) booking_policy: BookingPolicy,
    pub(crate) capacity: Option<i32>,
    pub(crate) online_capacity: Option<i32>,
    #[diesel(skip_update)]
    pub(crate) seats_taken: i32,
    #[diesel(skip_update)]
    pub(crate) online_seats_taken: i32,
    #[diesel(skip_update)]
    pub(crate) waitlist_length: i32,
    pub(crate) local_start: LocalTime,
    pub(crate) time_zone: String,
    pub(crate) duration_minutes: i32,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) starts_on: NaiveDate,
    pub(crate) publication: Publication,
    pub(crate) status: SessionStatus,
    pub(crate) cancellation_reason: Option<String>,
    /// Whether people changed it or called it off by hand.
    pub(crate) edited: bool,
    pub(crate) version: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl SessionRow {
    /// A new session of its own.
    ///
    /// # Errors
    /// The zone is unknown, or the year is out of range.
    pub fn single(id: Id, written: SessionInput, now: Timestamp) -> Result<Self, RecurrenceError> {
        let starts_at = rules::single_start(written.local_start.0, &written.time_zone)?;
        Ok(Self {
            id,
            series_id: None,
            occurrence: None,
            partner_id: written.partner_id,
            programme_id: written.programme_id,
            venue_id: written.venue_id,
            space_id: written.space_id,
            external_id: written.external_id,
            title: written.title,
            description: written.description,
            pillar: written.pillar,
            topics: Json(written.topics),
            delivery: written.delivery,
            join_link: written.join_link,
            facilitator: written.facilitator,
            accessibility: Json(written.accessibility),
            booking_policy: written.booking_policy,
            capacity: written.capacity,
            online_capacity: written.online_capacity,
            seats_taken: 0,
            online_seats_taken: 0,
            waitlist_length: 0,
            local_start: written.local_start,
            time_zone: written.time_zone,
            duration_minutes: written.duration_minutes,
            starts_at,
            ends_at: after(starts_at, written.duration_minutes),
            starts_on: london_day(starts_at),
            publication: written.publication,
            status: SessionStatus::Scheduled,
            cancellation_reason: None,
            edited: false,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// A new session of a series.
    pub fn of_series(series: &SeriesRow, occurrence: &Occurrence, id: Id, now: Timestamp) -> Self {
        let starts_at = Timestamp(occurrence.starts_at);
        Self {
            id,
            series_id: Some(series.id),
            occurrence: Some(occurrence.key),
            partner_id: series.partner_id,
            programme_id: series.programme_id,
            venue_id: series.venue_id,
            space_id: series.space_id,
            external_id: None,
            title: series.title.clone(),
            description: series.description.clone(),
            pillar: series.pillar,
            topics: series.topics.clone(),
            delivery: series.delivery,
            join_link: series.join_link.clone(),
            facilitator: series.facilitator.clone(),
            accessibility: series.accessibility.clone(),
            booking_policy: series.booking_policy,
            capacity: series.capacity,
            online_capacity: series.online_capacity,
            seats_taken: 0,
            online_seats_taken: 0,
            waitlist_length: 0,
            local_start: LocalTime(occurrence.local_start),
            time_zone: series.time_zone.clone(),
            duration_minutes: series.duration_minutes,
            starts_at,
            ends_at: after(starts_at, series.duration_minutes),
            starts_on: london_day(starts_at),
            publication: series.publication,
            status: SessionStatus::Scheduled,
            cancellation_reason: None,
            edited: false,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What can be changed in it, as it is today.
    pub fn changeable(&self) -> SessionChange {
        SessionChange {
            title: self.title.clone(),
            description: self.description.clone(),
            topics: self.topics.0.clone(),
            facilitator: self.facilitator.clone(),
            accessibility: self.accessibility.0.clone(),
            join_link: self.join_link.clone(),
            delivery: self.delivery,
            programme_id: self.programme_id,
            venue_id: self.venue_id,
            space_id: self.space_id,
            local_start: self.local_start,
            time_zone: self.time_zone.clone(),
            duration_minutes: self.duration_minutes,
            booking_policy: self.booking_policy,
            capacity: self.capacity,
            online_capacity: self.online_capacity,
            publication: self.publication,
            status: self.status,
            cancellation_reason: self.cancellation_reason.clone(),
            reason: None,
        }
    }

    /// Its next version, edited by hand. Its status stays: cancelling is [`cancel`]'s. In its series it stays the same
    /// occurrence, wherever it is moved.
    ///
    /// # Errors
    /// The zone is unknown, or the year is out of range.
    pub fn changed(&self, change: SessionChange, now: Timestamp) -> Result<Self, RecurrenceError> {
        let starts_at = rules::single_start(change.local_start.0, &change.time_zone)?;
        Ok(Self {
            delivery: change.delivery,
            programme_id: change.programme_id,
            venue_id: change.venue_id,
            space_id: change.space_id,
            local_start: change.local_start,
            time_zone: change.time_zone,
            duration_minutes: change.duration_minutes,
            starts_at,
            ends_at: after(starts_at, change.duration_minutes),
            starts_on: london_day(starts_at),
            booking_policy: change.booking_policy,
            title: change.title,
            description: change.description,
            topics: Json(change.topics),
            facilitator: change.facilitator,
            accessibility: Json(change.accessibility),
            join_link: change.join_link,
            capacity: change.capacity,
            online_capacity: change.online_capacity,
            publication: change.publication,
            cancellation_reason: change.cancellation_reason,
            edited: true,
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        })
    }

    /// Whether its series or its roster called it off, by no longer stating it: it comes on again once it is stated.
    pub fn is_withdrawn(&self) -> bool {
        self.status == SessionStatus::Cancelled && !self.edited
    }

    /// Whether anybody holds or waits for a seat.
    pub fn is_booked(&self) -> bool {
        self.seats_taken + self.online_seats_taken + self.waitlist_length > 0
    }

    /// Which members say when, where or how it takes place otherwise than in another version.
    pub fn moved_members(&self, other: &Self) -> Vec<String> {
        let differ = [
            ("local_start", self.local_start != other.local_start),
            ("time_zone", self.time_zone != other.time_zone),
            ("duration_minutes", self.duration_minutes != other.duration_minutes),
            ("venue_id", self.venue_id != other.venue_id),
            ("space_id", self.space_id != other.space_id),
            ("delivery", self.delivery != other.delivery),
        ];
        differ.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }
}

fn after(start: Timestamp, minutes: i32) -> Timestamp {
    Timestamp(start.0 + TimeDelta::minutes(minutes.into()))
}
