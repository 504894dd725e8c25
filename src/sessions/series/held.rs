//! The existing sessions of a series, in the database.

use chrono::NaiveDate;
use diesel::dsl::max;
use diesel::prelude::*;

use crate::db::schema::sessions;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::series_listings;
use crate::sessions::store;
use crate::sessions::types::{Publication, SessionStatus};

/// Locks all sessions of a series until the transaction ends, so nobody books them in between.
pub fn lock(conn: &mut Conn, series_id: Id) -> Result<()> {
    if let Conn::Postgres(_) = conn {
        let of_it = sessions::table.filter(sessions::series_id.eq(series_id)).select(sessions::id);
        let ids: Vec<Id> = of_it.load(conn)?;
        store::lock(conn, ids)?;
    }
    Ok(())
}

/// The spaces that the drafts among the sessions of a series take once they are published. A session may still be in
/// another space than its series.
pub fn spaces_of_drafts(conn: &mut Conn, series_id: Id) -> Result<Vec<Id>> {
    let drafts = sessions::table.filter(sessions::series_id.eq(series_id));
    let drafts = drafts.filter(sessions::publication.eq(Publication::Draft));
    let of_it = drafts.filter(sessions::space_id.is_not_null());
    Ok(of_it.select(sessions::space_id.assume_not_null()).distinct().load(conn)?)
}

/// The last local date on which a session of the rule is on.
pub fn last_date(conn: &mut Conn, series_id: Id) -> Result<Option<NaiveDate>> {
    let on =
        sessions::table.filter(sessions::series_id.eq(series_id)).filter(sessions::status.eq(SessionStatus::Scheduled));
    let of_rule = on.filter(sessions::occurrence.not_like("%+"));
    let last: Option<OccurrenceKey> = of_rule.select(max(sessions::occurrence)).first(conn)?;
    Ok(last.map(OccurrenceKey::date))
}

/// Moves sessions from one series to another. Nothing else about them changes.
pub fn reparent(conn: &mut Conn, ids: &[Id], to: Id, now: Timestamp) -> Result<()> {
    let given = (sessions::series_id.eq(to), sessions::version.eq(sessions::version + 1), sessions::updated_at.eq(now));
    for chunk in ids.chunks(AT_ONCE) {
        diesel::update(sessions::table.filter(sessions::id.eq_any(chunk))).set(given).execute(conn)?;
    }
    series_listings::add_moved(conn, ids, to)
}

/// Writes which occurrences sessions now are. Nothing that is shown of them changes, so they keep their versions.
pub fn rekey(conn: &mut Conn, rekeyed: &[(Id, OccurrenceKey)]) -> Result<()> {
    // Two may exchange their keys, and no two of a series may have one at any moment.
    for chunk in rekeyed.chunks(AT_ONCE) {
        let these = sessions::table.filter(sessions::id.eq_any(chunk.iter().map(|(id, _)| id)));
        diesel::update(these).set(sessions::occurrence.eq(sessions::occurrence.concat("-"))).execute(conn)?;
    }
    for (id, key) in rekeyed {
        diesel::update(sessions::table.find(id)).set(sessions::occurrence.eq(key)).execute(conn)?;
    }
    Ok(())
}
