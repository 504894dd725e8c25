//! Bookings in the database.

use chrono::NaiveDate;
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::admission;
use super::care;
use super::rules::{self, Offer, Terms};
use super::seats::{CountChange, SessionFacts, adjust_counts, lock_session, matching_item, see, take_seats};
use super::types::{BookedSession, Booking, BookingInput, BookingStatus, IfFull, Party, SeatDelivery};
use super::waiting;
use crate::auth::reach::Reach;
use crate::clock::{london_day, micros};
use crate::db::schema::{bookings, members, sessions, wordings};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Fault, Kind, Result};
use crate::insert_many;
use crate::members::consents::store as consents;
use crate::members::relationships::booking as relationships;
use crate::members::store::{self as member_store, NAMES, Names, member_name};
use crate::sessions::types::{BookingPolicy, Delivery};

/// A row of `bookings`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, Identifiable, Serialize, Deserialize)]
#[diesel(table_name = bookings, treat_none_as_default_value = false)]
pub struct BookingRow {
    pub(crate) id: Id,
    pub(crate) session_id: Id,
    pub(crate) member_id: Id,
    pub(crate) status: BookingStatus,
    pub(super) delivery: SeatDelivery,
    family: i32,
    carers: i32,
    seats: i32,
    pub(crate) reference: String,
    prescription_item_id: Option<Id>,
    cancellation_reason: Option<String>,
    pub(crate) booked_by: Id,
    pub(crate) version: i32,
    #[serde(with = "micros")]
    created_at: Timestamp,
    #[serde(with = "micros")]
    updated_at: Timestamp,
    pub(super) turn: Option<i32>,
    #[serde(with = "micros::option")]
    offer_expires_at: Option<Timestamp>,
}

impl BookingRow {
    /// A new booking of one seat.
    pub(crate) fn new(
        id: Id,
        session_id: Id,
        (member_id, delivery): (Id, SeatDelivery),
        reference: String,
        booked_by: Id,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            session_id,
            member_id,
            status: BookingStatus::Booked,
            delivery,
            family: 0,
            carers: 0,
            seats: 1,
            reference,
            prescription_item_id: None,
            cancellation_reason: None,
            booked_by,
            version: 1,
            created_at: now,
            updated_at: now,
            turn: None,
            offer_expires_at: None,
        }
    }

    /// This booking in another status. It no longer says until when a seat is offered: only an offer that ran out keeps
    /// that time.
    pub(crate) fn moved(self, status: BookingStatus, now: Timestamp) -> Self {
        Self { status, version: self.version + 1, updated_at: now, offer_expires_at: None, ..self }
    }

    /// How many seats it takes.
    pub(super) fn seats(&self) -> i32 {
        self.seats
    }

    /// The item that led to it.
    pub(super) fn prescription_item_id(&self) -> Option<Id> {
        self.prescription_item_id
    }

    /// The same booking, led to by this item.
    pub(super) fn for_item(self, prescription_item_id: Option<Id>) -> Self {
        Self { prescription_item_id, ..self }
    }

    /// What it says of a seat that is or was offered.
    fn offer(&self) -> Offer {
        Offer { status: self.status, expires_at: self.offer_expires_at, updated_at: self.updated_at }
    }
}

/// What the row of a session and its wording tell a booking.
#[derive(Debug, Clone, Queryable)]
pub struct SessionLine {
    title: String,
    pub(super) starts_at: Timestamp,
    ends_at: Timestamp,
    time_zone: String,
    pub(super) series_id: Option<Id>,
    venue_id: Option<Id>,
    delivery: Delivery,
}

impl SessionLine {
    /// The venue that people come to.
    pub(super) fn place_id(&self) -> Option<Id> {
        self.venue_id.filter(|_| self.delivery != Delivery::Online)
    }
}

/// A booking, what it shows of its session, and its member's names.
pub type BookedRow = (BookingRow, SessionLine, Names);

/// The columns of a [`SessionLine`].
pub(super) const SESSION_LINE: (
    wordings::title,
    sessions::starts_at,
    sessions::ends_at,
    sessions::time_zone,
    sessions::series_id,
    sessions::venue_id,
    sessions::delivery,
) = (
    wordings::title,
    sessions::starts_at,
    sessions::ends_at,
    sessions::time_zone,
    sessions::series_id,
    sessions::venue_id,
    sessions::delivery,
);

