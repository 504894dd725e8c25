//! Venues, sites and their hostings, partners and their programmes.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::random::Random;
use super::store::Known;
use super::{day, noon, written};
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Result};
use crate::partners::programmes::store as programme_store;
use crate::partners::programmes::types::Programme;
use crate::partners::store::{self as partner_store, PartnerRow};
use crate::partners::types::PartnerInput;
use crate::sites::hostings::store as hosting_store;
use crate::sites::hostings::types::{Hosting, HostingInput};
use crate::sites::store as site_store;
use crate::sites::types::{Site, SiteInput};
use crate::venues::store as venue_store;
use crate::venues::types::{Address, Hours, OpeningHours, Venue, VenueInput, VenueKind, VenueStatus};

/// Venues with names, kinds and places as the services published them.
const VENUES: &str = include_str!("data/venues.csv");

/// The positions of the venues. Each is the centre of the venue's postcode district, since most addresses aren't
/// published. A district's centre is good enough for "near L4", but not for finding the door.
///
/// Source: gibbs/uk-postcodes, CC0 1.0.
const DISTRICTS: &str = include_str!("data/districts.csv");

/// Made-up venues outside Liverpool and Sefton, and one in each of the two for a site that moves.
const MADE_UP: &str = "\
demo-kirkby-hub,Kirkby Example Hub,community_centre,,Kirkby,,Knowsley
demo-birkenhead-hub,Birkenhead Example Hub,community_centre,,Birkenhead,,Wirral
demo-st-helens-hub,St Helens Example Hub,community_centre,,St Helens,,St Helens
demo-runcorn-hub,Runcorn Example Hub,community_centre,,Runcorn,,Halton
demo-dockside-hall,Dockside Example Hall,community_centre,,Liverpool,,Liverpool
demo-seafront-hall,Seafront Example Hall,community_centre,,Southport,,Sefton
";

#[derive(Deserialize)]
struct VenueLine {
    slug: String,
    name: String,
    kind: VenueKind,
    address_line_1: Option<String>,
    town: Option<String>,
    postcode: Option<String>,
    local_authority: String,
}

#[derive(Deserialize)]
struct DistrictLine {
    venue: String,
    latitude: f64,
    longitude: f64,
}

/// Year, month, day.
type Date = (i32, u32, u32);
/// A hosting: the venue, the partner, the first day and the last.
type Hosted = (&'static str, Option<&'static str>, Date, Option<Date>);

/// A site and its hostings.
struct SiteFact {
    slug: &'static str,
    name: &'static str,
    hostings: &'static [Hosted],
}

const SITES: [SiteFact; 6] = [
    SiteFact {
        slug: "walton",
        name: "Life Rooms Walton",
        hostings: &[("walton-life-rooms", None, (2016, 5, 1), None)],
    },
    SiteFact {
        slug: "southport",
        name: "Life Rooms Southport",
        hostings: &[("southport-life-rooms", None, (2017, 5, 1), None)],
    },
    SiteFact {
        slug: "bootle",
        name: "Life Rooms Bootle",
        hostings: &[("bootle-life-rooms", None, (2019, 5, 1), None)],
    },
    SiteFact {
        slug: "central-liverpool",
        name: "Central Liverpool",
        hostings: &[
            ("everyman-and-playhouse", Some("everyman-and-playhouse"), (2019, 9, 1), Some((2023, 3, 31))),
            ("liverpool-central-library", Some("liverpool-libraries"), (2023, 4, 1), None),
        ],
    },
    // Made up: a site that moved from one local authority to another.
    SiteFact {
        slug: "demo-waterside",
        name: "Example Waterside",
        hostings: &[
            ("demo-dockside-hall", None, (2020, 1, 1), Some((2023, 12, 31))),
            ("demo-seafront-hall", None, (2024, 1, 1), None),
        ],
    },
    SiteFact {
        slug: "demo-kirkby",
        name: "Example Kirkby",
        hostings: &[("demo-kirkby-hub", None, (2020, 1, 1), None)],
    },
];

/// Slug, name and kind of the partners that aren't made up, with their programme.
const PARTNERS: [(&str, &str, &str, Option<(&str, &str)>); 5] = [
    ("the-reader", "The Reader", "charity", Some(("shared-reading", "Shared Reading"))),
    (
        "royal-liverpool-philharmonic",
        "Royal Liverpool Philharmonic",
        "orchestra",
        Some(("music-and-mental-health", "Music and Mental Health")),
    ),
    ("mersey-care", "Mersey Care NHS Foundation Trust", "nhs_trust", Some(("life-rooms", "The Life Rooms"))),
    ("everyman-and-playhouse", "Liverpool Everyman and Playhouse", "theatre", None),
    ("liverpool-libraries", "Liverpool Libraries", "library_service", None),
];

