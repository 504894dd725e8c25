//! Makes the sessions of series without an end, as the horizon moves on.
//!
//! - Sessions are made only for dates after [`SeriesRow::expanded_until`], so earlier sessions stay as they are.
//! - The sessions are those of the series as it is today. The series keeps its version, because nobody has changed it.
//! - Sessions that clash are left out. The series shows them to those who may write it ([`SeriesRow::left_out`]).
//! - A partner that has as much as it may have gets no more ([`crate::partners::quotas`]).
//! - Each series has one write transaction. It makes nothing if the series has been changed or extended since it was
//!   read. So the task can run at any time, on two servers at once, and can be stopped at any point.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{Months, NaiveDate};

use super::reconcile;
use super::rules;
use super::store::{self, LeftOut, SeriesRow};
use crate::background::Task;
use crate::clock::{Clock, london_day};
use crate::config::Quotas;
use crate::db::{Conn, Db, Id, Timestamp};
use crate::error::{Kind, Result};
use crate::partners::quotas::{self, Growth};
use crate::sessions::clashes::{self, Placing};
use crate::sessions::listings;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::references;
use crate::sessions::store::{self as sessions, SessionRow};
use crate::sessions::types::SeriesStatus;
use crate::sessions::wordings::Wording;

/// How much is made in one transaction at most. It is longer than any horizon. After years without a server, a series
/// needs several transactions.
const STEP: Months = Months::new(60);
/// How often a series is tried if it is changed in between.
const TRIES: usize = 3;

/// What the task did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extended {
    /// How many series now reach the horizon and didn't before.
    pub series: usize,
    /// How many sessions were made.
    pub sessions: usize,
    /// How many series failed. The log says why, and they are tried again next time.
    pub failed: usize,
    /// How many series were left as they are, because their partner may not have more sessions or text.
    pub held_back: usize,
}

/// The task.
pub fn task() -> Task {
    Task {
        name: "extend_series",
        every: Duration::from_secs(60 * 60),
        longest: Duration::from_secs(10 * 60),
        due: |conn, config, now| store::any_behind(conn, config.horizon.day(now)),
        run: |state| {
            Box::pin(async move {
                let horizon = state.config.horizon.day(state.clock.now());
                let done = run(&state.db, &state.clock, horizon, state.config.quotas).await?;
                let Extended { series, sessions, failed, held_back } = done;
                log::info!(
                    "extended {series} series to {horizon} by {sessions} sessions; {failed} failed, {held_back} held back \
                     by a quota"
                );
                Ok(())
            })
        },
    }
}

/// Makes the missing sessions of series without an end, up to the horizon. Once a quota of a partner is used up, its other
/// series are left as they are, and the log says so once.
///
/// # Errors
/// The database can't be reached. Other errors of a single series are logged and counted.
pub async fn run(db: &Db, clock: &Clock, horizon: NaiveDate, quotas: Quotas) -> Result<Extended> {
    let (mut done, mut full) = (Extended::default(), HashSet::new());
    for (id, partner) in db.read_long(move |conn| store::behind(conn, horizon)).await? {
        if full.contains(&partner) {
            done.held_back += 1;
            continue;
        }
        match extend(db, clock, id, horizon, quotas).await {
            Ok(None) => {}
            Ok(Some(made)) => {
                done.series += 1;
                done.sessions += made;
            }
            Err(error) if error.lost_connection() => return Err(error),
            Err(error) if error.kind() == Kind::QuotaExceeded => {
                let whose = partner.map(|id| id.to_string()).unwrap_or_default();
                log::warn!("the series of the partner {whose} aren't extended: {error}");
                full.insert(partner);
                done.held_back += 1;
            }
            Err(error) => {
                log::error!("the series {id} can't be extended: {error}");
                done.failed += 1;
            }
        }
    }
    Ok(done)
}

/// Makes the missing sessions of one series and returns how many. `None` if there was nothing to do, or if others kept
/// changing the series.
///
/// # Errors
/// 409 if a quota of its partner is used up.
async fn extend(db: &Db, clock: &Clock, id: Id, horizon: NaiveDate, quotas: Quotas) -> Result<Option<usize>> {
    let (mut made, mut tries) = (None, 0);
    while tries < TRIES {
        let series = db.read(move |conn| store::get(conn, id)).await?;
        let Some(stretch) = Stretch::of(series, horizon, clock)? else { break };
        match db.write(move |conn| stretch.make(conn, &quotas)).await? {
            Some(sessions) => made = Some(made.unwrap_or(0) + sessions),
            None => tries += 1,
        }
    }
    Ok(made)
}

