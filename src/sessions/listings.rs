//! Listings: what sessions have in common by which they are found.
//!
//! A listing is a [`Wording`] in a [`Slot`]: a series has one, or few. Its words are in `listing_words`. The `wording_id`
//! and the `slot` of a session name its listing. If a session changes, it names another listing, and no listing has to
//! change. Whoever writes sessions [stores](ensure_stored) their listings first. Housekeeping deletes the listings [that
//! no session names](forget_unused).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, Timelike, Weekday};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use super::search::looked_at;
use super::store::SessionRow;
use super::types::{BookingPolicy, Delivery, Pillar};
use super::wordings::{Wording, digest};
use crate::db::schema::{listing_words, listings, series_listings, sessions, wordings};
use crate::db::types::{DbUuid, TextEnum};
use crate::db::{AT_ONCE, Conn, Id, LocalTime, Timestamp};
use crate::error::{Error, Result};
use crate::text::words::{Wanted, word_of_feature, words};

/// A wording's id and the digest of a slot.
pub type Listing = (Id, i64);

/// How, whose, where and when in the week a session takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    delivery: Delivery,
    partner_id: Option<Id>,
    venue_id: Option<Id>,
    weekday: Weekday,
    time: (u32, u32),
}

/// How many words of its texts a session is found by at most. A page of prose has fewer different words.
const MOST_WORDS: usize = 300;

impl Slot {
    /// The slot of a session with this start.
    pub fn new(delivery: Delivery, partner_id: Option<Id>, venue_id: Option<Id>, LocalTime(start): LocalTime) -> Self {
        let time = (start.hour(), start.minute());
        Self { delivery, partner_id, venue_id, weekday: start.weekday(), time }
    }

    fn of(row: &SessionRow) -> Self {
        Self::new(row.delivery, row.partner_id, row.venue_id, row.local_start)
    }

    /// The number under which it is stored. Of the slots that one wording has, two have one number with a probability of
    /// 2⁻⁶⁴.
    pub fn digest(&self) -> i64 {
        let id = |id: Option<Id>| id.map(|id| id.to_string()).unwrap_or_default();
        let (partner, venue) = (id(self.partner_id), id(self.venue_id));
        let minute = (self.week_hour() * 60 + self.time.1.cast_signed()).to_string();
        let bytes = digest([self.delivery.name(), &partner, &venue, &minute]);
        i64::from_le_bytes(std::array::from_fn(|at| bytes[at]))
    }

    /// The hour of the week in which it starts: 0 is Monday from midnight on.
    fn week_hour(&self) -> i32 {
        (self.weekday.num_days_from_monday() * 24 + self.time.0).cast_signed()
    }
}

/// How many words a session is found by that says this.
pub fn count_words(wording: &Wording, row: &SessionRow) -> usize {
    words_of(wording, &Slot::of(row)).len()
}

