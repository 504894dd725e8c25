//! Waiting lists in the database: who is next, and who is offered a seat.
//!
//! These functions change only sessions that the current transaction has locked, so nobody else changes their lists at
//! the same time. The audit records the changes as done by the service.

use std::collections::{HashMap, HashSet};

use diesel::dsl::{exists, max, not, select, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::admission;
use super::eligible::may_be_offered;
use super::rules::{self, Terms};
use super::seats::{CountChange, SessionFacts, adjust_counts, lock_session};
use super::store::BookedRow;
use super::telling::{self, News};
use super::types::{Booking, BookingStatus, SeatDelivery};
use crate::audit::{self, Event, Subject};
use crate::db::schema::{bookings, sessions};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::messages::Told;
use crate::messages::kinds::MessageKind;
use crate::messages::queue::Gone;
use crate::sessions::notices::{COLUMNS, Pending};
use crate::sessions::types::BookingPolicy;
use crate::sessions::visibility::published_or_not;

/// The reason of a booking whose offer expired.
const RAN_OUT: &str = "The offered seat was not accepted in time.";
/// The reason of a booking that still waited when the session started.
const NO_SEAT: &str = "No seat came free before the session started.";
/// The reason of a booking that waited for more seats than the session now has.
const TOO_FEW: &str = "The session has too few seats now for this booking.";
/// The reason of a booking that waited or had an offer when the session became a drop-in.
const DROP_IN: &str = "It is a drop-in session now: no booking is needed, just come.";

/// Whoever is kept a seat for so many seconds is told again before the end.
const WORTH_A_REMINDER: i64 = 4 * 3_600;

/// A booking that lost its place in the list or its offer because its session was changed.
#[derive(Debug)]
pub struct TurnedAway {
    /// The booking.
    pub booking: Pending,
    /// Why.
    pub reason: &'static str,
    /// How the member is told; `None` if the session has started.
    pub told: Option<Told>,
}

/// Whether anybody waits for this kind of seat who may be offered one.
pub(super) fn anybody(conn: &mut Conn, session: &SessionFacts, seat: SeatDelivery) -> Result<bool> {
    if session.waitlist_length == 0 {
        return Ok(false);
    }
    let waiting = bookings::table
        .filter(bookings::session_id.eq(session.id))
        .filter(bookings::delivery.eq(seat))
        .filter(sql::<Bool>(WAITS))
        .filter(may_be_offered!());
    Ok(select(exists(waiting)).get_result(conn)?)
}

/// In the statement itself, not in a parameter: otherwise the partial index of waiting bookings isn't used.
const WAITS: &str = "bookings.status = 'waitlisted'";

/// Joins the waiting list of a locked session and returns the turn. Ids can't order a list, because a request makes the
/// id before it gets the lock.
///
/// # Errors
/// 409 if the session could never seat the party.
pub(super) fn join(conn: &mut Conn, session: &mut SessionFacts, seat: SeatDelivery, seats: i32) -> Result<i32> {
    rules::can_wait(session.capacity_of(seat), seats)?;
    // The index holds only bookings that have a turn. It is used only if the statement asks for those.
    let turns = bookings::table.filter(bookings::session_id.eq(session.id)).filter(bookings::turn.is_not_null());
    let last: Option<i32> = turns.select(max(bookings::turn)).first(conn)?;
    let change = CountChange::default().waiting(session, seat, 1);
    adjust_counts(conn, session, change)?;
    Ok(last.unwrap_or_default() + 1)
}

/// Brings the waiting list of a locked session up to date. Ends expired offers. Ends the waiting of parties that can't
/// get seats any more or don't need them. Offers free seats to the next parties, unless the session has started.
/// Returns the bookings that were turned away.
pub(super) fn settle(conn: &mut Conn, session: &mut SessionFacts, terms: Terms) -> Result<Vec<TurnedAway>> {
    if session.waitlist_length == 0 && session.offers_open == 0 {
        return Ok(Vec::new());
    }
    lapse(conn, session, terms.now)?;
    let turned_away = turn_away(conn, session, terms.now)?;
    offer(conn, session, terms)?;
    Ok(turned_away)
}

/// Takes back offers that can't be accepted now. Ends expired offers and frees their seats. If the session has started
/// or was called off, ends all offers and all waiting.
pub(crate) fn lapse(conn: &mut Conn, session: &mut SessionFacts, now: Timestamp) -> Result<()> {
    take_back(conn, session, now)?;
    let over = session.is_over(now);
    let run_out = bookings::table
        .filter(bookings::session_id.eq(session.id))
        .filter(bookings::status.eq(BookingStatus::Offered))
        .filter(bookings::offer_expires_at.le(now).or(over.into_sql::<Bool>()));
    let ended: Vec<Pending> =
        diesel::update(run_out).set(End::new(RAN_OUT, now)).returning(COLUMNS).get_results(conn)?;
    let mut change = offers(session, &ended, -1);
    if over {
        // From now on nobody waits or has an offer, so these counts become 0.
        change.waiting = -session.waitlist_length;
        change.waiting_online = -session.online_waitlist_length;
        change.offers = -session.offers_open;
    }
    tell(conn, "expire", &ended, now)?;
    if over {
        let waiting = bookings::table.filter(bookings::session_id.eq(session.id)).filter(sql::<Bool>(WAITS));
        let ended: Vec<Pending> =
            diesel::update(waiting).set(End::new(NO_SEAT, now)).returning(COLUMNS).get_results(conn)?;
        tell(conn, "cancel", &ended, now)?;
    }
    adjust_counts(conn, session, change)
}

/// Takes back the offers of seats that may not be given now: the venue is closed, the partner isn't active, or the member
/// [may not be offered one](super::eligible) any more. They wait again, with their old turns, and are the first to get an
/// offer later. This holds for expired offers too: the row doesn't say whether they could have been accepted before.
fn take_back(conn: &mut Conn, session: &mut SessionFacts, now: Timestamp) -> Result<()> {
    for seat in session.kinds() {
        if session.offers_open == 0 {
            break;
        }
        let from_all = admission::refusal(conn, session, *seat, now)?.is_some();
        let offered = bookings::table
            .filter(bookings::session_id.eq(session.id))
            .filter(bookings::delivery.eq(seat))
            .filter(bookings::status.eq(BookingStatus::Offered))
            .filter(from_all.into_sql::<Bool>().or(not(may_be_offered!())));
        let changes = (
            bookings::status.eq(BookingStatus::Waitlisted),
            bookings::offer_expires_at.eq(None::<Timestamp>),
            bookings::version.eq(bookings::version + 1),
            bookings::updated_at.eq(now),
        );
        let back: Vec<Pending> = diesel::update(offered).set(changes).returning(COLUMNS).get_results(conn)?;
        let change = offers(session, &back, -1).waiting(session, *seat, number(&back));
        adjust_counts(conn, session, change)?;
        tell(conn, "withdraw", &back, now)?;
        if !session.is_over(now) {
            let news: Vec<News> = back.iter().map(|one| News { gone: Some(Gone::NotNow), ..one.news() }).collect();
            telling::tell(conn, MessageKind::Waitlisted, &news, now)?;
        }
    }
    Ok(())
}

/// By how much the counts change if each of these bookings gets an offer (`by` is 1) or no longer has one (-1).
fn offers(session: &SessionFacts, bookings: &[Pending], by: i32) -> CountChange {
    let change = CountChange { offers: by * number(bookings), ..CountChange::default() };
    bookings.iter().fold(change, |change, booking| change.seats(session, booking.delivery, by * booking.seats))
}

/// Ends the waiting of bookings that a change of the session has left without a seat to wait for, tells their members, and
/// returns them.
fn turn_away(conn: &mut Conn, session: &mut SessionFacts, now: Timestamp) -> Result<Vec<TurnedAway>> {
    let (ended, reason) = if session.booking_policy == BookingPolicy::DropIn {
        (end_list(conn, session, now)?, DROP_IN)
    } else {
        (end_too_large(conn, session, now)?, TOO_FEW)
    };
    tell(conn, "cancel", &ended, now)?;
    // Here and not where the change was asked for: whoever changes a session, the people are told.
    let news: Vec<News> = ended.iter().map(Pending::news).collect();
    let told = telling::tell(conn, MessageKind::Cancelled, &news, now)?;
    let turned = |booking: Pending| TurnedAway { told: told.get(&booking.id).copied(), booking, reason };
    Ok(ended.into_iter().map(turned).collect())
}

/// Ends all waiting and all offers of a session that has become a drop-in. Booked members keep their places.
fn end_list(conn: &mut Conn, session: &mut SessionFacts, now: Timestamp) -> Result<Vec<Pending>> {
    if session.waitlist_length == 0 && session.offers_open == 0 {
        return Ok(Vec::new());
    }
    let end = End::new(DROP_IN, now);
    let of_it = bookings::table.filter(bookings::session_id.eq(session.id));
    let offered = of_it.filter(bookings::status.eq(BookingStatus::Offered));
    let mut ended: Vec<Pending> = diesel::update(offered).set(end).returning(COLUMNS).get_results(conn)?;
    let change = offers(session, &ended, -1);
    let waiting = of_it.filter(sql::<Bool>(WAITS));
    let waited: Vec<Pending> = diesel::update(waiting).set(end).returning(COLUMNS).get_results(conn)?;
    let change = waited.iter().fold(change, |change, booking| change.waiting(session, booking.delivery, -1));
    adjust_counts(conn, session, change)?;
    ended.extend(waited);
    Ok(ended)
}

/// Ends the waiting of parties that are larger than the session's capacity for their kind of seat. A capacity was
/// lowered, or the session no longer has this kind. These parties would block the list until the session starts.
fn end_too_large(conn: &mut Conn, session: &mut SessionFacts, now: Timestamp) -> Result<Vec<Pending>> {
    let (mut too_many, mut change) = (Vec::new(), CountChange::default());
    if session.waitlist_length == 0 {
        return Ok(too_many);
    }
    for seat in [SeatDelivery::InPerson, SeatDelivery::Online] {
        let has_any = session.kinds().contains(&seat);
        let Some(most) = (if has_any { session.capacity_of(seat) } else { Some(0) }) else { continue };
        let too_large = bookings::table
            .filter(bookings::session_id.eq(session.id))
            .filter(bookings::delivery.eq(seat))
            .filter(sql::<Bool>(WAITS))
            .filter(bookings::seats.gt(most));
        let ended: Vec<Pending> =
            diesel::update(too_large).set(End::new(TOO_FEW, now)).returning(COLUMNS).get_results(conn)?;
        change = change.waiting(session, seat, -number(&ended));
        too_many.extend(ended);
    }
    adjust_counts(conn, session, change)?;
    Ok(too_many)
}

fn number(bookings: &[Pending]) -> i32 {
    i32::try_from(bookings.len()).unwrap_or(i32::MAX)
}

/// The changes of a booking that the service ends.
#[derive(Clone, Copy, AsChangeset)]
#[diesel(table_name = bookings)]
struct End {
    status: BookingStatus,
    cancellation_reason: &'static str,
    updated_at: Timestamp,
}

impl End {
    fn new(reason: &'static str, now: Timestamp) -> (Self, diesel::dsl::Eq<bookings::version, NextVersion>) {
        let end = Self { status: BookingStatus::CancelledByProvider, cancellation_reason: reason, updated_at: now };
        (end, bookings::version.eq(bookings::version + 1))
    }
}

type NextVersion = <bookings::version as std::ops::Add<i32>>::Output;

/// Offers the free seats of each kind to the next parties.
fn offer(conn: &mut Conn, session: &mut SessionFacts, terms: Terms) -> Result<()> {
    if session.is_over(terms.now) {
        return Ok(());
    }
    let until = terms.offer_until(session.starts_at);
    for seat in session.kinds() {
        let next = next(conn, session, *seat)?;
        if next.is_empty() || admission::refusal(conn, session, *seat, terms.now)?.is_some() {
            continue;
        }
        for chunk in next.chunks(AT_ONCE) {
            let ids: Vec<Id> = chunk.iter().map(|booking| booking.id).collect();
            let changes = (
                bookings::status.eq(BookingStatus::Offered),
                bookings::offer_expires_at.eq(until),
                bookings::version.eq(bookings::version + 1),
                bookings::updated_at.eq(terms.now),
            );
            diesel::update(bookings::table.filter(bookings::id.eq_any(ids))).set(changes).execute(conn)?;
        }
        // A CHECK of the table keeps the seats within the capacity as well.
        let change = offers(session, &next, 1).waiting(session, *seat, -number(&next));
        adjust_counts(conn, session, change)?;
        tell(conn, "offer", &next, terms.now)?;
        tell_offers(conn, &next, until, terms.now)?;
    }
    Ok(())
}

/// Tells members that a seat is kept for them until then, and queues that the time is nearly over.
fn tell_offers(conn: &mut Conn, offered: &[Pending], until: Timestamp, now: Timestamp) -> Result<()> {
    let news: Vec<News> = offered.iter().map(|one| News { offer_expires_at: Some(until), ..one.news() }).collect();
    telling::tell(conn, MessageKind::Offered, &news, now)?;
    if now.plus_seconds(WORTH_A_REMINDER) <= until {
        telling::tell(conn, MessageKind::OfferExpiring, &news, now)?;
    }
    Ok(())
}

/// The parties at the head of a list for which there are seats, in the order of their turns. Whoever may not be offered
/// one is passed over.
fn next(conn: &mut Conn, session: &SessionFacts, seat: SeatDelivery) -> Result<Vec<Pending>> {
    let left = session.seats_left(seat);
    if session.waitlist_length == 0 || left.is_some_and(|left| left <= 0) {
        return Ok(Vec::new());
    }
    let mut waiting: Vec<Pending> = bookings::table
        .filter(bookings::session_id.eq(session.id))
        .filter(bookings::delivery.eq(seat))
        .filter(sql::<Bool>(WAITS))
        .filter(may_be_offered!())
        .order(bookings::turn)
        // A party is at least one seat.
        .limit(i64::from(left.unwrap_or(i32::MAX)))
        .select(COLUMNS)
        .load(conn)?;
    waiting.truncate(rules::fitting(left, waiting.iter().map(|booking| booking.seats)));
    Ok(waiting)
}

/// Records in the audit what the service did to each booking.
fn tell(conn: &mut Conn, action: &'static str, moved: &[Pending], now: Timestamp) -> Result<()> {
    let event = |booking: &Pending| {
        let subject = Subject::of_member("booking", booking.id, booking.member_id);
        Event::of_system(now, "waiting-list", action, subject, &["status"])
    };
    let events: Vec<Event> = moved.iter().map(event).collect();
    audit::record(conn, &events)
}

/// Ends the expired offers of these sessions, and takes back those that can't be accepted now. Call it before capacities
/// change, so that their seats don't count.
pub fn lapse_offers(conn: &mut Conn, ids: &[Id], now: Timestamp) -> Result<()> {
    for id in with_a_list(conn, ids)? {
        let mut session = lock_session(conn, id)?;
        lapse(conn, &mut session, now)?;
    }
    Ok(())
}

/// Brings the waiting lists of these sessions up to date after a change of capacities, times or policies. Offers that
/// can't be accepted now are taken back. The others expire at the start at the latest. Parties that are now too large are
/// turned away. If a session became a drop-in, everybody on its list is. Free seats are offered. Returns the bookings
/// that were turned away.
pub fn follow(conn: &mut Conn, ids: &[Id], terms: Terms) -> Result<Vec<TurnedAway>> {
    let mut turned_away = Vec::new();
    for id in with_a_list(conn, ids)? {
        let mut session = lock_session(conn, id)?;
        let later = bookings::table
            .filter(bookings::session_id.eq(id))
            .filter(bookings::status.eq(BookingStatus::Offered))
            .filter(bookings::offer_expires_at.gt(session.starts_at));
        let sooner = (
            bookings::offer_expires_at.eq(session.starts_at),
            bookings::version.eq(bookings::version + 1),
            bookings::updated_at.eq(terms.now),
        );
        let shortened: Vec<Pending> = diesel::update(later).set(sooner).returning(COLUMNS).get_results(conn)?;
        turned_away.extend(settle(conn, &mut session, terms)?);
        // Whoever was turned away or waits again has been told that.
        let kept = still_offered(conn, shortened)?;
        tell_offers(conn, &kept, session.starts_at, terms.now)?;
    }
    Ok(turned_away)
}

/// Those of these bookings that still have an offer.
fn still_offered(conn: &mut Conn, bookings: Vec<Pending>) -> Result<Vec<Pending>> {
    let ids: Vec<Id> = bookings.iter().map(|booking| booking.id).collect();
    let mut offered = HashSet::new();
    for ids in ids.chunks(AT_ONCE) {
        let of_these = bookings::table.filter(bookings::id.eq_any(ids));
        let of_these = of_these.filter(bookings::status.eq(BookingStatus::Offered));
        offered.extend(of_these.select(bookings::id).load::<Id>(conn)?);
    }
    Ok(bookings.into_iter().filter(|booking| offered.contains(&booking.id)).collect())
}

/// Who takes people.
#[derive(Debug, Clone, Copy)]
pub enum Taker {
    /// A venue.
    Venue(Id),
    /// A partner.
    Partner(Id),
}

/// Brings the waiting lists of sessions to come up to date after their venue or partner has begun or ceased to take
/// people. Offers that can't be accepted any more are taken back. Free seats that may be given are offered.
pub fn follow_taker(conn: &mut Conn, taker: Taker, terms: Terms) -> Result<()> {
    let listed = sessions::waitlist_length.gt(0).or(sessions::offers_open.gt(0));
    let to_come = sessions::table.filter(published_or_not());
    let to_come = to_come.filter(sessions::starts_at.gt(terms.now)).filter(listed).select(sessions::id);
    let ids: Vec<Id> = match taker {
        Taker::Venue(id) => to_come.filter(sessions::venue_id.eq(id)).load(conn)?,
        Taker::Partner(id) => to_come.filter(sessions::partner_id.eq(id)).load(conn)?,
    };
    follow(conn, &ids, terms).map(drop)
}

/// Brings the waiting lists of the sessions to come up to date in which a member waits or has an offer, after it may have
/// changed whether they may be offered a seat.
pub fn follow_member(conn: &mut Conn, member_id: Id, terms: Terms) -> Result<()> {
    let waiting = bookings::table
        .inner_join(sessions::table)
        .filter(bookings::member_id.eq(member_id))
        .filter(bookings::status.eq_any([BookingStatus::Waitlisted, BookingStatus::Offered]))
        .filter(sessions::starts_at.gt(terms.now));
    let ids: Vec<Id> = waiting.select(bookings::session_id).distinct().load(conn)?;
    follow(conn, &ids, terms).map(drop)
}

/// The sessions among these in which somebody waits or has an offer, in the order in which they are locked.
fn with_a_list(conn: &mut Conn, ids: &[Id]) -> Result<Vec<Id>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(AT_ONCE) {
        let listed = sessions::waitlist_length.gt(0).or(sessions::offers_open.gt(0));
        let of_these = sessions::table.filter(sessions::id.eq_any(chunk)).filter(listed);
        found.extend(of_these.select(sessions::id).load::<Id>(conn)?);
    }
    found.sort_unstable();
    Ok(found)
}

