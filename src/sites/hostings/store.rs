//! Hostings in the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::types::{Hosting, HostingInput};
use crate::db::schema::{hostings, venues};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Fault, Kind, Result};
use crate::http::page::Slice;

/// A row of `hostings`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = hostings, treat_none_as_null = true)]
pub struct HostingRow {
    pub(crate) id: Id,
    site_id: Id,
    venue_id: Id,
    partner_id: Option<Id>,
    starts_on: NaiveDate,
    ends_on: Option<NaiveDate>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl HostingRow {
    /// A new hosting of a site.
    pub fn new(id: Id, site_id: Id, written: HostingInput, now: Timestamp) -> Self {
        let HostingInput { venue_id, partner_id, starts_on, ends_on } = written;
        Self { id, site_id, venue_id, partner_id, starts_on, ends_on, version: 1, created_at: now, updated_at: now }
    }

    /// This row after a change.
    pub fn changed(&self, written: HostingInput, now: Timestamp) -> Self {
        let next = Self::new(self.id, self.site_id, written, now);
        Self { version: self.version + 1, created_at: self.created_at, ..next }
    }

    /// The hosting as a request would write it today.
    pub fn written(&self) -> HostingInput {
        Hosting::from(self.clone()).written
    }

    /// This hosting's place in the list.
    pub fn key(&self) -> HostingKey {
        (self.starts_on, self.id)
    }
}

impl From<HostingRow> for Hosting {
    fn from(row: HostingRow) -> Self {
        let HostingRow { venue_id, partner_id, starts_on, ends_on, .. } = row;
        Self {
            id: row.id,
            site_id: row.site_id,
            written: HostingInput { venue_id, partner_id, starts_on, ends_on },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The keys that hostings are listed by.
pub type HostingKey = (NaiveDate, Id);

/// A page of a site's hostings, the earliest first.
pub fn list(conn: &mut Conn, site_id: Id, slice: &Slice<HostingKey>) -> Result<Vec<HostingRow>> {
    let mut query = hostings::table.filter(hostings::site_id.eq(site_id)).select(HostingRow::as_select()).into_boxed();
    if let Some((day, id)) = &slice.after {
        query = query.filter(hostings::starts_on.gt(day).or(hostings::starts_on.eq(day).and(hostings::id.gt(id))));
    }
    Ok(query.order((hostings::starts_on, hostings::id)).limit(slice.fetch()).load(conn)?)
}

/// One hosting of a site.
///
/// # Errors
/// 404 if the site has no such hosting.
pub fn get(conn: &mut Conn, site_id: Id, id: Id) -> Result<HostingRow> {
    let own = hostings::table.find(id).filter(hostings::site_id.eq(site_id));
    let row = own.select(HostingRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("hosting"))
}

/// Adds a hosting of a site that is [locked](crate::sites::store::lock).
///
/// # Errors
/// 422 if the venue or the partner is unknown, 409 if the site has another hosting in that time.
pub fn insert(conn: &mut Conn, row: &HostingRow) -> Result<()> {
    check(conn, row)?;
    diesel::insert_into(hostings::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a hosting over the one before. The site must be locked.
///
/// # Errors
/// As [`insert`].
pub fn update(conn: &mut Conn, row: &HostingRow) -> Result<()> {
    check(conn, row)?;
    diesel::update(hostings::table.find(row.id)).set(row).execute(conn)?;
    Ok(())
}

fn check(conn: &mut Conn, row: &HostingRow) -> Result<()> {
    check_references(conn, row)?;
    let mut others = hostings::table
        .filter(hostings::site_id.eq(row.site_id))
        .filter(hostings::id.ne(row.id))
        .filter(hostings::ends_on.is_null().or(hostings::ends_on.ge(row.starts_on)))
        .order(hostings::starts_on)
        .select((hostings::starts_on, hostings::ends_on))
        .into_boxed();
    if let Some(end) = row.ends_on {
        others = others.filter(hostings::starts_on.le(end));
    }
    let other: Option<(NaiveDate, Option<NaiveDate>)> = others.first(conn).optional()?;
    let Some((from, until)) = other else { return Ok(()) };
    let until = until.map_or_else(|| "further notice".to_owned(), |day| day.to_string());
    let detail = format!("The site already has a hosting from {from} until {until}.");
    Err(Error::new(Kind::HostingOverlap, detail))
}

fn check_references(conn: &mut Conn, row: &HostingRow) -> Result<()> {
    let mut faults = Vec::new();
    let venue: bool = diesel::select(diesel::dsl::exists(venues::table.find(row.venue_id))).get_result(conn)?;
    if !venue {
        faults.push(Fault::at("/venue_id", "unknown_venue", "There is no such venue."));
    }
    if let Some(id) = row.partner_id
        && !crate::partners::store::exists(conn, id)?
    {
        faults.push(Fault::at("/partner_id", "unknown_partner", "There is no such partner."));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}