/// The words of a listing.
fn words_of(wording: &Wording, slot: &Slot) -> BTreeSet<String> {
    let topics = &wording.topics.0;
    let short = [Some(wording.title.as_str()), wording.facilitator.as_deref()].into_iter().flatten();
    let short = short.chain(topics.iter().map(String::as_str));
    // The description is the longest text. It comes last, so that its words don't keep the others out.
    let text = short.chain(wording.description.as_deref()).flat_map(words);
    let mut all = BTreeSet::new();
    for word in text {
        if all.len() >= MOST_WORDS {
            break;
        }
        all.insert(word);
    }
    all.extend(topics.iter().map(|topic| word_of_topic(topic)));
    all.extend(wording.accessibility.0.iter().map(|feature| word_of_feature(feature)));
    all.extend(wording.programme_id.map(word_of_programme));
    all.extend(slot.partner_id.map(word_of_partner));
    all.extend(slot.venue_id.map(word_of_venue));
    all.extend(slot.venue_id.map(|venue| word_of_hour_at(venue, slot.week_hour())));
    all.extend([word_of_pillar(wording.pillar), word_of_delivery(slot.delivery)]);
    all.extend([word_of_day(slot.weekday), word_of_time(slot.time.0, slot.time.1)]);
    all
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
/// Comes after the words of all venues: in ASCII, the semicolon follows the colon.
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

/// What a session is found by in which people get a place in this way. A listing can have several: [`series_listings`] adds
/// one when a session with it is written.
///
/// [`series_listings`]: super::series_listings
pub fn word_of_policy(policy: BookingPolicy) -> String {
    format!(":policy:{}", policy.name())
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

/// How many words one statement writes.
const WORDS: usize = 5_000;

/// Stores what sessions say and are found by, before the sessions are written: each new wording, and each new listing with
/// its words. Housekeeping can't delete them before the transaction ends. Call this once in a transaction, after locking
/// the sessions. Then two transactions that store the same listings can't block each other.
///
/// # Errors
/// 500 where the wording of a new listing isn't among the `wordings`.
pub fn ensure_stored<'a>(
    conn: &mut Conn,
    wordings: impl IntoIterator<Item = &'a Wording>,
    rows: impl IntoIterator<Item = &'a SessionRow>,
) -> Result<()> {
    let slots = rows.into_iter().map(|row| ((row.wording_id, row.slot), Slot::of(row))).collect();
    ensure(conn, &wordings.into_iter().map(|wording| (wording.id(), wording)).collect(), slots)
}

/// Stores these listings, their wordings and their words, if they aren't there.
fn ensure(conn: &mut Conn, wordings: &BTreeMap<Id, &Wording>, slots: BTreeMap<Listing, Slot>) -> Result<()> {
    let wording = |id| wordings.get(&id).copied().ok_or_else(|| Error::internal("a new listing needs its wording"));
    let used: BTreeSet<Id> = slots.keys().map(|(wording, _)| *wording).collect();
    add_missing(conn, used, held_wordings, |conn, ids| {
        let rows = ids.iter().map(|id| Ok((wordings::id.eq(*id), wording(*id)?)));
        insert_wordings(conn, rows.collect::<Result<Vec<_>>>()?, ids)
    })?;
    let new = add_missing(conn, slots.keys().copied().collect(), held_listings, |conn, keys| {
        let row = |key: &Listing| Ok((*key, slots.get(key).and_then(|slot| slot.partner_id), wording(key.0)?.bytes()));
        insert_listings(conn, keys, keys.iter().map(row).collect::<Result<Vec<_>>>()?)
    })?;
    let mut rows = Vec::new();
    for listing in new {
        let wording = wording(listing.0)?;
        let words = slots.get(&listing).map(|slot| words_of(wording, slot)).unwrap_or_default();
        rows.extend(words.into_iter().map(|word| (listing, word)));
    }
    rows.chunks(WORDS).try_for_each(|chunk| insert_words(conn, chunk))
}

/// A listing that is to be stored.
#[derive(Debug, Clone)]
pub struct NewListing {
    key: Listing,
    slot: Slot,
    wording: Wording,
}

/// The listings of these sessions that aren't stored. `wordings` has what they say.
pub fn not_stored<'a>(
    conn: &mut Conn,
    wordings: &HashMap<Id, Wording>,
    rows: impl IntoIterator<Item = &'a SessionRow>,
) -> Result<Vec<NewListing>> {
    let mut new: BTreeMap<Listing, Slot> =
        rows.into_iter().map(|row| ((row.wording_id, row.slot), Slot::of(row))).collect();
    let ids: BTreeSet<Id> = new.keys().map(|(wording, _)| *wording).collect();
    for chunk in ids.into_iter().collect::<Vec<_>>().chunks(AT_ONCE) {
        let stored = listings::table.filter(listings::wording_id.eq_any(chunk));
        for key in stored.select((listings::wording_id, listings::slot)).load::<Listing>(conn)? {
            new.remove(&key);
        }
    }
    let told = |(key, slot): (Listing, Slot)| Some(NewListing { key, slot, wording: wordings.get(&key.0)?.clone() });
    Ok(new.into_iter().filter_map(told).collect())
}

/// Stores listings before their sessions are written. Until then, housekeeping may delete them.
pub fn store(conn: &mut Conn, new: &[NewListing]) -> Result<()> {
    let wordings = new.iter().map(|new| (new.key.0, &new.wording)).collect();
    ensure(conn, &wordings, new.iter().map(|new| (new.key, new.slot)).collect())
}

/// Inserts what is wanted and isn't there, and holds what is. Gives what was inserted here: another transaction may
/// insert, or take away, the same at the same time.
fn add_missing<Key: Ord + Copy>(
    conn: &mut Conn,
    wanted: BTreeSet<Key>,
    held: fn(&mut Conn, &[Key]) -> Result<Vec<Key>>,
    insert: impl Fn(&mut Conn, &[Key]) -> Result<Vec<Key>>,
) -> Result<BTreeSet<Key>> {
    let (mut left, mut new) = (wanted, BTreeSet::new());
    while !left.is_empty() {
        for chunk in left.iter().copied().collect::<Vec<_>>().chunks(AT_ONCE) {
            for key in held(conn, chunk)? {
                left.remove(&key);
            }
        }
        for chunk in left.iter().copied().collect::<Vec<_>>().chunks(AT_ONCE) {
            let inserted = insert(conn, chunk)?;
            left.retain(|key| !inserted.contains(key));
            new.extend(inserted);
        }
    }
    Ok(new)
}

// A row is held by a lock that keeps it from being deleted and lets everybody else hold it too. The common connection
// has no row locks; SQLite has one writer, and needs none.