const FIRST_WORDS: [&str; 19] = [
    "Lantern",
    "Harbour",
    "Bridge",
    "Meadow",
    "Compass",
    "Beacon",
    "Orchard",
    "Anchor",
    "Kite",
    "Willow",
    "Pebble",
    "Skylark",
    "Canal",
    "Gable",
    "Thistle",
    "Juniper",
    "Copper",
    "Saltmarsh",
    "Heron",
];
const SECOND_WORDS: [(&str, &str); 5] = [
    ("Housing Example", "housing"),
    ("Advice Example", "advice"),
    ("Arts Example", "charity"),
    ("College Example", "university"),
    ("Neighbours Example", "community_group"),
];

/// The planned places and partners, and the ids by slug of everything that will exist then.
#[derive(Default)]
pub(super) struct Places {
    venues: Vec<Venue>,
    sites: Vec<Site>,
    hostings: Vec<Hosting>,
    partners: Vec<PartnerRow>,
    programmes: Vec<Programme>,
    venue_ids: HashMap<String, (Id, String)>,
    site_ids: HashMap<&'static str, Id>,
    partner_ids: HashMap<String, Id>,
    programme_ids: HashMap<String, Id>,
}

impl Places {
    /// Writes the planned places and partners.
    pub(super) fn insert(&self, conn: &mut Conn) -> Result<()> {
        self.venues.iter().try_for_each(|row| venue_store::insert(conn, row))?;
        self.partners.iter().try_for_each(|row| partner_store::insert(conn, row))?;
        self.programmes.iter().try_for_each(|row| programme_store::insert(conn, row))?;
        self.sites.iter().try_for_each(|row| site_store::insert(conn, row))?;
        self.hostings.iter().try_for_each(|row| hosting_store::insert(conn, row))
    }

    /// A venue's id and local authority.
    pub(super) fn venue(&self, slug: &str) -> Result<(Id, &str)> {
        let found = self.venue_ids.get(slug).map(|(id, authority)| (*id, authority.as_str()));
        found.ok_or_else(|| Error::internal(format!("the demo has no venue {slug}")))
    }

    pub(super) fn site(&self, slug: &str) -> Option<Id> {
        self.site_ids.get(slug).copied()
    }

    pub(super) fn partner(&self, slug: &str) -> Option<Id> {
        self.partner_ids.get(slug).copied()
    }

    pub(super) fn programme(&self, slug: &str) -> Option<Id> {
        self.programme_ids.get(slug).copied()
    }

    /// The made-up partners, for referrals.
    pub(super) fn made_up_partners(&self) -> Vec<Id> {
        let is_real = |slug: &str| PARTNERS.iter().any(|(real, ..)| *real == slug);
        let mut ids: Vec<Id> = self.partner_ids.iter().filter(|(slug, _)| !is_real(slug)).map(|(_, id)| *id).collect();
        ids.sort();
        ids
    }
}

/// When the service's own records begin.
fn beginning() -> Timestamp {
    noon(day(2016, 5, 1))
}

pub(super) fn plan(random: &mut Random, known: &Known) -> Result<Places> {
    let mut places = Places::default();
    add_venues(&mut places, random, known)?;
    add_partners(&mut places, random, known)?;
    add_sites(&mut places, random, known)?;
    Ok(places)
}

fn add_venues(places: &mut Places, random: &mut Random, known: &Known) -> Result<()> {
    let text = format!("{VENUES}{MADE_UP}");
    let mut districts = HashMap::new();
    for line in csv::Reader::from_reader(DISTRICTS.as_bytes()).deserialize() {
        let line: DistrictLine = line.map_err(Error::internal)?;
        districts.insert(line.venue, (line.latitude, line.longitude));
    }
    for line in csv::Reader::from_reader(text.as_bytes()).deserialize() {
        let line: VenueLine = line.map_err(Error::internal)?;
        let id = match known.venues.get(&line.slug) {
            Some(found) => *found,
            None => {
                let id = random.id(beginning());
                places.venues.push(Venue::new(id, venue(&line, districts.get(&line.slug).copied()), beginning()));
                id
            }
        };
        places.venue_ids.insert(line.slug, (id, line.local_authority));
    }
    Ok(())
}

