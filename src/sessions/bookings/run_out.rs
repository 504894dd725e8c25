//! Offers that have run out and that nobody has passed on yet, of all sessions at once.
//!
//! Whatever changes one session [ends](super::waiting::lapse_offers) its run-out offers first. Where thousands are
//! planned over, they are counted without, and ended only in those that are then written.

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

/// The seats that run-out offers still hold, by session: face to face and online.
#[derive(Debug, Default)]
pub struct RunOut(HashMap<Id, (i32, i32)>);

impl RunOut {
    /// Reads all of them: the server passes them on within seconds, so they are few.
    pub fn load(conn: &mut Conn, now: Timestamp) -> Result<Self> {
        let offers = bookings::table
            // Said in the statement itself and not bound to it: only so is the index of offers of use.
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

    /// How many seats they hold in a session.
    pub fn seats(&self, session: Id) -> i32 {
        self.0.get(&session).map_or(0, |(in_person, online)| in_person + online)
    }

    /// Counts a session's seats without them.
    pub fn free(&self, row: &mut SessionRow) {
        let Some((in_person, online)) = self.0.get(&row.id) else { return };
        if counts_online(row.delivery, SeatDelivery::Online) {
            row.seats_taken -= in_person;
            row.online_seats_taken -= online;
        } else {
            row.seats_taken -= in_person + online;
        }
    }

    /// Of these sessions, the ones in which they hold any.
    pub fn among<'a>(&self, sessions: impl IntoIterator<Item = &'a Id>) -> Vec<Id> {
        sessions.into_iter().filter(|id| self.0.contains_key(*id)).copied().collect()
    }
}
