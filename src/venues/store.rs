//! Venues in the database.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::near::Circle;
use super::types::{Address, OpeningHours, Venue, VenueFilter, VenueInput, VenueKind, VenueStatus};
use crate::db::schema::{hostings, session_series, sessions, spaces, venue_words, venues};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;
use crate::insert_many;
use crate::places::LocalAuthority;
use crate::text::postcode;
use crate::text::short_name::ShortName;
use crate::text::words::{Wanted, word_of_feature, words};

/// A row of `venues`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = venues, treat_none_as_null = true)]
pub struct VenueRow {
    pub(crate) id: Id,
    slug: String,
    name: String,
    kind: VenueKind,
    line_1: Option<String>,
    line_2: Option<String>,
    town: Option<String>,
    county: Option<String>,
    postcode: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    local_authority: String,
    local_authority_code: String,
    uprn: Option<String>,
    accessibility: Json<Vec<String>>,
    capacity: Option<i32>,
    opening_hours: Json<OpeningHours>,
    status: VenueStatus,
    status_from: Option<NaiveDate>,
    status_until: Option<NaiveDate>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl VenueRow {
    /// A new venue.
    pub fn new(id: Id, written: VenueInput, now: Timestamp) -> Self {
        let VenueInput { slug, name, kind, address, latitude, longitude, local_authority, .. } = written;
        let (local_authority, local_authority_code) = named(local_authority);
        Self {
            id,
            slug,
            name,
            kind,
            line_1: address.line_1,
            line_2: address.line_2,
            town: address.town,
            county: address.county,
            postcode: address.postcode.as_deref().and_then(postcode::read),
            latitude,
            longitude,
            local_authority,
            local_authority_code,
            uprn: written.uprn,
            accessibility: Json(written.accessibility),
            capacity: written.capacity,
            opening_hours: Json(written.opening_hours),
            status: written.status,
            status_from: written.status_from,
            status_until: written.status_until,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// This row after a change.
    pub fn changed(&self, written: VenueInput, now: Timestamp) -> Self {
        Self { version: self.version + 1, created_at: self.created_at, ..Self::new(self.id, written, now) }
    }

    /// The name people know it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The status with its first and last day, and the opening hours.
    pub(super) fn closure(&self) -> (VenueStatus, Option<NaiveDate>, Option<NaiveDate>, &Json<OpeningHours>) {
        (self.status, self.status_from, self.status_until, &self.opening_hours)
    }

    /// The venue as a request would write it today.
    pub fn written(&self) -> VenueInput {
        Venue::from(self.clone()).written
    }
}

impl From<VenueRow> for Venue {
    fn from(row: VenueRow) -> Self {
        let address = Address {
            line_1: row.line_1,
            line_2: row.line_2,
            town: row.town,
            county: row.county,
            postcode: row.postcode,
        };
        Self {
            id: row.id,
            written: VenueInput {
                slug: row.slug,
                name: row.name,
                kind: row.kind,
                address,
                latitude: row.latitude,
                longitude: row.longitude,
                local_authority: row.local_authority,
                uprn: row.uprn,
                accessibility: row.accessibility.0,
                capacity: row.capacity,
                opening_hours: row.opening_hours.0,
                status: row.status,
                status_from: row.status_from,
                status_until: row.status_until,
            },
            local_authority_code: row.local_authority_code,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The official name and the code of a local authority. The schema has already refused unknown names.
fn named(local_authority: String) -> (String, String) {
    match local_authority.parse::<LocalAuthority>() {
        Ok(known) => (known.name.to_owned(), known.code.to_owned()),
        Err(_) => (local_authority, String::new()),
    }
}

impl VenueRow {
    /// This venue's place in the list.
    pub fn key(&self) -> (String, Id) {
        (self.name.clone(), self.id)
    }
}

/// A page of venues by name.
pub fn list(
    conn: &mut Conn,
    filter: &VenueFilter,
    search: &[Wanted],
    circle: Option<Circle>,
    slice: &Slice<(String, Id)>,
) -> Result<Vec<VenueRow>> {
    let mut query = venues::table.select(VenueRow::as_select()).into_boxed();
    if let Some(authority) = &filter.local_authority {
        query = query.filter(venues::local_authority.eq(authority.name));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(venues::kind.eq(kind));
    }
    if let Some(status) = filter.status {
        query = query.filter(venues::status.eq(status));
    }
    for wanted in search {
        let words = venue_words::table.filter(venue_words::venue_id.eq(venues::id));
        query = match wanted {
            Wanted::OneOf(any) => query.filter(exists(words.filter(venue_words::word.eq_any(any)))),
            Wanted::Between(beginning, end) => {
                let from = words.filter(venue_words::word.ge(beginning));
                query.filter(exists(from.filter(venue_words::word.lt(end))))
            }
        };
    }
    for ShortName(feature) in &filter.accessibility {
        let words = venue_words::table.filter(venue_words::venue_id.eq(venues::id));
        query = query.filter(exists(words.filter(venue_words::word.eq(word_of_feature(feature)))));
    }
    if let Some(circle) = circle {
        let near: Vec<Id> = circle.venues(conn)?.into_iter().map(|(_, id)| id).collect();
        query = query.filter(venues::id.eq_any(near));
    }
    if let Some((name, id)) = &slice.after {
        query = query.filter(venues::name.gt(name).or(venues::name.eq(name).and(venues::id.gt(id))));
    }
    Ok(query.order((venues::name, venues::id)).limit(slice.fetch()).load(conn)?)
}

/// One venue.
///
/// # Errors
/// 404 if there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<VenueRow> {
    let row = venues::table.find(id).select(VenueRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("venue"))
}

/// A venue, locked until the transaction ends: nobody places a session there meanwhile.
///
/// # Errors
/// 404 if there is none.
pub fn lock(conn: &mut Conn, id: Id) -> Result<VenueRow> {
    if let Conn::Postgres(postgres) = conn {
        venues::table.find(id).select(venues::id).for_no_key_update().first::<Id>(postgres).optional()?;
    }
    get(conn, id)
}

/// Adds a venue.
///
/// # Errors
/// 409 if the slug is taken.
pub fn insert(conn: &mut Conn, row: &VenueRow) -> Result<()> {
    diesel::insert_into(venues::table).values(row).execute(conn)?;
    write_words(conn, row)
}

/// Writes the next version of a venue over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the slug is taken.
pub fn update(conn: &mut Conn, row: &VenueRow) -> Result<()> {
    crate::write_next!(conn, venues, row)?;
    diesel::delete(venue_words::table.filter(venue_words::venue_id.eq(row.id))).execute(conn)?;
    write_words(conn, row)
}

/// Removes a venue and its spaces.
///
/// # Errors
/// 409 if sessions, series or hostings refer to it.
pub fn delete(conn: &mut Conn, id: Id) -> Result<()> {
    // Venues are locked before spaces, as everywhere.
    crate::lock_rows!(conn, venues, [id]);
    let used: bool = select(
        exists(sessions::table.filter(sessions::venue_id.eq(id)))
            .or(exists(session_series::table.filter(session_series::venue_id.eq(id))))
            .or(exists(hostings::table.filter(hostings::venue_id.eq(id)))),
    )
    .get_result(conn)?;
    if used {
        return Err(Error::new(
            Kind::InUse,
            "Sessions or sites refer to this venue. Set its status to closed instead.",
        ));
    }
    diesel::delete(venue_words::table.filter(venue_words::venue_id.eq(id))).execute(conn)?;
    diesel::delete(spaces::table.filter(spaces::venue_id.eq(id))).execute(conn)?;
    diesel::delete(venues::table.find(id)).execute(conn)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = venue_words)]
struct WordRow {
    venue_id: Id,
    word: String,
}

/// Writes the words that a venue is found by.
fn write_words(conn: &mut Conn, row: &VenueRow) -> Result<()> {
    let texts = [Some(&row.name), row.town.as_ref(), Some(&row.local_authority)];
    let mut all: BTreeSet<String> = texts.into_iter().flatten().flat_map(|text| words(text)).collect();
    all.extend(row.accessibility.0.iter().map(|feature| word_of_feature(feature)));
    let rows: Vec<WordRow> = all.into_iter().map(|word| WordRow { venue_id: row.id, word }).collect();
    Ok(insert_many!(conn, venue_words::table, rows)?)
}
