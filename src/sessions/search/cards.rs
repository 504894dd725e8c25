//! Finding series: each by the first of its sessions that matches a search.
//!
//! The list of series is a part of the list of sessions: of each series only the first matching session is in it. So the
//! conditions, the order and the cursor are those of sessions. By start, a page is found in two steps:
//!
//! 1. Walk: take the next matching sessions, and leave out those whose series has an earlier match. Most series take
//!    place every week, so most of the next sessions are the first of their series.
//! 2. Listings: towards the end of the list, most sessions are not the first of their series. Look up the series by the
//!    listings that can match, and the first session of each, at the cost of one index lookup for each listing.
//!
//! By distance, the second step is done for some venues at a time, the nearest first. A series is where its first matching
//! session is.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use diesel::prelude::*;

use super::conditions::{By, Scope, filtered};
use super::merge::{self, Keys};
use super::names;
use super::query::{Search, TimeSpan};
use super::{ByDistance, ByStart, Finder, STEPS, missing, near, open_venues, order_by_start, resumed, strategy};
use crate::auth::viewer::Viewer;
use crate::db::schema::{partners, session_series, sessions};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::partners::types::PartnerStatus;
use crate::sessions::listings::{self, Listing, word_of_delivery};
use crate::sessions::series_listings::{self, Head, Of};
use crate::sessions::types::Delivery;
use crate::sessions::view::Found;
use crate::sessions::visibility::Part;
use crate::text::words::Wanted;
use crate::venues::closures::{self, Closure};

/// How many batches of sessions the walk takes.
const BATCHES: usize = 3;
/// How many venues are looked at first. For each further look, twice as many.
const VENUES: usize = 2;

/// How many series are looked at together at least.
const LEAST: usize = 16;
/// More listings than any service has.
const ALL_LISTINGS: usize = 10_000_000;

/// The first matching session of each series, by series.
type Firsts = HashMap<Id, Found>;

/// The first matching session of a series.
#[derive(Debug)]
pub struct Card {
    /// The session.
    pub session: Found,
    /// How far its venue is from the place that was asked for, in millimetres.
    pub distance: Option<i64>,
}

/// One page of series in the order of their first matching sessions.
pub fn by_start(conn: &mut Conn, search: &Search, after: Option<ByStart>, many: i64) -> Result<Vec<Card>> {
    let search = &names::added(conn, search)?;
    let near = near(conn, search)?;
    if near.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let distances: HashMap<Id, i64> = near.iter().flatten().map(|(distance, id)| (*id, *distance)).collect();
    let near: Option<Vec<Id>> = near.map(|venues| venues.into_iter().map(|(_, id)| id).collect());
    let finder = CardFinder::new(search, near.as_deref());
    let (mut cards, rest) = finder.walk(conn, after, many)?;
    let missing = missing(&cards, many);
    if missing > 0 && !rest.is_empty() {
        cards.extend(finder.look_up(conn, rest, missing)?);
    }
    let distance = |session: &Found| distances.get(&session.session.venue_id()?).copied();
    Ok(cards.into_iter().map(|session| Card { distance: distance(&session), session }).collect())
}

/// One page of series in the order of the distance of their first matching sessions, each with its key.
pub fn by_distance(
    conn: &mut Conn,
    search: &Search,
    after: Option<ByDistance>,
    many: i64,
) -> Result<Vec<(ByDistance, Card)>> {
    let search = &names::added(conn, search)?;
    let all = near(conn, search)?.unwrap_or_default();
    let circle: Vec<Id> = all.iter().map(|(_, id)| *id).collect();
    let mut ranked = all;
    if let Some((distance, venue, ..)) = after {
        ranked.retain(|rank| *rank >= (distance, venue));
    }
    let open = open_venues(conn, &ranked, search)?;
    ranked.retain(|(_, venue)| open.contains(venue));
    let finder = CardFinder::new(search, Some(&circle));
    let at_venues = finder.by_venue(conn, &ranked)?;
    if let Some(by_venue) = &at_venues {
        ranked.retain(|(_, venue)| by_venue.contains_key(venue));
    }
    let (mut found, mut size) = (Vec::new(), VENUES);
    while missing(&found, many) > 0 && !ranked.is_empty() {
        let rest = ranked.split_off(ranked.len().min(size));
        let group = std::mem::replace(&mut ranked, rest);
        size *= 2;
        let mut cards = finder.at(conn, &group, at_venues.as_ref())?;
        cards.retain(|(key, _)| after.is_none_or(|after| *key > after));
        cards.sort_unstable_by_key(|(key, _)| *key);
        found.extend(cards);
    }
    found.truncate(usize::try_from(many).unwrap_or_default());
    let card = |(key, session): (ByDistance, Found)| (key, Card { session, distance: Some(key.0) });
    Ok(found.into_iter().map(card).collect())
}

