//! Puts messages into the queue, in the transaction of what they tell of.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::kinds::{Channel, MessageKind, MessageStatus};
use super::store;
use crate::clock::new_id_at;
use crate::db::schema::messages;
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::Result;

crate::text_enum! {
    /// Why a place is gone in a session that takes place.
    pub enum Gone {
        /// The offered place was taken back, because nobody can be given one now.
        NotNow,
        /// There are fewer places, or none of this kind.
        NoPlace,
        /// Whoever wants to come just comes.
        NoBookingNeeded,
    }
    /// What the owner of an account is warned of.
    pub enum Notice {
        /// A refresh token was used twice, so its login has ended.
        Reuse,
        /// An admin ended every login.
        LoggedOut,
        /// An admin made a link to choose another password.
        ResetLink,
        /// Another record was merged with that of the account.
        RecordsJoined,
        /// The account's record was merged with one that has an account.
        AccountClosed,
    }
}

/// What a message tells of: ids and times. No names of people and no secrets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payload {
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Id>,
    /// Its series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series_id: Option<Id>,
    /// The booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<Id>,
    /// When the session starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Until when a place is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_expires_at: Option<Timestamp>,
    /// Why the place is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
    /// What the owner of the account is warned of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// Whether somebody is told by the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// By e-mail.
    Email,
    /// Not at all, for this reason.
    Not(&'static str),
}

/// A row of `messages`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub struct MessageRow {
    /// Its id.
    pub id: Id,
    /// What it tells.
    pub kind: MessageKind,
    /// The member who can read it in their list.
    pub member_id: Option<Id>,
    /// The account that it goes to.
    pub user_id: Option<Id>,
    /// The link that it carries.
    pub link_id: Option<Id>,
    /// The partner that it goes to.
    pub partner_id: Option<Id>,
    /// The address that it goes to, where that is neither the account's nor the member's.
    pub address: Option<String>,
    /// How it is sent.
    pub channel: Channel,
    /// What it tells of.
    pub payload: Json<Payload>,
    /// Messages with the same key go into one mail.
    pub digest_key: Option<String>,
    /// There is one message with this key.
    pub dedup_key: Option<String>,
    /// What became of it.
    pub status: MessageStatus,
    /// Why it wasn't sent.
    pub why: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is to be sent, or tried again.
    pub due_at: Timestamp,
    /// When it is no use any more.
    pub expires_at: Option<Timestamp>,
    /// The server that sends it.
    pub holder: Option<Id>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// The `Message-ID` of its mail.
    pub message_id: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// Whose booking it is about, if the reader made it for somebody they care for.
    pub cared_for: Option<Id>,
    /// From when its reader sees it; at once without it.
    pub visible_from: Option<Timestamp>,
    /// The lowest number is sent first.
    pub priority: i32,
    /// When its mail was last handed to the mail server.
    pub tried_at: Option<Timestamp>,
}

impl MessageRow {
    /// Whether it was queued as one that can't wait.
    pub fn is_urgent(&self) -> bool {
        self.priority < LAST
    }
}

/// A message that isn't in the queue yet.
#[derive(Debug, Clone)]
pub struct NewMessage {
    kind: MessageKind,
    member_id: Option<Id>,
    user_id: Option<Id>,
    link_id: Option<Id>,
    address: Option<String>,
    payload: Payload,
    digest_key: Option<String>,
    dedup_key: Option<String>,
    due_at: Timestamp,
    expires_at: Option<Timestamp>,
    status: MessageStatus,
    why: Option<String>,
    cared_for: Option<Id>,
    visible_from: Option<Timestamp>,
}

impl NewMessage {
    fn of(kind: MessageKind, now: Timestamp) -> Self {
        Self {
            kind,
            member_id: None,
            user_id: None,
            link_id: None,
            address: None,
            payload: Payload::default(),
            digest_key: None,
            dedup_key: None,
            due_at: now,
            expires_at: None,
            status: MessageStatus::Queued,
            why: None,
            cared_for: None,
            visible_from: None,
        }
    }

    /// A message that carries a link, due now, for as long as the link works.
    pub fn with_link(kind: MessageKind, link_id: Id, expires_at: Timestamp, now: Timestamp) -> Self {
        Self { link_id: Some(link_id), expires_at: Some(expires_at), ..Self::of(kind, now) }
    }

    /// A message to an account, due now, for a week.
    pub fn to_account(kind: MessageKind, user_id: Id, member_id: Option<Id>, now: Timestamp) -> Self {
        let expires_at = Some(now.plus_seconds(7 * 24 * 3600));
        Self { user_id: Some(user_id), member_id, expires_at, ..Self::of(kind, now) }
    }

    /// A warning to the owner of an account.
    pub fn notice(notice: Notice, user_id: Id, member_id: Option<Id>, now: Timestamp) -> Self {
        let payload = Payload { notice: Some(notice), ..Payload::default() };
        Self { payload, ..Self::to_account(MessageKind::SecurityNotice, user_id, member_id, now) }
    }

