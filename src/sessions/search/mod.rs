//! Finding sessions: what's on, by start or by distance, at the same cost however many there are.
//!
//! The list is in the order of starts, and so is an index. A page is found in at most three steps, each of which reads
//! an index in that order and stops when the page is full:
//!
//! 1. A short walk through the next sessions, or through the next in the hours of the week that were asked for, looking
//!    at each. Where much fits, the page is full here.
//! 2. Where too little fits, the [listings](super::listings) that can fit are looked up by their words. If those are
//!    few, only their sessions are gone through ([`streams`]).
//! 3. If they are many, what fits is frequent, and the walk goes on, through the venues or hours in question where those
//!    are few. Where it has gone far all the same (what fits is all next December, or over), many more listings are
//!    gone through.
//!
//! What a listing says only leads to rows; each row is then held to everything that was asked for ([`narrow`]).

mod conditions;
pub mod filter;
pub mod merge;
pub mod query;
pub mod strategy;

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use diesel::prelude::*;

use crate::db::schema::{sessions, venues};
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;
use crate::sessions::listings;
use crate::sessions::view::{self, Columns, SessionView};
use crate::sessions::visibility::hidden_partners;
use crate::text::words::Wanted;
pub use conditions::looked_at;
use conditions::{By, Scope, filtered, within};
use merge::{Availability, Keys, Position};
use query::{Search, TimeSpan, from_micros};
use strategy::Way;

/// The keys that sessions are listed by: microseconds since 1970 of the start, and the id.
pub type ByStart = (i64, Id);

/// The keys that sessions are listed by from a place: the venue's distance in millimetres, its id, and then by start.
pub type ByDistance = (i64, Id, i64, Id);

/// The sessions that the first walk looks at.
const STEPS: i64 = 256;
/// The sessions that the second one looks at.
const MORE_STEPS: i64 = 2_048;
/// Sessions that are looked at by their ids at once.
const MOST_AT_ONCE: i64 = 400;
/// The same where they are of many keys: of so many of those as many may be read.
const MOST_OF_MANY: i64 = 150;
/// Values in one `IN (…)`.
const CHUNK: usize = 500;

/// A page by start.
pub fn by_start(conn: &mut Conn, search: &Search, after: Option<ByStart>, many: i64) -> Result<Vec<SessionView>> {
    let near = near(conn, search)?;
    if near.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let near: Option<Vec<Id>> = near.map(|venues| venues.into_iter().map(|(_, id)| id).collect());
    let hidden = hidden_partners(conn, search.viewer)?;
    let finder = Finder { search, scope: Scope { near: near.as_deref(), hidden: &hidden } };
    let rows = finder.page(conn, resumed(search.span(), after), many)?;
    view::related(conn, rows)
}

/// A page by distance from the place that was asked for: each session with its key.
pub fn by_distance(
    conn: &mut Conn,
    search: &Search,
    after: Option<ByDistance>,
    many: i64,
) -> Result<Vec<(ByDistance, SessionView)>> {
    let mut ranked = near(conn, search)?.unwrap_or_default();
    if let Some((distance, venue, ..)) = after {
        ranked.retain(|rank| *rank >= (distance, venue));
    }
    let open = open_venues(conn, &ranked, search)?;
    ranked.retain(|(_, venue)| open.contains(venue));
    let at_venues = AtVenues::of(conn, search, &ranked)?;
    let hidden = hidden_partners(conn, search.viewer)?;
    let (mut keys, mut rows) = (Vec::new(), Vec::new());
    for (distance, venue) in ranked {
        let wanted = missing(&rows, many);
        if wanted <= 0 {
            break;
        }
        let resumes = after.filter(|(before, at, ..)| (*before, *at) == (distance, venue));
        let span = resumed(search.span(), resumes.map(|(_, _, start, id)| (start, id)));
        let at = [venue];
        let finder = Finder { search, scope: Scope { near: Some(&at), hidden: &hidden } };
        for row in at_venues.page(conn, &finder, venue, span, wanted)? {
            let (start, id) = row.place();
            keys.push((distance, venue, start.0.timestamp_micros(), id));
            rows.push(row);
        }
    }
    Ok(keys.into_iter().zip(view::related(conn, rows)?).collect())
}

/// The venues in the circle, the nearest first.
fn near(conn: &mut Conn, search: &Search) -> Result<Option<Vec<(i64, Id)>>> {
    search.circle.map(|circle| circle.venues(conn)).transpose()
}

fn resumed(span: TimeSpan, after: Option<ByStart>) -> TimeSpan {
    match after {
        Some((start, id)) => TimeSpan { after: span.after.max((from_micros(start), id)), ..span },
        None => span,
    }
}