/// The first matching session of each of these series, by series.
pub fn of_series(conn: &mut Conn, search: &Search, series: &[Id]) -> Result<HashMap<Id, Found>> {
    let finder = CardFinder::new(search, None);
    let heads = finder.heads(conn, Of::Series(series), search.span())?;
    finder.firsts(conn, heads)
}

/// The first session of each listing of each series that can match, in a search that asks for nothing but what all
/// sessions of a listing have in common, and for days, free seats and a booking policy. Whether a venue has the features
/// asked for isn't checked.
pub fn heads_that_fit(conn: &mut Conn, search: &Search) -> Result<Vec<Head>> {
    let search = &names::added(conn, search)?;
    let near = near(conn, search)?;
    let circle: Option<Vec<Id>> = near.map(|venues| venues.into_iter().map(|(_, id)| id).collect());
    let finder = CardFinder::new(search, circle.as_deref());
    let wanted = finder.wanted(conn, finder.near)?;
    let listings = if wanted.is_empty() { None } else { strategy::listings_with(conn, &wanted, ALL_LISTINGS)? };
    let mut heads = finder.heads(conn, listings.as_deref().map_or(Of::All, Of::Listings), search.span())?;
    if let Some(circle) = &circle {
        let circle: HashSet<&Id> = circle.iter().collect();
        heads.retain(|(_, head)| head.venue_id.is_some_and(|venue| circle.contains(&venue)));
    }
    finder.leave_out_hidden(conn, &mut heads)?;
    finder.leave_out_shut(conn, &mut heads)?;
    Ok(heads.into_iter().map(|(_, head)| head).collect())
}

/// The first session of a listing, and the part of the list that it is in.
type PartHead = (Part, Head);

/// One search for series. If it has a circle, `near` holds the venues in it.
struct CardFinder<'a> {
    search: &'a Search,
    near: Option<&'a [Id]>,
    parts: Vec<Part>,
}

impl<'a> CardFinder<'a> {
    fn new(search: &'a Search, near: Option<&'a [Id]>) -> Self {
        Self { search, near, parts: Part::of(search.viewer) }
    }

