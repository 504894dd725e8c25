//! Programmes in the database.

use diesel::prelude::*;

use super::types::{Programme, ProgrammeInput};
use crate::db::schema::programmes;
use crate::db::{self, Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// A row of `programmes`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = programmes, treat_none_as_null = true)]
pub struct ProgrammeRow {
    pub(crate) id: Id,
    partner_id: Id,
    slug: String,
    name: String,
    description: Option<String>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ProgrammeRow {
    /// A new programme of a partner.
    pub fn new(id: Id, partner_id: Id, written: ProgrammeInput, now: Timestamp) -> Self {
        let ProgrammeInput { slug, name, description } = written;
        Self { id, partner_id, slug, name, description, version: 1, created_at: now, updated_at: now }
    }

    /// This row after a change.
    pub fn changed(&self, written: ProgrammeInput, now: Timestamp) -> Self {
        let next = Self::new(self.id, self.partner_id, written, now);
        Self { version: self.version + 1, created_at: self.created_at, ..next }
    }

    /// The programme as a request would write it today.
    pub fn written(&self) -> ProgrammeInput {
        Programme::from(self.clone()).written
    }

    /// This programme's place in the list.
    pub fn key(&self) -> ProgrammeKey {
        (self.name.clone(), self.id)
    }
}

impl From<ProgrammeRow> for Programme {
    fn from(row: ProgrammeRow) -> Self {
        Self {
            id: row.id,
            partner_id: row.partner_id,
            written: ProgrammeInput { slug: row.slug, name: row.name, description: row.description },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The keys that programmes are listed by.
pub type ProgrammeKey = (String, Id);

/// A page of a partner's programmes by name.
pub fn list(conn: &mut Conn, partner_id: Id, slice: &Slice<ProgrammeKey>) -> Result<Vec<ProgrammeRow>> {
    let mut query =
        programmes::table.filter(programmes::partner_id.eq(partner_id)).select(ProgrammeRow::as_select()).into_boxed();
    if let Some((name, id)) = &slice.after {
        query = query.filter(programmes::name.gt(name).or(programmes::name.eq(name).and(programmes::id.gt(id))));
    }
    Ok(query.order((programmes::name, programmes::id)).limit(slice.fetch()).load(conn)?)
}

/// One programme of a partner.
///
/// # Errors
/// 404 if the partner has no such programme.
pub fn get(conn: &mut Conn, partner_id: Id, id: Id) -> Result<ProgrammeRow> {
    let own = programmes::table.find(id).filter(programmes::partner_id.eq(partner_id));
    let row = own.select(ProgrammeRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("programme"))
}

/// Adds a programme.
///
/// # Errors
/// 409 if the partner already has a programme with this slug.
pub fn insert(conn: &mut Conn, row: &ProgrammeRow) -> Result<()> {
    diesel::insert_into(programmes::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a programme over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the partner already has a programme with this slug.
pub fn update(conn: &mut Conn, row: &ProgrammeRow) -> Result<()> {
    let unchanged = programmes::table.filter(programmes::id.eq(row.id)).filter(programmes::version.eq(row.version - 1));
    db::one_row(diesel::update(unchanged).set(row).execute(conn)?)
}