/// Those of the venues that have any session in the days that were asked for; with room, where that was.
fn open_venues(conn: &mut Conn, ranked: &[(i64, Id)], search: &Search) -> Result<HashSet<Id>> {
    let mut open = HashSet::new();
    let span = search.span();
    let ids: Vec<Id> = ranked.iter().map(|(_, id)| *id).collect();
    for chunk in ids.chunks(CHUNK) {
        let then = sessions::table
            .filter(sessions::venue_id.eq(venues::id.nullable()))
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
    Ok(open)
}

/// What can fit at each venue.
enum AtVenues {
    /// Anything, or anything with room.
    All,
    /// These listings: few in all.
    Few(BTreeMap<Id, Vec<Id>>),
    /// What has one of each of these words; too many to know them all beforehand.
    Many(Vec<Wanted>),
}

impl AtVenues {
    fn of(conn: &mut Conn, search: &Search, ranked: &[(i64, Id)]) -> Result<Self> {
        // Without the circle first: a search that says nothing else goes from venue to venue anyway.
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

    /// The first so many that fit at a venue.
    fn page(&self, conn: &mut Conn, finder: &Finder<'_>, venue: Id, span: TimeSpan, many: i64) -> Result<Vec<Columns>> {
        let room = finder.search.room();
        match self {
            Self::All => finder.merge(conn, &Keys::Venues(vec![venue], room), span, many),
            Self::Few(by_venue) => match by_venue.get(&venue) {
                Some(listings) => finder.merge(conn, &Keys::Listings(listings.clone(), room), span, many),
                None => Ok(Vec::new()),
            },
            Self::Many(wanted) => {
                let there = strategy::there(finder.search, &[venue]);
                let way = strategy::choose(strategy::listings_at(conn, &there, wanted)?, room, Some(vec![venue]), None);
                finder.go(conn, way, &[wanted.as_slice(), &[there]].concat(), span, many)
            }
        }
    }
}

/// One search, at the venues in the circle where there is one.
struct Finder<'a> {
    search: &'a Search,
    scope: Scope<'a>,
}

impl Finder<'_> {
    /// The first so many that fit in a stretch.
    fn page(&self, conn: &mut Conn, span: TimeSpan, many: i64) -> Result<Vec<Columns>> {
        let along = self.own_keys();
        if !self.search.rejects() {
            return self.all_along(conn, along.as_ref(), span, many);
        }
        let (mut found, rest) = self.some_along(conn, along.as_ref(), span, STEPS, many)?;
        let missing = missing(&found, many);
        if missing > 0 && !rest.is_empty() {
            let wanted = strategy::wanted_words(conn, self.search, self.scope.near)?;
            let most = if self.search.asks_words() { strategy::MOST_LISTINGS } else { strategy::FEW_LISTINGS };
            let listings = strategy::listings_with(conn, &wanted, most)?;
            let way = strategy::choose(listings, self.search.room(), self.venues(conn)?, self.search.week_hours());
            found.extend(self.go(conn, way, &wanted, rest, missing)?);
        }
        Ok(found)
    }

    /// The first so many that fit, on the way that was chosen.
    fn go(&self, conn: &mut Conn, way: Way, wanted: &[Wanted], span: TimeSpan, many: i64) -> Result<Vec<Columns>> {
        match way {
            Way::Nowhere => Ok(Vec::new()),
            Way::Through(keys @ Keys::Listings(..)) => self.merge(conn, &keys, span, many),
            Way::Through(keys) => self.far_along(conn, Some(&keys), wanted, span, many),
            Way::Walk => self.far_along(conn, None, wanted, span, many),
        }
    }

    /// What has all that fits, as an index has it, where what was asked for says so by itself.
    fn own_keys(&self) -> Option<Keys> {
        let filter = &self.search.filter;
        match filter.venue_id {
            Some(venue) if self.search.has_space() => Some(Keys::Venues(vec![venue], Availability::HasSpace)),
            _ if self.search.has_owner() || self.search.has_space() => None,
            _ => self.search.week_hours().map(Keys::Hours),
        }
    }

    /// The first so many that fit, along a set or the list.
    fn all_along(&self, conn: &mut Conn, along: Option<&Keys>, span: TimeSpan, many: i64) -> Result<Vec<Columns>> {
        match along {
            Some(keys) => self.merge(conn, keys, span, many),
            None => self.walk(conn, span, many),
        }
    }

    /// The same among so many sessions, and the stretch behind them.
    fn some_along(
        &self,
        conn: &mut Conn,
        along: Option<&Keys>,
        span: TimeSpan,
        steps: i64,
        many: i64,
    ) -> Result<(Vec<Columns>, TimeSpan)> {
        match along {
            Some(keys) => self.merge_some(conn, keys, span, steps, many),
            None => self.walk_some(conn, span, steps, many),
        }
    }

    /// The same to the end, but through many listings where what fits is far away.
    fn far_along(
        &self,
        conn: &mut Conn,
        along: Option<&Keys>,
        wanted: &[Wanted],
        span: TimeSpan,
        many: i64,
    ) -> Result<Vec<Columns>> {
        let (mut found, rest) = self.some_along(conn, along, span, MORE_STEPS, many)?;
        let missing = missing(&found, many);
        if missing > 0 && !rest.is_empty() {
            found.extend(match strategy::listings_with(conn, wanted, strategy::MOST_FAR_LISTINGS)? {
                Some(none) if none.is_empty() => Vec::new(),
                Some(listings) => self.merge(conn, &Keys::Listings(listings, self.search.room()), rest, missing)?,
                None => self.all_along(conn, along, rest, missing)?,
            });
        }
        Ok(found)
    }

    /// What fits among so many sessions, and the stretch behind them.
    fn walk_some(&self, conn: &mut Conn, span: TimeSpan, steps: i64, many: i64) -> Result<(Vec<Columns>, TimeSpan)> {
        let rest = match self.steps_ahead(conn, span, steps)? {
            // All that start at the last of those instants with it.
            Some(seen) => span.from(Timestamp(seen.0 + TimeDelta::microseconds(1))),
            None => span.from(span.until),
        };
        let found = self.walk(conn, TimeSpan { until: rest.after.0.min(span.until), ..span }, many)?;
        Ok((found, rest))
    }

    /// The venues that all that fits is at, where that was asked for.
    fn venues(&self, conn: &mut Conn) -> Result<Option<Vec<Id>>> {
        let filter = &self.search.filter;
        match (filter.venue_id, self.scope.near, filter.local_authority) {
            (Some(venue), ..) => Ok(Some(vec![venue])),
            (None, Some(near), _) => Ok(Some(near.to_vec())),
            (None, None, Some(authority)) => strategy::venues_in(conn, authority).map(Some),
            (None, None, None) => Ok(None),
        }
    }

    /// The start of the session that is so many steps further on in the list: in that of what has room, or of those of
    /// this venue, partner or programme.
    fn steps_ahead(&self, conn: &mut Conn, span: TimeSpan, steps: i64) -> Result<Option<Timestamp>> {
        let filter = &self.search.filter;
        let mut ahead = sessions::table.filter(sessions::starts_at.ge(span.after.0)).into_boxed();
        ahead = ahead.filter(sessions::starts_at.lt(span.until));
        if self.search.has_space() {
            ahead = ahead.filter(sessions::has_room.eq(true));
        } else if let Some(venue) = filter.venue_id {
            ahead = ahead.filter(sessions::venue_id.eq(venue));
        } else if let Some(programme) = filter.programme_id {
            ahead = ahead.filter(sessions::programme_id.eq(programme));
        } else if let Some(partner) = filter.partner_id {
            ahead = ahead.filter(sessions::partner_id.eq(partner));
        }
        let ahead = ahead.order((sessions::starts_at, sessions::id)).offset(steps).limit(1);
        Ok(ahead.select(sessions::starts_at).first(conn).optional()?)
    }

    /// The first so many that fit, from session to session.
    fn walk(&self, conn: &mut Conn, span: TimeSpan, many: i64) -> Result<Vec<Columns>> {
        let query = within(filtered(self.search, self.scope, By::Start), span, conn);
        Ok(query.order((sessions::starts_at, sessions::id)).limit(many).load(conn)?)
    }

    /// The first so many that fit of a set.
    fn merge(&self, conn: &mut Conn, keys: &Keys, span: TimeSpan, many: i64) -> Result<Vec<Columns>> {
        Ok(self.merge_some(conn, keys, span, i64::MAX, many)?.0)
    }

    /// The same as far as some pages after so many sessions of the set; and the stretch behind them.
    fn merge_some(
        &self,
        conn: &mut Conn,
        keys: &Keys,
        mut span: TimeSpan,
        steps: i64,
        many: i64,
    ) -> Result<(Vec<Columns>, TimeSpan)> {
        let (mut found, mut seen, mut size) = (Vec::new(), 0, many);
        let most = if keys.count() == 1 { MOST_AT_ONCE } else { MOST_OF_MANY };
        while missing(&found, many) > 0 && seen < steps && !span.is_empty() {
            let places = merge::first(conn, keys, span, size)?;
            span = match places.last() {
                Some(last) if missing(&places, size) <= 0 => TimeSpan { after: (last.starts_at, last.id), ..span },
                _ => span.from(span.until),
            };
            seen += i64::try_from(places.len()).unwrap_or(size);
            found.extend(self.look_at(conn, &places)?);
            // What was found didn't fit.
            size = (size * 2).min(most);
        }
        found.truncate(usize::try_from(many).unwrap_or_default());
        Ok((found, span))
    }

    /// Those of some sessions that fit, in order.
    fn look_at(&self, conn: &mut Conn, places: &[Position]) -> Result<Vec<Columns>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let query = filtered(self.search, self.scope, By::Id);
        let mut rows: Vec<Columns> =
            query.filter(sessions::id.eq_any(places.iter().map(|place| place.id))).load(conn)?;
        rows.sort_unstable_by_key(Columns::place);
        Ok(rows)
    }
}

/// How many of so many aren't there yet.
fn missing<T>(found: &[T], many: i64) -> i64 {
    many - i64::try_from(found.len()).unwrap_or(many)
}