    fn finder(&self, part: Part) -> Finder<'a> {
        Finder { search: self.search, scope: Scope { part, near: self.near } }
    }

    /// Takes the next matching sessions, and gives those that are the first of their series, and the time span behind
    /// them.
    fn walk(&self, conn: &mut Conn, after: Option<ByStart>, many: i64) -> Result<(Vec<Found>, TimeSpan)> {
        let (mut cards, mut seen) = (Vec::new(), HashSet::new());
        let mut rest = resumed(self.search.span(), after);
        for _ in 0..BATCHES {
            if missing(&cards, many) <= 0 || rest.is_empty() {
                break;
            }
            let (rows, behind) = self.next_sessions(conn, rest, many)?;
            rest = behind;
            let (all, mut firsts): (usize, Vec<Found>) = (rows.len(), Vec::new());
            for row in rows {
                if row.series_id().is_some_and(|series| seen.insert(series)) {
                    firsts.push(row);
                }
            }
            // Without a cursor, the walk has passed everything that is earlier.
            if after.is_some() {
                self.leave_out_later(conn, &mut firsts)?;
            }
            // Most sessions are later ones of their series, or few match: the listings know better.
            let is_late = firsts.len() * 2 < all.max(1);
            cards.extend(firsts);
            if is_late {
                break;
            }
        }
        if missing(&cards, many) < 0 {
            cards.truncate(usize::try_from(many).unwrap_or_default());
        }
        Ok((cards, rest))
    }

    /// The next matching sessions of all parts, and the time span behind them.
    fn next_sessions(&self, conn: &mut Conn, span: TimeSpan, many: i64) -> Result<(Vec<Found>, TimeSpan)> {
        let (mut rows, mut rest) = (Vec::new(), span.behind(None));
        for part in &self.parts {
            let finder = self.finder(*part);
            let along = finder.own_keys();
            let (found, mut behind) = finder.some_along(conn, along.as_ref(), span, STEPS, many)?;
            if missing(&found, many) <= 0 {
                behind = span.behind(found.last().map(|row| row.session.place()));
            }
            rest.after = rest.after.min(behind.after);
            rows.extend(found);
        }
        rows.retain(|row| row.session.place() <= rest.after);
        order_by_start(&mut rows);
        Ok((rows, rest))
    }

    /// Leaves out the sessions whose series has an earlier match.
    fn leave_out_later(&self, conn: &mut Conn, rows: &mut Vec<Found>) -> Result<()> {
        let places: HashMap<Id, (Timestamp, Id)> =
            rows.iter().filter_map(|row| Some((row.series_id()?, row.session.place()))).collect();
        let Some(last) = places.values().map(|(start, _)| *start).max() else { return Ok(()) };
        let until = Timestamp(last.0 + TimeDelta::microseconds(1));
        let span = self.search.span();
        let series: Vec<Id> = places.keys().copied().collect();
        let is_before = |head: &Head| places.get(&head.series_id).is_some_and(|place| head.place() < *place);
        let mut heads = self.heads(conn, Of::Series(&series), TimeSpan { until: until.min(span.until), ..span })?;
        heads.retain(|(_, head)| is_before(head));
        let earlier = self.firsts(conn, heads)?;
        let is_first = |row: &Found| {
            let earlier = row.series_id().and_then(|series| earlier.get(&series));
            earlier.is_none_or(|earlier| earlier.session.place() >= row.session.place())
        };
        rows.retain(is_first);
        Ok(())
    }

    /// The first matching session of each series that has none before this time span, by the listings that can match.
    fn look_up(&self, conn: &mut Conn, rest: TimeSpan, many: i64) -> Result<Vec<Found>> {
        let wanted = self.wanted(conn, self.near)?;
        let listings = strategy::listings_with(conn, &wanted, strategy::MOST_FAR_LISTINGS)?;
        let of = listings.as_deref().map_or(Of::All, Of::Listings);
        let (mut before, mut behind): (Vec<PartHead>, Vec<PartHead>) = (Vec::new(), Vec::new());
        for (part, head) in self.heads(conn, of, self.search.span())? {
            if head.place() <= rest.after { before.push((part, head)) } else { behind.push((part, head)) }
        }
        let mut seen: HashSet<Id> = HashSet::new();
        let mut late = Firsts::new();
        if wanted.is_empty() && !self.search.has_space() {
            // Nothing but who may see it decides, and that is the same for all sessions of a series.
            seen.extend(before.iter().map(|(_, head)| head.series_id));
        } else {
            for (series, first) in self.firsts(conn, before)? {
                // At a venue that is closed at first, the first match can be later.
                if first.session.place() <= rest.after {
                    seen.insert(series);
                } else {
                    late.insert(series, first);
                }
            }
        }
        behind.retain(|(_, head)| !seen.contains(&head.series_id));
        self.first_of(conn, behind, late, many)
    }

    /// The earliest `many` series of these, which stand in the order of their heads.
    fn first_of(&self, conn: &mut Conn, heads: Vec<PartHead>, mut firsts: Firsts, many: i64) -> Result<Vec<Found>> {
        let size = usize::try_from(many).unwrap_or(1).max(1);
        let mut heads = heads.into_iter().peekable();
        loop {
            let frontier = heads.peek().map(|(_, head)| head.place());
            let is_sure = |row: &Found| frontier.is_none_or(|frontier| row.session.place() < frontier);
            if frontier.is_none() || firsts.values().filter(|row| is_sure(row)).count() >= size {
                let mut found: Vec<Found> = firsts.into_values().filter(is_sure).collect();
                order_by_start(&mut found);
                found.truncate(size);
                return Ok(found);
            }
            let batch: Vec<PartHead> = heads.by_ref().take(size.clamp(LEAST, AT_ONCE)).collect();
            for (_, first) in self.firsts(conn, batch)? {
                put(&mut firsts, first);
            }
        }
    }

    /// The words that a listing must have to fit the search.
    fn wanted(&self, conn: &mut Conn, near: Option<&[Id]>) -> Result<Vec<Wanted>> {
        let mut wanted = strategy::wanted_words(conn, self.search, near)?;
        let filter = &self.search.filter;
        if self.near.is_some() || filter.venue_id.is_some() || filter.local_authority.is_some() {
            wanted.push(Wanted::OneOf([Delivery::InPerson, Delivery::Hybrid].map(word_of_delivery).to_vec()));
        }
        Ok(wanted)
    }

    /// The first sessions of these series that are in a time span, one for each listing of each series, in order.
    fn heads(&self, conn: &mut Conn, of: Of<'_>, span: TimeSpan) -> Result<Vec<PartHead>> {
        let mut all = Vec::new();
        for part in &self.parts {
            let which = series_listings::Which {
                published: part.is_published(),
                has_space: self.search.has_space(),
                policy: self.search.filter.booking_policy,
                after: span.after,
                until: span.until,
            };
            all.extend(series_listings::heads(conn, of, which)?.into_iter().map(|head| (*part, head)));
        }
        all.sort_unstable_by_key(|(_, head)| head.place());
        Ok(all)
    }

    /// The first matching session of each series, given the first session of each listing that it may be of.
    fn firsts(&self, conn: &mut Conn, heads: Vec<PartHead>) -> Result<Firsts> {
        let mut firsts = Firsts::new();
        for (_, row) in self.matches(conn, &heads)? {
            put(&mut firsts, row);
        }
        Ok(firsts)
    }

    /// The first matching session of each listing of each series, given the first session of each. Those without a match
    /// aren't in it.
    fn matches(&self, conn: &mut Conn, heads: &[PartHead]) -> Result<Vec<(PartHead, Found)>> {
        let mut found = Vec::new();
        for part in &self.parts {
            let finder = self.finder(*part);
            let of_part: Vec<PartHead> = heads.iter().filter(|(one, _)| one == part).copied().collect();
            for chunk in of_part.chunks(AT_ONCE) {
                let ids = chunk.iter().map(|(_, head)| head.id);
                let query = filtered(self.search, finder.scope, By::Id).filter(sessions::id.eq_any(ids));
                let rows: Vec<Found> = query.load(conn)?;
                // A row that isn't here doesn't match, and then no session of its listing and series does.
                let matching: HashSet<Id> = rows.iter().map(|row| row.session.place().1).collect();
                let open = finder.open(conn, rows)?.into_iter();
                let mut open: HashMap<Id, Found> = open.map(|row| (row.session.place().1, row)).collect();
                for one in chunk.iter().filter(|(_, head)| matching.contains(&head.id)) {
                    let first = match open.remove(&one.1.id) {
                        Some(row) => Some(row),
                        None => self.next_open(conn, &finder, &one.1)?,
                    };
                    found.extend(first.map(|row| (*one, row)));
                }
            }
        }
        Ok(found)
    }

    /// The first matching session behind one at a venue that is closed then, of the same listing and series.
    fn next_open(&self, conn: &mut Conn, finder: &Finder<'_>, head: &Head) -> Result<Option<Found>> {
        let keys = Keys::Listings(vec![(head.wording_id, head.slot)]);
        let which = merge::Which { part: finder.scope.part, has_space: self.search.has_space() };
        let mut span = self.search.span().behind(Some(head.place()));
        while !span.is_empty() {
            let places = merge::first(conn, &keys, which, span, AT_ONCE as i64)?;
            let last = places.last().filter(|_| places.len() >= AT_ONCE);
            span = span.behind(last.map(|last| (last.starts_at, last.id)));
            let rows = finder.look_at(conn, &places)?;
            let first = rows.into_iter().find(|row| row.series_id() == Some(head.series_id));
            if first.is_some() {
                return Ok(first);
            }
        }
        Ok(None)
    }

    /// Leaves out what lists don't show the viewer.
    fn leave_out_hidden(&self, conn: &mut Conn, heads: &mut Vec<PartHead>) -> Result<()> {
        let own = match self.search.viewer {
            Viewer::Staff => return Ok(()),
            Viewer::Partner(own) => Some(own),
            Viewer::Member(_) | Viewer::Public => None,
        };
        let published = session_series::table.filter(session_series::published.eq(true));
        let published: HashSet<Id> = published.select(session_series::id).load(conn)?.into_iter().collect();
        let inactive = partners::table.filter(partners::status.ne(PartnerStatus::Active));
        let inactive: HashSet<Id> = inactive.select(partners::id).load(conn)?.into_iter().collect();
        heads.retain(|(part, head)| {
            let is_own = own.is_some() && head.partner_id == own;
            let is_active = head.partner_id.is_none_or(|partner| !inactive.contains(&partner));
            match part {
                Part::OwnUnpublished(_) => is_own,
                _ => is_active && (is_own || published.contains(&head.series_id)),
            }
        });
        Ok(())
    }

    /// Leaves out free seats at venues that are closed then, if none of the same listing is on another day.
    fn leave_out_shut(&self, conn: &mut Conn, heads: &mut Vec<PartHead>) -> Result<()> {
        if !self.search.has_space() {
            return Ok(());
        }
        let venues: HashSet<Id> = heads.iter().filter_map(|(_, head)| head.venue_id).collect();
        let closures = closures::of(conn, &venues.into_iter().collect::<Vec<_>>())?;
        let may_shut = |closure: &Closure| !closure.is_always_open();
        let (shut, open): (Vec<PartHead>, Vec<PartHead>) = std::mem::take(heads)
            .into_iter()
            .partition(|(_, head)| head.venue_id.and_then(|venue| closures.get(&venue)).is_some_and(may_shut));
        let found = self.matches(conn, &shut)?.into_iter().map(|(one, _)| one);
        *heads = open.into_iter().chain(found).collect();
        Ok(())
    }

    /// The listings that can match, by venue, if they are few in all.
    fn by_venue(&self, conn: &mut Conn, ranked: &[(i64, Id)]) -> Result<Option<BTreeMap<Id, Vec<Listing>>>> {
        // Without the circle: a search with no other condition goes from venue to venue anyway.
        let wanted = strategy::wanted_words(conn, self.search, None)?;
        if wanted.is_empty() {
            return Ok(None);
        }
        let venues: Vec<Id> = ranked.iter().map(|(_, id)| *id).collect();
        let there = [wanted.as_slice(), &[strategy::there(self.search, &venues)]].concat();
        match strategy::listings_with(conn, &there, strategy::FEW_LISTINGS)? {
            Some(few) => listings::by_venue(conn, &few).map(Some),
            None => Ok(None),
        }
    }

    /// The series whose first matching session is at one of these venues, each with its key.
    fn at(
        &self,
        conn: &mut Conn,
        group: &[(i64, Id)],
        by_venue: Option<&BTreeMap<Id, Vec<Listing>>>,
    ) -> Result<Vec<(ByDistance, Found)>> {
        let ranks: HashMap<Id, i64> = group.iter().map(|(distance, venue)| (*venue, *distance)).collect();
        let venues: Vec<Id> = group.iter().map(|(_, venue)| *venue).collect();
        let listings = match by_venue {
            Some(few) => Some(venues.iter().filter_map(|venue| few.get(venue)).flatten().copied().collect()),
            None => {
                let wanted = self.wanted(conn, Some(&venues))?;
                strategy::listings_with(conn, &wanted, strategy::MOST_FAR_LISTINGS)?
            }
        };
        let of = listings.as_deref().map_or(Of::All, Of::Listings);
        let there = CardFinder { search: self.search, near: Some(&venues), parts: self.parts.clone() };
        let heads = there.heads(conn, of, self.search.span())?;
        let mut rows: Vec<Found> = there.firsts(conn, heads)?.into_values().collect();
        // A series that is at another venue before is shown there.
        self.leave_out_later(conn, &mut rows)?;
        let key = |row: &Found| {
            let (start, id) = row.session.place();
            let venue = row.session.venue_id()?;
            Some((*ranks.get(&venue)?, venue, start.0.timestamp_micros(), id))
        };
        Ok(rows.into_iter().filter_map(|row| Some((key(&row)?, row))).collect())
    }
}

/// Keeps the earlier of two sessions of a series.
fn put(firsts: &mut Firsts, row: Found) {
    let Some(series) = row.series_id() else { return };
    let is_earlier = firsts.get(&series).is_none_or(|first| row.session.place() < first.session.place());
    if is_earlier {
        firsts.insert(series, row);
    }
}
