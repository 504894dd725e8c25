//! The members of pairs, as they are shown.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::store::PairRow;
use super::types::PossibleDuplicate;
use crate::db::schema::members;
use crate::db::{AT_ONCE, Conn, Id};
use crate::error::Result;
use crate::members::fate::is_live;
use crate::members::store::MemberRow;

/// The members of pairs.
pub struct People(HashMap<Id, MemberRow>);

impl People {
    /// Reads the members of these pairs. Records that were merged or erased are left out.
    pub fn of(conn: &mut Conn, rows: &[PairRow]) -> Result<Self> {
        let ids: HashSet<Id> = rows.iter().flat_map(|row| [row.a, row.b]).collect();
        Self::with_ids(conn, &ids.into_iter().collect::<Vec<_>>())
    }

    /// Reads the members with these ids.
    pub fn with_ids(conn: &mut Conn, ids: &[Id]) -> Result<Self> {
        let mut found = HashMap::new();
        for chunk in ids.chunks(AT_ONCE) {
            let query = members::table.filter(members::id.eq_any(chunk)).filter(is_live());
            let rows: Vec<MemberRow> = query.select(MemberRow::as_select()).load(conn)?;
            found.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        Ok(Self(found))
    }

    /// Takes a member out.
    pub fn take(&mut self, id: Id) -> Option<MemberRow> {
        self.0.remove(&id)
    }

    /// The ids of those of a pair whom an answer shows.
    pub fn shown(&self, row: &PairRow) -> Vec<Id> {
        [row.a, row.b].into_iter().filter(|id| self.0.contains_key(id)).collect()
    }

    /// A pair as it is shown.
    pub fn show(&self, row: PairRow) -> PossibleDuplicate {
        let people = [row.a, row.b].into_iter().filter_map(|id| self.0.get(&id).cloned());
        row.shown_with(people.map(Into::into).collect())
    }
}
