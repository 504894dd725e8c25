//! Finding sessions (what's on), by start or by distance, at a cost that doesn't grow with the number of sessions.
//!
//! By start, a page is found in at most four steps. Each step reads an index in the order of the list and stops when
//! the page is full. By distance, the venues are taken one by one, the nearest first.
//!
//! 1. Short walk: check the next `STEPS` sessions, or those in the hours of the week that were asked for.
//! 2. Few listings: look up by their words the [listings](super::listings) that can match. If they are few, read only
//!    their sessions ([`merge`]).
//! 3. Long walk: many listings mean frequent matches. Check the next `MORE_STEPS` sessions: those at the venues that
//!    were asked for if these are few, else those in the hours, else all.
//! 4. Many listings: no full page yet means that the matches are far away (all next December, say) or don't exist.
//!    Read only the sessions of the listings that can match, or walk to the end if even these are too many.
//!
//! One series has few sessions: all of them are read by its key and sorted, and nothing else is looked up.
//!
//! Series are found by the first of their sessions that matches ([`cards`]), and words of a search also by the names of
//! venues, partners and programmes ([`names`]).
//!
//! A listing only says which sessions can match. Each row is still checked against every condition (`conditions`). The
//! last condition is checked on the rows that were read: a free seat at a venue that is closed then can't be booked.
//!
//! | Limit               | Where      | What a higher limit costs                                                     |
//! | ------------------- | ---------- | ----------------------------------------------------------------------------- |
//! | `STEPS`             | here       | rows checked in step 1, before rare matches are looked up by their words      |
//! | `MORE_STEPS`        | here       | rows checked in step 3, before the matches count as far away                  |
//! | `MOST_AT_ONCE`      | here       | rows loaded by id in one statement, if the set has one key                    |
//! | `MOST_OF_MANY`      | here       | the same for many keys: n sessions may be read of each of n keys, n² in all   |
//! | `MOST_HOURS`        | `query`    | one index lookup for each hour of the week and batch                          |
//! | `FEW_LISTINGS`      | `strategy` | one index lookup for each listing and batch, if checking a row is cheap       |
//! | `MOST_LISTINGS`     | `strategy` | the same if checking a row means looking up its words, which costs as much    |
//! | `MOST_FAR_LISTINGS` | `strategy` | the same in step 4; SQLite binds at most 32,766 values                        |
//! | `MOST_VENUES`       | `strategy` | one index lookup for each venue and batch                                     |
//! | `FEW_VENUES`        | `strategy` | the same if the hours of the week could be read instead                       |
//! | `MOST_PLACES`       | `strategy` | values bound for pairs of a venue and an hour                                 |
//! | `MOST_PROBES`       | `strategy` | index lookups for each listing, instead of one scan of its words              |
//! | `MOST_CHOICES`      | `strategy` | values bound for one condition on words                                       |
//! | `BATCHES`           | `cards`    | pages of sessions walked, before series are looked up by their listings       |
//! | `VENUES`            | `cards`    | venues looked at in the first step by distance, each with all its series      |
//! | `LEAST`             | `cards`    | rows loaded by id in one statement, of series that may be on the page         |

pub mod cards;
mod conditions;
pub mod filter;
pub mod merge;
pub mod names;
pub mod query;
pub mod strategy;

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use diesel::prelude::*;

use crate::clock::london_day;
use crate::db::schema::{sessions, venues};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::sessions::listings::{self, Listing};
use crate::sessions::view::{self, Found, SessionView};
use crate::sessions::visibility::{Part, likely};
use crate::text::words::Wanted;
use crate::venues::closures;
pub use conditions::looked_at;
use conditions::{By, Scope, filtered, within};
use merge::{Keys, Position, Which};
use query::{Search, TimeSpan, from_micros};
use strategy::Way;

/// The key of a session in the list by start: its start in microseconds since 1970, and its id.
pub type ByStart = (i64, Id);

/// The key of a session in the list by distance: the venue's distance in millimetres, the venue's id, and the key by
/// start.
pub type ByDistance = (i64, Id, i64, Id);

/// How many sessions the short walk checks.
const STEPS: i64 = 256;
/// How many sessions the long walk checks.
const MORE_STEPS: i64 = 2_048;
/// How many sessions are loaded by id at once, if the set has one key.
const MOST_AT_ONCE: i64 = 400;
/// The same if the set has many keys. Lower, because finding n sessions may mean reading n sessions of each of n keys.
const MOST_OF_MANY: i64 = 150;

