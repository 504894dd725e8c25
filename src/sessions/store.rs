//! Sessions in the database.

use chrono::{NaiveDate, TimeDelta};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::listings;
use super::recurrence::{Occurrence, RecurrenceError};
use super::rules;
use super::series::store::SeriesRow;
use super::types::{BookingPolicy, Delivery, Pillar, Publication, SessionChange, SessionInput, SessionStatus};
use crate::clock::london_day;
use crate::db::schema::{bookings, registers, session_series, sessions};
use crate::db::{Conn, Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Fault, Kind, Result};
use crate::per_backend;

/// A row of `sessions`. Writing it over an older one leaves the seats alone: they are the bookings' to change.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = sessions, treat_none_as_null = true)]
pub struct SessionRow {
    pub(crate) id: Id,
    pub(crate) series_id: Option<Id>,
    pub(crate) local_date: NaiveDate,
    pub(crate) position: i32,
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
        let occurrence = rules::single_occurrence(written.local_start.0, &written.time_zone)?;
        let starts_at = Timestamp(occurrence.starts_at);
        Ok(Self {
            id,
            series_id: None,
            local_date: occurrence.local_start.date(),
            position: occurrence.position,
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
        let series = series.clone();
        Self {
            id,
            series_id: Some(series.id),
            local_date: occurrence.local_start.date(),
            position: occurrence.position,
            partner_id: series.partner_id,
            programme_id: series.programme_id,
            venue_id: series.venue_id,
            space_id: series.space_id,
            external_id: None,
            title: series.title,
            description: series.description,
            pillar: series.pillar,
            topics: series.topics,
            delivery: series.delivery,
            join_link: series.join_link,
            facilitator: series.facilitator,
            accessibility: series.accessibility,
            booking_policy: series.booking_policy,
            capacity: series.capacity,
            online_capacity: series.online_capacity,
            seats_taken: 0,
            online_seats_taken: 0,
            waitlist_length: 0,
            local_start: LocalTime(occurrence.local_start),
            time_zone: series.time_zone,
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
            capacity: self.capacity,
            online_capacity: self.online_capacity,
            publication: self.publication,
            status: self.status,
            cancellation_reason: self.cancellation_reason.clone(),
        }
    }

    /// Its next version, edited by hand. Its status stays: cancelling is [`cancel`]'s.
    pub fn changed(&self, change: SessionChange, now: Timestamp) -> Self {
        Self {
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
        }
    }
}

fn after(start: Timestamp, minutes: i32) -> Timestamp {
    Timestamp(start.0 + TimeDelta::minutes(minutes.into()))
}

/// Rows of one INSERT: 37 columns each, and PostgreSQL takes 65,535 values in a statement, SQLite 32,766.
const CHUNK: usize = 500;

/// Adds many sessions.
///
/// # Errors
/// 409 where a partner has another of the same `external_id`.
pub fn insert_many(conn: &mut Conn, rows: &[SessionRow]) -> Result<()> {
    let listings = listings::of_rows(conn, rows)?;
    for (chunk, listings) in rows.chunks(CHUNK).zip(listings.chunks(CHUNK)) {
        let listed = chunk.iter().zip(listings).map(|(row, listing)| (row, sessions::listing_id.eq(listing)));
        let listed: Vec<_> = listed.collect();
        // Many rows in one statement can't be written through the common connection.
        per_backend!(&mut *conn, |inner| diesel::insert_into(sessions::table).values(listed).execute(inner))?;
    }
    Ok(())
}

/// One session, whosever it is.
///
/// # Errors
/// 404 where there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<SessionRow> {
    let row = sessions::table.find(id).select(SessionRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("session"))
}

/// One session of a partner; of anybody where the scope is `None`.
///
/// # Errors
/// 404 where there is none, or it is another's.
pub fn get_in(conn: &mut Conn, scope: Option<Id>, id: Id) -> Result<SessionRow> {
    let row = get(conn, id)?;
    if scope.is_some() && row.partner_id != scope {
        return Err(Error::not_found("session"));
    }
    Ok(row)
}

/// All sessions of a series, by local date and position.
pub fn of_series(conn: &mut Conn, series_id: Id) -> Result<Vec<SessionRow>> {
    let of_it = sessions::table.filter(sessions::series_id.eq(series_id));
    Ok(of_it.order((sessions::local_date, sessions::position)).select(SessionRow::as_select()).load(conn)?)
}

/// Writes the next version of a session over the one before, all but its seats.
///
/// # Errors
/// 412 where another request has changed it in between; 409 where a capacity is below the seats that are taken.
pub fn update(conn: &mut Conn, row: &SessionRow) -> Result<()> {
    let listing = listings::of_rows(conn, std::slice::from_ref(row))?.pop();
    let unchanged = sessions::table.find(row.id).filter(sessions::version.eq(row.version - 1));
    match diesel::update(unchanged).set((row, sessions::listing_id.eq(listing))).execute(conn).map_err(below_seats)? {
        1 => Ok(()),
        _ => Err(Error::new(Kind::PreconditionFailed, "It was changed at the same time. Read it again and repeat.")),
    }
}

