//! The data that calendars are made of: sessions, with their places and owners, as the viewer may see them.

use std::collections::HashSet;

use diesel::prelude::*;

use crate::auth::viewer::Viewer;
use crate::db::schema::{
    bookings, partners, prescription_items, prescriptions, programmes, session_series, sessions, spaces, venues,
    wordings,
};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::partners::types::PartnerStatus;
use crate::sessions::bookings::types::BookingStatus;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::series::store::{SeriesRow, lineage};
use crate::sessions::types::{Delivery, Publication, SessionStatus};
use crate::sessions::visibility::{Part, Visibility, in_part};
use crate::sessions::wordings::Wording;

/// How many events one calendar holds at most.
pub(super) const MOST_EVENTS: i64 = 2000;

/// The columns of a session that a calendar needs. The join link is not among them.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(super) struct SessionFacts {
    pub id: Id,
    pub occurrence: Option<OccurrenceKey>,
    pub partner_id: Option<Id>,
    #[diesel(embed)]
    pub wording: Wording,
    pub delivery: Delivery,
    pub time_zone: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub publication: Publication,
    pub status: SessionStatus,
    pub cancellation_reason: Option<String>,
    pub version: i32,
    pub updated_at: Timestamp,
}

/// The columns of a venue that say where it is.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = venues)]
pub(super) struct Place {
    name: String,
    line_1: Option<String>,
    line_2: Option<String>,
    town: Option<String>,
    postcode: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl Place {
    /// Degrees north and east, if they are known.
    pub fn position(&self) -> Option<(f64, f64)> {
        self.latitude.zip(self.longitude)
    }

    /// The name and address in one line. If there is a room, its name comes first.
    pub fn lines(&self, space: Option<&str>) -> String {
        let address = [&self.line_1, &self.line_2, &self.town, &self.postcode];
        let address = address.into_iter().filter_map(Option::as_deref);
        space.into_iter().chain([self.name.as_str()]).chain(address).collect::<Vec<_>>().join(", ")
    }
}

/// The place and the owner of a session or series.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Surroundings {
    pub place: Option<Place>,
    pub space: Option<String>,
    pub partner: Option<String>,
    pub partner_status: Option<PartnerStatus>,
    pub programme: Option<String>,
    /// When the venue, the space, the partner and the programme were last changed.
    changed: (Option<Timestamp>, Option<Timestamp>, Option<Timestamp>, Option<Timestamp>),
}

impl Surroundings {
    /// When any of them was last changed.
    pub fn updated_at(&self) -> Option<Timestamp> {
        let (place, space, partner, programme) = self.changed;
        [place, space, partner, programme].into_iter().flatten().max()
    }
}

/// A session and its surroundings, as calendars show them.
pub(super) type Shown = (SessionFacts, Surroundings);

/// A booking's id, status, reference, version and last change.
pub(super) type BookingFacts = (Id, BookingStatus, String, i32, Timestamp);

#[diesel::dsl::auto_type]
fn joined() -> _ {
    sessions::table
        .inner_join(wordings::table)
        .left_join(venues::table)
        .left_join(spaces::table)
        .left_join(partners::table)
        .left_join(programmes::table.on(wordings::programme_id.eq(programmes::id.nullable())))
}

/// The columns of [`Surroundings`]. This is a macro because the same expression has another type in each query.
macro_rules! surroundings {
    () => {
        (
            Option::<Place>::as_select(),
            spaces::name.nullable(),
            partners::name.nullable(),
            partners::status.nullable(),
            programmes::name.nullable(),
            (
                venues::updated_at.nullable(),
                spaces::updated_at.nullable(),
                partners::updated_at.nullable(),
                programmes::updated_at.nullable(),
            ),
        )
    };
}

