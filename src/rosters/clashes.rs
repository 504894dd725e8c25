//! What of a roster can't be where it is to be: it is left out and reported, and the rest is applied.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::plan::Plan;
use super::types::{Outcome, RosterSkip};
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::sessions::clashes::{self, Clash, Placing};
use crate::sessions::notices::{self, Change};
use crate::sessions::series::store::LeftOut;
use crate::sessions::store::SessionRow;
use crate::sessions::types::SessionStatus;

/// Leaves out of a plan what clashes, with what there is or within the roster itself, and says so.
pub fn leave_out(conn: &mut Conn, plan: &mut Plan, today: NaiveDate) -> Result<()> {
    let clashes = find(conn, plan, today)?;
    if clashes.is_empty() {
        return Ok(());
    }
    plan.take_out(&clashes);
    Ok(())
}

/// Checks a plan again in the transaction that applies it, where nobody else places sessions in its spaces any more.
///
/// # Errors
/// [stale](super::stored::is_stale) where something clashes now.
pub fn check(conn: &mut Conn, plan: &Plan, today: NaiveDate) -> Result<()> {
    if find(conn, plan, today)?.is_empty() {
        return Ok(());
    }
    Err(Error::new(Kind::PreconditionFailed, "A space was taken, or a venue closed, in between."))
}

/// Tells the people who are booked on sessions that were moved.
pub fn tell(conn: &mut Conn, context: &Context, plan: &Plan) -> Result<()> {
    let mut news = Change::default();
    let mut ids = Vec::new();
    for row in &plan.changed_sessions {
        let members = plan.moved.get(&row.id).map(|held| row.moved_members(held)).unwrap_or_default();
        if !members.is_empty() {
            ids.push(row.id);
            news.fields.insert(row.id, members);
        }
    }
    news.kept = notices::pending(conn, &ids)?;
    notices::tell(conn, context, &news).map(|_| ())
}

fn find(conn: &mut Conn, plan: &Plan, today: NaiveDate) -> Result<HashMap<Id, Clash>> {
    let new = plan.new_sessions.iter().map(|to| Placing { to, from: None });
    let changed = plan.changed_sessions.iter();
    let changed = changed.filter_map(|to| Some(Placing::over(to, Some(plan.moved.get(&to.id)?))));
    let off = plan.changed_sessions.iter().filter(|row| row.status == SessionStatus::Cancelled);
    let withdrawn = plan.withdrawal.sessions.iter().copied();
    let leaving: HashSet<Id> = off.map(|row| row.id).chain(withdrawn).collect();
    clashes::find(conn, &new.chain(changed).collect::<Vec<_>>(), &leaving, today)
}

impl Plan {
    fn take_out(&mut self, clashes: &HashMap<Id, Clash>) {
        let names: HashMap<Id, &str> =
            self.entries.iter().filter_map(|entry| Some((entry.resource_id?, entry.external_id.as_deref()?))).collect();
        let entry_of = |row: &SessionRow| row.series_id.unwrap_or(row.id);
        let changed: HashSet<Id> = self.changed_series.iter().map(|row| row.id).collect();
        for rows in [&mut self.new_sessions, &mut self.changed_sessions] {
            rows.retain(|row| {
                let Some(clash) = clashes.get(&row.id) else { return true };
                let stays = self.moved.get(&row.id).filter(|held| !held.is_withdrawn());
                if let (None, Some(series), Some(left_out)) = (stays, row.series_id, LeftOut::of(row, clash.reason)) {
                    self.left_out.entry(series).or_default().push(left_out);
                }
                let local_start = stays.map_or(row.local_start, |held| held.local_start);
                let external_id = names.get(&entry_of(row)).copied().unwrap_or_default().to_owned();
                // That one stays where it was is said where its series has changed.
                if stays.is_none() || row.series_id.is_none_or(|series| changed.contains(&series)) {
                    self.skipped.push(RosterSkip { external_id, local_start, reason: clash.reason });
                }
                false
            });
        }
        let moves = |id: &&Id| self.moved.contains_key(*id);
        let moving = clashes.keys().filter(moves).count() as u32;
        self.sessions.updated -= moving;
        self.sessions.created -= clashes.len() as u32 - moving;
        self.unbooked.retain(|id| !clashes.contains_key(id));
        self.moved.retain(|id, _| !clashes.contains_key(id));
        self.settle(clashes);
    }

    /// Entries of which nothing is left to do are as they were.
    fn settle(&mut self, clashes: &HashMap<Id, Clash>) {
        let series = self.new_series.iter().chain(&self.changed_series).map(|row| row.id);
        let sessions = self.new_sessions.iter().chain(&self.changed_sessions);
        let touched: HashSet<Id> = series.chain(sessions.map(|row| row.series_id.unwrap_or(row.id))).collect();
        for entry in &mut self.entries {
            let Some(id) = entry.resource_id.filter(|id| !touched.contains(id)) else { continue };
            match entry.outcome {
                Outcome::Created => self.counts.created -= 1,
                Outcome::Updated => self.counts.updated -= 1,
                _ => continue,
            }
            if entry.outcome == Outcome::Created && clashes.contains_key(&id) {
                entry.resource_id = None;
            }
            entry.outcome = Outcome::Unchanged;
            self.counts.add(Outcome::Unchanged);
        }
    }
}
