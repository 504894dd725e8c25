//! What merging two records would do, and doing it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::aside::{self, ToSetAside};
use super::moved::Moved;
use super::store::{self, MergeRow};
use super::types::{ConflictKind, DifferingConsent, MergeConflict, MergeInput, MergeOutcome, MergedAccount};
use super::undo::{Filled, Undo};
use super::{conflicts, derived, fields, shared};
use crate::auth::reach::Reach;
use crate::auth::store as accounts;
use crate::clock::london_day;
use crate::db::schema::consents;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::members::consents::types::{ConsentDecision, ConsentPurpose};
use crate::members::earlier;
use crate::members::store::{self as records, MemberRow};
use crate::members::types::MemberInput;
use crate::members::view;
use crate::messages::queue::Notice;
use crate::messages::{self, NewMessage};

/// What merging two records would do.
pub struct Plan {
    into: MemberRow,
    from: MemberRow,
    /// The record afterwards.
    united: MemberInput,
    filled: Vec<String>,
    moved: Moved,
    aside: ToSetAside,
    consents_differ: Vec<DifferingConsent>,
    accounts: Vec<MergedAccount>,
}

impl Plan {
    /// Works out what merging would do. Nobody else changes the two records until the transaction ends.
    ///
    /// # Errors
    /// 404 if the caller may not see the record in the path, 409 or 410 if it was merged or erased. 422 if the other
    /// record doesn't exist or is the same. 412 if one of them was changed since the caller has read it. 409 with
    /// everything that stands in the way.
    pub fn make(conn: &mut Conn, context: &Context, into: Id, input: &MergeInput, today: NaiveDate) -> Result<Self> {
        records::lock_both(conn, into, input.from)?;
        let own = records::get(conn, Reach::Everyone, into)?;
        if into == input.from {
            return Err(Error::rule("/from", "same", "Is the record in the path. Name the other one."));
        }
        let shown = view::show(conn, own.clone(), today)?;
        context.check_live_match(own.version, || view::tag(&shown))?;
        let Some((other, fate)) = records::find(conn, input.from)? else {
            return Err(Error::rule("/from", "unknown_member", "There is no such member."));
        };
        conflicts::refuse(&conflicts::of_fate(input.from, fate).into_iter().collect::<Vec<_>>())?;
        if (own.version, other.version) != (input.into_version, input.from_version) {
            return Err(Error::changed_meanwhile());
        }
        let (own_written, other_written) = (own.written(), other.written());
        let shared = shared::find(conn, context, (into, input.from), input.dry_run)?;
        let mut found = conflicts::all(conn, (into, &own_written), (input.from, &other_written), &shared)?;
        let accounts = accounts_of(conn, into, input.from)?;
        if !(accounts.is_empty() || input.account_checked || input.dry_run) {
            let ids = accounts.iter().map(|account| account.id).collect();
            found.push(MergeConflict { kind: ConflictKind::Account, ids });
        }
        conflicts::refuse(&found)?;
        let aside = ToSetAside::find(conn, into, input.from, shared, &accounts)?;
        let united = fields::united(&own_written, &other_written);
        Ok(Self {
            filled: fields::differing(&own_written, &united)?,
            united,
            moved: moving(conn, input.from, &aside)?,
            aside,
            consents_differ: consents_differ(conn, into, input.from)?,
            accounts,
            into: own,
            from: other,
        })
    }

    /// What would be done, for the answer.
    pub fn outcome(&self) -> MergeOutcome {
        MergeOutcome {
            merge_id: None,
            into: self.into.id,
            from: self.from.id,
            dry_run: true,
            moved: self.moved.counts().into(),
            set_aside: self.aside.listed(),
            accounts: self.accounts.clone(),
            filled: self.filled.clone(),
            consents_differ: self.consents_differ.clone(),
            undo_until: None,
        }
    }

    /// The names of the fields that are filled in.
    pub fn filled(&self) -> Vec<&str> {
        self.filled.iter().map(String::as_str).collect()
    }

    /// Tells the owners of the accounts: one reads more than before, and the other can't be used any more. Merging, undoing
    /// and merging again on one day tells them once.
    fn tell_owners(&self, conn: &mut Conn, into: Id, now: Timestamp) -> Result<()> {
        let day = london_day(now);
        let once_a_day = |what, account: Id, notice: NewMessage| notice.once(format!("{what}:{account}:{day}"));
        let told = self.accounts.iter().map(|account| match account.stays {
            true => {
                once_a_day("joined", account.id, NewMessage::notice(Notice::RecordsJoined, account.id, Some(into), now))
            }
            // Not in the list of the record: whoever reads that list may be somebody else.
            false => once_a_day("closed", account.id, NewMessage::notice(Notice::AccountClosed, account.id, None, now)),
        });
        messages::queue(conn, told.collect(), now)
    }

