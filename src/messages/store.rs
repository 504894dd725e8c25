//! Puts messages into the database.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::kinds::MessageStatus;
use super::queue::MessageRow;
use crate::db::schema::messages;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;

/// For how many seconds at most a mail waits for later messages, from its first message on.
const LONGEST_WAIT: i64 = 30 * 60;

/// In the statement itself, not in a parameter: otherwise SQLite doesn't use the partial index of digests.
const IS_QUEUED: &str = "messages.status = 'queued'";

/// The messages that go into one mail: those of this reader and key.
type Mail = (Id, String);

fn mail_of(row: &MessageRow) -> Option<Mail> {
    row.member_id.zip(row.digest_key.clone())
}

/// When a message is sent that waits until `due_at`, after one of its mail has come that waits until `later`. The mail
/// waits for the later one, but not for longer than half an hour from its `first` message on. What is due already isn't put
/// off, because it can't wait: an offer, say.
fn put_off(due_at: Timestamp, first: Timestamp, later: Timestamp, now: Timestamp) -> Timestamp {
    if due_at <= now { due_at } else { due_at.max(later.min(first.plus_seconds(LONGEST_WAIT))) }
}

/// Lets the messages that wait for the same mails as these new ones wait for them. Not those of a mail that was tried: it
/// is sent again as it was.
fn wait_for(conn: &mut Conn, new: &[MessageRow]) -> Result<()> {
    let mut later: HashMap<Mail, (Timestamp, Timestamp)> = HashMap::new();
    for row in new.iter().filter(|row| row.status == MessageStatus::Queued) {
        let Some(mail) = mail_of(row) else { continue };
        let (due_at, _) = later.entry(mail).or_insert((row.due_at, row.created_at));
        *due_at = row.due_at.max(*due_at);
    }
    let mails: Vec<&Mail> = later.keys().collect();
    let mut moved: BTreeMap<Timestamp, Vec<Id>> = BTreeMap::new();
    for mails in mails.chunks(AT_ONCE / 2) {
        let (members, keys): (Vec<Id>, Vec<&str>) = mails.iter().map(|(member, key)| (*member, key.as_str())).unzip();
        let beside = messages::table
            .filter(sql::<Bool>(IS_QUEUED))
            .filter(messages::digest_key.eq_any(keys))
            .filter(messages::member_id.eq_any(members))
            .filter(messages::message_id.is_null());
        let beside: Vec<MessageRow> = beside.select(MessageRow::as_select()).load(conn)?;
        let mut first: HashMap<Mail, Timestamp> = HashMap::new();
        for row in &beside {
            let Some(mail) = mail_of(row) else { continue };
            let first = first.entry(mail).or_insert(row.created_at);
            *first = row.created_at.min(*first);
        }
        for row in &beside {
            let Some(mail) = mail_of(row) else { continue };
            let (Some(first), Some((later, now))) = (first.get(&mail), later.get(&mail)) else { continue };
            let due_at = put_off(row.due_at, *first, *later, *now);
            if due_at != row.due_at {
                moved.entry(due_at).or_default().push(row.id);
            }
        }
    }
    for (due_at, ids) in moved {
        for ids in ids.chunks(AT_ONCE) {
            let waiting = messages::table.filter(messages::id.eq_any(ids)).filter(sql::<Bool>(IS_QUEUED));
            diesel::update(waiting).set(messages::due_at.eq(due_at)).execute(conn)?;
        }
    }
    Ok(())
}

/// Adds messages. One whose `dedup_key` is there already is left out.
pub(super) fn insert(conn: &mut Conn, rows: &[MessageRow]) -> Result<()> {
    wait_for(conn, rows)?;
    // Only the concrete connections know ON CONFLICT, and SQLite takes it for one row at a time.
    match conn {
        Conn::Postgres(postgres) => {
            for rows in rows.chunks(AT_ONCE) {
                diesel::insert_into(messages::table).values(rows).on_conflict_do_nothing().execute(postgres)?;
            }
        }
        Conn::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(messages::table).values(row).on_conflict_do_nothing().execute(sqlite)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_waits_for_what_comes_later_but_half_an_hour_at_most() {
        let at = |minute: i64| Timestamp("2027-01-04T09:00:00Z".parse().unwrap()).plus_seconds(60 * minute);
        for (due, first, later, now, then) in [
            (2, 0, 3, 1, 3),
            (2, 0, 2, 0, 2),
            (10, 0, 19, 9, 19),
            (29, 0, 38, 28, 30),
            (30, 0, 39, 29, 30),
            // Never earlier, and what is due isn't put off.
            (10, 0, 3, 1, 10),
            (1, 0, 11, 1, 1),
        ] {
            let found = put_off(at(due), at(first), at(later), at(now));
            assert_eq!(found, at(then), "due {due}, first {first}, later {later}, now {now}");
        }
    }
}
