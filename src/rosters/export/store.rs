//! Reads what a partner has as entries of a roster.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use diesel::prelude::*;

use crate::db::schema::{programmes, session_series, sessions, spaces, venues};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::Result;
use crate::load_by_ids;
use crate::rosters::lookups::{Lookups, Naming};
use crate::rosters::store::roster_version;
use crate::rosters::types::{EntryKind, RosterEntry};
use crate::sessions::activity::Activity;
use crate::sessions::particulars::Particulars;
use crate::sessions::recurrence::is_endless;
use crate::sessions::series::store::SeriesRow;
use crate::sessions::store::SessionRow;
use crate::sessions::types::{Pillar, SeriesStatus, SessionChange, SessionStatus};
use crate::sessions::visibility::published_or_not;
use crate::sessions::wordings::Wording;

/// The longest session, in minutes.
const LONGEST: i64 = 10_080;

/// What a venue is called in a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VenueNames {
    /// By its slug.
    Slugs,
    /// By its name, if only one has it.
    Titles,
}

/// What an entry states that doesn't depend on its kind.
type Said = (Activity, Particulars, Pillar);

/// The entries of a partner's series and single sessions, by `external_id`.
///
/// # Errors
/// 404 where there is no such partner.
pub fn entries(conn: &mut Conn, partner_id: Id, names: VenueNames, now: Timestamp) -> Result<Vec<RosterEntry>> {
    roster_version(conn, partner_id)?;
    let series = series_to_come(conn, partner_id, now)?;
    let singles = singles_to_come(conn, partner_id, now)?;
    let of_singles = singles.iter().map(|(_, (activity, ..))| activity);
    let named = Names::load(conn, partner_id, names, series.iter().map(|row| &row.activity).chain(of_singles))?;
    let mut entries: BTreeMap<String, RosterEntry> = BTreeMap::new();
    for row in series {
        let Some(external_id) = row.external_id else { continue };
        let said = (row.activity, row.particulars.0, row.pillar);
        let entry = RosterEntry {
            recurrence: Some(row.repetition.recurrence),
            excluded: row.repetition.excluded,
            additional: row.repetition.additional,
            ..named.entry(external_id.clone(), EntryKind::Series, said)
        };
        entries.insert(external_id, entry);
    }
    for (external_id, said) in singles {
        let entry = named.entry(external_id.clone(), EntryKind::Session, said);
        entries.insert(external_id, entry);
    }
    Ok(entries.into_values().collect())
}

/// The scheduled sessions of a partner that aren't over. The start is stated too: an index is by it.
macro_rules! to_come {
    ($partner_id:expr, $now:expr) => {
        sessions::table
            .filter(sessions::partner_id.eq($partner_id))
            .filter(published_or_not())
            .filter(sessions::starts_at.gt(Timestamp($now.0 - TimeDelta::minutes(LONGEST))))
            .filter(sessions::ends_at.gt($now))
            .filter(sessions::status.eq(SessionStatus::Scheduled))
    };
}

/// The series that have an `external_id` and go on: a session of theirs isn't over, or their rule has no end.
fn series_to_come(conn: &mut Conn, partner_id: Id, now: Timestamp) -> Result<Vec<SeriesRow>> {
    let series = session_series::table
        .filter(session_series::partner_id.eq(partner_id))
        .filter(session_series::external_id.is_not_null())
        .filter(session_series::status.eq(SeriesStatus::Active));
    let series: Vec<SeriesRow> = series.select(SeriesRow::as_select()).load(conn)?;
    let going_on: Vec<Option<Id>> = to_come!(partner_id, now).select(sessions::series_id).distinct().load(conn)?;
    let going_on: HashSet<Id> = going_on.into_iter().flatten().collect();
    let goes_on = |row: &SeriesRow| {
        let endless = row.ending.0.split.is_none() && is_endless(&row.repetition.recurrence);
        row.ending.0.withdrawn.is_none() && (endless || going_on.contains(&row.id))
    };
    Ok(series.into_iter().filter(goes_on).collect())
}