/// The booking without what is read for several at once: see [`super::related`].
impl From<BookedRow> for Booking {
    fn from((row, session, names): BookedRow) -> Self {
        let SessionLine { title, starts_at, ends_at, time_zone, .. } = session;
        Self {
            id: row.id,
            session_id: row.session_id,
            session: BookedSession { title, starts_at, ends_at, time_zone, place: None, series: None },
            member_id: Some(row.member_id),
            member: Some(member_name(row.member_id, names)),
            status: row.status,
            delivery: row.delivery,
            party: Party { family: row.family, carers: row.carers },
            seats: row.seats,
            reference: row.reference,
            prescription_item_id: row.prescription_item_id,
            waitlist_position: None,
            offer_expires_at: row.offer_expires_at.filter(|_| row.status == BookingStatus::Offered),
            cancellation_reason: row.cancellation_reason,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Who books and when, and the id of the booking.
#[derive(Debug, Clone, Copy)]
pub struct Booker {
    /// Whose bookings the caller may reach.
    pub reach: Reach,
    /// The account.
    pub account: Id,
    /// The id of the booking.
    pub id: Id,
    /// The time, and how long an offered seat is held.
    pub terms: Terms,
}

impl Booker {
    /// Whether this is a member who books for another.
    fn is_for_another(&self, member_id: Id) -> bool {
        self.reach.member().is_some_and(|own| own != member_id)
    }
}

/// Books a place. If there are too few seats and the request says so, joins the waiting list instead.
///
/// # Errors
/// 404 if the booker can't see the session. 422 if the request doesn't fit the session. 409 if the member wants no
/// support, the session takes no bookings now, its partner isn't active, its venue is closed at that time, the member has a
/// place already, or there are too few seats.
pub fn book(conn: &mut Conn, session_id: Id, wish: &BookingInput, by: Booker) -> Result<BookedRow> {
    let now = by.terms.now;
    let mut session = lock_session(conn, session_id)?;
    see(conn, &session, by.reach)?;
    waiting::settle(conn, &mut session, by.terms)?;
    let (member_id, names, delivery) = fitting(conn, &session, wish, by.reach, london_day(now))?;
    rules::takes_bookings(&session, now)?;
    admission::check(conn, &session, delivery, now)?;
    let item = item(conn, &session, wish, member_id);
    let item = if by.is_for_another(member_id) { item } else { Ok(item?) };
    let (reference, turn) = give_place(conn, &mut session, (member_id, delivery), wish, by)?;
    // Only now: most of those who want the last seat of a session don't get here.
    consents::hold_service(conn, member_id)?;
    let row = BookingRow {
        status: if turn.is_some() { BookingStatus::Waitlisted } else { BookingStatus::Booked },
        family: wish.party.family,
        carers: wish.party.carers,
        seats: wish.party.seats(),
        prescription_item_id: item?,
        turn,
        ..BookingRow::new(by.id, session_id, (member_id, delivery), reference, by.account, now)
    };
    insert(conn, std::slice::from_ref(&row))?;
    // A statement of its own: one that waits for the lock of a session would not see a wording that is new.
    let line = sessions::table.inner_join(wordings::table).filter(sessions::id.eq(session_id)).select(SESSION_LINE);
    Ok((row, line.first::<SessionLine>(conn)?, names))
}

/// Adds bookings. Their seats must have been taken.
pub(crate) fn insert(conn: &mut Conn, rows: &[BookingRow]) -> Result<()> {
    Ok(insert_many!(conn, bookings::table, rows)?)
}

/// Gives a new booking its reference, and its seats or its turn in the waiting list.
///
/// # Errors
/// 409 if the member has a place already, or there are too few seats. Whoever books for somebody else is told first that
/// the session is full: such a refusal leaves no trace, so it may not say whether the other has a place or a referral.
fn give_place(
    conn: &mut Conn,
    session: &mut SessionFacts,
    (member_id, delivery): (Id, SeatDelivery),
    wish: &BookingInput,
    by: Booker,
) -> Result<(String, Option<i32>)> {
    let (session_id, seats) = (session.id, wish.party.seats());
    let known = if by.is_for_another(member_id) { None } else { Some(new_reference(conn, session_id, member_id)?) };
    let waits = match place(conn, session, delivery, seats, by.terms.now)? {
        Ok(()) => false,
        Err(full) if wish.if_full == IfFull::Refuse => return Err(full),
        Err(_) => true,
    };
    let reference = known.map_or_else(|| new_reference(conn, session_id, member_id), Ok)?;
    let turn = if waits { Some(waiting::join(conn, session, delivery, seats)?) } else { None };
    Ok((reference, turn))
}

/// Takes seats. The inner error says why not: too few are left, or somebody already waits for one.
fn place(
    conn: &mut Conn,
    session: &SessionFacts,
    delivery: SeatDelivery,
    seats: i32,
    now: Timestamp,
) -> Result<Result<(), Error>> {
    if waiting::anybody(conn, session, delivery)? {
        return Ok(Err(rules::waited_for()));
    }
    let taken = take_seats(conn, session, delivery, seats, now)?;
    Ok(if taken { Ok(()) } else { Err(rules::full(session, delivery, seats)) })
}

/// The member with their names, and the seat that a request means.
///
/// # Errors
/// 422 with everything in the request that doesn't fit the session.
fn fitting(
    conn: &mut Conn,
    session: &SessionFacts,
    wish: &BookingInput,
    reach: Reach,
    today: NaiveDate,
) -> Result<(Id, Names, SeatDelivery)> {
    let mut faults = Vec::new();
    let member_id = match (reach, wish.member_id) {
        (Reach::Member(own), None) => Some(own),
        (Reach::Member(own), Some(given)) if given == own => Some(own),
        (Reach::Member(own), Some(given)) if relationships::hold(conn, own, given, today)? => Some(given),
        // Nobody, unless it is the member's own id from before their records were merged: they are told the new one.
        (Reach::Member(_), Some(given)) => member_store::hold(conn, reach, given)?.then_some(given),
        (_, given) => given,
    };
    let names: Option<Names> = match member_id {
        // Who may book for whom is decided above.
        Some(id) if member_store::hold(conn, Reach::Everyone, id)? => {
            members::table.find(id).select(NAMES).first(conn).optional()?
        }
        _ => None,
    };
    let member = member_id.zip(names);
    if member.is_none() {
        faults.push(match (reach, wish.member_id) {
            (Reach::Everyone, None) => Fault::at("/member_id", "required", "Say whose place it is."),
            _ => Fault::at("/member_id", "unknown_member", "There is no such member."),
        });
    }
    let seat = rules::seat(session.delivery, wish.delivery);
    if seat.is_none() {
        faults.push(match wish.delivery {
            None => Fault::at("/delivery", "required", "The session is hybrid: say in_person or online."),
            Some(_) => Fault::at("/delivery", "not_offered", format!("The session is {} only.", session.delivery)),
        });
    }
    if let Some(((member_id, _), item)) = member.as_ref().zip(wish.prescription_item_id)
        && matching_item(conn, session, *member_id, Some(item))?.is_none()
    {
        let detail = "Must be an item of an active prescription of this member that points at this session or its \
                      series; for a session by referral, one that the member didn't add themself.";
        faults.push(Fault::at("/prescription_item_id", "unknown_item", detail));
    }
    match (member, seat) {
        (Some((id, names)), Some(seat)) if faults.is_empty() => Ok((id, names, seat)),
        _ => Err(Error::invalid(faults)),
    }
}

/// The item that led to a booking: the one in the request, which has been checked already. If a session by referral
/// needs an item and the request has none, any that matches.
fn item(conn: &mut Conn, session: &SessionFacts, wish: &BookingInput, member_id: Id) -> Result<Option<Id>> {
    if wish.prescription_item_id.is_some() || session.booking_policy != BookingPolicy::ReferralOnly {
        return Ok(wish.prescription_item_id);
    }
    let found = matching_item(conn, session, member_id, None)?;
    let detail = "No item of an active prescription of this member points at this session or its series, apart from what \
                  they added themself.";
    found.map(Some).ok_or_else(|| Error::new(Kind::ReferralOnly, detail))
}

fn already_booked() -> Error {
    let detail = "This member has a place in this session already.";
    Error::new(Kind::AlreadyBooked, detail).with(Fault::at("/member_id", "taken", detail))
}

/// A reference for a new booking, which no booking of the session has. The session is locked, so nobody else can take it.
///
/// # Errors
/// 409 if the member has a place in this session, or waits for one. One statement looks for both.
fn new_reference(conn: &mut Conn, session_id: Id, member_id: Id) -> Result<String> {
    let of_session = bookings::table.filter(bookings::session_id.eq(session_id));
    let places = of_session.filter(bookings::member_id.eq(member_id));
    let places = places.filter(bookings::status.eq_any(BookingStatus::LIVE));
    // There are thirty million references for some thousand bookings. A second try is rare, and a tenth never comes.
    for _ in 0..10 {
        let mut random = [0; 5];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::internal("no randomness"))?;
        let reference = rules::reference(random);
        let same = of_session.filter(bookings::reference.eq(&reference));
        match select((exists(places.clone()), exists(same))).get_result::<(bool, bool)>(conn)? {
            (true, _) => return Err(already_booked()),
            (false, true) => {}
            (false, false) => return Ok(reference),
        }
    }
    Err(Error::internal("no free reference in ten tries"))
}

/// Bookings with their sessions and members.
#[diesel::dsl::auto_type]
pub(super) fn booked() -> _ {
    bookings::table.inner_join(sessions::table.inner_join(wordings::table)).inner_join(members::table)
}

/// One booking. A member reaches their own, and those they made for somebody for whom they may book on this day.
///
/// # Errors
/// 404 if there is none that the caller may reach.
pub fn get(conn: &mut Conn, id: Id, reach: Reach, today: NaiveDate) -> Result<BookedRow> {
    let mut query =
        booked().filter(bookings::id.eq(id)).select((BookingRow::as_select(), SESSION_LINE, NAMES)).into_boxed();
    if let Reach::Partner(partner) = reach {
        query = query.filter(sessions::partner_id.eq(partner));
    }
    let missing = || Error::not_found("booking");
    let booked: BookedRow = query.first(conn).optional()?.ok_or_else(missing)?;
    match reach.member().filter(|own| *own != booked.0.member_id) {
        Some(other) if !care::made(conn, other, &booked.0, today)? => Err(missing()),
        _ => Ok(booked),
    }
}

/// One booking and its session. The session is locked until the transaction ends, and so is the relationship by which a
/// member reaches somebody else's booking.
///
/// # Errors
/// 404 if there is none that the caller may reach.
pub fn get_locked(conn: &mut Conn, id: Id, reach: Reach, today: NaiveDate) -> Result<(BookedRow, SessionFacts)> {
    let (row, ..) = get(conn, id, reach, today)?;
    // Bookings change only under the lock of their session, so this one is read again under it.
    let session = lock_session(conn, row.session_id)?;
    if let Some(other) = reach.member().filter(|own| *own != row.member_id) {
        relationships::hold(conn, other, row.member_id, today)?;
    }
    Ok((get(conn, id, reach, today)?, session))
}

/// Cancels a booking, also one that waits or has an offer. The freed seats are offered to the next people who wait.
///
/// # Errors
/// 409 if it is cancelled already, if its offer has expired or if the session has started.
pub fn cancel(
    conn: &mut Conn,
    (booked, session): (BookedRow, SessionFacts),
    status: BookingStatus,
    terms: Terms,
) -> Result<BookedRow> {
    rules::can_be_cancelled(booked.0.status, session.starts_at, terms.now)?;
    rules::check_in_time(&booked.0.offer(), session.starts_at, terms.now)?;
    move_to(conn, booked, session, status, terms)
}

/// Accepts the seat that a booking is offered.
///
/// # Errors
/// 409 if no seat may be given now, nothing is offered, the offer has expired or the member wants no support.
pub fn accept(conn: &mut Conn, (booked, session): (BookedRow, SessionFacts), terms: Terms) -> Result<BookedRow> {
    // Says why an offer was taken back.
    if matches!(booked.0.status, BookingStatus::Offered | BookingStatus::Waitlisted) {
        admission::check(conn, &session, booked.0.delivery, terms.now)?;
        consents::hold_service(conn, booked.0.member_id)?;
    }
    rules::check_offer(&booked.0.offer(), session.starts_at, terms.now, "accepted")?;
    move_to(conn, booked, session, BookingStatus::Booked, terms)
}

/// Declines the seat that a booking is offered, and offers it to the next people who wait.
///
/// # Errors
/// 409 if nothing is offered or the offer has expired.
pub fn decline(conn: &mut Conn, (booked, session): (BookedRow, SessionFacts), terms: Terms) -> Result<BookedRow> {
    rules::check_offer(&booked.0.offer(), session.starts_at, terms.now, "declined")?;
    move_to(conn, booked, session, BookingStatus::CancelledByMember, terms)
}

/// Changes the status of a booking and the counts of its session, which is locked. Offers freed seats to others.
pub(super) fn move_to(
    conn: &mut Conn,
    mut booked: BookedRow,
    mut session: SessionFacts,
    status: BookingStatus,
    terms: Terms,
) -> Result<BookedRow> {
    let row = &booked.0;
    let (held, holds) = (row.status.holds_seats(), status.holds_seats());
    let mut change =
        CountChange::default().seats(&session, row.delivery, row.seats * (i32::from(holds) - i32::from(held)));
    change = change.waiting(&session, row.delivery, -i32::from(row.status == BookingStatus::Waitlisted));
    change.offers -= i32::from(row.status == BookingStatus::Offered);
    adjust_counts(conn, &mut session, change)?;
    let row = row.clone().moved(status, terms.now);
    let change = (
        bookings::status.eq(status),
        bookings::offer_expires_at.eq(row.offer_expires_at),
        bookings::version.eq(row.version),
        bookings::updated_at.eq(row.updated_at),
    );
    diesel::update(bookings::table.find(row.id)).set(change).execute(conn)?;
    booked.0 = row;
    waiting::settle(conn, &mut session, terms)?;
    Ok(booked)
}
