//! Decides what becomes of a message that is due: which mail is made of it, or why none.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;
use chrono_tz::Europe::London;
use diesel::prelude::*;

use super::letter::{Letter, Print};
use super::post::Outgoing;
use super::words::en::{self, Line};
use crate::auth::links;
use crate::auth::logins::token::RefreshKey;
use crate::auth::store as accounts;
use crate::clock::london_day;
use crate::db::schema::{bookings, members, sessions, venues, wordings};
use crate::db::{AT_ONCE, Conn, Id, LocalTime, Timestamp};
use crate::error::Result;
use crate::members::access_needs::{self, types::AccessNeeds};
use crate::members::contact::may_write_to;
use crate::members::relationships::booking::cared_for;
use crate::members::types::MessageDetails;
use crate::messages::Told;
use crate::messages::kinds::MessageKind;
use crate::messages::queue::{MessageRow, claim};
use crate::sessions::bookings::types::BookingStatus;
use crate::sessions::types::{Delivery, SessionStatus};

/// The most lines of sessions in one mail.
const MOST_LINES: usize = 60;

/// What becomes of messages that are due.
pub enum Decision {
    /// One mail for these messages.
    Send(Vec<MessageRow>, Outgoing),
    /// No mail: the reason.
    Skip(Vec<Id>, &'static str),
}

/// What mails are made with.
pub struct Desk<'a> {
    /// The key of the links' secrets.
    pub key: &'a RefreshKey,
    /// Where links lead.
    pub front_end: &'a str,
    /// What stands behind the @ of a `Message-ID`.
    pub domain: &'a str,
    /// The time.
    pub now: Timestamp,
}

