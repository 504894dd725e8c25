//! How to go on if the short walk has found too little.

use diesel::prelude::*;

use super::conditions::looked_at;
use super::merge::Keys;
use super::query::Search;
use crate::db::schema::{listing_words, venue_words, venues};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::places::LocalAuthority;
use crate::sessions::listings::{
    Listing, times, word_of_day, word_of_delivery, word_of_hour_at, word_of_partner, word_of_pillar, word_of_policy,
    word_of_programme, word_of_topic, word_of_venue,
};
use crate::text::short_name::ShortName;
use crate::text::words::{Wanted, word_of_feature};

/// The most listings that are read one by one, if checking a session means looking up its words. This lookup costs as
/// much as finding the next session of a listing.
pub const MOST_LISTINGS: usize = 2_000;
/// The same if the row of a session alone says whether it matches, and within a venue.
pub const FEW_LISTINGS: usize = 250;
/// The same after a long walk that found too little. SQLite binds at most 32,766 values.
pub const MOST_FAR_LISTINGS: usize = 20_000;
/// The most venues that are read one by one.
pub const MOST_VENUES: usize = 200;
/// The same if the hours of the week could be read instead.
const FEW_VENUES: usize = 20;
/// The most words in one search for pairs of a venue and an hour. For more, only the venues are looked up.
const MOST_PLACES: usize = 500;
/// The most words that a listing is probed for one by one. For more, the listing's own words are scanned instead.
const MOST_PROBES: usize = 8;
/// The most words in one condition on listings. A condition with more is left out: most listings would meet it, and
/// each row is checked against it anyway. SQLite binds at most 32,766 values.
const MOST_CHOICES: usize = 2_000;

/// How to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// Nothing can match.
    Nowhere,
    /// Read only these listings, venues or hours: no other has a match.
    Through(Keys),
    /// Go from session to session.
    Walk,
}

/// Chooses what to read: the listings if they are known, else the venues if these are few, else the hours, else all.
pub fn choose(listings: Option<Vec<Listing>>, venues: Option<Vec<Id>>, hours: Option<Vec<i32>>) -> Way {
    let most_venues = if hours.is_some() { FEW_VENUES } else { MOST_VENUES };
    match (listings, venues) {
        (Some(none), _) if none.is_empty() => Way::Nowhere,
        (_, Some(none)) if none.is_empty() => Way::Nowhere,
        (Some(listings), _) => Way::Through(Keys::Listings(listings)),
        (None, Some(venues)) if venues.len() <= most_venues => Way::Through(Keys::Venues(venues)),
        _ => hours.map_or(Way::Walk, |hours| Way::Through(Keys::Hours(hours))),
    }
}

/// The words a listing must have to fit this search; each group is met by any one of its words. Empty: any listing
/// fits.
pub fn wanted_words(conn: &mut Conn, search: &Search, near: Option<&[Id]>) -> Result<Vec<Wanted>> {
    let filter = &search.filter;
    let mut all = search.words.clone();
    // The order matters: partner and place before time. If every group is too common to count, the first one leads.
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
    all.extend(filter.booking_policy.map(|policy| Wanted::one(word_of_policy(policy))));
    Ok(all)
}

/// The words of the listings at these venues. The words include the hour if the search asks for hours and the pairs of
/// a venue and an hour aren't too many.
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

