//! Checks that sessions can take place where and when they are planned. A space has one session at a time. A venue has
//! none while it is closed. A series has one session at a time, apart from sessions that were moved by hand.
//!
//! Code that writes sessions first [locks](hold) their venues and spaces, then asks what [clashes](find), and writes the
//! rest, all in one transaction. A session may start at the instant when another ends. Cancelled sessions and drafts hold
//! no space: a draft takes its space when it is published.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{NaiveDate, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::series::types::SkipReason;
use super::store::{Revision, SessionRow};
use super::types::{Delivery, Publication, SessionStatus};
use super::visibility::Visibility;
use crate::auth::viewer::Viewer;
use crate::db::schema::{partners, sessions, spaces, venues, wordings};
use crate::db::{AT_ONCE, Conn, Id, LocalTime, Timestamp};
use crate::error::{Error, Fault, Kind, Result};
use crate::lock_rows;
use crate::partners::types::PartnerStatus;
use crate::venues::closures::{self, Closure};

/// The longest duration of a session that the schema allows.
const LONGEST: TimeDelta = TimeDelta::minutes(10_080);

/// A session that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Placing<'a> {
    /// The session as it will be.
    pub to: &'a SessionRow,
    /// The session as it is, if it exists already.
    pub from: Option<&'a SessionRow>,
}

impl<'a> From<&'a Revision> for Placing<'a> {
    /// A session that is called off isn't anywhere yet.
    fn from(revision: &'a Revision) -> Self {
        let is_on = revision.from.status == SessionStatus::Scheduled;
        Self { to: &revision.to, from: is_on.then_some(&revision.from) }
    }
}

impl Placing<'_> {
    /// Whether the session is new, changes its place or time, or takes a space that it didn't hold.
    pub fn is_move(&self) -> bool {
        self.changes_place() || self.takes_space()
    }

    /// Whether the session is new or changes its place or time.
    fn changes_place(&self) -> bool {
        self.to.status == SessionStatus::Scheduled && self.from.is_none_or(|from| !same_place(self.to, from))
    }

    /// Whether the session takes a space that it didn't hold: it moves there, or was a draft.
    pub fn takes_space(&self) -> bool {
        let held = self.from.and_then(SessionRow::space_held);
        self.to.space_held().is_some_and(|space| held != Some(space))
    }

    /// Whether the session holds a space no longer, without moving to another.
    fn frees_space(&self) -> bool {
        self.to.space_held().is_none() && self.from.is_some_and(|from| from.space_held().is_some())
    }
}

/// Whether two rows have the same place and time, and people come in person to both or to neither.
pub fn same_place(one: &SessionRow, other: &SessionRow) -> bool {
    let comes = |row: &SessionRow| row.delivery != Delivery::Online;
    let place = |row: &SessionRow| (row.venue_id, row.space_id, row.starts_at, row.ends_at, comes(row));
    place(one) == place(other)
}

/// Why a session can't take place as planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clash {
    /// `space_taken`, `time_taken` or `venue_closed`.
    pub reason: SkipReason,
    /// The session that has the space or the time.
    pub with: Option<Id>,
}

/// Locks venues and spaces until the transaction ends, so that nobody closes the venues, and nobody else places sessions
/// in the spaces. Call this before locking any series or session. SQLite has one writer and needs no locks.
pub fn hold(conn: &mut Conn, at: impl IntoIterator<Item = Id>, within: impl IntoIterator<Item = Id>) -> Result<()> {
    lock_rows!(conn, venues, at, for_share);
    lock_rows!(conn, spaces, within);
    Ok(())
}

