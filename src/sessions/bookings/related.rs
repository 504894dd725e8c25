//! What an answer shows with bookings: their places in waiting lists, and the places and series of their sessions.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::store::BookedRow;
use super::types::{BookedPlace, BookedSeries, Booking};
use super::waiting::Positions;
use crate::db::schema::{session_series, venues};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::load_by_ids;

/// What is shown with some bookings. Several bookings share most of it, so each venue and series is read once.
pub struct Related {
    positions: Positions,
    places: HashMap<Id, BookedPlace>,
    series: HashMap<Id, BookedSeries>,
}

impl Related {
    /// Reads what is shown with these bookings.
    pub fn of(conn: &mut Conn, rows: &[BookedRow]) -> Result<Self> {
        let positions = Positions::of(conn, rows)?;
        let venues = ids(rows.iter().filter_map(|(_, session, _)| session.place_id()));
        let places: Vec<BookedPlace> = load_by_ids!(conn, venues, BookedPlace::as_select(), venues.as_slice())?;
        let series = ids(rows.iter().filter_map(|(_, session, _)| session.series_id));
        let series: Vec<BookedSeries> =
            load_by_ids!(conn, session_series, BookedSeries::as_select(), series.as_slice())?;
        Ok(Self {
            positions,
            places: places.into_iter().map(|place| (place.venue_id, place)).collect(),
            series: series.into_iter().map(|series| (series.id, series)).collect(),
        })
    }

    /// The booking with all of it.
    pub fn show(&self, row: BookedRow) -> Booking {
        let place = row.1.place_id().and_then(|id| self.places.get(&id).cloned());
        let series = row.1.series_id.and_then(|id| self.series.get(&id).cloned());
        let mut booking = self.positions.show(row);
        booking.session.place = place;
        booking.session.series = series;
        booking
    }
}

fn ids(all: impl Iterator<Item = Id>) -> Vec<Id> {
    all.collect::<HashSet<Id>>().into_iter().collect()
}
