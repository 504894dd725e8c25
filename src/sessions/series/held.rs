//! The sessions that a series has, in the database.

use diesel::prelude::*;

use crate::db::schema::sessions;
use crate::db::{Conn, Id, LocalTime, Timestamp};
use crate::error::Result;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::store::{SessionRow, of_series};
use crate::sessions::types::SessionStatus;

/// Values in one `IN (…)`.
const CHUNK: usize = 500;

/// All sessions of a series, in the order of their occurrences, held until the transaction ends: nobody books them meanwhile.
pub fn of_series_locked(conn: &mut Conn, series_id: Id) -> Result<Vec<SessionRow>> {
    // Row locks are PostgreSQL's alone: SQLite has one writer. In the order of their ids, as everywhere.
    if let Conn::Postgres(postgres) = conn {
        let rows = sessions::table.filter(sessions::series_id.eq(series_id)).order(sessions::id).select(sessions::id);
        rows.for_no_key_update().load::<Id>(postgres)?;
    }
    of_series(conn, series_id)
}

/// Gives sessions of one series to another. What they are stays.
pub fn reparent(conn: &mut Conn, ids: &[Id], to: Id, now: Timestamp) -> Result<()> {
    let given = (sessions::series_id.eq(to), sessions::version.eq(sessions::version + 1), sessions::updated_at.eq(now));
    for chunk in ids.chunks(CHUNK) {
        diesel::update(sessions::table.filter(sessions::id.eq_any(chunk))).set(given).execute(conn)?;
    }
    Ok(())
}

/// Says of sessions which occurrence they are now. Nothing that is shown of them changes, and so they keep their
/// version.
pub fn rekey(conn: &mut Conn, rekeyed: &[(Id, OccurrenceKey)]) -> Result<()> {
    // Two may exchange their keys, and no two of a series may have one at any moment.
    for chunk in rekeyed.chunks(CHUNK) {
        let these = sessions::table.filter(sessions::id.eq_any(chunk.iter().map(|(id, _)| id)));
        diesel::update(these).set(sessions::occurrence.eq(sessions::occurrence.concat("-"))).execute(conn)?;
    }
    for (id, key) in rekeyed {
        diesel::update(sessions::table.find(id)).set(sessions::occurrence.eq(key)).execute(conn)?;
    }
    Ok(())
}

/// The sessions of a series that are still to come and don't follow it since people changed them or called them off, by
/// start: the local start, and whether it was called off.
pub fn not_following(conn: &mut Conn, series_id: Id, now: Timestamp) -> Result<Vec<(LocalTime, bool)>> {
    let future = sessions::table.filter(sessions::series_id.eq(series_id)).filter(sessions::starts_at.gt(now));
    let others = future.filter(sessions::edited.eq(true));
    let rows = others.order((sessions::starts_at, sessions::id)).select((sessions::local_start, sessions::status));
    let rows: Vec<(LocalTime, SessionStatus)> = rows.load(conn)?;
    Ok(rows.into_iter().map(|(start, status)| (start, status == SessionStatus::Cancelled)).collect())
}
