//! What is set aside when two records are merged: whole rows, which come back if the merge is undone.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shared::Shared;
use super::types::{AsideKind, MergedAccount, SetAside};
use crate::clock::micros;
use crate::db::schema::{access_needs, equality_answers, relationships, walk_ins};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::members::access_needs::store::{self as needs, AccessNeedsRow};
use crate::members::duplicates::store::{self as duplicates, PairRow};
use crate::members::equality::store::{self as equality, AnswersRow};
use crate::members::relationships::store::{self as relations, RelationshipRow};

/// A row of `walk_ins`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = walk_ins)]
pub struct WalkIn {
    session_id: Id,
    member_id: Id,
    #[serde(with = "micros")]
    created_at: Timestamp,
}

/// Rows that are set aside, whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Aside {
    /// Bookings, as the sessions write them down.
    bookings: Vec<Value>,
    walk_ins: Vec<WalkIn>,
    relationships: Vec<RelationshipRow>,
    access_needs: Option<AccessNeedsRow>,
    equality_answers: Option<AnswersRow>,
    /// The pairs that the record may be a duplicate in.
    pairs: Vec<PairRow>,
    /// The pair of the two records, as it was.
    own_pair: Option<PairRow>,
    /// The account that was disabled.
    pub account: Option<Id>,
}

/// What will be set aside.
#[derive(Debug, Clone, Default)]
pub struct ToSetAside {
    /// In sessions in which both are.
    pub shared: Shared,
    /// Relationships that both have.
    pub relationships: Vec<Id>,
    /// Whose access needs are set aside, if both were asked.
    pub access_needs: Option<Id>,
    /// Whose answers for equality monitoring are set aside, if both were asked.
    pub equality_answers: Option<Id>,
    /// The account of the record that is merged, if both have one.
    pub account: Option<Id>,
}

impl ToSetAside {
    /// What of the record `from` can't stand beside what `into` has. `shared` is what was found in sessions, and `accounts`
    /// those of both.
    pub fn find(conn: &mut Conn, into: Id, from: Id, shared: Shared, accounts: &[MergedAccount]) -> Result<Self> {
        let needs = (needs::find(conn, into)?, needs::find(conn, from)?);
        let needs = (needs.0.map(|row| row.says_something()), needs.1.map(|row| row.says_something()));
        let answers = (equality::find(conn, into)?, equality::find(conn, from)?);
        let answers = (answers.0.map(|row| row.says_something()), answers.1.map(|row| row.says_something()));
        Ok(Self {
            shared,
            relationships: relations::doubled(conn, into, from)?,
            access_needs: gives_way((into, from), needs),
            equality_answers: gives_way((into, from), answers),
            account: accounts.iter().find(|account| !account.stays).map(|account| account.id),
        })
    }

    /// The list for the answer.
    pub fn listed(&self) -> Vec<SetAside> {
        let of = |kind| move |id: &Id| SetAside { kind, id: *id };
        let mut listed: Vec<SetAside> = self.shared.bookings.iter().map(of(AsideKind::Booking)).collect();
        listed.extend(self.shared.walk_ins.iter().map(|(session, _)| of(AsideKind::WalkIn)(session)));
        listed.extend(self.relationships.iter().map(of(AsideKind::Relationship)));
        listed.extend(self.access_needs.iter().map(of(AsideKind::AccessNeeds)));
        listed.extend(self.equality_answers.iter().map(of(AsideKind::EqualityAnswers)));
        listed.extend(self.account.iter().map(of(AsideKind::Account)));
        listed
    }
}

/// Which of two members' rows gives way, where each can have one: that of `from`. But if `into` says that there is nothing, and
/// `from` says that there is something, nothing gives way to something: a need that was written down must not get lost.
/// For each member: whether their row says something; `None` if there is none.
fn gives_way((into, from): (Id, Id), says: (Option<bool>, Option<bool>)) -> Option<Id> {
    match says {
        (Some(false), Some(true)) => Some(into),
        (Some(_), Some(_)) => Some(from),
        _ => None,
    }
}

