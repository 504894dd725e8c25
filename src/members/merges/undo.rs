//! Taking a merge back.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::aside::Aside;
use super::moved::Moved;
use super::store::{self, MergeRow};
use super::{derived, fields, since};
use crate::auth::reach::Reach;
use crate::auth::store as accounts;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::members::earlier;
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
/// filled in and not edited since is emptied. What came since stays, unless it is about something that goes back. Also
/// returns the account that can log in again, if there is one.
///
/// # Errors
/// 404 if there is no such merge. 409 `undo-blocked` if it was undone already, is older than 30 days, isn't the latest
/// merge of a record, needs something that was taken meanwhile, or if a document of the record is being made. 410 if the
/// record was erased.
pub fn undo(conn: &mut Conn, context: &Context, found: &MergeRow) -> Result<(MergeRow, Option<Id>)> {
    let (into, from, now) = (found.into_id, found.from_id, context.now());
    records::lock_both(conn, into, from)?;
    // It may have been undone while this transaction waited for the lock.
    let merge = store::get(conn, found.id)?;
    let undo = check(conn, &merge, now)?;
    since::check_exports(conn, into)?;
    let current = records::get(conn, Reach::Everyone, into)?;
    let Some((pointer, fate)) = records::find(conn, from)? else { return Err(blocked("The old record is gone.")) };
    if fate.merged_into != Some(into) {
        return Err(blocked("The old record doesn't lead to the other any more."));
    }
    take_records_apart(conn, &undo, (&current, &pointer), now)?;
    undo.moved.hand_over(conn, (into, from), now)?;
    since::give_messages_back(conn, &merge, &undo, now)?;
    since::take_exports_back(conn, &merge, &undo, now)?;
    undo.aside.put_back(conn, context)?;
    let enabled = enable(conn, undo.aside.account, now)?;
    for id in [into, from] {
        derived::work_out_again(conn, id)?;
    }
    let undone = merge.undone(context.caller()?.id, now);
    store::write_undone(conn, &undone)?;
    Ok((undone, enabled))
}

/// Writes the two records as they were: `current` without what was filled in, and the old one in place of its `pointer`.
fn take_records_apart(
    conn: &mut Conn,
    undo: &Undo,
    (current, pointer): (&MemberRow, &MemberRow),
    now: Timestamp,
) -> Result<()> {
    let written = fields::taken_back(&undo.filled.before, &undo.filled.after, &current.written())?;
    records::update_row(conn, &current.changed(written, now))?;
    let (earlier, then) = undo.filled.activity;
    if records::activity(conn, current.id)? == then {
        records::write_activity(conn, current.id, earlier)?;
    }
    let taken = "Another member has the NHS number of the old record by now.";
    records::write_back(conn, &undo.from.with_version(pointer.version + 1, now)).map_err(|error| {
        match error.kind() {
            Kind::AlreadyExists => blocked(taken),
            _ => error,
        }
    })?;
    earlier::forget(conn, pointer.id)?;
    records::write_activity(conn, pointer.id, undo.from_activity)
}

/// Lets the account log in again that merging disabled. `None` if somebody did so before. The logins that ended stay
/// ended: their tokens may be in anybody's hands by now.
fn enable(conn: &mut Conn, account: Option<Id>, now: Timestamp) -> Result<Option<Id>> {
    let Some(id) = account else { return Ok(None) };
    if accounts::account(conn, id)?.is_none_or(|account| !account.disabled) {
        return Ok(None);
    }
    accounts::set_disabled(conn, id, false, now)?;
    Ok(Some(id))
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
    let kept = if now < merge.undo_until { store::undo_of(conn, merge.id)? } else { None };
    let kept = kept.ok_or_else(|| blocked("The merge is too old: it could be undone for 30 days."))?;
    serde_json::from_value(kept).map_err(|error| {
        log::error!("what is kept to undo the merge {} can't be read: {error}", merge.id);
        blocked("The merge was made by an earlier version of the service, which can't be undone any more.")
    })
}
