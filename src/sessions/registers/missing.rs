//! Sessions whose register is still to be taken, for whoever runs them: a partner its own, advisors those of the service
//! itself.

use actix_web::HttpResponse;
use chrono::TimeDelta;
use diesel::dsl::exists;
use diesel::prelude::*;

use crate::auth::policy::{Policy, RegisterReader};
use crate::auth::reach::Reach;
use crate::clock::london_midnight;
use crate::db::schema::{registers, sessions};
use crate::db::{Conn, Timestamp};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::page::Slice;
use crate::http::reply::Cache;
use crate::sessions::search::ByStart;
use crate::sessions::search::filter::SessionFilter;
use crate::sessions::search::query::from_micros;
use crate::sessions::types::SessionStatus;
use crate::sessions::view::{self, Found, SessionView, found, found_selection};
use crate::sessions::visibility::published_or_not;

/// So many days back registers are looked for, unless `from` says otherwise.
const DAYS: i64 = 28;

/// The sessions of the caller that have begun, took place, and have no register, by start.
///
/// # Errors
/// 401 and 403 for whoever may read no registers. 400 with a filter that doesn't go together with it.
pub async fn answer(who: &Context, filter: SessionFilter) -> Result<HttpResponse> {
    RegisterReader::check(who.anyone())?;
    let reach = Reach::to_people(who.caller()?)?;
    refuse_others(&filter)?;
    let now = who.now();
    let slice = Slice::<ByStart>::read(who, filter.limit, filter.cursor.as_deref())?;
    let (after, many) = (slice.after, slice.fetch());
    let rows = who.state().db.read_long(move |conn| list(conn, reach, &filter, (after, many), now)).await?;
    who.show_page(Cache::Never, &slice.page(who, rows, SessionView::key, |row| row.as_of(now)))
}

/// Only days and a venue go together with it.
fn refuse_others(filter: &SessionFilter) -> Result<()> {
    let others = [
        ("pillar", filter.pillar.is_some()),
        ("booking_policy", filter.booking_policy.is_some()),
        ("series_id", filter.series_id.is_some()),
        ("delivery", filter.delivery.is_some()),
        ("partner_id", filter.partner_id.is_some()),
        ("programme_id", filter.programme_id.is_some()),
        ("local_authority", filter.local_authority.is_some()),
        ("q", filter.q.is_some()),
        ("topic", !filter.topic.is_empty()),
        ("accessibility", !filter.accessibility.is_empty()),
        ("near", filter.near.is_some()),
        ("within_km", filter.within_km.is_some()),
        ("has_space", filter.has_space.is_some()),
        ("starts_after", filter.starts_after.is_some()),
        ("starts_before", filter.starts_before.is_some()),
        ("weekday", !filter.weekday.is_empty()),
        ("sort", filter.sort.is_some()),
    ];
    match others.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => {
            let detail = "Can't be given together with register, which goes with from, to and venue_id.";
            Err(Error::parameter(*name, "not_together", detail))
        }
        None => Ok(()),
    }
}

fn list(
    conn: &mut Conn,
    reach: Reach,
    filter: &SessionFilter,
    (after, many): (Option<ByStart>, i64),
    now: Timestamp,
) -> Result<Vec<SessionView>> {
    let from = filter.from.map_or(Timestamp(now.0 - TimeDelta::days(DAYS)), london_midnight);
    let until = filter.to.and_then(|to| to.succ_opt()).map_or(now, |next| london_midnight(next).min(now));
    let taken = registers::table.filter(registers::session_id.eq(sessions::id));
    let mut query = found()
        .filter(published_or_not())
        .filter(sessions::starts_at.ge(from))
        .filter(sessions::starts_at.le(until))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(diesel::dsl::not(exists(taken)))
        .select(found_selection())
        .into_boxed();
    query = match reach {
        Reach::Partner(partner) => query.filter(sessions::partner_id.eq(partner)),
        Reach::Everyone => query.filter(sessions::partner_id.is_null()),
        Reach::Member(_) => return Err(Error::not_found("register")),
    };
    if let Some(venue) = filter.venue_id {
        query = query.filter(sessions::venue_id.eq(venue));
    }
    if let Some((start, id)) = after {
        let start = from_micros(start);
        let behind = sessions::starts_at.gt(start).or(sessions::starts_at.eq(start).and(sessions::id.gt(id)));
        query = query.filter(sessions::starts_at.ge(start)).filter(behind);
    }
    let rows: Vec<Found> = query.order((sessions::starts_at, sessions::id)).limit(many).load(conn)?;
    view::related(conn, rows)
}
