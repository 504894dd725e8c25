//! The sessions on offer in the demo: the published rosters, and made-up series.

use chrono::{Days, NaiveDate};
use serde::Deserialize;

use super::day;
use crate::db::{Id, LocalTime};
use crate::error::{Error, Result};
use crate::sessions::series::types::SeriesInput;
use crate::sessions::types::{BookingPolicy, Delivery, Pillar, Publication};

const READER: &str = include_str!("data/roster-the-reader.csv");
const OUTREACH: &str = include_str!("data/roster-outreach-2022.json");
/// Made-up series, every second week, from the summer before the published figures begin to some weeks from now.
const SERIES: &str = include_str!("data/series.csv");

/// A series: the fields in which those of the demo differ.
#[derive(Debug, Deserialize)]
pub(super) struct Offer {
    #[serde(default)]
    pub(super) external_id: Option<String>,
    pub(super) title: String,
    #[serde(skip)]
    pub(super) partner: Option<String>,
    #[serde(default)]
    pub(super) programme: Option<String>,
    pub(super) pillar: Pillar,
    pub(super) delivery: Delivery,
    #[serde(default)]
    pub(super) venue: Option<String>,
    pub(super) local_start: LocalTime,
    pub(super) duration_minutes: i32,
    pub(super) recurrence: String,
    #[serde(default)]
    pub(super) booking_policy: BookingPolicy,
    #[serde(default)]
    pub(super) capacity: Option<i32>,
    #[serde(skip)]
    pub(super) online_capacity: Option<i32>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(skip)]
    pub(super) topics: Vec<String>,
    #[serde(default)]
    pub(super) facilitator: Option<String>,
    #[serde(skip)]
    pub(super) accessibility: Vec<String>,
}

impl Offer {
    /// The series as a request writes it.
    pub(super) fn written(self, partner_id: Option<Id>, programme_id: Option<Id>, venue_id: Option<Id>) -> SeriesInput {
        let has_link = self.delivery != Delivery::InPerson && self.external_id.is_none();
        SeriesInput {
            title: self.title,
            description: self.description,
            pillar: self.pillar,
            topics: self.topics,
            delivery: self.delivery,
            partner_id,
            programme_id,
            venue_id,
            space_id: None,
            join_link: has_link.then(|| "https://meet.example.org/life-rooms-demo".to_owned()),
            facilitator: self.facilitator,
            accessibility: self.accessibility,
            local_start: self.local_start,
            time_zone: "Europe/London".to_owned(),
            duration_minutes: self.duration_minutes,
            recurrence: self.recurrence,
            excluded: Vec::new(),
            additional: Vec::new(),
            capacity: self.capacity,
            online_capacity: self.online_capacity,
            booking_policy: self.booking_policy,
            publication: Publication::Published,
            external_id: self.external_id,
        }
    }
}

/// The items of a list that is joined with `|`, as in a roster.
fn items(list: &str) -> Vec<String> {
    list.split('|').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[derive(Deserialize)]
struct Roster {
    entries: Vec<Offer>,
}

/// The rosters that The Reader and the trust published.
pub(super) fn rosters() -> Result<Vec<Offer>> {
    let mut offers = Vec::new();
    for line in csv::Reader::from_reader(READER.as_bytes()).deserialize() {
        let offer: Offer = line.map_err(Error::internal)?;
        offers.push(Offer { partner: Some("the-reader".to_owned()), ..offer });
    }
    let outreach: Roster = serde_json::from_str(OUTREACH).map_err(Error::internal)?;
    offers.extend(outreach.entries.into_iter().map(|offer| Offer { partner: Some("mersey-care".to_owned()), ..offer }));
    Ok(offers)
}

/// A made-up series.
#[derive(Deserialize)]
struct Line {
    title: String,
    description: String,
    topics: String,
    pillar: Pillar,
    delivery: Delivery,
    venue: Option<String>,
    partner: Option<String>,
    programme: Option<String>,
    /// How many days after Monday.
    weekday: u64,
    start: String,
    facilitator: String,
    accessibility: String,
}

/// The series whose next session is full and has a waiting list. It has few seats.
pub(super) const FULL: &str = "Cooking on a budget";
/// The series that is part of a member's plan.
pub(super) const PLANNED: &str = "Watercolours";
/// The series that is called off for a week, together with everything else in its venue.
pub(super) const CALLED_OFF: &str = "Sing together";

/// The made-up series, until a last day.
pub(super) fn made_up(last: NaiveDate) -> Result<Vec<Offer>> {
    let mut offers = Vec::new();
    for (number, line) in (0..).zip(csv::Reader::from_reader(SERIES.as_bytes()).deserialize()) {
        let line: Line = line.map_err(Error::internal)?;
        // A Monday. Every other series takes place in the weeks between.
        let first = day(2021, 7, 5) + Days::new(line.weekday + 7 * (number % 2));
        let seats = match line.title.as_str() {
            FULL => 8,
            _ if line.delivery == Delivery::Online => 40,
            _ => 24,
        };
        offers.push(Offer {
            external_id: None,
            partner: line.partner,
            programme: line.programme,
            venue: line.venue,
            local_start: format!("{first}T{}", line.start).parse().map_err(Error::internal)?,
            duration_minutes: 90,
            recurrence: format!("FREQ=WEEKLY;INTERVAL=2;UNTIL={}T235959Z", last.format("%Y%m%d")),
            booking_policy: match line.title.as_str() {
                "Coffee and company" => BookingPolicy::DropIn,
                _ => BookingPolicy::Bookable,
            },
            capacity: Some(seats),
            online_capacity: (line.delivery == Delivery::Hybrid).then_some(30),
            title: line.title,
            pillar: line.pillar,
            delivery: line.delivery,
            description: Some(line.description),
            topics: items(&line.topics),
            facilitator: Some(line.facilitator),
            accessibility: items(&line.accessibility),
        });
    }
    Ok(offers)
}
