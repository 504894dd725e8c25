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
use crate::sessions::store::{Revision, SessionRow};
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
/// [stale](super::current::is_stale) where something clashes now.
pub fn check(conn: &mut Conn, plan: &Plan, today: NaiveDate) -> Result<()> {
    if find(conn, plan, today)?.is_empty() {
        return Ok(());
    }
    Err(Error::new(Kind::PreconditionFailed, "A space was taken, or a venue closed, in between."))
}

/// Records an event for each booking of the sessions that were moved.
pub fn tell(conn: &mut Conn, context: &Context, plan: &Plan) -> Result<()> {
    let mut news = Change::default();
    let mut ids = Vec::new();
    for revision in &plan.changed_sessions {
        if news.add_move(revision) {
            ids.push(revision.to.id);
        }
    }
    news.kept = notices::pending(conn, &ids)?;
    notices::tell(conn, context, &news).map(|_| ())
}

fn find(conn: &mut Conn, plan: &Plan, today: NaiveDate) -> Result<HashMap<Id, Clash>> {
    let new = plan.new_sessions.iter().map(|to| Placing { to, from: None });
    let changed = plan.changed_sessions.iter().map(Placing::from);
    let off = plan.changed_sessions.iter().map(|revision| &revision.to);
    let off = off.filter(|row| row.status == SessionStatus::Cancelled);
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
        let (skipped, left_out) = (&mut self.skipped, &mut self.left_out);
        let mut is_free = |row: &SessionRow, from: Option<&SessionRow>| {
            let Some(clash) = clashes.get(&row.id) else { return true };
            let stays = from.filter(|from| !from.is_withdrawn());
            if let (None, Some(series), Some(unmade)) = (stays, row.series_id, LeftOut::of(row, clash.reason)) {
                left_out.entry(series).or_default().push(unmade);
            }
            // A session that stays where it was is reported only if its series has changed.
            if stays.is_none() || row.series_id.is_none_or(|series| changed.contains(&series)) {
                let local_start = stays.map_or(row.local_start, |from| from.local_start);
                let external_id = names.get(&entry_of(row)).copied().unwrap_or_default().to_owned();
                skipped.push(RosterSkip { external_id, local_start, reason: clash.reason });
            }
            false
        };
        let before = self.new_sessions.len();
        self.new_sessions.retain(|row| is_free(row, None));
        let unmade = (before - self.new_sessions.len()) as u32;
        let clashing = self.changed_sessions.iter().filter(|revision| clashes.contains_key(&revision.to.id));
        self.rekeyed.extend(clashing.filter_map(Revision::rekeyed));
        self.changed_sessions.retain(|revision| is_free(&revision.to, Some(&revision.from)));
        self.sessions.created -= unmade;
        self.sessions.updated -= clashes.len() as u32 - unmade;
        self.unbooked.retain(|id| !clashes.contains_key(id));
        // A register was stated of a session as it would have stood.
        self.headcounts.retain(|change| !clashes.contains_key(&change.session_id));
        self.settle(clashes);
    }

    /// Entries of which nothing is left to do are as they were.
    fn settle(&mut self, clashes: &HashMap<Id, Clash>) {
        let series = self.new_series.iter().chain(&self.changed_series).map(|row| row.id);
        let sessions = self.new_sessions.iter().chain(self.changed_sessions.iter().map(|revision| &revision.to));
        let registers = self.headcounts.iter().map(|change| change.session_id);
        let sessions = sessions.map(|row| row.series_id.unwrap_or(row.id));
        let touched: HashSet<Id> = series.chain(sessions).chain(registers).collect();
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