/// One page in the order of starts.
pub fn by_start(conn: &mut Conn, search: &Search, after: Option<ByStart>, many: i64) -> Result<Vec<SessionView>> {
    let search = &names::added(conn, search)?;
    let near = near(conn, search)?;
    if near.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let near: Option<Vec<Id>> = near.map(|venues| venues.into_iter().map(|(_, id)| id).collect());
    let span = resumed(search.span(), after);
    let rows = of_each_part(search, many, |part| {
        let finder = Finder { search, scope: Scope { part, near: near.as_deref() } };
        finder.page(conn, span, many)
    })?;
    view::related(conn, rows)
}

/// The first `many` sessions of all parts of the list.
fn of_each_part(search: &Search, many: i64, mut page: impl FnMut(Part) -> Result<Vec<Found>>) -> Result<Vec<Found>> {
    let mut rows = Vec::new();
    for part in Part::of(search.viewer) {
        rows.extend(page(part)?);
    }
    order_by_start(&mut rows);
    rows.truncate(usize::try_from(many).unwrap_or_default());
    Ok(rows)
}

fn order_by_start(rows: &mut [Found]) {
    rows.sort_unstable_by_key(|row| row.session.place());
}

/// One page in the order of distance from the place that was asked for: each session with its key.
pub fn by_distance(
    conn: &mut Conn,
    search: &Search,
    after: Option<ByDistance>,
    many: i64,
) -> Result<Vec<(ByDistance, SessionView)>> {
    let search = &names::added(conn, search)?;
    let mut ranked = near(conn, search)?.unwrap_or_default();
    if let Some((distance, venue, ..)) = after {
        ranked.retain(|rank| *rank >= (distance, venue));
    }
    let open = match search.filter.series_id {
        Some(series) => venues_of(conn, series)?,
        None => open_venues(conn, &ranked, search)?,
    };
    ranked.retain(|(_, venue)| open.contains(venue));
    let at_venues = AtVenues::of(conn, search, &ranked)?;
    let (mut keys, mut rows) = (Vec::new(), Vec::new());
    for (distance, venue) in ranked {
        let wanted = missing(&rows, many);
        if wanted <= 0 {
            break;
        }
        let resumes = after.filter(|(before, at, ..)| (*before, *at) == (distance, venue));
        let span = resumed(search.span(), resumes.map(|(_, _, start, id)| (start, id)));
        let at = [venue];
        let rows_there = of_each_part(search, wanted, |part| {
            let finder = Finder { search, scope: Scope { part, near: Some(&at) } };
            at_venues.page(conn, &finder, venue, span, wanted)
        })?;
        for row in rows_there {
            let (start, id) = row.session.place();
            keys.push((distance, venue, start.0.timestamp_micros(), id));
            rows.push(row);
        }
    }
    Ok(keys.into_iter().zip(view::related(conn, rows)?).collect())
}

/// The venues in the circle, the nearest first.
fn near(conn: &mut Conn, search: &Search) -> Result<Option<Vec<(i64, Id)>>> {
    search.circle.as_ref().map(|circle| circle.venues(conn)).transpose()
}

fn resumed(span: TimeSpan, after: Option<ByStart>) -> TimeSpan {
    match after {
        Some((start, id)) => TimeSpan { after: span.after.max((from_micros(start), id)), ..span },
        None => span,
    }
}

/// The venues of a series.
fn venues_of(conn: &mut Conn, series: Id) -> Result<HashSet<Id>> {
    let its = sessions::table.filter(sessions::series_id.eq(series));
    let venues: Vec<Option<Id>> = its.select(sessions::venue_id).load(conn)?;
    Ok(venues.into_iter().flatten().collect())
}

