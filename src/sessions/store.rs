//! Sessions in the database.

use chrono::NaiveDate;
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::bulk;
use super::notices::{self, Pending};
use super::recurrence::OccurrenceKey;
pub use super::row::{Revision, SessionRow};
use super::series_listings;
use super::types::SessionStatus;
use crate::auth::reach::Reach;
use crate::db::schema::{bookings, registers, session_series, sessions};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::{Error, Fault, Kind, Result};
use crate::lock_rows;

/// Locks sessions until the transaction ends: nobody books or changes them meanwhile.
pub fn lock(conn: &mut Conn, ids: impl IntoIterator<Item = Id>) -> Result<()> {
    lock_rows!(conn, sessions, ids);
    Ok(())
}

/// Adds many sessions. Their [listings must be stored](super::listings::ensure_stored).
///
/// # Errors
/// 409 if a partner has another session with the same `external_id`.
pub fn insert_many(conn: &mut Conn, rows: &[SessionRow]) -> Result<()> {
    bulk::insert(conn, rows)?;
    series_listings::add(conn, rows)
}

/// One session of anybody.
///
/// # Errors
/// 404 where there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<SessionRow> {
    let row = sessions::table.find(id).select(SessionRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("session"))
}

/// One session within the caller's reach.
///
/// # Errors
/// 404 where there is none, or it is another's.
pub fn get_in(conn: &mut Conn, reach: Reach, id: Id) -> Result<SessionRow> {
    let row = get(conn, id)?;
    if !reach.has_partner(row.partner_id) {
        return Err(Error::not_found("session"));
    }
    Ok(row)
}

/// All sessions of a series, in the order of their occurrences.
pub fn of_series(conn: &mut Conn, series_id: Id) -> Result<Vec<SessionRow>> {
    let of_it = sessions::table.filter(sessions::series_id.eq(series_id));
    Ok(of_it.order(sessions::occurrence).select(SessionRow::as_select()).load(conn)?)
}

/// The sessions that a series has from a local date on, in the order of their occurrences.
pub fn of_series_from(conn: &mut Conn, series_id: Id, date: NaiveDate) -> Result<Vec<SessionRow>> {
    let later = sessions::table.filter(sessions::series_id.eq(series_id));
    let later = later.filter(sessions::occurrence.ge(OccurrenceKey::first_on(date)));
    Ok(later.order(sessions::occurrence).select(SessionRow::as_select()).load(conn)?)
}

/// Writes the next versions of sessions, of each only the columns that differ. Their
/// [listings must be stored](super::listings::ensure_stored).
///
/// # Errors
/// 412 where another request has changed one in between; 409 where a capacity is below the seats that are taken. Then
/// none of it may be kept.
pub fn update_many(conn: &mut Conn, revisions: &[Revision]) -> Result<()> {
    all_written(bulk::update(conn, revisions), revisions)?;
    series_listings::add(conn, relisted(revisions))
}

/// Those that are found in another way than before.
pub(super) fn relisted(revisions: &[Revision]) -> impl Iterator<Item = &SessionRow> {
    let place = |row: &SessionRow| (row.wording_id, row.slot, row.publication, row.booking_policy);
    revisions.iter().filter(move |revision| place(&revision.from) != place(&revision.to)).map(|revision| &revision.to)
}

/// What it means that so many of these were written.
pub(super) fn all_written(written: QueryResult<usize>, revisions: &[Revision]) -> Result<()> {
    match written.map_err(below_seats)? {
        written if written == revisions.len() => Ok(()),
        _ => Err(Error::changed_meanwhile()),
    }
}

/// Writes the counts of a locked session that a [`SessionRow`] doesn't have: how many offers are open, and how many wait
/// for an online seat of a hybrid session.
pub fn recount(conn: &mut Conn, id: Id, offers: usize, waiting_online: usize) -> Result<()> {
    let number = |n| i32::try_from(n).unwrap_or(i32::MAX);
    let counts =
        (sessions::offers_open.eq(number(offers)), sessions::online_waitlist_length.eq(number(waiting_online)));
    diesel::update(sessions::table.find(id)).set(counts).execute(conn)?;
    Ok(())
}

/// The sessions that follow a series (still to come, scheduled and not edited by hand) and in which somebody waits or is
/// offered a seat, in the order of their ids.
pub fn following_with_a_list(conn: &mut Conn, series_id: Id, now: Timestamp) -> Result<Vec<Id>> {
    let listed = sessions::table
        .filter(sessions::series_id.eq(series_id))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::edited.eq(false))
        .filter(sessions::starts_at.gt(now))
        .filter(sessions::waitlist_length.gt(0).or(sessions::offers_open.gt(0)));
    Ok(listed.order(sessions::id).select(sessions::id).load(conn)?)
}

/// Checks that no other series or session of a partner has an `external_id`: a roster finds a series or session by that
/// alone. The partner is locked, as rosters lock it, so that nobody else takes the `external_id` meanwhile.
///
/// # Errors
/// 409 if a series or a session has it.
pub fn check_external_id(conn: &mut Conn, partner_id: Option<Id>, external_id: Option<&str>) -> Result<()> {
    let (Some(partner_id), Some(external_id)) = (partner_id, external_id) else { return Ok(()) };
    crate::partners::store::lock(conn, partner_id)?;
    if has_external_id(conn, partner_id, external_id)? {
        let detail = "Another series or session of this partner has this external_id.";
        return Err(Error::new(Kind::AlreadyExists, detail).with(Fault::at("/external_id", "taken", detail)));
    }
    Ok(())
}

