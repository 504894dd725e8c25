//! Named areas in the database.

use diesel::prelude::*;

use super::MOST_AREAS;
use super::types::ReportArea;
use crate::db::Conn;
use crate::db::schema::report_areas;
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;
use crate::places::LocalAuthority;

/// A page of areas by slug.
pub fn list(conn: &mut Conn, slice: &Slice<String>) -> Result<Vec<ReportArea>> {
    let mut query = report_areas::table.select(ReportArea::as_select()).into_boxed();
    if let Some(slug) = &slice.after {
        query = query.filter(report_areas::slug.gt(slug));
    }
    Ok(query.order(report_areas::slug).limit(slice.fetch()).load(conn)?)
}

/// The area of this slug.
pub fn find(conn: &mut Conn, slug: &str) -> Result<Option<ReportArea>> {
    let found = report_areas::table.filter(report_areas::slug.eq(slug)).select(ReportArea::as_select());
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
pub fn insert(conn: &mut Conn, row: &ReportArea) -> Result<()> {
    diesel::insert_into(report_areas::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of an area over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &ReportArea) -> Result<()> {
    crate::write_next!(conn, report_areas, row)
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
