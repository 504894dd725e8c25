//! Venues in the database.

use std::collections::BTreeSet;

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::near::Circle;
use super::types::{Venue, VenueFilter};
use crate::db::schema::{hostings, session_series, sessions, spaces, venue_words, venues};
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;
use crate::insert_many;
use crate::text::short_name::ShortName;
use crate::text::words::{Wanted, word_of_feature, words};

/// A page of venues by name.
pub fn list(
    conn: &mut Conn,
    filter: &VenueFilter,
    search: &[Wanted],
    circle: Option<&Circle>,
    slice: &Slice<(String, Id)>,
) -> Result<Vec<Venue>> {
    let mut query = venues::table.select(Venue::as_select()).into_boxed();
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
            Wanted::Either(any, beginning, end) => {
                let range = words.filter(venue_words::word.ge(beginning)).filter(venue_words::word.lt(end));
                query.filter(exists(words.filter(venue_words::word.eq_any(any))).or(exists(range)))
            }
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
pub fn get(conn: &mut Conn, id: Id) -> Result<Venue> {
    let row = venues::table.find(id).select(Venue::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("venue"))
}

/// A venue, locked until the transaction ends: nobody places a session there meanwhile.
///
/// # Errors
/// 404 if there is none.
pub fn lock(conn: &mut Conn, id: Id) -> Result<Venue> {
    if let Conn::Postgres(postgres) = conn {
        venues::table.find(id).select(venues::id).for_no_key_update().first::<Id>(postgres).optional()?;
    }
    get(conn, id)
}

/// Adds a venue.
///
/// # Errors
/// 409 if the slug is taken.
pub fn insert(conn: &mut Conn, row: &Venue) -> Result<()> {
    diesel::insert_into(venues::table).values(row).execute(conn)?;
    write_words(conn, row)
}

/// Writes the next version of a venue over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the slug is taken.
pub fn update(conn: &mut Conn, row: &Venue) -> Result<()> {
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
fn write_words(conn: &mut Conn, row: &Venue) -> Result<()> {
    let written = &row.written;
    let texts = [Some(&written.name), written.address.town.as_ref(), Some(&written.local_authority)];
    let mut all: BTreeSet<String> = texts.into_iter().flatten().flat_map(|text| words(text)).collect();
    all.extend(written.accessibility.0.iter().map(|feature| word_of_feature(feature)));
    let rows: Vec<WordRow> = all.into_iter().map(|word| WordRow { venue_id: row.id, word }).collect();
    Ok(insert_many!(conn, venue_words::table, rows)?)
}
