//! Taking a merge back.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::aside::Aside;
use super::moved::Moved;
use super::store::{self, MergeRow};
use super::{derived, fields};
use crate::auth::reach::Reach;
use crate::auth::store as accounts;
use crate::db::{Conn, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::members::store::{self as records, MemberRow};
use crate::members::types::MemberInput;

/// The record that stayed, before and after it was filled in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Filled {
    /// What it said before.
    pub before: MemberInput,
    /// What it said afterwards.
    pub after: MemberInput,
    /// The day of the last activity, before and afterwards.
    pub activity: (Option<NaiveDate>, Option<NaiveDate>),
}

/// Everything that is needed to take a merge back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undo {
    /// The record that stayed.
    pub filled: Filled,
    /// The row of the record that was merged.
    pub from: MemberRow,
    /// The day of its last activity.
    pub from_activity: Option<NaiveDate>,
    /// The rows that moved.
    pub moved: Moved,
    /// The rows that were set aside.
    pub aside: Aside,
}

fn blocked(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Kind::UndoBlocked, detail)
}

/// Takes a merge back. What moved and still belongs to the record goes back, what was set aside returns, and what was
/// filled in and not edited since is emptied. What came since stays.
///
/// # Errors
/// 404 if there is no such merge. 409 `undo-blocked` if it was undone already, is older than 30 days, isn't the latest
/// merge of a record, or needs something that was taken meanwhile. 410 if the record was erased.
pub fn undo(conn: &mut Conn, context: &Context, found: &MergeRow) -> Result<MergeRow> {
    let (into, from, now) = (found.into_id, found.from_id, context.now());
    records::lock_both(conn, into, from)?;
    // It may have been undone while this transaction waited for the lock.
    let merge = store::get(conn, found.id)?;
    let undo = check(conn, &merge, now)?;
    let current = records::get(conn, Reach::Everyone, into)?;
    let Some((pointer, fate)) = records::find(conn, from)? else { return Err(blocked("The old record is gone.")) };
    if fate.merged_into != Some(into) {
        return Err(blocked("The old record doesn't lead to the other any more."));
    }
    let written = fields::taken_back(&undo.filled.before, &undo.filled.after, &current.written())?;
    records::update_row(conn, &current.changed(written, now))?;
    let (earlier, then) = undo.filled.activity;
    if records::activity(conn, into)? == then {
        records::write_activity(conn, into, earlier)?;
    }
    let taken = "Another member has the NHS number of the old record by now.";
    records::write_back(conn, &undo.from.with_version(pointer.version + 1, now)).map_err(|error| {
        match error.kind() {
            Kind::AlreadyExists => blocked(taken),
            _ => error,
        }
    })?;
    records::write_activity(conn, from, undo.from_activity)?;
    undo.moved.hand_over(conn, (into, from), now)?;
    undo.aside.put_back(conn, context)?;
    // The logins that ended stay ended: their tokens may be in anybody's hands by now.
    if let Some(account) = undo.aside.account {
        accounts::set_disabled(conn, account, false, now)?;
    }
    for id in [into, from] {
        derived::work_out_again(conn, id)?;
    }
    let undone = merge.undone(context.caller()?.id, now);
    store::write_undone(conn, &undone)?;
    Ok(undone)
}

/// What a merge needs to be undone.
///
/// # Errors
/// 409 `undo-blocked`.
fn check(conn: &mut Conn, merge: &MergeRow, now: Timestamp) -> Result<Undo> {
    if merge.undone_at.is_some() {
        return Err(blocked("The merge was undone already."));
    }
    if let Some(later) = store::later(conn, merge)? {
        return Err(blocked(format!("A later merge of the same record must be undone first: {later}.")));
    }
    let open = merge.undo.clone().filter(|_| now < merge.undo_until);
    Ok(open.ok_or_else(|| blocked("The merge is too old: it could be undone for 30 days."))?.0)
}
