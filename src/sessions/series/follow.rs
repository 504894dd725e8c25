//! Making the sessions of a series follow a change of it, in the same transaction.

use std::collections::HashSet;

use chrono::NaiveDateTime;

use super::held;
use super::matching::Place;
use super::reconcile::{self, Wanted};
use super::rules;
use super::store::{self, SeriesRow};
use super::types::{ChangedSeries, SessionOutcomes, SkipReason, Skipped};
use crate::audit::Subject;
use crate::clock::london_day;
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::partners::quotas::Growth;
use crate::sessions::activity::Activity;
use crate::sessions::bookings::handlers::terms;
use crate::sessions::bookings::waiting::{self, TurnedAway};
use crate::sessions::clashes::{self, Clash, Placing};
use crate::sessions::listings;
use crate::sessions::notices::{self, Change, Notices};
use crate::sessions::store::{self as sessions, Revision, SessionRow};
use crate::sessions::types::{SeriesStatus, SessionStatus};
use crate::sessions::wordings::Wording;

/// What a change did to the sessions and to the people booked.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many sessions were made, changed and cancelled.
    pub sessions: SessionOutcomes,
    /// The sessions that differ from the series.
    pub skipped: Vec<Skipped>,
    /// What the answer says about the bookings.
    pub told: Notices,
}

impl Outcome {
    /// The answer, and the bookings of members whom it names.
    pub fn shown(self, series: super::types::Series) -> (ChangedSeries, Vec<Subject>) {
        let Self { sessions, mut skipped, told } = self;
        skipped.sort_by_key(|skipped| skipped.local_start);
        (ChangedSeries { series, sessions, skipped, bookings: told.bookings }, told.about)
    }
}

/// The sessions of a series, locked until the transaction ends. Expired offers in the sessions that follow the series are
/// ended, so that their seats don't count.
pub fn hold(conn: &mut Conn, series_id: Id, context: &Context) -> Result<Vec<SessionRow>> {
    held::lock(conn, series_id)?;
    let listed = sessions::following_with_a_list(conn, series_id, context.now())?;
    waiting::lapse_offers(conn, &listed, context.now())?;
    sessions::of_series(conn, series_id)
}

/// Brings the waiting lists of the sessions that follow a series [up to date](waiting::follow), after a new capacity or
/// policy or after an offer has expired. Returns the bookings that were turned away.
pub fn lists(conn: &mut Conn, series_id: Id, context: &Context) -> Result<Vec<TurnedAway>> {
    let listed = sessions::following_with_a_list(conn, series_id, context.now())?;
    waiting::follow(conn, &listed, terms(context))
}

/// Writes a series' texts, policy and publication to the sessions that follow it, and its capacities if the series had
/// others before: some sessions had to keep more, for the people who are booked. Their times and places don't change. If
/// they were drafts and aren't any more, they take their spaces, which must be locked; those whose space is taken stay as
/// they are.
///
/// # Errors
/// 409 if a capacity is below the seats that are taken in one of them.
pub fn in_words(conn: &mut Conn, context: &Context, series: &SeriesRow, old: &SeriesRow) -> Result<Outcome> {
    let (now, wording, resized) = (context.now(), Wording::from(series), !series.seats_as(old));
    let wording_id = wording.id();
    let (mut revisions, mut skipped) = (Vec::new(), Vec::new());
    let held = hold(conn, series.id, context)?;
    let unserved = unserved(series, &held)?;
    let is_unserved = |row: &SessionRow| row.occurrence.is_some_and(|key| unserved.contains(&key.place()));
    let to_come = |row: &SessionRow| row.starts_at > now && !row.is_withdrawn();
    for from in held.into_iter().filter(to_come) {
        let (stays, local_start) = (reconcile::standing(&from, now), from.local_start);
        let Activity { booking_policy, publication, join_link, .. } = series.activity.clone();
        let mut to = SessionRow { wording_id, booking_policy, publication, join_link, ..from.clone() };
        // One that had to keep another delivery counts other seats.
        let keeps_seats = resized && from.delivery != series.activity.delivery;
        if resized && !keeps_seats {
            (to.capacity, to.online_capacity) = (series.activity.capacity, series.activity.online_capacity);
        }
        let differs = match stays {
            Some(SkipReason::Cancelled) => is_unserved(&from),
            Some(_) => keeps_seats || !to.says_as(&from),
            None => keeps_seats,
        };
        let reason = stays.unwrap_or(SkipReason::Booked);
        skipped.extend(differs.then_some(Skipped { local_start, reason }));
        if stays.is_none() {
            revisions.extend(Revision::of(from, to, now));
        }
    }
    let placings: Vec<Placing> = revisions.iter().map(Placing::from).collect();
    let clashes = clashes::find(conn, &placings, &HashSet::new(), london_day(now))?;
    skipped.extend(revisions.iter().filter_map(|revision| {
        let Clash { reason, .. } = *clashes.get(&revision.to.id)?;
        Some(Skipped { local_start: revision.from.local_start, reason })
    }));
    revisions.retain(|revision| !clashes.contains_key(&revision.to.id));
    let growth = Growth::of_changed_series(series, old).after_series();
    growth.and_sessions(&[], &revisions, [&wording], now).check(conn, context, series.partner_id)?;
    listings::ensure_stored(conn, [&wording], revisions.iter().map(|revision| &revision.to))?;
    sessions::update_many(conn, &revisions)?;
    let mut news = Change::default();
    news.turn_away(lists(conn, series.id, context)?);
    Ok(Outcome {
        sessions: SessionOutcomes { updated: revisions.len(), ..SessionOutcomes::default() },
        skipped,
        told: notices::tell(conn, context, &news)?,
    })
}

