//! The one clock and the one maker of identifiers. Tests set them; nothing else in the crate asks the system.

pub mod micros;
mod types;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Europe::London;
use uuid::{Uuid, timestamp::Timestamp as UuidTime};

pub use types::{DbTimestamp, DbUuid, Id, LocalTime, Timestamp};

/// Tells the time and makes identifiers.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds since 1970 that tests stopped the clock at; `None` is the system's time.
    stopped: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's time.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is [set](Clock::set).
    pub fn stopped_at(at: DateTime<Utc>) -> Self {
        Self { stopped: Some(Arc::new(AtomicI64::new(at.timestamp_micros()))) }
    }

    /// Moves a stopped clock; the system's clock stays as it is.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Some(stopped) = &self.stopped {
            stopped.store(at.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// Now, in UTC, to the microsecond.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        let micros = match &self.stopped {
            Some(stopped) => stopped.load(Ordering::SeqCst),
            None => Utc::now().timestamp_micros(),
        };
        Timestamp(DateTime::from_timestamp_micros(micros).unwrap_or_default())
    }

    /// A new identifier: a UUID of version 7 with this clock's time.
    pub fn new_id(&self) -> Id {
        new_id_at(self.now())
    }
}

/// A new UUID of version 7 for this instant.
pub fn new_id_at(at: Timestamp) -> Id {
    let seconds = u64::try_from(at.0.timestamp()).unwrap_or_default();
    // Sixteen bits of the time below a millisecond come first in the random part, so that one process's ids keep
    // their order within a millisecond as far as the clock tells them apart.
    Id(Uuid::new_v7(UuidTime::from_unix(
        uuid::timestamp::context::ContextV7::new().with_additional_precision(),
        seconds,
        at.0.timestamp_subsec_nanos(),
    )))
}

/// The least identifier of this millisecond: every one that was made before it is smaller.
pub fn first_id_at(at: Timestamp) -> Id {
    let millis = u128::try_from(at.0.timestamp_millis()).unwrap_or_default();
    Id(Uuid::from_u128(millis << 80))
}

/// The first instant of a day in London, where clocks never change at midnight.
pub fn london_midnight(day: NaiveDate) -> Timestamp {
    let local = day.and_time(NaiveTime::MIN);
    Timestamp(London.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |at| at.to_utc()))
}

/// The day that an instant falls on in London.
pub fn london_day(at: Timestamp) -> NaiveDate {
    at.0.with_timezone(&London).date_naive()
}

/// An instant by the clock in London.
pub fn london_time(at: Timestamp) -> NaiveDateTime {
    at.0.with_timezone(&London).naive_local()
}

/// The day by which a request must be answered that has so many months: the same day then, or the last day of that month.
/// From a weekend it goes on to Monday. Bank holidays aren't known here. `None` if there is no such day.
pub fn months_later(day: NaiveDate, months: u32) -> Option<NaiveDate> {
    let due = day.checked_add_months(Months::new(months))?;
    let more = match due.weekday() {
        Weekday::Sat => 2,
        Weekday::Sun => 1,
        _ => 0,
    };
    due.checked_add_days(Days::new(more))
}
