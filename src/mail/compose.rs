//! Decides what becomes of a message that is due: which mail is made of it, or why none.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::digest::{self, Digest};
use super::letter::{Letter, Print};
use super::post::Outgoing;
use super::store;
use super::unsubscribing::Links;
use super::words::en::{self, Form, Line, Reason, Whose};
use crate::auth::links;
use crate::auth::logins::token::RefreshKey;
use crate::auth::store as accounts;
use crate::clock::{london_day, london_midnight, london_time};
use crate::db::schema::{bookings, members, sessions, venues, wordings};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::members::access_needs::{self, types::AccessNeeds};
use crate::members::contact::may_write_to;
use crate::members::fate;
use crate::members::relationships::booking::cared_for;
use crate::members::types::MessageDetails;
use crate::messages::Told;
use crate::messages::kinds::MessageKind;
use crate::messages::queue::{Gone, MessageRow, claim};
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
    /// No mail now: the member has got enough today.
    Wait(Vec<Id>, Digest),
}

/// What mails are made with.
pub struct Desk<'a> {
    /// The key of the links' secrets.
    pub key: &'a RefreshKey,
    /// Where links lead.
    pub front_end: &'a str,
    /// Where the service is reached.
    pub public_url: &'a str,
    /// What stands behind the @ of a `Message-ID`.
    pub domain: &'a str,
    /// The time.
    pub now: Timestamp,
}

impl Desk<'_> {
    /// Decides about messages. Those of one member with one key become one mail.
    pub fn decide(&self, conn: &mut Conn, rows: Vec<MessageRow>) -> Result<Vec<Decision>> {
        let mut decisions = Vec::new();
        let mut together: BTreeMap<_, Vec<MessageRow>> = BTreeMap::new();
        for row in rows {
            if row.expires_at.is_some_and(|end| end <= self.now) {
                decisions.push(Decision::Skip(vec![row.id], "too_late"));
            } else if row.kind.is_of_a_session() {
                let key = row.digest_key.clone().unwrap_or_else(|| row.id.to_string());
                match row.member_id {
                    // What was tried before stays one mail, and nothing new joins it.
                    Some(member) => together.entry((row.message_id.clone(), (member, key))).or_default().push(row),
                    None => decisions.push(Decision::Skip(vec![row.id], "nobody")),
                }
            } else {
                decisions.push(self.of_account(conn, row)?);
            }
        }
        // What is urgent first, then what is sooner: a member gets so many mails a day, and the server sends so many a minute.
        let mut together: Vec<_> = together.into_iter().collect();
        together.sort_by_key(|(_, rows)| {
            let soonest = rows.iter().filter_map(|row| row.payload.0.starts_at).min();
            (rows.iter().map(|row| row.priority).min(), soonest)
        });
        let mut sent_today = HashMap::new();
        for ((_, mail), rows) in together {
            decisions.extend(self.of_sessions(conn, &mail, rows, &mut sent_today)?);
        }
        Ok(decisions)
    }

    fn outgoing(&self, row: &MessageRow, to: String, letter: Letter) -> Outgoing {
        let message_id = row.message_id.clone().unwrap_or_else(|| format!("{}@{}", row.id, self.domain));
        Outgoing { to, letter, print: Print::Normal, message_id, one_click: None }
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
        let link = match links::store::get(conn, link_id)? {
            Some(link) if links::store::is_usable(conn, &link, self.now)? => link,
            _ => return skip("link_has_ended"),
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

    /// Messages of one member with one key. `sent_today` counts the mails of each member.
    fn of_sessions(
        &self,
        conn: &mut Conn,
        (member, key): &(Id, String),
        mut rows: Vec<MessageRow>,
        sent_today: &mut HashMap<Id, i64>,
    ) -> Result<Vec<Decision>> {
        let member = *member;
        rows.sort_unstable_by_key(|row| (row.created_at, row.id));
        if let Told::Not(why) = may_write_to(conn, &[member])?.remove(&member).unwrap_or(Told::Not("nobody")) {
            return Ok(vec![Decision::Skip(ids(&rows), why)]);
        }
        let Some(reader) = Reader::find(conn, member)? else {
            return Ok(vec![Decision::Skip(ids(&rows), "no_address")]);
        };
        let carers = cared_for(conn, member, london_day(self.now))?;
        let may_know = |row: &MessageRow| row.cared_for.is_none_or(|other| carers.contains(&other));
        let wants = |row: &MessageRow| reader.reminders || row.kind != MessageKind::Reminder;
        let (rows, unwanted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| may_know(row) && wants(row));
        let facts = Facts { details: reader.details, ..Facts::load(conn, &rows)? };
        // A mail may be read by others: it names nobody unless its reader chose so.
        let facts = if reader.details == MessageDetails::Full { facts.with_names(conn, &rows)? } else { facts };
        let (told, untrue): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| facts.line(row).is_some());
        let mut decisions =
            vec![Decision::Skip(ids(&unwanted), "not_allowed"), Decision::Skip(ids(&untrue), "no_longer_true")];
        let lines = latest(&told, &facts);
        let (Some(first), Some(letter)) = (told.first(), en::of_sessions(&lines, MOST_LINES, reader.form)) else {
            return Ok(decisions);
        };
        let today = london_midnight(london_day(self.now));
        let sent = match sent_today.get(&member) {
            Some(sent) => *sent,
            None => store::mails_since(conn, member, today)?,
        };
        // A mail that was tried before may have arrived, so it stays as it was, with its Message-ID.
        if first.message_id.is_none() && digest::waits(key, sent, &told, self.now) {
            decisions.push(Decision::Wait(ids(&told), Digest::next(self.now)));
            return Ok(decisions);
        }
        sent_today.insert(member, sent + 1);
        let may_end = digest::is_digest(key) || told.iter().any(|row| row.kind == MessageKind::Reminder);
        let links = may_end.then(|| Links::of(self.key, (self.public_url, self.front_end), member));
        let (one_click, unsubscribe) = links.map(|links| (links.one_click, links.page)).unzip();
        let outgoing = self.outgoing(first, reader.email, Letter { unsubscribe, ..letter });
        decisions.push(Decision::Send(told, Outgoing { print: reader.print, one_click, ..outgoing }));
        Ok(decisions)
    }
}