fn venue(line: &VenueLine, centre: Option<(f64, f64)>) -> VenueInput {
    let address = Address {
        line_1: line.address_line_1.clone(),
        town: line.town.clone(),
        postcode: line.postcode.clone(),
        ..Address::default()
    };
    VenueInput {
        slug: line.slug.clone(),
        name: line.name.clone(),
        kind: line.kind,
        address,
        latitude: centre.map(|(latitude, _)| latitude),
        longitude: centre.map(|(_, longitude)| longitude),
        local_authority: line.local_authority.clone(),
        uprn: None,
        accessibility: Json(accessibility(line.kind)),
        capacity: None,
        opening_hours: Json(opening_hours(line.kind)),
        status: VenueStatus::default(),
        status_from: None,
        status_until: None,
    }
}

/// Made-up accessibility features for a kind of place. The real ones aren't published.
fn accessibility(kind: VenueKind) -> Vec<String> {
    let features: &[&str] = match kind {
        VenueKind::LifeRoomsCentre => &["step_free", "hearing_loop", "accessible_toilet", "quiet_space"],
        VenueKind::Theatre => &["step_free", "hearing_loop", "accessible_toilet"],
        VenueKind::Library => &["step_free", "accessible_toilet"],
        _ => &["step_free"],
    };
    features.iter().map(|feature| (*feature).to_owned()).collect()
}

/// Made-up opening hours for a kind of place.
fn opening_hours(kind: VenueKind) -> OpeningHours {
    let hours = |opens: &str, closes: &str| vec![Hours { opens: opens.to_owned(), closes: closes.to_owned() }];
    let (weekday, saturday) = match kind {
        VenueKind::Theatre => (hours("10:00", "22:30"), hours("10:00", "22:30")),
        VenueKind::Library => (hours("09:30", "18:00"), hours("10:00", "16:00")),
        VenueKind::CommunityCentre => (hours("09:00", "21:00"), Vec::new()),
        _ => (hours("09:00", "17:00"), Vec::new()),
    };
    OpeningHours {
        monday: weekday.clone(),
        tuesday: weekday.clone(),
        wednesday: weekday.clone(),
        thursday: weekday.clone(),
        friday: weekday,
        saturday,
        sunday: Vec::new(),
    }
}

fn add_partners(places: &mut Places, random: &mut Random, known: &Known) -> Result<()> {
    for (slug, name, kind, programme) in PARTNERS {
        let partner_id = add_partner(places, random, known, json!({ "slug": slug, "name": name, "kind": kind }))?;
        if let Some((slug, name)) = programme {
            let id = match known.programmes.get(&(partner_id, slug.to_owned())) {
                Some(id) => *id,
                None => {
                    let written = written(json!({ "slug": slug, "name": name }))?;
                    let row = Programme::new(random.id(beginning()), partner_id, written, beginning());
                    places.programmes.push(row.clone());
                    row.id
                }
            };
            places.programme_ids.insert(slug.to_owned(), id);
        }
    }
    for first in FIRST_WORDS {
        for (second, kind) in SECOND_WORDS {
            let name = format!("{first} {second}");
            let slug = name.to_lowercase().replace(' ', "-");
            let made_up = json!({ "slug": slug, "name": name, "kind": kind, "description": "Made up for the demo." });
            add_partner(places, random, known, made_up)?;
        }
    }
    Ok(())
}

fn add_partner(places: &mut Places, random: &mut Random, known: &Known, json: Value) -> Result<Id> {
    let partner: PartnerInput = written(json)?;
    let slug = partner.slug.clone();
    let id = known.partners.get(&slug).copied().unwrap_or_else(|| {
        let id = random.id(beginning());
        places.partners.push(PartnerRow::new(id, partner, beginning()));
        id
    });
    places.partner_ids.insert(slug, id);
    Ok(id)
}

fn add_sites(places: &mut Places, random: &mut Random, known: &Known) -> Result<()> {
    for SiteFact { slug, name, hostings } in SITES {
        if let Some(id) = known.sites.get(slug) {
            // The site exists already, so its hostings stay as they are.
            places.site_ids.insert(slug, *id);
            continue;
        }
        let id = random.id(beginning());
        let site = SiteInput { slug: slug.to_owned(), name: name.to_owned() };
        places.sites.push(Site::new(id, site, beginning()));
        places.site_ids.insert(slug, id);
        for (venue, partner, from, until) in hostings {
            let date = |(y, m, d): Date| -> NaiveDate { day(y, m, d) };
            let (venue_id, _) = places.venue(venue)?;
            let partner_id = partner.and_then(|slug| places.partner(slug));
            let hosting = HostingInput { venue_id, partner_id, starts_on: date(*from), ends_on: until.map(date) };
            places.hostings.push(Hosting::new(random.id(beginning()), id, hosting, beginning()));
        }
    }
    Ok(())
}
