//! Sites in the database.

use diesel::prelude::*;

use super::types::{Site, SiteInput};
use crate::db::schema::sites;
use crate::db::{self, Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// A row of `sites`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = sites, treat_none_as_null = true)]
pub struct SiteRow {
    pub(crate) id: Id,
    slug: String,
    name: String,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl SiteRow {
    /// A new site.
    pub fn new(id: Id, written: SiteInput, now: Timestamp) -> Self {
        Self { id, slug: written.slug, name: written.name, version: 1, created_at: now, updated_at: now }
    }

    /// This row after a change.
    pub fn changed(&self, written: SiteInput, now: Timestamp) -> Self {
        Self { version: self.version + 1, created_at: self.created_at, ..Self::new(self.id, written, now) }
    }

    /// The site as a request would write it today.
    pub fn written(&self) -> SiteInput {
        Site::from(self.clone()).written
    }

    /// This site's place in the list.
    pub fn key(&self) -> SiteKey {
        (self.name.clone(), self.id)
    }
}

impl From<SiteRow> for Site {
    fn from(row: SiteRow) -> Self {
        Self {
            id: row.id,
            written: SiteInput { slug: row.slug, name: row.name },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The keys that sites are listed by.
pub type SiteKey = (String, Id);

/// A page of sites by name.
pub fn list(conn: &mut Conn, slice: &Slice<SiteKey>) -> Result<Vec<SiteRow>> {
    let mut query = sites::table.select(SiteRow::as_select()).into_boxed();
    if let Some((name, id)) = &slice.after {
        query = query.filter(sites::name.gt(name).or(sites::name.eq(name).and(sites::id.gt(id))));
    }
    Ok(query.order((sites::name, sites::id)).limit(slice.fetch()).load(conn)?)
}

/// One site.
///
/// # Errors
/// 404 if there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<SiteRow> {
    let row = sites::table.find(id).select(SiteRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("site"))
}

/// Locks a site until the transaction ends, so that only one request at a time changes its hostings. SQLite has one
/// writer and needs no lock.
///
/// # Errors
/// 404 if there is none.
pub fn lock(conn: &mut Conn, id: Id) -> Result<()> {
    let found: Option<Id> = match conn {
        Conn::Postgres(postgres) => sites::table.find(id).select(sites::id).for_update().first(postgres).optional()?,
        Conn::Sqlite(sqlite) => sites::table.find(id).select(sites::id).first(sqlite).optional()?,
    };
    found.map(|_| ()).ok_or_else(|| Error::not_found("site"))
}

/// Adds a site.
///
/// # Errors
/// 409 if the slug is taken.
pub fn insert(conn: &mut Conn, row: &SiteRow) -> Result<()> {
    diesel::insert_into(sites::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a site over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the slug is taken.
pub fn update(conn: &mut Conn, row: &SiteRow) -> Result<()> {
    let unchanged = sites::table.filter(sites::id.eq(row.id)).filter(sites::version.eq(row.version - 1));
    db::one_row(diesel::update(unchanged).set(row).execute(conn)?)
}
