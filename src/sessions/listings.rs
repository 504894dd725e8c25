//! What sessions say of themselves, as words to find them by.
//!
//! A listing is a set of words, and its id is made of them: sessions that say the same, as those of one series do, share
//! one listing, whose words are written once. So nothing has to follow a session or series that changes: it is given
//! the listing of what it says now. Whatever writes what [`Said`] holds to a session must set its listing: by
//! [`of_rows`], or by nulling it and calling [`complete`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{Datelike, Timelike, Weekday};
use diesel::prelude::*;
use futures_util::future::LocalBoxFuture;

use super::store::SessionRow;
use super::types::{Delivery, Pillar};
use crate::background::Task;
use crate::config::Config;
use crate::db::schema::{listing_words, sessions};
use crate::db::types::TextEnum;
use crate::db::{Conn, Id, LocalTime, Timestamp};
use crate::error::Result;
use crate::http::state::State;
use crate::text::words::{Wanted, word_of_feature, words};

/// What a session is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said<'a> {
    title: &'a str,
    description: Option<&'a str>,
    facilitator: Option<&'a str>,
    topics: &'a [String],
    accessibility: &'a [String],
    pillar: Pillar,
    delivery: Delivery,
    partner_id: Option<Id>,
    programme_id: Option<Id>,
    venue_id: Option<Id>,
    weekday: Weekday,
    time: (u32, u32),
}

/// Words of one text by which it is found: more than a page of prose has different ones.
const MOST_WORDS: usize = 300;

impl<'a> Said<'a> {
    fn by(row: &'a SessionRow) -> Self {
        let LocalTime(start) = row.local_start;
        Self {
            title: &row.title,
            description: row.description.as_deref(),
            facilitator: row.facilitator.as_deref(),
            topics: &row.topics.0,
            accessibility: &row.accessibility.0,
            pillar: row.pillar,
            delivery: row.delivery,
            partner_id: row.partner_id,
            programme_id: row.programme_id,
            venue_id: row.venue_id,
            weekday: start.weekday(),
            time: (start.hour(), start.minute()),
        }
    }

    /// The hour of the week in which it starts: 0 is Monday from midnight on.
    fn week_hour(&self) -> i32 {
        (self.weekday.num_days_from_monday() * 24 + self.time.0).cast_signed()
    }

    fn words(&self) -> BTreeSet<String> {
        let texts = [Some(self.title), self.description, self.facilitator];
        let topics = self.topics.iter().map(String::as_str);
        let text = texts.into_iter().flatten().chain(topics).flat_map(words);
        let mut all = BTreeSet::new();
        for word in text {
            if all.len() >= MOST_WORDS {
                break;
            }
            all.insert(word);
        }
        all.extend(self.topics.iter().map(|topic| word_of_topic(topic)));
        all.extend(self.accessibility.iter().map(|feature| word_of_feature(feature)));
        all.extend(self.partner_id.map(word_of_partner));
        all.extend(self.programme_id.map(word_of_programme));
        all.extend(self.venue_id.map(word_of_venue));
        all.extend(self.venue_id.map(|venue| word_of_hour_at(venue, self.week_hour())));
        all.extend([word_of_pillar(self.pillar), word_of_delivery(self.delivery)]);
        all.extend([word_of_day(self.weekday), word_of_time(self.time.0, self.time.1)]);
        all
    }
}

// Words that no text holds, and that no beginning of a word finds: in a text, a colon is between words.

/// What a session of this topic is found by.
pub fn word_of_topic(topic: &str) -> String {
    format!(":topic:{topic}")
}

/// What a session of this partner is found by.
pub fn word_of_partner(partner: Id) -> String {
    format!(":partner:{partner}")
}

/// What a session of this programme is found by.
pub fn word_of_programme(programme: Id) -> String {
    format!(":programme:{programme}")
}

/// What a session at this venue is found by.
pub fn word_of_venue(venue: Id) -> String {
    format!("{VENUE}{venue}")
}

const VENUE: &str = ":venue:";
/// The first word after all of venues.
const AFTER_VENUES: &str = ":venue;";

/// What a session at this venue is found by that starts in this hour of the week: 0 is Monday from midnight on.
pub fn word_of_hour_at(venue: Id, hour: i32) -> String {
    format!(":at:{venue}:{hour}")
}

/// What a session of this pillar is found by.
pub fn word_of_pillar(pillar: Pillar) -> String {
    format!(":pillar:{}", pillar.name())
}

/// What a session with this way of taking part is found by.
pub fn word_of_delivery(delivery: Delivery) -> String {
    format!(":delivery:{}", delivery.name())
}

/// What a session on this day of the week is found by.
pub fn word_of_day(day: Weekday) -> String {
    format!(":day:{}", day.number_from_monday())
}

/// What a session that starts in this minute of its own clock is found by. In order, the words are the times of a day.
pub fn word_of_time(hour: u32, minute: u32) -> String {
    format!("{TIME}{hour:02}:{minute:02}")
}

const TIME: &str = ":time:";

/// What a session is found by that starts at a time of day or later, and before another.
pub fn times(from: Option<&str>, before: Option<&str>) -> Wanted {
    let after_all = ":time;".to_owned();
    Wanted::Between(
        format!("{TIME}{}", from.unwrap_or_default()),
        before.map_or(after_all, |time| format!("{TIME}{time}")),
    )
}

