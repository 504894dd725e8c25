//! What happens to the bookings of sessions that are moved or called off, and what is recorded and answered about them.
//!
//! An audit event and a message for each booking are written in the transaction of the change. The answer lists the
//! bookings by id and reference, and says whom the message can't reach. It names the member only if the caller may see
//! them, and says how to call them only if the caller may read their record.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::bookings::seats::may_see;
use super::bookings::telling::{self, News};
use super::bookings::types::{BookingStatus, SeatDelivery};
use super::bookings::waiting::TurnedAway;
use super::store::Revision;
use crate::audit::Subject;
use crate::auth::caller::Scope;
use crate::auth::reach::Reach;
use crate::db::schema::{bookings, members, sessions};
use crate::db::{AT_ONCE, Conn, Id, Json, Timestamp};
use crate::error::Result;
use crate::http::context::Context;
use crate::members::store::{NAMES, Names, member_name};
use crate::members::types::{MemberName, SafeContact};
use crate::messages::Told;
use crate::messages::kinds::MessageKind;

crate::described! {
    /// How a member is told of a change.
    pub enum NoticeWay {
        /// By an e-mail.
        Email,
        /// Not by the service: `not_reached_because` says why.
        NotReached,
    }
}

crate::described! {
    /// Why the service doesn't tell a member.
    pub enum NotReachedBecause {
        /// Their record has no e-mail address.
        NoAddress,
        /// They allow no e-mail, or want no support from the service at present.
        NotAllowed,
        /// The service sends no mail at all.
        NoMail,
        /// The session has started already.
        Started,
    }
}

crate::described! {
    /// What happened to a booking.
    pub enum BookingOutcome {
        /// It stands, at the session's new time or place.
        Kept,
        /// It was cancelled.
        Cancelled,
    }
}

/// A booking of a session that was moved or called off. Or a booking that no longer waits, because its session now has
/// too few seats for it or has become a drop-in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BookingNotice {
    /// The booking.
    pub booking_id: Id,
    /// Its session.
    pub session_id: Id,
    /// What the member shows at the door. Unique within the session.
    #[schema(example = "7KX4P")]
    pub reference: String,
    /// What happened to it.
    pub outcome: BookingOutcome,
    /// Why it was cancelled.
    #[schema(example = "The library is closed that day.")]
    pub reason: Option<String>,
    /// How the member is told. Somebody has to call those who are `not_reached`. An e-mail can still fail later: the
    /// member's messages say so.
    pub told: NoticeWay,
    /// The member. Null if the caller may not see who it is.
    pub member_id: Option<Id>,
    /// The member by name. Null if the caller may not see who it is.
    pub member: Option<MemberName>,
    /// Why the member isn't told by the service. Null for one who is told, and for a caller who may not read their record.
    pub not_reached_because: Option<NotReachedBecause>,
    /// The member's telephone number, to call them. Null for one who is told or has none, and for a caller who may not read
    /// their record.
    #[schema(example = "+447700900123")]
    pub phone: Option<String>,
    /// What is safe for the member. Null for one who is told, and for a caller who may not read their record.
    pub safe_contact: Option<SafeContact>,
}

/// A booking that holds a seat, has an offer or waits.
#[derive(Debug, Clone, Queryable)]
pub struct Pending {
    /// Its id.
    pub id: Id,
    /// Its session.
    pub session_id: Id,
    /// The member.
    pub member_id: Id,
    /// Its reference.
    pub reference: String,
    /// The kind of seat.
    pub delivery: SeatDelivery,
    /// Its state.
    pub status: BookingStatus,
    /// How many seats.
    pub seats: i32,
}

impl Pending {
    /// The booking, to tell of it.
    pub fn news(&self) -> News {
        let Self { id: booking_id, session_id, member_id, .. } = *self;
        News::new(booking_id, session_id, member_id)
    }
}

type Columns = (
    bookings::id,
    bookings::session_id,
    bookings::member_id,
    bookings::reference,
    bookings::delivery,
    bookings::status,
    bookings::seats,
);

/// The columns of [`Pending`].
pub(super) const COLUMNS: Columns = (
    bookings::id,
    bookings::session_id,
    bookings::member_id,
    bookings::reference,
    bookings::delivery,
    bookings::status,
    bookings::seats,
);

/// The states of a [`Pending`] booking.
const PENDING: [BookingStatus; 3] = [BookingStatus::Booked, BookingStatus::Waitlisted, BookingStatus::Offered];

