//! How long it takes to find out whether somebody is registered already, among many members.
//!
//! `duplicates DATABASE_URL [MEMBERS] [SEARCHES]` fills the database up to so many made-up members (100,000): households
//! that share a telephone number and a postcode, twins, birthdays on 1 January, common and rare names. Then it makes so
//! many searches of each kind (1,000): for duplicates of people with a mistyped name, of new people, and by name. Prints
//! for each kind the median, the 99th percentile and the longest time in milliseconds.
//!
//! The database should be empty, and is worth nothing afterwards; if it has members already, only those that are missing
//! are added. Run it with `cargo run --release --example duplicates`.

use std::time::{Duration, Instant};

use chrono::{Datelike, Days, NaiveDate};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::clock::Clock;
use life_rooms::db::schema::members;
use life_rooms::db::{Conn, Db, Location, migrate};
use life_rooms::error::Result;
use life_rooms::members::duplicates::rules::STOPS;
use life_rooms::members::duplicates::search::search;
use life_rooms::members::names;
use life_rooms::members::store::{self, MemberRow};
use life_rooms::members::types::{
    ContactPreferences, MemberInput, MemberRole, MemberSearch, MessageDetails, SafeContact,
};

type Failure = Box<dyn std::error::Error>;

/// How many members are added in one transaction.
const BATCH: usize = 1000;

const GIVEN: [&str; 40] = [
    "Ada",
    "Alfie",
    "Amina",
    "Anthony",
    "Arthur",
    "Beryl",
    "Callum",
    "Carmen",
    "Catherine",
    "Christopher",
    "Daniel",
    "Elizabeth",
    "Farah",
    "Fergus",
    "Gladys",
    "Hamza",
    "Harriet",
    "James",
    "Joan",
    "John",
    "Joseph",
    "Kofi",
    "Lena",
    "Lionel",
    "Mabel",
    "Margaret",
    "Mary",
    "Michael",
    "Mohammed",
    "Nadia",
    "Olive",
    "Patricia",
    "Ravi",
    "Robert",
    "Saoirse",
    "Stephen",
    "Susan",
    "Tariq",
    "William",
    "Zadie",
];
const BEGINNINGS: [&str; 24] = [
    "Al", "Bar", "Ben", "Cal", "Car", "Dun", "Ed", "Fair", "Gar", "Hal", "Har", "Jack", "Kel", "Lang", "Mac", "Nor",
    "Oak", "Pres", "Ru", "Sal", "Thorn", "Wal", "White", "Win",
];
const MIDDLES: [&str; 20] = [
    "", "", "", "ber", "bur", "can", "den", "der", "ding", "ex", "ing", "ker", "ling", "mon", "ner", "rick", "sel",
    "ter", "wan", "wick",
];
const ENDS: [&str; 20] = [
    "bridge", "by", "croft", "dale", "ford", "ham", "hurst", "ington", "kins", "ley", "man", "more", "sen", "shaw",
    "son", "stone", "ton", "well", "wood", "worth",
];

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }

    /// One of these, the first ones far more often than the last.
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let (a, b) = (self.below(from.len()), self.below(from.len()));
        from[a.min(b)]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What a household shares.
struct Household {
    family: String,
    phone: String,
    postcode: String,
    left: usize,
}

impl Household {
    fn new(random: &mut Random) -> Self {
        let family = format!("{}{}{}", random.pick(&BEGINNINGS), random.pick(&MIDDLES), random.pick(&ENDS));
        let letters = b"ABDEFGHJLNPQRSTUWXYZ";
        let letter = |random: &mut Random| char::from(letters[random.below(letters.len())]);
        let (one, two) = (letter(random), letter(random));
        let postcode = format!("L{} {}{one}{two}", 1 + random.below(38), random.below(10));
        let left = 1 + random.below(4);
        Self { family, phone: format!("+44151{:07}", random.below(10_000_000)), postcode, left }
    }
}

fn person(random: &mut Random, home: &Household, number: usize) -> MemberInput {
    let day = NaiveDate::from_ymd_opt(1930, 1, 1).unwrap_or_default() + Days::new(random.below(29_000) as u64);
    let day = if random.chance(3) { first_of_its_year(day) } else { day };
    MemberInput {
        preferred_name: None,
        given_name: random.pick(&GIVEN).to_owned(),
        family_name: Some(home.family.clone()),
        former_names: Vec::new(),
        pronouns: None,
        date_of_birth: random.chance(90).then_some(day),
        email: random.chance(40).then(|| format!("made.up.{number}@example.org")),
        phone: random.chance(70).then(|| home.phone.clone()),
        line_1: None,
        line_2: None,
        town: None,
        postcode: random.chance(85).then(|| home.postcode.clone()),
        local_authority: None,
        nhs_number: None,
        gp_practice_code: None,
        roles: vec![MemberRole::ServiceUser],
        contact_preferences: ContactPreferences::default(),
        safe_contact: SafeContact::default(),
        message_details: MessageDetails::default(),
        reminders: true,
        emergency_contact: None,
    }
}

/// 1 January, which stands for an unknown day.
fn first_of_its_year(day: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day)
}

