//! Tells members what becomes of their bookings: puts a message into the queue, in the transaction of the change.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::clock::london_day;
use crate::db::schema::{bookings, sessions, users};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::members::contact::may_write_to;
use crate::members::relationships::booking as relationships;
use crate::members::store as members;
use crate::messages::kinds::MessageKind;
use crate::messages::queue::{Gone, URGENT};
use crate::messages::{self, NewMessage, Payload, Told};
use crate::sessions::types::{BookingPolicy, SessionStatus};

/// How many seconds a message waits, so that what happens together is told together.
const SOON: i64 = 120;
/// The same for a change of a session, which is often one of many.
const LATER: i64 = 600;

/// A booking to tell of.
#[derive(Debug, Clone, Copy)]
pub struct News {
    /// The booking.
    pub booking_id: Id,
    /// Its session.
    pub session_id: Id,
    /// Its member.
    pub member_id: Id,
    /// Until when a seat is offered.
    pub offer_expires_at: Option<Timestamp>,
    /// When the session was to start before it was moved.
    pub was: Option<Timestamp>,
    /// Why there is no place, where the session itself doesn't say it.
    pub gone: Option<Gone>,
}

impl News {
    /// A booking of this session and member.
    pub fn new(booking_id: Id, session_id: Id, member_id: Id) -> Self {
        Self { booking_id, session_id, member_id, offer_expires_at: None, was: None, gone: None }
    }
}

/// What is told of a session.
#[derive(Queryable)]
struct Facts {
    id: Id,
    series_id: Option<Id>,
    starts_at: Timestamp,
    version: i32,
    status: SessionStatus,
    policy: BookingPolicy,
}

impl Facts {
    /// What is told of a booking that the service has cancelled: that the session is called off, or that only the place is
    /// gone.
    fn cancelled(&self) -> (MessageKind, Option<Gone>) {
        match (self.status, self.policy) {
            (SessionStatus::Cancelled, _) => (MessageKind::Cancelled, None),
            (_, BookingPolicy::DropIn) => (MessageKind::BookingCancelled, Some(Gone::NoBookingNeeded)),
            _ => (MessageKind::BookingCancelled, Some(Gone::NoPlace)),
        }
    }
}

/// Tells the members of these bookings, and whoever booked for them, unless their session has started. Returns how the
/// member of each booking is told. With [`MessageKind::Cancelled`] they are told whether the session is called off or only
/// their place is gone.
pub fn tell(conn: &mut Conn, kind: MessageKind, news: &[News], now: Timestamp) -> Result<HashMap<Id, Told>> {
    if news.is_empty() {
        return Ok(HashMap::new());
    }
    let facts = facts(conn, news)?;
    let carers = carers(conn, news, london_day(now))?;
    let readers: Vec<Id> = news.iter().map(|one| one.member_id).chain(carers.values().copied()).collect();
    let told = may_write_to(conn, &readers)?;
    let told = |member: Id| told.get(&member).copied().unwrap_or(Told::Not("no_address"));
    let (mut ways, mut messages) = (HashMap::new(), Vec::new());
    for one in news {
        let Some(session) = facts.get(&one.session_id).filter(|session| session.starts_at > now) else { continue };
        ways.insert(one.booking_id, told(one.member_id));
        messages.push(message(kind, one, session, None, now).skipped(told(one.member_id)));
        if let Some(carer) = carers.get(&one.booking_id) {
            messages.push(message(kind, one, session, Some(*carer), now).skipped(told(*carer)));
        }
    }
    messages::queue(conn, messages, now)?;
    Ok(ways)
}

/// A message about a booking to its member, or to the carer who made it.
fn message(kind: MessageKind, one: &News, session: &Facts, carer: Option<Id>, now: Timestamp) -> NewMessage {
    let (kind, gone) = if kind == MessageKind::Cancelled { session.cancelled() } else { (kind, one.gone) };
    let starts_at = session.starts_at;
    let payload = Payload {
        session_id: Some(one.session_id),
        series_id: session.series_id,
        booking_id: Some(one.booking_id),
        starts_at: Some(starts_at),
        offer_expires_at: one.offer_expires_at,
        gone,
        ..Payload::default()
    };
    // Whoever was to come soon has to know soon.
    let nearest = one.was.map_or(starts_at, |was| was.min(starts_at));
    let reader = carer.unwrap_or(one.member_id);
    let due_at = due_at(kind, (nearest, one.offer_expires_at), now);
    let message = NewMessage::of_booking(kind, reader, payload, due_at).caring_for(carer.map(|_| one.member_id));
    let key = |what: &str, number: i64| {
        let key = format!("{what}:{}:{number}", one.booking_id);
        carer.map_or(key.clone(), |carer| format!("{key}:{carer}"))
    };
    match (kind, one.offer_expires_at.map(|end| (end, end.0.timestamp_micros()))) {
        (MessageKind::Offered, Some((end, micros))) => message.once(key("offered", micros)).until(Some(end)),
        (MessageKind::OfferExpiring, Some((end, micros))) => {
            message.once(key("offer_expiring", micros)).until(Some(end)).together(None).visible_from(due_at)
        }
        (MessageKind::Reminder, _) => message
            .once(key("reminder", starts_at.0.timestamp_micros()))
            .together(Some(format!("reminders:{}", london_day(starts_at)))),
        (MessageKind::Moved, _) => message.once(key("moved", session.version.into())),
        _ => message,
    }
}

