//! The task that looks at night for duplicates of everybody whose record changed.
//!
//! It goes through the records in the order of their last change, and remembers how far it has come. So a night that is
//! missed is made up for, and after an upgrade it goes through all records once.

use std::time::Duration;

use chrono::Timelike;
use chrono_tz::Europe::London;
use diesel::prelude::*;
use futures_util::future::LocalBoxFuture;

use super::search::{self, Found, PersonRow};
use super::store;
use crate::background::Task;
use crate::config::Config;
use crate::db::schema::{duplicate_searches, members};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::http::state::State;
use crate::members::fate::is_live;

/// The hours of the night in London: from the first to before the last.
const HOURS: (u32, u32) = (2, 5);
/// How many members are compared at once. Their pairs are written in one transaction.
const AT_ONCE: i64 = 50;
/// How many seconds old a change must be. A change that is being written may have an earlier time than one that can be
/// read already.
const SETTLED: i64 = 60;
/// The name of the task, and of its place.
const NAME: &str = "possible-duplicates";

/// The task.
pub const TASK: Task =
    Task { name: NAME, every: Duration::from_secs(600), longest: Duration::from_secs(600), due: is_due, run };

/// How far the task has come: the time of the change that it looked at last, and its member.
type Place = (Timestamp, Id);

fn is_due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    let hour = now.0.with_timezone(&London).hour();
    Ok((HOURS.0..HOURS.1).contains(&hour) && !next(conn, now, 1)?.1.is_empty())
}

/// The place that the task has come to, and the next members after it.
fn next(conn: &mut Conn, now: Timestamp, most: i64) -> Result<(Option<Place>, Vec<Place>)> {
    use members::{id, updated_at};
    let place: Option<Place> = duplicate_searches::table
        .find(NAME)
        .select((duplicate_searches::changed_at, duplicate_searches::last_id))
        .first(conn)
        .optional()?;
    let changed = members::table.filter(updated_at.le(now.plus_seconds(-SETTLED)));
    let changed = changed.order((updated_at, id)).limit(most).select((updated_at, id)).into_boxed();
    let changed = match place {
        Some((at, last)) => changed.filter(updated_at.ge(at)).filter(updated_at.gt(at).or(id.gt(last))),
        None => changed,
    };
    Ok((place, changed.load(conn)?))
}

fn run(state: State) -> LocalBoxFuture<'static, Result<()>> {
    Box::pin(go_through(state))
}

/// Compares everybody whose record changed, until the task is about to lose its lease.
async fn go_through(state: State) -> Result<()> {
    let now = state.clock.now();
    let end = Timestamp(now.0 + TASK.longest / 2);
    while !state.stopping() && state.clock.now() < end {
        let (next, compared) = state.db.read_long(move |conn| compare(conn, now)).await?;
        let Some(last) = next else { break };
        state.db.write(move |conn| keep(conn, &compared, last, now)).await?;
    }
    Ok(())
}

/// Compares the next members with others. Returns the place of the last one.
fn compare(conn: &mut Conn, now: Timestamp) -> Result<(Option<Place>, Vec<(Id, Vec<Found>)>)> {
    let (_, next) = next(conn, now, AT_ONCE)?;
    let ids: Vec<Id> = next.iter().map(|(_, id)| *id).collect();
    let people = members::table.filter(members::id.eq_any(&ids)).filter(is_live()).order(members::id);
    let people: Vec<PersonRow> = people.select(PersonRow::as_select()).load(conn)?;
    let mut compared = Vec::with_capacity(people.len());
    for person in people {
        let before = store::alike_before(conn, person.id)?;
        compared.push((person.id, search::search_again(conn, &person, &before)?));
    }
    Ok((next.last().copied(), compared))
}

/// Writes the pairs that were found, and how far the task has come.
fn keep(conn: &mut Conn, compared: &[(Id, Vec<Found>)], (at, last): Place, now: Timestamp) -> Result<()> {
    let alike = compared.iter().flat_map(|(id, found)| found.iter().map(|found| found.id).chain([*id]));
    store::hold(conn, alike)?;
    for (id, found) in compared {
        store::settle(conn, *id, found, now)?;
    }
    let place = (duplicate_searches::changed_at.eq(at), duplicate_searches::last_id.eq(last));
    if diesel::update(duplicate_searches::table.find(NAME)).set(place).execute(conn)? == 0 {
        diesel::insert_into(duplicate_searches::table)
            .values((duplicate_searches::name.eq(NAME), place))
            .execute(conn)?;
    }
    Ok(())
}
