//! The existing sessions of a series, in the database.

use diesel::prelude::*;

use crate::db::schema::sessions;
use crate::db::{Conn, Id, LocalTime, Timestamp};
use crate::error::Result;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::store::{SessionRow, of_series};
use crate::sessions::types::SessionStatus;

/// How many values one `IN (…)` holds.
const CHUNK: usize = 500;

/// All sessions of a series, in the order of their occurrences. They are locked until the transaction ends, so nobody
/// books them in between.
pub fn of_series_locked(conn: &mut Conn, series_id: Id) -> Result<Vec<SessionRow>> {
    // Sessions are always locked in the order of their ids. SQLite has one writer and needs no locks.
    if let Conn::Postgres(postgres) = conn {
        let rows = sessions::table.filter(sessions::series_id.eq(series_id)).order(sessions::id).select(sessions::id);
        rows.for_no_key_update().load::<Id>(postgres)?;
    }
    of_series(conn, series_id)
}

/// Moves sessions from one series to another. Nothing else about them changes.
pub fn reparent(conn: &mut Conn, ids: &[Id], to: Id, now: Timestamp) -> Result<()> {
    let given = (sessions::series_id.eq(to), sessions::version.eq(sessions::version + 1), sessions::updated_at.eq(now));
    for chunk in ids.chunks(CHUNK) {
        diesel::update(sessions::table.filter(sessions::id.eq_any(chunk))).set(given).execute(conn)?;
    }
    Ok(())
}

/// Writes which occurrences sessions now are. Nothing that is shown of them changes, so they keep their versions.
pub fn rekey(conn: &mut Conn, rekeyed: &[(Id, OccurrenceKey)]) -> Result<()> {
    for (id, key) in rekeyed {
        diesel::update(sessions::table.find(id)).set(sessions::occurrence.eq(key)).execute(conn)?;
    }
    Ok(())
}

/// The sessions of a series that are still to come and don't follow it, by start. Each is its local start, and whether
/// it was cancelled. The others were edited by hand.
pub fn not_following(conn: &mut Conn, series_id: Id, now: Timestamp) -> Result<Vec<(LocalTime, bool)>> {
    let future = sessions::table.filter(sessions::series_id.eq(series_id)).filter(sessions::starts_at.gt(now));
    let others = future.filter(sessions::edited.eq(true).or(sessions::status.eq(SessionStatus::Cancelled)));
    let rows = others.order((sessions::starts_at, sessions::id)).select((sessions::local_start, sessions::status));
    let rows: Vec<(LocalTime, SessionStatus)> = rows.load(conn)?;
    Ok(rows.into_iter().map(|(start, status)| (start, status == SessionStatus::Cancelled)).collect())
}
