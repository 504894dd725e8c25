//! What is on in the demo: the published rosters, and series that are made up.

use chrono::{Days, NaiveDate};
use serde::Deserialize;

use super::day;
use crate::error::{Error, Result};

const READER: &str = include_str!("data/roster-the-reader.csv");
const OUTREACH: &str = include_str!("data/roster-outreach-2022.json");

/// A series, as far as the demo's differ from each other.
#[derive(Debug, Deserialize)]
pub(super) struct Offer {
    #[serde(default)]
    pub(super) external_id: Option<String>,
    pub(super) title: String,
    #[serde(skip)]
    pub(super) partner: Option<&'static str>,
    #[serde(default)]
    pub(super) programme: Option<String>,
    pub(super) pillar: String,
    pub(super) delivery: String,
    #[serde(default)]
    pub(super) venue: Option<String>,
    pub(super) local_start: String,
    pub(super) duration_minutes: i32,
    pub(super) recurrence: String,
    #[serde(default)]
    pub(super) booking_policy: Option<String>,
    #[serde(default)]
    pub(super) capacity: Option<i32>,
    #[serde(skip)]
    pub(super) online_capacity: Option<i32>,
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
        offers.push(Offer { partner: Some("the-reader"), ..offer });
    }
    let outreach: Roster = serde_json::from_str(OUTREACH).map_err(Error::internal)?;
    offers.extend(outreach.entries.into_iter().map(|offer| Offer { partner: Some("mersey-care"), ..offer }));
    Ok(offers)
}

/// Title, pillar, delivery, venue, partner, programme, weekday after Monday, start.
type Line = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
    u64,
    &'static str,
);

const LEARNING: &str = "learning";
const COMMUNITY: &str = "community";
const MUSIC: (Option<&str>, Option<&str>) = (Some("royal-liverpool-philharmonic"), Some("music-and-mental-health"));

/// Every second week, from the summer before the published figures begin to some weeks from now.
const SERIES: [Line; 26] = [
    ("Creative writing", LEARNING, "in_person", Some("walton-life-rooms"), None, None, 0, "10:00:00"),
    ("Understanding anxiety", LEARNING, "in_person", Some("walton-life-rooms"), None, None, 1, "13:00:00"),
    ("First steps with a computer", LEARNING, "in_person", Some("walton-life-rooms"), None, None, 3, "10:30:00"),
    ("Cooking on a budget", LEARNING, "in_person", Some("southport-life-rooms"), None, None, 0, "11:00:00"),
    ("Sleep well", LEARNING, "in_person", Some("southport-life-rooms"), None, None, 2, "14:00:00"),
    ("Watercolours", LEARNING, "in_person", Some("southport-life-rooms"), None, None, 4, "10:00:00"),
    ("Confidence at work", LEARNING, "in_person", Some("bootle-life-rooms"), None, None, 1, "10:00:00"),
    ("Managing money", LEARNING, "in_person", Some("bootle-life-rooms"), None, None, 3, "13:30:00"),
    ("Family history", LEARNING, "in_person", Some("liverpool-central-library"), None, None, 2, "10:00:00"),
    ("Learning to relax", LEARNING, "in_person", Some("liverpool-central-library"), None, None, 4, "13:00:00"),
    (
        "Stage and story",
        LEARNING,
        "in_person",
        Some("everyman-and-playhouse"),
        Some("everyman-and-playhouse"),
        None,
        2,
        "15:00:00",
    ),
    ("English conversation", LEARNING, "in_person", Some("toxteth-library"), None, None, 1, "10:00:00"),
    ("Mindfulness", LEARNING, "hybrid", Some("walton-life-rooms"), None, None, 2, "18:00:00"),
    ("Living with long-term pain", LEARNING, "hybrid", Some("bootle-life-rooms"), None, None, 4, "11:00:00"),
    ("Managing stress online", LEARNING, "online", None, None, None, 0, "19:00:00"),
    ("Writing for wellbeing online", LEARNING, "online", None, None, None, 3, "19:00:00"),
    ("Understanding anxiety, Kirkby", LEARNING, "in_person", Some("demo-kirkby-hub"), None, None, 0, "10:00:00"),
    ("Sleep well, Birkenhead", LEARNING, "in_person", Some("demo-birkenhead-hub"), None, None, 1, "10:00:00"),
    ("Managing money, St Helens", LEARNING, "in_person", Some("demo-st-helens-hub"), None, None, 2, "10:00:00"),
    ("Watercolours, Runcorn", LEARNING, "in_person", Some("demo-runcorn-hub"), None, None, 3, "10:00:00"),
    (
        "Music and Mental Health",
        COMMUNITY,
        "in_person",
        Some("liverpool-central-library"),
        MUSIC.0,
        MUSIC.1,
        1,
        "14:00:00",
    ),
    ("Sing together", COMMUNITY, "in_person", Some("southport-life-rooms"), MUSIC.0, MUSIC.1, 3, "14:00:00"),
    ("Community allotment", COMMUNITY, "in_person", Some("walton-life-rooms"), None, None, 4, "09:30:00"),
    ("Coffee and company", COMMUNITY, "in_person", Some("bootle-life-rooms"), None, None, 0, "10:30:00"),
    ("Meet an advisor", "social_prescribing", "in_person", Some("walton-life-rooms"), None, None, 2, "09:30:00"),
    (
        "Meet an advisor, Southport",
        "social_prescribing",
        "in_person",
        Some("southport-life-rooms"),
        None,
        None,
        1,
        "09:30:00",
    ),
];

/// The made-up series, up to a last day.
pub(super) fn made_up(last: NaiveDate) -> Vec<Offer> {
    let offer = |(number, line): (usize, &Line)| {
        let (title, pillar, delivery, venue, partner, programme, weekday, start) = *line;
        // A Monday; every other series takes the weeks between.
        let first = day(2021, 7, 5) + Days::new(weekday + 7 * (number as u64 % 2));
        Offer {
            external_id: None,
            title: title.to_owned(),
            partner,
            programme: programme.map(str::to_owned),
            pillar: pillar.to_owned(),
            delivery: delivery.to_owned(),
            venue: venue.map(str::to_owned),
            local_start: format!("{first}T{start}"),
            duration_minutes: 90,
            recurrence: format!("FREQ=WEEKLY;INTERVAL=2;UNTIL={}T235959Z", last.format("%Y%m%d")),
            booking_policy: Some(if title == "Coffee and company" { "drop_in" } else { "bookable" }.to_owned()),
            capacity: Some(if delivery == "online" { 40 } else { 24 }),
            online_capacity: (delivery == "hybrid").then_some(30),
        }
    };
    SERIES.iter().enumerate().map(offer).collect()
}