/// The sessions among these that can't take place as planned, by their ids. If two want the same space or the same time
/// of a series, the first gets it. A session that can't move stays where it was and keeps others out. Sessions that are
/// `leaving` take no space.
///
/// Reads nothing if no session moves. Reads sessions only for the spaces and the times of series that are wanted.
pub fn find(
    conn: &mut Conn,
    placings: &[Placing<'_>],
    leaving: &HashSet<Id>,
    today: NaiveDate,
) -> Result<HashMap<Id, Clash>> {
    let moves: Vec<&Placing> = placings.iter().filter(|placing| placing.is_move()).collect();
    let at: BTreeSet<Id> = moves.iter().filter_map(|placing| placing.to.venue_id).collect();
    let closures = closures::of(conn, &at.into_iter().collect::<Vec<_>>())?;
    let freed = placings.iter().filter(|placing| placing.frees_space()).map(|placing| placing.to.id);
    let taken = Taken::load(conn, &moves, &freed.chain(leaving.iter().copied()).collect())?;
    Ok(judge(&moves, &closures, taken, today))
}

fn judge(
    moves: &[&Placing<'_>],
    closures: &HashMap<Id, Closure>,
    mut taken: Taken,
    today: NaiveDate,
) -> HashMap<Id, Clash> {
    let mut found = HashMap::new();
    let mut staying: Vec<&SessionRow> = Vec::new();
    let held: HashMap<Id, &SessionRow> =
        moves.iter().filter_map(|placing| placing.from.map(|from| (from.id, from))).collect();
    for placing in moves.iter().copied() {
        let Placing { to, from } = placing;
        let clash = if placing.changes_place() && is_closed(to, closures, today) {
            Some(Clash { reason: SkipReason::VenueClosed, with: None })
        } else {
            taken.by(placing)
        };
        match clash {
            Some(clash) => {
                found.insert(to.id, clash);
                staying.extend(from);
            }
            None => taken.take(to),
        }
    }
    // A session that can't move stays where it was. So a session that was to come there can't move either, and so on.
    while let Some(stays) = staying.pop() {
        for (id, reason) in taken.give_way(stays) {
            found.insert(id, Clash { reason, with: Some(stays.id) });
            staying.extend(held.get(&id));
        }
    }
    found
}

fn is_closed(row: &SessionRow, closures: &HashMap<Id, Closure>, today: NaiveDate) -> bool {
    // Nobody comes in person to an online session.
    let venue = row.venue_id.filter(|_| row.delivery != Delivery::Online);
    let closure = venue.and_then(|venue| closures.get(&venue));
    closure.is_some_and(|closure| closure.covers(row.starts_at, row.ends_at, today))
}

/// The time of its series that a session takes. A session that was edited by hand takes none: it may be at the same
/// time as another.
fn time_of(row: &SessionRow) -> Option<(Id, Timestamp)> {
    row.series_id.filter(|_| !row.edited).map(|series| (series, row.starts_at))
}

/// Which sessions take which spaces when, and which times of series.
#[derive(Debug, Default)]
struct Taken {
    spaces: HashMap<Id, Space>,
    /// By series and start: the session that is there or will be written there.
    times: HashMap<(Id, Timestamp), Id>,
}

#[derive(Debug, Default)]
struct Space {
    /// Sorted by start. Each entry is a start, the latest end of the sessions up to this one, and the session with that
    /// end.
    others: Vec<(Timestamp, Timestamp, Id)>,
    /// The sessions that will be written, by start: the end and the id. No two overlap.
    placed: BTreeMap<Timestamp, (Timestamp, Id)>,
}

impl Taken {
    /// Reads which sessions take the wanted spaces and times, apart from sessions that move away or leave.
    fn load(conn: &mut Conn, moves: &[&Placing<'_>], leaving: &HashSet<Id>) -> Result<Self> {
        let moving = moves.iter().filter_map(|placing| placing.from.map(|from| from.id));
        let away: HashSet<Id> = moving.chain(leaving.iter().copied()).collect();
        let mut taken = Self::default();
        taken.load_spaces(conn, moves, &away)?;
        taken.load_times(conn, moves, &away)?;
        Ok(taken)
    }

    fn load_times(&mut self, conn: &mut Conn, moves: &[&Placing<'_>], away: &HashSet<Id>) -> Result<()> {
        let wanting = || moves.iter().filter_map(|placing| time_of(placing.to));
        let earliest = wanting().map(|(_, start)| start).min();
        let latest = wanting().map(|(_, start)| start).max();
        let (Some(earliest), Some(latest)) = (earliest, latest) else { return Ok(()) };
        let series: Vec<Id> = wanting().map(|(series, _)| series).collect::<BTreeSet<Id>>().into_iter().collect();
        for chunk in series.chunks(AT_ONCE) {
            let there = sessions::table
                .filter(sessions::series_id.eq_any(chunk))
                .filter(sessions::starts_at.between(earliest, latest))
                .filter(sessions::status.eq(SessionStatus::Scheduled))
                .filter(sessions::edited.eq(false))
                .select((sessions::series_id.assume_not_null(), sessions::starts_at, sessions::id));
            let there = there.load::<(Id, Timestamp, Id)>(conn)?;
            let there = there.into_iter().filter(|(.., id)| !away.contains(id));
            self.times.extend(there.map(|(series, start, id)| ((series, start), id)));
        }
        Ok(())
    }

    fn load_spaces(&mut self, conn: &mut Conn, moves: &[&Placing<'_>], away: &HashSet<Id>) -> Result<()> {
        let wanting = || moves.iter().map(|placing| placing.to).filter(|to| to.space_held().is_some());
        let earliest = wanting().map(|to| to.starts_at).min();
        let latest = wanting().map(|to| to.ends_at).max();
        let (Some(earliest), Some(latest)) = (earliest, latest) else { return Ok(()) };
        let wanted: Vec<Id> = wanting().filter_map(|to| to.space_id).collect::<BTreeSet<Id>>().into_iter().collect();
        for chunk in wanted.chunks(AT_ONCE) {
            let there = sessions::table
                .filter(sessions::space_id.eq_any(chunk))
                .filter(sessions::starts_at.gt(Timestamp(earliest.0 - LONGEST)))
                .filter(sessions::starts_at.lt(latest))
                .filter(sessions::ends_at.gt(earliest))
                // In the statement itself, not in a parameter: otherwise the partial index isn't used.
                .filter(sql::<Bool>("sessions.status = 'scheduled' AND sessions.publication <> 'draft'"))
                .order((sessions::starts_at, sessions::id))
                .select((sessions::space_id, sessions::id, sessions::starts_at, sessions::ends_at));
            for (space, id, starts_at, ends_at) in there.load::<(Option<Id>, Id, Timestamp, Timestamp)>(conn)? {
                if let Some(space) = space.filter(|_| !away.contains(&id)) {
                    self.spaces.entry(space).or_default().add_other(starts_at, ends_at, id);
                }
            }
        }
        Ok(())
    }

    /// The session that has the space or the time that this session wants.
    fn by(&self, placing: &Placing<'_>) -> Option<Clash> {
        let (row, clash) = (placing.to, |reason| move |with| Clash { reason, with: Some(with) });
        let space = row.space_held().and_then(|space| self.spaces.get(&space)?.by(row.starts_at, row.ends_at));
        let time = || self.times.get(&time_of(row)?).copied().filter(|_| placing.changes_place());
        space.map(clash(SkipReason::SpaceTaken)).or_else(|| time().map(clash(SkipReason::TimeTaken)))
    }

    fn take(&mut self, row: &SessionRow) {
        if let Some(space) = row.space_held() {
            self.spaces.entry(space).or_default().placed.insert(row.starts_at, (row.ends_at, row.id));
        }
        self.times.extend(time_of(row).map(|time| (time, row.id)));
    }

    /// Takes out the sessions that were placed where or when this session stays, and returns them.
    fn give_way(&mut self, stays: &SessionRow) -> Vec<(Id, SkipReason)> {
        let in_space = self.give_way_in_space(stays).into_iter().map(|id| (id, SkipReason::SpaceTaken));
        let mut given: Vec<(Id, SkipReason)> = in_space.collect();
        let placed = time_of(stays).and_then(|time| self.times.insert(time, stays.id)).filter(|id| *id != stays.id);
        given.extend(
            placed.filter(|id| given.iter().all(|(other, _)| other != id)).map(|id| (id, SkipReason::TimeTaken)),
        );
        given
    }

    fn give_way_in_space(&mut self, stays: &SessionRow) -> Vec<Id> {
        let Some(space) = stays.space_held().and_then(|space| self.spaces.get_mut(&space)) else { return Vec::new() };
        let there = space.placed.range(..stays.ends_at).rev().take_while(|(_, (end, _))| *end > stays.starts_at);
        let there: Vec<(Timestamp, Id)> = there.map(|(start, (_, id))| (*start, *id)).collect();
        for (start, _) in &there {
            space.placed.remove(start);
        }
        there.into_iter().map(|(_, id)| id).collect()
    }
}

impl Space {
    /// Adds a session. It must not start earlier than the ones before.
    fn add_other(&mut self, starts_at: Timestamp, ends_at: Timestamp, id: Id) {
        let furthest = match self.others.last() {
            Some((_, end, whose)) if *end >= ends_at => (*end, *whose),
            _ => (ends_at, id),
        };
        self.others.push((starts_at, furthest.0, furthest.1));
    }

    fn by(&self, starts_at: Timestamp, ends_at: Timestamp) -> Option<Id> {
        let before = self.others.partition_point(|(start, ..)| *start < ends_at);
        let other = before.checked_sub(1).and_then(|last| self.others.get(last));
        let other = other.filter(|(_, end, _)| *end > starts_at).map(|(.., id)| *id);
        let placed = || self.placed.range(..ends_at).next_back().filter(|(_, (end, _))| *end > starts_at);
        other.or_else(|| placed().map(|(_, (_, id))| *id))
    }
}

/// Checks that one session can take place as planned, and locks its venue and space. Does nothing if the session doesn't
/// move.
///
/// # Errors
/// 409 `space-taken` or `venue-closed`. It names the other session if this viewer may see it.
pub fn check_one(conn: &mut Conn, placing: Placing<'_>, viewer: Viewer, today: NaiveDate) -> Result<()> {
    if !placing.is_move() {
        return Ok(());
    }
    hold(conn, placing.to.venue_id, placing.to.space_id)?;
    match find(conn, &[placing], &HashSet::new(), today)?.get(&placing.to.id) {
        None => Ok(()),
        Some(clash) => Err(problem(conn, *clash, viewer)?),
    }
}

fn problem(conn: &mut Conn, clash: Clash, viewer: Viewer) -> Result<Error> {
    let Some(with) = clash.with else {
        let detail = "The venue is closed that day. Choose another day or another venue.";
        return Ok(Error::new(Kind::VenueClosed, detail).with(Fault::at("/venue_id", "venue_closed", detail)));
    };
    let columns = (
        wordings::title,
        sessions::local_start,
        sessions::duration_minutes,
        sessions::publication,
        (partners::id, partners::status, partners::name).nullable(),
    );
    type Found = (String, LocalTime, i32, Publication, Option<(Id, PartnerStatus, String)>);
    let found = sessions::table.inner_join(wordings::table).left_join(partners::table);
    let found = found.filter(sessions::id.eq(with)).select(columns);
    let (title, local_start, minutes, publication, partner): Found = found.first(conn)?;
    let standing = partner.as_ref().map(|(id, status, _)| (*id, *status));
    let whose = partner.map(|(.., name)| format!(" of {name}")).unwrap_or_default();
    let detail = match Visibility::of(viewer, publication, standing) {
        Visibility::Visible => format!(
            "“{title}”{whose} (/v1/sessions/{with}) has the space from {local_start} on for {minutes} minutes. \
             Choose another time or space."
        ),
        _ => "Another session has the space at that time. Choose another time or space.".to_owned(),
    };
    Ok(Error::new(Kind::SpaceTaken, detail.clone()).with(Fault::at("/space_id", "space_taken", detail)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::types::SessionInput;
    use serde_json::json;

    fn id() -> Id {
        crate::clock::new_id_at(Timestamp("2026-11-23T09:00:00Z".parse().unwrap()))
    }

    fn space_taken_by(with: Id) -> Clash {
        Clash { reason: SkipReason::SpaceTaken, with: Some(with) }
    }

    fn at(space: Id, hour: u32, minutes: i32) -> SessionRow {
        let input: SessionInput = serde_json::from_value(json!({
            "title": "Reading", "pillar": "community", "delivery": "in_person", "venue_id": space, "space_id": space,
            "local_start": format!("2027-01-05T{hour:02}:00:00"), "time_zone": "Europe/London", "duration_minutes": minutes
        }))
        .unwrap();
        SessionRow::single(id(), input, Timestamp("2026-11-23T09:00:00Z".parse().unwrap())).unwrap()
    }

    fn moved(row: &SessionRow, hour: u32, minutes: i32) -> SessionRow {
        SessionRow { id: row.id, ..at(row.space_id.unwrap(), hour, minutes) }
    }

    fn found(placings: &[Placing], others: &[&SessionRow]) -> HashMap<Id, Clash> {
        let mut taken = Taken::default();
        for other in others {
            let space = taken.spaces.entry(other.space_id.unwrap()).or_default();
            space.add_other(other.starts_at, other.ends_at, other.id);
        }
        let today = "2026-11-23".parse().unwrap();
        judge(&placings.iter().collect::<Vec<_>>(), &HashMap::new(), taken, today)
    }

    #[test]
    fn back_to_back_is_fine_and_a_minute_over_is_not() {
        let (space, other) = (id(), id());
        let there = at(space, 13, 60);
        for (row, clashes) in [
            (at(space, 12, 60), false),
            (at(space, 14, 60), false),
            (at(space, 12, 61), true),
            (at(space, 10, 600), true),
            (at(space, 13, 1), true),
            (at(other, 13, 60), false),
        ] {
            let placing = [Placing { to: &row, from: None }];
            assert_eq!(found(&placing, &[&there]).len(), usize::from(clashes), "{}", row.local_start);
        }
    }

    #[test]
    fn a_long_one_before_a_short_one_is_still_in_the_way() {
        let space = id();
        let (long, short) = (at(space, 8, 600), at(space, 9, 30));
        let row = at(space, 15, 60);
        let clashes = found(&[Placing { to: &row, from: None }], &[&long, &short]);
        assert_eq!(clashes[&row.id], space_taken_by(long.id));
    }

    #[test]
    fn of_two_that_want_one_space_the_first_has_it() {
        let space = id();
        let (one, two, three) = (at(space, 13, 90), at(space, 14, 60), at(space, 15, 60));
        let rows = [&one, &two, &three].map(|to| Placing { to, from: None });
        let clashes = found(&rows, &[]);
        assert_eq!(clashes, HashMap::from([(two.id, space_taken_by(one.id))]));
    }

    #[test]
    fn sessions_may_follow_each_other_and_stay_where_the_last_cannot_move() {
        let space = id();
        let held = [10, 11, 12].map(|hour| at(space, hour, 60));
        let next = [11, 12, 13].map(|hour| hour);
        let next: Vec<SessionRow> = held.iter().zip(next).map(|(row, hour)| moved(row, hour, 60)).collect();
        let rows: Vec<Placing> = next.iter().zip(&held).map(|(to, from)| Placing { to, from: Some(from) }).collect();
        assert!(found(&rows, &[]).is_empty());
        let clashes = found(&rows, &[&at(space, 13, 60)]);
        assert_eq!(clashes.len(), 3, "{clashes:?}");
        assert_eq!(clashes[&held[0].id], space_taken_by(held[1].id));
    }

    #[test]
    fn what_stays_in_its_place_is_not_looked_at() {
        let row = at(id(), 13, 60);
        let renamed = SessionRow { wording_id: id(), ..row.clone() };
        assert!(!Placing { to: &renamed, from: Some(&row) }.is_move());
        let off = SessionRow { status: SessionStatus::Cancelled, ..moved(&row, 15, 60) };
        assert!(!Placing { to: &off, from: Some(&row) }.is_move());
    }
}