    /// A message to an address that belongs to no record and no account any more, due now, for a week.
    pub fn to_former(kind: MessageKind, address: String, now: Timestamp) -> Self {
        let expires_at = Some(now.plus_seconds(7 * 24 * 3600));
        Self { address: Some(address), expires_at, ..Self::of(kind, now) }
    }

    /// A message to a member about a booking of theirs, until the session starts.
    pub fn of_booking(kind: MessageKind, member_id: Id, payload: Payload, due_at: Timestamp) -> Self {
        let session = || payload.session_id.map(|id| format!("session:{id}"));
        let digest_key = payload.series_id.map(|id| format!("series:{id}")).or_else(session);
        let expires_at = payload.starts_at;
        Self { member_id: Some(member_id), payload, digest_key, expires_at, ..Self::of(kind, due_at) }
    }

    /// The same for this member, who can read it in their list.
    pub fn about(self, member_id: Option<Id>) -> Self {
        Self { member_id, ..self }
    }

    /// The same, where the booking is that of somebody whom the reader cares for.
    pub fn caring_for(self, cared_for: Option<Id>) -> Self {
        Self { cared_for, ..self }
    }

    /// The same, but its reader sees it only from this instant.
    pub fn visible_from(self, at: Timestamp) -> Self {
        Self { visible_from: Some(at), ..self }
    }

    /// The same, but to this address.
    pub fn to_address(self, address: String) -> Self {
        Self { address: Some(address), ..self }
    }

    /// The same, but in one mail with those that have this key; alone without a key.
    pub fn together(self, key: Option<String>) -> Self {
        Self { digest_key: key, ..self }
    }

    /// The same, of which there is only one with this key.
    pub fn once(self, key: String) -> Self {
        Self { dedup_key: Some(key), ..self }
    }

    /// The same, until this instant.
    pub fn until(self, expires_at: Option<Timestamp>) -> Self {
        Self { expires_at, ..self }
    }

    /// The same, but it isn't sent.
    pub fn skipped(self, told: Told) -> Self {
        match told {
            Told::Email => self,
            Told::Not(why) => Self { status: MessageStatus::Skipped, why: Some(why.to_owned()), ..self },
        }
    }
}

/// Puts messages into the queue. One whose key is there already is left out.
pub fn queue(conn: &mut Conn, messages: Vec<NewMessage>, now: Timestamp) -> Result<()> {
    let rows: Vec<MessageRow> = messages.into_iter().map(|message| row(message, now)).collect();
    store::insert(conn, &rows)
}

/// Makes a message one of another kind, of which there is only one with this key. Returns whether it is that one.
pub fn claim(conn: &mut Conn, id: Id, kind: MessageKind, key: String) -> Result<bool> {
    let taken = messages::table.filter(messages::dedup_key.eq(&key)).filter(messages::id.ne(id));
    if diesel::select(diesel::dsl::exists(taken)).get_result(conn)? {
        return Ok(false);
    }
    let changes = (messages::kind.eq(kind), messages::dedup_key.eq(key));
    diesel::update(messages::table.find(id)).set(changes).execute(conn)?;
    Ok(true)
}

/// Whether a message carries this link.
pub fn carries(conn: &mut Conn, link_id: Id) -> Result<bool> {
    let carrying = messages::table.filter(messages::link_id.eq(link_id));
    Ok(diesel::select(diesel::dsl::exists(carrying)).get_result(conn)?)
}

/// What happens to a session that starts within so many seconds can't wait.
pub const URGENT: i64 = 24 * 3_600;

/// In which order messages are sent. What somebody waits for in front of a screen, or has to answer in time, doesn't wait
/// behind the news of thousands of bookings.
pub const PRIORITIES: [i32; 3] = [FIRST, SOON, LAST];
const FIRST: i32 = 0;
const SOON: i32 = 1;
const LAST: i32 = 2;

fn priority(message: &NewMessage, now: Timestamp) -> i32 {
    match message.kind {
        MessageKind::Offered | MessageKind::OfferExpiring => FIRST,
        kind if !kind.is_of_a_session() => FIRST,
        // A change that is told at once is one of today or tomorrow.
        MessageKind::Moved | MessageKind::Cancelled if message.due_at <= now => SOON,
        _ => LAST,
    }
}

fn row(message: NewMessage, now: Timestamp) -> MessageRow {
    let priority = priority(&message, now);
    MessageRow {
        id: new_id_at(now),
        kind: message.kind,
        member_id: message.member_id,
        user_id: message.user_id,
        link_id: message.link_id,
        partner_id: None,
        address: message.address,
        channel: Channel::Email,
        payload: Json(message.payload),
        digest_key: message.digest_key,
        dedup_key: message.dedup_key,
        status: message.status,
        why: message.why,
        attempts: 0,
        due_at: message.due_at,
        expires_at: message.expires_at,
        holder: None,
        sent_at: None,
        message_id: None,
        created_at: now,
        cared_for: message.cared_for,
        visible_from: message.visible_from,
        priority,
        tried_at: None,
    }
}
