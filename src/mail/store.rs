//! The messages that are due, and what became of them, in the database.

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::post::Outcome;
use crate::config::Config;
use crate::db::schema::messages;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::http::page::Slice;
use crate::messages::kinds::{MessageKind, MessageStatus};
use crate::messages::queue::MessageRow;

/// How many messages are taken at once.
pub const BATCH: i64 = 50;
/// How long a message is a server's to send. If the server dies, another one sends it then.
const LEASE: i64 = 120;
/// How many seconds later a message is tried again: after the first time, after the second, and so on. Then it has failed.
const AGAIN: [i64; 6] = [60, 300, 900, 3_600, 4 * 3_600, 12 * 3_600];
/// For how many seconds messages are kept.
const KEPT: i64 = 90 * 24 * 3_600;
/// For how many seconds a message is kept that somebody unknown asked for, and that leads nowhere.
const KEPT_OF_NOBODY: i64 = 3_600;
/// How many messages the housekeeping deletes in one transaction.
const PIECE: i64 = 500;

/// Whether a message is to be sent now. One that another server was sending for too long counts.
pub fn is_due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    let open = messages::status.eq_any([MessageStatus::Queued, MessageStatus::Sending]);
    Ok(select(exists(messages::table.filter(open).filter(messages::due_at.le(now)))).get_result(conn)?)
}

/// Takes messages that are due: the first ones, and every other one that goes into the same mail. They are this holder's
/// for some time.
pub fn take(conn: &mut Conn, holder: Id, now: Timestamp) -> Result<Vec<MessageRow>> {
    let open = messages::status.eq_any([MessageStatus::Queued, MessageStatus::Sending]);
    let due = messages::table.filter(open).filter(messages::due_at.le(now));
    let first = due.order((messages::due_at, messages::id)).limit(BATCH).select(MessageRow::as_select());
    let mut rows: Vec<MessageRow> = first.load(conn)?;
    let keys: Vec<String> = rows.iter().filter_map(|row| row.digest_key.clone()).collect();
    let members: Vec<Id> = rows.iter().filter_map(|row| row.member_id).collect();
    let known: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let beside: Vec<MessageRow> = messages::table
        .filter(messages::status.eq(MessageStatus::Queued))
        .filter(messages::digest_key.eq_any(&keys))
        .filter(messages::member_id.eq_any(&members))
        .order(messages::id)
        .select(MessageRow::as_select())
        .load(conn)?;
    rows.extend(beside.into_iter().filter(|row| !known.contains(&row.id)));
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    for ids in ids.chunks(AT_ONCE) {
        diesel::update(messages::table.filter(messages::id.eq_any(ids)))
            .set((
                messages::status.eq(MessageStatus::Sending),
                messages::holder.eq(holder),
                messages::due_at.eq(now.plus_seconds(LEASE)),
            ))
            .execute(conn)?;
    }
    Ok(rows)
}

/// Writes what became of the messages of one mail, if they are still this holder's.
pub fn settle(
    conn: &mut Conn,
    (holder, ids): (Id, &[Id]),
    (outcome, attempts): (&Outcome, i32),
    message_id: &str,
    now: Timestamp,
) -> Result<()> {
    let (status, why, due_at, sent_at) = match outcome {
        Outcome::Sent => (MessageStatus::Sent, None, now, Some(now)),
        Outcome::Refused(why) => (MessageStatus::Failed, Some(why), now, None),
        Outcome::Later(why) => match usize::try_from(attempts).ok().and_then(|before| AGAIN.get(before)) {
            Some(seconds) => (MessageStatus::Queued, Some(why), now.plus_seconds(*seconds), None),
            None => (MessageStatus::Failed, Some(why), now, None),
        },
    };
    for ids in ids.chunks(AT_ONCE) {
        diesel::update(messages::table.filter(messages::id.eq_any(ids)).filter(messages::holder.eq(holder)))
            .set((
                messages::status.eq(status),
                messages::why.eq(why),
                messages::due_at.eq(due_at),
                messages::sent_at.eq(sent_at),
                messages::attempts.eq(attempts + 1),
                messages::message_id.eq(message_id),
                messages::holder.eq(None::<Id>),
            ))
            .execute(conn)?;
        forget_former(conn, ids)?;
    }
    Ok(())
}

/// Deletes those of these messages whose address nobody has any more. The address is kept only until the message was
/// sent, or can't be.
fn forget_former(conn: &mut Conn, ids: &[Id]) -> Result<()> {
    let open = [MessageStatus::Queued, MessageStatus::Sending];
    let former = messages::table.filter(messages::id.eq_any(ids)).filter(messages::kind.eq(MessageKind::ErasureDone));
    diesel::delete(former.filter(messages::status.ne_all(open))).execute(conn)?;
    Ok(())
}

/// Writes that messages weren't sent, and why.
pub fn skip(conn: &mut Conn, ids: &[Id], why: &str) -> Result<()> {
    for ids in ids.chunks(AT_ONCE) {
        diesel::update(messages::table.filter(messages::id.eq_any(ids)))
            .set((messages::status.eq(MessageStatus::Skipped), messages::why.eq(why), messages::holder.eq(None::<Id>)))
            .execute(conn)?;
        forget_former(conn, ids)?;
    }
    Ok(())
}

/// A page of a member's messages, newest first.
pub fn list(conn: &mut Conn, member_id: Id, slice: &Slice<Id>) -> Result<Vec<MessageRow>> {
    let mut query =
        messages::table.filter(messages::member_id.eq(member_id)).select(MessageRow::as_select()).into_boxed();
    if let Some(after) = slice.after {
        query = query.filter(messages::id.lt(after));
    }
    Ok(query.order(messages::id.desc()).limit(slice.fetch()).load(conn)?)
}

/// Messages that are kept for too long.
macro_rules! old {
    ($now:expr) => {{
        let nobodys = messages::member_id.is_null().and(messages::user_id.is_null());
        let nobodys = nobodys.and(messages::status.eq(MessageStatus::Skipped));
        messages::table
            .filter(messages::created_at.le($now.plus_seconds(-KEPT_OF_NOBODY)))
            .filter(messages::created_at.le($now.plus_seconds(-KEPT)).or(nobodys))
    }};
}

/// Whether messages are kept for too long.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    Ok(select(exists(old!(now))).get_result(conn)?)
}

/// Deletes some messages that are kept for too long and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let ids: Vec<Id> = old!(now).order(messages::created_at).limit(PIECE).select(messages::id).load(conn)?;
    Ok(diesel::delete(messages::table.filter(messages::id.eq_any(&ids))).execute(conn)?)
}
