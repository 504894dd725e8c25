//! Words of a search that are in the names of venues, partners and programmes.
//!
//! A session's listing has the words of its own texts. Its venue can get another name at any time, so the names are looked up
//! when a search is made: each word of the search is also met by the venues, partners and programmes with such a name.

use diesel::prelude::*;

use super::query::Search;
use crate::db::schema::{partners, programmes, venue_words};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::sessions::listings::{word_of_partner, word_of_programme, word_of_venue};
use crate::text::words::{Wanted, words};

/// The search with these names.
pub fn added(conn: &mut Conn, search: &Search) -> Result<Search> {
    if search.words.is_empty() {
        return Ok(search.clone());
    }
    let partners: Vec<(Id, String)> = partners::table.select((partners::id, partners::name)).load(conn)?;
    let programmes: Vec<(Id, String)> = programmes::table.select((programmes::id, programmes::name)).load(conn)?;
    let mut all = Vec::new();
    for one in &search.words {
        let mut found: Vec<String> = venues(conn, one)?.into_iter().map(word_of_venue).collect();
        found.extend(named(&partners, one).map(word_of_partner));
        found.extend(named(&programmes, one).map(word_of_programme));
        all.push(one.clone().or_one_of(found));
    }
    Ok(Search { words: all, ..search.clone() })
}

/// Those whose names have a word that fits.
fn named<'a>(all: &'a [(Id, String)], one: &'a Wanted) -> impl Iterator<Item = Id> + 'a {
    all.iter().filter(|(_, name)| words(name).any(|word| one.fits(&word))).map(|(id, _)| *id)
}

/// The venues that are found by a word: by name, town and local authority.
fn venues(conn: &mut Conn, one: &Wanted) -> Result<Vec<Id>> {
    let all = venue_words::table.select(venue_words::venue_id);
    let (any, range) = one.parts();
    let mut found: Vec<Id> = Vec::new();
    if !any.is_empty() {
        found.extend(all.filter(venue_words::word.eq_any(any)).load::<Id>(conn)?);
    }
    if let Some((from, until)) = range {
        found.extend(all.filter(venue_words::word.ge(from)).filter(venue_words::word.lt(until)).load::<Id>(conn)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
