//! Sessions in the database.

use chrono::{NaiveDate, TimeDelta};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::bulk;
use super::listings;
use super::recurrence::{Occurrence, RecurrenceError};
use super::rules;
use super::series::store::SeriesRow;
use super::told::{self, Pending};
use super::types::{BookingPolicy, Delivery, Pillar, Publication, SessionChange, SessionInput, SessionStatus};
use crate::clock::london_day;
use crate::db::schema::{bookings, registers, session_series, sessions};
use crate::db::{Conn, Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Fault, Kind, Result};

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
        let occurrence = rules::single_occurrence(change.local_start.0, &change.time_zone)?;
        let starts_at = Timestamp(occurrence.starts_at);
        let of_series = self.series_id.is_some();
        Ok(Self {
            local_date: if of_series { self.local_date } else { occurrence.local_start.date() },
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

/// Rows of one INSERT: 37 columns each, and SQLite takes 32,766 values in a statement.
const CHUNK: usize = 500;

/// Adds many sessions.
///
/// # Errors
/// 409 where a partner has another of the same `external_id`.
pub fn insert_many(conn: &mut Conn, rows: &[SessionRow]) -> Result<()> {
    let listings = listings::of_rows(conn, rows)?;
    for (chunk, listings) in rows.chunks(CHUNK).zip(listings.chunks(CHUNK)) {
        // Many rows in one statement can't be written through the common connection.
        match conn {
            Conn::Postgres(postgres) => bulk::insert(postgres, chunk, listings)?,
            Conn::Sqlite(sqlite) => {
                let listed = chunk.iter().zip(listings).map(|(row, listing)| (row, sessions::listing_id.eq(listing)));
                diesel::insert_into(sessions::table).values(listed.collect::<Vec<_>>()).execute(sqlite)?
            }
        };
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

/// The local dates and positions that a series has sessions at, after a date.
pub fn occurrences_after(conn: &mut Conn, series_id: Id, date: NaiveDate) -> Result<Vec<(NaiveDate, i32)>> {
    let later = sessions::table.filter(sessions::series_id.eq(series_id)).filter(sessions::local_date.gt(date));
    Ok(later.select((sessions::local_date, sessions::position)).load(conn)?)
}

/// Writes the next version of a session over the one before, all but its seats.
///
/// # Errors
/// 412 where another request has changed it in between; 409 where a capacity is below the seats that are taken.
pub fn update(conn: &mut Conn, row: &SessionRow) -> Result<()> {
    update_many(conn, &[row])
}

/// The same for many, as one statement for hundreds of them where each would go over a network.
///
/// # Errors
/// As [`update`]; then none of it may be kept.
pub fn update_many(conn: &mut Conn, rows: &[&SessionRow]) -> Result<()> {
    let listings = listings::of_rows(conn, rows.iter().copied())?;
    for (chunk, listings) in rows.chunks(CHUNK).zip(listings.chunks(CHUNK)) {
        let written = match conn {
            Conn::Postgres(postgres) if chunk.len() > 1 => {
                bulk::update(postgres, chunk, listings).map_err(below_seats)?
            }
            _ => one_by_one(conn, chunk, listings)?,
        };
        if written != chunk.len() {
            return Err(changed_meanwhile());
        }
    }
    Ok(())
}

fn one_by_one(conn: &mut Conn, rows: &[&SessionRow], listings: &[Id]) -> Result<usize> {
    let mut written = 0;
    for (row, listing) in rows.iter().zip(listings) {
        let changes = (*row, sessions::listing_id.eq(listing));
        written += diesel::update(version_before(row)).set(changes).execute(conn).map_err(below_seats)?;
    }
    Ok(written)
}

/// Writes the next version of a session as [`update`] does, and its seats as they are counted in it.
///
/// # Errors
/// As [`update`].
pub fn update_with_seats(conn: &mut Conn, row: &SessionRow) -> Result<()> {
    let listing = listings::of_rows(conn, [row])?.pop();
    let seats = (
        sessions::seats_taken.eq(row.seats_taken),
        sessions::online_seats_taken.eq(row.online_seats_taken),
        sessions::waitlist_length.eq(row.waitlist_length),
    );
    let changes = (row, sessions::listing_id.eq(listing), seats);
    match diesel::update(version_before(row)).set(changes).execute(conn).map_err(below_seats)? {
        1 => Ok(()),
        _ => Err(changed_meanwhile()),
    }
}

/// A session, if it still is in the version before this one.
#[diesel::dsl::auto_type(no_type_alias)]
fn version_before<'a>(row: &'a SessionRow) -> _ {
    let before: i32 = row.version - 1;
    let id: Id = row.id;
    sessions::table.find(id).filter(sessions::version.eq(before))
}

fn changed_meanwhile() -> Error {
    Error::new(Kind::PreconditionFailed, "It was changed at the same time. Read it again and repeat.")
}

/// Counts offers of a session less that were cancelled, while it is locked.
pub fn close_offers(conn: &mut Conn, id: Id, cancelled: usize) -> Result<()> {
    let fewer = sessions::offers_open - i32::try_from(cancelled).unwrap_or_default();
    diesel::update(sessions::table.find(id)).set(sessions::offers_open.eq(fewer)).execute(conn)?;
    Ok(())
}

/// Writes a series' changed texts, capacities, policy and publication to its sessions that are still to come, scheduled
/// and not edited by hand; gives how many those are.
///
/// # Errors
/// 409 where a capacity is below the seats that are taken in any of them.
pub fn follow_series(conn: &mut Conn, series: &SeriesRow, now: Timestamp) -> Result<usize> {
    let following = sessions::table
        .filter(sessions::series_id.eq(series.id))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::edited.eq(false))
        .filter(sessions::starts_at.gt(now));
    let changes = (
        sessions::title.eq(&series.title),
        sessions::description.eq(&series.description),
        sessions::pillar.eq(series.pillar),
        sessions::programme_id.eq(series.programme_id),
        sessions::booking_policy.eq(series.booking_policy),
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
    let updated = diesel::update(following).set(changes).execute(conn).map_err(below_seats)?;
    listings::complete(conn, Some(series.id))?;
    Ok(updated)
}

/// The sessions that [`follow_series`] changes and in which somebody waits or is offered a seat, in the order of their
/// ids.
pub fn following_with_a_list(conn: &mut Conn, series_id: Id, now: Timestamp) -> Result<Vec<Id>> {
    let listed = sessions::table
        .filter(sessions::series_id.eq(series_id))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::edited.eq(false))
        .filter(sessions::starts_at.gt(now))
        .filter(sessions::waitlist_length.gt(0).or(sessions::offers_open.gt(0)));
    Ok(listed.order(sessions::id).select(sessions::id).load(conn)?)
}

/// A partner has one series or session by an `external_id`: a roster finds it by that alone. The partner is locked, as
/// rosters lock it, so that nobody else takes it meanwhile.
///
/// # Errors
/// 409 where it is taken, by either.
pub fn check_external_id(conn: &mut Conn, partner_id: Option<Id>, external_id: Option<&str>) -> Result<()> {
    let (Some(partner_id), Some(external_id)) = (partner_id, external_id) else { return Ok(()) };
    crate::partners::store::lock(conn, partner_id)?;
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

/// Cancels sessions that are still to come, unedited, and in which nobody holds or waits for a seat.
///
/// # Errors
/// 412 where one of them isn't so, or isn't any more; then none of it may be kept.
pub fn cancel_unbooked(conn: &mut Conn, ids: &[Id], reason: &str, now: Timestamp) -> Result<()> {
    for chunk in ids.chunks(CHUNK) {
        let taken = sessions::seats_taken + sessions::online_seats_taken + sessions::waitlist_length;
        let free = sessions::table
            .filter(sessions::id.eq_any(chunk))
            .filter(sessions::status.eq(SessionStatus::Scheduled))
            .filter(sessions::edited.eq(false))
            .filter(sessions::starts_at.gt(now))
            .filter(taken.eq(0));
        let changes = (Cancellation::new(reason, now), sessions::version.eq(sessions::version + 1));
        if diesel::update(free).set(changes).execute(conn)? != chunk.len() {
            return Err(Error::new(Kind::PreconditionFailed, "One of the sessions has changed in between."));
        }
    }
    Ok(())
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
    offers_open: i32,
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
            offers_open: 0,
            updated_at: now,
        }
    }
}

/// Statuses of bookings once the register has been taken.
const ATTENDANCE: [&str; 2] = ["attended", "absent"];

/// Cancels the bookings of sessions that have been cancelled; gives them as they were.
pub fn cancel_bookings(conn: &mut Conn, ids: &[Id], reason: &str, now: Timestamp) -> Result<Vec<Pending>> {
    let pending = told::pending(conn, ids)?;
    told::cancel(conn, &pending, reason, now)?;
    Ok(pending)
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
