//! Spaces in the database.

use diesel::prelude::*;

use super::types::{Space, SpaceInput};
use crate::db::schema::{session_series, sessions, spaces};
use crate::db::{self, Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;

/// A row of `spaces`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = spaces, treat_none_as_null = true)]
pub struct SpaceRow {
    pub(crate) id: Id,
    venue_id: Id,
    name: String,
    capacity: Option<i32>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl SpaceRow {
    /// A new space of a venue.
    pub fn new(id: Id, venue_id: Id, written: SpaceInput, now: Timestamp) -> Self {
        let SpaceInput { name, capacity } = written;
        Self { id, venue_id, name, capacity, version: 1, created_at: now, updated_at: now }
    }

    /// This row after a change.
    pub fn changed(&self, written: SpaceInput, now: Timestamp) -> Self {
        let next = Self::new(self.id, self.venue_id, written, now);
        Self { version: self.version + 1, created_at: self.created_at, ..next }
    }

    /// The space as a request would write it today.
    pub fn written(&self) -> SpaceInput {
        Space::from(self.clone()).written
    }

    /// This space's place in the list.
    pub fn key(&self) -> SpaceKey {
        (self.name.clone(), self.id)
    }
}

impl From<SpaceRow> for Space {
    fn from(row: SpaceRow) -> Self {
        Self {
            id: row.id,
            venue_id: row.venue_id,
            written: SpaceInput { name: row.name, capacity: row.capacity },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The keys that spaces are listed by.
pub type SpaceKey = (String, Id);

/// A page of a venue's spaces by name.
pub fn list(conn: &mut Conn, venue_id: Id, slice: &Slice<SpaceKey>) -> Result<Vec<SpaceRow>> {
    let mut query = spaces::table.filter(spaces::venue_id.eq(venue_id)).select(SpaceRow::as_select()).into_boxed();
    if let Some((name, id)) = &slice.after {
        query = query.filter(spaces::name.gt(name).or(spaces::name.eq(name).and(spaces::id.gt(id))));
    }
    Ok(query.order((spaces::name, spaces::id)).limit(slice.fetch()).load(conn)?)
}

/// One space of a venue.
///
/// # Errors
/// 404 if the venue has no such space.
pub fn get(conn: &mut Conn, venue_id: Id, id: Id) -> Result<SpaceRow> {
    let own = spaces::table.find(id).filter(spaces::venue_id.eq(venue_id));
    let row = own.select(SpaceRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("space"))
}

/// Adds a space.
///
/// # Errors
/// 409 if the venue already has a space of this name.
pub fn insert(conn: &mut Conn, row: &SpaceRow) -> Result<()> {
    diesel::insert_into(spaces::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a space over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the venue already has a space of this name.
pub fn update(conn: &mut Conn, row: &SpaceRow) -> Result<()> {
    let unchanged = spaces::table.filter(spaces::id.eq(row.id)).filter(spaces::version.eq(row.version - 1));
    db::one_row(diesel::update(unchanged).set(row).execute(conn)?)
}

/// Removes a space.
///
/// # Errors
/// 409 if sessions or series take place in it.
pub fn delete(conn: &mut Conn, id: Id) -> Result<()> {
    use diesel::dsl::{exists, select};
    // A session that is just being created holds a lock on the space: wait for it, then look. SQLite has one writer.
    if let Conn::Postgres(postgres) = conn {
        spaces::table.find(id).select(spaces::id).for_update().first::<Id>(postgres).optional()?;
    }
    let used: bool = select(
        exists(sessions::table.filter(sessions::space_id.eq(id)))
            .or(exists(session_series::table.filter(session_series::space_id.eq(id)))),
    )
    .get_result(conn)?;
    if used {
        return Err(Error::new(Kind::InUse, "Sessions take place in this space, so it can't be deleted."));
    }
    diesel::delete(spaces::table.find(id)).execute(conn)?;
    Ok(())
}
