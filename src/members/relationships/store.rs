//! Relationships in the database.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::rules;
use super::types::{
    Relationship, RelationshipAuthority, RelationshipChange, RelationshipInput, RelationshipKind, RelationshipStatus,
};
use crate::audit::Subject;
use crate::auth::reach::Reach;
use crate::clock::micros;
use crate::db::schema::{members, relationships};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;
use crate::members::fate::{self, Fate};
use crate::members::signatures::Signatures;
use crate::members::store::{NAMES, Names, member_name};

/// What the audit calls a relationship.
pub const KIND: &str = "relationship";

/// The condition that a relationship is active on this day.
macro_rules! in_effect {
    ($today:expr) => {
        relationships::status
            .eq(RelationshipStatus::Active)
            .and(relationships::starts_on.le($today))
            .and(relationships::ends_on.is_null().or(relationships::ends_on.ge($today)))
    };
}
pub(super) use in_effect;

/// A row of `relationships`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable, Serialize, Deserialize)]
#[diesel(table_name = relationships, treat_none_as_null = true)]
pub struct RelationshipRow {
    pub(super) id: Id,
    pub(super) from_member: Id,
    pub(super) to_member: Id,
    kind: RelationshipKind,
    may_book: bool,
    authority: RelationshipAuthority,
    /// Empty if nobody has said how it is known.
    evidence: String,
    status: RelationshipStatus,
    starts_on: NaiveDate,
    ends_on: Option<NaiveDate>,
    pub(crate) created_by: Id,
    pub(super) version: i32,
    #[serde(with = "micros")]
    created_at: Timestamp,
    #[serde(with = "micros")]
    updated_at: Timestamp,
}