fn held_wordings(conn: &mut Conn, ids: &[Id]) -> Result<Vec<Id>> {
    let there = wordings::table.filter(wordings::id.eq_any(ids)).select(wordings::id);
    Ok(match conn {
        Conn::Postgres(postgres) => there.for_key_share().load(postgres)?,
        Conn::Sqlite(sqlite) => there.load(sqlite)?,
    })
}

fn held_listings(conn: &mut Conn, keys: &[Listing]) -> Result<Vec<Listing>> {
    let (ids, slots): (Vec<Id>, Vec<i64>) = keys.iter().copied().unzip();
    let there = listings::table
        .filter(listings::wording_id.eq_any(ids))
        .filter(looked_at(listings::slot.eq_any(slots)))
        .select((listings::wording_id, listings::slot));
    Ok(match conn {
        Conn::Postgres(postgres) => there.for_key_share().load(postgres)?,
        Conn::Sqlite(sqlite) => there.load(sqlite)?,
    })
}

// Many rows in one statement can't be written through the common connection. What another transaction inserts at the
// same time is waited for and left to it.

type NewWording<'a> = (diesel::dsl::Eq<wordings::id, Id>, &'a Wording);

fn insert_wordings(conn: &mut Conn, rows: Vec<NewWording<'_>>, ids: &[Id]) -> Result<Vec<Id>> {
    let insert = diesel::insert_into(wordings::table).values(rows);
    match conn {
        Conn::Postgres(postgres) => {
            Ok(insert.on_conflict_do_nothing().returning(wordings::id).get_results(postgres)?)
        }
        Conn::Sqlite(sqlite) => insert.execute(sqlite).map(|_| ids.to_vec()).map_err(Into::into),
    }
}

/// A listing's key and partner, and the bytes of its wording.
type ListingRow = (Listing, Option<Id>, i32);

fn insert_listings(conn: &mut Conn, keys: &[Listing], rows: Vec<ListingRow>) -> Result<Vec<Listing>> {
    let row = |((wording, slot), partner, bytes): ListingRow| {
        let key = (listings::wording_id.eq(wording), listings::slot.eq(slot));
        (key, listings::partner_id.eq(partner), listings::bytes.eq(bytes))
    };
    let insert = diesel::insert_into(listings::table).values(rows.into_iter().map(row).collect::<Vec<_>>());
    match conn {
        Conn::Postgres(postgres) => {
            let inserted = (listings::wording_id, listings::slot);
            Ok(insert.on_conflict_do_nothing().returning(inserted).get_results(postgres)?)
        }
        Conn::Sqlite(sqlite) => insert.execute(sqlite).map(|_| keys.to_vec()).map_err(Into::into),
    }
}

