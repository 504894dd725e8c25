//! The demo: facts that the service published, with made-up people around them. Both reports return the figures that
//! the service published.
//!
//! - Everything is planned in memory from one seed (`plan`), then written in short transactions ([`store`]).
//! - 8,507 prescriptions were developed with advisors at sites in Liverpool since October 2021. 6,147 people attended
//!   learning sessions in person in Sefton and Liverpool. Everything else must be left out by the reports: absences,
//!   online seats, other pillars, places, origins and years, drafts, repeat visits.
//! - No person, telephone number, address or NHS number in the demo is real.

mod accounts;
mod attendance;
mod offers;
mod people;
mod places;
mod prescriptions;
mod random;
mod scenes;
mod sessions;
mod store;

use chrono::{DateTime, NaiveDate, NaiveTime};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use accounts::{Account, is_whole, make_accounts};

use crate::clock::london_day;
use crate::db::{Db, Id, Timestamp};
use crate::error::{Error, Result};
use crate::prescriptions::store::Whole;
use crate::reports::periods::given_until;
use random::Random;

/// How many people the demo has.
pub const MEMBERS: usize = 12_000;
/// Prescriptions developed with advisors at sites in Liverpool since October 2021, as the service published it.
pub const PRESCRIPTIONS: usize = 8_507;
/// People who attended learning sessions in person in Sefton and Liverpool, as the service published it.
pub const ATTENDERS: usize = 6_147;

/// Any number would do. Another seed gives other people, and the same two figures.
const SEED: u64 = 0x11FE_2005;
/// The account that made every record. Nobody can log in with it.
const MAKER: Id = Id(uuid::Uuid::from_u128(0x0199_d2f0_0000_7000_8000_0000_0000_0001));

/// The first day of both published figures.
fn figures_begin() -> NaiveDate {
    NaiveDate::from_ymd_opt(2021, 10, 1).unwrap_or_default()
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

/// Noon UTC of a day.
fn noon(day: NaiveDate) -> Timestamp {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    Timestamp(DateTime::from_naive_utc_and_offset(day.and_time(noon), chrono::Utc))
}

/// A value as a request writes it.
fn written<T: DeserializeOwned>(json: Value) -> Result<T> {
    serde_json::from_value(json).map_err(Error::internal)
}

/// The result of filling a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The database now holds the demo.
    Filled,
    /// The database already has members and was left as it is.
    HasMembers,
}

/// Fills a migrated database that has no members. Venues, partners and programmes that already exist, by their slugs,
/// are used as they are. `progress` is called with what is being done.
///
/// # Errors
/// What the database says. What was written until then stays.
pub async fn fill(db: &Db, now: Timestamp, progress: impl Fn(&str)) -> Result<Outcome> {
    let known = db.read_long(store::known).await?;
    if known.has_members {
        return Ok(Outcome::HasMembers);
    }
    progress("planning a service of 12,000 made-up people …");
    let plan = actix_web::web::block(move || plan(&known, now)).await.map_err(Error::blocking)??;
    store::write(db, plan, progress).await?;
    db.write(move |conn| scenes::play(conn, now)).await?;
    Ok(Outcome::Filled)
}

/// The time at which the demo is made.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Now. Nothing in the demo is later.
    now: Timestamp,
    /// Today. If the clock is wrong, the earliest day on which the demo has a past.
    today: NaiveDate,
    /// The last day whose figures are published. Everything that the published figures count is on this day or before.
    given: NaiveDate,
}

impl Moment {
    fn of(now: Timestamp) -> Self {
        let today = london_day(now).max(day(2022, 6, 30));
        Self { now, today, given: given_until(today) }
    }

    /// This instant, or the day before now if the instant is later than that.
    fn at_latest(self, at: Timestamp) -> Timestamp {
        at.min(self.now.plus_seconds(-24 * 3600))
    }
}

/// Everything that will be written.
struct Plan {
    places: places::Places,
    sessions: sessions::Sessions,
    people: people::People,
    prescriptions: Vec<Whole>,
    attendance: attendance::Attendance,
}

fn plan(known: &store::Known, now: Timestamp) -> Result<Plan> {
    let mut random = Random::new(SEED);
    let moment = Moment::of(now);
    let places = places::plan(&mut random, known)?;
    let mut sessions = sessions::plan(&mut random, known, &places, moment)?;
    let people = people::plan(&mut random, &places);
    let prescriptions = prescriptions::plan(&mut random, &places, &sessions, &people, moment);
    let attendance = attendance::plan(&mut random, &mut sessions, &people, moment);
    Ok(Plan { places, sessions, people, prescriptions, attendance })
}
