//! What stands in the way of merging two records: all of it at once.

use diesel::prelude::*;

use super::shared::Shared;
use super::types::{ConflictKind, MergeConflict};
use crate::db::schema::relationships;
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::members::fate::Fate;
use crate::members::requests::{open_erasures, open_exports};
use crate::members::types::MemberInput;

/// The conflict of a record that is to be merged and isn't one any more.
pub fn of_fate(id: Id, fate: Fate) -> Option<MergeConflict> {
    match fate {
        Fate { merged_into: Some(into), .. } => Some(MergeConflict { kind: ConflictKind::Merged, ids: vec![into] }),
        Fate { erased_at: Some(_), .. } => Some(MergeConflict { kind: ConflictKind::Erased, ids: vec![id] }),
        _ => None,
    }
}

/// Everything that stands in the way of merging two records that are there.
pub fn all(
    conn: &mut Conn,
    (into, own): (Id, &MemberInput),
    (from, other): (Id, &MemberInput),
    shared: &Shared,
) -> Result<Vec<MergeConflict>> {
    let mut conflicts = shared.conflicts.clone();
    if matches!((&own.nhs_number, &other.nhs_number), (Some(one), Some(two)) if one != two) {
        conflicts.push(MergeConflict { kind: ConflictKind::NhsNumbers, ids: vec![into, from] });
    }
    let open = [
        (ConflictKind::OpenErasure, open_erasures(conn, &[into, from])?),
        (ConflictKind::OpenExport, open_exports(conn, &[into, from])?.into_iter().map(|(id, _)| id).collect()),
    ];
    let open = open.into_iter().filter(|(_, ids)| !ids.is_empty());
    conflicts.extend(open.map(|(kind, ids)| MergeConflict { kind, ids }));
    let related = related(conn, into, from)?;
    if !related.is_empty() {
        conflicts.push(MergeConflict { kind: ConflictKind::Relationship, ids: related });
    }
    Ok(conflicts)
}

/// The relationships between two members, ended ones too: nobody is their own carer.
fn related(conn: &mut Conn, one: Id, other: Id) -> Result<Vec<Id>> {
    use relationships::{from_member, id, to_member};
    let there = from_member.eq(one).and(to_member.eq(other));
    let back = from_member.eq(other).and(to_member.eq(one));
    Ok(relationships::table.filter(there.or(back)).order(id).select(id).load(conn)?)
}

/// Nothing if there are no conflicts.
///
/// # Errors
/// 409 `merge-conflict` with all of them.
pub fn refuse(conflicts: &[MergeConflict]) -> Result<()> {
    if conflicts.is_empty() {
        return Ok(());
    }
    let listed = conflicts.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
    let detail = match conflicts.len() {
        1 => "1 thing stands in the way; see conflicts. Nothing was changed.".to_owned(),
        n => format!("{n} things stand in the way; see conflicts. Nothing was changed."),
    };
    Err(Error::new(Kind::MergeConflict, detail).with_conflicts(listed))
}