/// One session.
///
/// # Errors
/// 404 if there is none, or the viewer may not see it.
pub(super) fn session(conn: &mut Conn, id: Id, viewer: Viewer) -> Result<Shown> {
    crate::sessions::view::get(conn, id, viewer)?;
    let found = joined().filter(sessions::id.eq(id)).select((SessionFacts::as_select(), surroundings!()));
    found.first(conn).optional()?.ok_or_else(|| Error::not_found("session"))
}

/// One series.
///
/// # Errors
/// 404 if there is none, or the viewer may not see it.
pub(super) fn series(conn: &mut Conn, id: Id, viewer: Viewer) -> Result<(SeriesRow, Surroundings)> {
    crate::sessions::series::view::check_visible(conn, id, viewer)?;
    let found = session_series::table
        .left_join(venues::table)
        .left_join(spaces::table)
        .left_join(partners::table)
        .left_join(programmes::table)
        .filter(session_series::id.eq(id))
        .select((SeriesRow::as_select(), surroundings!()));
    let found: Option<(SeriesRow, Surroundings)> = found.first(conn).optional()?;
    let (series, around) = found.ok_or_else(|| Error::not_found("series"))?;
    // Its calendar excludes the dates without a session, and so changes with each session that is made, hidden or shown.
    let latest = sessions::table.filter(sessions::series_id.eq(id)).order(sessions::updated_at.desc());
    let latest: Option<Timestamp> = latest.select(sessions::updated_at).first(conn).optional()?;
    let updated_at = latest.map_or(series.updated_at, |latest| latest.max(series.updated_at));
    Ok((SeriesRow { updated_at, ..series }, around))
}

/// The sessions of a series that this viewer may see, in the order of their occurrences.
pub(super) fn of_series(conn: &mut Conn, series_id: Id, viewer: Viewer) -> Result<Vec<Shown>> {
    let all = joined()
        .filter(sessions::series_id.eq(series_id))
        .order(sessions::occurrence)
        .select((SessionFacts::as_select(), surroundings!()));
    let mut all: Vec<Shown> = all.load(conn)?;
    let theirs = match viewer {
        Viewer::Member(member) => Theirs::of(conn, member, series_id)?,
        _ => Theirs { all: false, some: HashSet::new() },
    };
    let partner = |(session, around): &Shown| session.partner_id.zip(around.partner_status);
    all.retain(|shown| match Visibility::of(viewer, shown.0.publication, partner(shown)) {
        Visibility::Visible => true,
        Visibility::Hidden => false,
        Visibility::IfTheirs(_) => theirs.all || theirs.some.contains(&shown.0.id),
    });
    Ok(all)
}

/// The unlisted sessions of a series that a member may see, by the rules of [`crate::sessions::visibility`].
struct Theirs {
    all: bool,
    some: HashSet<Id>,
}

impl Theirs {
    fn of(conn: &mut Conn, member: Id, series_id: Id) -> Result<Self> {
        let booked: Vec<Id> = bookings::table
            .inner_join(sessions::table)
            .filter(bookings::member_id.eq(member).and(sessions::series_id.eq(series_id)))
            .select(bookings::session_id)
            .load(conn)?;
        let items: Vec<(Option<Id>, Option<Id>)> = prescription_items::table
            .inner_join(prescriptions::table)
            .filter(prescriptions::member_id.eq(member))
            .select((prescription_items::series_id, prescription_items::session_id))
            .load(conn)?;
        // A prescription of a series also covers the series that it was split into.
        let lineage = lineage(conn, series_id)?;
        let all = items.iter().any(|(series, _)| series.is_some_and(|series| lineage.contains(&series)));
        Ok(Self { all, some: booked.into_iter().chain(items.into_iter().filter_map(|(_, session)| session)).collect() })
    }
}

/// The resource that a calendar of many sessions is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// What is at a venue.
    Venue(Id),
    /// What a partner offers.
    Partner(Id),
}