/// The pending bookings of these sessions, by the start of the session and by id.
pub fn pending(conn: &mut Conn, sessions: &[Id]) -> Result<Vec<Pending>> {
    let mut found = Vec::new();
    for chunk in sessions.chunks(AT_ONCE) {
        let of_them = bookings::table
            .inner_join(sessions::table)
            .filter(bookings::session_id.eq_any(chunk))
            .filter(bookings::status.eq_any(PENDING))
            .order((sessions::starts_at, bookings::id))
            .select(COLUMNS);
        found.extend(of_them.load::<Pending>(conn)?);
    }
    Ok(found)
}

/// Cancels pending bookings. Their seats are freed by the caller.
pub fn cancel(conn: &mut Conn, cancelled: &[Pending], reason: &str, now: Timestamp) -> Result<()> {
    let ids: Vec<Id> = cancelled.iter().map(|booking| booking.id).collect();
    for chunk in ids.chunks(AT_ONCE) {
        let changes = (
            bookings::status.eq(BookingStatus::CancelledByProvider),
            bookings::cancellation_reason.eq(reason),
            bookings::version.eq(bookings::version + 1),
            bookings::updated_at.eq(now),
        );
        diesel::update(bookings::table.filter(bookings::id.eq_any(chunk))).set(changes).execute(conn)?;
    }
    Ok(())
}

/// What a change did to bookings.
#[derive(Debug, Default)]
pub struct Change {
    /// The bookings that stand.
    pub kept: Vec<Pending>,
    /// The bookings that were cancelled.
    pub cancelled: Vec<Pending>,
    /// Why they were cancelled.
    pub reason: String,
    /// The bookings that the waiting list turned away. The audit has them already, and their members are told.
    pub turned_away: Vec<TurnedAway>,
    /// What was changed of each session that was moved.
    pub moves: HashMap<Id, Move>,
}

/// How a session was moved.
#[derive(Debug)]
pub struct Move {
    /// The fields that were changed, for the audit.
    pub fields: Vec<String>,
    /// When it was to start before.
    pub was: Timestamp,
}

impl Change {
    /// Adds a session, if its revision moves it. Returns whether it does.
    pub fn add_move(&mut self, revision: &Revision) -> bool {
        let fields = revision.moved_members();
        let is_moved = !fields.is_empty();
        if is_moved {
            self.moves.insert(revision.to.id, Move { fields, was: revision.from.starts_at });
        }
        is_moved
    }

    /// Adds bookings that the waiting lists have turned away.
    pub fn turn_away(&mut self, turned_away: Vec<TurnedAway>) {
        self.kept.retain(|kept| turned_away.iter().all(|turned| turned.booking.id != kept.id));
        self.turned_away.extend(turned_away);
    }
}

/// What an answer says about bookings, and whose data it holds.
#[derive(Debug, Default)]
pub struct Notices {
    /// The bookings.
    pub bookings: Vec<BookingNotice>,
    /// The bookings whose members the answer names, one of each member.
    pub about: Vec<Subject>,
}

/// Records an event for each booking, puts a message to its member into the queue, and returns what the answer says.
pub fn tell(conn: &mut Conn, context: &Context, news: &Change) -> Result<Notices> {
    let moved = |booking: &Pending| -> Vec<&str> {
        let fields = news.moves.get(&booking.session_id).map(|moved| moved.fields.as_slice());
        fields.unwrap_or_default().iter().map(String::as_str).collect()
    };
    let event = |action, booking: &Pending, fields: &[&str]| context.event(action, subject(booking), fields);
    let mut events: Vec<_> = news.kept.iter().map(|booking| event("move", booking, &moved(booking))).collect();
    events.extend(news.cancelled.iter().map(|booking| event("cancel", booking, &["status"])));
    let kept = news.kept.iter().map(|booking| (booking, None));
    let cancelled = news.cancelled.iter().map(|booking| (booking, Some(news.reason.clone())));
    let turned_away = news.turned_away.iter().map(|turned| (&turned.booking, Some(turned.reason.to_owned())));
    let all = kept.chain(cancelled).chain(turned_away);
    let members: Vec<Id> = all.clone().map(|(booking, _)| booking.member_id).collect();
    let seen = seen(conn, context, &members)?;
    // The waiting list has recorded itself that it turned these away. Here the caller reads who they are.
    let read = news.turned_away.iter().map(|turned| &turned.booking);
    let read = read.filter(|booking| seen.contains(&booking.member_id));
    events.extend(read.map(|booking| event("read", booking, &[])));
    context.record(conn, &events)?;
    let told = tell_members(conn, context, news)?;
    let has_mail = context.state().config.mail.is_some();
    let people =
        People { named: named(conn, &seen)?, may_call: Reach::to_people(context.caller()?).is_ok_and(reads_records) };
    let mut unnamed = seen;
    let about = all.clone().filter(|(booking, _)| unnamed.remove(&booking.member_id));
    let about = about.map(|(booking, _)| subject(booking)).collect();
    let missed = |booking: &Pending| not_reached_because(told.get(&booking.id).copied(), has_mail);
    let bookings = all.map(|(booking, reason)| people.show(booking, reason, missed(booking))).collect();
    Ok(Notices { bookings, about })
}

