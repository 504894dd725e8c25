//! Tells members what becomes of their bookings: puts a message into the queue, in the transaction of the change.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::clock::london_day;
use crate::db::schema::sessions;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::members::contact::may_write_to;
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage, Payload, Told};

/// How many seconds a message waits, so that what happens together is told together.
const SOON: i64 = 120;
/// The same for a change of a session, which is often one of many.
const LATER: i64 = 600;
/// A change of a session that starts within so many seconds is told at once.
const URGENT: i64 = 24 * 3_600;

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
}

/// A session: its id, its series, its start and its version.
type Facts = (Id, Option<Id>, Timestamp, i32);

/// Tells the members of these bookings, unless their session has started. Returns how the member of each booking is told.
pub fn tell(conn: &mut Conn, kind: MessageKind, news: &[News], now: Timestamp) -> Result<HashMap<Id, Told>> {
    if news.is_empty() {
        return Ok(HashMap::new());
    }
    let facts = facts(conn, news)?;
    let members: Vec<Id> = news.iter().map(|one| one.member_id).collect();
    let told = may_write_to(conn, &members)?;
    let mut ways = HashMap::new();
    let mut message = |one: &News| {
        let (_, series_id, starts_at, version) = facts.get(&one.session_id)?;
        let payload = Payload {
            session_id: Some(one.session_id),
            series_id: *series_id,
            booking_id: Some(one.booking_id),
            starts_at: Some(*starts_at),
            offer_expires_at: one.offer_expires_at,
        };
        let due_at = due_at(kind, (*starts_at, one.offer_expires_at), now);
        let message = NewMessage::of_booking(kind, one.member_id, payload, due_at);
        let message = match (kind, one.offer_expires_at) {
            (MessageKind::Offered, Some(end)) => {
                message.once(format!("offered:{}:{}", one.booking_id, end.0.timestamp_micros())).until(Some(end))
            }
            (MessageKind::OfferExpiring, Some(end)) => {
                let key = format!("offer_expiring:{}:{}", one.booking_id, end.0.timestamp_micros());
                message.once(key).until(Some(end)).together(None)
            }
            (MessageKind::Reminder, _) => {
                let key = format!("reminder:{}:{}", one.booking_id, starts_at.0.timestamp_micros());
                message.once(key).together(Some(format!("reminders:{}", london_day(*starts_at))))
            }
            (MessageKind::Moved, _) => message.once(format!("moved:{}:{version}", one.booking_id)),
            _ => message,
        };
        let told = told.get(&one.member_id).copied().unwrap_or(Told::Not("no_address"));
        if *starts_at <= now {
            return None;
        }
        ways.insert(one.booking_id, told);
        Some(message.skipped(told))
    };
    let messages = news.iter().filter_map(&mut message).collect();
    messages::queue(conn, messages, now)?;
    Ok(ways)
}

/// When a message about a session with this start, and with this end of an offer, is sent.
fn due_at(kind: MessageKind, (starts_at, offer_ends): (Timestamp, Option<Timestamp>), now: Timestamp) -> Timestamp {
    match kind {
        MessageKind::Offered | MessageKind::Reminder => now,
        MessageKind::OfferExpiring => Timestamp(now.0 + (offer_ends.unwrap_or(now).0 - now.0) * 3 / 4),
        MessageKind::Moved | MessageKind::Cancelled if starts_at > now.plus_seconds(URGENT) => now.plus_seconds(LATER),
        MessageKind::Moved | MessageKind::Cancelled => now,
        _ => now.plus_seconds(SOON),
    }
}

fn facts(conn: &mut Conn, news: &[News]) -> Result<HashMap<Id, Facts>> {
    let mut ids: Vec<Id> = news.iter().map(|one| one.session_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let columns = (sessions::id, sessions::series_id, sessions::starts_at, sessions::version);
        let rows: Vec<Facts> = sessions::table.filter(sessions::id.eq_any(ids)).select(columns).load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.0, row)));
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
