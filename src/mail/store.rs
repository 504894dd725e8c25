//! The messages that are due, and what became of them, in the database.

use std::collections::{BTreeMap, HashSet};

use diesel::dsl::{count, exists, select, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::digest::Digest;
use super::post::Outcome;
use crate::clock::london_day;
use crate::config::Config;
use crate::db::schema::messages;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::http::page::Slice;
use crate::members::relationships::booking::cared_for;
use crate::messages::kinds::{MessageKind, MessageStatus};
use crate::messages::queue::{MessageRow, PRIORITIES};

/// How many messages are taken at once.
pub const BATCH: i64 = 50;
/// How many messages that go into the same mails are taken with them at most. What is more becomes another mail.
const MOST_BESIDE: i64 = 5_000;
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

/// In the statement itself, not in a parameter: otherwise SQLite doesn't use the partial index, and reads all messages.
const IS_OPEN: &str = "messages.status IN ('queued', 'sending')";

/// Whether a message is to be sent now. One that another server was sending for too long counts.
pub fn is_due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    // With the priorities named, the index leads to what is due.
    let open = messages::table.filter(sql::<Bool>(IS_OPEN)).filter(messages::priority.eq_any(PRIORITIES));
    Ok(select(exists(open.filter(messages::due_at.le(now)))).get_result(conn)?)
}

/// Loads messages and locks them, apart from those that another server takes at the same time. SQLite has one writer.
macro_rules! nobody_elses {
    ($conn:expr, $query:expr) => {
        match $conn {
            Conn::Postgres(postgres) => {
                $query.select(MessageRow::as_select()).for_update().skip_locked().load(postgres)
            }
            Conn::Sqlite(sqlite) => $query.select(MessageRow::as_select()).load(sqlite),
        }
    };
}

