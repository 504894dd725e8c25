//! Letting the sessions of a series follow it, in the transaction that changes it.

use std::collections::HashMap;

use super::held;
use super::reconcile::{self, Wanted};
use super::store::{self, SeriesRow};
use super::types::{ChangedSeries, SessionOutcomes, SkipReason, Skipped};
use crate::clock::london_day;
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::sessions::bookings::handlers::terms;
use crate::sessions::bookings::waiting::{self, TurnedAway};
use crate::sessions::clashes;
use crate::sessions::notices::{self, Change, Notices};
use crate::sessions::store::{self as sessions, Followed, SessionRow};

/// What became of the sessions, and of the people booked.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many.
    pub sessions: SessionOutcomes,
    /// Which aren't as the series has them.
    pub skipped: Vec<Skipped>,
    /// Who was told.
    pub told: Notices,
}

impl Outcome {
    /// The answer.
    pub fn shown(self, series: super::types::Series) -> (ChangedSeries, Vec<Id>) {
        let Self { sessions, mut skipped, told } = self;
        skipped.sort_by_key(|skipped| skipped.local_start);
        (ChangedSeries { series, sessions, skipped, bookings: told.bookings }, told.about)
    }
}

/// Ends the offers that have run out in the sessions that follow a series, so that their seats don't count.
pub fn lapse(conn: &mut Conn, series_id: Id, context: &Context) -> Result<()> {
    let listed = sessions::following_with_a_list(conn, series_id, context.now())?;
    waiting::lapse_offers(conn, &listed, context.now())
}

/// Lets the waiting lists of the sessions that follow a series [follow](waiting::follow) too: a new capacity or policy,
/// or an offer that has [lapsed](lapse). Gives those who were turned away.
pub fn lists(conn: &mut Conn, series_id: Id, context: &Context) -> Result<Vec<TurnedAway>> {
    let listed = sessions::following_with_a_list(conn, series_id, context.now())?;
    waiting::follow(conn, &listed, terms(context))
}

/// Gives the sessions that follow a series its words and capacities; when and where they are hasn't changed.
///
/// # Errors
/// 409 where a capacity is below the seats that are taken in any of them.
pub fn in_words(conn: &mut Conn, context: &Context, series: &SeriesRow, old: &SeriesRow) -> Result<Outcome> {
    lapse(conn, series.id, context)?;
    let Followed { updated, kept_capacities } = sessions::follow_series(conn, series, old, context.now())?;
    // They are locked now, and somebody may have joined a list before.
    let mut news = Change::default();
    news.turn_away(lists(conn, series.id, context)?);
    let others = held::not_following(conn, series.id, context.now())?.into_iter();
    let others = others.map(|(local_start, is_cancelled)| {
        let reason = if is_cancelled { SkipReason::Cancelled } else { SkipReason::Edited };
        Skipped { local_start, reason }
    });
    let booked = |local_start| Skipped { local_start, reason: SkipReason::Booked };
    Ok(Outcome {
        sessions: SessionOutcomes { updated, ..SessionOutcomes::default() },
        skipped: others.chain(kept_capacities.into_iter().map(booked)).collect(),
        told: notices::tell(conn, context, &news)?,
    })
}

/// Lets the sessions that a series has, which are locked, and whose space is held, follow it to when and where it takes
/// place now.
pub fn in_place(conn: &mut Conn, context: &Context, wanted: Wanted<'_>, held: &[SessionRow]) -> Result<Outcome> {
    let (series, now) = (wanted.series, context.now());
    let mut difference = reconcile::series(wanted, held, now, || context.new_id());
    let by_id: HashMap<Id, &SessionRow> = held.iter().map(|row| (row.id, row)).collect();
    let clashes = clashes::find(conn, &difference.placings(&by_id), &difference.leaving(), london_day(now))?;
    difference.leave_out(&clashes, &by_id);

    held::rekey(conn, &difference.rekeyed)?;
    sessions::insert_many(conn, &difference.create)?;
    if difference.left_out != series.left_out.0 {
        store::leave_out(conn, series.id, &difference.left_out)?;
    }
    let mut news = Change::default();
    let mut moved = Vec::new();
    for row in difference.update.iter().chain(&difference.cancel) {
        sessions::update(conn, row)?;
        let members = by_id.get(&row.id).map(|held| row.moved_members(held)).unwrap_or_default();
        if !members.is_empty() {
            moved.push(row.id);
            news.fields.insert(row.id, members);
        }
    }
    news.turn_away(lists(conn, series.id, context)?);
    news.kept = notices::pending(conn, &moved)?;
    Ok(Outcome {
        sessions: SessionOutcomes {
            created: difference.create.len(),
            updated: difference.update.len(),
            cancelled: difference.cancel.len(),
        },
        skipped: difference.skipped,
        told: notices::tell(conn, context, &news)?,
    })
}

/// Checks that a new capacity holds the seats that are taken in each session that will follow.
///
/// # Errors
/// 409 where it doesn't.
pub fn check_capacities(new: &SeriesRow, old: &SeriesRow, held: &[SessionRow], context: &Context) -> Result<()> {
    if new.seats_as(old) {
        return Ok(());
    }
    let below = |capacity: Option<i32>, taken: i32| capacity.is_some_and(|capacity| capacity < taken);
    // One that has to keep another delivery keeps its capacities too: it is other seats that it counts.
    let follows = |row: &&SessionRow| row.delivery == new.delivery && reconcile::standing(row, context.now()).is_none();
    let mut following = held.iter().filter(follows);
    if following.any(|row| below(new.capacity, row.seats_taken) || below(new.online_capacity, row.online_seats_taken)) {
        let detail = "More seats are taken than the new capacity holds; nothing was changed.";
        return Err(Error::new(Kind::CapacityBelowSeats, detail));
    }
    Ok(())
}
