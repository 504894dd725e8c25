//! Which way to go where the first steps through the list have found too little.

use diesel::prelude::*;

use super::conditions::looked_at;
use super::merge::{Availability, Keys};
use super::query::Search;
use crate::db::schema::{listing_words, venue_words, venues};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::places::LocalAuthority;
use crate::sessions::listings::{
    times, word_of_day, word_of_delivery, word_of_hour_at, word_of_partner, word_of_pillar, word_of_programme,
    word_of_topic, word_of_venue,
};
use crate::text::short_name::ShortName;
use crate::text::words::{Wanted, word_of_feature};

/// The most listings that are gone through one by one before going on from session to session, where to look at a
/// session is to look its words up, which costs as much as to look a listing's next session up.
pub const MOST_LISTINGS: usize = 2_000;
/// The most of them where the row of a session says whether it fits, and in a venue.
pub const FEW_LISTINGS: usize = 250;
/// The most of them where a walk has gone far and found too little. SQLite binds at most 32,766 values.
pub const MOST_FAR_LISTINGS: usize = 20_000;
/// The most venues that are gone through one by one.
pub const MOST_VENUES: usize = 200;
/// The most venues that are rather gone through than hours.
const FEW_VENUES: usize = 20;
/// The most words of venues' hours in one search.
const MOST_PLACES: usize = 500;
/// The most words that a listing is asked for one by one. Of more, its own are looked through.
const MOST_PROBES: usize = 8;
/// The most words of one condition that leads to listings: SQLite binds at most 32,766 values. Of more, most listings
/// have one, and each row is held to it anyway.
const MOST_CHOICES: usize = 2_000;

/// How to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// Nothing can fit.
    Nowhere,
    /// Only these listings, venues or hours have what fits.
    Through(Keys),
    /// From session to session.
    Walk,
}

/// Chooses by counts: listings where all that fit are few, else venues where those are, else hours, else everything.
pub fn choose(listings: Option<Vec<Id>>, room: Availability, venues: Option<Vec<Id>>, hours: Option<Vec<i32>>) -> Way {
    let most_venues = if hours.is_some() { FEW_VENUES } else { MOST_VENUES };
    match (listings, venues) {
        (Some(none), _) | (_, Some(none)) if none.is_empty() => Way::Nowhere,
        (Some(listings), _) => Way::Through(Keys::Listings(listings, room)),
        (None, Some(venues)) if venues.len() <= most_venues => Way::Through(Keys::Venues(venues, room)),
        // An index has what has room by start alone.
        _ if room == Availability::HasSpace => Way::Walk,
        _ => hours.map_or(Way::Walk, |hours| Way::Through(Keys::Hours(hours))),
    }
}

/// What the listing of everything that fits has: one word for each of these. Empty where that says nothing.
pub fn wanted_words(conn: &mut Conn, search: &Search, near: Option<&[Id]>) -> Result<Vec<Wanted>> {
    let filter = &search.filter;
    let mut all = search.words.clone();
    // Whose and where before when: of those that are too frequent to be counted out, the first one leads.
    all.extend(filter.venue_id.map(|venue| there(search, &[venue])));
    all.extend(filter.programme_id.map(|programme| Wanted::one(word_of_programme(programme))));
    all.extend(filter.partner_id.map(|partner| Wanted::one(word_of_partner(partner))));
    all.extend(near.map(|venues| there(search, venues)));
    if let Some(authority) = filter.local_authority {
        all.push(there(search, &venues_in(conn, authority)?));
    }
    if !filter.topic.is_empty() {
        all.push(Wanted::OneOf(filter.topic.iter().map(|ShortName(topic)| word_of_topic(topic)).collect()));
    }
    for ShortName(feature) in &filter.accessibility {
        let word = word_of_feature(feature);
        let with = venue_words::table.filter(venue_words::word.eq(&word)).select(venue_words::venue_id);
        let venues: Vec<Id> = with.load(conn)?;
        all.push(Wanted::OneOf(venues.into_iter().map(word_of_venue).chain([word]).collect()));
    }
    if !filter.weekday.is_empty() {
        all.push(Wanted::OneOf(filter.weekday.iter().map(|day| word_of_day((*day).into())).collect()));
    }
    if filter.starts_after.is_some() || filter.starts_before.is_some() {
        all.push(times(filter.starts_after.as_deref(), filter.starts_before.as_deref()));
    }
    all.extend(filter.pillar.map(|pillar| Wanted::one(word_of_pillar(pillar))));
    all.extend(filter.delivery.map(|delivery| Wanted::one(word_of_delivery(delivery))));
    Ok(all)
}

/// What the listing of everything that fits at one of these venues has: with the hour, where one was asked for and
/// the words aren't too many.
pub fn there(search: &Search, venues: &[Id]) -> Wanted {
    let hours = search.week_hours().filter(|hours| hours.len() * venues.len() <= MOST_PLACES);
    let words = |venue: Id| match &hours {
        Some(hours) => hours.iter().map(|hour| word_of_hour_at(venue, *hour)).collect(),
        None => vec![word_of_venue(venue)],
    };
    Wanted::OneOf(venues.iter().flat_map(|venue| words(*venue)).collect())
}

/// The venues in a local authority.
pub fn venues_in(conn: &mut Conn, authority: LocalAuthority) -> Result<Vec<Id>> {
    Ok(venues::table.filter(venues::local_authority.eq(authority.name)).select(venues::id).load(conn)?)
}