/// Whether a partner has a series or session with this `external_id`.
pub fn has_external_id(conn: &mut Conn, partner_id: Id, external_id: &str) -> Result<bool> {
    let series = session_series::table
        .filter(session_series::partner_id.eq(partner_id))
        .filter(session_series::external_id.eq(external_id));
    let single =
        sessions::table.filter(sessions::partner_id.eq(partner_id)).filter(sessions::external_id.eq(external_id));
    Ok(select(exists(series).or(exists(single))).get_result(conn)?)
}

/// Cancels a session and frees its seats. Its bookings are then to be [cancelled](cancel_bookings): the row is locked,
/// so that no new one can come in between.
///
/// # Errors
/// 409 where it is cancelled already, or people were marked as attending.
pub fn cancel(conn: &mut Conn, id: Id, reason: &str, now: Timestamp) -> Result<()> {
    let scheduled = sessions::table.find(id).filter(sessions::status.eq(SessionStatus::Scheduled));
    if diesel::update(scheduled)
        .set((Cancellation::by_hand(reason, now), sessions::version.eq(sessions::version + 1)))
        .execute(conn)?
        == 0
    {
        return Err(Error::state("session", SessionStatus::Cancelled, "be cancelled").at_its_end());
    }
    let attended = bookings::table.filter(bookings::session_id.eq(id)).filter(bookings::status.eq_any(ATTENDANCE));
    let taken = registers::table.find(id);
    if select(exists(attended).or(exists(taken))).get_result(conn)? {
        return Err(Error::new(Kind::InvalidState, "Its register has been taken, so it can't be cancelled any more."));
    }
    Ok(())
}

/// Cancels the sessions of a series that are still to come, as [`cancel`] does. Returns their ids.
pub fn cancel_future(conn: &mut Conn, series_id: Id, reason: &str, now: Timestamp) -> Result<Vec<Id>> {
    let future = sessions::table
        .filter(sessions::series_id.eq(series_id))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::starts_at.gt(now));
    Ok(diesel::update(future)
        .set((Cancellation::by_hand(reason, now), sessions::version.eq(sessions::version + 1)))
        .returning(sessions::id)
        .get_results(conn)?)
}

/// Cancels sessions that their series or roster no longer states. They come on again once they are stated again. All must
/// be still to come and not edited by hand, and nobody may hold or wait for a seat in them.
///
/// # Errors
/// 412 if one of them isn't so any more. Then the transaction must not be kept.
pub fn cancel_unbooked(conn: &mut Conn, ids: &[Id], reason: &str, now: Timestamp) -> Result<()> {
    for chunk in ids.chunks(AT_ONCE) {
        let taken = sessions::seats_taken + sessions::online_seats_taken + sessions::waitlist_length;
        let free = sessions::table
            .filter(sessions::id.eq_any(chunk))
            .filter(sessions::status.eq(SessionStatus::Scheduled))
            .filter(sessions::edited.eq(false))
            .filter(sessions::starts_at.gt(now))
            .filter(taken.eq(0));
        let withdrawn = Cancellation { edited: false, ..Cancellation::by_hand(reason, now) };
        let changes = (withdrawn, sessions::version.eq(sessions::version + 1));
        if diesel::update(free).set(changes).execute(conn)? != chunk.len() {
            return Err(Error::new(Kind::PreconditionFailed, "One of the sessions has changed in between."));
        }
    }
    Ok(())
}

/// Cancels these sessions, which are locked and scheduled.
pub fn cancel_these(conn: &mut Conn, ids: &[Id], reason: &str, now: Timestamp) -> Result<()> {
    for chunk in ids.chunks(AT_ONCE) {
        let changes = (Cancellation::by_hand(reason, now), sessions::version.eq(sessions::version + 1));
        diesel::update(sessions::table.filter(sessions::id.eq_any(chunk))).set(changes).execute(conn)?;
    }
    Ok(())
}

/// What a session becomes that is called off.
#[derive(AsChangeset)]
#[diesel(table_name = sessions)]
struct Cancellation<'a> {
    status: SessionStatus,
    cancellation_reason: &'a str,
    seats_taken: i32,
    online_seats_taken: i32,
    waitlist_length: i32,
    online_waitlist_length: i32,
    offers_open: i32,
    edited: bool,
    updated_at: Timestamp,
}

impl<'a> Cancellation<'a> {
    fn by_hand(reason: &'a str, now: Timestamp) -> Self {
        Self {
            status: SessionStatus::Cancelled,
            cancellation_reason: reason,
            seats_taken: 0,
            online_seats_taken: 0,
            waitlist_length: 0,
            online_waitlist_length: 0,
            offers_open: 0,
            edited: true,
            updated_at: now,
        }
    }
}

/// Statuses of bookings once the register has been taken.
const ATTENDANCE: [&str; 2] = ["attended", "absent"];

/// Cancels the bookings of sessions that have been cancelled; gives them as they were.
pub fn cancel_bookings(conn: &mut Conn, ids: &[Id], reason: &str, now: Timestamp) -> Result<Vec<Pending>> {
    let pending = notices::pending(conn, ids)?;
    notices::cancel(conn, &pending, reason, now)?;
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
