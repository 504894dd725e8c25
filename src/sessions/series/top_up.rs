//! Series without an end go on: as the horizon moves, the sessions up to it are made.
//!
//! - Only dates after [`SeriesRow::expanded_until`] are ever made, so whatever became of an earlier one stays.
//! - The sessions are those of the series as it is today. Its version stays: nobody has changed it.
//! - What clashes is left out, and whoever may write the series reads of it there ([`SeriesRow::left_out`]).
//! - One write transaction a series, which makes nothing where the series has been changed or extended since it was
//!   read. So it may run at any time, beside itself, and be cut off.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{Months, NaiveDate};

use super::reconcile;
use super::rules;
use super::store::{self, LeftOut, SeriesRow};
use crate::background::Task;
use crate::clock::{Clock, london_day};
use crate::db::{Conn, Db, Id};
use crate::error::Result;
use crate::sessions::clashes::{self, Placing};
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::references;
use crate::sessions::store::{self as sessions, SessionRow};
use crate::sessions::types::SeriesStatus;

/// The most that is made in one transaction: longer than any horizon, and after years without a server it takes several.
const STEP: Months = Months::new(60);
/// How often a series is read again because it was changed in between.
const TRIES: usize = 3;

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extended {
    /// Series that reach the horizon now and didn't before.
    pub series: usize,
    /// New sessions.
    pub sessions: usize,
    /// Series that failed; the log says why. They are tried again next time.
    pub failed: usize,
}

/// The server's own task.
pub fn task() -> Task {
    Task {
        name: "extend_series",
        every: Duration::from_secs(60 * 60),
        longest: Duration::from_secs(10 * 60),
        due: |conn, config, now| store::any_behind(conn, config.horizon.day(now)),
        run: |state| {
            Box::pin(async move {
                let horizon = state.config.horizon.day(state.clock.now());
                let Extended { series, sessions, failed } = run(&state.db, &state.clock, horizon).await?;
                log::info!("extended {series} series to {horizon} by {sessions} sessions; {failed} failed");
                Ok(())
            })
        },
    }
}

/// Makes the sessions that series without an end lack up to the horizon.
///
/// # Errors
/// The database's, where it can't be used any more. What is wrong with a single series is logged and counted.
pub async fn run(db: &Db, clock: &Clock, horizon: NaiveDate) -> Result<Extended> {
    let mut done = Extended::default();
    for id in db.read_long(move |conn| store::behind(conn, horizon)).await? {
        match extend(db, clock, id, horizon).await {
            Ok(None) => {}
            Ok(Some(made)) => {
                done.series += 1;
                done.sessions += made;
            }
            Err(error) if error.lost_connection() => return Err(error),
            Err(error) => {
                log::error!("the series {id} can't be extended: {error}");
                done.failed += 1;
            }
        }
    }
    Ok(done)
}

/// Brings one series to the horizon; how many sessions that made. `None` where another was quicker.
async fn extend(db: &Db, clock: &Clock, id: Id, horizon: NaiveDate) -> Result<Option<usize>> {
    let (mut made, mut tries) = (None, 0);
    while tries < TRIES {
        let series = db.read(move |conn| store::get(conn, id)).await?;
        let Some(stretch) = Stretch::of(series, horizon, clock)? else { break };
        match db.write(move |conn| stretch.make(conn)).await? {
            Some(sessions) => made = Some(made.unwrap_or(0) + sessions),
            None => tries += 1,
        }
    }
    Ok(made)
}

/// The next sessions of a series, as they would be made.
struct Stretch {
    series: SeriesRow,
    from: NaiveDate,
    to: NaiveDate,
    today: NaiveDate,
    sessions: Vec<SessionRow>,
}

impl Stretch {
    /// `None` where the series has all of its sessions, or is off.
    fn of(series: SeriesRow, horizon: NaiveDate, clock: &Clock) -> Result<Option<Self>> {
        let Some(from) = series.expanded_until.filter(|until| *until < horizon) else { return Ok(None) };
        if series.status != SeriesStatus::Active {
            return Ok(None);
        }
        let to = from.checked_add_months(STEP).map_or(horizon, |furthest| furthest.min(horizon));
        let occurrences = rules::occurrences_between(&series, from, to)?;
        let row = |occurrence| SessionRow::of_series(&series, occurrence, clock.new_id(), clock.now());
        Ok(Some(Self {
            from,
            to,
            today: london_day(clock.now()),
            sessions: occurrences.iter().map(row).collect(),
            series,
        }))
    }

    /// Makes them; how many. `None` where the series has been changed or extended since it was read.
    fn make(&self, conn: &mut Conn) -> Result<Option<usize>> {
        references::hold_partner(conn, self.series.partner_id)?;
        clashes::hold_spaces(conn, self.series.space_id)?;
        if !store::extend(conn, self.series.extension(Some(self.to)))? {
            return Ok(None);
        }
        // A series that had an end before may have sessions there already.
        let day_after = self.from.succ_opt().unwrap_or(self.from);
        let held = sessions::of_series_from(conn, self.series.id, day_after)?;
        let there: HashMap<_, _> = held.iter().filter_map(|row| Some((row.occurrence?.place(), row))).collect();
        let (mut new, mut back) = (Vec::new(), Vec::new());
        for row in &self.sessions {
            let additional = OccurrenceKey::additional(row.local_start.0);
            match row.occurrence.and_then(|key| there.get(&key.place())).or_else(|| there.get(&additional.place())) {
                None => new.push(row.clone()),
                Some(held) if held.is_withdrawn() => back.push(reconcile::brought_back(held, row)),
                Some(_) => {}
            }
        }
        let placings: Vec<Placing> = new.iter().chain(&back).map(|to| Placing { to, from: None }).collect();
        let clashes = clashes::find(conn, &placings, &HashSet::new(), self.today)?;
        // Nobody is answered now: whoever reads the series is told.
        let left_out = new.iter().chain(&back).filter_map(|row| LeftOut::of(row, clashes.get(&row.id)?.reason));
        let before = self.series.left_out.0.iter().filter(|one| one.local_start.0.date() >= self.today).cloned();
        let left_out: Vec<LeftOut> = before.chain(left_out).collect();
        if left_out != self.series.left_out.0 {
            store::leave_out(conn, self.series.id, &left_out)?;
        }
        for rows in [&mut new, &mut back] {
            rows.retain(|row| !clashes.contains_key(&row.id));
        }
        sessions::insert_many(conn, &new)?;
        sessions::update_many(conn, &back.iter().collect::<Vec<_>>())?;
        Ok(Some(new.len() + back.len()))
    }
}
