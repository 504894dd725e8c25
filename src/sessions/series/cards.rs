//! Series as cards: each with the next of its sessions.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::types::Series;
use super::view::{self, SeriesView};
use crate::db::{Conn, Id, LocalTime, Timestamp};
use crate::error::Result;
use crate::sessions::search::ByStart;
use crate::sessions::search::cards::{self, Card};
use crate::sessions::search::query::Search;
use crate::sessions::series_listings;
use crate::sessions::types::{BookingPolicy, Delivery, Session, VenueSummary};
use crate::sessions::view::{self as session_view, Found, SessionView};
use crate::sessions::visibility::Part;

/// A series with its next session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SeriesCard {
    /// The series.
    #[serde(flatten)]
    pub series: Series,
    /// The first of its scheduled sessions to come that fits all filters. With the order `created`: the first of all, and
    /// null if none is to come.
    pub next_session: Option<NextSession>,
    /// How many scheduled sessions are to come, whatever the filters ask for.
    #[schema(minimum = 0, example = 38)]
    pub sessions_to_come: i64,
    /// How many kilometres the venue of the next session is from `near`, in a straight line. Null without `near`.
    #[schema(minimum = 0, example = 1.27)]
    pub distance_km: Option<f64>,
}

/// The next session of a series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NextSession {
    /// Its id.
    pub id: Id,
    /// What it is called. It can differ from the series.
    #[schema(example = "Shared Reading at Walton")]
    pub title: String,
    /// The start on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The time zone of `local_start`.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// The instant of its start.
    pub starts_at: Timestamp,
    /// The instant of its end.
    pub ends_at: Timestamp,
    /// How people take part.
    pub delivery: Delivery,
    /// The venue.
    pub venue: Option<VenueSummary>,
    /// How people get a place.
    pub booking_policy: BookingPolicy,
    /// How many seats are left. For a hybrid session, how many in person. Null: no limit.
    #[schema(example = 7)]
    pub seats_left: Option<i32>,
    /// How many online seats of a hybrid session are left. Null: no limit.
    pub online_seats_left: Option<i32>,
}

impl From<Session> for NextSession {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            title: session.title,
            local_start: session.local_start,
            time_zone: session.time_zone,
            starts_at: session.starts_at,
            ends_at: session.ends_at,
            delivery: session.delivery,
            venue: session.venue,
            booking_policy: session.booking_policy,
            seats_left: session.seats_left,
            online_seats_left: session.online_seats_left,
        }
    }
}

/// A card before it is shown at an instant.
#[derive(Debug)]
pub struct CardView {
    series: SeriesView,
    next: Option<SessionView>,
    to_come: i64,
    distance: Option<i64>,
}

impl CardView {
    /// The card as it is shown at an instant.
    pub fn as_of(self, now: Timestamp) -> SeriesCard {
        SeriesCard {
            series: self.series.into(),
            next_session: self.next.map(|session| session.as_of(now).into()),
            sessions_to_come: self.to_come,
            distance_km: self.distance.map(kilometres),
        }
    }

    /// Its place in the list by start: that of the next session.
    pub fn place(&self) -> ByStart {
        self.next.as_ref().map_or((i64::MAX, self.key()), SessionView::key)
    }

    /// The place of its series in the list by id.
    pub fn key(&self) -> Id {
        self.series.key()
    }
}

/// Millimetres as kilometres, to ten metres.
fn kilometres(distance: i64) -> f64 {
    (distance as f64 / 10_000.0).round() / 100.0
}

/// Cards with the series and the counts that belong to the sessions found, in their order.
pub fn of_found(conn: &mut Conn, search: &Search, found: Vec<Card>) -> Result<Vec<CardView>> {
    let ids: Vec<Id> = found.iter().filter_map(|card| card.session.series_id()).collect();
    let mut series = view::by_ids(conn, &ids)?;
    let (distances, rows): (Vec<Option<i64>>, Vec<Found>) =
        found.into_iter().map(|card| (card.distance, card.session)).unzip();
    let series: Vec<SeriesView> = ids.iter().filter_map(|id| series.remove(id)).collect();
    let counts = to_come(conn, search, &series)?;
    let nexts = session_view::related(conn, rows)?;
    let card = |((series, next), distance): ((SeriesView, SessionView), Option<i64>)| CardView {
        to_come: counts.get(&series.key()).copied().unwrap_or_default(),
        series,
        next: Some(next),
        distance,
    };
    Ok(series.into_iter().zip(nexts).zip(distances).map(card).collect())
}

/// Cards of these series, each with the first of its sessions.
pub fn of_series(conn: &mut Conn, search: &Search, series: Vec<SeriesView>) -> Result<Vec<CardView>> {
    let ids: Vec<Id> = series.iter().map(SeriesView::key).collect();
    let counts = to_come(conn, search, &series)?;
    let (ids, rows): (Vec<Id>, Vec<Found>) = cards::of_series(conn, search, &ids)?.into_iter().unzip();
    let mut nexts: HashMap<Id, SessionView> = ids.into_iter().zip(session_view::related(conn, rows)?).collect();
    let card = |series: SeriesView| CardView {
        to_come: counts.get(&series.key()).copied().unwrap_or_default(),
        next: nexts.remove(&series.key()),
        series,
        distance: None,
    };
    Ok(series.into_iter().map(card).collect())
}

/// How many scheduled sessions of each series are to come that the viewer may see.
fn to_come(conn: &mut Conn, search: &Search, series: &[SeriesView]) -> Result<HashMap<Id, i64>> {
    let mut counts = HashMap::new();
    for part in Part::of(search.viewer) {
        let theirs = |one: &&SeriesView| match part {
            Part::OwnUnpublished(own) => one.partner_id() == Some(own),
            Part::Published | Part::Public | Part::Unpublished => true,
        };
        let ids: Vec<Id> = series.iter().filter(theirs).map(SeriesView::key).collect();
        for (series, many) in series_listings::count(conn, &ids, part.is_published(), search.now)? {
            *counts.entry(series).or_default() += many;
        }
    }
    Ok(counts)
}