impl Desk<'_> {
    /// Decides about messages. Those of one member about one series become one mail.
    pub fn decide(&self, conn: &mut Conn, rows: Vec<MessageRow>) -> Result<Vec<Decision>> {
        let mut decisions = Vec::new();
        let mut together: BTreeMap<(Id, String), Vec<MessageRow>> = BTreeMap::new();
        for row in rows {
            if row.expires_at.is_some_and(|end| end <= self.now) {
                decisions.push(Decision::Skip(vec![row.id], "too_late"));
            } else if row.kind.is_of_a_session() {
                let key = row.digest_key.clone().unwrap_or_else(|| row.id.to_string());
                match row.member_id {
                    Some(member) => together.entry((member, key)).or_default().push(row),
                    None => decisions.push(Decision::Skip(vec![row.id], "nobody")),
                }
            } else {
                decisions.push(self.of_account(conn, row)?);
            }
        }
        for ((member, _), rows) in together {
            decisions.extend(self.of_sessions(conn, member, rows)?);
        }
        Ok(decisions)
    }

    fn outgoing(&self, row: &MessageRow, to: String, letter: Letter) -> Outgoing {
        let message_id = format!("{}@{}", row.id, self.domain);
        Outgoing { to, letter, print: Print::Normal, message_id }
    }

    /// A message about an account: with a link, or about what has happened.
    fn of_account(&self, conn: &mut Conn, row: MessageRow) -> Result<Decision> {
        let skip = |why| Ok(Decision::Skip(vec![row.id], why));
        let Some(link_id) = row.link_id else {
            let letter = row.payload.0.notice.map(en::notice).or_else(|| en::of_account(row.kind));
            let Some(letter) = letter else { return skip("nobody") };
            let address = match (&row.address, row.user_id) {
                (Some(address), _) => Some(address.clone()),
                (None, Some(user)) => accounts::account(conn, user)?.map(|account| account.email),
                (None, None) => None,
            };
            return match address {
                Some(address) => Ok(Decision::Send(vec![row.clone()], self.outgoing(&row, address, letter))),
                None => skip("no_address"),
            };
        };
        let Some(link) = links::store::get(conn, link_id)?.filter(|link| link.works(self.now)) else {
            return skip("link_has_ended");
        };
        let Some(email) = link.email.clone() else { return skip("no_address") };
        let letter = match (row.kind, accounts::account_by_email(conn, &email)?) {
            // The owner of an account gets no link to register, but is told that they have an account: once a day.
            (MessageKind::Registration, Some(account)) => {
                let key = format!("already_registered:{}:{}", account.id, london_day(self.now));
                if !claim(conn, row.id, MessageKind::AlreadyRegistered, key)? {
                    return skip("too_many");
                }
                en::of_account(MessageKind::AlreadyRegistered)
            }
            (MessageKind::AlreadyRegistered, _) => en::of_account(MessageKind::AlreadyRegistered),
            (MessageKind::PasswordReset, None) => return skip("no_account"),
            (MessageKind::PasswordReset, Some(account)) if account.disabled => return skip("disabled"),
            (kind, _) => en::with_link(kind, links::url(self.key, self.front_end, &link)),
        };
        match letter {
            Some(letter) => Ok(Decision::Send(vec![row.clone()], self.outgoing(&row, email, letter))),
            None => skip("nobody"),
        }
    }

    /// Messages of one member about the sessions of one series.
    fn of_sessions(&self, conn: &mut Conn, member: Id, mut rows: Vec<MessageRow>) -> Result<Vec<Decision>> {
        rows.sort_unstable_by_key(|row| (row.created_at, row.id));
        let ids = |rows: &[MessageRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        if let Told::Not(why) = may_write_to(conn, &[member])?.remove(&member).unwrap_or(Told::Not("nobody")) {
            return Ok(vec![Decision::Skip(ids(&rows), why)]);
        }
        let Some((email, details, print)) = reader(conn, member)? else {
            return Ok(vec![Decision::Skip(ids(&rows), "no_address")]);
        };
        let carers = cared_for(conn, member, london_day(self.now))?;
        let (rows, ended): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.payload.0.cared_for.is_none_or(|other| carers.contains(&other)));
        let facts = Facts { details, ..Facts::load(conn, &rows)? };
        let (mut told, mut untrue, mut lines) = (Vec::new(), Vec::new(), BTreeMap::new());
        for row in rows {
            match facts.line(&row) {
                // The latest message of a session says how it stands. Every message states the new time and place, so
                // that it was moved is told only if nothing else is: an offer must not be lost.
                Some(line) => {
                    let key = (line.start, row.payload.0.session_id, row.payload.0.cared_for);
                    if line.kind != MessageKind::Moved || !lines.contains_key(&key) {
                        lines.insert(key, line);
                    }
                    told.push(row);
                }
                None => untrue.push(row.id),
            }
        }
        let mut decisions = Vec::new();
        if !ended.is_empty() {
            // The carer may no longer know of the other's bookings.
            decisions.push(Decision::Skip(ids(&ended), "not_allowed"));
        }
        if !untrue.is_empty() {
            decisions.push(Decision::Skip(untrue, "no_longer_true"));
        }
        let letter = en::of_sessions(&lines.into_values().collect::<Vec<_>>(), MOST_LINES);
        if let (Some(letter), Some(first)) = (letter, told.first()) {
            let outgoing = Outgoing { print, ..self.outgoing(first, email, letter) };
            decisions.push(Decision::Send(told, outgoing));
        }
        Ok(decisions)
    }
}

/// Where a member's mails go, how much they tell, and how they are set. `None` if the member has no address.
fn reader(conn: &mut Conn, member: Id) -> Result<Option<(String, MessageDetails, Print)>> {
    let row: Option<(Option<String>, MessageDetails)> =
        members::table.find(member).select((members::email, members::message_details)).first(conn).optional()?;
    let Some((Some(email), details)) = row else { return Ok(None) };
    let needs = AccessNeeds::of(member, access_needs::store::find(conn, member)?).needs;
    let has = |code: &str| needs.iter().any(|need| need.code == code);
    let print = match (has("plain_text_email"), has("large_print")) {
        (true, _) => Print::Plain,
        (false, true) => Print::Large,
        (false, false) => Print::Normal,
    };
    Ok(Some((email, details, print)))
}

