//! A session as the database has it, for the machine of occurrences.

use life_rooms::db::{Id, LocalTime, Timestamp};

use crate::occurrence_reading::Said;

/// A session as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: Id,
    pub series: Option<Id>,
    pub occurrence: Option<String>,
    pub local_start: LocalTime,
    pub zone: String,
    pub starts_at: Timestamp,
    pub status: String,
    /// Whether people moved it or called it off.
    pub edited: bool,
    pub seats: i32,
    pub version: i32,
    pub said: Said,
}

impl Row {
    pub fn is_on(&self) -> bool {
        self.status == "scheduled"
    }

    /// What it is known by, as in [`Statement::stated`].
    pub fn known_by(&self) -> &str {
        let key = self.occurrence.as_deref().unwrap();
        key.strip_suffix('+').unwrap_or(&key[..10])
    }

    /// Whether the statement called it off.
    pub fn is_withdrawn(&self) -> bool {
        !self.is_on() && !self.edited
    }

    /// Whether nobody has laid hands on it, and it is still to come.
    pub fn follows(&self, now: Timestamp) -> bool {
        self.is_on() && !self.edited && self.starts_at > now
    }

    pub fn place(&self) -> (LocalTime, &str, Timestamp, &str, i32, &Said) {
        (self.local_start, &self.zone, self.starts_at, &self.status, self.seats, &self.said)
    }

    /// Whether it takes place in this space within these minutes.
    pub fn is_in(&self, space: &str, from: Timestamp, minutes: i64) -> bool {
        let end = |start: Timestamp, minutes: i64| start.plus_seconds(minutes * 60);
        let overlaps = self.starts_at < end(from, minutes) && from < end(self.starts_at, self.said.minutes);
        self.is_on() && self.said.space.as_deref() == Some(space) && overlaps
    }
}
