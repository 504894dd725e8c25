//! Named areas in the database.

use diesel::prelude::*;

use super::MOST_AREAS;
use super::types::{ReportArea, ReportAreaInput};
use crate::db::schema::report_areas;
use crate::db::{self, Conn, Id, Json, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;
use crate::places::LocalAuthority;

/// A row of `report_areas`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = report_areas)]
pub struct AreaRow {
    pub(crate) id: Id,
    number: i32,
    slug: String,
    name: String,
    local_authorities: Json<Vec<String>>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl AreaRow {
    /// A new area.
    pub fn new(id: Id, number: i32, slug: String, written: ReportAreaInput, now: Timestamp) -> Self {
        let ReportAreaInput { name, local_authorities } = written;
        let local_authorities = Json(local_authorities.iter().map(|known| known.name.to_owned()).collect());
        Self { id, number, slug, name, local_authorities, version: 1, created_at: now, updated_at: now }
    }

    /// This row after a change. `None` if nothing changes.
    pub fn changed(&self, written: ReportAreaInput, now: Timestamp) -> Option<Self> {
        let new = Self::new(self.id, self.number, self.slug.clone(), written, now);
        let same = self.name == new.name && self.local_authorities.0 == new.local_authorities.0;
        (!same).then(|| Self { version: self.version + 1, created_at: self.created_at, ..new })
    }

    /// This area's place in the list.
    pub fn key(&self) -> String {
        self.slug.clone()
    }
}

impl From<AreaRow> for ReportArea {
    fn from(row: AreaRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            local_authorities: row.local_authorities.0,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of areas by slug.
pub fn list(conn: &mut Conn, slice: &Slice<String>) -> Result<Vec<AreaRow>> {
    let mut query = report_areas::table.select(AreaRow::as_select()).into_boxed();
    if let Some(slug) = &slice.after {
        query = query.filter(report_areas::slug.gt(slug));
    }
    Ok(query.order(report_areas::slug).limit(slice.fetch()).load(conn)?)
}

/// The area of this slug.
pub fn find(conn: &mut Conn, slug: &str) -> Result<Option<AreaRow>> {
    let found = report_areas::table.filter(report_areas::slug.eq(slug)).select(AreaRow::as_select());
    Ok(found.first(conn).optional()?)
}

/// A number that no area has.
///
/// # Errors
/// 409 if all numbers are taken.
pub fn free_number(conn: &mut Conn) -> Result<i32> {
    let taken: Vec<i32> = report_areas::table.select(report_areas::number).load(conn)?;
    let free = (1..=MOST_AREAS).find(|number| !taken.contains(number));
    free.ok_or_else(|| {
        let detail =
            format!("There are already {MOST_AREAS} named areas, and there can't be more. Change one of them.");
        Error::new(Kind::InvalidState, detail)
    })
}

/// Adds an area.
///
/// # Errors
/// 409 if another request added one at the same time.
pub fn insert(conn: &mut Conn, row: &AreaRow) -> Result<()> {
    diesel::insert_into(report_areas::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of an area over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &AreaRow) -> Result<()> {
    let unchanged =
        report_areas::table.filter(report_areas::id.eq(row.id)).filter(report_areas::version.eq(row.version - 1));
    db::one_row(diesel::update(unchanged).set(row).execute(conn)?)
}

/// The local authorities that a report's filters mean: those of the area, or those that were given one by one.
///
/// # Errors
/// 400 if there is no such area.
pub(in crate::reports) fn places(conn: &mut Conn, area: Option<&str>, named: &[LocalAuthority]) -> Result<Vec<String>> {
    let Some(area) = area else { return Ok(named.iter().map(|known| known.name.to_owned()).collect()) };
    if let Some(row) = find(conn, area)? {
        return Ok(row.local_authorities.0);
    }
    let known: Vec<String> = report_areas::table.select(report_areas::slug).order(report_areas::slug).load(conn)?;
    let detail = format!("There is no such area. There are: {}.", known.join(", "));
    Err(Error::parameter("area", "unknown_area", detail))
}