impl RelationshipRow {
    /// A new relationship.
    pub fn new(id: Id, written: &RelationshipInput, created_by: Id, today: NaiveDate, now: Timestamp) -> Self {
        Self {
            id,
            from_member: written.from_member,
            to_member: written.to_member,
            kind: written.kind,
            may_book: written.may_book,
            authority: written.authority,
            evidence: written.evidence.clone().unwrap_or_default(),
            status: written.status,
            starts_on: written.starts_on.unwrap_or(today),
            ends_on: written.ends_on,
            created_by,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What can be changed, as it is on this day.
    pub fn written(&self, today: NaiveDate) -> RelationshipChange {
        RelationshipChange {
            may_book: self.may_book,
            authority: self.authority,
            evidence: Some(self.evidence.clone()).filter(|evidence| !evidence.is_empty()),
            status: rules::status_on(today, self.status, self.ends_on),
            starts_on: self.starts_on,
            ends_on: self.ends_on,
        }
    }

    /// This row after a change. If that ends it, today is its last day.
    pub fn changed(&self, written: RelationshipChange, today: NaiveDate, now: Timestamp) -> Self {
        let RelationshipChange { may_book, authority, evidence, status, starts_on, ends_on } = written;
        let ends = status == RelationshipStatus::Ended;
        Self {
            may_book,
            authority,
            evidence: evidence.unwrap_or_default(),
            status,
            starts_on,
            ends_on: if ends { Some(rules::last_day(starts_on, ends_on, today)) } else { ends_on },
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }

    /// Whether it is in effect on this day.
    pub fn is_in_effect(&self, today: NaiveDate) -> bool {
        self.written(today).status == RelationshipStatus::Active && self.starts_on <= today
    }

    /// Whether this member may know of it on this day. `from_member` may only while it is in effect.
    pub fn is_open_to(&self, member_id: Id, today: NaiveDate) -> bool {
        self.from_member != member_id || self.is_in_effect(today)
    }

    /// The two members.
    pub fn both(&self) -> [Id; 2] {
        [self.from_member, self.to_member]
    }

    /// What the audit calls it as data of one of the two members.
    pub fn subject(&self, member_id: Id) -> Subject {
        Subject::of_member(KIND, self.id, member_id)
    }

    /// The same for both.
    pub fn subjects(&self) -> [Subject; 2] {
        self.both().map(|member_id| self.subject(member_id))
    }

    /// The other member than this one.
    pub fn other(&self, member_id: Id) -> Id {
        if self.from_member == member_id { self.to_member } else { self.from_member }
    }

    /// This relationship's place in a member's list.
    pub fn key(&self) -> Id {
        self.id
    }
}

/// The names of the members in relationships, and of those who wrote them down, for a caller.
pub struct MemberNames {
    reach: Reach,
    names: HashMap<Id, Names>,
    signatures: Signatures,
}

impl MemberNames {
    /// The names in these relationships, for a caller with this reach.
    pub fn of(conn: &mut Conn, reach: Reach, rows: &[RelationshipRow]) -> Result<Self> {
        // A page has at most a hundred rows and the one after.
        let ids: Vec<Id> = rows.iter().flat_map(RelationshipRow::both).collect();
        let people = members::table.filter(members::id.eq_any(&ids)).select((members::id, NAMES));
        let names = people.load::<(Id, Names)>(conn)?.into_iter().collect();
        Ok(Self { reach, names, signatures: Signatures::of(conn, reach, rows.iter().map(|row| row.created_by))? })
    }

    /// A relationship as the caller sees it on this day. How it is known is told to an advisor and to the member whom
    /// it is about.
    pub fn show(&self, row: RelationshipRow, today: NaiveDate) -> Relationship {
        let name = |id: Id| member_name(id, self.names.get(&id).cloned().unwrap_or_default()).display_name;
        let RelationshipChange { may_book, authority, evidence, status, starts_on, ends_on } = row.written(today);
        Relationship {
            id: row.id,
            from_member: row.from_member,
            from_name: name(row.from_member),
            to_member: row.to_member,
            to_name: name(row.to_member),
            kind: row.kind,
            may_book,
            authority,
            evidence: evidence.filter(|_| self.reach.member() != Some(row.from_member)),
            status,
            starts_on,
            ends_on,
            created_by: self.signatures.id(row.created_by),
            created_by_name: self.signatures.name(row.created_by),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of a member's relationships, the oldest first. A member sees those that are about them, and those in effect
/// in which they are the carer, child, partner or relative.
pub fn list(
    conn: &mut Conn,
    member_id: Id,
    reach: Reach,
    today: NaiveDate,
    slice: &Slice<Id>,
) -> Result<Vec<RelationshipRow>> {
    let (to, from) = (relationships::to_member.eq(member_id), relationships::from_member.eq(member_id));
    let mut query = relationships::table.select(RelationshipRow::as_select()).into_boxed();
    query = match reach {
        Reach::Everyone => query.filter(to.or(from)),
        Reach::Member(_) | Reach::Partner(_) => query.filter(to.or(from.and(in_effect!(today)))),
    };
    if let Some(after) = slice.after {
        query = query.filter(relationships::id.gt(after));
    }
    Ok(query.order(relationships::id).limit(slice.fetch()).load(conn)?)
}

/// The relationships of which these members may know on this day: those about them, and those in effect.
pub fn known_to(conn: &mut Conn, members: &[Id], today: NaiveDate) -> Result<Vec<Id>> {
    let (to, from) = (relationships::to_member.eq_any(members), relationships::from_member.eq_any(members));
    let known = relationships::table.filter(to.or(from.and(in_effect!(today))));
    Ok(known.select(relationships::id).load(conn)?)
}

/// One relationship of a member.
///
/// # Errors
/// 404 if the member has no such relationship, or the caller may not see it.
pub fn get(conn: &mut Conn, member_id: Id, id: Id, reach: Reach, today: NaiveDate) -> Result<RelationshipRow> {
    let row: Option<RelationshipRow> =
        relationships::table.find(id).select(RelationshipRow::as_select()).first(conn).optional()?;
    let visible = |row: &RelationshipRow| {
        row.both().contains(&member_id) && reach.member().is_none_or(|caller| row.is_open_to(caller, today))
    };
    row.filter(visible).ok_or_else(|| Error::not_found("relationship"))
}

/// Adds a relationship. One of the same two members and the same kind whose last day is over makes room for it. That one
/// was shown as ended before, so its version and its date of change stay.
///
/// # Errors
/// 409 if there is one that hasn't ended.
pub fn insert(conn: &mut Conn, row: &RelationshipRow, today: NaiveDate) -> Result<()> {
    let over = relationships::table
        .filter(relationships::from_member.eq(row.from_member))
        .filter(relationships::to_member.eq(row.to_member))
        .filter(relationships::kind.eq(row.kind))
        .filter(relationships::status.eq(RelationshipStatus::Active))
        .filter(relationships::ends_on.lt(today));
    diesel::update(over).set(relationships::status.eq(RelationshipStatus::Ended)).execute(conn)?;
    diesel::insert_into(relationships::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a relationship over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &RelationshipRow) -> Result<()> {
    crate::write_next!(conn, relationships, row)
}

/// The relationships of the member `from` that the member `into` has too, to the same person and of the same kind. Only
/// those that haven't ended: there can't be two of them.
pub fn doubled(conn: &mut Conn, into: Id, from: Id) -> Result<Vec<Id>> {
    let open = |conn: &mut Conn, id: Id| -> Result<Vec<RelationshipRow>> {
        let its = relationships::from_member.eq(id).or(relationships::to_member.eq(id));
        let open = relationships::table.filter(its).filter(relationships::status.ne(RelationshipStatus::Ended));
        Ok(open.order(relationships::id).select(RelationshipRow::as_select()).load(conn)?)
    };
    let place = |row: &RelationshipRow, id: Id| (row.kind, row.from_member == id, row.other(id));
    let own: Vec<_> = open(conn, into)?.iter().map(|row| place(row, into)).collect();
    Ok(open(conn, from)?.iter().filter(|row| own.contains(&place(row, from))).map(|row| row.id).collect())
}

/// Puts a relationship back that was taken away. If the other member's record was merged into another meanwhile, it is
/// one with that member; if it was erased, nothing is put back. Returns whether there was room: two members have one
/// relationship of a kind that hasn't ended.
pub fn put_back(conn: &mut Conn, row: &RelationshipRow) -> Result<bool> {
    crate::lock_rows!(conn, members, row.both(), for_key_share);
    let fates: Vec<(Id, Fate)> =
        members::table.filter(members::id.eq_any(row.both())).select((members::id, fate::COLUMNS)).load(conn)?;
    let fate = |id: Id| fates.iter().find(|(found, _)| *found == id).map(|(_, fate)| *fate);
    let present = |id: Id| fate(id).filter(|fate| fate.erased_at.is_none()).map(|fate| fate.merged_into.unwrap_or(id));
    let Some((from_member, to_member)) = present(row.from_member).zip(present(row.to_member)) else { return Ok(true) };
    let row = RelationshipRow { from_member, to_member, ..row.clone() };
    let alike = relationships::table
        .filter(relationships::from_member.eq(from_member))
        .filter(relationships::to_member.eq(to_member))
        .filter(relationships::kind.eq(row.kind))
        .filter(relationships::status.ne(RelationshipStatus::Ended));
    if row.status != RelationshipStatus::Ended && alike.count().get_result::<i64>(conn)? > 0 {
        return Ok(false);
    }
    diesel::insert_into(relationships::table).values(&row).execute(conn)?;
    Ok(true)
}