/// A line for each session, in their order. The latest message of a session says how it stands. Every message states the
/// new time and place, so that it was moved is told only if nothing else is: an offer must not be lost.
fn latest(told: &[MessageRow], facts: &Facts) -> Vec<Line> {
    let mut lines = BTreeMap::new();
    for row in told {
        let Some(line) = facts.line(row) else { continue };
        let key = (line.start, row.payload.0.session_id, row.cared_for);
        if line.kind != MessageKind::Moved || !lines.contains_key(&key) {
            lines.insert(key, line);
        }
    }
    lines.into_values().collect()
}

fn ids(rows: &[MessageRow]) -> Vec<Id> {
    rows.iter().map(|row| row.id).collect()
}

/// Who reads a member's mails.
struct Reader {
    email: String,
    /// How much the mails tell.
    details: MessageDetails,
    /// Whether reminders are wanted.
    reminders: bool,
    print: Print,
    form: Form,
}

impl Reader {
    /// `None` if the member has no address.
    fn find(conn: &mut Conn, member: Id) -> Result<Option<Self>> {
        let columns = (members::email, members::message_details, members::reminders);
        let row: Option<(Option<String>, MessageDetails, bool)> =
            members::table.find(member).select(columns).first(conn).optional()?;
        let Some((Some(email), details, reminders)) = row else { return Ok(None) };
        let needs = AccessNeeds::of(member, access_needs::store::find(conn, member)?).needs;
        let has = |code: &str| needs.iter().any(|need| need.code == code);
        let print = match (has("plain_text_email"), has("large_print")) {
            (true, _) => Print::Plain,
            (false, true) => Print::Large,
            (false, false) => Print::Normal,
        };
        let form = if has("easy_read") { Form::Easy } else { Form::Usual };
        Ok(Some(Self { email, details, reminders, print, form }))
    }
}

/// A session as a mail tells of it.
struct SessionNow {
    title: String,
    starts_at: Timestamp,
    status: SessionStatus,
    place: Option<String>,
}

/// A session with its place, as the database has it.
type SessionRow = (Id, String, Timestamp, SessionStatus, Delivery, Option<(String, Option<String>)>);

/// How the sessions and bookings of messages stand.
pub struct Facts {
    sessions: HashMap<Id, SessionNow>,
    /// How much a mail tells. The list of messages never names a session.
    details: MessageDetails,
    bookings: HashMap<Id, BookingNow>,
    /// What the members go by for whom the reader booked, where that is told.
    names: HashMap<Id, String>,
}

/// A booking as a mail tells of it.
#[derive(Queryable)]
struct BookingNow {
    id: Id,
    member_id: Id,
    status: BookingStatus,
    offer_expires_at: Option<Timestamp>,
    reason: Option<String>,
}