/// The stated occurrences at whose time no session of the series is on.
fn unserved(series: &SeriesRow, held: &[SessionRow]) -> Result<HashSet<Place>> {
    if series.status == SeriesStatus::Cancelled {
        return Ok(HashSet::new());
    }
    let on = held.iter().filter(|row| row.status == SessionStatus::Scheduled);
    let on: HashSet<NaiveDateTime> = on.map(|row| row.local_start.0).collect();
    let stated = rules::stated_so_far(series)?.occurrences;
    let unserved = rules::own(series, &stated).iter().filter(|one| !on.contains(&one.local_start));
    Ok(unserved.map(|one| one.key.place()).collect())
}

/// Makes the sessions of a series follow its new times and places. The sessions, the new venue and space must be locked.
/// `growth` is what the series itself adds to what its partner has.
pub fn in_place(
    conn: &mut Conn,
    context: &Context,
    wanted: Wanted<'_>,
    held: &[SessionRow],
    growth: Growth,
) -> Result<Outcome> {
    let (series, now) = (wanted.series, context.now());
    let mut difference = reconcile::series(wanted, held, now, || context.new_id())?;
    let clashes = clashes::find(conn, &difference.placings(), &difference.leaving(), london_day(now))?;
    difference.leave_out(&clashes);

    let wording = Wording::from(series);
    let growth = growth.and_sessions(&difference.create, &difference.update, [&wording], now);
    growth.check(conn, context, series.partner_id)?;
    let rows = difference.create.iter().chain(difference.update.iter().map(|revision| &revision.to));
    listings::ensure_stored(conn, [&wording], rows)?;
    held::rekey(conn, &difference.rekeyed)?;
    sessions::insert_many(conn, &difference.create)?;
    if difference.left_out != series.left_out.0 {
        store::leave_out(conn, series.id, &difference.left_out)?;
    }
    let mut news = Change::default();
    let mut moved = Vec::new();
    for revision in &difference.update {
        if news.add_move(revision) {
            moved.push(revision.to.id);
        }
    }
    sessions::update_many(conn, &[difference.update.as_slice(), &difference.cancel].concat())?;
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

/// Checks that new capacities hold the seats that are taken in each session that will follow.
///
/// # Errors
/// 409 if one doesn't.
pub fn check_capacities(new: &SeriesRow, old: &SeriesRow, held: &[SessionRow], context: &Context) -> Result<()> {
    if new.seats_as(old) {
        return Ok(());
    }
    let below = |capacity: Option<i32>, taken: i32| capacity.is_some_and(|capacity| capacity < taken);
    // A session that must keep another delivery keeps its capacities too, because they count other kinds of seats.
    let Activity { delivery, capacity, online_capacity, .. } = new.activity;
    let follows = |row: &&SessionRow| row.delivery == delivery && reconcile::standing(row, context.now()).is_none();
    let mut following = held.iter().filter(follows);
    if following.any(|row| below(capacity, row.seats_taken) || below(online_capacity, row.online_seats_taken)) {
        let detail = "More seats are taken than the new capacity holds; nothing was changed.";
        return Err(Error::new(Kind::CapacityBelowSeats, detail));
    }
    Ok(())
}
