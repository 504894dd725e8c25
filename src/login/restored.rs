//! What a start does after an older database was restored: every login ends.
//!
//! A restored login counts from an older number again. A token that was used up long ago would then be the newest, and
//! whoever kept it could go on with it.

use crate::audit::{self, Event, Subject};
use crate::auth::logins::{Why, store as logins};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::seals::head::{Head, Standing};

/// Ends every login and every token if the database lacks the seal of this head. Returns whether it did.
///
/// It does so at each start until the operator has taken the file of the head away. A backup that was restored before
/// anything more was sealed isn't seen: the operator's own command ends the logins then.
pub fn end_logins(conn: &mut Conn, head: &Head, now: Timestamp) -> Result<bool> {
    if head.standing(conn)? == Standing::Has {
        return Ok(false);
    }
    end_everybodys(conn, "restored", Why::Expired, now)?;
    Ok(true)
}

/// Ends every login and every token of all accounts. Returns how many accounts had logins.
///
/// `source` names the work in the audit.
pub fn end_everybodys(conn: &mut Conn, source: &'static str, why: Why, now: Timestamp) -> Result<usize> {
    let ended = logins::end_everybodys(conn, why, now)?;
    let event = |&(id, member_id): &(Id, Option<Id>)| {
        Event::of_system(now, source, "logins_ended", Subject::of_account(id, member_id), &[why.into()])
    };
    audit::record(conn, &ended.iter().map(event).collect::<Vec<_>>())?;
    Ok(ended.len())
}
