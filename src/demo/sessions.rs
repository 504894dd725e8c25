//! Series and their sessions, made from their rules with the service's own code.

use chrono::Days;

use super::offers::{self, Offer};
use super::places::Places;
use super::random::Random;
use super::store::Known;
use super::{Moment, noon};
use crate::db::Id;
use crate::error::Result;
use crate::sessions::recurrence::Work;
use crate::sessions::series::rules;
use crate::sessions::series::store::SeriesRow;
use crate::sessions::store::SessionRow;
use crate::sessions::types::Pillar;
use crate::sessions::wordings::Wording;

/// How many days from now the made-up series run.
pub(super) const AHEAD: u64 = 84;

/// A session, and what the demo needs to know about it.
pub(super) struct Planned {
    pub(super) row: SessionRow,
    pub(super) pillar: Pillar,
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
        let key = (partner_id, offer.external_id());
        if !known.series.contains(&key) {
            add(&mut planned, random, places, offer, partner_id, moment)?;
        }
    }
    Ok(planned)
}

fn add(
    planned: &mut Sessions,
    random: &mut Random,
    places: &Places,
    offer: Offer,
    partner_id: Option<Id>,
    moment: Moment,
) -> Result<()> {
    let venue = offer.venue.as_deref().map(|slug| places.venue(slug)).transpose()?;
    let programme_id = offer.programme.as_deref().and_then(|slug| places.programme(slug));
    let is_music = offer.programme.as_deref() == Some("music-and-mental-health");
    let written = offer.series(partner_id, programme_id, venue.map(|(id, _)| id))?;
    let made = moment.at_latest(noon(written.activity.local_start.0.date() - Days::new(30)));
    let series = SeriesRow::new(random.id(made), written, made);
    let wording_id = Wording::from(&series).id();
    for occurrence in rules::stated_by(&series, moment.today + Days::new(AHEAD), &Work::of_kept())?.occurrences {
        let row = SessionRow::of_series(&series, wording_id, &occurrence, random.id(made), made);
        planned.sessions.push(Planned {
            past: row.starts_on < moment.today,
            row,
            pillar: series.pillar,
            local_authority: venue.map(|(_, authority)| authority.to_owned()),
            is_music,
        });
    }
    planned.series.push(series);
    Ok(())
}
