//! Hostings in the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::types::Hosting;
use crate::db::schema::{hostings, venues};
use crate::db::{Conn, Id};
use crate::error::{Error, Fault, Kind, Result};
use crate::http::page::Slice;

/// A page of a site's hostings, the earliest first.
pub fn list(conn: &mut Conn, site_id: Id, slice: &Slice<(NaiveDate, Id)>) -> Result<Vec<Hosting>> {
    let mut query = hostings::table.filter(hostings::site_id.eq(site_id)).select(Hosting::as_select()).into_boxed();
    if let Some((day, id)) = &slice.after {
        query = query.filter(hostings::starts_on.gt(day).or(hostings::starts_on.eq(day).and(hostings::id.gt(id))));
    }
    Ok(query.order((hostings::starts_on, hostings::id)).limit(slice.fetch()).load(conn)?)
}

/// One hosting of a site.
///
/// # Errors
/// 404 if the site has no such hosting.
pub fn get(conn: &mut Conn, site_id: Id, id: Id) -> Result<Hosting> {
    let own = hostings::table.find(id).filter(hostings::site_id.eq(site_id));
    let row = own.select(Hosting::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("hosting"))
}

/// Adds a hosting of a site that is [locked](crate::sites::store::lock).
///
/// # Errors
/// 422 if the venue or the partner is unknown, 409 if the site has another hosting in that time.
pub fn insert(conn: &mut Conn, row: &Hosting) -> Result<()> {
    check(conn, row)?;
    diesel::insert_into(hostings::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a hosting over the one before. The site must be locked.
///
/// # Errors
/// As [`insert`].
pub fn update(conn: &mut Conn, row: &Hosting) -> Result<()> {
    check(conn, row)?;
    diesel::update(hostings::table.find(row.id)).set(row).execute(conn)?;
    Ok(())
}

fn check(conn: &mut Conn, row: &Hosting) -> Result<()> {
    check_references(conn, row)?;
    let mut others = hostings::table
        .filter(hostings::site_id.eq(row.site_id))
        .filter(hostings::id.ne(row.id))
        .filter(hostings::ends_on.is_null().or(hostings::ends_on.ge(row.written.starts_on)))
        .order(hostings::starts_on)
        .select((hostings::starts_on, hostings::ends_on))
        .into_boxed();
    if let Some(end) = row.written.ends_on {
        others = others.filter(hostings::starts_on.le(end));
    }
    let other: Option<(NaiveDate, Option<NaiveDate>)> = others.first(conn).optional()?;
    let Some((from, until)) = other else { return Ok(()) };
    let until = until.map_or_else(|| "further notice".to_owned(), |day| day.to_string());
    let detail = format!("The site already has a hosting from {from} until {until}.");
    Err(Error::new(Kind::HostingOverlap, detail))
}

fn check_references(conn: &mut Conn, row: &Hosting) -> Result<()> {
    let mut faults = Vec::new();
    let venue: bool = diesel::select(diesel::dsl::exists(venues::table.find(row.written.venue_id))).get_result(conn)?;
    if !venue {
        faults.push(Fault::at("/venue_id", "unknown_venue", "There is no such venue."));
    }
    if let Some(id) = row.written.partner_id
        && !crate::partners::store::exists(conn, id)?
    {
        faults.push(Fault::at("/partner_id", "unknown_partner", "There is no such partner."));
    }
    Error::unless_none(faults)
}