/// The single sessions that have an `external_id` and aren't over.
fn singles_to_come(conn: &mut Conn, partner_id: Id, now: Timestamp) -> Result<Vec<(String, Said)>> {
    let singles =
        to_come!(partner_id, now).filter(sessions::series_id.is_null()).filter(sessions::external_id.is_not_null());
    let singles: Vec<SessionRow> = singles.select(SessionRow::as_select()).load(conn)?;
    let wordings = Wording::by_id(conn, singles.iter().map(|session| session.wording_id))?;
    let said = |row: SessionRow| {
        let wording = wordings.get(&row.wording_id)?;
        let SessionChange { activity, particulars, .. } = row.changeable(wording);
        Some((row.external_id?, (activity, particulars, wording.pillar)))
    };
    Ok(singles.into_iter().filter_map(said).collect())
}

/// What entries call the venues, spaces and programmes of what there is.
struct Names {
    venues: HashMap<Id, String>,
    spaces: HashMap<Id, String>,
    programmes: HashMap<Id, String>,
}

impl Names {
    fn load<'a>(
        conn: &mut Conn,
        partner_id: Id,
        names: VenueNames,
        all: impl Iterator<Item = &'a Activity> + Clone,
    ) -> Result<Self> {
        let ids = |of: fn(&Activity) -> Option<Id>| -> Vec<Id> {
            all.clone().filter_map(of).collect::<HashSet<Id>>().into_iter().collect()
        };
        let columns = (venues::id, venues::slug, venues::name);
        let of_venues: Vec<(Id, String, String)> =
            load_by_ids!(conn, venues, columns, ids(|activity| activity.venue_id).as_slice())?;
        let of_spaces: Vec<(Id, String)> =
            load_by_ids!(conn, spaces, (spaces::id, spaces::name), ids(|activity| activity.space_id).as_slice())?;
        let columns = (programmes::id, programmes::slug);
        let of_programmes: Vec<(Id, String)> =
            load_by_ids!(conn, programmes, columns, ids(|activity| activity.programme_id).as_slice())?;
        let lookups = match names {
            VenueNames::Slugs => Lookups::default(),
            VenueNames::Titles => Lookups::load(conn, partner_id)?,
        };
        let venue = |(id, slug, name): (Id, String, String)| {
            let says_this = lookups.venue(&name, Naming::AsWritten).is_ok_and(|found| found == id);
            (id, if names == VenueNames::Titles && says_this { name } else { slug })
        };
        Ok(Self {
            venues: of_venues.into_iter().map(venue).collect(),
            spaces: of_spaces.into_iter().collect(),
            programmes: of_programmes.into_iter().collect(),
        })
    }

    /// An entry without what only series have.
    fn entry(&self, external_id: String, kind: EntryKind, (activity, particulars, pillar): Said) -> RosterEntry {
        let name = |names: &HashMap<Id, String>, id: Option<Id>| id.and_then(|id| names.get(&id).cloned());
        RosterEntry {
            external_id,
            r#type: Some(kind),
            title: activity.title,
            description: activity.description,
            programme: name(&self.programmes, activity.programme_id),
            pillar,
            topics: activity.topics,
            delivery: activity.delivery,
            venue: name(&self.venues, activity.venue_id),
            space: name(&self.spaces, activity.space_id),
            join_link: None,
            facilitator: activity.facilitator,
            accessibility: activity.accessibility,
            particulars,
            local_start: activity.local_start,
            time_zone: activity.time_zone,
            duration_minutes: activity.duration_minutes,
            recurrence: None,
            excluded: Json(Vec::new()),
            additional: Json(Vec::new()),
            capacity: activity.capacity,
            online_capacity: activity.online_capacity,
            booking_policy: activity.booking_policy,
            publication: activity.publication,
            register: None,
        }
    }
}
