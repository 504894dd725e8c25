//! `missing=cancel`: cancels what a partner's roster no longer names.
//!
//! - A roster can name only what has an `external_id`, so nothing else can be missing.
//! - Sessions to come that nobody has booked and nobody has edited are cancelled. The others stay, and are reported.
//! - If no session of a series stays, the series is cancelled too. If some stay, the series [ends](Ending) after the last of
//!   them. So nothing more is made of it, and no change by hand brings the cancelled sessions back. A roster that names the
//!   series again does.
//! - A series that has no sessions to come stays as it is.
//! - Sessions of a series that was split off by hand stay. They are reported under its `external_id`, or under that of the
//!   series that they were split from, unless the roster names one of them.
//! - If the `external_id` of an entry can't be read, nothing is cancelled: the entry may name what seems to be missing.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::body::Posting;
use super::current::Hold;
use super::types::{EntryOutcome, Outcome, RosterSkip, SkipReason};
use crate::clock::london_day;
use crate::db::schema::{session_series, sessions};
use crate::db::{Conn, Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::sessions::bookings::expired_offers::RunOut;
use crate::sessions::recurrence::{self, OccurrenceKey, is_endless};
use crate::sessions::series::store::{self as series_store, Ending, SeriesRow};
use crate::sessions::store as session_store;
use crate::sessions::types::{SeriesStatus, SessionStatus};
use crate::sessions::visibility::published_or_not;

/// Why it is cancelled, for whoever looks at it.
const REASON: &str = "It is no longer in the partner's roster.";

/// A session that is still to come.
#[derive(Debug, Clone, Queryable)]
struct Coming {
    id: Id,
    series_id: Option<Id>,
    external_id: Option<String>,
    occurrence: Option<OccurrenceKey>,
    local_start: LocalTime,
    status: SessionStatus,
    edited: bool,
    seats_taken: i32,
    online_seats_taken: i32,
    waitlist_length: i32,
}

impl Coming {
    /// Why it stays, where it does.
    fn stays(&self) -> Option<SkipReason> {
        if self.seats_taken + self.online_seats_taken + self.waitlist_length > 0 {
            return Some(SkipReason::Booked);
        }
        self.edited.then_some(SkipReason::Edited)
    }
}

/// What a roster could name and doesn't: a partner's active series, and what is still to come of them and of single
/// sessions.
#[derive(Debug, Default)]
pub struct Absent {
    series: Vec<(SeriesRow, Vec<Coming>)>,
    singles: Vec<Coming>,
    /// What is still to come of series that were split off by hand, with the `external_id` that each goes back to.
    split_off: Vec<(String, Coming)>,
    /// How many sessions of the partner are to come.
    to_come: usize,
}

impl Absent {
    /// Reads it.
    pub fn load(conn: &mut Conn, posting: &Posting, now: Timestamp, hold: Hold) -> Result<Self> {
        let named = |external_id: &str| posting.place(external_id).is_some();
        let series = session_series::table
            .filter(session_series::partner_id.eq(posting.partner_id))
            .filter(session_series::external_id.is_not_null())
            .filter(session_series::split_from.is_null())
            .filter(session_series::status.eq(SeriesStatus::Active))
            .order(session_series::external_id)
            .select(SeriesRow::as_select());
        let mut absent = Self::default();
        for row in series.load::<SeriesRow>(conn)? {
            if !row.external_id.as_deref().is_some_and(named) {
                absent.series.push((row, Vec::new()));
            }
        }
        let places: HashMap<Id, usize> = absent.series.iter().enumerate().map(|(at, (row, _))| (row.id, at)).collect();
        let lineages = Lineages::load(conn, posting.partner_id)?;
        for session in coming(conn, posting.partner_id, now, hold)? {
            absent.to_come += usize::from(session.status == SessionStatus::Scheduled);
            match (session.series_id, &session.external_id) {
                (Some(id), _) => match places.get(&id).and_then(|at| absent.series.get_mut(*at)) {
                    Some((_, of_it)) => of_it.push(session),
                    None => {
                        let origin = lineages.unnamed(id, named);
                        absent.split_off.extend(origin.map(|external_id| (external_id.to_owned(), session)));
                    }
                },
                (None, Some(external_id)) if !named(external_id) => absent.singles.push(session),
                (None, _) => {}
            }
        }
        absent.split_off.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(absent)
    }
}

/// Which series of a partner were split from which: each with its `external_id`.
struct Lineages(HashMap<Id, (Option<String>, Option<Id>)>);

impl Lineages {
    fn load(conn: &mut Conn, partner_id: Id) -> Result<Self> {
        let own = session_series::table
            .filter(session_series::partner_id.eq(partner_id))
            .filter(session_series::external_id.is_not_null().or(session_series::split_from.is_not_null()));
        let columns = (session_series::id, session_series::external_id, session_series::split_from);
        let rows = own.select(columns).load::<(Id, Option<String>, Option<Id>)>(conn)?;
        Ok(Self(rows.into_iter().map(|(id, external_id, from)| (id, (external_id, from))).collect()))
    }

    /// The `external_id` of a series that was split off, or else the one that it goes back to. `None` if the roster names
    /// the series or one that it goes back to, or if it wasn't split off.
    fn unnamed(&self, id: Id, named: impl Fn(&str) -> bool) -> Option<&str> {
        let (own, from) = self.0.get(&id)?;
        let (mut found, mut from) = (own.as_deref(), Some((*from)?));
        if found.is_some_and(&named) {
            return None;
        }
        while let Some(before) = from {
            let (external_id, earlier) = self.0.get(&before)?;
            match external_id.as_deref() {
                Some(external_id) if named(external_id) => return None,
                external_id => found = found.or(external_id),
            }
            from = *earlier;
        }
        found
    }
}

/// Every session of a partner that is still to come, by its start. Seats of offers that have run out don't count.
fn coming(conn: &mut Conn, partner_id: Id, now: Timestamp, hold: Hold) -> Result<Vec<Coming>> {
    let future = sessions::table
        .filter(sessions::partner_id.eq(partner_id))
        .filter(published_or_not())
        .filter(sessions::starts_at.gt(now));
    if hold == Hold::Lock {
        let ids: Vec<Id> = future.clone().select(sessions::id).load(conn)?;
        session_store::lock(conn, ids)?;
    }
    let columns = (
        sessions::id,
        sessions::series_id,
        sessions::external_id,
        sessions::occurrence,
        sessions::local_start,
        sessions::status,
        sessions::edited,
        sessions::seats_taken,
        sessions::online_seats_taken,
        sessions::waitlist_length,
    );
    let mut coming: Vec<Coming> = future.order((sessions::starts_at, sessions::id)).select(columns).load(conn)?;
    let run_out = RunOut::load(conn, now)?;
    for session in &mut coming {
        // Only all of a session's seats together are looked at.
        session.seats_taken -= run_out.seats(session.id);
    }
    Ok(coming)
}

/// What is called off, and what isn't.
#[derive(Debug, Default)]
pub struct Withdrawal {
    /// The outcome of each series and single session of which something is called off.
    pub entries: Vec<EntryOutcome>,
    /// The next versions of series that are over, or end with what stays of them.
    pub series: Vec<SeriesRow>,
    /// Sessions to cancel.
    pub sessions: Vec<Id>,
    /// Sessions that stay.
    pub skipped: Vec<RosterSkip>,
    /// How many sessions of the partner are to come, before anything is called off.
    pub to_come: usize,
}

impl Withdrawal {
    /// Checks that not more than half of what is to come is called off: a sheet may have been cut short.
    ///
    /// # Errors
    /// 409 with the figures.
    pub fn check_unconfirmed(&self) -> Result<()> {
        let (off, all) = (self.sessions.len(), self.to_come);
        if off * 2 <= all {
            return Ok(());
        }
        let detail = format!(
            "It would call off {off} of the {all} sessions to come. Nothing was changed. If that is meant, send it again \
             with confirm=cancel."
        );
        Err(Error::new(Kind::ConfirmNeeded, detail))
    }

    /// Takes the sessions of one series, or one alone. How many are called off, and the last local date of which one
    /// stays.
    fn take(&mut self, external_id: &str, sessions: &[Coming]) -> (usize, Option<NaiveDate>) {
        let (mut cancelled, mut last) = (0, None);
        for session in sessions.iter().filter(|session| session.status == SessionStatus::Scheduled) {
            match session.stays() {
                None => {
                    self.sessions.push(session.id);
                    cancelled += 1;
                }
                Some(reason) => {
                    self.skip(external_id, session, reason);
                    last = last.max(session.occurrence.map(OccurrenceKey::date));
                }
            }
        }
        (cancelled, last)
    }

    fn skip(&mut self, external_id: &str, session: &Coming, reason: SkipReason) {
        let (external_id, local_start) = (external_id.to_owned(), session.local_start);
        self.skipped.push(RosterSkip { external_id, local_start, reason });
    }

    fn record(&mut self, external_id: String, resource_id: Id) {
        self.entries.push(EntryOutcome {
            external_id: Some(external_id),
            line: None,
            pointer: None,
            outcome: Outcome::Cancelled,
            resource_id: Some(resource_id),
            errors: Json(Vec::new()),
        });
    }
}

/// The local date of a series.
fn today(series: &SeriesRow, now: Timestamp) -> NaiveDate {
    let zone = recurrence::parse_time_zone(&series.activity.time_zone);
    zone.map_or_else(|_| london_day(now), |zone| now.0.with_timezone(&zone).date_naive())
}

/// Decides what of the absent is called off.
pub fn plan(absent: &Absent, now: Timestamp) -> Withdrawal {
    let mut withdrawal = Withdrawal { to_come: absent.to_come, ..Withdrawal::default() };
    for (series, sessions) in &absent.series {
        let external_id = series.external_id.clone().unwrap_or_default();
        let (cancelled, last) = withdrawal.take(&external_id, sessions);
        // Where a rule has no end, it goes on even while no session of its future has been made.
        let goes_on = series.ending.0 == Ending::default() && is_endless(&series.repetition.recurrence);
        // A kept session may be one of long ago that was moved by hand: what has taken place since stays too.
        let to_come = || sessions.iter().filter_map(|session| session.occurrence).map(OccurrenceKey::date).max();
        let last_day = last.or_else(to_come).max(Some(today(series, now)));
        let ending = Ending { withdrawn: last_day.and_then(|day| day.succ_opt()), ..series.ending.0 };
        let ended = match last {
            Some(_) if goes_on || cancelled > 0 => Some(series.ended(ending, now)),
            Some(_) => None,
            // Once what people go to is over too, a roster may still name it again.
            None if series.ending.0.withdrawn.is_some() && cancelled == 0 => None,
            None if goes_on || !sessions.is_empty() => {
                series.cancelled(REASON, now).ok().map(|off| SeriesRow { ending: Json(ending), ..off })
            }
            None => None,
        };
        if cancelled > 0 || ended.is_some() {
            withdrawal.record(external_id, series.id);
        }
        withdrawal.series.extend(ended);
    }
    for session in &absent.singles {
        let external_id = session.external_id.clone().unwrap_or_default();
        if withdrawal.take(&external_id, std::slice::from_ref(session)).0 > 0 {
            withdrawal.record(external_id, session.id);
        }
    }
    for (external_id, session) in absent.split_off.iter().filter(|(_, s)| s.status == SessionStatus::Scheduled) {
        // To split a series is to edit all that follows.
        withdrawal.skip(external_id, session, session.stays().unwrap_or(SkipReason::Edited));
    }
    withdrawal
}

/// Ends the series that are over, or go on no longer than what stays of them.
///
/// # Errors
/// 412 where one of them has changed since it was decided; then nothing of it may be kept.
pub fn end_series(conn: &mut Conn, withdrawal: &Withdrawal) -> Result<()> {
    for row in &withdrawal.series {
        series_store::update(conn, row)?;
        // Sessions that were made of it since are not in the plan.
        if !series_store::extend(conn, row.extension(row.expanded_until))? {
            return Err(Error::changed_meanwhile());
        }
    }
    Ok(())
}

/// Calls the sessions off.
///
/// # Errors
/// 412 where one of them has changed since it was decided; then nothing of it may be kept.
pub fn cancel(conn: &mut Conn, withdrawal: &Withdrawal, now: Timestamp) -> Result<()> {
    session_store::cancel_unbooked(conn, &withdrawal.sessions, REASON, now)
}