/// A session as a mail tells of it: its title, its start, its state and its place.
type SessionNow = (String, NaiveDateTime, SessionStatus, Option<String>);

/// How the sessions and bookings of messages stand.
pub struct Facts {
    sessions: HashMap<Id, SessionNow>,
    /// How much a mail tells. The list of messages never names a session.
    details: MessageDetails,
    bookings: HashMap<Id, BookingStatus>,
}

impl Facts {
    /// Reads what these messages are about.
    pub fn load(conn: &mut Conn, rows: &[MessageRow]) -> Result<Self> {
        let sessions_of: Vec<Id> = rows.iter().filter_map(|row| row.payload.0.session_id).collect();
        let bookings_of: Vec<Id> = rows.iter().filter_map(|row| row.payload.0.booking_id).collect();
        let (mut sessions_now, mut bookings_now) = (HashMap::new(), HashMap::new());
        for ids in sessions_of.chunks(AT_ONCE) {
            let found: Vec<(Id, String, LocalTime, SessionStatus, Delivery, Option<(String, Option<String>)>)> =
                sessions::table
                    .inner_join(wordings::table)
                    .left_join(venues::table)
                    .filter(sessions::id.eq_any(ids))
                    .select((
                        sessions::id,
                        wordings::title,
                        sessions::local_start,
                        sessions::status,
                        sessions::delivery,
                        (venues::name, venues::postcode).nullable(),
                    ))
                    .load(conn)?;
            for (id, title, start, status, delivery, venue) in found {
                let venue = venue.filter(|_| delivery != Delivery::Online);
                let place = venue.map(|(name, postcode)| match postcode {
                    Some(postcode) => format!("{name}, {postcode}"),
                    None => name,
                });
                sessions_now.insert(id, (title, start.0, status, place));
            }
        }
        for ids in bookings_of.chunks(AT_ONCE) {
            let found = bookings::table.filter(bookings::id.eq_any(ids)).select((bookings::id, bookings::status));
            bookings_now.extend(found.load::<(Id, BookingStatus)>(conn)?);
        }
        Ok(Self { sessions: sessions_now, bookings: bookings_now, details: MessageDetails::Neutral })
    }

    /// What a message says of its session, if that is still true.
    fn line(&self, row: &MessageRow) -> Option<Line> {
        let payload = &row.payload.0;
        let (_, _, status, _) = self.sessions.get(&payload.session_id?)?;
        let booking = self.bookings.get(&payload.booking_id?)?;
        let off = *status == SessionStatus::Cancelled;
        let holds = match row.kind {
            MessageKind::Booked => *booking == BookingStatus::Booked,
            MessageKind::Waitlisted => *booking == BookingStatus::Waitlisted,
            MessageKind::Offered => *booking == BookingStatus::Offered,
            MessageKind::BookingCancelled => !booking.is_live() && !off,
            MessageKind::Cancelled => off || *booking == BookingStatus::CancelledByProvider,
            MessageKind::Moved => !off && booking.is_live(),
            _ => false,
        };
        holds.then(|| self.line_as_told(row)).flatten()
    }

    /// What a message says of its session, whether or not it still is so.
    pub fn line_as_told(&self, row: &MessageRow) -> Option<Line> {
        let payload = &row.payload.0;
        let (title, start, _, place) = self.sessions.get(&payload.session_id?)?;
        let in_london = |at: Timestamp| at.0.with_timezone(&London).naive_local();
        Some(Line {
            kind: row.kind,
            title: (self.details == MessageDetails::Full).then(|| title.clone()),
            start: *start,
            place: place.clone(),
            gone: payload.gone,
            for_another: payload.cared_for.is_some(),
            kept_until: payload.offer_expires_at.map(in_london),
        })
    }
}