/// The listings that meet every group of words. `None` if they may be more than `most`, or if no group is usable.
pub fn listings_with(conn: &mut Conn, wanted: &[Wanted], most: usize) -> Result<Option<Vec<Listing>>> {
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

/// The listings at these venues that meet every group of words. `None` if they may be more than [`FEW_LISTINGS`].
pub fn listings_at(conn: &mut Conn, there: &Wanted, wanted: &[Wanted]) -> Result<Option<Vec<Listing>>> {
    at_most(with(conn, there, &not_too_many(wanted), FEW_LISTINGS)?, FEW_LISTINGS)
}

/// The groups of words that are small enough to look listings up by.
fn not_too_many(wanted: &[Wanted]) -> Vec<&Wanted> {
    wanted.iter().filter(|one| one.parts().0.len() <= MOST_CHOICES).collect()
}

/// The listings without repetitions. `None` if the query reached its limit: its rows may hold few listings several
/// times and lack others.
fn at_most(mut listings: Vec<Listing>, most: usize) -> Result<Option<Vec<Listing>>> {
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

/// The listings that have one of these words and meet every other group. A listing with several of the words comes
/// several times. The query stops after `most` + 1 rows.
fn with(conn: &mut Conn, one: &Wanted, others: &[&Wanted], most: usize) -> Result<Vec<Listing>> {
    if let Wanted::Either(any, from, until) = one {
        let range = Wanted::Between(from.clone(), until.clone());
        let mut found = with(conn, &Wanted::OneOf(any.clone()), others, most)?;
        found.extend(with(conn, &range, others, most)?);
        found.truncate(most + 1);
        return Ok(found);
    }
    let mut query = listing_words::table.select((listing_words::wording_id, listing_words::slot)).into_boxed();
    query = match one {
        // Read above, each part by itself.
        Wanted::Either(..) => query,
        Wanted::OneOf(any) => query.filter(listing_words::word.eq_any(any)),
        Wanted::Between(from, until) => {
            query.filter(listing_words::word.ge(from)).filter(listing_words::word.lt(until))
        }
    };
    let (wording, slot) = (OTHER_WORDS.field(listing_words::wording_id), OTHER_WORDS.field(listing_words::slot));
    let word = OTHER_WORDS.field(listing_words::word);
    for other in others {
        // A subquery for a single value keeps the planner from starting with another group than the rarest.
        let same = OTHER_WORDS.filter(wording.eq(listing_words::wording_id)).filter(slot.eq(listing_words::slot));
        let words = same.select(word).limit(1);
        query = match other {
            Wanted::OneOf(any) if any.len() > MOST_PROBES => {
                let first = any.iter().min().map_or("", String::as_str);
                let last = any.iter().max().map_or("", String::as_str);
                let stretch = words.filter(word.ge(first)).filter(word.le(last));
                query.filter(stretch.filter(looked_at(word.eq_any(any))).single_value().is_not_null())
            }
            Wanted::OneOf(any) if any.len() == 1 => {
                query.filter(words.filter(word.eq(&any[0])).single_value().is_not_null())
            }
            Wanted::OneOf(any) => query.filter(words.filter(word.eq_any(any)).single_value().is_not_null()),
            Wanted::Either(any, from, until) => {
                let one = words.filter(word.eq_any(any)).single_value().is_not_null();
                let range = words.filter(word.ge(from)).filter(word.lt(until)).single_value().is_not_null();
                query.filter(one.or(range))
            }
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

    fn some(many: usize) -> Vec<Listing> {
        ids(many).into_iter().zip(0..).collect()
    }

    #[test]
    fn the_way_goes_through_whatever_is_few() {
        let choose = |listings: Option<usize>, venues: Option<usize>, hours: Option<Vec<i32>>| {
            super::choose(listings.map(some), venues.map(ids), hours)
        };
        assert_eq!(choose(Some(0), None, None), Way::Nowhere);
        assert_eq!(choose(Some(9), Some(0), None), Way::Nowhere);
        assert_eq!(choose(None, Some(0), None), Way::Nowhere);
        assert_eq!(choose(Some(9), Some(1), None), Way::Through(Keys::Listings(some(9))));
        assert_eq!(choose(None, Some(3), Some(vec![1])), Way::Through(Keys::Venues(ids(3))));
        assert_eq!(choose(None, Some(MOST_VENUES), None), Way::Through(Keys::Venues(ids(MOST_VENUES))));
        assert_eq!(choose(None, Some(MOST_VENUES + 1), None), Way::Walk);
        assert_eq!(choose(None, Some(FEW_VENUES + 1), Some(vec![7])), Way::Through(Keys::Hours(vec![7])));
        assert_eq!(choose(None, None, Some(vec![7])), Way::Through(Keys::Hours(vec![7])));
        assert_eq!(choose(None, None, None), Way::Walk);
    }

    #[test]
    fn more_listings_than_were_asked_for_are_not_taken_for_all_there_are() {
        let twice = [some(3), some(3)].concat();
        assert_eq!(at_most(twice.clone(), 5).unwrap(), None);
        assert_eq!(at_most(twice, 6).unwrap(), Some(some(3)));
    }
}
