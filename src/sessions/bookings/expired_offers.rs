//! Expired offers that still hold seats, of all sessions at once.
//!
//! A change of one session first [ends](super::waiting::lapse_offers) its expired offers. A roster plans thousands of
//! sessions. It leaves expired offers out when it counts seats, and ends them only in the sessions that it writes.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::seats::counts_online;
use super::types::SeatDelivery;
use crate::db::schema::bookings;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::sessions::store::SessionRow;

/// The seats that expired offers still hold in each session: in person and online.
#[derive(Debug, Default)]
pub struct RunOut(HashMap<Id, (i32, i32)>);

impl RunOut {
    /// Reads all of them. They are few, because the server ends expired offers within seconds.
    pub fn load(conn: &mut Conn, now: Timestamp) -> Result<Self> {
        let offers = bookings::table
            // In the statement itself, not in a parameter: otherwise the partial index of offers isn't used.
            .filter(sql::<Bool>("bookings.status = 'offered'"))
            .filter(bookings::offer_expires_at.le(now))
            .select((bookings::session_id, bookings::delivery, bookings::seats));
        let mut held: HashMap<Id, (i32, i32)> = HashMap::new();
        for (session, delivery, seats) in offers.load::<(Id, SeatDelivery, i32)>(conn)? {
            let (in_person, online) = held.entry(session).or_default();
            match delivery {
                SeatDelivery::InPerson => *in_person += seats,
                SeatDelivery::Online => *online += seats,
            }
        }
        Ok(Self(held))
    }

    /// How many seats expired offers hold in a session.
    pub fn seats(&self, session: Id) -> i32 {
        self.0.get(&session).map_or(0, |(in_person, online)| in_person + online)
    }

    /// Takes these seats out of a session's counts.
    pub fn free(&self, row: &mut SessionRow) {
        let Some((in_person, online)) = self.0.get(&row.id) else { return };
        if counts_online(row.delivery, SeatDelivery::Online) {
            row.seats_taken -= in_person;
            row.online_seats_taken -= online;
        } else {
            row.seats_taken -= in_person + online;
        }
    }

    /// The sessions among these in which expired offers hold seats.
    pub fn among<'a>(&self, sessions: impl IntoIterator<Item = &'a Id>) -> Vec<Id> {
        sessions.into_iter().filter(|id| self.0.contains_key(*id)).copied().collect()
    }
}