async fn fill(db: &Db, clock: &Clock, wanted: usize) -> Result<()> {
    let there: i64 = db.read(|conn| Ok(members::table.count().get_result(conn)?)).await?;
    let there = usize::try_from(there).unwrap_or_default();
    let mut random = Random(there as u64 + 1);
    let mut home = Household::new(&mut random);
    let mut twin: Option<MemberInput> = None;
    let mut number = there;
    while number < wanted {
        let mut rows = Vec::with_capacity(BATCH);
        while rows.len() < BATCH && number + rows.len() < wanted {
            if home.left == 0 {
                home = Household::new(&mut random);
            }
            home.left = home.left.saturating_sub(1);
            let mut written = person(&mut random, &home, number + rows.len());
            if let Some(before) = twin.take() {
                written.date_of_birth = before.date_of_birth;
            } else if home.left > 0 && random.chance(2) {
                twin = Some(written.clone());
            }
            rows.push(MemberRow::new(clock.new_id(), written, clock.now()));
        }
        number += rows.len();
        db.write(move |conn| store::insert(conn, &rows)).await?;
    }
    db.write(|conn| match conn {
        // The server's own housekeeping does it within minutes.
        Conn::Postgres(postgres) => Ok(postgres.batch_execute("ANALYZE members, member_words")?),
        Conn::Sqlite(_) => Ok(()),
    })
    .await
}

/// One letter of a name changed.
fn mistyped(random: &mut Random, name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = 1 + random.below(letters.len().saturating_sub(1));
    if let Some(letter) = letters.get_mut(at) {
        *letter = char::from(b'a' + random.below(26) as u8);
    }
    letters.into_iter().collect()
}

/// The times of searches, as they are printed.
fn print(kind: &str, mut times: Vec<Duration>, found: usize) {
    times.sort_unstable();
    let at = |part: f64| {
        let index = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!(
        "{kind}: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms; {found} of {} found somebody",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
}

async fn measure(db: &Db, clock: &Clock, searches: usize) -> Result<()> {
    let mut random = Random(0x11FE);
    let count: i64 = db.read(|conn| Ok(members::table.count().get_result(conn)?)).await?;
    let known = known(db, &mut random, searches).await?;
    println!("{count} members");
    let (mut times, mut found) = (Vec::new(), 0);
    for written in &known {
        let given_name = mistyped(&mut random, &written.given_name);
        let row = MemberRow::new(clock.new_id(), MemberInput { given_name, ..written.clone() }, clock.now());
        let (time, some) = duplicates(db, row).await?;
        times.push(time);
        found += usize::from(some);
    }
    print("duplicates of somebody who is registered, one letter wrong", times, found);
    let (mut times, mut found) = (Vec::new(), 0);
    for number in 0..searches {
        let home = Household::new(&mut random);
        let row = MemberRow::new(clock.new_id(), person(&mut random, &home, usize::MAX - number), clock.now());
        let (time, some) = duplicates(db, row).await?;
        times.push(time);
        found += usize::from(some);
    }
    print("duplicates of somebody new", times, found);
    let (mut times, mut found) = (Vec::new(), 0);
    for written in &known {
        let family = written.family_name.as_deref().unwrap_or_default();
        let beginning = |name: &str| name.chars().take(4).collect::<String>();
        let name = format!("{} {}", beginning(&written.given_name), beginning(family));
        let wanted = MemberSearch {
            name: Some(name),
            date_of_birth: None,
            nhs_number: None,
            postcode: None,
            phone: None,
            email: None,
            limit: None,
        };
        let began = Instant::now();
        let rows = db.read(move |conn| names::search(conn, &wanted, 21)).await?;
        times.push(began.elapsed());
        found += usize::from(!rows.is_empty());
    }
    print("by the beginnings of two names", times, found);
    Ok(())
}

/// Looks for duplicates of a person. Returns how long it took, and whether there are any that stop a registration.
async fn duplicates(db: &Db, row: MemberRow) -> Result<(Duration, bool)> {
    let began = Instant::now();
    let found = db.read(move |conn| search(conn, &row.person())).await?;
    Ok((began.elapsed(), found.iter().any(|found| found.likeness.score >= STOPS)))
}

/// Some of the members, from all over the table.
async fn known(db: &Db, random: &mut Random, wanted: usize) -> Result<Vec<MemberInput>> {
    let ids: Vec<life_rooms::db::Id> =
        db.read_long(|conn| Ok(members::table.order(members::id).select(members::id).load(conn)?)).await?;
    let mut known = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        let Some(id) = ids.get(random.below(ids.len())).copied() else { break };
        let row = db.read(move |conn| store::get(conn, life_rooms::auth::reach::Reach::Everyone, id)).await?;
        known.push(row.written());
    }
    Ok(known)
}

fn main() -> std::result::Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, usual: usize| arguments.get(index).map_or(Ok(usual), |text| text.parse());
    let Some(url) = arguments.first() else { return Err("see the head of bench/duplicates.rs".into()) };
    let (wanted, searches) = (number(1, 100_000)?, number(2, 1000)?);
    let location = Location::parse(url)?;
    migrate::run(&location)?;
    let (db, clock) = (Db::open(&location)?, Clock::system());
    actix_web::rt::System::new().block_on(async {
        fill(&db, &clock, wanted).await?;
        measure(&db, &clock, searches).await
    })?;
    Ok(())
}
