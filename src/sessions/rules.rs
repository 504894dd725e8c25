//! Rules for sessions and series that their schemas can't express.

use chrono::{Datelike, NaiveDateTime};

use super::recurrence::{self, EARLIEST_YEAR, LATEST_YEAR, RecurrenceError};
use super::types::{Delivery, SessionState, SessionStatus};
use crate::db::{Id, Timestamp};
use crate::error::{Error, Kind, Result};

/// The detail of the fault for an `online_capacity` of a session that isn't hybrid.
pub const NOT_HYBRID: &str = "Goes only with the delivery hybrid: leave it out, or send null if it has a value. Otherwise capacity counts all \
     seats.";

/// Whether people would come in person, but there is no venue.
pub fn lacks_venue(delivery: Delivery, venue_id: Option<Id>) -> bool {
    delivery != Delivery::Online && venue_id.is_none()
}

/// Whether there is a capacity for online seats, though only a hybrid session counts them separately.
pub fn misplaces_online_capacity(delivery: Delivery, online_capacity: Option<i32>) -> bool {
    delivery != Delivery::Hybrid && online_capacity.is_some()
}

/// The instant at which a single session starts.
///
/// # Errors
/// The zone is unknown, or the time-zone tables don't cover the year.
pub fn single_start(local_start: NaiveDateTime, time_zone: &str) -> Result<Timestamp, RecurrenceError> {
    if !(EARLIEST_YEAR..=LATEST_YEAR).contains(&local_start.year()) {
        return Err(RecurrenceError::OutOfRange { field: "local_start" });
    }
    let zone = recurrence::parse_time_zone(time_zone)?;
    Ok(Timestamp(recurrence::resolve(local_start, zone)))
}

/// The state of a session at an instant.
pub fn state(status: SessionStatus, ends_at: Timestamp, now: Timestamp) -> SessionState {
    match status {
        SessionStatus::Cancelled => SessionState::Cancelled,
        SessionStatus::Scheduled if ends_at <= now => SessionState::Completed,
        SessionStatus::Scheduled => SessionState::Scheduled,
    }
}

/// Checks that a session can still be moved.
///
/// # Errors
/// 409 if it is cancelled, has started or has ended.
pub fn check_movable(state: SessionState, starts_at: Timestamp, now: Timestamp) -> Result<()> {
    match state {
        SessionState::Scheduled if starts_at > now => Ok(()),
        SessionState::Scheduled => {
            let detail = format!("The session started at {starts_at} and can't be moved. Its texts can be changed.");
            Err(Error::new(Kind::SessionStarted, detail))
        }
        state => Err(Error::state("session", state, "be moved").but("Only its", &["texts can be changed"])),
    }
}

/// Checks the new start of a session in which people hold seats or wait for them.
///
/// # Errors
/// 422 if the start has passed.
pub fn check_new_start(starts_at: Timestamp, now: Timestamp) -> Result<()> {
    if starts_at > now {
        return Ok(());
    }
    let detail = "People are booked, so the session can't be moved to a time that has passed.";
    Err(Error::rule("/local_start", "has_passed", detail))
}

/// Checks a change whose result isn't cancelled.
///
/// # Errors
/// 409 if it was cancelled before, because that can't be undone. 422 if there is a reason for a cancellation.
pub fn check_uncancelled(is_cancelled: bool, reason: Option<&str>) -> Result<()> {
    if is_cancelled {
        return Err(Error::new(
            Kind::InvalidState,
            "It is cancelled, and this can't be undone. Create another one instead.",
        ));
    }
    match reason {
        Some(_) => Err(Error::rule("/cancellation_reason", "not_cancelled", "Goes only with the status cancelled.")),
        None => Ok(()),
    }
}

/// Checks that a session can be cancelled.
///
/// # Errors
/// 409 if it is cancelled already or has ended.
pub fn check_cancellable(state: SessionState) -> Result<()> {
    match state {
        SessionState::Scheduled => Ok(()),
        state => Err(Error::state("session", state, "be cancelled").at_its_end()),
    }
}

impl From<RecurrenceError> for Error {
    /// 422 that points at the field at fault.
    fn from(error: RecurrenceError) -> Self {
        Self::rule(format!("/{}", error.field()), error.code(), error.to_string())
    }
}
