//! What bookings and registers need to know of a session: who may see it, and its seats.

use std::collections::HashSet;

use diesel::prelude::*;

use super::types::SeatDelivery;
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::db::conn::Prepared;
use crate::db::schema::{partners, prescription_items, prescriptions, sessions};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::members::sharing::shared_with;
use crate::partners::types::PartnerStatus;
use crate::sessions::series::store::lineage;
use crate::sessions::types::{BookingPolicy, Delivery, Publication, SessionStatus};
use crate::sessions::view::is_theirs;
use crate::sessions::visibility::Visibility;

/// The members among these whose data a caller with this reach may see.
pub fn may_see(conn: &mut Conn, reach: Reach, members: &[Id]) -> Result<HashSet<Id>> {
    match reach {
        Reach::Everyone => Ok(members.iter().copied().collect()),
        Reach::Partner(partner) => shared_with(conn, partner, members),
        Reach::Member(own) => Ok(HashSet::from([own])),
    }
}

/// What bookings and registers need to know of a session.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionFacts {
    pub(crate) id: Id,
    series_id: Option<Id>,
    partner_id: Option<Id>,
    pub(crate) delivery: Delivery,
    pub(crate) booking_policy: BookingPolicy,
    publication: Publication,
    status: SessionStatus,
    capacity: Option<i32>,
    online_capacity: Option<i32>,
    seats_taken: i32,
    online_seats_taken: i32,
    pub(super) waitlist_length: i32,
    /// How many of these want an online seat of a hybrid session.
    pub(super) online_waitlist_length: i32,
    pub(super) offers_open: i32,
    pub(crate) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
}

impl SessionFacts {
    /// Whether it was called off.
    pub fn is_cancelled(&self) -> bool {
        self.status == SessionStatus::Cancelled
    }

    /// Whether it has started or was called off. Then it takes and offers no more seats.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.is_cancelled() || self.starts_at <= now
    }

    /// All seats of a kind, taken or not; `None` without a limit.
    pub fn capacity_of(&self, seat: SeatDelivery) -> Option<i32> {
        if counts_online(self.delivery, seat) { self.online_capacity } else { self.capacity }
    }

    /// Seats of a kind that are left; `None` without a limit.
    pub fn seats_left(&self, seat: SeatDelivery) -> Option<i32> {
        let taken = if counts_online(self.delivery, seat) { self.online_seats_taken } else { self.seats_taken };
        self.capacity_of(seat).map(|capacity| capacity - taken)
    }

    /// The kinds of seat that it has, each with a waiting list of its own.
    pub fn kinds(&self) -> &'static [SeatDelivery] {
        match self.delivery {
            Delivery::InPerson => &[SeatDelivery::InPerson],
            Delivery::Online => &[SeatDelivery::Online],
            Delivery::Hybrid => &[SeatDelivery::InPerson, SeatDelivery::Online],
        }
    }
}

/// Whether a seat counts against the separate online capacity. Only a hybrid session has one.
pub(in crate::sessions) fn counts_online(delivery: Delivery, seat: SeatDelivery) -> bool {
    delivery == Delivery::Hybrid && seat == SeatDelivery::Online
}

/// Locks a session until the transaction ends. Other requests that change its seats or its register wait.
///
/// # Errors
/// 404 if there is none.
pub fn lock_session(conn: &mut Conn, id: Id) -> Result<SessionFacts> {
    let of_it = sessions::table.find(id);
    // The common connection has no row locks. SQLite has one writer and needs none.
    let row = match conn {
        Conn::Postgres(postgres) => {
            of_it.select(SessionFacts::as_select()).for_no_key_update().first(postgres).optional()?
        }
        Conn::Sqlite(sqlite) => of_it.select(SessionFacts::as_select()).first(sqlite).optional()?,
    };
    row.ok_or_else(|| Error::not_found("session"))
}

/// Reads a session without locking it.
///
/// # Errors
/// 404 if there is none, or if the caller may not see it.
pub fn session(conn: &mut Conn, id: Id, reach: Reach) -> Result<SessionFacts> {
    let row: Option<SessionFacts> =
        sessions::table.find(id).select(SessionFacts::as_select()).first(conn).optional()?;
    let Some(session) = row else { return Err(Error::not_found("session")) };
    see(conn, &session, reach)?;
    Ok(session)
}

/// Checks that a session is a partner's own, or that a member sees it as in the list of what's on.
///
/// # Errors
/// 404 if not.
pub fn see(conn: &mut Conn, session: &SessionFacts, reach: Reach) -> Result<()> {
    let sees = match reach {
        Reach::Member(member) => {
            let partner =
                session.partner_id.map(|id| partners::table.find(id).select((partners::id, partners::status)));
            let partner = partner.map(|partner| partner.first::<(Id, PartnerStatus)>(conn)).transpose()?;
            match Visibility::of(Viewer::Member(member), session.publication, partner) {
                Visibility::Visible => true,
                Visibility::IfTheirs(member) => is_theirs(conn, member, session.id, session.series_id)?,
                Visibility::Hidden => false,
            }
        }
        reach => reach.has_partner(session.partner_id),
    };
    if sees { Ok(()) } else { Err(Error::not_found("session")) }
}

