//! Erases a member, within the current transaction.

use diesel::prelude::*;

use super::plan::TABLES;
use super::types::ErasedRows;
use crate::audit::{self, Event, Subject};
use crate::db::schema::members;
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::members::consents::store as consents;
use crate::members::merges::store as merges;
use crate::members::store::ids_of;
use crate::prescriptions::leaving as prescriptions;
use crate::sessions::bookings::leaving as bookings;
use crate::sessions::bookings::rules::Terms;

/// The table whose rows aren't counted: nobody else must learn that there were any.
const UNCOUNTED: &str = "safeguarding_flags";

/// Makes the audit event of an action on something, with these fields.
pub type MakeEvent<'a> = &'a dyn Fn(&'static str, Subject, &[&str]) -> Event;

/// Erases a member and every record that was merged into theirs. Ends what is under way first: the member's active
/// prescriptions are closed, and their bookings of sessions to come are cancelled, so that the seats are offered to
/// others. Returns how many rows were deleted or emptied.
pub fn erase(conn: &mut Conn, member_id: Id, terms: Terms, event: MakeEvent<'_>) -> Result<ErasedRows> {
    // Nobody adds anything to the record until this transaction ends.
    crate::lock_rows!(conn, members, [member_id], for_update);
    let mut events = Vec::new();
    for (verb, id) in prescriptions::end_all(conn, member_id, terms.now)? {
        events.push(event(verb.name(), Subject::of_member("prescription", id, member_id), &["status"]));
    }
    for id in bookings::cancel_all(conn, member_id, terms)? {
        events.push(event("cancel", Subject::of_member("booking", id, member_id), &["status"]));
    }
    audit::record(conn, &events)?;
    let rows = empty(conn, member_id)?;
    let gone = (members::erased_at.eq(terms.now), members::updated_at.eq(terms.now));
    diesel::update(members::table.find(member_id)).set(gone).execute(conn)?;
    Ok(rows)
}

/// Deletes and empties everything that the plan says, of the member and of every record that was merged into theirs. What
/// is kept of them to undo merges of others goes too.
pub fn empty(conn: &mut Conn, member_id: Id) -> Result<ErasedRows> {
    let mut rows = ErasedRows::new();
    for id in ids_of(conn, member_id)? {
        merges::forget_member(conn, id)?;
        consents::end_given(conn, id)?;
        for table in TABLES {
            let Some(statement) = table.statement(conn, id) else { continue };
            let count = diesel::sql_query(statement).execute(conn)?;
            if count > 0 && table.name != UNCOUNTED {
                *rows.entry(table.name.to_owned()).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
            }
        }
    }
    Ok(rows)
}