fn insert_words(conn: &mut Conn, rows: &[(Listing, String)]) -> Result<()> {
    match conn {
        // An array for each column: a value for each cell is parsed and planned anew each time.
        Conn::Postgres(postgres) => diesel::sql_query("INSERT INTO listing_words SELECT * FROM unnest($1, $2, $3)")
            .bind::<Array<DbUuid>, _>(rows.iter().map(|((wording, _), _)| *wording).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(rows.iter().map(|((_, slot), _)| *slot).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(rows.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>())
            .execute(postgres)?,
        Conn::Sqlite(sqlite) => {
            let row = |((wording, slot), word): &(Listing, String)| {
                let key = (listing_words::wording_id.eq(*wording), listing_words::slot.eq(*slot));
                (key, listing_words::word.eq(word.clone()))
            };
            diesel::insert_into(listing_words::table)
                .values(rows.iter().map(row).collect::<Vec<_>>())
                .execute(sqlite)?
        }
    };
    Ok(())
}

/// Listings and wordings that are taken away at once.
const UNUSED: i64 = 100;

/// The listings that no session is of.
#[diesel::dsl::auto_type(no_type_alias)]
fn unused_listings() -> _ {
    let of_it =
        sessions::table.filter(sessions::wording_id.eq(listings::wording_id)).filter(sessions::slot.eq(listings::slot));
    listings::table.filter(diesel::dsl::not(exists(of_it))).select((listings::wording_id, listings::slot))
}

/// The wordings that are in no listing.
#[diesel::dsl::auto_type(no_type_alias)]
fn unused_wordings() -> _ {
    let of_it = listings::table.filter(listings::wording_id.eq(wordings::id));
    wordings::table.filter(diesel::dsl::not(exists(of_it))).select(wordings::id)
}

/// Whether no session has some wording or listing any more.
pub fn any_unused(conn: &mut Conn, _: Timestamp) -> Result<bool> {
    Ok(select(exists(unused_listings()).or(exists(unused_wordings()))).get_result(conn)?)
}

/// Some listings that no session is of, and wordings that are in no listing.
#[derive(Debug, Default)]
pub struct Unused {
    listings: Vec<Listing>,
    wordings: Vec<Id>,
}

/// Up to where unused listings and wordings were looked for: the keys of the last ones.
#[derive(Debug, Default, Clone, Copy)]
pub struct LookedAt {
    listing: Option<Listing>,
    wording: Option<Id>,
}

impl LookedAt {
    /// Looks for the next ones.
    pub fn next(self, conn: &mut Conn) -> Result<Unused> {
        let (wording, slot) = self.listing.unwrap_or((Id(uuid::Uuid::nil()), i64::MIN));
        let further = unused_listings()
            .filter(listings::wording_id.ge(wording))
            .filter(listings::wording_id.gt(wording).or(listings::slot.gt(slot)))
            .order((listings::wording_id, listings::slot));
        let mut wordings = unused_wordings().order(wordings::id).limit(UNUSED).into_boxed();
        if let Some(last) = self.wording {
            wordings = wordings.filter(wordings::id.gt(last));
        }
        Ok(Unused { listings: further.limit(UNUSED).load(conn)?, wordings: wordings.load(conn)? })
    }

    /// The place behind these; `None` if there are none.
    pub fn after(self, found: &Unused) -> Option<Self> {
        let (listing, wording) = (found.listings.last().copied(), found.wordings.last().copied());
        let is_any = listing.is_some() || wording.is_some();
        is_any.then_some(Self { listing: listing.or(self.listing), wording: wording.or(self.wording) })
    }
}

/// Deletes listings and wordings that were unused when they were looked for, and returns how many. What somebody
/// [stores](ensure_stored) just now is passed over. Each is looked at again once nobody can store it: a session may have
/// come to it since.
pub fn forget_unused(conn: &mut Conn, found: &Unused) -> Result<usize> {
    let mut gone = 0;
    for (wording, slot) in found.listings.iter().copied() {
        if let Conn::Postgres(postgres) = conn {
            let free = listings::table.find((wording, slot)).select(listings::slot).for_update().skip_locked();
            if free.first::<i64>(postgres).optional()?.is_none() {
                continue;
            }
        }
        let of_it = sessions::table.filter(sessions::wording_id.eq(wording)).filter(sessions::slot.eq(slot));
        let unused = listings::table.find((wording, slot)).filter(diesel::dsl::not(exists(of_it)));
        if diesel::delete(unused).execute(conn)? > 0 {
            let words = listing_words::table.filter(listing_words::wording_id.eq(wording));
            diesel::delete(words.filter(listing_words::slot.eq(slot))).execute(conn)?;
            let series = series_listings::table.filter(series_listings::wording_id.eq(wording));
            diesel::delete(series.filter(series_listings::slot.eq(slot))).execute(conn)?;
            gone += 1;
        }
    }
    // With the last of its listings, a wording is unused too.
    let of_listings = found.listings.iter().map(|(wording, _)| *wording);
    let ids: BTreeSet<Id> = of_listings.chain(found.wordings.iter().copied()).collect();
    let some = wordings::table.filter(wordings::id.eq_any(ids)).select(wordings::id);
    let ids: Vec<Id> = match conn {
        Conn::Postgres(postgres) => some.for_update().skip_locked().load(postgres)?,
        Conn::Sqlite(sqlite) => some.load(sqlite)?,
    };
    let of_it = listings::table.filter(listings::wording_id.eq(wordings::id));
    let unused = wordings::table.filter(wordings::id.eq_any(ids)).filter(diesel::dsl::not(exists(of_it)));
    Ok(gone + diesel::delete(unused).execute(conn)?)
}

/// The venues of these listings, each with the listings that are at it.
pub fn by_venue(conn: &mut Conn, keys: &[Listing]) -> Result<BTreeMap<Id, Vec<Listing>>> {
    let wordings: BTreeSet<Id> = keys.iter().map(|(wording, _)| *wording).collect();
    let words = listing_words::table.filter(listing_words::wording_id.eq_any(wordings));
    let words = words.filter(listing_words::word.ge(VENUE)).filter(listing_words::word.lt(AFTER_VENUES));
    let words: Vec<(Listing, String)> =
        words.select(((listing_words::wording_id, listing_words::slot), listing_words::word)).load(conn)?;
    let keys: BTreeSet<&Listing> = keys.iter().collect();
    let mut found: BTreeMap<Id, Vec<Listing>> = BTreeMap::new();
    for (listing, word) in words.into_iter().filter(|(listing, _)| keys.contains(listing)) {
        if let Some(venue) = word.strip_prefix(VENUE).and_then(|id| id.parse().ok()) {
            found.entry(venue).or_default().push(listing);
        }
    }
    Ok(found)
}