/// Takes a member's row away, of a table that has one row for each member. If it was that of `into`, the row of `from` takes
/// its place: its version is raised, because a version that was answered before must not come again with other content.
macro_rules! take {
    ($conn:expr, $table:ident, $row:ty, $whose:expr, ($into:expr, $from:expr)) => {
        match $whose {
            None => None,
            Some(whose) => {
                let row = $table::table.find(whose);
                let taken: Option<$row> = row.select(<$row>::as_select()).first($conn).optional()?;
                diesel::delete(row).execute($conn)?;
                if let Some(own) = taken.as_ref().filter(|_| whose == $into) {
                    let next = $table::table.find($from).filter($table::version.lt(own.version));
                    diesel::update(next).set($table::version.eq(own.version)).execute($conn)?;
                }
                taken
            }
        }
    };
}

/// Sets aside what can't stand, and the pairs of possible duplicates of the record that is merged.
pub fn set_aside(conn: &mut Conn, context: &Context, plan: &ToSetAside, into: Id, from: Id) -> Result<Aside> {
    let (now, own_pair) = (context.now(), duplicates::find(conn, into, from)?);
    if let Some(pair) = &own_pair {
        duplicates::mark_merged(conn, pair, context.caller()?.id, now)?;
    }
    let mut aside = Aside { own_pair, ..Aside::default() };
    if !plan.shared.bookings.is_empty() {
        aside.bookings = (context.state().hooks.set_bookings_aside)(conn, context, &plan.shared.bookings)?;
    }
    for (session, member) in &plan.shared.walk_ins {
        let row = walk_ins::table.find((session, member));
        let found: Option<WalkIn> = row.select(WalkIn::as_select()).first(conn).optional()?;
        aside.walk_ins.extend(found);
        diesel::delete(row).execute(conn)?;
    }
    let doubled = relationships::table.filter(relationships::id.eq_any(&plan.relationships));
    aside.relationships = doubled.order(relationships::id).select(RelationshipRow::as_select()).load(conn)?;
    diesel::delete(relationships::table.filter(relationships::id.eq_any(&plan.relationships))).execute(conn)?;
    aside.access_needs = take!(conn, access_needs, AccessNeedsRow, plan.access_needs, (into, from));
    aside.equality_answers = take!(conn, equality_answers, AnswersRow, plan.equality_answers, (into, from));
    aside.pairs = duplicates::take_away(conn, from, into)?;
    Ok(aside)
}

impl Aside {
    /// Puts everything back.
    ///
    /// # Errors
    /// 409 `undo-blocked` if a place was taken meanwhile.
    pub fn put_back(&self, conn: &mut Conn, context: &Context) -> Result<()> {
        if !self.bookings.is_empty() && !(context.state().hooks.put_bookings_back)(conn, context, &self.bookings)? {
            let detail = "A booking that was set aside can't come back: its place was taken meanwhile.";
            return Err(Error::new(Kind::UndoBlocked, detail));
        }
        for row in &self.walk_ins {
            let there = walk_ins::table.find((row.session_id, row.member_id));
            if there.count().get_result::<i64>(conn)? > 0 {
                let detail = "A walk-in that was set aside can't come back: the member is in that register by now.";
                return Err(Error::new(Kind::UndoBlocked, detail));
            }
            diesel::insert_into(walk_ins::table).values(row).execute(conn)?;
        }
        for row in &self.relationships {
            if !relations::put_back(conn, row)? {
                let detail = "A relationship that was set aside can't come back: the record of the other person was \
                              merged into one that has the same. Undo that merge first.";
                return Err(Error::new(Kind::UndoBlocked, detail));
            }
        }
        if let Some(row) = &self.access_needs {
            diesel::insert_into(access_needs::table).values(row).execute(conn)?;
        }
        if let Some(row) = &self.equality_answers {
            diesel::insert_into(equality_answers::table).values(row).execute(conn)?;
        }
        let pairs = || self.own_pair.iter().chain(&self.pairs);
        duplicates::hold(conn, pairs().flat_map(PairRow::both))?;
        pairs().try_for_each(|pair| duplicates::put_back(conn, pair))
    }
}
