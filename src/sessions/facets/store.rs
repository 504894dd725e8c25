//! What facets are counted from: one line for each listing of each series, read from indexes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use diesel::prelude::*;

use super::rules::{Line, Value, choices};
use super::types::{Choice, Facet, FacetChoices, Facets};
use crate::db::schema::{partners, venue_words, venues};
use crate::db::{AT_ONCE, Conn, Id};
use crate::error::Result;
use crate::load_by_ids;
use crate::sessions::search::cards;
use crate::sessions::search::filter::{SessionFilter, Weekday};
use crate::sessions::search::query::Search;
use crate::sessions::series_listings::Head;
use crate::sessions::types::Delivery;
use crate::sessions::wordings::Wording;
use crate::text::short_name::ShortName;
use crate::text::words::word_of_feature;

/// How many choices of one facet are listed.
const MOST: usize = 200;

/// The choices of each of these facets.
pub fn count(conn: &mut Conn, search: &Search, by: &[Facet]) -> Result<Facets> {
    let filter = &search.filter;
    // What can be chosen is decided line by line, so that each facet can leave out its own.
    let base = Search {
        filter: SessionFilter {
            topic: Vec::new(),
            pillar: None,
            delivery: None,
            local_authority: None,
            venue_id: None,
            partner_id: None,
            weekday: Vec::new(),
            ..filter.clone()
        },
        ..search.clone()
    };
    let heads = cards::heads_that_fit(conn, &base)?;
    let wordings = wordings_of(conn, &heads)?;
    let venues = venues_of(conn, &heads)?;
    let mut lines: Vec<Line<'_>> = heads.iter().filter_map(|head| line(head, &wordings, &venues)).collect();
    for ShortName(feature) in &filter.accessibility {
        let with = venue_words::table.filter(venue_words::word.eq(word_of_feature(feature)));
        let with: HashSet<Id> = with.select(venue_words::venue_id).load(conn)?.into_iter().collect();
        let there = |line: &Line<'_>| line.place.is_some_and(|(venue, _)| with.contains(&venue));
        lines.retain(|line| line.features.contains(feature) || there(line));
    }
    let counted: Vec<BTreeMap<Value, HashSet<Id>>> = by.iter().map(|facet| choices(&lines, *facet, filter)).collect();
    let names = names(conn, &counted)?;
    let items = by.iter().zip(counted).map(|(facet, found)| listed(*facet, found, &names)).collect();
    Ok(Facets { items })
}

fn line<'a>(head: &Head, wordings: &'a HashMap<Id, Arc<Wording>>, venues: &'a HashMap<Id, String>) -> Option<Line<'a>> {
    let wording = wordings.get(&head.wording_id)?;
    let place = head.venue_id.filter(|_| head.delivery != Delivery::Online);
    Some(Line {
        series: head.series_id,
        topics: &wording.topics.0,
        features: &wording.accessibility.0,
        pillar: wording.pillar,
        delivery: head.delivery,
        place: place.and_then(|venue| Some((venue, venues.get(&venue)?.as_str()))),
        partner: head.partner_id,
        weekday: Weekday::of_hour(head.week_hour),
    })
}

/// What the sessions say.
fn wordings_of(conn: &mut Conn, heads: &[Head]) -> Result<HashMap<Id, Arc<Wording>>> {
    let ids: HashSet<Id> = heads.iter().map(|head| head.wording_id).collect();
    let ids: Vec<Id> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for chunk in ids.chunks(AT_ONCE) {
        found.extend(Wording::by_id(conn, chunk.iter().copied())?);
    }
    Ok(found)
}

/// The local authority of each venue.
fn venues_of(conn: &mut Conn, heads: &[Head]) -> Result<HashMap<Id, String>> {
    let ids: HashSet<Id> = heads.iter().filter_map(|head| head.venue_id).collect();
    let ids: Vec<Id> = ids.into_iter().collect();
    let columns = (venues::id, venues::local_authority);
    let rows: Vec<(Id, String)> = load_by_ids!(conn, venues, columns, ids.as_slice())?;
    Ok(rows.into_iter().collect())
}

/// The names of the venues and partners among the choices.
fn names(conn: &mut Conn, counted: &[BTreeMap<Value, HashSet<Id>>]) -> Result<HashMap<Id, String>> {
    let id = |value: &Value| if let Value::Id(id) = value { Some(*id) } else { None };
    let ids: Vec<Id> = counted.iter().flat_map(BTreeMap::keys).filter_map(id).collect();
    let mut names: Vec<(Id, String)> = load_by_ids!(conn, venues, (venues::id, venues::name), ids.as_slice())?;
    let partners: Vec<(Id, String)> = load_by_ids!(conn, partners, (partners::id, partners::name), ids.as_slice())?;
    names.extend(partners);
    Ok(names.into_iter().collect())
}

/// The choices as they are listed.
fn listed(facet: Facet, found: BTreeMap<Value, HashSet<Id>>, names: &HashMap<Id, String>) -> FacetChoices {
    let choice = |(value, series): (Value, HashSet<Id>)| {
        let (value, name) = match value {
            Value::Id(id) => (id.to_string(), names.get(&id).cloned()),
            Value::Name(name) => (name, None),
            Value::Day(_, name) => (name.to_owned(), None),
        };
        Choice { value, name, series: series.len() }
    };
    let mut all: Vec<Choice> = found.into_iter().map(choice).collect();
    if facet != Facet::Weekday {
        // Stable: choices with as many series stay in the order of their names.
        all.sort_by(|one, other| (other.series, &one.name).cmp(&(one.series, &other.name)));
    }
    let more = all.len() > MOST;
    all.truncate(MOST);
    FacetChoices { by: facet, choices: all, more }
}