/// The next sessions of a series, not yet written.
struct Stretch {
    series: SeriesRow,
    from: NaiveDate,
    to: NaiveDate,
    now: Timestamp,
    sessions: Vec<SessionRow>,
}

impl Stretch {
    /// `None` if the series has all of its sessions or is called off.
    fn of(series: SeriesRow, horizon: NaiveDate, clock: &Clock) -> Result<Option<Self>> {
        let Some(from) = series.expanded_until.filter(|until| *until < horizon) else { return Ok(None) };
        if series.status != SeriesStatus::Active {
            return Ok(None);
        }
        let to = from.checked_add_months(STEP).map_or(horizon, |furthest| furthest.min(horizon));
        let occurrences = rules::occurrences_between(&series, from, to)?;
        let wording_id = Wording::from(&series).id();
        let row = |occurrence| SessionRow::of_series(&series, wording_id, occurrence, clock.new_id(), clock.now());
        Ok(Some(Self { from, to, now: clock.now(), sessions: occurrences.iter().map(row).collect(), series }))
    }

    /// Makes the sessions and returns how many. `None` if the series has been changed or extended since it was read.
    fn make(&self, conn: &mut Conn, quotas: &Quotas) -> Result<Option<usize>> {
        references::hold_partner(conn, self.series.partner_id)?;
        clashes::hold(conn, self.series.activity.venue_id, self.series.activity.space_id)?;
        if !store::extend(conn, self.series.extension(Some(self.to)))? {
            return Ok(None);
        }
        // A series that once had an end may have sessions there that are off.
        let day_after = self.from.succ_opt().unwrap_or(self.from);
        let held = sessions::of_series_from(conn, self.series.id, day_after)?;
        let there: HashMap<_, _> = held.iter().filter_map(|row| Some((row.occurrence?.place(), row))).collect();
        let (mut new, mut back) = (Vec::new(), Vec::new());
        for row in &self.sessions {
            let additional = OccurrenceKey::additional(row.local_start.0);
            match row.occurrence.and_then(|key| there.get(&key.place())).or_else(|| there.get(&additional.place())) {
                None => new.push(row.clone()),
                Some(held) if held.is_withdrawn() => back.extend(reconcile::brought_back(held, row.clone())),
                Some(_) => {}
            }
        }
        let made = new.iter().map(|to| Placing { to, from: None });
        let placings: Vec<Placing> = made.chain(back.iter().map(Placing::from)).collect();
        let today = london_day(self.now);
        let clashes = clashes::find(conn, &placings, &HashSet::new(), today)?;
        // No request is waiting for an answer, so the series itself says what was left out.
        let left_out = placings.iter().filter_map(|one| LeftOut::of(one.to, clashes.get(&one.to.id)?.reason));
        let before = self.series.left_out.0.iter().filter(|one| one.local_start.0.date() >= today).cloned();
        let left_out: Vec<LeftOut> = before.chain(left_out).collect();
        if left_out != self.series.left_out.0 {
            store::leave_out(conn, self.series.id, &left_out)?;
        }
        new.retain(|row| !clashes.contains_key(&row.id));
        back.retain(|revision| !clashes.contains_key(&revision.to.id));
        // Sessions are locked before listings, as everywhere.
        sessions::lock(conn, back.iter().map(|revision| revision.to.id))?;
        let (wording, now) = (Wording::from(&self.series), self.now);
        let growth = Growth::default().and_sessions(&new, &back, [&wording], now);
        quotas::check(conn, quotas, self.series.partner_id, &growth, now)?;
        let rows = new.iter().chain(back.iter().map(|revision| &revision.to));
        listings::ensure_stored(conn, [&wording], rows)?;
        sessions::insert_many(conn, &new)?;
        sessions::update_many(conn, &back)?;
        Ok(Some(new.len() + back.len()))
    }
}