/// The venues that have any session in the days that were asked for: any with a free seat, if the search asks for one.
fn open_venues(conn: &mut Conn, ranked: &[(i64, Id)], search: &Search) -> Result<HashSet<Id>> {
    let mut open = HashSet::new();
    let span = search.span();
    let ids: Vec<Id> = ranked.iter().map(|(_, id)| *id).collect();
    for part in Part::of(search.viewer) {
        for chunk in ids.chunks(AT_ONCE) {
            let then = sessions::table
                .filter(sessions::venue_id.eq(venues::id.nullable()))
                .filter(likely(sessions::published.eq(part.is_published())))
                .filter(sessions::starts_at.ge(span.after.0))
                .filter(sessions::starts_at.lt(span.until))
                .select(sessions::starts_at)
                .limit(1);
            let with = venues::table.filter(venues::id.eq_any(chunk)).select(venues::id).into_boxed();
            let with = if search.has_space() {
                with.filter(then.filter(sessions::has_room.eq(true)).single_value().is_not_null())
            } else {
                with.filter(then.single_value().is_not_null())
            };
            open.extend(with.load::<Id>(conn)?);
        }
    }
    Ok(open)
}

/// Which sessions can match at each venue.
enum AtVenues {
    /// Those of the series that was asked for.
    OfSeries,
    /// Any session, or any with a free seat.
    All,
    /// The sessions of these listings. The listings are few in all.
    Few(BTreeMap<Id, Vec<Listing>>),
    /// The sessions whose listing has one of each of these words. There are too many such listings to read them all
    /// first.
    Many(Vec<Wanted>),
}

impl AtVenues {
    fn of(conn: &mut Conn, search: &Search, ranked: &[(i64, Id)]) -> Result<Self> {
        if search.filter.series_id.is_some() {
            return Ok(Self::OfSeries);
        }
        // Without the circle: a search with no other condition goes from venue to venue anyway.
        let wanted = strategy::wanted_words(conn, search, None)?;
        if wanted.is_empty() {
            return Ok(Self::All);
        }
        let venues: Vec<Id> = ranked.iter().map(|(_, id)| *id).collect();
        let there = [wanted.as_slice(), &[strategy::there(search, &venues)]].concat();
        match strategy::listings_with(conn, &there, strategy::FEW_LISTINGS)? {
            Some(listings) => listings::by_venue(conn, &listings).map(Self::Few),
            None => Ok(Self::Many(wanted)),
        }
    }

    /// The first `many` matching sessions at a venue.
    fn page(&self, conn: &mut Conn, finder: &Finder<'_>, venue: Id, span: TimeSpan, many: i64) -> Result<Vec<Found>> {
        match self {
            Self::OfSeries => finder.walk(conn, span, many),
            Self::All => finder.merge(conn, &Keys::Venues(vec![venue]), span, many),
            Self::Few(by_venue) => match by_venue.get(&venue) {
                Some(listings) => finder.merge(conn, &Keys::Listings(listings.clone()), span, many),
                None => Ok(Vec::new()),
            },
            Self::Many(wanted) => {
                let there = strategy::there(finder.search, &[venue]);
                let way = strategy::choose(strategy::listings_at(conn, &there, wanted)?, Some(vec![venue]), None);
                finder.go(conn, way, &[wanted.as_slice(), &[there]].concat(), span, many)
            }
        }
    }
}

/// One search in one part of the list. If the search has a circle, the scope holds the venues in it.
struct Finder<'a> {
    search: &'a Search,
    scope: Scope<'a>,
}