impl Facts {
    /// Reads what these messages are about.
    pub fn load(conn: &mut Conn, rows: &[MessageRow]) -> Result<Self> {
        let sessions_of: Vec<Id> = rows.iter().filter_map(|row| row.payload.0.session_id).collect();
        let bookings_of: Vec<Id> = rows.iter().filter_map(|row| row.payload.0.booking_id).collect();
        let (mut sessions_now, mut bookings_now) = (HashMap::new(), HashMap::new());
        for ids in sessions_of.chunks(AT_ONCE) {
            let found: Vec<SessionRow> = sessions::table
                .inner_join(wordings::table)
                .left_join(venues::table)
                .filter(sessions::id.eq_any(ids))
                .select((
                    sessions::id,
                    wordings::title,
                    sessions::starts_at,
                    sessions::status,
                    sessions::delivery,
                    (venues::name, venues::postcode).nullable(),
                ))
                .load(conn)?;
            for (id, title, starts_at, status, delivery, venue) in found {
                let venue = venue.filter(|_| delivery != Delivery::Online);
                let place = venue.map(|(name, postcode)| match postcode {
                    Some(postcode) => format!("{name}, {postcode}"),
                    None => name,
                });
                sessions_now.insert(id, SessionNow { title, starts_at, status, place });
            }
        }
        for ids in bookings_of.chunks(AT_ONCE) {
            let columns = (
                bookings::id,
                bookings::member_id,
                bookings::status,
                bookings::offer_expires_at,
                bookings::cancellation_reason,
            );
            let found: Vec<BookingNow> = bookings::table.filter(bookings::id.eq_any(ids)).select(columns).load(conn)?;
            bookings_now.extend(found.into_iter().map(|row| (row.id, row)));
        }
        let details = MessageDetails::Neutral;
        Ok(Self { sessions: sessions_now, bookings: bookings_now, details, names: HashMap::new() })
    }

    /// The same, with what the members go by for whom the readers of these messages booked. It is only for the readers
    /// themselves: elsewhere nobody is named.
    pub fn with_names(self, conn: &mut Conn, rows: &[MessageRow]) -> Result<Self> {
        let others: Vec<Id> = rows.iter().filter_map(|row| row.cared_for).collect();
        let mut names = HashMap::new();
        for ids in others.chunks(AT_ONCE) {
            let found = members::table.filter(members::id.eq_any(ids)).filter(fate::is_live());
            let found: Vec<(Id, Option<String>, String)> =
                found.select((members::id, members::preferred_name, members::given_name)).load(conn)?;
            names.extend(found.into_iter().map(|(id, preferred, given)| (id, preferred.unwrap_or(given))));
        }
        Ok(Self { names, ..self })
    }

    /// What a message says of its session, if that is still true, and the booking is the reader's or of whom they care for.
    fn line(&self, row: &MessageRow) -> Option<Line> {
        let payload = &row.payload.0;
        let session = self.sessions.get(&payload.session_id?)?;
        let BookingNow { member_id, status: booking, offer_expires_at: offer_ends, .. } =
            self.bookings.get(&payload.booking_id?)?;
        if row.cared_for.or(row.member_id) != Some(*member_id) {
            return None;
        }
        let off = session.status == SessionStatus::Cancelled;
        let holds = match row.kind {
            MessageKind::Booked => *booking == BookingStatus::Booked,
            MessageKind::Waitlisted => *booking == BookingStatus::Waitlisted,
            MessageKind::Offered | MessageKind::OfferExpiring => {
                *booking == BookingStatus::Offered && *offer_ends == payload.offer_expires_at
            }
            MessageKind::BookingCancelled => !booking.is_live() && !off,
            MessageKind::Cancelled => off || *booking == BookingStatus::CancelledByProvider,
            MessageKind::Moved => !off && booking.is_live(),
            MessageKind::Reminder => {
                !off && *booking == BookingStatus::Booked && payload.starts_at == Some(session.starts_at)
            }
            _ => false,
        };
        holds.then(|| self.line_as_told(row)).flatten()
    }

    /// What a message says of its session, whether or not it still is so.
    pub fn line_as_told(&self, row: &MessageRow) -> Option<Line> {
        let payload = &row.payload.0;
        let session = self.sessions.get(&payload.session_id?)?;
        Some(Line {
            kind: row.kind,
            title: (self.details == MessageDetails::Full).then(|| session.title.clone()),
            start: london_time(session.starts_at),
            place: session.place.clone(),
            gone: payload.gone,
            reason: match (self.reason(row), self.details) {
                (None, _) => Reason::NotGiven,
                (Some(_), MessageDetails::Neutral) => Reason::NotSaid,
                (Some(reason), MessageDetails::Full) => Reason::Said(reason.to_owned()),
            },
            whose: match row.cared_for {
                None => Whose::Own,
                Some(other) => Whose::Another(self.names.get(&other).cloned()),
            },
            kept_until: payload.offer_expires_at.map(london_time),
        })
    }

    /// Why the service cancelled the booking that a message is about, in the words of whoever runs the session. `None` if
    /// they gave no reason, or the message says it already.
    pub fn reason(&self, row: &MessageRow) -> Option<&str> {
        let tells = matches!(row.kind, MessageKind::Cancelled | MessageKind::BookingCancelled);
        let says_it = row.payload.0.gone == Some(Gone::NoBookingNeeded);
        let booking = self.bookings.get(&row.payload.0.booking_id?)?;
        let by_service = booking.status == BookingStatus::CancelledByProvider;
        booking.reason.as_deref().filter(|_| tells && by_service && !says_it)
    }
}
