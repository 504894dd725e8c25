//! Erases again whom a restored database brought back: those whom the file of erased ids names, and who aren't erased in
//! the database. `serve` does this before it takes requests.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::erase::erase;
use super::journal;
use super::store::{self, ErasureRow};
use super::types::ErasureOrigin;
use crate::audit::{self, Event, Subject, purpose};
use crate::clock::new_id_at;
use crate::db::schema::members;
use crate::db::{AT_ONCE, Conn, Id};
use crate::error::{Error, Result};
use crate::http::state::State;
use crate::members::fate::is_live;
use crate::sessions::bookings::rules::Terms;

/// What the events name in place of a request.
const SOURCE: &str = "erasures-log";

/// Erases everybody whom the file names and the database still has. Returns how many they were.
///
/// # Errors
/// Those of the file and of the database. The server must not start then.
pub async fn erase_again(state: &State) -> Result<usize> {
    let folder = state.tokens.folder().to_owned();
    let named = actix_web::web::block(move || journal::read(&folder)).await.map_err(Error::blocking)??;
    let terms = Terms { now: state.clock.now(), hours: state.config.offers };
    let mut erased = 0;
    for chunk in named.chunks(AT_ONCE) {
        let ids: Vec<Id> = chunk.iter().map(|(id, _)| *id).collect();
        let there: Vec<Id> = state.db.read(move |conn| still_there(conn, &ids)).await?;
        for (id, day) in chunk.iter().copied().filter(|(id, _)| there.contains(id)) {
            let again = state.db.write(move |conn| again(conn, id, day, terms)).await?;
            erased += usize::from(again);
        }
    }
    if erased > 0 {
        log::warn!(
            "the database was restored: {erased} people were in it whom {} names, and were erased again",
            journal::FILE
        );
    }
    Ok(erased)
}

fn still_there(conn: &mut Conn, ids: &[Id]) -> Result<Vec<Id>> {
    let there = members::table.filter(members::id.eq_any(ids)).filter(is_live()).select(members::id);
    Ok(there.load(conn)?)
}

/// Erases one of them, unless another server has done so meanwhile.
fn again(conn: &mut Conn, id: Id, day: NaiveDate, terms: Terms) -> Result<bool> {
    crate::lock_rows!(conn, members, [id]);
    if still_there(conn, &[id])?.is_empty() {
        return Ok(false);
    }
    let now = terms.now;
    let event = |action, subject, fields: &[&str]| {
        Event::of_system(now, SOURCE, action, subject, fields).for_purpose(purpose::usual(action, subject))
    };
    let rows = erase(conn, id, terms, &event)?;
    let row = match store::open_of(conn, id)? {
        Some(open) => open,
        None => {
            let new = ErasureRow::new(new_id_at(now), id, (ErasureOrigin::Restored, None), day, now);
            store::insert(conn, &new)?;
            new
        }
    };
    store::update(conn, &row.executed(rows, now).logged())?;
    audit::record(conn, &[event("erase", Subject::of_member("erasure", row.key(), id), &[])])?;
    Ok(true)
}
