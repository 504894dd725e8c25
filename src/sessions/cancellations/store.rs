//! The sessions that a cancellation concerns, in the database.

use std::collections::HashSet;

use chrono::{Days, NaiveDate};
use diesel::prelude::*;

use super::types::PeopleCounts;
use crate::clock::london_midnight;
use crate::db::schema::{session_series, sessions, wordings};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::members::contact::may_write_to;
use crate::sessions::affected::{self, Affected, Columns};
use crate::sessions::notices;
use crate::sessions::types::{Delivery, SessionStatus};
use crate::sessions::visibility::published_or_not;

/// The most sessions that one cancellation calls off.
pub const MOST_SESSIONS: usize = 2_000;
/// The most places that are booked in them: each person is told, and others wait meanwhile.
pub const MOST_BOOKED: i64 = 5_000;

/// Whose sessions, and which of them.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Only this partner's.
    pub partner_id: Option<Id>,
    /// Only those that people come to at this venue.
    pub venue_id: Option<Id>,
    /// Only those of this series.
    pub series_id: Option<Id>,
    /// The first day on which they start, in London.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
}

/// The sessions to come that are wanted. Unless it is a dry run, they are locked until the transaction ends.
///
/// # Errors
/// 422 if the partner has no such series, or if they are too many for one request.
pub fn affected(conn: &mut Conn, wanted: &Wanted, dry_run: bool, now: Timestamp) -> Result<Affected> {
    check_series(conn, wanted)?;
    let until = wanted.to.checked_add_days(Days::new(1)).map(london_midnight);
    let read = |conn: &mut Conn| {
        let mut query = sessions::table
            .inner_join(wordings::table)
            .filter(published_or_not())
            .filter(sessions::starts_at.gt(now))
            .filter(sessions::starts_at.ge(london_midnight(wanted.from)))
            .filter(sessions::status.eq(SessionStatus::Scheduled))
            .select(Columns::as_select())
            .into_boxed();
        if let Some(until) = until {
            query = query.filter(sessions::starts_at.lt(until));
        }
        if let Some(id) = wanted.partner_id {
            query = query.filter(sessions::partner_id.eq(id));
        }
        if let Some(id) = wanted.venue_id {
            query = query.filter(sessions::venue_id.eq(id)).filter(sessions::delivery.ne(Delivery::Online));
        }
        if let Some(id) = wanted.series_id {
            query = query.filter(sessions::series_id.eq(id));
        }
        let most = i64::try_from(MOST_SESSIONS).unwrap_or(i64::MAX);
        Ok(query.order((sessions::starts_at, sessions::id)).limit(most + 1).load(conn)?)
    };
    let found = if dry_run { affected::unlocked(conn, read)? } else { affected::locked(conn, read)? };
    let counts = found.counts();
    if counts.sessions > MOST_SESSIONS || counts.booked > MOST_BOOKED {
        let detail = format!(
            "One request calls off at most {MOST_SESSIONS} sessions with {MOST_BOOKED} booked places. Choose fewer days."
        );
        return Err(Error::rule("/to", "too_many", detail));
    }
    Ok(found)
}

/// Checks that the series is the partner's, if both are given.
fn check_series(conn: &mut Conn, wanted: &Wanted) -> Result<()> {
    let Some(id) = wanted.series_id else { return Ok(()) };
    let mut query = session_series::table.filter(session_series::id.eq(id)).into_boxed();
    if let Some(partner) = wanted.partner_id {
        query = query.filter(session_series::partner_id.eq(partner));
    }
    if query.select(session_series::id).first::<Id>(conn).optional()?.is_none() {
        return Err(Error::rule("/series_id", "not_found", "There is no such series."));
    }
    Ok(())
}

/// How many people have a booking in these sessions, and how many of them can be told by e-mail.
pub fn people(conn: &mut Conn, context: &Context, sessions: &[Id]) -> Result<PeopleCounts> {
    let members: HashSet<Id> = notices::pending(conn, sessions)?.iter().map(|booking| booking.member_id).collect();
    let members: Vec<Id> = members.into_iter().collect();
    let ways = may_write_to(conn, &members)?;
    let has_mail = context.state().config.mail.is_some();
    let is_told = |id: &&Id| notices::not_reached_because(ways.get(id).copied(), has_mail).is_none();
    let told = members.iter().filter(is_told).count();
    Ok(PeopleCounts { told, not_reached: members.len() - told })
}