    /// Merges the two records. Also returns the account that was disabled, if there was one.
    pub fn carry_out(&self, conn: &mut Conn, context: &Context, account: Id) -> Result<(MergeRow, Option<Disabled>)> {
        let (into, from, now) = (self.into.id, self.from.id, context.now());
        let (own, other) = (records::activity(conn, into)?, records::activity(conn, from)?);
        let mut aside = aside::set_aside(conn, context, &self.aside, into, from)?;
        // The row of the other record first: what must be unique is free then.
        records::write_pointer(conn, &self.from.emptied(now), into)?;
        earlier::remember(conn, &self.from, now)?;
        let row = self.into.changed(self.united.clone(), now);
        records::update_row(conn, &row)?;
        records::write_activity(conn, into, own.max(other))?;
        self.moved.hand_over(conn, (from, into), now)?;
        let disabled = match self.aside.account {
            Some(id) => disable(conn, id, now)?,
            None => None,
        };
        aside.account = disabled.map(|disabled| disabled.account);
        self.tell_owners(conn, into, now)?;
        for id in [into, from] {
            derived::work_out_again(conn, id)?;
        }
        let undo = Undo {
            filled: Filled { before: self.into.written(), after: row.written(), activity: (own, own.max(other)) },
            from: self.from.clone(),
            from_activity: other,
            moved: self.moved.clone(),
            aside,
        };
        let merge = MergeRow::new(context.new_id(), (into, from), account, now);
        store::insert(conn, &merge, undo)?;
        Ok((merge, disabled))
    }
}

/// The accounts of two records. That of the record `into` stays, or else the other one.
fn accounts_of(conn: &mut Conn, into: Id, from: Id) -> Result<Vec<MergedAccount>> {
    let mut found: Vec<MergedAccount> = Vec::new();
    for member_id in [into, from] {
        if let Some(account) = accounts::account_of_member(conn, member_id)? {
            let (id, email, stays) = (account.id, account.email, found.is_empty());
            found.push(MergedAccount { id, member_id, email, stays });
        }
    }
    Ok(found)
}

/// An account that was disabled because the other record has one.
#[derive(Debug, Clone, Copy)]
pub struct Disabled {
    /// The account.
    pub account: Id,
    /// Whether it had logins, which ended.
    pub had_logins: bool,
}

/// Disables an account. `None` if it was disabled before.
fn disable(conn: &mut Conn, id: Id, now: Timestamp) -> Result<Option<Disabled>> {
    if accounts::account(conn, id)?.is_none_or(|account| account.disabled) {
        return Ok(None);
    }
    let had_logins = accounts::set_disabled(conn, id, true, now)?;
    Ok(Some(Disabled { account: id, had_logins }))
}

/// The rows of a record that move: all but those that are set aside.
fn moving(conn: &mut Conn, from: Id, aside: &ToSetAside) -> Result<Moved> {
    let mut moved = Moved::of(conn, from)?;
    let stays: Vec<Id> =
        aside.shared.walk_ins.iter().filter(|(_, member)| *member == from).map(|pair| pair.0).collect();
    moved.bookings.retain(|id| !aside.shared.bookings.contains(id));
    moved.walk_ins.retain(|id| !stays.contains(id));
    for list in [&mut moved.relationships_from, &mut moved.relationships_to] {
        list.retain(|id| !aside.relationships.contains(id));
    }
    moved.users.retain(|id| aside.account != Some(*id));
    moved.access_needs &= aside.access_needs != Some(from);
    moved.equality_answers &= aside.equality_answers != Some(from);
    Ok(moved)
}

/// What a consent is for: its purpose, and the partner that it names.
type For = (&'static str, Option<Id>);

/// The consents about which the two records say different things.
fn consents_differ(conn: &mut Conn, into: Id, from: Id) -> Result<Vec<DifferingConsent>> {
    let rows: Vec<(Id, ConsentPurpose, Option<Id>, ConsentDecision)> = consents::table
        .filter(consents::member_id.eq_any([into, from]))
        .order((consents::recorded_at, consents::id))
        .select((consents::member_id, consents::purpose, consents::partner_id, consents::decision))
        .load(conn)?;
    // For each purpose: what the one says last, what the other says last, and what either says last.
    let mut last: BTreeMap<For, (ConsentPurpose, [Option<ConsentDecision>; 3])> = BTreeMap::new();
    for (member, purpose, partner, decision) in rows {
        let (_, said) = last.entry((purpose.into(), partner)).or_insert((purpose, [None; 3]));
        said[usize::from(member == from)] = Some(decision);
        said[2] = Some(decision);
    }
    let differing = |((_, partner_id), (purpose, said)): (For, (ConsentPurpose, [Option<ConsentDecision>; 3]))| {
        let [Some(into), Some(from), Some(decides)] = said else { return None };
        (into != from).then_some(DifferingConsent { purpose, partner_id, into, from, decides })
    };
    Ok(last.into_iter().filter_map(differing).collect())
}
