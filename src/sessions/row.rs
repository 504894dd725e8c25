//! The row of a session, as it is made, changed and told from another version of itself.

use chrono::{NaiveDate, TimeDelta};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::activity::Activity;
use super::listings::Slot;
use super::recurrence::{Occurrence, OccurrenceKey, RecurrenceError};
use super::rules;
use super::series::store::SeriesRow;
use super::types::{BookingPolicy, Delivery, Publication, SessionChange, SessionInput, SessionStatus};
use super::wordings::Wording;
use crate::clock::london_day;
use crate::db::schema::sessions;
use crate::db::types::{DbTimestamp, DbUuid};
use crate::db::{Id, LocalTime, Timestamp};

/// States the columns of `sessions` once: each with its type here and in the database.
macro_rules! session_columns {
    ($($(#[$note:meta])* $name:ident: $type:ty => $sql:ty,)+) => {
        /// A row of `sessions`. What the session says is in its [`Wording`].
        #[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
        #[diesel(table_name = sessions)]
        pub struct SessionRow {
            $($(#[$note])* pub(crate) $name: $type,)+
        }

        /// A column of `sessions`.
        #[expect(non_camel_case_types, reason = "these are the columns' names")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Column {
            $($name,)+
        }

        impl Column {
            /// Every column, apart from those that only the database or the bookings write.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Whether two rows differ in this column.
            pub(super) fn differs(self, one: &SessionRow, other: &SessionRow) -> bool {
                match self { $(Self::$name => one.$name != other.$name,)+ }
            }

            /// Binds this column of one row.
            pub(super) fn bind<'a>(self, query: Bound<'a, Sqlite>, row: &SessionRow) -> Bound<'a, Sqlite> {
                match self { $(Self::$name => query.bind::<$sql, _>(row.$name.clone()),)+ }
            }

            /// Binds this column of many rows as one array.
            pub(super) fn bind_all<'a>(self, query: Bound<'a, Pg>, rows: &[&SessionRow]) -> Bound<'a, Pg> {
                match self {
                    $(Self::$name => {
                        query.bind::<Array<$sql>, _>(rows.iter().map(|row| row.$name.clone()).collect::<Vec<$type>>())
                    })+
                }
            }
        }
    };
}

/// A statement to which values are still bound.
pub(super) type Bound<'a, Backend> = BoxedSqlQuery<'a, Backend, SqlQuery>;

session_columns! {
    id: Id => DbUuid,
    series_id: Option<Id> => Nullable<DbUuid>,
    /// Which occurrence of its series it is; none where it is a single session.
    occurrence: Option<OccurrenceKey> => Nullable<Text>,
    partner_id: Option<Id> => Nullable<DbUuid>,
    venue_id: Option<Id> => Nullable<DbUuid>,
    space_id: Option<Id> => Nullable<DbUuid>,
    external_id: Option<String> => Nullable<Text>,
    /// What it says.
    wording_id: Id => DbUuid,
    /// The digest of its [`Slot`].
    slot: i64 => BigInt,
    delivery: Delivery => Text,
    join_link: Option<String> => Nullable<Text>,
    booking_policy: BookingPolicy => Text,
    capacity: Option<i32> => Nullable<Integer>,
    online_capacity: Option<i32> => Nullable<Integer>,
    seats_taken: i32 => Integer,
    online_seats_taken: i32 => Integer,
    waitlist_length: i32 => Integer,
    local_start: LocalTime => Text,
    time_zone: String => Text,
    duration_minutes: i32 => Integer,
    starts_at: Timestamp => DbTimestamp,
    ends_at: Timestamp => DbTimestamp,
    starts_on: NaiveDate => Date,
    publication: Publication => Text,
    status: SessionStatus => Text,
    cancellation_reason: Option<String> => Nullable<Text>,
    /// Whether people changed it or called it off by hand.
    edited: bool => Bool,
    version: i32 => Integer,
    created_at: Timestamp => DbTimestamp,
    updated_at: Timestamp => DbTimestamp,
}

/// A session that is to be written over what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// As it was read. Where that isn't its version any more, it isn't written. Boxed, since a roster has 32,000 of these in
    /// a list that grows.
    pub from: Box<SessionRow>,
    /// Its next version.
    pub to: SessionRow,
}

impl Revision {
    /// The revision of a session that was read into what it is to become. `None` if both [say the
    /// same](SessionRow::says_as).
    pub fn of(from: SessionRow, to: SessionRow, now: Timestamp) -> Option<Self> {
        let changed = !to.says_as(&from);
        changed
            .then(|| Self { to: SessionRow { version: from.version + 1, updated_at: now, ..to }, from: Box::new(from) })
    }

    /// The columns in which the next version differs.
    pub(super) fn columns(&self) -> Vec<Column> {
        Column::ALL.iter().copied().filter(|column| column.differs(&self.from, &self.to)).collect()
    }

    /// The members that say when, where and how the session takes place, and differ from before.
    pub fn moved_members(&self) -> Vec<String> {
        self.to.moved_members(&self.from)
    }

    /// The session with its next key, if its rule has another time of day then. A session that isn't written must still
    /// get this key. Keys that differ in more are written before the sessions.
    pub fn rekeyed(&self) -> Option<(Id, OccurrenceKey)> {
        let (old, new) = (self.from.occurrence?, self.to.occurrence?);
        (old != new && old.place() == new.place()).then_some((self.to.id, new))
    }
}