/// The listings that have one of each of these; `None` where there may be more than the
/// most, or nothing says which.
pub fn listings_with(conn: &mut Conn, wanted: &[Wanted], most: usize) -> Result<Option<Vec<Id>>> {
    let wanted = not_too_many(wanted);
    let mut rarest: Option<(usize, usize)> = None;
    for (at, one) in wanted.iter().enumerate() {
        let count = with(conn, one, &[], MOST_LISTINGS)?.len();
        if count == 0 {
            return Ok(Some(Vec::new()));
        }
        if rarest.is_none_or(|(_, fewest)| count < fewest) {
            rarest = Some((at, count));
        }
    }
    let Some((at, _)) = rarest else { return Ok(None) };
    let others: Vec<&Wanted> = wanted.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, one)| *one).collect();
    wanted.get(at).map_or(Ok(None), |one| at_most(with(conn, one, &others, most)?, most))
}

/// The listings that are [there] and have one of each of these; `None` where there may be more than [`FEW_LISTINGS`].
pub fn listings_at(conn: &mut Conn, there: &Wanted, wanted: &[Wanted]) -> Result<Option<Vec<Id>>> {
    at_most(with(conn, there, &not_too_many(wanted), FEW_LISTINGS)?, FEW_LISTINGS)
}

/// The conditions that lead to listings.
fn not_too_many(wanted: &[Wanted]) -> Vec<&Wanted> {
    wanted.iter().filter(|one| !matches!(one, Wanted::OneOf(any) if any.len() > MOST_CHOICES)).collect()
}

/// Each of the listings once. Where the search for them has stopped, they may look few without those that came twice,
/// and others be missing.
fn at_most(mut listings: Vec<Id>, most: usize) -> Result<Option<Vec<Id>>> {
    if listings.len() > most {
        return Ok(None);
    }
    listings.sort_unstable();
    listings.dedup();
    Ok(Some(listings))
}

diesel::alias! {
    const OTHER_WORDS: Alias<OtherWords> = listing_words as other_words;
}

/// Listings with one of these words and with one of each of the others; one that has several of them may come more than
/// once, and beyond the most it stops.
fn with(conn: &mut Conn, one: &Wanted, others: &[&Wanted], most: usize) -> Result<Vec<Id>> {
    let mut query = listing_words::table.select(listing_words::listing_id).into_boxed();
    query = match one {
        Wanted::OneOf(any) => query.filter(listing_words::word.eq_any(any)),
        Wanted::Between(from, until) => {
            query.filter(listing_words::word.ge(from)).filter(listing_words::word.lt(until))
        }
    };
    let (id, word) = (OTHER_WORDS.field(listing_words::listing_id), OTHER_WORDS.field(listing_words::word));
    for other in others {
        // A subquery for one value, so that the rarest leads, whatever the database believes.
        let words = OTHER_WORDS.filter(id.eq(listing_words::listing_id)).select(word).limit(1);
        query = match other {
            Wanted::OneOf(any) if any.len() > MOST_PROBES => {
                let first = any.iter().min().map_or("", String::as_str);
                let last = any.iter().max().map_or("", String::as_str);
                let stretch = words.filter(word.ge(first)).filter(word.le(last));
                query.filter(stretch.filter(looked_at(word.eq_any(any))).single_value().is_not_null())
            }
            Wanted::OneOf(any) => query.filter(words.filter(word.eq_any(any)).single_value().is_not_null()),
            Wanted::Between(from, until) => {
                let words = words.filter(word.ge(from)).filter(word.lt(until));
                query.filter(words.single_value().is_not_null())
            }
        };
    }
    Ok(query.limit(i64::try_from(most + 1).unwrap_or(i64::MAX)).load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(many: usize) -> Vec<Id> {
        (0..many as u128).map(|n| Id(uuid::Uuid::from_u128(n))).collect()
    }

    #[test]
    fn the_way_goes_through_whatever_is_few() {
        let choose = |listings: Option<usize>, venues: Option<usize>, hours: Option<Vec<i32>>| {
            super::choose(listings.map(ids), Availability::Any, venues.map(ids), hours)
        };
        assert_eq!(choose(Some(0), None, None), Way::Nowhere);
        assert_eq!(choose(Some(9), Some(0), None), Way::Nowhere);
        assert_eq!(choose(None, Some(0), None), Way::Nowhere);
        assert_eq!(choose(Some(9), Some(1), None), Way::Through(Keys::Listings(ids(9), Availability::Any)));
        assert_eq!(choose(None, Some(3), Some(vec![1])), Way::Through(Keys::Venues(ids(3), Availability::Any)));
        assert_eq!(
            choose(None, Some(MOST_VENUES), None),
            Way::Through(Keys::Venues(ids(MOST_VENUES), Availability::Any))
        );
        assert_eq!(choose(None, Some(MOST_VENUES + 1), None), Way::Walk);
        assert_eq!(choose(None, Some(FEW_VENUES + 1), Some(vec![7])), Way::Through(Keys::Hours(vec![7])));
        assert_eq!(choose(None, None, Some(vec![7])), Way::Through(Keys::Hours(vec![7])));
        assert_eq!(choose(None, None, None), Way::Walk);
        assert_eq!(
            super::choose(None, Availability::HasSpace, None, Some(vec![7])),
            Way::Walk,
            "there is an index of what has room"
        );
    }

    #[test]
    fn more_listings_than_were_asked_for_are_not_taken_for_all_there_are() {
        let twice = [ids(3), ids(3)].concat();
        assert_eq!(at_most(twice.clone(), 5).unwrap(), None);
        assert_eq!(at_most(twice, 6).unwrap(), Some(ids(3)));
    }
}
