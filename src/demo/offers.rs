//! The sessions on offer in the demo: the published rosters, and made-up series.

use chrono::{Days, NaiveDate};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{day, written};
use crate::db::Id;
use crate::error::{Error, Result};
use crate::rosters::read::{self, Form};
use crate::rosters::types::UnknownColumns;
use crate::sessions::series::types::SeriesInput;

const READER: &str = include_str!("data/roster-the-reader.csv");
const OUTREACH: &str = include_str!("data/roster-outreach-2022.json");
/// Made-up series, every second week, from the summer before the published figures begin to some weeks from now.
const SERIES: &str = include_str!("data/series.csv");

/// A series as a roster writes it: with slugs instead of ids.
pub(super) struct Offer {
    pub(super) partner: Option<String>,
    pub(super) programme: Option<String>,
    pub(super) venue: Option<String>,
    entry: Map<String, Value>,
}

impl Offer {
    fn new(partner: Option<String>, entry: Value) -> Result<Self> {
        let Value::Object(mut entry) = entry else { return Err(Error::internal("an entry must be an object")) };
        let mut take = |name| entry.remove(name)?.as_str().map(str::to_owned);
        let (programme, venue, _) = (take("programme"), take("venue"), take("type"));
        Ok(Self { partner, programme, venue, entry })
    }

    /// The partner's own name for it. Only the published rosters have one.
    pub(super) fn external_id(&self) -> Option<String> {
        self.entry.get("external_id")?.as_str().map(str::to_owned)
    }

    /// The series as a request writes it.
    pub(super) fn series(
        mut self,
        partner: Option<Id>,
        programme: Option<Id>,
        venue: Option<Id>,
    ) -> Result<SeriesInput> {
        let ids = [("partner_id", partner), ("programme_id", programme), ("venue_id", venue)];
        self.entry.extend(ids.map(|(name, id)| (name.to_owned(), json!(id))));
        written(Value::Object(self.entry))
    }
}

/// The rosters that The Reader and the trust published.
pub(super) fn rosters() -> Result<Vec<Offer>> {
    let mut offers = Vec::new();
    for (partner, form, text) in [("the-reader", Form::Csv, READER), ("mersey-care", Form::Json, OUTREACH)] {
        read::each(form, text.as_bytes(), UnknownColumns::Refuse, &mut |entry| offers.push((partner, entry.value)))?;
    }
    offers.into_iter().map(|(partner, entry)| Offer::new(Some(partner.to_owned()), entry)).collect()
}

/// A made-up series.
#[derive(Deserialize)]
struct Line {
    title: String,
    description: String,
    topics: String,
    pillar: String,
    delivery: String,
    venue: Option<String>,
    partner: Option<String>,
    programme: Option<String>,
    /// How many days after Monday.
    weekday: u64,
    start: String,
    facilitator: String,
    accessibility: String,
    price_pence: Option<i32>,
    min_age: Option<i32>,
    max_age: Option<i32>,
    what_to_bring: Option<String>,
    languages: String,
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
            _ if line.delivery == "online" => 40,
            _ => 24,
        };
        let list = |text: &str| text.split('|').filter(|item| !item.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let entry = json!({
            "title": line.title,
            "description": line.description,
            "topics": list(&line.topics),
            "pillar": line.pillar,
            "delivery": line.delivery,
            "venue": line.venue,
            "programme": line.programme,
            "join_link": (line.delivery != "in_person").then_some("https://meet.example.org/life-rooms-demo"),
            "facilitator": line.facilitator,
            "accessibility": list(&line.accessibility),
            "price_pence": line.price_pence,
            "price_note": line.price_pence.filter(|pence| *pence > 0).map(|_| "Nobody is turned away for want of it."),
            "min_age": line.min_age,
            "max_age": line.max_age,
            "what_to_bring": line.what_to_bring,
            "languages": list(&line.languages),
            "public_contact": { "email": "sessions@liferooms.example", "phone": "0151 496 0000" },
            "local_start": format!("{first}T{}", line.start),
            "time_zone": "Europe/London",
            "duration_minutes": 90,
            "recurrence": format!("FREQ=WEEKLY;INTERVAL=2;UNTIL={}T235959Z", last.format("%Y%m%d")),
            "booking_policy": if line.title == "Coffee and company" { "drop_in" } else { "bookable" },
            "capacity": seats,
            "online_capacity": (line.delivery == "hybrid").then_some(30),
        });
        offers.push(Offer::new(line.partner, entry)?);
    }
    Ok(offers)
}