/// An item of an active prescription of this member that refers to this session or its series and hasn't been declined
/// or given up. For a session by referral, an item that the member added themself doesn't count.
pub(super) fn matching_item(
    conn: &mut Conn,
    session: &SessionFacts,
    member_id: Id,
    wanted: Option<Id>,
) -> Result<Option<Id>> {
    let mut query = prescription_items::table
        .inner_join(prescriptions::table)
        .filter(prescriptions::member_id.eq(member_id))
        .filter(prescriptions::status.eq("active"))
        .filter(prescription_items::status.ne_all(["declined", "rejected", "disengaged", "unavailable"]))
        .select(prescription_items::id)
        .order(prescription_items::id)
        .into_boxed();
    if session.booking_policy == BookingPolicy::ReferralOnly {
        query = query.filter(prescription_items::by_member.eq(false));
    }
    query = match session.series_id {
        Some(series) => {
            // If the series was split, the item may refer to the series before the split.
            let any = prescription_items::series_id.eq_any(lineage(conn, series)?);
            query.filter(prescription_items::session_id.eq(session.id).or(any))
        }
        None => query.filter(prescription_items::session_id.eq(session.id)),
    };
    if let Some(wanted) = wanted {
        query = query.filter(prescription_items::id.eq(wanted));
    }
    Ok(query.first(conn).optional()?)
}

/// Takes seats, all or none. Returns whether there were enough. The statement itself compares with the capacity, so
/// concurrent bookings can't take too many. The session keeps its version, because taking seats doesn't change it.
pub(super) fn take_seats(
    conn: &mut Conn,
    session: &SessionFacts,
    seat: SeatDelivery,
    n: i32,
    now: Timestamp,
) -> Result<bool> {
    use sessions::{capacity, online_capacity, online_seats_taken, seats_taken};
    let open = sessions::table
        .filter(sessions::id.eq(session.id))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::starts_at.gt(now));
    let taken = if counts_online(session.delivery, seat) {
        let enough = online_capacity.is_null().or((online_seats_taken + n).nullable().le(online_capacity));
        Prepared(diesel::update(open.filter(enough)).set(online_seats_taken.eq(online_seats_taken + n)))
            .execute(conn)?
    } else {
        let enough = capacity.is_null().or((seats_taken + n).nullable().le(capacity));
        Prepared(diesel::update(open.filter(enough)).set(seats_taken.eq(seats_taken + n))).execute(conn)?
    };
    Ok(taken == 1)
}

/// By how much the counts of a session change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CountChange {
    /// Seats, apart from the online ones of a hybrid session.
    pub(super) in_person: i32,
    /// Online seats of a hybrid session.
    pub(super) online: i32,
    /// Bookings that wait.
    pub(super) waiting: i32,
    /// Those of them that wait for an online seat of a hybrid session.
    pub(super) waiting_online: i32,
    /// Bookings that are offered a seat.
    pub(super) offers: i32,
}

impl CountChange {
    /// These changes with `n` more seats of a kind, or fewer if `n` is negative.
    pub(super) fn seats(mut self, session: &SessionFacts, seat: SeatDelivery, n: i32) -> Self {
        if counts_online(session.delivery, seat) {
            self.online += n;
        } else {
            self.in_person += n;
        }
        self
    }

    /// These changes with `n` more bookings that wait for a kind of seat, or fewer if `n` is negative.
    pub(super) fn waiting(mut self, session: &SessionFacts, seat: SeatDelivery, n: i32) -> Self {
        self.waiting += n;
        self.waiting_online += if counts_online(session.delivery, seat) { n } else { 0 };
        self
    }
}

/// Changes the counts of a [locked](lock_session) session, in the database and in `session`.
pub(super) fn adjust_counts(conn: &mut Conn, session: &mut SessionFacts, change: CountChange) -> Result<()> {
    use sessions::{offers_open, online_seats_taken, online_waitlist_length, seats_taken, waitlist_length};
    if change == CountChange::default() {
        return Ok(());
    }
    session.seats_taken += change.in_person;
    session.online_seats_taken += change.online;
    session.waitlist_length += change.waiting;
    session.online_waitlist_length += change.waiting_online;
    session.offers_open += change.offers;
    let changes = (
        seats_taken.eq(seats_taken + change.in_person),
        online_seats_taken.eq(online_seats_taken + change.online),
        waitlist_length.eq(waitlist_length + change.waiting),
        online_waitlist_length.eq(online_waitlist_length + change.waiting_online),
        offers_open.eq(offers_open + change.offers),
    );
    Prepared(diesel::update(sessions::table.find(session.id)).set(changes)).execute(conn)?;
    Ok(())
}
