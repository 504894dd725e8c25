//! What a start does after an older database was restored: every login ends.
//!
//! A restored login counts from an older number again. A token that was used up long ago would then be the newest, and
//! whoever kept it could go on with it.

use crate::audit::{self, Event, Subject};
use crate::auth::logins::{Why, store as logins};
use crate::db::{Conn, Timestamp};
use crate::error::Result;
use crate::seals::head::{Head, Standing};

/// Ends every login and every token if the database lacks the seal of this head. Returns whether it did.
///
/// It does so at each start until the operator has taken the file of the head away.
pub fn end_logins(conn: &mut Conn, head: &Head, now: Timestamp) -> Result<bool> {
    if head.standing(conn)? == Standing::Has {
        return Ok(false);
    }
    let ended = logins::end_everybodys(conn, Why::Expired, now)?;
    let event = |(id, member_id)| {
        let subject = Subject::of_account(id, member_id);
        Event::of_system(now, "restored", "logins_ended", subject, &[Why::Expired.into()])
    };
    audit::record(conn, &ended.into_iter().map(event).collect::<Vec<_>>())?;
    Ok(true)
}
