//! The parts of venues, partners and programmes that are shown with sessions.

use diesel::prelude::*;

use super::types::{PartnerSummary, ProgrammeSummary, VenueSummary};
use crate::db::Id;
use crate::db::schema::{partners, programmes, venues};
use crate::partners::types::PartnerStatus;

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