/// Writes a series' changed texts, capacities and publication to its sessions that are still to come, scheduled and not
/// edited by hand.
///
/// # Errors
/// 409 where a capacity is below the seats that are taken in any of them.
pub fn follow_series(conn: &mut Conn, series: &SeriesRow, now: Timestamp) -> Result<()> {
    let following = sessions::table
        .filter(sessions::series_id.eq(series.id))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::edited.eq(false))
        .filter(sessions::starts_at.gt(now));
    let changes = (
        sessions::title.eq(&series.title),
        sessions::description.eq(&series.description),
        sessions::topics.eq(&series.topics),
        sessions::facilitator.eq(&series.facilitator),
        sessions::accessibility.eq(&series.accessibility),
        sessions::join_link.eq(&series.join_link),
        sessions::capacity.eq(series.capacity),
        sessions::online_capacity.eq(series.online_capacity),
        sessions::publication.eq(series.publication),
        sessions::listing_id.eq(None::<Id>),
        sessions::version.eq(sessions::version + 1),
        sessions::updated_at.eq(now),
    );
    diesel::update(following).set(changes).execute(conn).map_err(below_seats)?;
    listings::complete(conn, Some(series.id))?;
    Ok(())
}

/// A partner has one series or session by an `external_id`: a roster finds it by that alone.
///
/// # Errors
/// 409 where it is taken, by either.
pub fn check_external_id(conn: &mut Conn, partner_id: Option<Id>, external_id: Option<&str>) -> Result<()> {
    let (Some(partner_id), Some(external_id)) = (partner_id, external_id) else { return Ok(()) };
    let series = session_series::table
        .filter(session_series::partner_id.eq(partner_id))
        .filter(session_series::external_id.eq(external_id));
    let single =
        sessions::table.filter(sessions::partner_id.eq(partner_id)).filter(sessions::external_id.eq(external_id));
    if select(exists(series).or(exists(single))).get_result(conn)? {
        let detail = "Another series or session of this partner has this external_id.";
        return Err(Error::new(Kind::AlreadyExists, detail).with(Fault::at("/external_id", "taken", detail)));
    }
    Ok(())
}

/// Cancels a session and frees its seats. Its bookings are then to be [cancelled](cancel_bookings): the row is locked,
/// so that no new one can come in between.
///
/// # Errors
/// 409 where it is cancelled already, or people were marked as attending.
pub fn cancel(conn: &mut Conn, id: Id, reason: &str, now: Timestamp) -> Result<()> {
    let scheduled = sessions::table.find(id).filter(sessions::status.eq(SessionStatus::Scheduled));
    if diesel::update(scheduled)
        .set((Cancellation::new(reason, now), sessions::version.eq(sessions::version + 1)))
        .execute(conn)?
        == 0
    {
        return Err(Error::state("session", SessionStatus::Cancelled, "cancelled"));
    }
    let attended = bookings::table.filter(bookings::session_id.eq(id)).filter(bookings::status.eq_any(ATTENDANCE));
    let taken = registers::table.find(id);
    if select(exists(attended).or(exists(taken))).get_result(conn)? {
        return Err(Error::new(Kind::InvalidState, "Its register has been taken, so it can't be cancelled any more."));
    }
    Ok(())
}

/// Cancels what is still to come of a series, as [`cancel`]; gives the ids.
pub fn cancel_future(conn: &mut Conn, series_id: Id, reason: &str, now: Timestamp) -> Result<Vec<Id>> {
    let future = sessions::table
        .filter(sessions::series_id.eq(series_id))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::starts_at.gt(now));
    Ok(diesel::update(future)
        .set((Cancellation::new(reason, now), sessions::version.eq(sessions::version + 1)))
        .returning(sessions::id)
        .get_results(conn)?)
}

/// What a cancelled session becomes.
#[derive(AsChangeset)]
#[diesel(table_name = sessions)]
struct Cancellation<'a> {
    status: SessionStatus,
    cancellation_reason: &'a str,
    seats_taken: i32,
    online_seats_taken: i32,
    waitlist_length: i32,
    updated_at: Timestamp,
}

impl<'a> Cancellation<'a> {
    fn new(reason: &'a str, now: Timestamp) -> Self {
        Self {
            status: SessionStatus::Cancelled,
            cancellation_reason: reason,
            seats_taken: 0,
            online_seats_taken: 0,
            waitlist_length: 0,
            updated_at: now,
        }
    }
}

/// Statuses of bookings that hold, or wait for, a seat of a session that hasn't been attended.
const PENDING: [&str; 3] = ["booked", "waitlisted", "offered"];
/// Statuses of bookings once the register has been taken.
const ATTENDANCE: [&str; 2] = ["attended", "absent"];

/// Cancels the bookings of sessions that have been cancelled; gives each booking's id and its member's.
pub fn cancel_bookings(conn: &mut Conn, ids: &[Id], reason: &str, now: Timestamp) -> Result<Vec<(Id, Id)>> {
    let mut cancelled = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let pending =
            bookings::table.filter(bookings::session_id.eq_any(chunk)).filter(bookings::status.eq_any(PENDING));
        let changes = (
            bookings::status.eq("cancelled_by_provider"),
            bookings::cancellation_reason.eq(reason),
            bookings::version.eq(bookings::version + 1),
            bookings::updated_at.eq(now),
        );
        let changed = diesel::update(pending).set(changes).returning((bookings::id, bookings::member_id));
        cancelled.extend(changed.get_results::<(Id, Id)>(conn)?);
    }
    Ok(cancelled)
}

/// The CHECK constraints hold seats within capacities, whoever books at the same time; nothing else that these
/// updates write can break a CHECK.
fn below_seats(error: Diesel) -> Error {
    match error {
        Diesel::DatabaseError(DatabaseErrorKind::CheckViolation, _) => Error::new(
            Kind::CapacityBelowSeats,
            "More seats are taken than the new capacity holds; nothing was changed.",
        ),
        error => error.into(),
    }
}