/// The id of a set of words: a digest, marked as a UUID of version 8 (RFC 9562). Two sets have one id with a
/// probability of 2⁻¹²².
fn id_of(words: &BTreeSet<String>) -> Id {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for word in words {
        digest.update(word.as_bytes());
        digest.update(b"\n");
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finish().as_ref()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Id(uuid::Uuid::from_bytes(bytes))
}

/// The listing of each row, with its words written where it is new.
pub fn of_rows<'a>(conn: &mut Conn, rows: impl IntoIterator<Item = &'a SessionRow>) -> Result<Vec<Id>> {
    let mut new: BTreeMap<Id, BTreeSet<String>> = BTreeMap::new();
    let mut ids = Vec::new();
    let mut last: Option<(Said, Id)> = None;
    for row in rows {
        let said = Said::by(row);
        let id = match last {
            // The sessions of a series come one after another.
            Some((before, id)) if before == said => id,
            _ => {
                let words = said.words();
                let id = id_of(&words);
                new.insert(id, words);
                id
            }
        };
        last = Some((said, id));
        ids.push(id);
    }
    write(conn, new)?;
    Ok(ids)
}

/// Listings of one statement, and words of one.
const CHUNK: usize = 500;
const WORDS: usize = 5_000;

#[derive(Insertable)]
#[diesel(table_name = listing_words)]
struct WordRow {
    listing_id: Id,
    word: String,
}

/// Writes the words of the listings that aren't there yet. A listing is never changed and never removed: sessions of
/// other transactions may be about to share it.
fn write(conn: &mut Conn, mut listings: BTreeMap<Id, BTreeSet<String>>) -> Result<()> {
    let ids: Vec<Id> = listings.keys().copied().collect();
    // Every listing has one of these.
    let marks = [Pillar::Learning, Pillar::SocialPrescribing, Pillar::Community].map(word_of_pillar);
    for chunk in ids.chunks(CHUNK) {
        let there = listing_words::table
            .filter(listing_words::listing_id.eq_any(chunk))
            .filter(listing_words::word.eq_any(&marks))
            .select(listing_words::listing_id);
        for id in there.load::<Id>(conn)? {
            listings.remove(&id);
        }
    }
    let rows = listings.into_iter().flat_map(|(id, words)| words.into_iter().map(move |word| (id, word)));
    let rows: Vec<WordRow> = rows.map(|(listing_id, word)| WordRow { listing_id, word }).collect();
    for chunk in rows.chunks(WORDS) {
        // Many rows in one statement can't be written through the common connection; and another transaction may
        // write the same listing at the same time, which SQLite's one writer can't meet.
        match conn {
            Conn::Postgres(postgres) => {
                diesel::insert_into(listing_words::table).values(chunk).on_conflict_do_nothing().execute(postgres)?
            }
            Conn::Sqlite(sqlite) => diesel::insert_into(listing_words::table).values(chunk).execute(sqlite)?,
        };
    }
    Ok(())
}

/// Gives sessions that have no listing theirs: all of them, or those of one series. How many there were.
pub fn complete(conn: &mut Conn, series: Option<Id>) -> Result<usize> {
    let mut done = 0;
    loop {
        match complete_some(conn, series)? {
            0 => return Ok(done),
            some => done += some,
        }
    }
}

/// The same for some of them; how many.
pub fn complete_some(conn: &mut Conn, series: Option<Id>) -> Result<usize> {
    let mut without = sessions::table.filter(sessions::listing_id.is_null()).into_boxed();
    if let Some(series) = series {
        without = without.filter(sessions::series_id.eq(series));
    }
    let chunk = without.limit(CHUNK.try_into().unwrap_or(i64::MAX)).select(SessionRow::as_select());
    let rows: Vec<SessionRow> = chunk.load(conn)?;
    let mut listed: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for (row, listing) in rows.iter().zip(of_rows(conn, &rows)?) {
        listed.entry(listing).or_default().push(row.id);
    }
    for (listing, ids) in listed {
        // Whoever has changed a session in between has given it the listing of what it says now.
        let of_it = sessions::table.filter(sessions::id.eq_any(ids)).filter(sessions::listing_id.is_null());
        diesel::update(of_it).set(sessions::listing_id.eq(listing)).execute(conn)?;
    }
    Ok(rows.len())
}

/// Gives listings to sessions that a server of an older version has made: it knows of none.
pub const TASK: Task =
    Task { name: "listings", every: Duration::from_secs(60), longest: Duration::from_secs(10 * 60), due, run };

fn due(conn: &mut Conn, _: &Config, _: Timestamp) -> Result<bool> {
    let without: Option<Id> =
        sessions::table.filter(sessions::listing_id.is_null()).select(sessions::id).first(conn).optional()?;
    Ok(without.is_some())
}

fn run(state: State) -> LocalBoxFuture<'static, Result<()>> {
    Box::pin(async move {
        while state.db.write(|conn| complete_some(conn, None)).await? > 0 && !state.stopping() {}
        Ok(())
    })
}

/// The venues of listings: each with those of the listings that are at it.
pub fn by_venue(conn: &mut Conn, listings: &[Id]) -> Result<BTreeMap<Id, Vec<Id>>> {
    let mut found: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for chunk in listings.chunks(CHUNK) {
        let pairs = listing_words::table
            .filter(listing_words::listing_id.eq_any(chunk))
            .filter(listing_words::word.ge(VENUE))
            .filter(listing_words::word.lt(AFTER_VENUES))
            .select((listing_words::word, listing_words::listing_id));
        for (word, listing) in pairs.load::<(String, Id)>(conn)? {
            if let Some(Ok(venue)) = word.strip_prefix(VENUE).map(str::parse::<Id>) {
                found.entry(venue).or_default().push(listing);
            }
        }
    }
    Ok(found)
}