/// Sessions whose waiting lists are out of date because time has passed: an offer has expired, or the session has
/// started while people wait. Each case has a small partial index.
pub fn due(conn: &mut Conn, now: Timestamp, most: i64) -> Result<Vec<Id>> {
    let mut ids: Vec<Id> = bookings::table
        .filter(sql::<Bool>("bookings.status = 'offered'"))
        .filter(bookings::offer_expires_at.le(now))
        .order(bookings::offer_expires_at)
        .select(bookings::session_id)
        .limit(most)
        .load(conn)?;
    let started: Vec<Id> = sessions::table
        .filter(sql::<Bool>("sessions.waitlist_length > 0"))
        .filter(sessions::starts_at.le(now))
        .order(sessions::starts_at)
        .select(sessions::id)
        .limit(most)
        .load(conn)?;
    ids.extend(started);
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Brings the waiting list of one session up to date, even if its counts say that nobody waits.
///
/// # Errors
/// 404 if there is no such session.
pub fn settle_one(conn: &mut Conn, id: Id, terms: Terms) -> Result<()> {
    let mut session = lock_session(conn, id)?;
    lapse(conn, &mut session, terms.now)?;
    turn_away(conn, &mut session, terms.now)?;
    offer(conn, &mut session, terms)
}

/// The places of bookings in their waiting lists.
pub struct Positions(HashMap<Id, i32>);

impl Positions {
    /// Reads the places of the bookings among these that wait, with one query for each list.
    pub fn of(conn: &mut Conn, rows: &[BookedRow]) -> Result<Self> {
        let mut lists: HashMap<(Id, SeatDelivery), Vec<(Id, i32)>> = HashMap::new();
        for (row, ..) in rows.iter().filter(|(row, ..)| row.status == BookingStatus::Waitlisted) {
            let list = lists.entry((row.session_id, row.delivery)).or_default();
            list.extend(row.turn.map(|turn| (row.id, turn)));
        }
        let mut positions = HashMap::new();
        for ((session, seat), wanted) in lists {
            let last = wanted.iter().map(|(_, turn)| *turn).max();
            let turns: Vec<i32> = bookings::table
                .filter(bookings::session_id.eq(session))
                .filter(bookings::delivery.eq(seat))
                .filter(sql::<Bool>(WAITS))
                .filter(bookings::turn.le(last))
                .order(bookings::turn)
                .select(bookings::turn.assume_not_null())
                .load(conn)?;
            let place = |turn| turns.partition_point(|other| *other <= turn);
            positions.extend(wanted.into_iter().map(|(id, turn)| (id, i32::try_from(place(turn)).unwrap_or(i32::MAX))));
        }
        Ok(Self(positions))
    }

    /// The booking with its place.
    pub fn show(&self, row: BookedRow) -> Booking {
        let waitlist_position = self.0.get(&row.0.id).copied();
        Booking { waitlist_position, ..Booking::from(row) }
    }
}
