//! The parts of venues, partners and programmes that are shown with sessions.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::types::{PartnerSummary, ProgrammeSummary, VenueSummary};
use crate::db::schema::{partners, programmes, venues};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::partners::types::PartnerStatus;

/// Reads rows of a table by their ids, each once.
macro_rules! by_id {
    ($row:ident, $table:ident) => {
        impl $row {
            /// Those with these ids.
            ///
            /// # Errors
            /// If the database fails.
            pub fn by_id(conn: &mut Conn, ids: impl Iterator<Item = Id>) -> Result<HashMap<Id, Self>> {
                let ids: Vec<Id> = ids.collect::<HashSet<Id>>().into_iter().collect();
                let rows = $table::table.select(Self::as_select());
                let found: Vec<Self> = match ids.as_slice() {
                    [] => Vec::new(),
                    // This statement can be cached as a prepared one, unlike one with a list of any length.
                    [one] => rows.filter($table::id.eq(one)).load(conn)?,
                    several => rows.filter($table::id.eq_any(several)).load(conn)?,
                };
                Ok(found.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    };
}

by_id!(VenueBrief, venues);
by_id!(PartnerBrief, partners);
by_id!(ProgrammeBrief, programmes);

/// The columns of a venue that are shown with a session.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = venues)]
pub struct VenueBrief {
    id: Id,
    slug: String,
    name: String,
    town: Option<String>,
    postcode: Option<String>,
    local_authority: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl From<VenueBrief> for VenueSummary {
    fn from(row: VenueBrief) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            town: row.town,
            postcode: row.postcode,
            local_authority: row.local_authority,
            latitude: row.latitude,
            longitude: row.longitude,
        }
    }
}

/// The columns of a partner that are shown with a session.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = partners)]
pub struct PartnerBrief {
    id: Id,
    slug: String,
    name: String,
    status: PartnerStatus,
}

impl PartnerBrief {
    /// The partner's id and status. They decide who may see the partner's sessions.
    pub fn standing(&self) -> (Id, PartnerStatus) {
        (self.id, self.status)
    }
}

impl From<PartnerBrief> for PartnerSummary {
    fn from(row: PartnerBrief) -> Self {
        Self { id: row.id, slug: row.slug, name: row.name }
    }
}

/// The columns of a programme that are shown with a session.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = programmes)]
pub struct ProgrammeBrief {
    id: Id,
    slug: String,
    name: String,
}

impl From<ProgrammeBrief> for ProgrammeSummary {
    fn from(row: ProgrammeBrief) -> Self {
        Self { id: row.id, slug: row.slug, name: row.name }
    }
}
