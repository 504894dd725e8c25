//! Merges in the database.

use diesel::dsl::{exists, select, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use serde_json::Value;

use super::types::Merge;
use super::undo::Undo;
use crate::db::schema::member_merges;
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// For how many seconds a merge can be undone: 30 days.
pub const UNDO: i64 = 30 * 24 * 3600;

/// How many merges the housekeeping closes in one transaction.
const PIECE: i64 = 500;

/// A row of `member_merges`, without what is kept to undo it: that can be large, and is read by itself.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = member_merges, treat_none_as_default_value = false)]
pub struct MergeRow {
    pub(super) id: Id,
    pub(super) into_id: Id,
    pub(super) from_id: Id,
    done_by: Id,
    pub(super) undone_at: Option<Timestamp>,
    undone_by: Option<Id>,
    pub(super) undo_until: Timestamp,
    pub(super) created_at: Timestamp,
}

impl MergeRow {
    /// A new merge, by this account.
    pub fn new(id: Id, (into_id, from_id): (Id, Id), done_by: Id, now: Timestamp) -> Self {
        Self {
            id,
            into_id,
            from_id,
            done_by,
            undone_at: None,
            undone_by: None,
            undo_until: now.plus_seconds(UNDO),
            created_at: now,
        }
    }

    /// This merge after it was undone.
    pub fn undone(&self, account: Id, now: Timestamp) -> Self {
        Self { undone_at: Some(now), undone_by: Some(account), ..self.clone() }
    }

    /// The id of the record that was merged.
    pub fn from_id(&self) -> Id {
        self.from_id
    }

    /// The keys that merges are listed by.
    pub fn key(&self) -> Id {
        self.id
    }
}

impl From<MergeRow> for Merge {
    fn from(row: MergeRow) -> Self {
        Self {
            id: row.id,
            into: row.into_id,
            from: row.from_id,
            done_by: row.done_by,
            undo_until: row.undo_until,
            undone_at: row.undone_at,
            undone_by: row.undone_by,
            created_at: row.created_at,
        }
    }
}

/// Adds a merge, with what is needed to undo it.
pub fn insert(conn: &mut Conn, row: &MergeRow, undo: Undo) -> Result<()> {
    let undo = member_merges::undo.eq(Some(Json(undo)));
    diesel::insert_into(member_merges::table).values((row, undo)).execute(conn)?;
    Ok(())
}

/// What is kept to undo a merge; `None` if nothing is kept any longer.
pub fn undo_of(conn: &mut Conn, id: Id) -> Result<Option<Value>> {
    let kept: Option<Json<Value>> = member_merges::table.find(id).select(member_merges::undo).first(conn)?;
    Ok(kept.map(|kept| kept.0))
}

/// Takes everything about a member out of what is kept to undo merges of others. It holds, for some time, relationships of
/// theirs with what they said, and pairs that they may be in.
pub fn forget_member(conn: &mut Conn, member: Id) -> Result<()> {
    let named = sql::<Bool>(&format!("CAST(member_merges.undo AS text) LIKE '%{member}%'"));
    let kept = member_merges::table.filter(member_merges::undo.is_not_null()).filter(named);
    let kept: Vec<(Id, Option<Json<Value>>)> = kept.select((member_merges::id, member_merges::undo)).load(conn)?;
    for (id, undo) in kept {
        let Some(Json(mut undo)) = undo else { continue };
        for list in ["relationships", "pairs"] {
            if let Some(Value::Array(rows)) = undo.pointer_mut(&format!("/aside/{list}")) {
                rows.retain(|row| !names(row, member));
            }
        }
        diesel::update(member_merges::table.find(id)).set(member_merges::undo.eq(Some(Json(undo)))).execute(conn)?;
    }
    Ok(())
}

/// Whether one of the values of a row is this id.
fn names(row: &Value, id: Id) -> bool {
    let id = id.to_string();
    row.as_object().is_some_and(|row| row.values().any(|value| value.as_str() == Some(&id)))
}

/// Writes that a merge was undone. What undoing needs isn't kept any longer.
pub fn write_undone(conn: &mut Conn, row: &MergeRow) -> Result<()> {
    let changes = (
        member_merges::undo.eq(None::<Json<Value>>),
        member_merges::undone_at.eq(row.undone_at),
        member_merges::undone_by.eq(row.undone_by),
    );
    diesel::update(member_merges::table.find(row.id)).set(changes).execute(conn)?;
    Ok(())
}

/// One merge.
///
/// # Errors
/// 404 if there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<MergeRow> {
    let row = member_merges::table.find(id).select(MergeRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("merge"))
}

/// A page of the merges of a record, the oldest first.
pub fn list(conn: &mut Conn, member_id: Id, slice: &Slice<Id>) -> Result<Vec<MergeRow>> {
    use member_merges::{from_id, id, into_id};
    let its = into_id.eq(member_id).or(from_id.eq(member_id));
    let mut query = member_merges::table.filter(its).select(MergeRow::as_select()).into_boxed();
    if let Some(after) = slice.after {
        query = query.filter(id.gt(after));
    }
    Ok(query.order(id).limit(slice.fetch()).load(conn)?)
}

/// A later merge of one of the two records that wasn't undone.
pub fn later(conn: &mut Conn, row: &MergeRow) -> Result<Option<Id>> {
    use member_merges::{created_at, from_id, id, into_id, undone_at};
    let both = [row.into_id, row.from_id];
    let of_them = member_merges::table.filter(into_id.eq_any(both).or(from_id.eq_any(both)));
    let later = created_at.gt(row.created_at).or(created_at.eq(row.created_at).and(id.gt(row.id)));
    let found = of_them.filter(undone_at.is_null()).filter(later).order((created_at.desc(), id.desc())).select(id);
    Ok(found.first(conn).optional()?)
}

/// Whether there are merges that can't be undone any more and still say how.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let closed = member_merges::table.filter(member_merges::undo.is_not_null());
    Ok(select(exists(closed.filter(member_merges::undo_until.le(now)))).get_result(conn)?)
}

/// Forgets of some of them how they could be undone, and returns of how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let closed = member_merges::table.filter(member_merges::undo.is_not_null());
    let closed = closed.filter(member_merges::undo_until.le(now)).order(member_merges::undo_until);
    let ids: Vec<Id> = closed.limit(PIECE).select(member_merges::id).load(conn)?;
    let rows = member_merges::table.filter(member_merges::id.eq_any(&ids));
    Ok(diesel::update(rows).set(member_merges::undo.eq(None::<Json<Value>>)).execute(conn)?)
}
