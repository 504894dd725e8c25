//! What sealing the audit costs, and how long checking it takes.
//!
//! `seals DATABASE_URL load [SECONDS]` lets 16 writers each store a new member with its event, as soon as the one before
//! is on disk: for so many seconds (5) without seals, and as long with them, three times in turn. Without seals the event
//! is inserted and nothing waits. Prints the writes a second, and the ratio of the medians.
//!
//! `seals DATABASE_URL verify [EVENTS]` fills the database with so many sealed events (1,000,000) and checks them. Prints
//! the seconds and the most memory.
//!
//! The database should be empty, and is worth nothing afterwards. Run it with `cargo run --release --example seals`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use futures_util::future::join_all;
use life_rooms::audit::{self, Event, Subject};
use life_rooms::auth::signing_keys::public_halves;
use life_rooms::auth::token::Tokens;
use life_rooms::clock::Clock;
use life_rooms::db::schema::audit_events;
use life_rooms::db::{Conn, Db, Id, Location, migrate};
use life_rooms::error::{Error, Result};
use life_rooms::insert_many;
use life_rooms::members::store::{self, MemberRow};
use life_rooms::seals::sealing::seal_some;
use life_rooms::seals::verify::{Wanted, verify};
use serde_json::json;

const WRITERS: usize = 16;
const ROUNDS: usize = 3;

type Failure = Box<dyn std::error::Error>;

/// What everything here needs.
struct Bench {
    db: Db,
    clock: Clock,
    tokens: Arc<Tokens>,
}

fn event(clock: &Clock) -> Event {
    let person = clock.new_id();
    Event::by_system(clock, "read", Subject::of_member("member", person, person), &["bookings"])
}

/// How events are recorded.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// As they would be without seals.
    Bare,
    /// As the service does it, and sealed each second.
    Sealed,
}

impl Way {
    fn record(self, conn: &mut Conn, events: &[Event]) -> Result<()> {
        match self {
            Self::Bare => bare(conn, events),
            Self::Sealed => audit::record(conn, events),
        }
    }
}

fn bare(conn: &mut Conn, events: &[Event]) -> Result<()> {
    Ok(insert_many!(conn, audit_events::table, events)?)
}

impl Bench {
    fn open(url: &str) -> std::result::Result<Self, Failure> {
        let location = Location::parse(url)?;
        migrate::run(&location)?;
        let folder = std::env::temp_dir().join(format!("life-rooms-seals-{}", std::process::id()));
        let tokens = Arc::new(Tokens::open(&folder, "https://bench.example".into())?);
        Ok(Self { db: Db::open(&location)?, clock: Clock::system(), tokens })
    }

    /// Somebody new, as the desk would register them.
    fn member(&self, id: Id) -> Result<MemberRow> {
        let written = json!({"given_name": "Made", "family_name": format!("Up {id}"), "date_of_birth": "1961-05-17",
            "phone": "+441514960123", "postcode": "L8 1XE", "roles": ["service_user"]});
        let written = serde_json::from_value(written).map_err(Error::internal)?;
        Ok(MemberRow::new(id, written, self.clock.now()))
    }

    /// Writes a second.
    async fn load(&self, time: Duration, way: Way) -> Result<f64> {
        let (written, began) = (AtomicU64::new(0), Instant::now());
        let writers = (0..WRITERS).map(|_| async {
            while began.elapsed() < time {
                let id = self.clock.new_id();
                let members = [self.member(id)?];
                let events = [Event::by_system(&self.clock, "create", Subject::of_member("member", id, id), &[])];
                let write = move |conn: &mut Conn| {
                    store::insert(conn, &members)?;
                    way.record(conn, &events)
                };
                self.db.write(write).await?;
                written.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), life_rooms::error::Error>(())
        });
        let sealing = async {
            while began.elapsed() < time {
                actix_web::rt::time::sleep(Duration::from_secs(1)).await;
                while seal_some(&self.db, &self.clock, &self.tokens).await? {}
            }
            Ok::<(), life_rooms::error::Error>(())
        };
        let sealer = async { if way == Way::Sealed { sealing.await } else { Ok(()) } };
        let (outcomes, sealed) = futures_util::future::join(join_all(writers), sealer).await;
        outcomes.into_iter().collect::<Result<Vec<()>>>()?;
        sealed?;
        Ok(written.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
    }

    async fn compare(&self, time: Duration) -> Result<()> {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            without.push(self.load(time, Way::Bare).await?);
            with.push(self.load(time, Way::Sealed).await?);
        }
        let median = |figures: &mut Vec<f64>| {
            figures.sort_by(f64::total_cmp);
            figures[ROUNDS / 2]
        };
        let (without, with) = (median(&mut without), median(&mut with));
        println!("without seals {without:.0} writes/s, with seals {with:.0} writes/s, ratio {:.2}", with / without);
        Ok(())
    }

    async fn check(&self, events: usize) -> Result<()> {
        for _ in 0..events.div_ceil(500) {
            let some: Vec<Event> = (0..500).map(|_| event(&self.clock)).collect();
            self.db.write(move |conn| audit::record(conn, &some)).await?;
        }
        while seal_some(&self.db, &self.clock, &self.tokens).await? {}
        let wanted = Wanted { keys: public_halves(self.tokens.folder())?, ..Wanted::default() };
        let began = Instant::now();
        let report = self.db.read_long(move |conn| verify(conn, &wanted)).await?;
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{} events in {} seals: {seconds:.1} s, {} faults, {}",
            report.events,
            report.seals,
            report.faults.len(),
            most_memory()
        );
        Ok(())
    }
}

/// The most memory of this process, on Linux.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "memory unknown".into(), |most| format!("{} at most", most.trim()))
}

fn main() -> std::result::Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, usual: usize| arguments.get(index).map_or(Ok(usual), |text| text.parse());
    let [url, what, ..] = arguments.as_slice() else { return Err("see the head of bench/seals.rs".into()) };
    let bench = Bench::open(url)?;
    let system = actix_web::rt::System::new();
    match what.as_str() {
        "load" => {
            let time = Duration::from_secs(number(2, 5)? as u64);
            system.block_on(bench.compare(time))?;
        }
        "verify" => system.block_on(bench.check(number(2, 1_000_000)?))?,
        _ => return Err("see the head of bench/seals.rs".into()),
    }
    std::fs::remove_dir_all(bench.tokens.folder())?;
    Ok(())
}
