//! What sessions say, apart from when, where and how they take place.
//!
//! Each wording is stored once, and sessions point at it. Its id is a digest of it: sessions that say the same have the
//! same `wording_id`, and whoever compares two sessions needs no text. Writers [keep](super::listings::ensure_stored) a wording
//! before they write a session that has it.

use diesel::prelude::*;

use super::series::store::SeriesRow;
use super::store::SessionRow;
use super::types::{Pillar, SessionChange, SessionInput};
use crate::db::schema::wordings;
use crate::db::types::TextEnum;
use crate::db::{Conn, Id, Json};
use crate::error::Result;

/// What a session says.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = wordings, treat_none_as_default_value = false)]
pub struct Wording {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) topics: Json<Vec<String>>,
    pub(crate) facilitator: Option<String>,
    pub(crate) accessibility: Json<Vec<String>>,
    pub(crate) pillar: Pillar,
    pub(crate) programme_id: Option<Id>,
}

impl Wording {
    /// The id under which it is stored, marked as a UUID of version 8 (RFC 9562). Two wordings have one id with a
    /// probability of 2⁻¹²².
    pub fn id(&self) -> Id {
        let programme = self.programme_id.map(|id| id.to_string()).unwrap_or_default();
        let (topics, features) = (self.topics.0.join("\n"), self.accessibility.0.join("\n"));
        let mut bytes = digest([
            &self.title,
            self.description.as_deref().unwrap_or_default(),
            self.facilitator.as_deref().unwrap_or_default(),
            &topics,
            &features,
            self.pillar.name(),
            &programme,
        ]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Id(uuid::Uuid::from_bytes(bytes))
    }

    /// What a session says after a change by hand, which leaves the pillar alone.
    pub fn changed(&self, change: &SessionChange) -> Self {
        Self {
            title: change.title.clone(),
            description: change.description.clone(),
            topics: Json(change.topics.clone()),
            facilitator: change.facilitator.clone(),
            accessibility: Json(change.accessibility.clone()),
            pillar: self.pillar,
            programme_id: change.programme_id,
        }
    }
}

impl From<&SessionInput> for Wording {
    fn from(written: &SessionInput) -> Self {
        Self {
            title: written.title.clone(),
            description: written.description.clone(),
            topics: Json(written.topics.clone()),
            facilitator: written.facilitator.clone(),
            accessibility: Json(written.accessibility.clone()),
            pillar: written.pillar,
            programme_id: written.programme_id,
        }
    }
}

impl From<&SeriesRow> for Wording {
    fn from(series: &SeriesRow) -> Self {
        Self {
            title: series.title.clone(),
            description: series.description.clone(),
            topics: series.topics.clone(),
            facilitator: series.facilitator.clone(),
            accessibility: series.accessibility.clone(),
            pillar: series.pillar,
            programme_id: series.programme_id,
        }
    }
}

/// What a session says.
pub fn of(conn: &mut Conn, session: &SessionRow) -> Result<Wording> {
    Ok(wordings::table.find(session.wording_id).select(Wording::as_select()).first(conn)?)
}

/// A digest of texts in their order. The length of each goes in too, so that no two lists run together to the same.
pub(super) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> [u8; 16] {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for text in texts {
        digest.update(&(text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finish().as_ref()[..16]);
    bytes
}
