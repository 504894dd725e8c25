//! What came between a merge and its undoing, and is about what goes back: it goes with it, or is put right.

use std::collections::HashSet;

use diesel::prelude::*;

use super::store::MergeRow;
use super::undo::Undo;
use crate::db::schema::{exports, messages};
use crate::db::{AT_ONCE, Conn, Id, Json, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::messages::kinds::{MessageKind, MessageStatus};
use crate::messages::queue::Payload;

/// Checks that no document is being made of the record: it would hold what belongs to two people, and be stored after they
/// were taken apart.
///
/// # Errors
/// 409 `undo-blocked`, naming the export.
pub fn check_exports(conn: &mut Conn, into: Id) -> Result<()> {
    let queued = exports::table.filter(exports::member_id.eq(into)).filter(exports::status.eq("queued"));
    let queued: Option<Id> = queued.order(exports::id).select(exports::id).first(conn).optional()?;
    queued.map_or(Ok(()), |id| {
        let detail =
            format!("The document of an export of the record is being made: {id}. Try again in a few minutes.");
        Err(Error::new(Kind::UndoBlocked, detail))
    })
}

/// Takes away the documents that were made of the record since it was merged, because they hold what belongs to two
/// people. Those that nobody could read yet are made anew.
pub fn take_exports_back(conn: &mut Conn, merge: &MergeRow, undo: &Undo, now: Timestamp) -> Result<()> {
    let made = exports::table
        .filter(exports::member_id.eq(merge.into_id))
        .filter(exports::created_at.ge(merge.created_at))
        .filter(exports::document.is_not_null())
        .filter(exports::id.ne_all(&undo.moved.exports));
    let made: Vec<(Id, String)> = made.select((exports::id, exports::status)).load(conn)?;
    for (id, status) in made {
        let (status, expires_at) = if status == "in_review" { ("queued", None) } else { ("expired", Some(now)) };
        let of_document =
            (exports::document.eq(None::<Vec<u8>>), exports::bytes.eq(None::<i32>), exports::sha256.eq(None::<String>));
        let change = (
            of_document,
            (exports::status.eq(status), exports::due_at.eq(now), exports::expires_at.eq(expires_at)),
            (exports::version.eq(exports::version + 1), exports::updated_at.eq(now)),
        );
        diesel::update(exports::table.find(id)).set(change).execute(conn)?;
    }
    Ok(())
}

/// A message: its id, what it tells of, its kind, its state, its account, its link, and until when it is of use.
type Told = (Id, Json<Payload>, MessageKind, MessageStatus, Option<Id>, Option<Id>, Option<Timestamp>);

/// Hands over the messages that were queued since for the record, and tell of a booking, an account or a link that goes
/// back. Those of bookings that went elsewhere meanwhile, or nowhere, are sent again: their person doesn't know of them.
pub fn give_messages_back(conn: &mut Conn, merge: &MergeRow, undo: &Undo, now: Timestamp) -> Result<()> {
    let (into, from, moved) = (merge.into_id, merge.from_id, &undo.moved);
    let bookings: HashSet<Id> = moved.bookings.iter().copied().collect();
    let tells_of = |payload: &Payload| payload.booking_id.is_some_and(|id| bookings.contains(&id));
    let queued = messages::table.filter(messages::member_id.eq(into)).filter(messages::created_at.ge(merge.created_at));
    let queued: Vec<Told> = queued
        .select((
            messages::id,
            messages::payload,
            messages::kind,
            messages::status,
            messages::user_id,
            messages::link_id,
            messages::expires_at,
        ))
        .load(conn)?;
    // While it was one record, its mails went to this address.
    let reached = undo.filled.after.email.is_some() && undo.filled.after.email == undo.from.written().email;
    let (mut theirs, mut anew) = (Vec::new(), Vec::new());
    for (id, payload, kind, status, user, link, expires_at) in queued {
        let is_theirs = tells_of(&payload.0)
            || user.is_some_and(|id| moved.users.contains(&id))
            || link.is_some_and(|id| moved.one_time_links.contains(&id));
        let is_of_use = expires_at.is_none_or(|end| end > now) && status != MessageStatus::Queued;
        if is_theirs && kind.is_of_a_session() && is_of_use && !reached {
            anew.push(id);
        }
        theirs.extend(is_theirs.then_some(id));
    }
    for ids in theirs.chunks(AT_ONCE) {
        diesel::update(messages::table.filter(messages::id.eq_any(ids)))
            .set(messages::member_id.eq(from))
            .execute(conn)?;
    }
    for ids in anew.chunks(AT_ONCE) {
        let unsent = (
            messages::status.eq(MessageStatus::Queued),
            messages::why.eq(None::<String>),
            messages::attempts.eq(0),
            messages::due_at.eq(now),
            messages::holder.eq(None::<Id>),
            messages::sent_at.eq(None::<Timestamp>),
            messages::message_id.eq(None::<String>),
            messages::tried_at.eq(None::<Timestamp>),
        );
        diesel::update(messages::table.filter(messages::id.eq_any(ids))).set(unsent).execute(conn)?;
    }
    give_back_to_carers(conn, merge, tells_of)
}

/// The same of what carers were told of these bookings: it is about the other person.
fn give_back_to_carers(conn: &mut Conn, merge: &MergeRow, tells_of: impl Fn(&Payload) -> bool) -> Result<()> {
    let queued = messages::table
        .filter(messages::cared_for.eq(merge.into_id))
        .filter(messages::created_at.ge(merge.created_at))
        .select((messages::id, messages::payload));
    let queued = queued.load::<(Id, Json<Payload>)>(conn)?.into_iter();
    let theirs: Vec<Id> = queued.filter(|(_, payload)| tells_of(&payload.0)).map(|(id, _)| id).collect();
    for ids in theirs.chunks(AT_ONCE) {
        diesel::update(messages::table.filter(messages::id.eq_any(ids)))
            .set(messages::cared_for.eq(merge.from_id))
            .execute(conn)?;
    }
    Ok(())
}
