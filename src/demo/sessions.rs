//! Series and their sessions, made from their rules with the service's own code.

use chrono::Days;

use super::offers::{self, Offer};
use super::places::Places;
use super::random::Random;
use super::store::{Known, SeriesRow, SessionRow};
use super::{Moment, noon};
use crate::clock::london_day;
use crate::db::{Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Result};
use crate::sessions::recurrence::{Occurrence, Recurrence, expand};

/// How many days from now the made-up series run.
const AHEAD: u64 = 84;

/// A session, and what the demo needs to know about it.
pub(super) struct Planned {
    pub(super) row: SessionRow,
    pub(super) local_authority: Option<String>,
    pub(super) past: bool,
    /// Whether it is a music session: people come who aren't members.
    pub(super) is_music: bool,
}

/// The planned series and sessions.
pub(super) struct Sessions {
    pub(super) series: Vec<SeriesRow>,
    pub(super) sessions: Vec<Planned>,
}

impl Sessions {
    /// The made-up series, for items of prescriptions.
    pub(super) fn series_ids(&self) -> Vec<Id> {
        self.series.iter().filter(|series| series.external_id.is_none()).map(|series| series.id).collect()
    }
}

pub(super) fn plan(random: &mut Random, known: &Known, places: &Places, moment: Moment) -> Result<Sessions> {
    let mut planned = Sessions { series: Vec::new(), sessions: Vec::new() };
    let last = moment.today + Days::new(AHEAD);
    for offer in offers::rosters()?.into_iter().chain(offers::made_up(last)?) {
        let partner_id = offer.partner.as_deref().and_then(|slug| places.partner(slug));
        let key = (partner_id, offer.external_id.clone());
        if !known.series.contains(&key) {
            add(&mut planned, random, places, &offer, partner_id, moment)?;
        }
    }
    Ok(planned)
}

fn add(
    planned: &mut Sessions,
    random: &mut Random,
    places: &Places,
    offer: &Offer,
    partner_id: Option<Id>,
    moment: Moment,
) -> Result<()> {
    let start: LocalTime = offer.local_start.parse().map_err(Error::internal)?;
    let venue = offer.venue.as_deref().map(|slug| places.venue(slug)).transpose()?;
    let made = moment.at_latest(noon(start.0.date() - Days::new(30)));
    let programme_id = offer.programme.as_deref().and_then(|slug| places.programme(slug));
    let place = (partner_id, programme_id, venue.map(|(id, _)| id));
    let series = series_row(random.id(made), offer, place, start, made);
    let rule = Recurrence {
        rule: &offer.recurrence,
        local_start: start.0,
        tz: chrono_tz::Europe::London,
        excluded: &[],
        additional: &[],
    };
    let last = moment.today + Days::new(AHEAD);
    for occurrence in expand(&rule, last).map_err(Error::internal)?.occurrences {
        let row = session_row(random.id(made), &series, &occurrence);
        planned.sessions.push(Planned {
            past: row.starts_on < moment.today,
            row,
            local_authority: venue.map(|(_, authority)| authority.to_owned()),
            is_music: offer.programme.as_deref() == Some("music-and-mental-health"),
        });
    }
    planned.series.push(series);
    Ok(())
}

type Place = (Option<Id>, Option<Id>, Option<Id>);

fn series_row(id: Id, offer: &Offer, place: Place, start: LocalTime, made: Timestamp) -> SeriesRow {
    let (partner_id, programme_id, venue_id) = place;
    let has_link = offer.delivery != "in_person" && offer.external_id.is_none();
    SeriesRow {
        id,
        partner_id,
        programme_id,
        venue_id,
        external_id: offer.external_id.clone(),
        title: offer.title.clone(),
        pillar: offer.pillar.clone(),
        description: offer.description.clone(),
        topics: Json(offers::words(offer.topics.as_deref())),
        facilitator: offer.facilitator.clone(),
        delivery: offer.delivery.clone(),
        join_link: has_link.then(|| "https://meet.example.org/life-rooms-demo".to_owned()),
        accessibility: Json(offers::words(offer.accessibility.as_deref())),
        booking_policy: offer.booking_policy.clone().unwrap_or_else(|| "bookable".to_owned()),
        capacity: offer.capacity,
        online_capacity: offer.online_capacity,
        local_start: start,
        time_zone: "Europe/London",
        duration_minutes: offer.duration_minutes,
        recurrence: offer.recurrence.clone(),
        excluded: Json(Vec::new()),
        additional: Json(Vec::new()),
        publication: "published",
        status: "active",
        version: 1,
        created_at: made,
        updated_at: made,
    }
}

fn session_row(id: Id, series: &SeriesRow, occurrence: &Occurrence) -> SessionRow {
    let starts_at = Timestamp(occurrence.starts_at);
    SessionRow {
        id,
        series_id: Some(series.id),
        occurrence: Some(occurrence.key),
        partner_id: series.partner_id,
        programme_id: series.programme_id,
        venue_id: series.venue_id,
        title: series.title.clone(),
        pillar: series.pillar.clone(),
        description: series.description.clone(),
        topics: series.topics.clone(),
        facilitator: series.facilitator.clone(),
        delivery: series.delivery.clone(),
        join_link: series.join_link.clone(),
        accessibility: series.accessibility.clone(),
        booking_policy: series.booking_policy.clone(),
        capacity: series.capacity,
        online_capacity: series.online_capacity,
        seats_taken: 0,
        online_seats_taken: 0,
        waitlist_length: 0,
        local_start: LocalTime(occurrence.local_start),
        time_zone: series.time_zone,
        duration_minutes: series.duration_minutes,
        starts_at,
        ends_at: starts_at.plus_seconds(i64::from(series.duration_minutes) * 60),
        starts_on: london_day(starts_at),
        publication: "published",
        status: "scheduled",
        edited: false,
        version: 1,
        created_at: series.created_at,
        updated_at: series.updated_at,
    }
}