/// The members who made these bookings for somebody else, and may book for them on this day, by booking.
fn carers(conn: &mut Conn, news: &[News], today: NaiveDate) -> Result<HashMap<Id, Id>> {
    let ids: Vec<Id> = news.iter().map(|one| one.booking_id).collect();
    let mut found: HashMap<Id, (Id, Id)> = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let made: Vec<(Id, Id, Option<Id>)> = bookings::table
            .inner_join(users::table.on(users::id.eq(bookings::booked_by)))
            .filter(bookings::id.eq_any(ids))
            .filter(users::member_id.is_not_null())
            .select((bookings::id, bookings::member_id, users::member_id))
            .load(conn)?;
        let others =
            made.into_iter().filter_map(|(id, member, by)| Some((id, (by.filter(|by| *by != member)?, member))));
        found.extend(others);
    }
    let readers: Vec<Id> = found.values().map(|(carer, _)| *carer).collect();
    let merged = members::merged_into(conn, &readers)?;
    for (carer, _) in found.values_mut() {
        *carer = merged.get(carer).copied().unwrap_or(*carer);
    }
    let readers: Vec<Id> = found.values().map(|(carer, _)| *carer).collect();
    let allowed = relationships::pairs(conn, &readers, today)?;
    let may_know = found.into_iter().filter(|(_, pair)| allowed.contains(pair));
    Ok(may_know.map(|(id, (carer, _))| (id, carer)).collect())
}

/// When a message about a session with this start, and with this end of an offer, is sent.
fn due_at(kind: MessageKind, (starts_at, offer_ends): (Timestamp, Option<Timestamp>), now: Timestamp) -> Timestamp {
    match kind {
        MessageKind::Offered => now,
        MessageKind::OfferExpiring => Timestamp(now.0 + (offer_ends.unwrap_or(now).0 - now.0) * 3 / 4),
        MessageKind::Moved | MessageKind::Cancelled if starts_at > now.plus_seconds(URGENT) => now.plus_seconds(LATER),
        MessageKind::Moved | MessageKind::Cancelled => now,
        // Reminders too: they are written some sessions at a time, and are one mail.
        _ => now.plus_seconds(SOON),
    }
}

fn facts(conn: &mut Conn, news: &[News]) -> Result<HashMap<Id, Facts>> {
    let mut ids: Vec<Id> = news.iter().map(|one| one.session_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let columns = (
            sessions::id,
            sessions::series_id,
            sessions::starts_at,
            sessions::version,
            sessions::status,
            sessions::booking_policy,
        );
        let rows: Vec<Facts> = sessions::table.filter(sessions::id.eq_any(ids)).select(columns).load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_told_at_once_and_the_rest_together() {
        let at = |text: &str| Timestamp(text.parse().unwrap());
        let now = at("2027-01-04T09:00:00Z");
        let due = |kind, starts: &str| (due_at(kind, (at(starts), None), now).0 - now.0).num_seconds();
        assert_eq!(due(MessageKind::Moved, "2027-01-05T09:00:01Z"), 600);
        assert_eq!(due(MessageKind::Cancelled, "2027-01-05T09:00:00Z"), 0);
        assert_eq!(due(MessageKind::Booked, "2027-01-04T10:00:00Z"), 120);
        assert_eq!(due(MessageKind::Offered, "2027-03-04T10:00:00Z"), 0);
        let ends = Some(at("2027-01-05T09:00:00Z"));
        let starts = at("2027-03-04T10:00:00Z");
        assert_eq!(due_at(MessageKind::OfferExpiring, (starts, ends), now), at("2027-01-05T03:00:00Z"));
    }
}