impl Finder<'_> {
    /// The first `many` matching sessions in a time span.
    fn page(&self, conn: &mut Conn, span: TimeSpan, many: i64) -> Result<Vec<Found>> {
        let along = self.own_keys();
        if self.search.filter.series_id.is_some() {
            return self.walk(conn, span, many);
        }
        if !self.search.rejects() {
            return self.all_along(conn, along.as_ref(), span, many);
        }
        let (mut found, rest) = self.some_along(conn, along.as_ref(), span, STEPS, many)?;
        let missing = missing(&found, many);
        if missing > 0 && !rest.is_empty() {
            let wanted = strategy::wanted_words(conn, self.search, self.scope.near)?;
            let most = if self.search.asks_words() { strategy::MOST_LISTINGS } else { strategy::FEW_LISTINGS };
            let listings = strategy::listings_with(conn, &wanted, most)?;
            let way = strategy::choose(listings, self.venues(conn)?, self.search.week_hours());
            found.extend(self.go(conn, way, &wanted, rest, missing)?);
        }
        Ok(found)
    }

    /// The first `many` matching sessions, found in the way that was chosen.
    fn go(&self, conn: &mut Conn, way: Way, wanted: &[Wanted], span: TimeSpan, many: i64) -> Result<Vec<Found>> {
        match way {
            Way::Nowhere => Ok(Vec::new()),
            Way::Through(keys @ Keys::Listings(..)) => self.merge(conn, &keys, span, many),
            Way::Through(_) if matches!(self.scope.part, Part::OwnUnpublished(_)) => {
                self.far_along(conn, None, wanted, span, many)
            }
            Way::Through(keys) => self.far_along(conn, Some(&keys), wanted, span, many),
            Way::Walk => self.far_along(conn, None, wanted, span, many),
        }
    }

    /// The keys to walk along, if the search itself names them: its hours of the week. Its venue or partner has an index
    /// by start.
    fn own_keys(&self) -> Option<Keys> {
        // What a partner hasn't published is read by the index of the partner.
        if matches!(self.scope.part, Part::OwnUnpublished(_)) {
            return None;
        }
        if self.search.has_owner() { None } else { self.search.week_hours().map(Keys::Hours) }
    }

    /// The first `many` matching sessions, along a set of keys or the whole list.
    fn all_along(&self, conn: &mut Conn, along: Option<&Keys>, span: TimeSpan, many: i64) -> Result<Vec<Found>> {
        match along {
            Some(keys) => self.merge(conn, keys, span, many),
            None => self.walk(conn, span, many),
        }
    }

    /// The same among the next `steps` sessions only; also returns the time span behind them.
    fn some_along(
        &self,
        conn: &mut Conn,
        along: Option<&Keys>,
        span: TimeSpan,
        steps: i64,
        many: i64,
    ) -> Result<(Vec<Found>, TimeSpan)> {
        match along {
            Some(keys) => self.merge_some(conn, keys, span, steps, many),
            None => self.walk_some(conn, span, steps, many),
        }
    }

    /// The same for the whole time span: first a long walk, then, if the matches are far away, by their listings.
    fn far_along(
        &self,
        conn: &mut Conn,
        along: Option<&Keys>,
        wanted: &[Wanted],
        span: TimeSpan,
        many: i64,
    ) -> Result<Vec<Found>> {
        let (mut found, rest) = self.some_along(conn, along, span, MORE_STEPS, many)?;
        let missing = missing(&found, many);
        if missing > 0 && !rest.is_empty() {
            found.extend(match strategy::listings_with(conn, wanted, strategy::MOST_FAR_LISTINGS)? {
                Some(none) if none.is_empty() => Vec::new(),
                Some(listings) => self.merge(conn, &Keys::Listings(listings), rest, missing)?,
                None => self.all_along(conn, along, rest, missing)?,
            });
        }
        Ok(found)
    }

    /// The matching sessions among the next `steps`, and the time span behind them.
    fn walk_some(&self, conn: &mut Conn, span: TimeSpan, steps: i64, many: i64) -> Result<(Vec<Found>, TimeSpan)> {
        let rest = match self.steps_ahead(conn, span, steps)? {
            // The walk also covers the sessions that start at the same instant as the last one.
            Some(seen) => span.from(Timestamp(seen.0 + TimeDelta::microseconds(1))),
            None => span.from(span.until),
        };
        let found = self.walk(conn, TimeSpan { until: rest.after.0.min(span.until), ..span }, many)?;
        Ok((found, rest))
    }

    /// The only venues where matching sessions can be, if the search says so.
    fn venues(&self, conn: &mut Conn) -> Result<Option<Vec<Id>>> {
        let filter = &self.search.filter;
        match (filter.venue_id, self.scope.near, filter.local_authority) {
            (Some(venue), ..) => Ok(Some(vec![venue])),
            (None, Some(near), _) => Ok(Some(near.to_vec())),
            (None, None, Some(authority)) => strategy::venues_in(conn, authority).map(Some),
            (None, None, None) => Ok(None),
        }
    }

    /// The start of the session that is `steps` further on. Counts only sessions with a free seat and of the venue or
    /// partner, if the search asks for these.
    fn steps_ahead(&self, conn: &mut Conn, span: TimeSpan, steps: i64) -> Result<Option<Timestamp>> {
        let filter = &self.search.filter;
        let mut ahead = sessions::table.filter(sessions::starts_at.ge(span.after.0)).into_boxed();
        ahead = ahead.filter(sessions::starts_at.lt(span.until));
        if self.search.has_space() {
            ahead = ahead.filter(sessions::has_room.eq(true));
        }
        if let Some(venue) = filter.venue_id {
            ahead = ahead.filter(sessions::venue_id.eq(venue));
        } else if let Some(partner) = filter.partner_id {
            ahead = ahead.filter(sessions::partner_id.eq(partner));
        }
        ahead = ahead.filter(likely(sessions::published.eq(self.scope.part.is_published())));
        if let Part::OwnUnpublished(own) = self.scope.part {
            ahead = ahead.filter(sessions::partner_id.eq(own));
        }
        let ahead = ahead.order((sessions::starts_at, sessions::id)).offset(steps).limit(1);
        Ok(ahead.select(sessions::starts_at).first(conn).optional()?)
    }

    /// The first `many` matching sessions, from session to session.
    fn walk(&self, conn: &mut Conn, mut span: TimeSpan, many: i64) -> Result<Vec<Found>> {
        let (mut found, mut size) = (Vec::new(), many);
        while missing(&found, many) > 0 && !span.is_empty() {
            let query = within(filtered(self.search, self.scope, By::Start), self.search, span, conn);
            let rows: Vec<Found> = query.order((sessions::starts_at, sessions::id)).limit(size).load(conn)?;
            span = span.behind(rows.last().filter(|_| missing(&rows, size) <= 0).map(|row| row.session.place()));
            found.extend(self.open(conn, rows)?);
            // Some of this batch are at closed venues, so the next one is larger.
            size = (size * 2).min(MOST_AT_ONCE);
        }
        found.truncate(usize::try_from(many).unwrap_or_default());
        Ok(found)
    }

    /// The first `many` matching sessions of a set of keys.
    fn merge(&self, conn: &mut Conn, keys: &Keys, span: TimeSpan, many: i64) -> Result<Vec<Found>> {
        Ok(self.merge_some(conn, keys, span, i64::MAX, many)?.0)
    }

    /// The same, but stops after at least `steps` sessions of the set; also returns the time span behind them.
    fn merge_some(
        &self,
        conn: &mut Conn,
        keys: &Keys,
        mut span: TimeSpan,
        steps: i64,
        many: i64,
    ) -> Result<(Vec<Found>, TimeSpan)> {
        let (mut found, mut seen, mut size) = (Vec::new(), 0, many);
        let most = if keys.count() == 1 { MOST_AT_ONCE } else { MOST_OF_MANY };
        let which = Which { part: self.scope.part, has_space: self.search.has_space() };
        while missing(&found, many) > 0 && seen < steps && !span.is_empty() {
            let places = merge::first(conn, keys, which, span, size)?;
            let last = places.last().filter(|_| missing(&places, size) <= 0);
            span = span.behind(last.map(|last| (last.starts_at, last.id)));
            seen += i64::try_from(places.len()).unwrap_or(size);
            found.extend(self.look_at(conn, &places)?);
            // Some of this batch didn't match, so the next one is larger.
            size = (size * 2).min(most);
        }
        found.truncate(usize::try_from(many).unwrap_or_default());
        Ok((found, span))
    }

    /// Which of these sessions match, in order.
    fn look_at(&self, conn: &mut Conn, places: &[Position]) -> Result<Vec<Found>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let query = filtered(self.search, self.scope, By::Id);
        let mut rows: Vec<Found> = query.filter(sessions::id.eq_any(places.iter().map(|place| place.id))).load(conn)?;
        rows.sort_unstable_by_key(|row| row.session.place());
        self.open(conn, rows)
    }

    /// These sessions without those whose only free seats are at a venue that is closed then, if a free seat was asked
    /// for.
    fn open(&self, conn: &mut Conn, mut rows: Vec<Found>) -> Result<Vec<Found>> {
        if self.search.has_space() {
            let venues: HashSet<Id> = rows.iter().filter_map(|row| row.session.venue_of_seats()).collect();
            let closures = closures::of(conn, &venues.into_iter().collect::<Vec<_>>())?;
            rows.retain(|row| !row.session.is_shut_out(&closures, london_day(self.search.now)));
        }
        Ok(rows)
    }
}

/// How many of `many` are still to be found.
fn missing<T>(found: &[T], many: i64) -> i64 {
    many - i64::try_from(found.len()).unwrap_or(many)
}
