//! Pairs of members who may be one person, in the database.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::rules::Likeness;
use super::search::Found;
use super::types::{
    DuplicateDecision, DuplicateStatus, PossibleDuplicate, PossibleDuplicateFilter, PossibleDuplicateInput, Sign,
};
use crate::clock::micros;
use crate::db::schema::{members, possible_duplicates};
use crate::db::{AT_ONCE, Conn, Id, Json, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;
use crate::insert_many;
use crate::members::fate::is_live;
use crate::members::types::MemberSummary;

/// A row of `possible_duplicates`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = possible_duplicates, treat_none_as_default_value = false)]
pub struct PairRow {
    pub(super) a: Id,
    pub(super) b: Id,
    score: i32,
    because: Json<Vec<Sign>>,
    pub(super) status: DuplicateStatus,
    decided_by: Option<Id>,
    #[serde(with = "micros::option")]
    decided_at: Option<Timestamp>,
    pub(super) version: i32,
    #[serde(with = "micros")]
    created_at: Timestamp,
    #[serde(with = "micros")]
    updated_at: Timestamp,
}

/// The two ids in the order in which a pair has them.
pub fn in_order(one: Id, other: Id) -> (Id, Id) {
    if one < other { (one, other) } else { (other, one) }
}

impl PairRow {
    /// A new pair that nobody has decided about.
    fn new(one: Id, found: &Found, now: Timestamp) -> Self {
        let (a, b) = in_order(one, found.id);
        Self {
            a,
            b,
            score: found.likeness.score,
            because: Json(found.likeness.because.clone()),
            status: DuplicateStatus::Open,
            decided_by: None,
            decided_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What can be decided, as it is today. A pair that was merged has nothing to decide.
    pub(super) fn written(&self) -> PossibleDuplicateInput {
        let status = match self.status {
            DuplicateStatus::Open => DuplicateDecision::Open,
            DuplicateStatus::NotSame | DuplicateStatus::Merged => DuplicateDecision::NotSame,
        };
        PossibleDuplicateInput { status }
    }

    /// This pair after a decision.
    pub(super) fn decided(&self, written: &PossibleDuplicateInput, account: Id, now: Timestamp) -> Self {
        let (status, decided) = match written.status {
            DuplicateDecision::Open => (DuplicateStatus::Open, false),
            DuplicateDecision::NotSame => (DuplicateStatus::NotSame, true),
        };
        let next = Self { status, version: self.version + 1, updated_at: now, ..self.clone() };
        Self { decided_by: decided.then_some(account), decided_at: decided.then_some(now), ..next }
    }

    fn other(&self, one: Id) -> Id {
        if self.a == one { self.b } else { self.a }
    }

    /// The pair as it is shown, with its members.
    pub(super) fn shown_with(self, members: Vec<MemberSummary>) -> PossibleDuplicate {
        PossibleDuplicate {
            a: self.a,
            b: self.b,
            members,
            score: self.score,
            because: self.because.0,
            status: self.status,
            decided_by: self.decided_by,
            decided_at: self.decided_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// The two members.
    pub fn both(&self) -> [Id; 2] {
        [self.a, self.b]
    }

    /// The keys that pairs are listed by.
    pub(super) fn key(&self) -> PairKey {
        (self.score.into(), (self.a, self.b))
    }
}

/// The keys that pairs are listed by, from the last to the first: the points and the two ids.
pub type PairKey = (i64, (Id, Id));

/// Puts the members who may be the same person as a new member onto the list. `decided` are those of whom the account
/// has said that they are somebody else.
pub fn add(
    conn: &mut Conn,
    id: Id,
    found: &[Found],
    (decided, account): (&[Id], Option<Id>),
    now: Timestamp,
) -> Result<()> {
    let other = PossibleDuplicateInput { status: DuplicateDecision::NotSame };
    let row = |found: &Found| {
        let pair = PairRow::new(id, found, now);
        match account.filter(|_| decided.contains(&found.id)) {
            Some(account) => PairRow { version: 1, ..pair.decided(&other, account, now) },
            None => pair,
        }
    };
    hold(conn, found.iter().map(|found| found.id))?;
    let live = live(conn, &found.iter().map(|found| found.id).collect::<Vec<_>>())?;
    let rows: Vec<PairRow> = found.iter().filter(|found| live.contains(&found.id)).map(row).collect();
    Ok(insert_many!(conn, possible_duplicates::table, rows)?)
}

/// Keeps these members from being merged or erased until the transaction ends, so that no pair names somebody who is gone.
/// Called once in a transaction, with all of them: members are locked in the order of their ids.
pub fn hold(conn: &mut Conn, ids: impl IntoIterator<Item = Id>) -> Result<()> {
    crate::lock_rows!(conn, members, ids, for_key_share);
    Ok(())
}

/// Brings the open pairs of a member up to date with who was found to be alike. What was decided stays. All of them must
/// be [held](hold).
pub fn settle(conn: &mut Conn, id: Id, found: &[Found], now: Timestamp) -> Result<()> {
    let wanted: Vec<Id> = found.iter().map(|found| found.id).chain([id]).collect();
    let live = live(conn, &wanted)?;
    if !live.contains(&id) {
        return Ok(());
    }
    let known: HashMap<Id, PairRow> = of(conn, id)?.into_iter().map(|row| (row.other(id), row)).collect();
    let new: Vec<PairRow> = found
        .iter()
        .filter(|found| live.contains(&found.id) && !known.contains_key(&found.id))
        .map(|found| PairRow::new(id, found, now))
        .collect();
    insert_many!(conn, possible_duplicates::table, new)?;
    for row in known.values().filter(|row| row.status == DuplicateStatus::Open) {
        match found.iter().find(|found| found.id == row.other(id)) {
            None => drop(diesel::delete(possible_duplicates::table.find((row.a, row.b))).execute(conn)?),
            Some(Found { likeness, .. }) => rate(conn, row, likeness, now)?,
        }
    }
    Ok(())
}

/// Writes how alike a pair is now, if that has changed.
fn rate(conn: &mut Conn, row: &PairRow, likeness: &Likeness, now: Timestamp) -> Result<()> {
    if (row.score, &row.because.0) == (likeness.score, &likeness.because) {
        return Ok(());
    }
    let changes = (
        possible_duplicates::score.eq(likeness.score),
        possible_duplicates::because.eq(Json(likeness.because.clone())),
        possible_duplicates::version.eq(row.version + 1),
        possible_duplicates::updated_at.eq(now),
    );
    diesel::update(possible_duplicates::table.find((row.a, row.b))).set(changes).execute(conn)?;
    Ok(())
}

/// Those of these members whose records were neither merged nor erased.
fn live(conn: &mut Conn, ids: &[Id]) -> Result<HashSet<Id>> {
    let mut found = HashSet::new();
    for chunk in ids.chunks(AT_ONCE) {
        let rows = members::table.filter(members::id.eq_any(chunk)).filter(is_live()).select(members::id);
        found.extend(rows.load::<Id>(conn)?);
    }
    Ok(found)
}

/// All pairs of a member.
fn of(conn: &mut Conn, id: Id) -> Result<Vec<PairRow>> {
    let its = possible_duplicates::a.eq(id).or(possible_duplicates::b.eq(id));
    Ok(possible_duplicates::table.filter(its).select(PairRow::as_select()).load(conn)?)
}

/// The other members of a member's open pairs.
pub fn alike_before(conn: &mut Conn, id: Id) -> Result<Vec<Id>> {
    let open = of(conn, id)?.into_iter().filter(|row| row.status == DuplicateStatus::Open);
    Ok(open.map(|row| row.other(id)).collect())
}

/// One pair.
///
/// # Errors
/// 404 if the two are no pair.
pub fn get(conn: &mut Conn, one: Id, other: Id) -> Result<PairRow> {
    find(conn, one, other)?.ok_or_else(|| Error::not_found("pair"))
}

/// A page of pairs, those with the most points first; those of one member, if one is given.
pub fn list(
    conn: &mut Conn,
    member: Option<Id>,
    filter: &PossibleDuplicateFilter,
    slice: &Slice<PairKey>,
) -> Result<Vec<PairRow>> {
    use possible_duplicates::{a, b, score, status};
    let mut query = possible_duplicates::table.select(PairRow::as_select()).into_boxed();
    query = query.filter(status.eq(filter.status.unwrap_or(DuplicateStatus::Open)));
    if let Some(id) = member {
        query = query.filter(a.eq(id).or(b.eq(id)));
    }
    if let Some(least) = filter.min_score {
        query = query.filter(score.ge(least));
    }
    if let Some((points, (one, other))) = slice.after {
        let points = i32::try_from(points).unwrap_or_default();
        let further = a.lt(one).or(a.eq(one).and(b.lt(other)));
        query = query.filter(score.lt(points).or(score.eq(points).and(further)));
    }
    Ok(query.order((score.desc(), a.desc(), b.desc())).limit(slice.fetch()).load(conn)?)
}

/// Writes the next version of a pair over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &PairRow) -> Result<()> {
    let before = possible_duplicates::table.find((row.a, row.b));
    let changes = (
        possible_duplicates::status.eq(row.status),
        possible_duplicates::decided_by.eq(row.decided_by),
        possible_duplicates::decided_at.eq(row.decided_at),
        possible_duplicates::version.eq(row.version),
        possible_duplicates::updated_at.eq(row.updated_at),
    );
    let changed = diesel::update(before.filter(possible_duplicates::version.eq(row.version - 1))).set(changes);
    crate::db::one_row(changed.execute(conn)?)
}

/// One pair, if the two are one.
pub fn find(conn: &mut Conn, one: Id, other: Id) -> Result<Option<PairRow>> {
    let pair = possible_duplicates::table.find(in_order(one, other)).select(PairRow::as_select());
    Ok(pair.first(conn).optional()?)
}

/// Writes that the records of a pair were merged.
pub fn mark_merged(conn: &mut Conn, pair: &PairRow, account: Id, now: Timestamp) -> Result<()> {
    let (decided_by, decided_at) = (Some(account), Some(now));
    let next = PairRow { decided_by, decided_at, version: pair.version + 1, updated_at: now, ..pair.clone() };
    update(conn, &PairRow { status: DuplicateStatus::Merged, ..next })
}

/// Takes away all pairs of a member but the one with `kept`, and returns them.
pub fn take_away(conn: &mut Conn, id: Id, kept: Id) -> Result<Vec<PairRow>> {
    let rows: Vec<PairRow> = of(conn, id)?.into_iter().filter(|row| row.other(id) != kept).collect();
    for row in &rows {
        diesel::delete(possible_duplicates::table.find((row.a, row.b))).execute(conn)?;
    }
    Ok(rows)
}

/// Writes a pair again as it was, unless one of the two isn't a member any more. Both must be [held](hold).
pub fn put_back(conn: &mut Conn, row: &PairRow) -> Result<()> {
    if live(conn, &row.both())?.len() < 2 {
        return Ok(());
    }
    let known = find(conn, row.a, row.b)?;
    diesel::delete(possible_duplicates::table.find((row.a, row.b))).execute(conn)?;
    let version = known.map_or(row.version, |known| known.version + 1);
    diesel::insert_into(possible_duplicates::table).values(&PairRow { version, ..row.clone() }).execute(conn)?;
    Ok(())
}