impl SessionRow {
    /// A new session, which says what [is stored](Wording::id) under `wording_id`.
    fn new(
        id: Id,
        partner_id: Option<Id>,
        activity: &Activity,
        wording_id: Id,
        (local_start, starts_at): (LocalTime, Timestamp),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            series_id: None,
            occurrence: None,
            partner_id,
            venue_id: activity.venue_id,
            space_id: activity.space_id,
            external_id: None,
            wording_id,
            slot: Slot::new(activity.delivery, partner_id, activity.venue_id, local_start).digest(),
            delivery: activity.delivery,
            join_link: activity.join_link.clone(),
            booking_policy: activity.booking_policy,
            capacity: activity.capacity,
            online_capacity: activity.online_capacity,
            seats_taken: 0,
            online_seats_taken: 0,
            waitlist_length: 0,
            local_start,
            time_zone: activity.time_zone.clone(),
            duration_minutes: activity.duration_minutes,
            starts_at,
            ends_at: Timestamp(starts_at.0 + TimeDelta::minutes(activity.duration_minutes.into())),
            starts_on: london_day(starts_at),
            publication: activity.publication,
            status: SessionStatus::Scheduled,
            cancellation_reason: None,
            edited: false,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// A new session of its own.
    ///
    /// # Errors
    /// The zone is unknown, or the year is out of range.
    pub fn single(id: Id, written: SessionInput, now: Timestamp) -> Result<Self, RecurrenceError> {
        let SessionInput { ref activity, partner_id, .. } = written;
        let starts_at = rules::single_start(activity.local_start.0, &activity.time_zone)?;
        let start = (activity.local_start, starts_at);
        let row = Self::new(id, partner_id, activity, Wording::from(&written).id(), start, now);
        Ok(Self { external_id: written.external_id, ..row })
    }

    /// A new session of a series, which says what is stored under `wording_id`.
    pub fn of_series(series: &SeriesRow, wording_id: Id, occurrence: &Occurrence, id: Id, now: Timestamp) -> Self {
        let start = (LocalTime(occurrence.local_start), Timestamp(occurrence.starts_at));
        Self {
            series_id: Some(series.id),
            occurrence: Some(occurrence.key),
            ..Self::new(id, series.partner_id, &series.activity, wording_id, start, now)
        }
    }

    /// What can be changed in it, as it is today.
    pub fn changeable(&self, wording: &Wording) -> SessionChange {
        let activity = Activity {
            title: wording.title.clone(),
            description: wording.description.clone(),
            topics: wording.topics.clone(),
            facilitator: wording.facilitator.clone(),
            accessibility: wording.accessibility.clone(),
            programme_id: wording.programme_id,
            delivery: self.delivery,
            venue_id: self.venue_id,
            space_id: self.space_id,
            join_link: self.join_link.clone(),
            local_start: self.local_start,
            time_zone: self.time_zone.clone(),
            duration_minutes: self.duration_minutes,
            capacity: self.capacity,
            online_capacity: self.online_capacity,
            booking_policy: self.booking_policy,
            publication: self.publication,
        };
        let cancellation_reason = self.cancellation_reason.clone();
        let particulars = wording.particulars.0.clone();
        SessionChange { activity, particulars, status: self.status, cancellation_reason, reason: None }
    }

    /// Its next version, edited by hand, which says what is stored under `wording_id`. Its status stays, because only
    /// [`cancel`](super::store::cancel) cancels. In its series it stays the same occurrence, wherever it is moved.
    ///
    /// # Errors
    /// The zone is unknown, or the year is out of range.
    pub fn changed(&self, change: SessionChange, wording_id: Id, now: Timestamp) -> Result<Self, RecurrenceError> {
        let SessionChange { activity, cancellation_reason, .. } = change;
        let starts_at = rules::single_start(activity.local_start.0, &activity.time_zone)?;
        let start = (activity.local_start, starts_at);
        Ok(Self {
            series_id: self.series_id,
            occurrence: self.occurrence,
            external_id: self.external_id.clone(),
            seats_taken: self.seats_taken,
            online_seats_taken: self.online_seats_taken,
            waitlist_length: self.waitlist_length,
            status: self.status,
            cancellation_reason,
            edited: true,
            version: self.version + 1,
            created_at: self.created_at,
            ..Self::new(self.id, self.partner_id, &activity, wording_id, start, now)
        })
    }

    /// Whether it is off because its series or its roster no longer states it. It comes on again once it is stated.
    pub fn is_withdrawn(&self) -> bool {
        self.status == SessionStatus::Cancelled && !self.edited
    }

    /// Whether another version says the same, whichever occurrence of its series it is.
    pub fn says_as(&self, other: &Self) -> bool {
        Column::ALL.iter().all(|column| *column == Column::occurrence || !column.differs(self, other))
    }

    /// The space that it holds, so that no other session can take place there meanwhile. A draft holds none.
    pub fn space_held(&self) -> Option<Id> {
        let holds = self.status == SessionStatus::Scheduled && self.publication != Publication::Draft;
        self.space_id.filter(|_| holds)
    }

    /// Whether anybody holds or waits for a seat.
    pub fn is_booked(&self) -> bool {
        self.seats_taken + self.online_seats_taken + self.waitlist_length > 0
    }

    /// The members that say when, where and how the session takes place, and differ from another version.
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