/// Why a member isn't told; `None` for one who is told by e-mail.
pub fn not_reached_because(told: Option<Told>, has_mail: bool) -> Option<NotReachedBecause> {
    match told {
        Some(Told::Email) if has_mail => None,
        Some(Told::Email) => Some(NotReachedBecause::NoMail),
        Some(Told::Not("no_address")) => Some(NotReachedBecause::NoAddress),
        Some(Told::Not(_)) => Some(NotReachedBecause::NotAllowed),
        None => Some(NotReachedBecause::Started),
    }
}

/// Whether whoever reaches so far reads members' records too, and not only their names.
fn reads_records(reach: Reach) -> bool {
    reach == Reach::Everyone
}

fn subject(booking: &Pending) -> Subject {
    Subject::of_member("booking", booking.id, booking.member_id)
}

/// Puts a message for each booking into the queue. Returns how each booking's member is told.
fn tell_members(conn: &mut Conn, context: &Context, news: &Change) -> Result<HashMap<Id, Told>> {
    let was = |booking: &Pending| news.moves.get(&booking.session_id).map(|moved| moved.was);
    let moved: Vec<News> = news.kept.iter().map(|booking| News { was: was(booking), ..booking.news() }).collect();
    let off: Vec<News> = news.cancelled.iter().map(Pending::news).collect();
    let mut told = telling::tell(conn, MessageKind::Moved, &moved, context.now())?;
    told.extend(telling::tell(conn, MessageKind::Cancelled, &off, context.now())?);
    // The waiting list has told those whom it turned away.
    told.extend(news.turned_away.iter().filter_map(|turned| Some((turned.booking.id, turned.told?))));
    Ok(told)
}

/// The members among these whom the caller may see. An advisor sees all, an admin none. A partner that may read
/// bookings sees the members who share their data with it.
fn seen(conn: &mut Conn, context: &Context, members: &[Id]) -> Result<HashSet<Id>> {
    let caller = context.caller()?;
    match Reach::to_people(caller) {
        Ok(reach) if !members.is_empty() && (caller.is_staff() || caller.has_scope(Scope::BookingsRead)) => {
            may_see(conn, reach, members)
        }
        _ => Ok(HashSet::new()),
    }
}

/// A member's names, telephone number and what is safe for them.
type PersonRow = (Id, Names, Option<String>, Json<SafeContact>);

/// The members whom an answer names.
struct People {
    named: HashMap<Id, PersonRow>,
    /// Whether the caller may read their records.
    may_call: bool,
}

/// These members.
fn named(conn: &mut Conn, ids: &HashSet<Id>) -> Result<HashMap<Id, PersonRow>> {
    let ids: Vec<Id> = ids.iter().copied().collect();
    let mut found = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let rows = members::table.filter(members::id.eq_any(ids));
        let rows: Vec<PersonRow> =
            rows.select((members::id, NAMES, members::phone, members::safe_contact)).load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.0, row)));
    }
    Ok(found)
}

impl People {
    fn show(&self, booking: &Pending, reason: Option<String>, missed: Option<NotReachedBecause>) -> BookingNotice {
        let person = self.named.get(&booking.member_id);
        let to_call = person.filter(|_| self.may_call && missed.is_some());
        BookingNotice {
            booking_id: booking.id,
            session_id: booking.session_id,
            reference: booking.reference.clone(),
            outcome: if reason.is_some() { BookingOutcome::Cancelled } else { BookingOutcome::Kept },
            reason,
            told: if missed.is_some() { NoticeWay::NotReached } else { NoticeWay::Email },
            member_id: person.map(|(id, ..)| *id),
            member: person.map(|(id, names, ..)| member_name(*id, names.clone())),
            not_reached_because: missed.filter(|_| to_call.is_some()),
            phone: to_call.and_then(|(_, _, phone, _)| phone.clone()),
            safe_contact: to_call.map(|(.., safe)| safe.0),
        }
    }
}