/// The sessions that start between two instants and that the viewer finds in lists: at most [`MOST_EVENTS`], by start.
/// Sessions to come are taken first, then the latest past ones.
pub(super) fn between(
    conn: &mut Conn,
    of: Of,
    viewer: Viewer,
    (from, now, until): (Timestamp, Timestamp, Timestamp),
) -> Result<Vec<Shown>> {
    coming_first(|order, many| {
        let range = if order == Order::Start { (now, until) } else { (from, now) };
        let mut found = Vec::new();
        for part in Part::of(viewer) {
            found.extend(stretch(conn, (of, part), range, (order, many))?);
        }
        found.sort_by_key(|(session, ..): &Shown| (session.starts_at, session.id));
        if order == Order::Latest {
            found.reverse();
        }
        found.truncate(usize::try_from(many).unwrap_or_default());
        Ok(found)
    })
}

/// At most [`MOST_EVENTS`], by start. Those to come are read first, then the latest past ones.
fn coming_first<T>(mut read: impl FnMut(Order, i64) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let coming = read(Order::Start, MOST_EVENTS)?;
    let left = MOST_EVENTS - i64::try_from(coming.len()).unwrap_or(MOST_EVENTS);
    let mut all = read(Order::Latest, left)?;
    all.reverse();
    all.extend(coming);
    Ok(all)
}

/// Which sessions to take first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Start,
    Latest,
}

/// The first `many` sessions of a part of the list that start between two instants.
fn stretch(
    conn: &mut Conn,
    (of, part): (Of, Part),
    (from, until): (Timestamp, Timestamp),
    (order, many): (Order, i64),
) -> Result<Vec<Shown>> {
    let mut query = joined()
        .filter(sessions::starts_at.ge(from).and(sessions::starts_at.lt(until)))
        .select((SessionFacts::as_select(), surroundings!()))
        .into_boxed();
    query = match of {
        // Nobody comes to the venue of an online session.
        Of::Venue(id) => query.filter(sessions::venue_id.eq(id)).filter(sessions::delivery.ne(Delivery::Online)),
        Of::Partner(id) => query.filter(sessions::partner_id.eq(id)),
    };
    query = in_part!(query, sessions, part);
    query = match order {
        Order::Start => query.order((sessions::starts_at.asc(), sessions::id.asc())),
        Order::Latest => query.order((sessions::starts_at.desc(), sessions::id.desc())),
    };
    Ok(query.limit(many).load(conn)?)
}

/// A member's bookings of sessions that start at an instant or later: the live ones, and the cancelled ones that
/// changed since then. At most [`MOST_EVENTS`], by start. Sessions to come are taken first, then the latest past ones.
pub(super) fn booked(
    conn: &mut Conn,
    member_id: Id,
    (from, now): (Timestamp, Timestamp),
) -> Result<Vec<(BookingFacts, Shown)>> {
    coming_first(|order, many| booked_in(conn, member_id, from, (order, now, many)))
}

/// The first bookings of sessions that start from now on, or the latest of those that started before.
fn booked_in(
    conn: &mut Conn,
    member_id: Id,
    from: Timestamp,
    (order, now, many): (Order, Timestamp, i64),
) -> Result<Vec<(BookingFacts, Shown)>> {
    let booking = (bookings::id, bookings::status, bookings::reference, bookings::version, bookings::updated_at);
    let recent = bookings::status.eq_any(BookingStatus::LIVE).or(bookings::updated_at.ge(from));
    let query = bookings::table
        .inner_join(joined())
        .filter(bookings::member_id.eq(member_id).and(recent))
        .limit(many)
        .select((booking, (SessionFacts::as_select(), surroundings!())))
        .into_boxed();
    let query = match order {
        Order::Start => {
            query.filter(sessions::starts_at.ge(now)).order((sessions::starts_at.asc(), bookings::id.asc()))
        }
        Order::Latest => query
            .filter(sessions::starts_at.ge(from).and(sessions::starts_at.lt(now)))
            .order((sessions::starts_at.desc(), bookings::id.desc())),
    };
    Ok(query.load(conn)?)
}