/// Takes messages that are due: the most urgent ones first, and every other one that goes into the same mail. They are this
/// holder's for some time. A mail that was tried before is tried again with the same messages: whoever got it shows only
/// one mail with one `Message-ID`, so nothing new may join it.
pub fn take(conn: &mut Conn, holder: Id, now: Timestamp) -> Result<Vec<MessageRow>> {
    let mut rows: Vec<MessageRow> = Vec::new();
    for priority in PRIORITIES {
        let due = messages::table.filter(sql::<Bool>(IS_OPEN)).filter(messages::due_at.le(now));
        let due = due.filter(messages::priority.eq(priority)).order((messages::due_at, messages::id));
        let left = BATCH - i64::try_from(rows.len()).unwrap_or(BATCH);
        let next: Vec<MessageRow> = nobody_elses!(conn, due.limit(left))?;
        rows.extend(next);
    }
    let keys: Vec<String> = rows.iter().filter_map(|row| row.digest_key.clone()).collect();
    let members: Vec<Id> = rows.iter().filter_map(|row| row.member_id).collect();
    let mails: Vec<String> = rows.iter().filter_map(|row| row.message_id.clone()).collect();
    let is_new = messages::status.eq(MessageStatus::Queued).and(messages::message_id.is_null());
    let is_again = messages::due_at.le(now).and(messages::message_id.eq_any(&mails));
    let beside = messages::table
        .filter(sql::<Bool>(IS_OPEN))
        .filter(messages::digest_key.eq_any(&keys))
        .filter(messages::member_id.eq_any(&members))
        .filter(is_new.or(is_again.assume_not_null()))
        .limit(MOST_BESIDE);
    let beside: Vec<MessageRow> = nobody_elses!(conn, beside)?;
    let known: HashSet<Id> = rows.iter().map(|row| row.id).collect();
    let taken: HashSet<Mail> = rows.iter().map(mail_of).collect();
    rows.extend(beside.into_iter().filter(|row| !known.contains(&row.id) && taken.contains(&mail_of(row))));
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

/// Which mail a message goes into: that of this reader and key, and that which was tried before.
type Mail = (Option<Id>, Option<String>, Option<String>);

fn mail_of(row: &MessageRow) -> Mail {
    (row.member_id, row.digest_key.clone(), row.message_id.clone())
}

/// Writes which mail these messages go into, before it is sent.
pub fn name_mail(conn: &mut Conn, rows: &[MessageRow], message_id: &str) -> Result<()> {
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    for ids in ids.chunks(AT_ONCE) {
        let named = messages::table.filter(messages::id.eq_any(ids));
        diesel::update(named).set(messages::message_id.eq(message_id)).execute(conn)?;
    }
    Ok(())
}

/// Writes what became of the messages of one mail that were tried as often, if they are still this holder's.
pub fn settle(
    conn: &mut Conn,
    (holder, ids): (Id, &[Id]),
    (outcome, attempts): (&Outcome, i32),
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
                messages::tried_at.eq(now),
                messages::attempts.eq(attempts + 1),
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
pub fn skip(conn: &mut Conn, ids: &[Id], why: &str, now: Timestamp) -> Result<()> {
    for ids in ids.chunks(AT_ONCE) {
        diesel::update(messages::table.filter(messages::id.eq_any(ids)))
            .set((
                messages::status.eq(MessageStatus::Skipped),
                messages::why.eq(why),
                messages::due_at.eq(now),
                messages::holder.eq(None::<Id>),
            ))
            .execute(conn)?;
        forget_former(conn, ids)?;
    }
    Ok(())
}

/// Gives back messages that this holder has taken and hasn't tried to send, as they were before: each is due when it was,
/// so it keeps its turn.
///
/// What was named for this try alone isn't named any more: nobody can have got that mail, so that what is queued until the
/// next try may still join it. What an earlier try named keeps its `Message-ID`: the mail may have arrived, and whoever
/// gets it twice then shows it once.
pub fn give_back(conn: &mut Conn, holder: Id, rows: &[MessageRow]) -> Result<()> {
    let mut alike: BTreeMap<(Timestamp, bool), Vec<Id>> = BTreeMap::new();
    for row in rows {
        alike.entry((row.due_at, row.message_id.is_some())).or_default().push(row.id);
    }
    for ((due_at, is_named), ids) in alike {
        let as_before =
            (messages::status.eq(MessageStatus::Queued), messages::due_at.eq(due_at), messages::holder.eq(None::<Id>));
        for ids in ids.chunks(AT_ONCE) {
            let held = messages::table.filter(messages::id.eq_any(ids)).filter(messages::holder.eq(holder));
            match is_named {
                true => diesel::update(held).set(as_before).execute(conn)?,
                false => {
                    diesel::update(held).set((as_before, messages::message_id.eq(None::<String>))).execute(conn)?
                }
            };
        }
    }
    Ok(())
}

/// Puts messages that weren't tried yet into a digest.
pub fn join(conn: &mut Conn, ids: &[Id], digest: &Digest) -> Result<()> {
    for ids in ids.chunks(AT_ONCE) {
        diesel::update(messages::table.filter(messages::id.eq_any(ids)))
            .set((
                messages::status.eq(MessageStatus::Queued),
                messages::due_at.eq(digest.due_at),
                messages::digest_key.eq(&digest.key),
                messages::message_id.eq(None::<String>),
                messages::holder.eq(None::<Id>),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// How many mails were handed to the mail server after this instant, and until now.
pub fn tried_after(conn: &mut Conn, since: Timestamp, now: Timestamp) -> Result<u32> {
    let tried = messages::table.filter(messages::tried_at.gt(since)).filter(messages::tried_at.le(now));
    let mails: i64 = tried.select(count(messages::message_id).aggregate_distinct()).first(conn)?;
    Ok(u32::try_from(mails).unwrap_or(u32::MAX))
}

/// How many mails about sessions a member was sent since this instant.
pub fn mails_since(conn: &mut Conn, member_id: Id, since: Timestamp) -> Result<i64> {
    let sent = messages::table
        .filter(messages::member_id.eq(member_id))
        .filter(messages::status.eq(MessageStatus::Sent))
        .filter(messages::kind.eq_any(MessageKind::OF_SESSIONS))
        .filter(messages::sent_at.ge(since));
    let mails: Vec<Option<String>> = sent.select(messages::message_id).distinct().load(conn)?;
    Ok(i64::try_from(mails.len()).unwrap_or(i64::MAX))
}

/// A page of a member's messages, newest first. That an offer ends soon is there once it is so. What is about somebody for
/// whom the member may no longer book isn't there.
pub fn list(conn: &mut Conn, member_id: Id, now: Timestamp, slice: &Slice<Id>) -> Result<Vec<MessageRow>> {
    let may_know_of = cared_for(conn, member_id, london_day(now))?;
    let is_news = messages::visible_from.is_null().or(messages::visible_from.le(now));
    let is_theirs = messages::cared_for.is_null().or(messages::cared_for.eq_any(may_know_of));
    let mine = messages::table
        .filter(messages::member_id.eq(member_id))
        .filter(is_news.assume_not_null())
        .filter(is_theirs.assume_not_null());
    let mut query = mine.select(MessageRow::as_select()).into_boxed();
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
